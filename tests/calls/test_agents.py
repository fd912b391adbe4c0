"""Members, phases and idleness at their edges, and replay at its own."""

from __future__ import annotations

from datetime import timedelta

from cti.calls import events as ev
from cti.calls.agents import idle_agents, set_phase, since
from cti.calls.clocks import first_idle
from cti.calls.effects import AgentPhase, AlertLate, CompleteCall
from cti.calls.model import Breach, Floor, FloorSettings, Idle, Offer, OfferResult, Phase, agent_of, milliseconds
from cti.calls.reducer import close_all, reduce
from cti.calls.replay import replay, run
from tests.calls.stories import Caller, at, feed, member, only, tick, told

A, B = "PJSIP/1001", "PJSIP/1002"


def test_fields_a_member_event_does_not_tell_stay() -> None:
    floor = Floor()
    full = member(0, A, name="Li", state_interface="PJSIP/x", paused=True, reason="lunch", status=2, in_call=True)
    feed(floor, [full, ev.MemberChanged(at=at(1), queue="complaint", interface=A, penalty=3)])
    known = floor.members["complaint", A]
    assert (known.name, known.state_interface, known.membership) == ("Li", "PJSIP/x", "dynamic")
    assert (known.paused, known.reason, known.status, known.in_call, known.penalty) == (True, "lunch", 2, True, 3)
    assert known.changed_at == at(1)
    feed(floor, [ev.MemberChanged(at=at(2), queue="complaint", interface=A, paused=False, reason="ready")])
    assert (known.paused, known.reason) == (False, "")


def test_who_can_be_rung() -> None:
    floor = Floor()
    feed(floor, [member(0, A), member(0, B, status=0), member(0, "PJSIP/1003", status=5), member(0, "PJSIP/1004", "x")])
    feed(floor, [member(0, "PJSIP/1005", in_call=True), member(0, "PJSIP/1006", paused=True)])
    assert idle_agents(floor, "complaint") == {"1001", "1002"}


def test_a_stretch_of_idleness_opens_and_ends_once() -> None:
    floor = Floor()
    feed(floor, [member(0, A), member(1, A), member(2, A, status=2), member(3, A, status=3), member(4, A)])
    assert floor.members["complaint", A].idle == [Idle(start=at(0), end=at(2)), Idle(start=at(4))]


def test_an_offer_claims_the_stretch_that_the_phones_state_had_ended() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [member(0, A), *caller.asks(0), member(3.02, A, status=6), caller.offered(3, A)])
    assert floor.members["complaint", A].idle == [Idle(start=at(0), end=at(3), taken_by=caller.id)]


def test_an_offer_before_the_stretch_claims_nothing() -> None:
    floor = Floor()
    feed(floor, [member(5, A), member(6, A, status=2)])
    set_phase(floor, "1001", Phase.RINGING, at(4), "x")
    assert floor.members["complaint", A].idle == [Idle(start=at(5), end=at(6))]
    set_phase(floor, "1001", Phase.RINGING, at(7), "x")
    assert floor.members["complaint", A].idle == [Idle(start=at(5), end=at(6))]


def test_idleness_is_remembered_up_to_a_bound() -> None:
    floor = Floor()
    for number in range(300):
        feed(floor, [member(number, A), member(number + 0.5, A, status=2)])
    idle = floor.members["complaint", A].idle
    assert len(idle) == 256
    assert idle[-1] == Idle(start=at(299), end=at(299.5))


def test_a_phase_is_told_once_and_never_by_an_older_fact() -> None:
    floor = Floor()
    assert set_phase(floor, "1001", Phase.TALKING, at(5), "x") == [
        AgentPhase(agent="1001", state=Phase.TALKING, call_id="x", at=at(5))
    ]
    assert set_phase(floor, "1001", Phase.RINGING, at(5), "x") == []
    assert set_phase(floor, "1001", Phase.TALKING, at(6), "x") == []
    assert (floor.agents["1001"].since, floor.agents["1001"].changed_at) == (at(5), at(6))


def test_wrap_up_runs_out_at_its_own_second() -> None:
    floor = Floor(settings=FloorSettings(wrap_up_s=10))
    set_phase(floor, "1001", Phase.WRAP_UP, at(5), "x")
    assert reduce(floor, tick(14.999)) == []
    assert reduce(floor, tick(15)) == [AgentPhase(agent="1001", state=Phase.READY, call_id="", at=at(15))]


def test_a_wrap_up_ended_by_an_older_word_ends_just_after_it_began() -> None:
    floor = Floor()
    set_phase(floor, "1001", Phase.WRAP_UP, at(5), "x")
    (effect,) = reduce(floor, ev.WrapUpEnded(at=at(4), agent="1001"))
    assert isinstance(effect, AgentPhase)
    assert effect.at == at(5) + timedelta(microseconds=1)


