"""What the reducer asks for: pops, drafts, alerts, pauses, phases, recordings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti.calls import events as ev
from cti.calls.effects import (
    AgentPhase,
    AlertLate,
    CompleteCall,
    CreateDraft,
    Effect,
    PauseAgent,
    PopScreen,
    PrefetchCustomer,
    RegisterRecording,
    RetractPop,
)
from cti.calls.model import Floor, FloorSettings, Phase
from cti.calls.reducer import reduce, take_changed
from tests.calls.stories import Caller, at, call_id, feed, finish, member, only, tick

A, B, C = "PJSIP/1001", "PJSIP/1002", "PJSIP/1003"


@pytest.fixture
def floor() -> Floor:
    return Floor(settings=FloorSettings(wrap_up_s=30))


def pop(agent: str, seconds: float, number: int = 1) -> PopScreen:
    return PopScreen(call_id=call_id(number), agent=agent, offered_at=at(seconds), event_at=at(seconds))


def phase(agent: str, state: Phase, seconds: float, call: str = call_id()) -> AgentPhase:
    return AgentPhase(agent=agent, state=state, call_id=call, at=at(seconds))


@pytest.mark.req("TL-30", "TL-32")
def test_one_answered_call_from_ring_to_wrap_up(floor: Floor) -> None:
    caller = Caller()
    assert feed(floor, caller.asks(0)) == [
        PrefetchCustomer(call_id=caller.id, ani="13800001111", dnis="1860", customer="c-7")
    ]
    assert reduce(floor, caller.offered(3, A)) == [pop("1001", 3), phase("1001", Phase.RINGING, 3)]
    assert reduce(floor, caller.left(4.9)) == []
    assert reduce(floor, caller.answered(5, A)) == [
        CreateDraft(call_id=caller.id, agent="1001", answered_at=at(5)),
        phase("1001", Phase.TALKING, 5),
    ]
    assert reduce(floor, caller.completed(60, A)) == [phase("1001", Phase.WRAP_UP, 60)]
    assert feed(floor, [caller.hung_up(60.1, A), caller.hung_up(60.2), tick(61)]) == []
    closing = reduce(floor, tick(62))
    assert [type(effect) for effect in closing] == [RegisterRecording, CompleteCall]
    assert closing[0] == RegisterRecording(call_id=caller.id)
    assert reduce(floor, tick(89.9)) == []
    assert reduce(floor, tick(91)) == [phase("1001", Phase.READY, 90, "")]


@pytest.mark.req("TL-31")
def test_ring_all_shows_everybody_and_keeps_the_one_who_answers(floor: Floor) -> None:
    caller = Caller()
    feed(floor, caller.asks(0))
    shown = feed(floor, [caller.offered(3, A), caller.offered(3.01, B), caller.offered(3.02, C)])
    assert only(shown, PopScreen) == [pop("1001", 3), pop("1002", 3.01), pop("1003", 3.02)]
    effects = reduce(floor, caller.answered(5, B))
    assert effects == [
        RetractPop(call_id=caller.id, agent="1001", why="answered_elsewhere"),
        RetractPop(call_id=caller.id, agent="1003", why="answered_elsewhere"),
        CreateDraft(call_id=caller.id, agent="1002", answered_at=at(5)),
        phase("1001", Phase.READY, 5, ""),
        phase("1002", Phase.TALKING, 5),
        phase("1003", Phase.READY, 5, ""),
    ]


@pytest.mark.req("TL-31", "TL-11")
def test_a_missed_offer_goes_to_the_next_agent(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A)])
    assert reduce(floor, caller.missed(11, A)) == [
        RetractPop(call_id=caller.id, agent="1001", why="missed"),
        phase("1001", Phase.READY, 11, ""),
    ]
    assert reduce(floor, caller.offered(12, B)) == [pop("1002", 12), phase("1002", Phase.RINGING, 12)]
    again = feed(floor, [caller.missed(20, B), caller.offered(21, A)])
    assert only(again, PopScreen) == [pop("1001", 21)]


@pytest.mark.req("TL-31")
@pytest.mark.parametrize(("kind", "why"), [("abandoned", "abandoned"), ("hung_up", "ended"), ("leg", "withdrawn")])
def test_a_pop_is_withdrawn_when_the_ring_stops(floor: Floor, kind: str, why: str) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A)])
    stop: dict[str, list[ev.CallEvent]] = {
        "abandoned": [caller.abandoned(5)],
        "hung_up": [caller.hung_up(5), caller.hung_up(5, A)],
        "leg": [caller.hung_up(5, A), ev.Tick(at=at(6))],
    }
    effects = feed(floor, stop[kind])
    assert only(effects, RetractPop) == [RetractPop(call_id=caller.id, agent="1001", why=why)]  # type: ignore[arg-type]
    assert only(effects, AgentPhase) == [phase("1001", Phase.READY, 5, "")]


@pytest.mark.req("TL-32")
def test_an_answer_without_its_offer_still_pops_and_drafts(floor: Floor) -> None:
    caller = Caller()
    feed(floor, caller.asks(0))
    assert reduce(floor, caller.answered(5, A)) == [
        pop("1001", 5),
        CreateDraft(call_id=caller.id, agent="1001", answered_at=at(5)),
        phase("1001", Phase.TALKING, 5),
    ]


@pytest.mark.req("TL-32")
def test_two_phones_answered_at_once_give_one_draft(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A), caller.offered(3, B)])
    effects = feed(floor, [caller.answered(5, B), caller.answered(5.01, A)])
    assert only(effects, CreateDraft) == [CreateDraft(call_id=caller.id, agent="1002", answered_at=at(5))]


def test_the_next_talk_of_the_same_call_gets_the_draft(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A), caller.answered(5, A), caller.completed(20, A, "transfer")])
    effects = feed(floor, [caller.joined(21), caller.offered(22, B), caller.answered(23, B)])
    assert only(effects, CreateDraft) == [CreateDraft(call_id=caller.id, agent="1002", answered_at=at(23))]
    assert only(effects, PrefetchCustomer) == []


@pytest.mark.req("TL-31")
def test_a_late_offer_of_an_answered_call_pops_nothing(floor: Floor) -> None:
    caller = Caller()
    late = caller.offered(3, A)
    feed(floor, [*caller.asks(0), caller.offered(3.1, B), caller.answered(5, B)])
    assert reduce(floor, late) == []


@pytest.mark.req("TL-11")
def test_misses_in_a_row_pause_the_agent(floor: Floor) -> None:
    effects: list[Effect] = []
    for number in range(1, 8):
        caller = Caller(number)
        start = number * 100.0
        effects += feed(floor, [*caller.asks(start), caller.offered(start + 2, A), caller.missed(start + 10, A)])
        effects += feed(floor, [caller.missed(start + 10, A)])
        assert len(only(effects, PauseAgent)) == number // 3
    assert set(only(effects, PauseAgent)) == {PauseAgent(agent="1001", reason="missed")}


@pytest.mark.req("TL-11")
def test_an_answer_starts_the_count_of_misses_afresh(floor: Floor) -> None:
    effects: list[Effect] = []
    for number, answers in enumerate([False, False, True, False, False], 1):
        caller, start = Caller(number), number * 100.0
        feed(floor, [*caller.asks(start), caller.offered(start + 2, A)])
        end = caller.answered(start + 5, A) if answers else caller.missed(start + 10, A)
        effects += reduce(floor, end)
    assert only(effects, PauseAgent) == []
    assert floor.agents["1001"].misses == 2


@pytest.mark.req("TL-11")
def test_a_late_caller_with_an_idle_agent_alerts_once(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [member(-60, A), member(-60, B), member(-60, C, paused=True), *caller.asks(0), caller.offered(2.1, B)])
    assert reduce(floor, tick(17)) == []
    assert reduce(floor, tick(17.001)) == [AlertLate(call_id=caller.id, waited_ms=15_001, idle_agents=("1001", "1002"))]
    assert reduce(floor, tick(18)) == []


@pytest.mark.req("TL-11")
def test_no_alert_while_nobody_is_idle_or_just_became_so(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [member(-60, A, status=2), *caller.asks(0)])
    assert feed(floor, [tick(30), member(40, A), tick(40.5), tick(55)]) == []
    assert reduce(floor, tick(55.001)) == [AlertLate(call_id=caller.id, waited_ms=53_001, idle_agents=("1001",))]


def test_no_alert_when_the_idle_agent_is_gone_again(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [member(-60, A), *caller.asks(0), tick(5), member(6, A, paused=True)])
    assert reduce(floor, tick(30)) == []
    assert only(feed(floor, [member(31, A), tick(31.1)]), AlertLate) != []


def test_no_alert_for_a_caller_who_left_the_queue(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [member(-60, A), *caller.asks(0), caller.left(5), caller.abandoned(5), caller.returned(5, "TIMEOUT")])
    assert reduce(floor, tick(30)) == []


@pytest.mark.req("TL-40")
def test_the_agent_may_end_his_wrap_up(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A), *caller.talks(5, 60, A)])
    assert reduce(floor, ev.WrapUpEnded(at=at(70), agent="1001")) == [phase("1001", Phase.READY, 70, "")]
    assert reduce(floor, ev.WrapUpEnded(at=at(71), agent="1001")) == []
    assert reduce(floor, ev.WrapUpEnded(at=at(71), agent="9999")) == []
    assert only(finish(floor, 200), AgentPhase) == []


@pytest.mark.req("TL-40")
def test_without_wrap_up_the_agent_is_ready_at_once() -> None:
    floor, caller = Floor(settings=FloorSettings(wrap_up_s=0)), Caller()
    effects = feed(floor, [*caller.asks(0), caller.offered(3, A), *caller.talks(5, 60, A)])
    assert only(effects, AgentPhase)[-1] == phase("1001", Phase.READY, 60, "")


@pytest.mark.req("TL-40")
def test_a_new_ring_ends_the_wrap_up(floor: Floor) -> None:
    first, second = Caller(1), Caller(2)
    feed(floor, [*first.asks(0), first.offered(3, A), *first.talks(5, 60, A), *second.asks(61)])
    assert reduce(floor, second.offered(64, A)) == [
        PopScreen(call_id=second.id, agent="1001", offered_at=at(64), event_at=at(64)),
        phase("1001", Phase.RINGING, 64, second.id),
    ]
    assert only(feed(floor, [tick(91), tick(92)]), AgentPhase) == []
    assert floor.agents["1001"].call_id == second.id


def test_an_end_of_one_call_does_not_free_an_agent_from_another(floor: Floor) -> None:
    first, second = Caller(1), Caller(2)
    feed(floor, [*first.asks(0), first.offered(3, A), *second.asks(1), second.offered(4, A)])
    effects = reduce(floor, first.missed(11, A))
    assert effects == [RetractPop(call_id=first.id, agent="1001", why="missed")]
    assert floor.agents["1001"].phase is Phase.RINGING


def test_a_call_that_was_never_recorded_nor_answered_has_no_recording(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [caller.opened(0), caller.refused(0.1), caller.hung_up(1)])
    assert [type(effect) for effect in finish(floor, 1)] == [CompleteCall]


@pytest.mark.req("TL-70")
def test_a_call_closes_on_its_last_leg_only(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.offered(3, A), caller.answered(5, A), caller.hung_up(60, A)])
    assert only(finish(floor, 60), CompleteCall) == []
    feed(floor, [caller.hung_up(70)])
    assert [type(effect) for effect in finish(floor, 70)] == [RegisterRecording, CompleteCall]
    assert floor.calls == {}
    assert floor.ids == {}
    assert list(floor.closed) == [caller.id]


def test_a_late_fact_within_the_grace_holds_the_call_open(floor: Floor) -> None:
    caller = Caller()
    feed(floor, [*caller.asks(0), caller.hung_up(9), tick(10), caller.ended(8.9, "queue"), tick(11)])
    assert caller.id in floor.calls
    record = only(feed(floor, [tick(12)]), CompleteCall)[0]
    assert isinstance(record, CompleteCall)
    assert record.record.end_step == "queue"


@pytest.mark.req("TL-70")
def test_stale_facts_cannot_reopen_a_closed_call(floor: Floor) -> None:
    caller = Caller()
    story = [*caller.asks(0), caller.offered(3, A), *caller.talks(5, 60, A)]
    feed(floor, story)
    finish(floor, 60)
    take_changed(floor)
    assert feed(floor, story[1:]) == []
    assert floor.calls == {}
    assert floor.stale == len(story) - 1
    assert take_changed(floor) == []


def test_facts_of_an_end_do_not_open_a_call(floor: Floor) -> None:
    caller = Caller()
    caller.offered(3, A)
    ends = [caller.left(5), caller.abandoned(5), caller.missed(5, A), caller.completed(5, A), caller.hung_up(6),
            caller.ended(6, "queue"), caller.returned(5, "TIMEOUT")]  # fmt: skip
    assert feed(floor, ends) == []
    assert floor.calls == {}
    assert floor.stale == len(ends)


def test_changed_calls_are_taken_once_with_growing_versions(floor: Floor) -> None:
    caller = Caller()
    feed(floor, caller.asks(0))
    (first,) = take_changed(floor)
    assert first.open
    assert take_changed(floor) == []
    feed(floor, [caller.left(9), caller.hung_up(9)])
    (second,) = take_changed(floor)
    finish(floor, 9)
    (last,) = take_changed(floor)
    assert (second.open, last.open) == (True, False)
    assert first.version < second.version < last.version


def test_closed_calls_are_remembered_up_to_a_bound() -> None:
    floor = Floor(settings=FloorSettings(closed_kept=2, close_ticks=1))
    for number in range(1, 5):
        caller = Caller(number)
        feed(floor, [caller.opened(number), caller.entered(number), caller.hung_up(number), tick(number)])
    assert list(floor.closed) == [call_id(3), call_id(4)]


def test_channels_of_no_call_are_parked_up_to_a_bound() -> None:
    floor = Floor(settings=FloorSettings(parked_ids=3, parked_events=2))
    for number in range(1, 6):
        caller = Caller(number)
        feed(floor, [caller.opened(number)] * 4)
    assert list(floor.parked) == [Caller(3).channel, Caller(4).channel, Caller(5).channel]
    assert [len(parked) for parked in floor.parked.values()] == [2, 2, 2]


def test_a_leg_without_our_id_is_found_by_its_group(floor: Floor) -> None:
    caller = Caller()
    leg = ev.ChannelOpened(at=at(3), uniqueid="55.1", linkedid=caller.channel, channel="PJSIP/1001-00000001")
    early = ev.ChannelOpened(at=at(3), uniqueid="55.2", linkedid=caller.channel, channel="PJSIP/1002-00000002")
    feed(floor, [early, *caller.asks(0), leg])
    assert set(floor.calls[caller.id].legs) == {caller.channel, "55.1", "55.2"}
    assert floor.parked == {}


def test_a_bridge_brings_what_waited_for_its_channel(floor: Floor) -> None:
    """A fact of a known channel changes nothing of its own; that it tells whose another channel is, shows at once."""
    caller = Caller()
    feed(floor, caller.asks(0))
    ring = replace(caller.offered(3, A), call_id="", uniqueid="9.9", linkedid="9.9")
    assert reduce(floor, ring) == []
    alone = ev.BridgeEntered(
        at=at(3.5), call_id=caller.id, bridge="b", uniqueid=caller.channel, linkedid=caller.channel
    )
    assert reduce(floor, alone) == []
    assert only(reduce(floor, replace(alone, at=at(4), linkedid="9.9")), PopScreen) == [pop("1001", 3)]
