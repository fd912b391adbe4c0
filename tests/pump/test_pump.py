"""The pump keeps order, saves once a batch, loses nothing, and lets nobody wait for somebody else's effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cti.ami.frames import Frame
from cti.calls.effects import CompleteCall, CreateDraft, Effect, PopScreen, SecurityEvent
from cti.calls.events import CallEntered, CallEvent, LinkLost, Tick
from cti.calls.model import CallRecord, Floor
from cti.pump import Pump

TOKEN = "a" * 32
NOW = datetime(2026, 11, 23, 2, 13, 28, tzinfo=UTC)
FOREVER = 3600.0


def raw(call_id: str, name: str = "Hangup", token: str = TOKEN) -> bytes:
    return (
        f"Event: {name}\r\nChannel: PJSIP/trunk-1\r\nChannelState: 6\r\nUniqueid: {call_id}.1\r\n"
        f"ChanVariable: CTI_CALL_ID={call_id}\r\nChanVariable: CTI_TOKEN={token}"
    ).encode()


class World:
    """Fakes of everything the pump talks to, in the shapes of the real ones."""

    def __init__(self) -> None:
        self.reduced: list[CallEvent] = []
        self.effects: dict[type[CallEvent], Callable[[CallEvent], Sequence[Effect]]] = {}
        self.versions: dict[str, int] = {}
        self.changed: set[str] = set()
        self.saves: list[list[CallRecord]] = []
        self.failures = 0
        self.save_gate = asyncio.Event()
        self.save_gate.set()
        self.done: list[Effect] = []
        self.held: dict[str, asyncio.Event] = {}
        self.gaps: list[str] = []
        self.active = True
        self.news = asyncio.Event()

    def decode(self, frame: Frame, received_at: datetime | None) -> CallEvent | None:
        assert received_at is not None
        if frame.event == "Broken":
            raise ValueError("a frame nobody expected")
        return CallEntered(at=received_at, call_id=frame.call_id) if frame.event == "Hangup" else None

    def reduce(self, _floor: Floor, event: CallEvent) -> Sequence[Effect]:
        self.reduced.append(event)
        self.news.set()
        if event.call_id == "broken":
            raise ValueError("a defect")
        if event.call_id:
            self.versions[event.call_id] = self.versions.get(event.call_id, 0) + 1
            self.changed.add(event.call_id)
        made = self.effects.get(type(event))
        return made(event) if made is not None else ()

    def take_changed(self, _floor: Floor) -> Sequence[CallRecord]:
        made = [CallRecord(call_id=one, entered_at=NOW, version=self.versions[one]) for one in sorted(self.changed)]
        self.changed.clear()
        return made

    async def save(self, records: Sequence[CallRecord]) -> None:
        await self.save_gate.wait()
        if self.failures:
            self.failures -= 1
            self.news.set()
            raise OSError("disk full")
        self.saves.append(list(records))

    async def perform(self, effect: Effect) -> None:
        gate = self.held.get(getattr(effect, "call_id", ""))
        if gate is not None:
            await gate.wait()
        self.done.append(effect)
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()

    def pump(self, **changes: object) -> Pump:
        given: dict[str, object] = {"tick_s": FOREVER, "retry_first_s": 0.001, "retry_most_s": 0.01}
        given["take_changed"] = self.take_changed
        return Pump(
            Floor(),
            token=TOKEN,
            decode=self.decode,
            reduce=self.reduce,
            save=self.save,
            perform=self.perform,
            clock=lambda: NOW,
            monotonic=lambda: 0.0,
            may_act=lambda: self.active,
            on_gap=self.gaps.append,
            **(given | changes),  # type: ignore[arg-type]
        )


@asynccontextmanager
async def running(pump: Pump) -> AsyncIterator[Pump]:
    task = asyncio.create_task(pump.run())
    try:
        yield pump
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def world() -> World:
    return World()


def entered(call_id: str) -> CallEntered:
    return CallEntered(at=NOW, call_id=call_id)


def draft(event: CallEvent) -> Sequence[Effect]:
    return [CreateDraft(call_id=event.call_id, agent="1001", answered_at=NOW)]


def pop(event: CallEvent) -> Sequence[Effect]:
    return [PopScreen(call_id=event.call_id, agent=f"1{event.call_id}", offered_at=NOW, event_at=NOW)]


async def test_frames_and_facts_keep_their_order(world: World) -> None:
    pump = world.pump()
    pump.put_nowait(raw("1"), NOW)
    pump.put_event(LinkLost(at=NOW))
    pump.put_nowait(raw("2"), NOW)
    async with running(pump):
        await pump.drained()
    assert [event.call_id for event in world.reduced] == ["1", "", "2"]


async def test_a_batch_is_one_save_with_the_newest_record_of_each_call(world: World) -> None:
    pump = world.pump()
    for number in range(300):
        pump.put_nowait(raw(str(number % 10)), NOW)
    async with running(pump):
        await pump.drained()
    assert len(world.saves) <= 2
    assert {record.version for record in world.saves[-1]} == {30}
    assert pump.figures().saved == sum(len(save) for save in world.saves)


async def test_a_record_is_made_as_often_as_it_is_written(world: World) -> None:
    """Not once a batch: while the disk takes its time, facts change the call and nobody asks what it amounts to."""
    world.effects[CallEntered] = draft
    world.save_gate.clear()
    asked: list[int] = []

    def take_changed(floor: Floor) -> Sequence[CallRecord]:
        asked.append(len(world.reduced))
        return world.take_changed(floor)

    pump = world.pump(take_changed=take_changed, batch=1)
    async with running(pump):
        for _ in range(10):
            pump.put_event(entered("1"))
        await world.until(lambda: len(world.reduced) == 10)
        world.save_gate.set()
        await pump.drained()
    assert len(asked) <= 3, asked
    assert [record.version for record in world.saves[-1]] == [10]


async def test_what_shows_goes_out_while_the_disk_is_slow_and_what_counts_waits(world: World) -> None:
    world.effects[CallEntered] = lambda event: [*pop(event), *draft(event)]
    world.save_gate.clear()
    pump = world.pump()
    async with running(pump):
        pump.put_event(entered("1"))
        await world.until(lambda: bool(world.done))
        assert [type(effect) for effect in world.done] == [PopScreen]
        assert pump.figures().unsaved == 1
        world.save_gate.set()
        await pump.drained()
    assert [type(effect) for effect in world.done] == [PopScreen, CreateDraft]


async def test_a_failing_disk_loses_no_record_and_stops_no_pop(world: World) -> None:
    world.effects[CallEntered] = lambda event: [*pop(event), *draft(event)]
    world.failures = 5
    pump = world.pump()
    async with running(pump):
        for number in range(20):
            pump.put_event(entered(str(number)))
            await world.until(lambda seen=number: len(world.reduced) > seen)  # type: ignore[misc]
        await pump.drained()
    assert {record.call_id for save in world.saves for record in save} == {str(number) for number in range(20)}
    assert pump.figures().save_failures == 5
    assert sum(isinstance(effect, CreateDraft) for effect in world.done) == 20


async def test_a_newer_record_wins_over_the_one_whose_save_failed(world: World) -> None:
    world.failures = 1
    world.save_gate.clear()
    pump = world.pump()
    async with running(pump):
        pump.put_event(entered("1"))
        await world.until(lambda: len(world.reduced) == 1)
        pump.put_event(entered("1"))
        await world.until(lambda: len(world.reduced) == 2)
        world.save_gate.set()
        await pump.drained()
    assert [[record.version for record in save] for save in world.saves] == [[2]]


async def test_a_slow_effect_holds_its_own_call_only(world: World) -> None:
    world.effects[CallEntered] = draft
    world.held["1"] = asyncio.Event()
    pump = world.pump()
    async with running(pump):
        for call_id in ("1", "2", "3"):
            pump.put_event(entered(call_id))
        await world.until(lambda: len(world.done) == 2)
        assert [effect.call_id for effect in world.done if isinstance(effect, CreateDraft)] == ["2", "3"]
        world.held["1"].set()
        await pump.drained()


async def test_refused_frames_change_nothing_and_are_told_once_a_batch(world: World) -> None:
    pump = world.pump()
    for _ in range(50):
        pump.put_nowait(raw("1", token="b" * 32), NOW)
    pump.put_nowait(raw("1"), NOW)  # may be the end of a frame that was cut: it is not believed either
    pump.put_nowait(raw("2"), NOW)
    async with running(pump):
        await pump.drained()
    assert [event.call_id for event in world.reduced] == ["2"]
    events = [effect for effect in world.done if isinstance(effect, SecurityEvent)]
    assert [event.why for event in events] == ["ami_token_wrong", "ami_after_a_refused_frame", "ami_token_wrong"]
    assert events[2].detail == "50 frames"
    assert pump.figures().refused == {"token_wrong": 50, "after_a_refused_frame": 1}


async def test_an_overflow_is_counted_and_asks_for_a_resync(world: World) -> None:
    pump = world.pump(capacity=10)
    for number in range(25):
        pump.put_nowait(raw(str(number)), NOW)
    async with running(pump):
        await pump.drained()
        figures = pump.figures()
        assert (figures.frames, figures.overflowed, figures.resync_needed) == (10, 15, True)
        assert world.gaps == ["overflow"]
        assert [event for event in world.reduced if isinstance(event, LinkLost)] == [LinkLost(at=NOW, why="overflow")]
        pump.resync_done()
        assert not pump.figures().resync_needed


async def test_time_is_an_event_too(world: World) -> None:
    pump = world.pump(tick_s=0.001)
    async with running(pump):
        await world.until(lambda: len(world.reduced) >= 3)
    assert world.reduced[0] == Tick(at=NOW)


async def test_a_defect_in_one_frame_or_fact_does_not_stop_the_floor(world: World) -> None:
    pump = world.pump()
    pump.put_nowait(raw("1", "Broken"), NOW)
    pump.put_event(entered("broken"))
    pump.put_nowait(raw("2"), NOW)
    async with running(pump):
        await pump.drained()
    assert world.reduced[-1].call_id == "2"
    assert pump.figures().faults == 2


async def test_a_process_without_the_lease_shows_and_acts_when_it_has_it_again(world: World) -> None:
    world.effects[CallEntered] = lambda event: [*pop(event), *draft(event)]
    world.active = False
    pump = world.pump()
    async with running(pump):
        pump.put_event(entered("1"))
        await world.until(lambda: bool(world.done))
        assert [type(effect) for effect in world.done] == [PopScreen]
        world.active = True
        await pump.drained()
    assert [type(effect) for effect in world.done] == [PopScreen, CreateDraft]


async def test_stopping_saves_what_is_known(world: World) -> None:
    record = CallRecord(call_id="1", entered_at=NOW, version=1)
    world.effects[CallEntered] = lambda _: [CompleteCall(call_id="1", record=replace(record))]
    world.failures = 1
    pump = world.pump(retry_first_s=FOREVER)
    async with running(pump):
        pump.put_event(entered("1"))
        await world.until(lambda: world.failures == 0)
    assert [[one.call_id for one in save] for save in world.saves] == [["1"]]
    assert [type(effect) for effect in world.done] == [CompleteCall]


async def test_a_flurry_of_events_is_one_save_and_an_effect_that_waits_for_it_hurries_it(world: World) -> None:
    """A call's twenty events are not twenty transactions; nobody waits an hour for a draft (TL-32)."""
    async with running(world.pump(gather_s=FOREVER)) as pump:
        for version in range(1, 6):  # each reduced by itself, as they come in an idle centre
            pump.put_event(entered("1"))
            await world.until(lambda wanted=version: len(world.reduced) == wanted)  # type: ignore[misc]
            await asyncio.sleep(0)
        assert world.saves == []
        world.effects[CallEntered] = draft
        pump.put_event(entered("2"))
        await world.until(lambda: any(isinstance(effect, CreateDraft) for effect in world.done))
        assert [[record.call_id for record in batch] for batch in world.saves] == [["1", "2"]]
        assert world.saves[0][0].version == 5
        world.effects.clear()
        pump.put_event(entered("3"))
        await pump.drained()  # whoever waits for everything does not wait for more to come
        assert [[record.call_id for record in batch] for batch in world.saves] == [["1", "2"], ["3"]]
