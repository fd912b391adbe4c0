"""A pump with its flight recorder that lives through captured calls, and what a replay of each call says of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cti import excerpt
from cti.ami.decode import decode
from cti.ami.frames import Frame, Splitter
from cti.ami.replay import replay_bytes
from cti.calls import events as ev
from cti.calls.effects import Effect
from cti.calls.model import CallRecord, Floor, FloorSettings
from cti.calls.reducer import reduce, take_changed
from cti.calls.replay import differing
from cti.calls.restore import restore
from cti.journal import Journal, Mask
from cti.pump import Pump

DATA = Path(__file__).parent.parent / "data" / "ami"
STORIES = (
    "answered",
    "missed_then_answered",
    "abandoned",
    "rejected_then_answered",
    "withheld_number",
    "unanswered_twice",
)
KEY = b"k" * 32
TOKEN = "t" * 32
START = datetime(2026, 11, 23, 2, 13, 28, tzinfo=UTC)
SETTINGS = FloorSettings(target_ms=2_000, short_abandon_ms=60_000, wrap_up_s=3)
MASK = Mask(KEY)

Put = ev.CallEvent | tuple[datetime, bytes]


def captured(names: Sequence[str], apart_s: float) -> list[Put]:
    """Captured calls whose beginnings are moved to `apart_s` after each other, in order of time."""
    made: list[tuple[datetime, int, Put]] = []
    for place, name in enumerate(names):
        raw = (DATA / f"{name}.ami").read_bytes()
        blocks = [b for b in Splitter(banner=raw.startswith(b"Asterisk")).feed(raw) if Frame(b).event]
        first = next(at for at in (Frame(block).at for block in blocks) if at is not None)
        at = START
        for block in blocks:
            if (stamp := Frame(block).at) is None:
                continue
            at = START + timedelta(seconds=place * apart_s) + (stamp - first)
            moved = re.sub(rb"Timestamp: [0-9.]+", b"Timestamp: %.6f" % at.timestamp(), block)
            made.append((at, len(made), (at, re.sub(rb"CTI_TOKEN=[^\r]*", b"CTI_TOKEN=" + TOKEN.encode(), moved))))
    return [put for _, _, put in sorted(made, key=lambda one: one[:2])]


def at_of(put: Put) -> datetime:
    return put[0] if isinstance(put, tuple) else put.at


def ticking(puts: Sequence[Put], after_s: int = 8) -> Iterator[Put]:
    """The stream with the service's own seconds between."""
    due = START
    for put in puts:
        while due <= at_of(put):
            yield ev.Tick(at=due)
            due += timedelta(seconds=1)
        yield put
    for _ in range(after_s):
        yield ev.Tick(at=due)
        due += timedelta(seconds=1)


class Service:
    """A pump with its journal, and what it saved."""

    def __init__(self, folder: Path, saved: dict[str, CallRecord] | None = None, segment_bytes: int = 1 << 20) -> None:
        self.floor = Floor(settings=SETTINGS)
        self.saved = saved if saved is not None else {}
        restore(self.floor, list(self.saved.values()))
        #: time as it goes, and what the service's wall clock is off it
        self.now = START
        self.off = timedelta(0)
        self.journal = Journal(folder, KEY, segment_bytes=segment_bytes)
        self.pump = Pump(
            self.floor,
            token=TOKEN,
            decode=decode,
            reduce=reduce,
            take_changed=take_changed,
            save=self._save,
            perform=self._perform,
            clock=self.clock,
            monotonic=self.monotonic,
            journal=self.journal,
            tick_s=3600.0,
        )

    def clock(self) -> datetime:
        """The service's wall clock."""
        return self.now + self.off

    def monotonic(self) -> float:
        """Seconds since the start, whatever is done to any wall clock."""
        return (self.now - START).total_seconds()

    async def _save(self, records: Sequence[CallRecord]) -> None:
        self.saved |= {record.call_id: record for record in records}

    async def _perform(self, effect: Effect) -> None:
        """Nobody looks."""

    async def live(self, puts: Sequence[Put], at_once: int = 1000) -> None:
        """Takes the stream in portions, and ends."""
        task = asyncio.create_task(self.pump.run())
        for start in range(0, len(puts), at_once):
            for put in puts[start : start + at_once]:
                self.now = at_of(put)
                if isinstance(put, tuple):
                    self.pump.put_nowait(put[1], put[0])
                else:
                    self.pump.put_event(put)
            await self.pump.drained()
        figures = self.pump.figures()
        assert figures.faults == 0, figures
        assert not figures.refused, figures
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self.journal.close()


def differences(folder: Path, saved: dict[str, CallRecord]) -> dict[str, list[tuple[str, object, object]]]:
    """Fields in which a call's excerpt replayed differs from its live record, by call."""
    found: dict[str, list[tuple[str, object, object]]] = {}
    for record in saved.values():
        data = excerpt.take(folder, record.call_id).data
        (again,) = [one for one in replay_bytes(data) if one.call_id == record.call_id]
        if differs := differing(MASK.record(record), again):
            found[record.call_id] = differs
        assert not record.ani or record.ani.encode() not in data
    return found
