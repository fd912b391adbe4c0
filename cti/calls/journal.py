"""What Asterisk's journals tell, taken into the calls it is about (TL-70, F01). Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cti.calls import events as ev
from cti.calls.facts import call_of, facts, learn
from cti.calls.model import Call, Floor


def take(floor: Floor, event: ev.JournalRead) -> list[Call]:
    """Learns what is new of it; the calls concerned, in the order of the journal. Those that are closed stay so.

    A call that owes a fact to a journal is marked: not everything about it was heard (members, for one, stand in none).
    """
    changed: dict[str, Call] = {}
    for fact in event.facts:
        call = call_of(floor, fact)
        if call is None or not learn(floor, call, _in_queue(call, fact)):
            continue
        call.ticks = 0
        call.unseen.add("events")
        changed[call.call_id] = call
    floor.read_to.update({name: (inode, read) for name, inode, read in event.read_to})
    return list(changed.values())


def _in_queue(call: Call, fact: ev.CallEvent) -> ev.CallEvent:
    """The birth of an agent's channel does not say for which queue: it is the one the caller stands in."""
    if not isinstance(fact, ev.AgentOffered) or fact.queue:
        return fact
    return replace(fact, queue=_queue_at(call, fact.at))


def _queue_at(call: Call, at: datetime) -> str:
    joins = facts(call, ev.CallerJoined)
    before = [join.queue for join in joins if join.at <= at]
    return before[-1] if before else next((join.queue for join in joins), "")
