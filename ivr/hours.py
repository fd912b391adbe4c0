"""When a queue is open: weekdays, holidays and make-up workdays as data (TL-06). Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from ivr.model import Calendar, Tree


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Whether the calendar is open at this instant (aware; judged in the calendar's own zone).

    A make-up workday (调休) is open although it is a weekend or falls into a holiday; a holiday is closed.
    """
    local = at.astimezone(ZoneInfo(calendar.zone))
    day = local.date()
    if day in calendar.workdays:
        spans = calendar.makeup
    elif any(first <= day <= last for first, last in calendar.holidays):
        return False
    else:
        spans = calendar.week[day.weekday()]
    clock = local.time()
    return any(start <= clock and (clock < end or end == time.max) for start, end in spans)


class TreeHours:
    """The `OpeningHours` port from hours.toml, always by the newest tree."""

    def __init__(self, tree: Callable[[], Tree]) -> None:
        self._tree = tree

    async def is_open(self, queue: str, at: datetime) -> bool:
        """A queue that hours.toml does not name is open: nobody is sent away by a gap in a file."""
        tree = self._tree()
        name = tree.queue_calendar.get(queue)
        return name is None or is_open(tree.calendars[name], at)
