"""A fact that was heard on the link and is read in a journal too is one fact, whichever comes first. Pure.

The journals have stamps of their own, so the two are not equal: they are told by what they say and how near they are.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from cti.calls import events as ev
from cti.calls.model import Call

#: how far the stamps of one fact may be apart: whole seconds in one journal, a manager that is behind (default)
_NEAR: Final = timedelta(seconds=2)

#: kinds that a call, or a channel, has once
_ONCE: Final = (ev.CallEntered, ev.CallEnded, ev.ChannelEnded)

#: what two facts of one kind must agree in; a field that one of them leaves empty agrees with everything
_SAYS: Final[dict[type[ev.CallEvent], tuple[str, ...]]] = {
    ev.CallEntered: (),
    ev.CallRefused: ("why",),
    ev.IvrStepped: ("node", "key"),
    ev.CallerIdentified: ("customer", "match"),
    ev.CallRouted: ("queue", "reason"),
    ev.RescueTaken: ("why",),
    ev.RecordingMarked: ("state",),
    ev.QueueLeft: ("queue", "status"),
    ev.Graded: ("grade",),
    ev.CallEnded: ("step",),
    ev.CallerJoined: ("queue",),
    ev.CallerLeft: ("queue",),
    ev.CallerAbandoned: ("queue",),
    ev.AgentOffered: ("interface", "leg"),
    ev.AgentMissed: ("interface", "leg"),
    ev.AgentAnswered: ("interface", "leg"),
    ev.AgentCompleted: ("interface", "leg"),
    ev.ChannelEnded: ("uniqueid",),
}


def is_told(call: Call, fact: ev.CallEvent) -> bool:
    """True when a journal's fact is known already: read before, or heard; each heard fact stands for one read."""
    if fact in call.twins or _leg_is_known(call, fact):
        return True
    taken = set(call.twins.values())
    heard = [known for known in call.facts.get(type(fact), ()) if not known.within_ms and known not in taken]
    twin = _nearest(fact, heard)
    if twin is not None:
        call.twins[fact] = twin
    return twin is not None


def displace(call: Call, fact: ev.CallEvent) -> None:
    """Takes away what a journal told of a fact that is heard now: its own stamp is better."""
    known = call.facts.get(type(fact), [])
    twin = _nearest(fact, [told for told in known if told.within_ms])
    if twin is None:
        return
    known.remove(twin)
    call.seen.discard(twin)
    call.twins[twin] = fact
    leg = call.legs.get(fact.uniqueid)
    if isinstance(fact, ev.ChannelEnded) and leg is not None:
        call.legs[fact.uniqueid] = replace(leg, ended_at=None)


def _leg_is_known(call: Call, fact: ev.CallEvent) -> bool:
    """A channel's end is in its leg, also after a restart, when the fact behind it is gone."""
    leg = call.legs.get(fact.uniqueid)
    return isinstance(fact, ev.ChannelEnded) and leg is not None and leg.ended_at is not None


def _nearest(fact: ev.CallEvent, others: list[ev.CallEvent]) -> ev.CallEvent | None:
    fitting = [other for other in others if _agree(fact, other)]
    return min(fitting, key=lambda other: (abs(other.at - fact.at), repr(other)), default=None)


def _agree(fact: ev.CallEvent, other: ev.CallEvent) -> bool:
    if not isinstance(fact, _ONCE) and abs(fact.at - other.at) > _NEAR:
        return False
    pairs = ((getattr(fact, name), getattr(other, name)) for name in _SAYS.get(type(fact), ()))
    return all(one == another or not one or not another for one, another in pairs)
