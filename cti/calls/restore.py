"""Open calls of the database put back on the floor after a restart (TL-70). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cti.calls import events as ev
from cti.calls.facts import learn
from cti.calls.model import Call, CallRecord, Floor, OfferResult
from cti.calls.record import record_of


def restore(floor: Floor, records: Iterable[CallRecord]) -> None:
    """Makes the facts of each open call out of its record, marked with the gap of our absence.

    What was already done about a call is not known, so the next snapshot asks for it again: every effect is
    idempotent.
    """
    for record in records:
        if not record.open or record.call_id in floor.calls or record.call_id in floor.closed:
            continue
        call = floor.calls[record.call_id] = Call(call_id=record.call_id)
        for fact in facts_of(record):
            learn(floor, call, fact)
        for leg in record.legs:
            call.legs[leg.uniqueid] = leg
            call.ids.add(leg.uniqueid)
            floor.ids[leg.uniqueid] = record.call_id
        call.unseen = {*record.unseen, "events"}
        call.idle_from = record.clocks.ct02_from
        call.version = record.version + 1


def restarted(floor: Floor) -> Floor:
    """The floor of a service that starts when every open call of this one is in the database."""
    fresh = Floor(settings=floor.settings)
    restore(fresh, [record_of(call, floor.settings) for call in floor.calls.values()])
    return fresh


def facts_of(record: CallRecord) -> Iterator[ev.CallEvent]:
    """Facts that amount to this record."""
    call_id, entered_at = record.call_id, record.entered_at
    yield ev.CallEntered(
        at=entered_at, call_id=call_id, dnis=record.dnis, ani=record.ani, lang=record.lang, notice=record.notice
    )
    for step in record.path:
        yield ev.IvrStepped(at=step.at, call_id=call_id, node=step.node, key=step.key)
    if record.customer or record.match or record.vip:
        yield ev.CallerIdentified(
            at=entered_at, call_id=call_id, customer=record.customer, match=record.match, vip=record.vip
        )
    if record.asked_at is not None:
        yield ev.CallRouted(
            at=record.asked_at,
            call_id=call_id,
            queue=record.queue,
            priority=record.priority,
            reason=record.reason,
            lang=record.lang,
        )
    if record.forecast_s is not None and record.forecast_at is not None:
        yield ev.ForecastTold(
            at=record.forecast_at, call_id=call_id, wait_s=record.forecast_s, place=record.forecast_place or 0
        )
    if record.rescued:
        yield ev.RescueTaken(at=record.asked_at or entered_at, call_id=call_id, why=record.rescue_why)
    if record.recording:
        yield ev.RecordingMarked(at=entered_at, call_id=call_id, state=record.recording)
    if record.grade:
        yield ev.Graded(at=record.talk_ended_at or entered_at, call_id=call_id, grade=record.grade)
    yield from _queue_facts(record)


def _queue_facts(record: CallRecord) -> Iterator[ev.CallEvent]:
    call_id = record.call_id
    for stay in record.stays:
        yield ev.CallerJoined(at=stay.joined_at, call_id=call_id, queue=stay.queue)
        if stay.left_at is None:
            continue
        yield ev.CallerLeft(at=stay.left_at, call_id=call_id, queue=stay.queue)
        if stay.status not in {"", "ANSWERED", "ABANDONED"}:
            yield ev.QueueLeft(at=stay.left_at, call_id=call_id, queue=stay.queue, status=stay.status)
    for offer in record.offers:
        yield ev.AgentOffered(
            at=offer.at,
            call_id=call_id,
            queue=offer.queue,
            interface=offer.interface,
            agent=offer.agent,
            leg=offer.leg,
        )
        if offer.answered_at is not None:
            yield ev.AgentAnswered(
                at=offer.answered_at,
                call_id=call_id,
                queue=offer.queue,
                interface=offer.interface,
                agent=offer.agent,
                leg=offer.leg,
            )
        if offer.ended_at is None or offer.result is OfferResult.WITHDRAWN:
            continue
        ended = ev.AgentCompleted if offer.answered_at is not None else ev.AgentMissed
        yield ended(
            at=offer.ended_at,
            call_id=call_id,
            queue=offer.queue,
            interface=offer.interface,
            agent=offer.agent,
            leg=offer.leg,
        )
