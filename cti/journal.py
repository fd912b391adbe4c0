"""Append-only ring of the telephony events on disk, numbers masked, from which a call can be replayed (TL-71).

A segment is a file of AMI blocks as they came, each with a last line `JournalAt` (moment of receipt), and of the
recorder's own (`cti.recorder`). What is kept: ids, queues, states, menu keys. What is not: telephone numbers, names and
keyed digits, which become words that are equal where the originals were equal; and the token.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import structlog

from cti.ami.frames import END, Form, Frame
from cti.ami.replay import RECEIVED
from cti.calls.model import CallRecord

log = structlog.get_logger(__name__)

MASKED_TOKEN: Final = "masked"  # noqa: S105 - what stands in the token's place
SUFFIX: Final = ".ami"
#: keys (lower case) whose values are written as they are; of a second channel with its prefix
_PLAIN_KEYS: Final = """
event privilege timestamp userevent channel channelstate channelstatedesc language context priority uniqueid linkedid
queue interface stateinterface membername position count status reason cause cause-txt holdtime talktime ringtime
membership penalty callstaken lastcall lastpause logintime incall paused pausedreason ringinuse wrapuptime
originalposition bridgeuniqueid bridgetype bridgetechnology bridgecreator bridgename bridgenumchannels
bridgevideosourcemode node match vip customer why dnis lang notice state step grade uptime lastreload dialstatus
techcause device
"""
_PLAIN: Final = frozenset(_PLAIN_KEYS.split())
_NAMES: Final = ("calleridname", "connectedlinename")
_VARIABLE: Final = "chanvariable"
_PREFIX: Final = re.compile(r"^(?:dest|orig|second|transferer|transferee|transfertarget|source|localone|localtwo)+")
#: a telephone number as people and exchanges write it: seven digits or more, perhaps spaced
_NUMBER: Final = re.compile(r"\+?[0-9](?:[ ().-]?[0-9]){6,}")
_RECEIVED: Final = f"\r\n{RECEIVED}: ".encode()
#: longest value whose masked word is remembered, characters: what a caller can make long takes no memory
_SHORT: Final = 80
_NOBODY: Final = frozenset({"", "<unknown>", "anonymous", "Anonymous"})


class Mask:
    """Makes the same word of the same number, with one key; nobody without the key can go back."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        #: form to the numbers of values to look at
        self._plans: dict[Form, tuple[tuple[int, str, str], ...]] = {}
        #: the same words come with every event of a call
        self._short = lru_cache(maxsize=4096)(self._value)
        self.number = lru_cache(maxsize=4096)(self._number)
        self.name = lru_cache(maxsize=4096)(self._name)

    def frame(self, frame: Frame) -> bytes:
        """The frame's bytes with every private value replaced."""
        form = frame.form
        plan = self._plans.get(form)
        if plan is None:
            if len(self._plans) > 1000:
                self._plans.clear()
            plan = self._plans[form] = _plan(form)
        changed: list[tuple[int, str, str]] = []
        values = frame.values
        for number, key, kind in plan:
            value = values[number]
            if value in _NOBODY:
                continue
            masked = self._short(kind, value) if len(value) <= _SHORT else self._value(kind, value)
            if masked != value:
                changed.append((number, key, masked))
        if not changed:
            return frame.raw
        lines = frame.raw.split(b"\r\n")
        for number, key, masked in changed:
            lines[number - 1] = f"{key}: {masked}".encode()
        return b"\r\n".join(lines)

    def _value(self, kind: str, value: str) -> str:
        if kind == _VARIABLE:
            name, _, text = value.partition("=")
            if name == "CTI_CALL_ID":
                return value
            return f"{name}={MASKED_TOKEN if name == 'CTI_TOKEN' else self.text(text)}"
        if kind == "name":
            return self.name(value)
        if kind == "keyed":
            return "*" * len(value)
        if kind == "menu":
            return value if len(value) == 1 else "*" * len(value)
        return self.text(value)

    def record(self, record: CallRecord) -> CallRecord:
        """The record as a replay of masked events gives it."""
        path = tuple(replace(step, key=self._value("menu", step.key)) for step in record.path)
        return replace(record, ani=self.text(record.ani), path=path)

    def field(self, name: str, text: str) -> str:
        """A private value by the name of its field."""
        return self._value({"key": "menu"}.get(name, "text"), text)

    def text(self, value: str) -> str:
        """A text with every telephone number in it replaced."""
        return _NUMBER.sub(lambda found: self.number(found.group()), value)

    def _digest(self, value: str) -> int:
        return int.from_bytes(hmac.digest(self._key, value.encode(), hashlib.sha256)[:16], "big")

    def _number(self, value: str) -> str:
        """First three digits, a star that no telephone number has, and as many made-up digits as there were."""
        digits = re.sub(r"[^0-9]", "", value)
        rest = len(digits) - 4
        return f"{digits[:3]}*{self._digest(digits) % 10**rest:0{rest}d}"

    def _name(self, value: str) -> str:
        return f"name-{self._digest(value) % 16**8:08x}"


