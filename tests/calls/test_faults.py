"""The link breaks at every event boundary; a truthful snapshot follows (TL-70, F01)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cti.calls import events as ev
from cti.calls.effects import CompleteCall, CreateDraft
from cti.calls.figures import waiting
from cti.calls.model import CallRecord, Floor, Outcome
from cti.calls.record import record_of
from cti.calls.reducer import reduce
from tests.calls.stories import Caller, feed, finish, only
from tests.calls.test_order import RECORDS, STREAM, bare

#: facts of which one must be seen to know that the call was answered, or that a person was asked for
PROOFS = ({"AgentAnswered", "AgentCompleted"}, {"CallRouted", "CallerJoined", "CallEnded"})


def truth(floor: Floor, event: ev.CallEvent) -> ev.FloorSnapshot:
    """What Asterisk would list a moment after the event: taken from a floor that saw everything."""
    moment = event.at + timedelta(microseconds=1)
    channels: list[ev.ChannelSeen] = []
    callers: list[ev.CallerSeen] = []
    for call in floor.calls.values():
        record = record_of(call, floor.settings)
        channels += _channels(record, moment)
        if waiting(record):
            stay = record.stays[-1]
            seconds = int((moment - stay.joined_at).total_seconds())
            callers.append(ev.CallerSeen(at=moment, uniqueid=_channel_of(record), queue=stay.queue, wait_s=seconds))
    members = tuple(
        ev.MemberChanged(
            at=moment,
            queue=member.queue,
            interface=member.interface,
            status=member.status,
            in_call=member.in_call,
            paused=member.paused,
        )
        for member in floor.members.values()
    )
    return ev.FloorSnapshot(at=moment, channels=tuple(channels), waiting=tuple(callers), members=members)


def _channel_of(record: CallRecord) -> str:
    return next(caller.channel for caller in (Caller(1), Caller(2)) if caller.id == record.call_id)


def _channels(record: CallRecord, moment: object) -> list[ev.ChannelSeen]:
    talking = {offer.leg for offer in record.offers if offer.answered_at and offer.ended_at is None}
    bridged = talking | ({_channel_of(record)} if talking else set())
    return [
        ev.ChannelSeen(
            at=moment,  # type: ignore[arg-type]
            call_id=record.call_id,
            uniqueid=leg.uniqueid,
            linkedid=_channel_of(record),
            channel=leg.channel,
            bridge="b" if leg.uniqueid in bridged else "",
        )
        for leg in record.legs
        if leg.ended_at is None
    ]


def disturbed(start: int, length: int) -> tuple[dict[str, CallRecord], list[CreateDraft]]:
    """Final records of the stream when so many events from `start` on are lost, and the drafts asked for."""
    whole, floor = Floor(), Floor()
    effects = []
    for number, event in enumerate(STREAM):
        reduce(whole, event)
        if number == start:
            effects += reduce(floor, ev.LinkLost(at=event.at))
        if not start <= number < start + length:
            effects += reduce(floor, event)
        if number == min(start + length, len(STREAM)) - 1:
            effects += feed(floor, [ev.LinkUp(at=event.at), truth(whole, event)])
    effects += finish(floor, 200)
    records = {effect.call_id: effect.record for effect in effects if isinstance(effect, CompleteCall)}
    assert floor.calls == {}
    return records, [effect for effect in only(effects, CreateDraft) if isinstance(effect, CreateDraft)]


def heard_of(call_id: str, start: int, length: int) -> bool:
    """True when the call was open outside the gap, so that somebody could know of it."""
    own = [n for n, event in enumerate(STREAM) if event.call_id == call_id]
    return own[0] < start or own[-1] >= start + length


@pytest.mark.req("TL-70")
@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 13, 21])
def test_every_boundary(length: int) -> None:
    for start in range(len(STREAM)):
        records, drafts = disturbed(start, length)
        lost = STREAM[start : start + length]
        for call_id, calm in bare(RECORDS).items():
            if call_id not in records:
                assert not heard_of(call_id, start, length)
                continue
            record = records[call_id]
            same = bare(records)[call_id] == calm
            assert same or "events" in record.unseen, (start, call_id)
            assert record.outcome is not None
            gone = {type(event).__name__ for event in lost if event.call_id == call_id}
            unknowable = gone >= {"AgentAnswered", "AgentCompleted"} or gone >= {
                "CallRouted",
                "CallerJoined",
                "CallEnded",
            }
            if "ended_at" not in record.unseen and not unknowable:
                assert (record.outcome, record.answered_by) == (calm.outcome, calm.answered_by), (start, call_id)
            if record.outcome is Outcome.ANSWERED:
                assert [(draft.call_id, draft.agent) for draft in drafts] == [(call_id, calm.answered_by)], start
