"""What a call's facts amount to: offers, stays, clocks, outcome. Pure.

Nothing here depends on the order in which facts came, only on their own times (F15).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cti.calls import events as ev
from cti.calls.clocks import clocks
from cti.calls.facts import facts, first, last, latest
from cti.calls.model import (
    Call,
    CallRecord,
    FloorSettings,
    Offer,
    OfferResult,
    Outcome,
    Stay,
    Step,
    milliseconds,
)

E = TypeVar("E", bound=ev.CallEvent)
_OfRing = TypeVar("_OfRing", ev.AgentMissed, ev.AgentAnswered, ev.AgentCompleted)

#: QUEUESTATUS words that mean the caller was turned away, and how we call it (P17)
REFUSALS: Final = {
    "FULL": "full",
    "JOINEMPTY": "empty",
    "LEAVEEMPTY": "empty",
    "JOINUNAVAIL": "empty",
    "LEAVEUNAVAIL": "empty",
}
#: words of the recording state and of the last step that stand for what the caller chose instead of waiting (TL-12)
LEFT_RECORDING: Final = frozenset({"recorded", "left_recording"})
BOOKED: Final = frozenset({"booked", "booked_callback"})
#: last steps at which the dialplan itself let a waiting caller go
FAILED: Final = frozenset({"unanswered"})
#: last steps that only who asked for a person can reach
_ASKED_STEPS: Final = frozenset({"queue", "unanswered", "talked"})

#: an offer that rings out in the moment the caller's own time in the queue is over was cut short, not missed
_CROSSING: Final = timedelta(milliseconds=200)

#: which time of the record a fact of each kind stands for
_TIMES: Final[dict[type[ev.CallEvent], tuple[str, ...]]] = {
    ev.CallEntered: ("entered_at",),
    ev.IvrStepped: ("path",),
    ev.CallRouted: ("asked_at",),
    ev.RescueTaken: ("asked_at",),
    ev.CallerJoined: ("joined_at",),
    ev.CallerLeft: ("left_at",),
    ev.CallerAbandoned: ("left_at",),
    ev.QueueLeft: ("left_at",),
    ev.AgentOffered: ("offered_at",),
    ev.AgentMissed: ("missed_at",),
    ev.AgentAnswered: ("answered_at", "left_at"),
    ev.AgentCompleted: ("talk_ended_at",),
    ev.ChannelEnded: ("legs",),
}


def ended_at(call: Call) -> datetime | None:
    """End of the last leg, or the moment a snapshot did not find the call; None while a leg lives."""
    ends = [leg.ended_at for leg in call.legs.values()]
    if ends and None not in ends:
        return max(end for end in ends if end is not None)
    return call.lost_at


def offers_of(call: Call) -> tuple[Offer, ...]:
    """Every ring of an agent's phone for this caller, oldest first, each with its result."""
    rings = _rings(call)
    return tuple(_offer(call, ring, _next_ring(rings, at)) for at, ring in enumerate(rings))


def _rings(call: Call) -> list[ev.AgentOffered]:
    """The offers that were seen, and those proven by an answer or a miss alone."""
    rings = list(facts(call, ev.AgentOffered))
    for answer in facts(call, ev.AgentAnswered):
        if not any(_same(ring, answer) and ring.at <= latest(answer) for ring in rings):
            rings.append(_ring_from(answer, answer.at))
    for miss in facts(call, ev.AgentMissed):
        if not any(_same(ring, miss) and ring.at <= latest(miss) for ring in rings):
            rings.append(_ring_from(miss, miss.at - timedelta(milliseconds=miss.ring_ms)))
    if len(rings) < 2:
        return rings
    once = {(ring.at, ring.interface): ring for ring in rings}
    return [once[key] for key in sorted(once)]


def _ring_from(proof: ev.AgentAnswered | ev.AgentMissed, at: datetime) -> ev.AgentOffered:
    return ev.AgentOffered(
        at=at, call_id=proof.call_id, queue=proof.queue, interface=proof.interface, agent=proof.agent, leg=proof.leg
    )


