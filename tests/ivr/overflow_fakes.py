"""The ports of overflow made by hand, and a caller who can be recorded."""

from __future__ import annotations

import asyncio
import shlex
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from ivr.overwalk import OverflowPorts
from ivr.ports import Booked, HowRecorded, OpenCallback, SortedOut, Window
from ivr.spool import Spool
from tests.ivr.fakes import NOW, FakeCall

SPEECH, SHORT, SILENCE, NOTHING, BUSY_TONE = "speech", "short", "silence", "nothing", "tone"
#: Seconds and amplitude of what a fake caller says.
SAID = {SPEECH: (4.0, 5000), SHORT: (1.0, 5000), SILENCE: (4.0, 0), NOTHING: (0.0, 0), BUSY_TONE: (4.0, 5000)}

ASAP_WINDOW = Window("asap", "callback-window-asap", NOW, NOW + timedelta(minutes=30))
WINDOWS = (
    ASAP_WINDOW,
    Window("w1", "callback-window-today-afternoon", NOW + timedelta(hours=4), NOW + timedelta(hours=8)),
    Window("w2", "callback-window-tomorrow-morning", NOW + timedelta(hours=23), NOW + timedelta(hours=27)),
)
BOOKED_BEFORE = OpenCallback("cb1", "complaint", NOW - timedelta(minutes=9), "callback-window-asap", priority=3)


def may_dial(number: str) -> bool:
    """Whether it looks like a number that can be called back."""
    return number.isdecimal() and 10 <= len(number) <= 12


@dataclass
class FakeSink:
    """Messages taken in, by file; the number is read only from here."""

    taken: dict[str, dict[str, object]] = field(default_factory=dict)
    #: the number each got
    serials: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None
    gate: asyncio.Event | None = None

    async def take(
        self,
        call_id: str,
        *,
        ani: str,
        dnis: str,
        lang: str,
        queue: str,
        file: str,
        seconds: float,
        how: HowRecorded,
        sorted_out: SortedOut | None,
        serial: str | None,
    ) -> str:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        about = {"call_id": call_id, "ani": ani, "dnis": dnis, "lang": lang, "queue": queue}
        self.taken.setdefault(file, about | {"seconds": seconds, "how": how, "sorted_out": sorted_out})
        return self.serials.setdefault(file, serial or "260310017")


@dataclass
class FakeBook:
    """Callbacks by number."""

    open: dict[str, OpenCallback] = field(default_factory=dict)
    times: Sequence[Window] = WINDOWS
    booked: list[dict[str, object]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    taken_over: list[tuple[str, str]] = field(default_factory=list)
    error: Exception | None = None
    gate: asyncio.Event | None = None

    async def _ready(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error

    async def open_for(self, number: str) -> OpenCallback | None:
        await self._ready()
        return self.open.get(number)

    def may_dial(self, number: str) -> bool:
        return may_dial(number)

    async def windows(self, queue: str, at: datetime) -> Sequence[Window]:
        await self._ready()
        return self.times

    async def book(
        self,
        call_id: str,
        *,
        number: str,
        queue: str,
        window: str,
        lang: str,
        priority: int,
        joined_at: datetime,
    ) -> Booked:
        await self._ready()
        self.booked.append({"call_id": call_id, "number": number, "queue": queue, "window": window, "lang": lang})
        self.booked[-1] |= {"priority": priority, "joined_at": joined_at}
        prompts = {time.id: time.prompt for time in (*self.times, ASAP_WINDOW)}
        return Booked("500000017", prompts[window])

    async def cancel(self, callback_id: str) -> bool:
        await self._ready()
        self.cancelled.append(callback_id)
        return True

    async def take_over(self, callback_id: str, call_id: str) -> bool:
        await self._ready()
        self.taken_over.append((callback_id, call_id))
        return True


@dataclass
class FakeFloor:
    """How busy it is; `since` keeps what was asked."""

    busy: bool = True
    stands: int | None = 2
    wait_s: int | None = 190
    error: Exception | None = None
    since: list[datetime] = field(default_factory=list)

    def all_busy(self, queue: str) -> bool:
        if self.error is not None:
            raise self.error
        return self.busy

    def place(self, queue: str, call_id: str) -> int | None:
        return self.stands

    def place_since(self, queue: str, since: datetime, priority: int) -> int | None:
        self.since.append(since)
        return self.stands

    def expected_wait_s(self, queue: str, place: int | None) -> int | None:
        return self.wait_s


@dataclass
class FakeDisk:
    free: bool = True

    def may_record(self) -> bool:
        return self.free


@dataclass
class FakeAnnouncements:
    prompts: Sequence[str] = ()

    async def current(self, dnis: str) -> Sequence[str]:
        return self.prompts


@dataclass
class Overflowing:
    """All ports of overflow over one spool."""

    folder: Path
    sink: FakeSink = field(default_factory=FakeSink)
    book: FakeBook = field(default_factory=FakeBook)
    floor: FakeFloor = field(default_factory=FakeFloor)
    disk: FakeDisk = field(default_factory=FakeDisk)
    spool: Spool = field(init=False)

    def __post_init__(self) -> None:
        self.spool = Spool(self.folder)

    @property
    def ports(self) -> OverflowPorts:
        return OverflowPorts(self.sink, self.book, self.floor, self.disk, self.spool, lambda: NOW)

    def files(self) -> set[str]:
        """What lies in the spool, without the sounds that MixMonitor would leave."""
        return {path.name for path in self.folder.iterdir()}


def write_wav(path: Path, seconds: float, amplitude: int, *, steady: bool = False) -> None:
    """A hum of this length and loudness, as Asterisk writes it; it rises as no line's tone does, unless `steady`."""
    at = np.arange(round(seconds * 8000)) / 8000
    at = at if steady else at + 0.1 * np.square(at)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((amplitude * np.sin(2 * np.pi * 300 * at)).astype("<i2").tobytes())


@dataclass
class SpeakingCall(FakeCall):
    """A caller who also speaks: `says` names what, take by take; then nothing."""

    says: list[str] = field(default_factory=list)
    #: What Asterisk says of each recording's end.
    ended: str = "dtmf"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.says = list(self.says)

    def answer(self, line: str) -> str:
        match shlex.split(line):
            case ["RECORD", "FILE", path, "wav", "#", _, _]:
                said = self.says.pop(0) if self.says else NOTHING
                seconds, amplitude = SAID[said]
                write_wav(Path(f"{path}.wav"), seconds, amplitude, steady=said == BUSY_TONE)
                self.heard.append("<record>")
                return f"200 result=35 ({self.ended}) endpos={round(seconds * 8000)}"
            case ["STREAM", "FILE", path, escape] if path.startswith("/"):
                assert Path(f"{path}.wav").is_file()
                self.heard.append("<take>")
                return f"200 result={self._broke_in(escape)} endpos=8000"
        return super().answer(line)

    def hung_up_during(self, line: str) -> None:
        """What had been said is in the file when Asterisk closes the connection."""
        if line.startswith("RECORD FILE"):
            self.answer(line)
