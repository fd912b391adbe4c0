"""Which call a fact belongs to, and how a call keeps its facts in order of their own time. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cti.calls import events as ev
from cti.calls.model import Call, Floor, Leg
from cti.calls.twins import displace, is_told

E = TypeVar("E", bound=ev.CallEvent)

#: Facts that prove a living call; the others tell of an end and never open a record (F15).
_OPENING: Final = (
    ev.CallEntered,
    ev.CallRefused,
    ev.IvrStepped,
    ev.CallerIdentified,
    ev.CallRouted,
    ev.RescueTaken,
    ev.RecordingMarked,
    ev.CallerJoined,
    ev.AgentOffered,
    ev.AgentAnswered,
    ev.ChannelOpened,
    ev.BridgeEntered,
)

#: facts about a channel itself, whose name they tell
_OF_CHANNEL: Final = (ev.ChannelOpened, ev.ChannelEnded, ev.BridgeEntered, ev.BridgeLeft)


def facts(call: Call, kind: type[E]) -> list[E]:
    """The call's facts of one kind, oldest first."""
    return call.facts.get(kind, [])  # type: ignore[return-value]


def first(call: Call, kind: type[E]) -> E | None:
    """The oldest fact of one kind."""
    found = facts(call, kind)
    return found[0] if found else None


def last(call: Call, kind: type[E]) -> E | None:
    """The newest fact of one kind."""
    found = facts(call, kind)
    return found[-1] if found else None


def call_of(floor: Floor, event: ev.CallEvent) -> Call | None:
    """The open call of a fact: by our own id, else by the union of channel ids (P8); None = none, parked or stale."""
    call_id = event.call_id or floor.ids.get(event.uniqueid) or floor.ids.get(event.linkedid) or ""
    if not call_id:
        _park(floor, event)
        return None
    if call_id in floor.closed:
        floor.stale += 1
        return None
    call = floor.calls.get(call_id)
    if call is None and isinstance(event, _OPENING):
        call = open_call(floor, call_id)
    elif call is None:
        floor.stale += 1
    return call


def open_call(floor: Floor, call_id: str) -> Call:
    """A new open call; in a gap of the events it is marked from the start (TL-70)."""
    call = Call(call_id=call_id)
    if floor.gap_from is not None:
        call.unseen.add("events")
    floor.calls[call_id] = call
    floor.dirty.add(call_id)
    return call


def latest(fact: ev.CallEvent) -> datetime:
    """The latest moment at which the fact can have happened; `at` itself unless a journal told it."""
    return fact.at + timedelta(milliseconds=fact.within_ms) if fact.within_ms else fact.at


def learn(floor: Floor, call: Call, event: ev.CallEvent) -> bool:
    """Adds the fact to the call, and those parked under its ids; False for one already known.

    What was heard is better than what a journal tells, whichever comes first.
    """
    if event.within_ms and event not in call.seen and is_told(call, event):
        return False
    known = len(call.seen)
    call.seen.add(event)  # looked for and added at once: a fact's hash is one of all its fields
    if len(call.seen) == known:
        return False
    if not event.within_ms and call.read:
        displace(call, event)
    call.read |= event.within_ms > 0
    call.version += 1
    floor.dirty.add(call.call_id)
    _insert(call.facts.setdefault(type(event), []), event)
    _note_leg(call, event)
    if call.lost and all(leg.ended_at is not None for leg in call.legs.values()):
        _found(call)
    for channel_id in (event.uniqueid, event.linkedid, getattr(event, "leg", "")):
        if channel_id and floor.ids.setdefault(channel_id, call.call_id) == call.call_id:
            call.ids.add(channel_id)
            for parked in floor.parked.pop(channel_id, ()):
                learn(floor, call, parked)
    return True


def forget(floor: Floor, call: Call) -> None:
    """Takes a closed call off the floor and remembers its id."""
    del floor.calls[call.call_id]
    floor.dirty.discard(call.call_id)
    for channel_id in call.ids:
        floor.ids.pop(channel_id, None)
    floor.closed[call.call_id] = None
    while len(floor.closed) > floor.settings.closed_kept:
        floor.closed.popitem(last=False)


def _found(call: Call) -> None:
    """The ends a snapshot had missed came after it: Asterisk writes an answer before the events that wait behind it."""
    call.lost, call.lost_at = "", None
    call.unseen.discard("ended_at")


def _insert(known: list[ev.CallEvent], event: ev.CallEvent) -> None:
    """Keeps the list in order of time; equal times in an order that does not depend on arrival."""
    known.append(event)
    if len(known) > 1 and known[-2].at >= event.at:
        known.sort(key=lambda fact: (fact.at, repr(fact)))


def _note_leg(call: Call, event: ev.CallEvent) -> None:
    """A leg exists as soon as any fact names it; its end is final, and the earliest counts."""
    channel = getattr(event, "channel", "")
    own = isinstance(event, _OF_CHANNEL)
    for uniqueid, name in ((event.uniqueid, channel if own else ""), (getattr(event, "leg", ""), channel)):
        if not uniqueid:
            continue
        leg = call.legs.get(uniqueid) or Leg(uniqueid=uniqueid)
        if name and not leg.channel:
            leg = replace(leg, channel=name)
        if isinstance(event, ev.ChannelEnded) and (leg.ended_at is None or event.at < leg.ended_at):
            leg = replace(leg, ended_at=event.at, cause=event.cause)
        call.legs[uniqueid] = leg


def _park(floor: Floor, event: ev.CallEvent) -> None:
    """Keeps an event of an unknown channel until a fact tells whose it is; bounded, the oldest go first."""
    for channel_id in {event.uniqueid, event.linkedid} - {""}:
        waiting = floor.parked.setdefault(channel_id, [])
        if len(waiting) < floor.settings.parked_events:
            waiting.append(event)
    while len(floor.parked) > floor.settings.parked_ids:
        floor.parked.popitem(last=False)