def _same(ring: ev.AgentOffered, other: ev.AgentMissed | ev.AgentAnswered | ev.AgentCompleted) -> bool:
    """True when the fact is about this ring's phone, and its leg if both name one (P9)."""
    return ring.interface == other.interface and (not ring.leg or not other.leg or ring.leg == other.leg)


def _next_ring(rings: list[ev.AgentOffered], at: int) -> datetime | None:
    """When the same phone rang again for this caller."""
    return next((ring.at for ring in rings[at + 1 :] if ring.interface == rings[at].interface), None)


def _offer(call: Call, ring: ev.AgentOffered, again_at: datetime | None) -> Offer:
    answer = _own(call, ev.AgentAnswered, ring, again_at)
    miss = _own(call, ev.AgentMissed, ring, again_at)
    if answer is not None:
        done = _own(call, ev.AgentCompleted, ring, again_at)
        result, end = OfferResult.ANSWERED, done.at if done else _leg_end(call, ring.leg) or ended_at(call)
    elif miss is not None:
        left = any(_cross(fact, miss) for fact in facts(call, ev.CallerAbandoned))
        result, end = OfferResult.WITHDRAWN if left else OfferResult.MISSED, miss.at
    else:
        end = _withdrawn_at(call, ring, again_at)
        result = OfferResult.OFFERED if end is None else OfferResult.WITHDRAWN
    return Offer(
        agent=ring.agent,
        interface=ring.interface,
        queue=ring.queue,
        at=ring.at,
        answered_at=answer.at if answer else None,
        ended_at=end,
        result=result,
        leg=ring.leg or (answer.leg if answer else ""),
    )


def _own(call: Call, kind: type[_OfRing], ring: ev.AgentOffered, again_at: datetime | None) -> _OfRing | None:
    """The first fact of a kind that is about this ring."""
    for fact in facts(call, kind):
        if _same(ring, fact) and ring.at <= latest(fact) and (again_at is None or fact.at < again_at):
            return fact
    return None


def _cross(fact: ev.CallEvent, other: ev.CallEvent) -> bool:
    """True when both may have happened in one moment."""
    return fact.at - _CROSSING <= latest(other) and other.at - _CROSSING <= latest(fact)


def _leg_end(call: Call, uniqueid: str) -> datetime | None:
    leg = call.legs.get(uniqueid)
    return leg.ended_at if leg else None


def _withdrawn_at(call: Call, ring: ev.AgentOffered, again_at: datetime | None) -> datetime | None:
    """When a ring without an end of its own stopped: another answered, the caller left, or a leg ended.

    `QueueCallerLeave` is no such end: it comes a moment before `AgentConnect` of the very agent who answers.
    """
    moments = [again_at, _leg_end(call, ring.leg), ended_at(call)]
    for kind in (ev.AgentAnswered, ev.CallerAbandoned, ev.QueueLeft):
        moments.extend(max(fact.at, min(latest(fact), ring.at)) for fact in facts(call, kind))
    return min((at for at in moments if at is not None and at >= ring.at), default=None)


def stays_of(call: Call) -> tuple[Stay, ...]:
    """Every stay in a queue, oldest first; one proven by an offer alone begins with the routing or that offer."""
    joined = facts(call, ev.CallerJoined)
    joins = sorted({(join.at, join.queue) for join in joined}) if joined else []
    proof = first(call, ev.AgentOffered) or first(call, ev.AgentAnswered)
    if not joins and proof is not None:
        routed = first(call, ev.CallRouted)
        joins = [(min(routed.at, proof.at) if routed else proof.at, proof.queue)]
    bounds: list[datetime | None] = [*(at for at, _ in joins[1:]), None]
    return tuple(_stay(call, queue, at, until) for (at, queue), until in zip(joins, bounds, strict=False))


def _stay(call: Call, queue: str, joined_at: datetime, until: datetime | None) -> Stay:
    said = _inside(call, ev.QueueLeft, joined_at, until)[:1]
    answered = _inside(call, ev.AgentAnswered, joined_at, until)[:1]
    gone = _inside(call, ev.CallerLeft, joined_at, until) + _inside(call, ev.CallerAbandoned, joined_at, until)
    moments = [fact.at for fact in (*gone, *said, *answered)]
    left_at = min(moments) if moments else ended_at(call) or until
    if answered:
        status = "ANSWERED"
    elif said:
        status = said[0].status
    else:
        status = "ABANDONED" if left_at is not None and ended_at(call) is not None else ""
    return Stay(queue=queue, joined_at=joined_at, left_at=left_at, status=status)