def _plan(form: Form) -> tuple[tuple[int, str, str], ...]:
    found: list[tuple[int, str, str]] = []
    for number, key in enumerate(form.keys, 1):
        bare = _PREFIX.sub("", key.lower(), count=1)
        if bare in _PLAIN:
            continue
        kind = {"key": "menu", "digit": "keyed", _VARIABLE: _VARIABLE}.get(bare, "name" if bare in _NAMES else "text")
        found.append((number, key, kind))
    return tuple(found)


class Journal:
    """The ring: segments in one folder, the oldest removed when all together grow past the bound."""

    def __init__(
        self, folder: Path, key: bytes, *, max_bytes: int = 256 * 1024 * 1024, segment_bytes: int | None = None
    ) -> None:
        self._folder = folder
        self._mask = Mask(key)
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes or max(64 * 1024, max_bytes // 16)
        self._pending: list[bytes] = []
        #: the last moment of receipt, and how a block ends that came then
        self._received_at: datetime | None = None
        self._stamp = b""
        self._file: int | None = None
        self._size = 0
        #: frames written, frames lost because the disk took no more
        self.written = self.lost = 0
        self._failing = False
        #: blocks that a segment begins with, asked for whenever one does
        self.opening: Callable[[], Iterable[bytes]] = tuple
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = self.segments()
        self._next = int(known[-1].stem) + 1 if known else 1

    def segments(self) -> list[Path]:
        """Files of the ring, oldest first."""
        return sorted(path for path in self._folder.glob(f"*{SUFFIX}") if path.stem.isdigit())

    def append(self, frame: Frame, received_at: datetime) -> None:
        """Add one believed frame; on disk with the next `flush`."""
        if received_at is not self._received_at:  # what came in one portion has one moment
            self._received_at, self._stamp = received_at, _RECEIVED + received_at.isoformat().encode() + END
        self._pending.append(self._mask.frame(frame) + self._stamp)

    def add(self, block: bytes) -> None:
        """Add one of the recorder's own blocks, in which nothing private is left."""
        self._pending.append(block + END)

    def hide(self, field: str, text: str) -> str:
        """What is written in place of a private value of one of the recorder's own blocks."""
        return self._mask.field(field, text)

    @property
    def added(self) -> int:
        """Blocks added since the start; that many less an earlier reading stand between the two."""
        return self.written + self.lost + len(self._pending)

    def flush(self) -> None:
        """Hand the batch to the operating system. A disk that takes no more costs frames, never a call (F22)."""
        if not self._pending:
            return
        data, count = b"".join(self._pending), len(self._pending)
        self._pending.clear()
        try:
            if self._file is None or self._size + len(data) > self._segment_bytes:
                self._open_next()
            assert self._file is not None
            self._write(self._file, data)
        except OSError as error:
            self.lost += count
            if not self._failing:
                log.warning("journal_not_written", error=str(error))
            self._failing = True
            self.close()
            return
        self._failing = False
        self._size += len(data)
        self.written += count

    @property
    def failing(self) -> bool:
        """Whether the last batch did not reach the disk."""
        return self._failing

    def close(self) -> None:
        """Close the segment; the next flush begins a new one."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def erase_before(self, moment: datetime) -> int:
        """Remove segments last written before the moment (the calls' retention); returns how many.

        The segment in use ends here, so that none holds more than what comes between two calls of this.
        """
        self.close()
        old = [path for path in self.segments() if path.stat().st_mtime < moment.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _open_next(self) -> None:
        self.close()
        path = self._folder / f"{self._next:010d}{SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._next += 1
        self._size = 0
        head = b"".join(block + END for block in self.opening())
        self._write(self._file, head)
        self._size += len(head)
        sizes = [(path, path.stat().st_size) for path in self.segments()]
        total = sum(size for _, size in sizes) + self._segment_bytes
        for path, size in sizes[:-1]:
            if total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size

    @staticmethod
    def _write(file: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
