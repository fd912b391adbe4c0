"""The clocks of TL-10 and the 15 seconds of CT-02."""

from __future__ import annotations

import pytest

from cti.calls import events as ev
from cti.calls.clocks import first_idle
from cti.calls.model import Breach, CallRecord, FloorSettings, Idle, Outcome
from cti.calls.replay import replay
from cti.calls.stats import queued_ms
from tests.calls.stories import Caller, at, member, tick, told

A, B = "PJSIP/1001", "PJSIP/1002"


def two_offers(answer: float) -> CallRecord:
    """The caller joins at 2 s; A rings out after 8 s, B answers so many seconds after joining."""
    caller = Caller()
    return told(
        [
            member(-60, A),
            member(-60, B),
            *caller.asks(0),
            caller.offered(2, A),
            *caller.rings_out(10, A),
            caller.offered(10, B),
            *caller.talks(2 + answer, 60, B),
        ]
    )


@pytest.mark.req("TL-10", "CT-02", "K1")
@pytest.mark.parametrize(
    ("answer", "ct02_ms", "breach", "agents"),
    [
        (14.9, 14_900, None, ()),
        (15.0, 15_000, None, ()),
        (15.001, 15_001, Breach.IDLE_AGENT_SLOW, ("1001", "1002")),
        (15.1, 15_100, Breach.IDLE_AGENT_SLOW, ("1001", "1002")),
    ],
)
def test_fifteen_seconds_run_across_offers(
    answer: float, ct02_ms: int, breach: Breach | None, agents: tuple[str, ...]
) -> None:
    record = two_offers(answer)
    assert record.clocks.ct02_ms == ct02_ms
    assert record.clocks.ct02_from == at(2)
    assert record.clocks.breach == breach
    assert record.clocks.breach_agents == agents
    assert record.outcome is Outcome.ANSWERED


@pytest.mark.req("TL-10")
def test_four_clocks_to_the_millisecond() -> None:
    record = two_offers(9.1234)
    assert record.clocks.ask_to_answer_ms == 10_123
    assert record.clocks.join_to_answer_ms == 9_123
    assert record.clocks.ct02_ms == 9_123
    assert [offer.ring_ms for offer in record.offers] == [8_000, 1_123]
    assert record.answered_by == "1002"
    assert record.answered_at == at(11.1234)
    assert record.talk_ms == 48_876
    assert record.wait_ms == 10_123


@pytest.mark.req("K1", "K2", "G7")
def test_the_fifteen_seconds_of_the_agents_and_the_wait_of_the_caller_are_two_clocks() -> None:
    """Nobody is idle for 40 s, then an agent takes 9 s: his 15 s are kept, the caller has waited 49 s in the queue."""
    caller = Caller()
    busy = member(-60, A, status=2, in_call=True)
    record = told([busy, *caller.asks(0), member(42, A), caller.offered(42, A), *caller.talks(51, 60, A)])
    assert (record.clocks.ct02_from, record.clocks.ct02_ms) == (at(42), 9_000)
    assert record.clocks.breach_agents == ()
    assert [(offer.agent, offer.ring_ms) for offer in record.offers] == [("1001", 9_000)], "each offer beside it"
    assert queued_ms(record) == 49_000


@pytest.mark.req("TL-10", "CT-02", "K1")
def test_nobody_idle_is_no_breach_of_the_agents() -> None:
    caller = Caller()
    record = told(
        [
            member(-60, A, status=2, in_call=True),
            *caller.asks(0),
            member(40, A),
            caller.offered(40.2, A),
            *caller.talks(45, 60, A),
        ]
    )
    assert record.clocks.join_to_answer_ms == 43_000
    assert record.clocks.ct02_from == at(40)
    assert record.clocks.ct02_ms == 5_000
    assert record.clocks.breach is Breach.NOBODY_IDLE
    assert record.clocks.breach_agents == ()


def test_nobody_ever_idle_has_no_ct02_clock() -> None:
    caller = Caller()
    record = told([*caller.asks(0), caller.left(40), caller.abandoned(40), caller.hung_up(40.1)])
    assert record.clocks.ct02_from is None
    assert record.clocks.ct02_ms is None
    assert record.clocks.breach is Breach.NOBODY_IDLE


@pytest.mark.req("CT-02")
def test_an_idle_agent_who_is_never_rung_is_not_offered() -> None:
    caller = Caller()
    record = told([member(-60, A), *caller.asks(0), caller.left(30), caller.abandoned(30), caller.hung_up(30.1)])
    assert record.clocks.breach is Breach.NOT_OFFERED
    assert record.clocks.breach_agents == ()
    assert record.clocks.ct02_ms == 28_000


