"""Recorded messages on disk: fixed names, and beside each a sidecar that says what it is, until it is taken in (N1).

The form of the sidecar is asterisk-conf/README.md's: the rescue script writes the same.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from ivr.ports import HowRecorded
from ivr.sound import measure

log = structlog.get_logger(__name__)

VERSION: Final = 1
#: A message whose sidecar still says `open` is nobody's any more when its sound has not grown for so long.
ABANDONED_AFTER: Final = timedelta(seconds=20)

MESSAGE_FILE: Final = re.compile(r"[0-9]{14}-[0-9]{12}-msg-[0-9]{1,2}\.wav\Z")


@dataclass(frozen=True, slots=True)
class Message:
    """One recorded message, as its sidecar tells of it."""

    call_id: str
    #: Name of the WAV file in the spool.
    file: str
    ani: str
    dnis: str
    lang: str
    queue: str
    #: When the recording began, aware UTC.
    at: datetime
    seconds: float = 0.0
    #: `open`: being recorded, or the service ended in the middle of it.
    how: HowRecorded | Literal["open"] = "open"
    #: Who recorded it.
    by: Literal["service", "rescue"] = "service"


class Spool:
    """The folder of the voice files. Its methods block: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, message: Message) -> None:
        """Write the sidecar; it is on the disk when this returns. Raises `OSError`."""
        told = asdict(message) | {"version": VERSION, "kind": "message", "at": message.at.isoformat()}
        path = self._sidecar(message.file)
        draft = path.with_suffix(".json.new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(told, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        self._sync_folder()

    def keep(self, message: Message) -> None:
        """Sound and sidecar are on the disk when this returns. Raises `OSError`."""
        with (self.folder / message.file).open("rb") as file:
            os.fsync(file.fileno())
        self.write(message)

    def taken(self, message: Message) -> None:
        """The message is taken in: only its sound stays."""
        self._sidecar(message.file).unlink(missing_ok=True)

    def drop(self, message: Message) -> None:
        """The caller recorded it again, or said nothing: neither sound nor sidecar stays."""
        (self.folder / message.file).unlink(missing_ok=True)
        self.taken(message)

    def waiting(self, now: datetime) -> list[Message]:
        """What has not been taken in, oldest first; measured anew where the service ended in the middle.

        A sidecar that cannot be read is logged and left: a person has to look at it.
        """
        found = [message for path in self.folder.glob("*-msg-*.json") for message in self._read(path, now)]
        return sorted(found, key=lambda message: (message.at, message.file))

    def _read(self, path: Path, now: datetime) -> Iterator[Message]:
        try:
            message = _parsed(json.loads(path.read_text(encoding="utf-8")))
            if message.how != "open":
                yield message
                return
            wav = self.folder / message.file
            grown = wav.stat().st_mtime if wav.exists() else path.stat().st_mtime
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("ivr.sidecar_unreadable", file=path.name, error=type(error).__name__)
            return
        if now.timestamp() - grown < ABANDONED_AFTER.total_seconds():
            return
        sound = measure(wav)
        if sound.seconds:
            yield replace(message, how="hung_up", seconds=round(sound.seconds, 2))
        else:
            self.drop(message)

    def _sidecar(self, file: str) -> Path:
        return (self.folder / file).with_suffix(".json")

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def file_name(call_id: str, number: int) -> str:
    """Name of a call's n-th message."""
    return f"{call_id}-msg-{number}.wav"


def _parsed(told: dict[str, Any]) -> Message:
    """Raises ValueError, KeyError or TypeError for anything that is not a sidecar of ours."""
    if told["version"] != VERSION or told["kind"] != "message" or not MESSAGE_FILE.match(told["file"]):
        raise ValueError("not a sidecar")
    if told["how"] not in {"open", "confirmed", "hung_up", "limit"} or told["by"] not in {"service", "rescue"}:
        raise ValueError("unknown word")
    at = datetime.fromisoformat(told["at"])
    if at.tzinfo is None:
        raise ValueError("naive time")
    words = {key: str(told[key]) for key in ("call_id", "file", "ani", "dnis", "lang", "queue")}
    return Message(**words, at=at, seconds=float(told["seconds"]), how=told["how"], by=told["by"])
