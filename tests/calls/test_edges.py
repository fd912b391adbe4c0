"""Small rules that a careless change would break without a sound."""

from __future__ import annotations

from cti.calls import events as ev
from cti.calls.effects import CompleteCall
from cti.calls.model import Floor, FloorSettings, Idle
from cti.calls.record import record_of
from cti.calls.reducer import reduce
from tests.calls.stories import Caller, at, feed, member, only, tick, told

A, B = "PJSIP/1001", "PJSIP/1002"


def test_an_offer_claims_the_idleness_of_its_own_agent_only() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [member(0, A), member(0, B), *caller.asks(0), member(3.1, B, paused=True), caller.offered(3, A)])
    assert floor.members["complaint", B].idle == [Idle(start=at(0), end=at(3.1))]
    assert floor.members["complaint", A].idle == [Idle(start=at(0), end=at(3), taken_by=caller.id)]


def test_talk_of_several_agents_ends_with_the_last() -> None:
    caller = Caller()
    first = [caller.offered(3, A), caller.answered(5, A), caller.completed(20, A, "transfer"), caller.hung_up(20, A)]
    record = told([*caller.asks(0), *first, caller.joined(21), caller.offered(22, B), *caller.talks(23, 60, B)])
    assert record.answered_by == "1001"
    assert record.answered_at == at(5)
    assert record.talk_ended_at == at(60)
    assert [stay.status for stay in record.stays] == ["ANSWERED", "ANSWERED"]


def test_a_talk_that_goes_on_has_no_end() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A), caller.answered(5, A), caller.completed(20, A, "transfer")])
    feed(floor, [caller.joined(21), caller.offered(22, B), caller.answered(23, B)])
    assert record_of(floor.calls[caller.id], floor.settings).talk_ended_at is None


def test_a_talk_whose_end_the_queue_tells_late_still_finds_its_call_open() -> None:
    """AgentComplete came later after the last hang-up than is usual; without it the call closes all the same."""
    settings, caller = FloorSettings(), Caller()
    whole = [*caller.asks(0), caller.offered(3, A), *caller.talks(5, 60, A)]
    ended = [fact for fact in whole if not isinstance(fact, ev.AgentCompleted)]
    waits = [tick(61 + count) for count in range(settings.close_ticks + 1)]
    late = Floor(settings=settings)
    assert not only(feed(late, [*ended, *waits]), CompleteCall)
    feed(late, [caller.completed(60, A)])
    (closed,) = only(feed(late, [tick(70), tick(71)]), CompleteCall)
    assert isinstance(closed, CompleteCall)
    assert (closed.record.talk_ended_at, closed.record.unseen) == (at(60), ())

    never = Floor(settings=settings)
    assert not only(
        feed(never, [*ended, *(tick(61 + count) for count in range(settings.owed_ticks - 1))]), CompleteCall
    )
    (closed,) = only(feed(never, [tick(80)]), CompleteCall)
    assert isinstance(closed, CompleteCall)
    assert closed.record.unseen == ("talk_ended_at",)


def test_a_call_that_was_never_routed_has_no_priority() -> None:
    caller = Caller()
    record = told([caller.opened(0), caller.refused(0.1), caller.hung_up(1)])
    assert (record.priority, record.queue, record.reason, record.lang) == (0, "", "", "")


def test_who_left_the_queue_and_lives_has_not_abandoned_yet() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [*caller.asks(0), caller.left(9), caller.abandoned(9)])
    (stay,) = record_of(floor.calls[caller.id], floor.settings).stays
    assert (stay.left_at, stay.status) == (at(9), "")


def test_a_snapshot_of_a_known_talk_changes_nothing() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [member(-9, A), *caller.asks(0), caller.offered(3, A), caller.left(4.9), caller.answered(5, A)])
    before = record_of(floor.calls[caller.id], floor.settings)
    channels = tuple(
        ev.ChannelSeen(
            at=at(9), call_id=caller.id, uniqueid=uniqueid, linkedid=caller.channel, channel=name, bridge="b", age_s=6
        )
        for uniqueid, name in ((caller.channel, "PJSIP/trunk-00000001"), (caller.legs[A], caller.channels[A]))
    )
    assert reduce(floor, ev.FloorSnapshot(at=at(9), channels=channels, members=(member(9, A, status=2),))) == []
    assert record_of(floor.calls[caller.id], floor.settings) == before


def test_a_lost_call_is_not_found_by_a_late_step() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [*caller.asks(0), ev.FloorSnapshot(at=at(9)), caller.stepped(0.7, "late")])
    assert floor.calls[caller.id].lost == "unseen"
    assert "ended_at" in floor.calls[caller.id].unseen


def test_the_earliest_end_of_a_leg_counts() -> None:
    caller = Caller()
    record = told([*caller.asks(0), caller.hung_up(9, cause=31), caller.hung_up(8, cause=16)])
    assert [(leg.ended_at, leg.cause) for leg in record.legs] == [(at(8), 16)]


def test_facts_of_the_same_microsecond_have_one_order() -> None:
    caller = Caller()
    one, two = caller.stepped(3, "main", "1"), caller.stepped(3, "lang", "2")
    there = told([*caller.asks(0), one, two, caller.hung_up(9)])
    back = told([*caller.asks(0), two, one, caller.hung_up(9)])
    assert there.path == back.path
    assert [step.node for step in there.path] == ["main", "lang", "main"]
