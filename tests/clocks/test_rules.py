"""Deadlines, cards and outcomes are pure functions of the segments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.clocks import rules
from ticketing.clocks.definitions import definitions, parse
from ticketing.clocks.model import Card, Clock, Outcome, Segment
from ticketing.errors import Invalid

START = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def _segment(start: float, stop: float | None) -> Segment:
    return Segment(_at(start), None if stop is None else _at(stop), "started", None if stop is None else "paused")


@pytest.mark.parametrize(("seconds", "expected"), [(3599, Outcome.MET), (3600, Outcome.MET), (3601, Outcome.BREACHED)])
def test_the_dispatch_hour(seconds: int, expected: Outcome) -> None:
    due_at = rules.due([_segment(0, None)], definitions()[Clock.DISPATCH].target)
    assert rules.outcome(due_at, START + timedelta(seconds=seconds)) is expected


def test_a_clock_that_never_counted_is_void_however_late() -> None:
    assert rules.outcome(START, START + 99 * HOUR, counts=False) is Outcome.VOID


def test_a_pause_moves_the_deadline_by_the_time_paused() -> None:
    segments = [_segment(0, 20), _segment(50, None)]
    assert rules.due(segments, HOUR) == _at(90)
    assert rules.paused(segments) == timedelta(minutes=30)
    assert rules.due([_segment(0, 20)], HOUR) is None
    assert rules.due(segments, HOUR, given=_at(60)) == _at(90)


def test_without_a_limit_there_is_no_deadline() -> None:
    assert rules.due([_segment(0, None)], None) is None
    assert rules.due([], HOUR) is None


@pytest.mark.parametrize(
    ("minutes", "expected"), [(44, Card.NONE), (45, Card.YELLOW), (59, Card.YELLOW), (60, Card.RED)]
)
def test_cards(minutes: int, expected: Card) -> None:
    due_at = _at(60)
    assert rules.card(due_at, rules.warn(due_at, timedelta(minutes=15)), _at(minutes)) is expected
    assert rules.card(None, None, _at(minutes)) is Card.NONE


def test_working_time_is_the_calendars() -> None:
    """A calendar that skips the first hour of every stretch."""
    assert rules.due([_segment(0, None)], HOUR, advance=lambda at, span: at + span + HOUR) == _at(120)


@given(st.lists(st.integers(1, 600), min_size=1, max_size=12), st.integers(1, 5000))
def test_the_limit_is_spent_once_however_often_it_is_paused(steps: list[int], target: int) -> None:
    """Whatever the pauses: time run before the deadline plus nothing else equals the target."""
    moments = [0]
    for step in steps:
        moments.append(moments[-1] + step)
    stretches = [_segment(a, b) for a, b in zip(moments[::2], moments[1::2], strict=False)]
    segments = [*stretches, _segment(moments[-1] + 1, None)]
    due_at = rules.due(segments, timedelta(minutes=target))
    assert due_at is not None
    ran = sum(((s.stopped_at or due_at) - s.started_at for s in segments), timedelta())
    assert ran == timedelta(minutes=target)


def test_the_data_file_names_every_clock_and_flags_what_no_paper_gives() -> None:
    found = definitions()
    assert set(found) == set(Clock)
    assert found[Clock.ENTRY].target == timedelta(hours=2)
    assert not found[Clock.ENTRY].default
    assert found[Clock.HANDOFF].default
    assert found[Clock.LEGAL].target == timedelta(days=15)
    assert not found[Clock.LEGAL].pauses
    assert not found[Clock.PROMISE].pauses
    assert not found[Clock.DISPATCH].pauses


def test_a_foreign_clock_in_the_data_file_is_named() -> None:
    with pytest.raises(Invalid) as refusal:
        parse("[K99]\n")
    assert refusal.value.details["unknown"] == ["K99"]
