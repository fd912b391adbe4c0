"""One bounded queue from the link to the effects: guard, decode, reduce, journal, one save a batch, effects in order.

Effects that only show something go out at once; those that must not run ahead of the record wait until it is saved.
Each call and each agent has its own ordered lane, so a slow effect never holds another call.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final

import structlog

from cti.ami.frames import Frame
from cti.ami.guard import Guard, Why, describe
from cti.calls.effects import (
    AgentPhase,
    AlertLate,
    Effect,
    NoteClockStep,
    PopScreen,
    PrefetchCustomer,
    RetractPop,
    SecurityEvent,
)
from cti.calls.events import CallEvent, ClockStepped, LinkLost, Tick
from cti.calls.model import CallRecord, Floor
from cti.journal import Journal
from cti.lanes import Lanes
from cti.recorder import Recorder
from cti.wallclocks import Pong, WallClocks

log = structlog.get_logger(__name__)

#: seconds between two looks whether what was put is on the floor
_LOOKS_S: Final = 0.002
#: effects that need not wait for the disk
AT_ONCE: Final = (PrefetchCustomer, PopScreen, RetractPop, AlertLate, AgentPhase, NoteClockStep, SecurityEvent)
#: effects that are worth nothing later: tried once
_SHOWN: Final = (PrefetchCustomer, PopScreen, RetractPop, AlertLate)
#: refusals that an honest Asterisk cannot cause
_HOSTILE: Final = frozenset(Why) - {Why.UNLISTED}

Save = Callable[[Sequence[CallRecord]], Awaitable[None]]
Perform = Callable[[Effect], Awaitable[None]]
Decode = Callable[[Frame, datetime | None], CallEvent | None]
Reduce = Callable[[Floor, CallEvent], Sequence[Effect]]
TakeChanged = Callable[[Floor], Sequence[CallRecord]]


class NotTheHolder(Exception):
    """Another service acts now, or ours could not prolong its lease: the effect is tried again for some seconds."""


@dataclass(frozen=True, slots=True)
class PumpFigures:
    """Counts since the start and depths now."""

    frames: int
    #: frames the guard refused, by reason
    refused: dict[str, int]
    #: frames thrown away because the queue was full
    overflowed: int
    events: int
    batches: int
    #: events whose reducing raised: a defect, the event is in the journal
    faults: int
    waiting: int
    #: milliseconds between receipt and handling of the oldest frame of the latest batch
    lag_ms: float
    #: records saved, save attempts that failed, records waiting for the disk
    saved: int
    save_failures: int
    unsaved: int
    #: True since a save failed, until the next one succeeds
    saving_fails: bool
    effects_done: int
    effects_failed: int
    effects_waiting: int
    #: True from an overflow until the next snapshot was asked for
    resync_needed: bool


#: a frame with the moment of receipt on both clocks
_Heard = tuple[bytes, datetime, float]


class Pump:
    """Takes frames from the link and facts from elsewhere; runs as one task of the composition root."""

    def __init__(
        self,
        floor: Floor,
        *,
        token: str,
        decode: Decode,
        reduce: Reduce,
        take_changed: TakeChanged,
        save: Save,
        perform: Perform,
        clock: Callable[[], datetime],
        journal: Journal | None = None,
        batch: int = 200,
        tick_s: float = 1.0,
        capacity: int = 50_000,
        may_act: Callable[[], bool] = lambda: True,
        on_gap: Callable[[str], None] | None = None,
        on_step: Callable[[ClockStepped], None] | None = None,
        monotonic: Callable[[], float] = monotonic,
        gather_s: float = 0.05,
        needs: Callable[[bytes], bool] = lambda raw: True,
        retry_first_s: float = 0.2,
        retry_most_s: float = 5.0,
    ) -> None:
        self.floor = floor
        self._guard, self._needs = Guard(token), needs
        self._decode, self._reduce, self._take_changed = decode, reduce, take_changed
        self._save = save
        self._clock = clock
        self._recorder = Recorder(journal, floor, clock) if journal is not None else None
        self._batch, self._tick_s, self._capacity = batch, tick_s, capacity
        self._may_act = may_act
        self._on_gap = on_gap
        self._clocks = WallClocks(clock, monotonic, on_step)
        self._gather_s = gather_s
        self._retry = (retry_first_s, retry_most_s)
        self._queue: deque[_Heard | Pong | CallEvent] = deque()
        self._arrived = asyncio.Event()
        self._to_save, self._at_once = asyncio.Event(), asyncio.Event()
        #: facts came since changed records were last taken from the floor
        self._changed = False
        #: records that could not be saved yet
        self._records: dict[str, CallRecord] = {}
        self._durable: list[Effect] = []
        self._saving = 0
        self._lanes = Lanes(self._fenced(perform), _lane, keep_trying=lambda effect: not isinstance(effect, _SHOWN))
        self._frames = self._overflowed = self._events = self._batches = self._faults = 0
        self._saved = self._save_failures = 0
        self._saving_fails = False
        self._lag_ms = 0.0
        self.resync_needed = False
        self._reported: Counter[Why] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()

    def put_nowait(self, raw: bytes, received_at: datetime) -> None:
        """Take one frame from the link; never waits. A full queue drops it, counts it and asks for a resync (F03)."""
        if len(self._queue) >= self._capacity:
            self._overflowed += 1
            if not self.resync_needed:
                self.resync_needed = True
                self._queue.append(LinkLost(at=received_at, why="overflow"))
                if self._on_gap is not None:
                    self._on_gap("overflow")
            return
        if not self._queue:  # else the pump knows that there is something
            self._wake()
        self._queue.append((raw, received_at, self._clocks.monotonic()))

    def put_pong(self, stamp: datetime, asked: float, answered: float) -> None:
        """Take Asterisk's clock as an answer to a ping showed it; moments of the monotonic clock."""
        self._queue.append(Pong(stamp, asked, answered))
        self._wake()

    def put_event(self, event: CallEvent) -> None:
        """Take one fact that did not come as a frame: ticks, link, snapshots, the desk's word. Never dropped."""
        self._queue.append(event)
        self._wake()

    def resync_done(self) -> None:
        """A snapshot was taken after an overflow."""
        self.resync_needed = False

    def put_security(self, why: str, detail: str) -> None:
        """Pass on what the link refused."""
        self._lanes.put(SecurityEvent(why=why, detail=detail))

    def figures(self) -> PumpFigures:
        """Counts and depths now."""
        lanes = self._lanes
        return PumpFigures(
            frames=self._frames,
            refused={why.value: count for why, count in self._guard.refused.items()},
            overflowed=self._overflowed,
            events=self._events,
            batches=self._batches,
            faults=self._faults,
            waiting=len(self._queue),
            lag_ms=self._lag_ms,
            saved=self._saved,
            save_failures=self._save_failures,
            unsaved=len(self._records.keys() | self.floor.dirty) + len(self.floor.done) + self._saving,
            saving_fails=self._saving_fails,
            effects_done=lanes.done,
            effects_failed=lanes.failed,
            effects_waiting=lanes.waiting + len(self._durable),
            resync_needed=self.resync_needed,
        )

    async def run(self) -> None:
        """Work until cancelled. On the way out, what is known is saved once more and effects under way are ended."""
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(self._tick()), group.create_task(self._save_all())]
            try:
                while True:
                    await self._arrived.wait()
                    self._arrived.clear()
                    while self._queue:
                        self._handle_batch()
                        # let the link, the saver and the lanes have their turn
                        await asyncio.sleep(0)
                    self._settle_idle()
            finally:
                for helper in helpers:
                    helper.cancel()
                await self._last_save()
                await self._lanes.close()
                if self._recorder is not None:
                    self._recorder.flush()

    async def drained(self) -> None:
        """Wait until everything put so far was reduced, saved and carried out."""
        self._at_once.set()
        while True:
            await self._idle.wait()
            await self._lanes.idle()
            if self._idle.is_set() and not self._lanes.waiting:
                return

    async def reduced(self) -> None:
        """Wait until everything put so far is on the floor; what is to be saved and done about it may take longer."""
        while True:  # asked rarely: an event would cost every frame
            if not self._queue:
                return
            await asyncio.sleep(_LOOKS_S)

    def _wake(self) -> None:
        self._idle.clear()
        self._arrived.set()

    def _settle_idle(self) -> None:
        if not (self._queue or self._changed or self._records or self._durable or self._saving):
            self._idle.set()

    def _handle_batch(self) -> None:
        queue = self._queue
        taken = [queue.popleft() for _ in range(min(self._batch, len(queue)))]
        first = next((one for one in taken if isinstance(one, tuple)), None)
        if first is not None:
            self._lag_ms = max(0.0, (self._clock() - first[1]).total_seconds() * 1000)
        events = list(self._facts(taken))
        if self._recorder is not None:  # before anything is made of it: what follows may be a defect
            self._recorder.flush()
        self._batches += 1
        self._events += len(events)
        effects: list[Effect] = []
        for event, mark in events:
            try:
                made = self._reduce(self.floor, event)
            except Exception:
                self._faults += 1
                log.exception("reducer_failed", fact=type(event).__name__, call_id=event.call_id)
                continue
            if made:
                effects += made
                if self._recorder is not None:
                    self._recorder.effects(made, mark)
        self._lanes.put_all(effect for effect in effects if isinstance(effect, AT_ONCE))
        self._durable += [effect for effect in effects if not isinstance(effect, AT_ONCE)]
        if events:  # what of it must be saved is asked when it is: a call's record is made as often as it is written
            self._changed = True
            self._to_save.set()
        if self._durable:
            self._at_once.set()
        self._report_refused()

    def _facts(self, taken: Sequence[_Heard | Pong | CallEvent]) -> Iterable[tuple[CallEvent, int]]:
        """The facts of a batch, each with its mark in the journal; their moments are on our clock (P15)."""
        yield from map(self._noted, self._clocks.look())
        for one in taken:
            if isinstance(one, Pong):
                yield from map(self._noted, self._clocks.pong(one))
            elif isinstance(one, tuple):
                self._frames += 1
                if not self._guard.unread(one[0]):
                    yield from self._heard(*one)
            else:
                if isinstance(one, LinkLost):
                    self._guard.start_over()
                yield self._noted(self._clocks.of_journal(one), alone=len(taken) == 1)

    def _noted(self, event: CallEvent, *, alone: bool = False) -> tuple[CallEvent, int]:
        """A fact that no frame told, with its mark."""
        return event, self._recorder.fact(event, alone=alone) if self._recorder is not None else 0

    def _heard(self, raw: bytes, received_at: datetime, came: float) -> Iterable[tuple[CallEvent, int]]:
        """The fact of a frame that is believed."""
        recorder, mark = self._recorder, 0
        frame = Frame(raw)
        verdict = self._guard.check(frame)
        if not verdict.accept:
            self._note_refused(verdict.why, frame)
            return
        if not self._needs(raw):
            self._guard.learn(raw)
        stamp = frame.at
        if stamp is not None:
            for told in self._clocks.heard(stamp, came):
                yield self._noted(told)
        try:
            if recorder is not None:
                mark = recorder.frame(frame, received_at)
            event = self._decode(frame, received_at)
        except Exception:
            self._faults += 1
            log.exception("decoder_failed", event_name=frame.event)
            return
        if event is not None:
            if stamp is not None:
                event = self._clocks.ours(event)
            if recorder is not None:
                recorder.told(event)
            yield event, mark

    def _note_refused(self, why: Why | None, frame: Frame) -> None:
        if why in _HOSTILE and not self._reported[why]:
            self._lanes.put(SecurityEvent(why=f"ami_{why}", detail=describe(frame)))
        if why is not None:
            self._reported[why] += 1

    def _report_refused(self) -> None:
        """One security event a reason and batch; the rest of a flood is told as a number."""
        for why, count in self._reported.items():
            if why in _HOSTILE and count > 1:
                self._lanes.put(SecurityEvent(why=f"ami_{why}", detail=f"{count} frames"))
        self._reported.clear()

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._tick_s, loop.time())
            await asyncio.sleep(due - loop.time())
            self.put_event(Tick(at=self._clock()))

    async def _save_all(self) -> None:
        """Save what changed, one transaction at a time; what cannot be saved now is kept and tried again (F09).

        A call's events come in flurries: while no effect waits for the disk, records are gathered for a moment, so that
        a call is written four times and not twenty.
        """
        first, most = self._retry
        pause = first
        while True:
            await self._to_save.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._gather_s):
                    await self._at_once.wait()
            self._to_save.clear()
            self._at_once.clear()
            if await self._save_once():
                pause = first
                self._settle_idle()
            else:
                await asyncio.sleep(pause)
                pause = min(most, pause * 2)
                self._to_save.set()

    def _take(self) -> None:
        """The records of calls that changed, as they are now."""
        self._changed = False
        for record in self._take_changed(self.floor):
            known = self._records.get(record.call_id)
            if known is None or record.version >= known.version:
                self._records[record.call_id] = record

    async def _save_once(self) -> bool:
        self._take()
        records, durable = self._records, self._durable
        self._records, self._durable = {}, []
        self._saving = len(records)
        try:
            if records:
                await self._save(list(records.values()))
        except BaseException as error:
            # newer records of the same calls have come meanwhile: they win
            self._records = records | self._records
            self._durable = durable + self._durable
            if not isinstance(error, Exception):
                raise
            self._save_failures += 1
            self._saving_fails = True
            log.warning("calls_not_saved", records=len(records), error=str(error))
            return False
        finally:
            self._saving = 0
        self._saved += len(records)
        self._saving_fails = False
        self._lanes.put_all(durable)
        return True

    async def _last_save(self) -> None:
        if self._changed or self._records or self._durable:
            await asyncio.shield(self._save_once())

    def _fenced(self, perform: Perform) -> Perform:
        async def fenced(effect: Effect) -> None:
            if not isinstance(effect, AT_ONCE) and not self._may_act():
                raise NotTheHolder
            await perform(effect)

        return fenced


def _lane(effect: Effect) -> str:
    """Whose order the effect must keep: what an agent sees is ordered by agent, the rest by call."""
    if isinstance(effect, SecurityEvent):
        return "security"
    agent = getattr(effect, "agent", "")
    if isinstance(effect, AT_ONCE) and agent:
        return f"agent {agent}"
    call_id = getattr(effect, "call_id", "")
    return f"call {call_id}" if call_id else f"act {agent}"
