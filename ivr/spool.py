"""Recorded messages on disk: fixed names, and beside each a sidecar that says what it is, until it is taken in (N1).

`.open` while the caller speaks, `.json` once he has: whoever finds a `.json` may take the message in. The form is
asterisk-conf/README.md's; the rescue script writes the same.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from ivr.ports import HowRecorded, SortedOut
from ivr.sound import judge, measure

log = structlog.get_logger(__name__)

VERSION: Final = 1
#: A message that is still open is nobody's any more when its sound has not grown for so long.
ABANDONED_AFTER: Final = timedelta(seconds=20)

_FILE: Final = re.compile(r"[0-9]{14}-[0-9]{12}-msg-[0-9]{1,2}\.wav\Z")

_WORDS: Final = ("call_id", "file", "ani", "dnis", "lang", "queue")


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
    #: When the recording began; once it has ended, when that was. Aware UTC.
    at: datetime
    seconds: float = 0.0
    how: HowRecorded | Literal["rescue"] = "hung_up"
    #: Why it says nothing, for whoever sorts messages; None = something is said, or not known.
    sorted_out: SortedOut | None = None
    #: The number set aside for it (ivr.reserve), which the caller may have heard; None = it has none yet.
    serial: str | None = None


class Spool:
    """The folder of the voice files. Its methods block: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: files of dialogues that go on in this process: their speakers may yet hear, repeat or drop them
        self.in_hand: set[str] = set()

    def begin(self, message: Message) -> None:
        """The caller is about to speak: what is known of him is on the disk. Raises `OSError`."""
        self._write(self._beside(message.file, ".open"), message)

    def keep(self, message: Message) -> None:
        """The caller has spoken: sound and sidecar are on the disk when this returns. Raises `OSError`."""
        with (self.folder / message.file).open("rb") as file:
            os.fsync(file.fileno())
        self._write(self._beside(message.file, ".json"), message)
        self._beside(message.file, ".open").unlink(missing_ok=True)

    def taken(self, message: Message) -> None:
        """The message is taken in: only its sound stays."""
        self._beside(message.file, ".json").unlink(missing_ok=True)

    def drop(self, message: Message) -> None:
        """The caller recorded it again, or goes on to something else: nothing of it stays."""
        for ending in (".wav", ".open", ".json"):
            self._beside(message.file, ending).unlink(missing_ok=True)

    def settle(self, now: datetime) -> list[Message]:
        """Messages cut short by a crash become ones that can be taken in, their length by the size of the file (F13).

        What holds no sound is dropped; what cannot be read is logged and left: a person has to look at it. What a
        dialogue of this process has in hand is its own, however long ago it was said.
        """
        return [message for path in sorted(self.folder.glob("*-msg-*.open")) for message in self._settled(path, now)]

    def _settled(self, path: Path, now: datetime) -> Iterator[Message]:
        try:
            message = _parsed(json.loads(path.read_text(encoding="utf-8")))
            if message.file in self.in_hand:
                return
            wav = self.folder / message.file
            grown = datetime.fromtimestamp((wav if wav.exists() else path).stat().st_mtime, UTC)
            if now - grown < ABANDONED_AFTER:
                return
            sound = measure(wav)
            if not sound.seconds:
                self.drop(message)
                return
            message = replace(message, seconds=round(sound.seconds, 2), at=grown, sorted_out=judge(sound))
            self.keep(message)
            yield message
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("ivr.sidecar_unreadable", file=path.name, error=type(error).__name__)

    def _write(self, path: Path, message: Message) -> None:
        told = {"version": VERSION, "kind": "message"} | asdict(message) | {"at": message.at.isoformat()}
        draft = path.with_name(path.name + ".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(told, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _beside(self, file: str, ending: str) -> Path:
        return (self.folder / file).with_suffix(ending)


def file_name(call_id: str, number: int) -> str:
    """Name of a call's n-th message."""
    return f"{call_id}-msg-{number}.wav"


def _parsed(told: dict[str, Any]) -> Message:
    """Raises ValueError, KeyError or TypeError for anything that is not a sidecar of ours."""
    if told["version"] != VERSION or told["kind"] != "message" or not _FILE.match(told["file"]):
        raise ValueError("not a sidecar")
    call_id, file, ani, dnis, lang, queue = (str(told[key]) for key in _WORDS)
    return Message(call_id, file, ani, dnis, lang, queue, at=datetime.fromisoformat(told["at"]))
