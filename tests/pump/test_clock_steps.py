"""A clock is set while calls are under way: no duration changes, live or in a replay (P15, F20)."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from cti.ami.frames import Frame
from cti.calls import events as ev
from cti.calls.model import CallRecord
from tests.pump.recording import Put, Service, at_of, captured, differences, ticking

STREAM = list(ticking(captured(["missed_then_answered", "answered", "abandoned"], 2.0)))
#: milliseconds that two ways of rounding may differ by
ROUNDED = 2


async def lived(folder: Path, place: int, *, ours: timedelta, theirs: timedelta) -> Service:
    """The stream with both clocks set before this entry of it, a ping each second."""
    service = Service(folder)
    task = asyncio.create_task(service.pump.run())
    stamps = timedelta(0)
    for number, put in enumerate(STREAM):
        service.now = at_of(put)
        if number == place:
            service.off, stamps = ours, theirs
        _put(service, put, stamps)
        await service.pump.drained()
    assert service.pump.figures().faults == 0
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    service.journal.close()
    return service


def _put(service: Service, put: Put, stamps: timedelta) -> None:
    if isinstance(put, tuple):
        stamp = Frame(put[1]).at
        assert stamp is not None
        moved = b"Timestamp: %.6f" % (stamp + stamps).timestamp()
        service.pump.put_nowait(re.sub(rb"Timestamp: [0-9.]+", moved, put[1]), service.clock())
    else:
        now = service.monotonic()
        service.pump.put_pong(service.now + stamps, now, now)
        service.pump.put_event(ev.Tick(at=service.clock()))


def durations(record: CallRecord) -> dict[str, int | None]:
    """Every length of a call, milliseconds."""
    clocks = {field.name: getattr(record.clocks, field.name) for field in fields(record.clocks)}
    rings = {f"ring {number}": offer.ring_ms for number, offer in enumerate(record.offers)}
    steps = {f"step {number}": _ms(step.at - record.entered_at) for number, step in enumerate(record.path)}
    whole = record.ended_at - record.entered_at if record.ended_at else None
    return {
        **{name: value for name, value in clocks.items() if isinstance(value, int) or value is None},
        **rings,
        **steps,
        "wait": record.wait_ms,
        "talk": record.talk_ms,
        "whole": None if whole is None else _ms(whole),
    }


def _ms(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)


def same(one: CallRecord, calm: CallRecord) -> bool:
    lengths, calmly = durations(one), durations(calm)
    near = all(
        (value is None) == (calmly[name] is None) and abs((value or 0) - (calmly[name] or 0)) <= ROUNDED
        for name, value in lengths.items()
    )
    facts = ("outcome", "end_reason", "unseen", "answered_by", "left_status")
    return near and lengths.keys() == calmly.keys() and all(getattr(one, at) == getattr(calm, at) for at in facts)


@pytest.mark.req("F20", "TL-10", "TL-71")
@pytest.mark.parametrize("by", [timedelta(seconds=40), timedelta(seconds=-40), timedelta(hours=1), timedelta(hours=-1)])
@pytest.mark.parametrize("whose", ["asterisk", "service", "machine"])
async def test_no_duration_depends_on_a_clock_that_is_set(tmp_path: Path, whose: str, by: timedelta) -> None:
    calm = await lived(tmp_path / "calm", -1, ours=timedelta(0), theirs=timedelta(0))
    assert calm.floor.steps == []
    for place in range(3, len(STREAM) - 3, 14):
        folder = tmp_path / str(place)
        moved = {
            "ours": by if whose != "asterisk" else timedelta(0),
            "theirs": by if whose != "service" else timedelta(0),
        }
        service = await lived(folder, place, **moved)
        assert {step.whose for step in service.floor.steps} == (
            {"service", "asterisk"} if whose == "machine" else {whose}
        ), place
        assert all(abs(step.by_ms - _ms(by)) <= ROUNDED for step in service.floor.steps)
        assert service.saved.keys() == calm.saved.keys()
        for call_id, record in service.saved.items():
            assert same(record, calm.saved[call_id]), (place, durations(record), durations(calm.saved[call_id]))
        assert differences(folder, service.saved) == {}, place