def _inside(call: Call, kind: type[E], joined_at: datetime, until: datetime | None) -> list[E]:
    """The facts of a kind within one stay."""
    return [fact for fact in facts(call, kind) if joined_at <= latest(fact) and (until is None or fact.at < until)]


def record_of(call: Call, settings: FloorSettings, *, closed: bool = False) -> CallRecord:
    """The record of a call; only a closed one has an outcome."""
    entered, routed, rescue = first(call, ev.CallEntered), first(call, ev.CallRouted), first(call, ev.RescueTaken)
    who, aim = last(call, ev.CallerIdentified), last(call, ev.CallRouted)
    offers, stays = offers_of(call), stays_of(call)
    joined_at = stays[0].joined_at if stays else None
    answer = first(call, ev.AgentAnswered)
    end = ended_at(call)
    known = min((fact.at for fact in call.seen), default=call.lost_at)
    assert known is not None, "a call is opened by a fact"
    asked_at = next((fact.at for fact in (routed, rescue) if fact), joined_at)
    if asked_at is None and _end_step(call) in _ASKED_STEPS:
        asked_at = entered.at if entered else known
    answered_at = answer.at if answer else None
    join, told = first(call, ev.CallerJoined), first(call, ev.ForecastTold)
    record = CallRecord(
        call_id=call.call_id,
        entered_at=entered.at if entered else known,
        dnis=entered.dnis if entered else "",
        ani=entered.ani if entered else (join.ani if join else ""),
        lang=next((fact.lang for fact in (aim, entered) if fact and fact.lang), ""),
        notice=entered.notice if entered else "",
        customer=who.customer if who else "",
        match=who.match if who else "",
        vip=who.vip if who else "",
        path=tuple(Step(node=step.node, key=step.key, at=step.at) for step in facts(call, ev.IvrStepped)),
        queue=stays[-1].queue if stays else (aim.queue if aim else ""),
        priority=aim.priority if aim else 0,
        reason=aim.reason if aim else "",
        asked_at=asked_at,
        joined_at=joined_at,
        stays=stays,
        offers=offers,
        answered_at=answered_at,
        answered_by=answer.agent if answer else "",
        talk_ended_at=_talk_ended_at(offers),
        left_status=_left_status(call, stays),
        ended_at=end,
        clocks=clocks(
            asked_at=asked_at,
            joined_at=joined_at,
            answered_at=answered_at,
            left_at=stays[-1].left_at if stays else None,
            idle_from=call.idle_from,
            offers=offers,
            settings=settings,
        ),
        rescued=rescue is not None,
        rescue_why=rescue.why if rescue else "",
        end_step=_end_step(call),
        recording=_recording(call),
        grade=_grade(call),
        forecast_s=told.wait_s if told else None,
        forecast_at=told.at if told else None,
        forecast_place=told.place or None if told else None,
        legs=tuple(call.legs[uniqueid] for uniqueid in sorted(call.legs)),
        unseen=_unseen(call, closed),
        version=call.version,
    )
    return _close(record, call, settings) if closed else record


def _left_status(call: Call, stays: tuple[Stay, ...]) -> str:
    """How the last stay ended; a refused second try (no join is told of it, P17) comes after the last stay."""
    said = last(call, ev.QueueLeft)
    status = stays[-1].status if stays else ""
    if said is None or status == "ANSWERED" or (stays and said.at < stays[-1].joined_at):
        return status
    return said.status


def _end_step(call: Call) -> str:
    end = last(call, ev.CallEnded)
    return end.step if end else ""


def _recording(call: Call) -> str:
    mark = last(call, ev.RecordingMarked)
    return mark.state if mark else ""


def _grade(call: Call) -> str:
    graded = last(call, ev.Graded)
    return graded.grade if graded else ""