def test_rings_that_overlap_count_their_time_once() -> None:
    caller = Caller()
    record = told(
        [
            member(-60, A),
            *caller.asks(0),
            caller.offered(12, A),
            caller.offered(12.5, B),
            caller.hung_up(13, B),
            *caller.talks(20, 60, A),
        ]
    )
    assert record.clocks.ct02_ms == 18_000
    assert record.clocks.breach is Breach.NOT_OFFERED
    assert record.clocks.breach_agents == ("1001", "1002")


def test_a_ring_time_of_an_open_offer_is_not_known() -> None:
    assert Offer(agent="1", interface="P/1", queue="q", at=at(0)).ring_ms is None
    assert Offer(agent="1", interface="P/1", queue="q", at=at(0), ended_at=at(2)).result is OfferResult.OFFERED


def test_crossed_stamps_are_no_negative_time() -> None:
    assert milliseconds(at(1), at(0)) == 0
    assert milliseconds(at(0), at(0.0019)) == 1


def test_a_replay_makes_up_the_ticks_of_a_silence_and_those_at_its_end() -> None:
    caller = Caller()
    effects = list(run(Floor(), [member(-5, A), *caller.asks(0), member(900, B)]))
    (alert,) = only(effects, AlertLate)
    assert isinstance(alert, AlertLate)
    assert alert.waited_ms in range(15_001, 16_001)
    floor = Floor()
    list(run(floor, [member(0, A), ev.WrapUpEnded(at=at(1), agent="x"), member(900, B)]))
    set_phase(floor, "1001", Phase.WRAP_UP, at(901), "x")
    (ready,) = only(list(run(floor, [member(902, A), member(2_000, B)])), AgentPhase)
    assert isinstance(ready, AgentPhase)
    assert ready.at == at(931)


def test_a_replay_ends_with_a_tick_after_a_long_silence() -> None:
    floor = Floor(settings=FloorSettings(wrap_up_s=500))
    set_phase(floor, "1001", Phase.WRAP_UP, at(0), "x")
    effects = list(run(floor, [member(1, A), member(1_000, A)]))
    assert effects == [AgentPhase(agent="1001", state=Phase.READY, call_id="", at=at(500))]


def test_a_replay_also_shows_calls_that_were_still_open() -> None:
    one, two = Caller(1), Caller(2)
    records = replay([*two.asks(0), *one.asks(1), two.left(9), two.hung_up(9)])
    assert [(record.call_id, record.open) for record in records] == [(two.id, False), (one.id, True)]


def test_closing_all_leaves_what_still_lives() -> None:
    floor, one, two = Floor(), Caller(1), Caller(2)
    feed(floor, [*one.asks(0), *two.asks(0), one.hung_up(9)])
    assert [effect.call_id for effect in close_all(floor) if isinstance(effect, CompleteCall)] == [one.id]
    assert set(floor.calls) == {two.id}


def test_ends_that_come_after_the_snapshot_that_missed_them_count() -> None:
    floor, caller = Floor(), Caller()
    feed(floor, [*caller.asks(0), ev.FloorSnapshot(at=at(9.5))])
    assert floor.calls[caller.id].lost == "unseen"
    feed(floor, [caller.left(9), caller.abandoned(9), caller.hung_up(9.1)])
    (done,) = only(close_all(floor), CompleteCall)
    assert isinstance(done, CompleteCall)
    assert (done.record.end_reason, done.record.ended_at, done.record.unseen) == ("caller", at(9.1), ())


def test_members_are_found_by_queue_and_by_agent() -> None:
    floor = Floor()
    feed(floor, [member(0, A), member(0, A, "suggestion"), member(0, B), member(1, A, paused=True)])
    assert {one.interface for one in floor.members.of_queue("complaint")} == {A, B}
    assert {one.queue for one in floor.members.of_agent(agent_of(A))} == {"complaint", "suggestion"}
    assert [one.paused for one in floor.members.of_agent(agent_of(B))] == [False]
    feed(floor, [member(2, A, removed=True)])
    assert {one.interface for one in floor.members.of_queue("complaint")} == {B}
    assert {one.queue for one in floor.members.of_agent(agent_of(A))} == {"suggestion"}
    assert list(floor.members.of_queue("nobody's")) == list(floor.members.of_agent("9999")) == []


def test_what_a_full_centre_did_before_the_wait_is_not_looked_at() -> None:
    """A member keeps 256 stretches of idleness; an event of a waiting call looks at those of its wait only (CT-02)."""
    floor = Floor()
    for place in range(50):
        feed(floor, [member(place * 2, A, status=1), member(place * 2 + 1, A, status=2)])
    (one,) = floor.members.of_agent(agent_of(A))
    assert len(one.idle) == 50
    assert list(since(one, at(99.5))) == []
    assert [stretch.start for stretch in since(one, at(94.5))] == [at(98), at(96), at(94)]
    for moment in (0, 0.5, 50.2, 51, 97, 99, 120):
        whole, part = (
            first_idle(stretches, call_id="x", since=at(moment), until=at(200), settle_ms=500)
            for stretches in (one.idle, since(one, at(moment)))
        )
        assert whole == part
