"""Working time: weeks with several shifts a day, holidays and make-up workdays (调休). Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ticketing.errors import Invalid

#: start and end of a shift in minutes after midnight, end at most 1440
Shift = tuple[int, int]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELDS = {*_DAYS, "zone", "holidays", "workdays", "makeup", "years"}
#: how far ahead working time is looked for
_HORIZON = 400


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """When work counts, in its own zone; all instants in and out are aware."""

    zone: ZoneInfo
    #: shifts of Monday to Sunday
    week: tuple[tuple[Shift, ...], ...]
    holidays: frozenset[date] = frozenset()
    #: make-up workdays; they win over holidays
    workdays: frozenset[date] = frozenset()
    makeup: tuple[Shift, ...] = field(default=())
    #: years whose holidays are published, besides those of which some day is listed
    years: frozenset[int] = frozenset()

    def shifts(self, day: date) -> tuple[Shift, ...]:
        """Shifts of a day, in order."""
        if day in self.workdays:
            return self.makeup
        return () if day in self.holidays else self.week[day.weekday()]

    def knows(self, year: int) -> bool:
        """False when the holidays of that year are not written here: its days are then taken as the plain week says.

        A week without a day of rest keeps no holidays and knows every year.
        """
        if all(self.week) and not (self.holidays or self.workdays or self.years):
            return True
        return year in self.years or any(day.year == year for day in self.holidays | self.workdays)

    def unknown_years(self, start: datetime, end: datetime) -> tuple[int, ...]:
        """Years between two moments that are counted by the plain week only, for the warning beside a deadline."""
        first, last = (at.astimezone(self.zone).year for at in (start, end))
        return tuple(year for year in range(first, last + 1) if not self.knows(year))

    def is_open(self, at: datetime) -> bool:
        """True inside a shift; a shift's end does not belong to it."""
        return any(start <= at < end for start, end in self._spans(at, days=1))

    def next_open(self, at: datetime) -> datetime | None:
        """`at` itself when open, else the next start of a shift; None when there is none within 400 days."""
        for start, end in self._spans(at):
            if at < end:
                return max(at, start)
        return None

    def advance(self, at: datetime, span: timedelta) -> datetime:
        """Moment at which `span` of working time after `at` has passed: the end of a shift, not the next start.

        Raises Invalid when the calendar does not open for so long.
        """
        if span <= timedelta():
            return at
        left, last = span, at.astimezone(UTC)
        for start, end in self._spans(at):
            last = max(last, start)
            if left <= end - last:
                return last + left
            if end > last:
                left, last = left - (end - last), end
        raise Invalid("calendar_never_opens", "this calendar has not so much working time ahead")

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two moments; never negative."""
        return sum((stop - begin for begin, stop in self.stretches(start, end)), timedelta())

    def stretches(self, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """The pieces of working time between two moments, oldest first; none when they are the wrong way round."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        days = max((end - start).days, 0) + 2
        shifts = ((max(begin, start), min(stop, end)) for begin, stop in self._spans(start, days))
        return tuple((begin, stop) for begin, stop in shifts if begin < stop)

    def _spans(self, at: datetime, days: int = _HORIZON) -> Iterator[tuple[datetime, datetime]]:
        """Shifts as instants, from the day of `at` in the calendar's zone on; clock changes count as they happen."""
        day = at.astimezone(self.zone).date()
        for ahead in range(days):
            today = day + timedelta(days=ahead)
            for start, end in self.shifts(today):
                yield self._instant(today, start), self._instant(today, end)

    def _instant(self, day: date, minutes: int) -> datetime:
        more, minutes = divmod(minutes, 1440)
        return datetime.combine(day + timedelta(days=more), time(minutes // 60, minutes % 60), self.zone).astimezone(
            UTC
        )


def parse(text: str, source: str = "calendars") -> dict[str, WorkingCalendar]:
    """Calendars of a file's `[calendar.NAME]` tables, other tables are left to others; raises Invalid naming the
    calendar and the field that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("bad_calendar", f"{source}: {error}") from None
    return {
        name: from_table(table, f"{source}: [calendar.{name}]") for name, table in document.get("calendar", {}).items()
    }


def from_table(table: Mapping[str, Any], where: str = "calendar") -> WorkingCalendar:
    """One calendar from its fields as a data file or a page gives them; raises Invalid naming `where` and the field."""
    if strange := sorted(set(table) - _FIELDS):
        raise Invalid("bad_calendar", f"{where} unknown field {strange[0]!r}")
    try:
        return WorkingCalendar(
            zone=ZoneInfo(table["zone"]),
            week=tuple(_shifts(table.get(day, [])) for day in _DAYS),
            holidays=frozenset(_dates(table.get("holidays", []))),
            workdays=frozenset(_dates(table.get("workdays", []))),
            makeup=_shifts(table.get("makeup", [])),
            years=frozenset(_years(table.get("years", []))),
        )
    except (KeyError, ValueError, TypeError, AttributeError, ZoneInfoNotFoundError) as error:
        raise Invalid("bad_calendar", f"{where} {error}") from None


def _shifts(given: list[str]) -> tuple[Shift, ...]:
    shifts = tuple(sorted(_shift(each) for each in given))
    if any(later[0] < earlier[1] for earlier, later in pairwise(shifts)):
        raise ValueError(f"shifts overlap: {given}")
    return shifts


def _shift(given: str) -> Shift:
    first, _, last = given.partition("-")
    start, end = (int(hours) * 60 + int(minutes) for hours, minutes in (first.split(":"), last.split(":")))
    if not 0 <= start < end <= 1440:
        raise ValueError(f"not a shift: {given!r}")
    return start, end


def _dates(given: list[str]) -> Iterator[date]:
    for each in given:
        first, _, last = each.partition("/")
        start = date.fromisoformat(first)
        end = date.fromisoformat(last) if last else start
        if end < start:
            raise ValueError(f"not a stretch of days: {each!r}")
        yield from (start + timedelta(days=ahead) for ahead in range((end - start).days + 1))


def _years(given: list[int]) -> Iterator[int]:
    for each in given:
        if type(each) is not int or not date.min.year <= each <= date.max.year:
            raise ValueError(f"not a year: {each!r}")
        yield each