def _talk_ended_at(offers: tuple[Offer, ...]) -> datetime | None:
    """End of the last talk; None while one goes on."""
    ends = [offer.ended_at for offer in offers if offer.answered_at is not None]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _unseen(call: Call, closed: bool) -> tuple[str, ...]:
    """Names of the facts that must have been and were not seen (TL-70)."""
    missing = set(call.unseen)
    answers, joins = facts(call, ev.AgentAnswered), facts(call, ev.CallerJoined)
    offered = facts(call, ev.AgentOffered)
    if not facts(call, ev.CallEntered) and not facts(call, ev.CallRefused):
        missing.add("entered_at")
    if not joins and (answers or offered):
        missing.add("joined_at")
    asked = bool(joins) or _end_step(call) in _ASKED_STEPS
    if asked and not facts(call, ev.CallRouted) and not facts(call, ev.RescueTaken):
        missing.add("asked_at")
    ended: list[ev.AgentAnswered | ev.AgentMissed] = [*answers, *facts(call, ev.AgentMissed)]
    if any(not any(_same(ring, fact) and ring.at <= latest(fact) for ring in offered) for fact in ended):
        missing.add("offered_at")
    if closed and answers and len(facts(call, ev.AgentCompleted)) < len(answers):
        missing.add("talk_ended_at")
    return tuple(sorted(missing | _read(call)))


def _read(call: Call) -> set[str]:
    """Names of the times that only a journal told, each with its precision: `joined_at~100ms`."""
    if not call.read:
        return set()
    end = ended_at(call)
    told = {
        (name, fact.within_ms)
        for kind, known in call.facts.items()
        for fact in known
        if fact.within_ms
        for name in (*_TIMES.get(kind, ()), *(("ended_at",) if _may_be_last(fact, end) else ()))
    }
    return {f"{name}~{within}ms" for name, within in told}


def _may_be_last(fact: ev.CallEvent, end: datetime | None) -> bool:
    """True when the end of this channel may be the end of the call."""
    return isinstance(fact, ev.ChannelEnded) and end is not None and latest(fact) >= end


def _close(record: CallRecord, call: Call, settings: FloorSettings) -> CallRecord:
    return replace(
        record,
        outcome=_outcome(record, call, settings),
        refusal=_refusal(record, call),
        end_reason=_end_reason(record, call),
    )


def _refusal(record: CallRecord, call: Call) -> str:
    """Why the caller was not let in: the dialplan's word, the queue's, or `closed` when the hours ended his way."""
    refused = last(call, ev.CallRefused)
    if refused:
        return refused.why
    if record.path and record.path[-1].node == "closed" and not record.stays:
        return "closed"
    return REFUSALS.get(record.left_status, "")


def _outcome(record: CallRecord, call: Call, settings: FloorSettings) -> Outcome:
    """One of the disjoint outcomes (TL-12): a person's answer first, then what the caller chose, then why he left."""
    words = {mark.state for mark in facts(call, ev.RecordingMarked)}
    words |= {end.step for end in facts(call, ev.CallEnded)}
    for true, outcome in (
        (record.answered_at is not None, Outcome.ANSWERED),
        (bool(words & LEFT_RECORDING), Outcome.LEFT_RECORDING),
        (bool(words & BOOKED), Outcome.BOOKED_CALLBACK),
        (bool(_refusal(record, call)), Outcome.REFUSED),
        (bool(call.lost) or bool(words & FAILED), Outcome.FAILED),
    ):
        if true:
            return outcome
    if record.asked_at is None or record.ended_at is None:
        return Outcome.SERVED_BY_IVR
    short = milliseconds(record.asked_at, record.ended_at) < settings.short_abandon_ms
    return Outcome.SHORT_ABANDONED if short and "asked_at" not in record.unseen else Outcome.ABANDONED


def _end_reason(record: CallRecord, call: Call) -> str:
    if call.lost:
        return call.lost
    if last(call, ev.CallDisconnected) is not None:
        return "supervisor"
    done = last(call, ev.AgentCompleted)
    if done is not None and done.reason:
        return done.reason
    return "caller" if record.left_status == "ABANDONED" else "hung_up"
