"""Gaps, snapshots, crashes and restarts: what could not be seen is marked (TL-70)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from cti.calls import events as ev
from cti.calls.effects import CompleteCall, CreateDraft, PopScreen
from cti.calls.model import CallRecord, Floor, OfferResult, Outcome, Phase
from cti.calls.record import record_of
from cti.calls.reducer import reduce, take_changed
from cti.calls.restore import restore
from tests.calls.stories import START, Caller, at, call_id, feed, finish, member, only

A, B = "PJSIP/1001", "PJSIP/1002"


@pytest.fixture
def floor() -> Floor:
    return Floor()


def record(floor: Floor, number: int = 1) -> CallRecord:
    return record_of(floor.calls[call_id(number)], floor.settings)


def gap(floor: Floor) -> datetime | None:
    return floor.gap_from


def closed(floor: Floor, seconds: float) -> CallRecord:
    (effect,) = only(finish(floor, seconds), CompleteCall)
    assert isinstance(effect, CompleteCall)
    return effect.record


def seen(caller: Caller, seconds: float, interface: str = "", *, bridge: str = "", age_s: int = 0) -> ev.ChannelSeen:
    """One line of CoreShowChannels: the caller's channel, or an agent's leg."""
    return ev.ChannelSeen(
        at=at(seconds),
        call_id=caller.id,
        uniqueid=caller.legs[interface] if interface else caller.channel,
        linkedid=caller.channel,
        channel=f"{interface}-00000001" if interface else "PJSIP/trunk-00000001",
        state="Up",
        ani="13800001111",
        bridge=bridge,
        age_s=age_s,
    )


def waits(caller: Caller, seconds: float, wait_s: int) -> ev.CallerSeen:
    return ev.CallerSeen(at=at(seconds), uniqueid=caller.channel, queue="complaint", position=1, wait_s=wait_s)


def snap(seconds: float, *channels: ev.ChannelSeen, **rest: object) -> ev.FloorSnapshot:
    return ev.FloorSnapshot(at=at(seconds), channels=channels, **rest)  # type: ignore[arg-type]


@pytest.mark.req("TL-70")
def test_a_call_the_snapshot_does_not_know_is_closed_unseen(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A), caller.answered(5, A), ev.LinkLost(at=at(9))])
    assert reduce(floor, snap(20)) != []
    ended = closed(floor, 20)
    assert ended.ended_at == at(20)
    assert ended.end_reason == "unseen"
    assert ended.outcome is Outcome.ANSWERED
    assert ended.talk_ended_at == at(20)
    assert ended.unseen == ("ended_at", "events", "talk_ended_at")
    assert floor.agents["1001"].phase is Phase.WRAP_UP


@pytest.mark.req("TL-70")
@pytest.mark.parametrize(
    ("started", "reason"), [(8.0, "pbx-crash"), (-0.0005, "pbx-crash"), (-0.001, "unseen"), (None, "unseen")]
)
def test_an_asterisk_younger_than_the_call_has_crashed(floor: Floor, started: float | None, reason: str) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), ev.LinkLost(at=at(5))])
    reduce(floor, snap(10, pbx_started_at=None if started is None else at(started)))
    ended = closed(floor, 10)
    assert (ended.end_reason, ended.outcome) == (reason, Outcome.FAILED)


def test_another_start_than_before_is_a_crash_too(floor: Floor) -> None:
    caller = Caller()
    reduce(floor, snap(-10, pbx_started_at=at(-900)))
    feed(floor, caller.asks(0))
    reduce(floor, snap(10, pbx_started_at=at(-800)))
    assert closed(floor, 10).end_reason == "pbx-crash"
    assert floor.pbx_started_at == at(-800)
    reduce(floor, snap(11))
    assert floor.pbx_started_at == at(-800)


@pytest.mark.req("F05")
def test_another_start_in_its_own_words_is_a_crash_in_any_zone(floor: Floor) -> None:
    """The zone of an Asterisk elsewhere may be unknown; that its start is another one is known all the same."""
    caller = Caller()
    reduce(floor, snap(-10, pbx_start="2026-03-10 09:00:00"))
    feed(floor, caller.asks(0))
    reduce(floor, snap(10, seen(caller, 10), pbx_start="2026-03-10 09:00:00"))
    assert floor.calls[caller.id].lost == ""
    reduce(floor, snap(20, pbx_start="2026-03-10 09:31:00"))
    assert closed(floor, 20).end_reason == "pbx-crash"


@pytest.mark.req("TL-70")
def test_a_call_that_is_still_there_goes_on_and_is_marked(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A), ev.LinkLost(at=at(4)), ev.LinkUp(at=at(6))])
    assert gap(floor) == at(4)
    reduce(floor, snap(6, seen(caller, 6), seen(caller, 6, A), waiting=(waits(caller, 6, 4),)))
    assert gap(floor) is None
    assert record(floor).unseen == ("events",)
    feed(floor, caller.talks(7, 60, A))
    assert closed(floor, 60).outcome is Outcome.ANSWERED


def test_the_gap_marks_calls_that_open_in_it_and_none_after(floor: Floor) -> None:
    before, inside, after = Caller(1), Caller(2), Caller(3)
    feed(floor, [*before.asks(0), ev.LinkLost(at=at(5), why="overflow"), ev.LinkLost(at=at(6))])
    assert floor.gap_from == at(5)
    feed(floor, [*inside.asks(7), snap(10, seen(before, 10), seen(inside, 10)), *after.asks(11)])
    assert "events" in record(floor, 1).unseen
    assert "events" in record(floor, 2).unseen
    assert record(floor, 3).unseen == ()


def test_a_call_that_entered_after_the_asking_is_left_alone(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [caller.opened(10.001), caller.entered(10.002)])
    reduce(floor, snap(10))
    assert record(floor).unseen == ()
    assert floor.calls[caller.id].lost == ""


def test_a_call_whose_end_was_seen_is_not_marked(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.left(5), caller.abandoned(5), caller.hung_up(5)])
    reduce(floor, snap(6))
    ended = closed(floor, 6)
    assert (ended.end_reason, ended.ended_at, ended.unseen) == ("caller", at(5), ())


@pytest.mark.req("TL-70")
def test_an_answer_in_the_gap_is_found_by_the_bridge(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [member(-60, A), *caller.asks(0), caller.offered(3, A), ev.LinkLost(at=at(4))])
    effects = reduce(
        floor, snap(9, seen(caller, 9, bridge="b"), seen(caller, 9, A, bridge="b"), members=(member(9, A),))
    )
    assert only(effects, CreateDraft) == [CreateDraft(call_id=caller.id, agent="1001", answered_at=at(9))]
    now = record(floor)
    assert (now.answered_at, now.answered_by) == (at(9), "1001")
    assert now.unseen == ("answered_at", "events")
    assert [offer.result for offer in now.offers] == [OfferResult.ANSWERED]
    assert floor.agents["1001"].phase is Phase.TALKING


@pytest.mark.req("TL-70")
def test_a_talk_of_a_call_never_heard_of_is_taken_up(floor: Floor) -> None:
    caller = Caller()
    caller.offered(0, A)
    effects = reduce(
        floor,
        snap(
            100,
            seen(caller, 100, bridge="b", age_s=90),
            seen(caller, 100, A, bridge="b", age_s=60),
            members=(member(100, A, status=2),),
        ),
    )
    assert only(effects, PopScreen) == [
        PopScreen(call_id=caller.id, agent="1001", offered_at=at(100), event_at=at(100))
    ]
    now = record(floor)
    assert now.entered_at == at(10)
    assert now.ani == "13800001111"
    assert now.answered_by == "1001"
    assert now.unseen == ("answered_at", "entered_at", "events", "joined_at", "offered_at")


def test_a_caller_never_heard_of_who_waits_is_put_in_his_queue(floor: Floor) -> None:
    caller = Caller()
    reduce(floor, snap(100, seen(caller, 100, age_s=30), waiting=(waits(caller, 100, 20),)))
    now = record(floor)
    assert (now.entered_at, now.joined_at, now.queue) == (at(70), at(80), "complaint")
    assert now.unseen == ("asked_at", "entered_at", "events", "joined_at")
    assert now.asked_at == at(80)


def test_who_no_longer_waits_and_talks_to_nobody_has_left(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), ev.LinkLost(at=at(5))])
    reduce(floor, snap(9, seen(caller, 9)))
    now = record(floor)
    assert now.stays[0].left_at == at(9)
    assert now.unseen == ("events", "left_at")


def test_legs_that_are_gone_have_ended(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A)])
    reduce(floor, snap(9, seen(caller, 9), waiting=(waits(caller, 9, 7),)))
    now = record(floor)
    assert {leg.uniqueid: leg.ended_at for leg in now.legs} == {caller.channel: None, caller.legs[A]: at(9)}
    assert [(offer.result, offer.ended_at) for offer in now.offers] == [(OfferResult.WITHDRAWN, at(9))]
    assert now.unseen == ("legs",)


def test_a_leg_born_after_the_asking_is_not_missed(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(9.5, A)])
    reduce(floor, snap(9, seen(caller, 9), waiting=(waits(caller, 9, 7),)))
    assert record(floor).unseen == ()


def test_a_snapshot_of_a_closed_call_does_not_reopen_it(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.hung_up(9)])
    finish(floor, 9)
    reduce(floor, snap(8, seen(caller, 8)))
    assert floor.calls == {}


def test_a_waiting_caller_whose_channel_is_of_no_call_is_passed_over(floor: Floor) -> None:
    reduce(floor, snap(9, waiting=(waits(Caller(), 9, 3),)))
    assert floor.calls == {}


def test_a_channel_without_our_id_opens_no_call(floor: Floor) -> None:
    reduce(floor, snap(9, replace(seen(Caller(), 9), call_id="")))
    assert floor.calls == {}


@pytest.mark.req("TL-40")
def test_members_are_what_the_snapshot_lists(floor: Floor) -> None:
    feed(floor, [member(0, A), member(0, B), member(9.5, B, "senior")])
    queue = ev.QueueSeen(at=at(9), queue="complaint", strategy="rrmemory", abandoned=3)
    reduce(floor, snap(9, members=(member(9, A, paused=True, reason="lunch"),), queues=(queue,)))
    assert set(floor.members) == {("complaint", A), ("senior", B)}
    assert (floor.members["complaint", A].paused, floor.members["complaint", A].reason) == (True, "lunch")
    assert floor.queues == {"complaint": queue}
    reduce(floor, snap(10))
    assert floor.queues == {"complaint": queue}


def test_an_older_fact_of_a_member_is_stale(floor: Floor) -> None:
    feed(floor, [member(10, A, status=5), member(9, A, status=1), member(20, B), member(21, B, removed=True)])
    feed(floor, [member(20.5, B)])
    assert floor.members["complaint", A].status == 5
    assert ("complaint", B) not in floor.members
    reduce(floor, member(22, B))
    assert ("complaint", B) in floor.members


def test_a_member_fact_without_queue_or_interface_is_none(floor: Floor) -> None:
    feed(floor, [member(1, "", "complaint"), member(1, A, "")])
    assert floor.members == {}


def test_single_lines_of_lists_change_nothing_by_themselves(floor: Floor) -> None:
    caller = Caller()
    assert feed(floor, [seen(caller, 1), waits(caller, 1, 1), ev.LinkUp(at=at(1))]) == []
    reduce(floor, ev.QueueSeen(at=at(1), queue="senior"))
    assert list(floor.queues) == ["senior"]
    assert floor.calls == {}


@pytest.mark.req("TL-70")
def test_open_calls_come_back_after_a_restart(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(2.5, A), caller.missed(9, A), caller.hung_up(9, A)])
    feed(floor, [caller.offered(10, B), caller.rescued(0.9)])
    (before,) = take_changed(floor)
    again = Floor()
    restore(again, [before, replace(before, call_id="done", outcome=Outcome.ANSWERED)])
    restore(again, [before])
    assert set(again.calls) == {caller.id}
    (after,) = take_changed(again)
    assert after.version > before.version
    assert after.unseen == ("events",)
    assert replace(after, version=0, unseen=(), reason="menu") == replace(before, version=0)
    feed(again, [replace(fact, call_id="") for fact in (caller.answered(12, B), caller.completed(20, B))])
    feed(again, [replace(fact, call_id="") for fact in (caller.hung_up(20.1, B), caller.hung_up(20.2))])
    final = closed(again, 20)
    assert (final.outcome, final.answered_by, final.clocks.join_to_answer_ms) == (Outcome.ANSWERED, "1002", 10_000)


@pytest.mark.req("TL-70")
def test_a_talk_comes_back_with_its_pop_and_draft(floor: Floor) -> None:
    caller = Caller()
    grade = ev.Graded(at=at(6), call_id=caller.id, uniqueid=caller.channel, grade="2")
    feed(floor, [*caller.asks(0), caller.offered(3, A), caller.left(4.9), caller.answered(5, A), grade])
    (before,) = take_changed(floor)
    again = Floor()
    restore(again, [before])
    effects = reduce(again, snap(9, seen(caller, 9, bridge="b"), seen(caller, 9, A, bridge="b")))
    assert only(effects, CreateDraft) == [CreateDraft(call_id=caller.id, agent="1001", answered_at=at(5))]
    assert len(only(effects, PopScreen)) == 1
    assert record(again).grade == "2"
    assert again.agents["1001"].phase is Phase.TALKING


def test_a_talk_that_ended_and_a_stay_that_timed_out_come_back(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.left(42), caller.abandoned(42), caller.returned(42, "TIMEOUT")])
    feed(floor, [caller.joined(50), caller.offered(51, A), caller.left(52), caller.answered(52, A)])
    feed(floor, [caller.completed(60, A), caller.hung_up(60, A)])
    (before,) = take_changed(floor)
    again = Floor()
    restore(again, [before])
    (after,) = take_changed(again)
    assert replace(after, version=0, unseen=()) == replace(before, version=0)


def test_a_call_in_the_menu_comes_back(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [caller.opened(0), caller.entered(0.1), caller.stepped(1)])
    (before,) = take_changed(floor)
    again = Floor()
    restore(again, [before])
    (after,) = take_changed(again)
    assert replace(after, version=0, unseen=()) == replace(before, version=0)
    assert again.calls[caller.id].facts.keys() == {ev.CallEntered, ev.IvrStepped}
    assert before.entered_at > START
