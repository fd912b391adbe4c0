"""Which stamps prove that a clock was set, which only that somebody was slow, and what a moment of the past is now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.ami.timeline import STEP, Timeline
from cti.calls.events import CallerJoined, JournalRead

START = datetime(2026, 11, 23, 2, 13, 28, tzinfo=UTC)
NONE = timedelta(0)
MS = timedelta(milliseconds=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def agreeing() -> Timeline:
    """Two clocks that show the same, seen a second ago."""
    made = Timeline()
    assert made.look(START, 0.0) is None
    assert made.pong(START, -0.001, 0.001) is None
    assert made.shift == NONE
    return made


@pytest.mark.req("F20")
def test_late_events_and_slow_answers_prove_nothing() -> None:
    line = agreeing()
    assert line.heard(at(1), 1.001) is None
    assert line.heard(at(1.2), 61.0) is None, "on its way for a minute: the process stood still"
    assert line.pong(at(1.3), 0.0, 61.0) is None, "asked before, answered after"
    assert line.heard(at(61.1), 61.2) is None
    assert line.heard(at(60.8), 61.2) is None, "two threads of Asterisk crossed"
    assert line.look(at(62.3), 62.0) is None, "slewed"
    assert line.shift == NONE


@pytest.mark.req("F20")
@pytest.mark.parametrize(
    ("stamp", "came", "by"),
    [(42.0, 2.0, 40.0), (-38.0, 2.0, -40.0), (2.6, 2.0, 0.6), (3602.0, 2.0, 3600.0)],
)
def test_an_event_from_the_future_or_the_past_proves_a_step(stamp: float, came: float, by: float) -> None:
    line = agreeing()
    assert line.heard(at(1.9), 1.9) is None
    assert line.heard(at(stamp), came) == pytest.approx(timedelta(seconds=by), abs=MS)
    assert line.shift == pytest.approx(timedelta(seconds=-by), abs=MS)


@pytest.mark.req("F20")
def test_a_ping_proves_what_no_event_can_and_says_it_exactly() -> None:
    line = agreeing()
    assert line.heard(at(10.0), 10.0) is None
    assert line.pong(at(11.0), 11.999, 12.001) == pytest.approx(timedelta(seconds=-1), abs=MS), "a leap second"
    assert line.shift == pytest.approx(timedelta(seconds=1), abs=MS)
    rough = agreeing()
    assert rough.heard(at(40.7), 1.0) is not None, "it was on its way for 0.3 s"
    assert rough.pong(at(42.0), 1.999, 2.001) is None
    assert rough.shift == pytest.approx(timedelta(seconds=-40), abs=2 * MS)


@pytest.mark.req("F20")
def test_an_asterisk_whose_clock_was_always_wrong_is_allowed_for_from_the_start() -> None:
    line = Timeline()
    line.look(START, 0.0)
    assert line.pong(at(-3600), -0.01, 0.01) is None, "not set: it is the first look"
    assert line.shift == timedelta(hours=1)
    for second in range(1, 20):
        line.pong(at(second - 3600 + 0.01 * (-1) ** second), second - 0.02, second + 0.02)
    assert line.shift == timedelta(hours=1), "the trembling of answers does not get into stamps"


@pytest.mark.req("F20", "TL-70")
def test_what_a_journal_tells_of_before_and_after_a_step_is_of_one_time() -> None:
    line = agreeing()
    line.heard(at(10), 10.0)
    line.heard(at(51), 11.0)
    line.heard(at(70), 30.0)
    told = line.moved(JournalRead(at=at(30), facts=tuple(_joined(when) for when in (5.0, 9.9, 50.9, 60.0))))
    assert isinstance(told, JournalRead)
    assert [round((fact.at - START).total_seconds(), 1) for fact in told.facts] == [5.0, 9.9, 10.9, 20.0]
    assert {fact.within_ms for fact in told.facts} == {100}


@pytest.mark.req("F20", "TL-70")
def test_a_moment_that_was_shown_twice_is_known_to_the_step_only() -> None:
    line = agreeing()
    line.heard(at(50), 50.0)
    line.heard(at(11), 51.0)
    line.heard(at(30), 70.0)
    told = line.moved(JournalRead(at=at(70), facts=(_joined(2.0), _joined(20.0))))
    assert isinstance(told, JournalRead)
    first, twice = told.facts
    assert ((first.at - START).total_seconds(), first.within_ms) == (2.0, 100)
    assert round((twice.at - START).total_seconds()) == 60
    assert abs(twice.within_ms - 40_100) <= 1


def _joined(seconds: float) -> CallerJoined:
    return CallerJoined(at=at(seconds), call_id="1", queue="complaint", within_ms=100)


@pytest.mark.req("F20")
@given(
    steps=st.lists(st.tuples(st.floats(0.1, 3.0), st.floats(-4000, 4000)), max_size=6),
    late=st.lists(st.floats(0.0, 0.2), min_size=60, max_size=60),
)
def test_moments_stay_where_they_were_whatever_is_done_to_asterisks_clock(
    steps: list[tuple[float, float]], late: list[float]
) -> None:
    """Two events a second, a ping every two seconds; each moment is found within what the event was late and `STEP`.

    A step back of less than a ping's time may be known only at the next ping.
    """
    line, off, due = agreeing(), 0.0, list(steps)
    came = since = 0.0
    for number, delay in enumerate(late, 1):
        true = number * 0.5
        since += 0.5
        if due and since >= 5.0 + due[0][0] and abs(due[0][1]) > 3.0:
            off += due.pop(0)[1]
            since = 0.0
        came = max(came, true + delay)
        if number % 4 == 0:
            line.pong(at(true + off), true - 0.001, true + 0.001)
        line.heard(at(true + off), came)
        found = at(true + off) + line.shift
        assert abs(found - at(true)) < STEP + timedelta(seconds=0.25), (number, off)
