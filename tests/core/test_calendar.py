"""Working time with shifts, holidays, make-up workdays and clock changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.calendar import WorkingCalendar, parse
from ticketing.errors import Invalid

OFFICE = parse(
    """
[queue]
complaint = "office"
[calendar.office]
zone = "Asia/Shanghai"
mon = ["08:30-12:00", "13:30-18:00"]
tue = ["08:30-12:00", "13:30-18:00"]
wed = ["08:30-12:00", "13:30-18:00"]
thu = ["08:30-12:00", "13:30-18:00"]
fri = ["08:30-12:00", "13:30-18:00"]
makeup = ["09:00-12:00"]
holidays = ["2026-10-01/2026-10-07"]
workdays = ["2026-10-10"]
"""
)["office"]
HOUR = timedelta(hours=1)


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+08:00")


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("03-10T08:29", False),
        ("03-10T08:30", True),
        ("03-10T12:00", False),
        ("03-10T17:59", True),
        ("03-14T10:00", False),
        ("10-05T10:00", False),
        ("10-10T10:00", True),
        ("10-10T12:30", False),
    ],
)
def test_open_hours(at: str, open_: bool) -> None:
    assert OFFICE.is_open(beijing(at)) is open_


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("03-10T09:00", 1, "03-10T10:00"),
        ("03-10T11:30", 1, "03-10T14:00"),
        ("03-10T11:00", 1, "03-10T12:00"),
        ("03-10T17:30", 1, "03-11T09:00"),
        ("03-13T17:30", 1, "03-16T09:00"),
        ("03-14T10:00", 8, "03-16T18:00"),
        ("09-30T17:00", 5, "10-08T14:00"),
        ("10-09T17:00", 4, "10-10T12:00"),
    ],
)
def test_working_time_is_added_across_breaks_and_holidays(start: str, hours: int, end: str) -> None:
    assert OFFICE.advance(beijing(start), hours * HOUR) == beijing(end)


def test_next_open_skips_the_holiday() -> None:
    assert OFFICE.next_open(beijing("09-30T18:00")) == beijing("10-08T08:30")
    assert OFFICE.next_open(beijing("03-10T09:00")) == beijing("03-10T09:00")


YEAR = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(), timedelta(days=364)).map(lambda after: YEAR + after)
ROUND = WorkingCalendar(ZoneInfo("Asia/Shanghai"), (((0, 1440),),) * 7)
BERLIN = WorkingCalendar(ZoneInfo("Europe/Berlin"), (((0, 1440),),) * 7)


@given(moments, st.timedeltas(timedelta(), timedelta(hours=300)))
def test_advance_and_elapsed_agree(at: datetime, span: timedelta) -> None:
    assert OFFICE.elapsed(at, OFFICE.advance(at, span)) == span


@given(moments, moments)
def test_elapsed_adds_up_and_is_never_negative(one: datetime, two: datetime) -> None:
    start, end = sorted((one, two))
    middle = start + (end - start) / 2
    assert OFFICE.elapsed(start, middle) + OFFICE.elapsed(middle, end) == OFFICE.elapsed(start, end)
    assert OFFICE.elapsed(end, start) == timedelta()


@pytest.mark.parametrize("calendar", [ROUND, BERLIN])
@given(at=moments, span=st.timedeltas(timedelta(), timedelta(days=60)))
def test_round_the_clock_is_plain_time_also_over_clock_changes(
    calendar: WorkingCalendar, at: datetime, span: timedelta
) -> None:
    assert calendar.advance(at, span) == at + span
    assert calendar.elapsed(at, at + span) == span


def test_a_calendar_that_never_opens_is_named() -> None:
    closed = WorkingCalendar(ZoneInfo("UTC"), ((),) * 7)
    assert closed.next_open(beijing("03-10T09:00")) is None
    with pytest.raises(Invalid, match="calendar_never_opens"):
        closed.advance(beijing("03-10T09:00"), HOUR)


@pytest.mark.parametrize(
    "table",
    ["zone='Mars'", "mon=['08:00-12:00']", "zone='UTC'\nmon=['12:00-08:00']", "zone='UTC'\nmon=['8-12']",
     "zone='UTC'\nmon=['08:00-12:00','11:00-13:00']", "zone='UTC'\nholidays=['2026-13-01']", "zone='UTC'\nmonday=[]",
     "zone='UTC'\nholidays=['2026-02-01/2026-01-01']"],
)  # fmt: skip
def test_a_broken_calendar_is_named(table: str) -> None:
    with pytest.raises(Invalid, match=r"calendar\.a"):
        parse(f"[calendar.a]\n{table}")


def test_make_up_days_win_over_holidays() -> None:
    both = WorkingCalendar(
        ZoneInfo("UTC"), ((),) * 7, frozenset({date(2026, 1, 1)}), frozenset({date(2026, 1, 1)}), ((0, 60),)
    )
    assert both.is_open(datetime(2026, 1, 1, tzinfo=UTC))


def test_a_year_nobody_wrote_down_is_a_plain_week_and_says_so() -> None:
    """国庆 of 2027 is not published yet: the week alone counts, and the deadline carries a warning."""
    start = datetime.fromisoformat("2027-10-01T09:00:00+08:00")
    assert OFFICE.advance(start, HOUR) == start + HOUR
    assert OFFICE.unknown_years(start, start + HOUR) == (2027,)
    assert OFFICE.unknown_years(beijing("12-30T09:00"), start) == (2027,)
    assert OFFICE.unknown_years(beijing("03-10T09:00"), beijing("12-31T23:00")) == ()
    assert ROUND.unknown_years(start, start + HOUR) == (), "nobody rests: there is nothing to know"
    listed = parse('[calendar.a]\nzone = "UTC"\nmon = ["08:00-12:00"]\nyears = [2027]')["a"]
    assert (listed.knows(2027), listed.knows(2026)) == (True, False)
    with pytest.raises(Invalid, match="not a year"):
        parse('[calendar.a]\nzone = "UTC"\nyears = ["2027"]')


days = st.integers(0, 364).map(lambda after: date(2026, 1, 1) + timedelta(days=after))
spans = st.timedeltas(timedelta(), timedelta(hours=80))


@given(moments, spans, st.lists(days, max_size=5))
def test_a_further_holiday_never_makes_a_deadline_earlier(at: datetime, span: timedelta, off: list[date]) -> None:
    more = replace(OFFICE, holidays=OFFICE.holidays | set(off))
    assert more.advance(at, span) >= OFFICE.advance(at, span)


@given(moments, spans, days)
def test_a_make_up_workday_never_makes_a_deadline_later(at: datetime, span: timedelta, on: date) -> None:
    whole = replace(OFFICE, makeup=OFFICE.week[0])
    more = replace(whole, workdays=OFFICE.workdays | {on})
    assert more.advance(at, span) <= whole.advance(at, span)


@given(moments, spans, st.floats(0, 1))
def test_a_span_cut_anywhere_ends_where_the_whole_one_does(at: datetime, span: timedelta, share: float) -> None:
    first = span * share
    assert OFFICE.advance(OFFICE.advance(at, first), span - first) == OFFICE.advance(at, span)


@given(moments, spans)
def test_the_stretches_are_in_order_and_add_up(at: datetime, span: timedelta) -> None:
    end = OFFICE.advance(at, span)
    pieces = OFFICE.stretches(at, end)
    assert sum((stop - start for start, stop in pieces), timedelta()) == span
    assert all(start < stop for start, stop in pieces)
    assert all(one[1] <= two[0] for one, two in pairwise(pieces))
