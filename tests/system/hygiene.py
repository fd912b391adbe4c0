"""What no log of a run may hold: a telephone number in full, or any of our secrets (S25, S24)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cti.settings import Settings

#: our call ids have twelve digits that may look like a number of the mainland
_CALL_ID: Final = re.compile(rb"[0-9]{14}-[0-9]{12}")
_MOBILE: Final = re.compile(rb"(?<![0-9A-Za-z.-])(?:\+?86)?1[3-9][0-9]{9}(?![0-9A-Za-z])")
_LANDLINE: Final = re.compile(rb"(?<![0-9A-Za-z.-])0(?:10|2[0-9]|[3-9][0-9]{2})-?[0-9]{7,8}(?![0-9A-Za-z-])")
#: a shorter one may stand in a text by chance
_SECRET_CHARS: Final = 12


def files(settings: Settings) -> list[Path]:
    """Every file that the service and its Asterisk write for people to read. The journals that calls are recovered from
    are no such files: they hold numbers by nature."""
    ours = (settings.home / "log").glob("hotline.jsonl*")
    return sorted(ours) + sorted((settings.asterisk_run / "log").glob("messages.log*"))


def secrets(settings: Settings) -> set[bytes]:
    """What stands in the files of secrets."""
    kept = [path for path in settings.secrets_dir.rglob("*") if path.is_file()]
    words = {word for path in kept for word in path.read_bytes().split()}
    return {word for word in words if len(word) >= _SECRET_CHARS}


def leaks(settings: Settings) -> list[str]:
    """`file:line what` of everything found, the finding itself shown by its last digits only."""
    hidden, found = secrets(settings), []
    for path in files(settings):
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            text = _CALL_ID.sub(b"", line)
            found += [
                f"{path.name}:{number} a telephone number in full, …{hit[0][-4:].decode()}: {line[:120]!r}"
                for pattern in (_MOBILE, _LANDLINE)
                for hit in pattern.finditer(text)
            ]
            found += [f"{path.name}:{number} a secret" for word in hidden if word in line]
    return found