@pytest.mark.req("CT-02")
def test_rung_late_and_answered_soon_is_not_offered_and_names_who_rang() -> None:
    caller = Caller()
    record = told([member(-60, A), *caller.asks(0), caller.offered(16, A), *caller.talks(18, 60, A)])
    assert record.clocks.ct02_ms == 16_000
    assert record.clocks.breach is Breach.NOT_OFFERED
    assert record.clocks.breach_agents == ("1001",)


@pytest.mark.req("CT-02")
def test_an_offer_alone_proves_an_idle_agent() -> None:
    caller = Caller()
    record = told([*caller.asks(0), caller.offered(3, A), *caller.talks(19, 60, A)])
    assert record.clocks.ct02_from == at(3)
    assert record.clocks.ct02_ms == 16_000
    assert record.clocks.breach is Breach.IDLE_AGENT_SLOW


@pytest.mark.req("CT-02")
def test_waiting_unanswered_past_the_target_is_a_breach_too() -> None:
    caller = Caller()
    record = told(
        [
            member(-60, A),
            *caller.asks(0),
            caller.offered(2, A),
            *caller.rings_out(10, A),
            caller.left(18),
            caller.abandoned(18),
            caller.hung_up(18.1),
        ]
    )
    assert record.clocks.join_to_answer_ms is None
    assert record.clocks.ask_to_answer_ms is None
    assert record.clocks.ct02_ms == 16_000
    assert record.clocks.breach is Breach.IDLE_AGENT_SLOW
    assert record.clocks.breach_agents == ("1001",)


@pytest.mark.req("CT-02")
def test_an_agent_taken_at_once_by_the_caller_before_was_not_idle_for_the_next() -> None:
    ahead, behind = Caller(1), Caller(2)
    facts: list[ev.CallEvent] = [
        member(-60, A, status=2, in_call=True),
        *ahead.asks(0),
        *behind.asks(1),
        member(20, A),
        ahead.offered(20.3, A),
        *ahead.talks(22, 40, A),
        behind.left(50),
        behind.abandoned(50),
        behind.hung_up(50.1),
    ]
    record = next(record for record in _records(facts) if record.call_id == behind.id)
    assert record.clocks.ct02_from is None
    assert record.clocks.breach is Breach.NOBODY_IDLE


def _records(facts: list[ev.CallEvent]) -> list[CallRecord]:
    return replay(facts, FloorSettings(wrap_up_s=60))


def test_the_target_is_a_setting() -> None:
    caller = Caller()
    facts = [member(-60, A), *caller.asks(0), caller.offered(2, A), *caller.talks(8, 60, A)]
    assert told(facts, FloorSettings(target_ms=5_999)).clocks.breach is Breach.IDLE_AGENT_SLOW
    assert told(facts, FloorSettings(target_ms=6_000)).clocks.breach is None


def stretch(start: float, end: float | None, taken_by: str = "") -> Idle:
    return Idle(start=at(start), end=None if end is None else at(end), taken_by=taken_by)


@pytest.mark.parametrize(
    ("stretches", "found"),
    [
        ([], None),
        ([stretch(-5, None)], 0),
        ([stretch(3, None)], 3),
        ([stretch(9, 9.999)], None),
        ([stretch(9, 10)], 9),
        ([stretch(9.001, None)], None),
        ([stretch(9, None)], 9),
        ([stretch(4, 4.2, "other")], None),
        ([stretch(4, 4.2, "me")], 4),
        ([stretch(-5, -1)], None),
        ([stretch(-5, 0.5)], None),
        ([stretch(-5, 0.5, "me")], 0),
        ([stretch(6, 8), stretch(3, 5)], 3),
        ([stretch(3, 5), stretch(6, 8)], 3),
        ([stretch(11, None)], None),
    ],
)
def test_first_idle_moment_of_a_wait_from_0_to_10(stretches: list[Idle], found: float | None) -> None:
    moment = first_idle(stretches, call_id="me", since=at(0), until=at(10), settle_ms=1_000)
    assert moment == (None if found is None else at(found))


def test_ticks_keep_the_idle_moment_of_an_agent_who_signs_out() -> None:
    caller = Caller()
    record = told(
        [
            member(-60, A),
            *caller.asks(0),
            tick(5),
            member(6, A, removed=True),
            caller.left(30),
            caller.abandoned(30),
            caller.hung_up(30.1),
        ]
    )
    assert record.clocks.ct02_from == at(2)
    assert record.clocks.breach is Breach.NOT_OFFERED
