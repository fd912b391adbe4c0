"""The service's own clock is set: the floor goes with it (F20). Pure.

All moments of the floor move by as much as the clock did, so what lies between them stays what it was, and `now` and
the floor are of one time. Calls that are over keep the moments that were written.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from cti.calls import events as ev
from cti.calls.effects import Effect, NoteClockStep
from cti.calls.model import Call, Floor

E = TypeVar("E", bound=ev.CallEvent)

#: steps remembered (default)
_KEPT = 50


def step(floor: Floor, event: ev.ClockStepped) -> list[Effect]:
    """Notes that a clock was set; if it was ours, everything on the floor is moved."""
    floor.steps.append(event)
    del floor.steps[:-_KEPT]
    if event.whose == ev.OUR_CLOCK:
        _move(floor, timedelta(milliseconds=event.by_ms))
        floor.latest_at = event.at
    return [NoteClockStep(at=event.at, whose=event.whose, by_ms=event.by_ms)]


def _move(floor: Floor, by: timedelta) -> None:
    for call in floor.calls.values():
        _move_call(call, by)
        call.version += 1
        floor.dirty.add(call.call_id)
    for channel_id, events in floor.parked.items():
        floor.parked[channel_id] = [_later(event, by) for event in events]
    for member in floor.members.values():
        member.changed_at += by
        for stretch in member.idle:
            stretch.start += by
            stretch.end = _moved(stretch.end, by)
    for key in floor.removed:
        floor.removed[key] += by
    for agent in floor.agents.values():
        agent.since += by
        agent.changed_at += by
        agent.wrap_up_until = _moved(agent.wrap_up_until, by)
    floor.gap_from = _moved(floor.gap_from, by)


def _move_call(call: Call, by: timedelta) -> None:
    call.facts = {kind: [_later(fact, by) for fact in known] for kind, known in call.facts.items()}
    call.seen = {_later(fact, by) for fact in call.seen}
    call.twins = {_later(told, by): _later(heard, by) for told, heard in call.twins.items()}
    call.legs = {key: replace(leg, ended_at=_moved(leg.ended_at, by)) for key, leg in call.legs.items()}
    call.missed = {(interface, at + by) for interface, at in call.missed}
    call.answered = {(interface, at + by) for interface, at in call.answered}
    call.idle_from = _moved(call.idle_from, by)
    call.lost_at = _moved(call.lost_at, by)


def _later(event: E, by: timedelta) -> E:
    return replace(event, at=event.at + by)


def _moved(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at + by
