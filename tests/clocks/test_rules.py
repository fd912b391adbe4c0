"""Deadlines, cards and outcomes are pure functions of the segments."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing import calendar
from ticketing.clocks import calendars, rules
from ticketing.clocks.definitions import definitions, graded, parse, parse_graded
from ticketing.clocks.explanation import pieces
from ticketing.clocks.model import Card, Clock, Outcome, Segment
from ticketing.errors import Invalid
from ticketing.orders.model import Channel

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


def test_a_given_limit_at_the_edges_of_a_pause() -> None:
    """Not reached when the clock stopped, it moves by the pause; reached at that very moment, it was hit before it."""
    segments = [_segment(0, 20), _segment(50, None)]
    assert rules.due(segments, None, given=_at(20)) == _at(50)
    assert rules.due(segments, None, given=_at(19)) == _at(19)
    assert rules.due([_segment(0, 20)], None, given=_at(20)) is None
    assert rules.due([_segment(0, 20)], None, given=_at(19)) == _at(19)
    assert rules.due([], None, given=_at(19)) is None


def test_a_stretch_that_ended_as_the_limit_was_set_counts_no_more() -> None:
    segments = [_segment(0, 20), _segment(50, None)]
    assert rules.counted(segments, _at(20)) == (segments[1],)
    assert [segment.started_at for segment in rules.counted(segments, _at(10))] == [_at(10), _at(50)]
    assert rules.counted(segments, None) == tuple(segments)


@pytest.mark.req("MN-07")
@pytest.mark.parametrize(
    ("due", "warn", "given", "now", "expected"),
    [
        (60, 45, "", 0, 45),
        (60, 45, "yellow", 50, 60),
        (60, 45, "yellow red", 70, None),
        (60, 45, "", 60, 60),  # hit already: its red card, no late yellow one
        (60, 45, "red", 70, None),
        (60, 45, "red", 0, 45),  # a later limit was set since the red one: yellow is still to come
        (60, None, "", 0, 60),
        (60, None, "red", 0, None),
        (None, 45, "", 0, None),
        (None, None, "", 0, None),
    ],
)
def test_the_next_card(*, due: int | None, warn: int | None, given: str, now: int, expected: int | None) -> None:
    times = [None if minutes is None else _at(minutes) for minutes in (due, warn, expected)]
    assert rules.next_card(times[0], times[1], [Card(name) for name in given.split()], _at(now)) == times[2]


@pytest.mark.parametrize(
    ("minutes", "expected"), [(44, Card.NONE), (45, Card.YELLOW), (59, Card.YELLOW), (60, Card.RED)]
)
def test_cards(minutes: int, expected: Card) -> None:
    due_at = _at(60)
    assert rules.card(due_at, due_at - timedelta(minutes=15), _at(minutes)) is expected
    assert rules.card(None, None, _at(minutes)) is Card.NONE


@given(st.lists(st.integers(1, 600), min_size=1, max_size=12), st.integers(1, 5000))
def test_the_limit_is_spent_once_however_often_it_is_paused(steps: list[int], target: int) -> None:
    """Whatever the pauses: the time run before the deadline equals the target."""
    moments = [0]
    for step in steps:
        moments.append(moments[-1] + step)
    stretches = [_segment(a, b) for a, b in zip(moments[::2], moments[1::2], strict=False)]
    segments = [*stretches, _segment(moments[-1] + 1, None)]
    due_at = rules.due(segments, timedelta(minutes=target))
    assert due_at is not None
    before = (min(s.stopped_at or due_at, due_at) - s.started_at for s in segments if s.started_at < due_at)
    assert sum(before, timedelta()) == timedelta(minutes=target)


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


OFFICE = calendar.from_table(tomllib.loads(calendars.shipped())["calendar"]["office"])
moments = st.timedeltas(timedelta(), timedelta(days=200)).map(lambda after: datetime(2026, 1, 1, tzinfo=UTC) + after)
gaps = st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=4)), min_size=2, max_size=8)
targets = st.timedeltas(timedelta(minutes=1), timedelta(hours=60))


def _history(start: datetime, steps: list[timedelta]) -> list[Segment]:
    """Runs and pauses in turn, running at the end."""
    moments = [start]
    for step in steps if len(steps) % 2 == 0 else steps[:-1]:
        moments.append(moments[-1] + step)
    ran = [Segment(a, b, "started", "pause") for a, b in zip(moments[::2], moments[1::2], strict=False)]
    return [*ran, Segment(moments[-1], None, "resume", None)]


@pytest.mark.parametrize("time", [rules.EVERY_HOUR, OFFICE], ids=["every hour", "office"])
@given(start=moments, steps=gaps, target=targets)
def test_no_pause_shortens_and_the_pieces_add_up(
    time: rules.WorkingTime, start: datetime, steps: list[timedelta], target: timedelta
) -> None:
    """Whatever the pauses: never before the undisturbed limit, and every second of the limit is in one piece."""
    segments = _history(start, steps)
    due_at = rules.due(segments, target, time=time)
    undisturbed = rules.due([Segment(start, None, "started", None)], target, time=time)
    assert due_at is not None
    assert undisturbed is not None
    assert due_at >= undisturbed
    given_at = rules.due(segments, None, undisturbed)
    assert given_at is not None
    assert given_at >= undisturbed
    made = pieces(segments, due_at, time)
    assert sum(piece.counted_s for piece in made) == pytest.approx(target.total_seconds())
    assert (made[0].started_at, made[-1].ended_at) == (start, due_at)
    assert all(one.ended_at == two.started_at for one, two in pairwise(made)), "nothing is left out"


@pytest.mark.parametrize("time", [rules.EVERY_HOUR, OFFICE], ids=["every hour", "office"])
@given(start=moments, steps=gaps, target=targets, lead=targets)
def test_the_yellow_card_never_comes_after_the_limit(
    time: rules.WorkingTime, start: datetime, steps: list[timedelta], target: timedelta, lead: timedelta
) -> None:
    segments = _history(start, steps)
    due_at, warn_at = rules.due(segments, target, time=time), rules.due(segments, target, time=time, ahead=lead)
    assert due_at is not None
    assert warn_at is not None
    assert warn_at <= due_at


def test_a_new_limit_forgets_what_ran_before_it() -> None:
    segments = [_segment(0, 20), _segment(50, 80), _segment(90, None)]
    assert rules.due(segments, HOUR, since=_at(60)) == _at(130), "20 minutes before the pause and 40 after it"
    assert rules.due(segments, None, _at(100), since=_at(60)) == _at(110)
    assert rules.due(segments, None, _at(70), since=_at(60)) == _at(70), "hit before the pause"


def test_a_limit_hit_before_a_pause_stays_hit() -> None:
    assert rules.due([_segment(0, 61)], HOUR) == _at(60)
    assert rules.due([_segment(0, 61), _segment(100, None)], HOUR) == _at(60)
    assert rules.due([_segment(0, 60)], HOUR) is None, "paused at the limit itself: in time"
    assert rules.due([_segment(0, 61)], None, _at(60)) == _at(60)
    assert rules.due([_segment(0, 59)], None, _at(60)) is None
    assert rules.due([], None, _at(60)) is None


@pytest.mark.req("G4")
def test_which_start_of_the_dispatch_hour_is_judged() -> None:
    judged = {channel.value: anchor for channel in Channel for anchor in "AB" if graded("K6", anchor, channel.value)}
    assert judged == {
        "telephone": "A", "callback": "A", "walk_in": "A", "recording": "B", "letter": "B", "fax": "B", "email": "B",
        "department": "B", "web": "B",
    }  # fmt: skip
    assert graded("K9", "", "letter")
    with pytest.raises(Invalid) as refusal:
        parse_graded('[graded]\nfax = "C"')
    assert refusal.value.details["field"] == "graded.fax"
