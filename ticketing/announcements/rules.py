"""What is announced when, and which times an announcement may have. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ticketing.announcements.model import Announcement, State
from ticketing.errors import Invalid

#: nothing is announced for longer than this without a person saying so again
LONGEST = timedelta(days=7)
#: how far ahead one may be planned
AHEAD = timedelta(days=30)
#: a caller hears so many before the menu; the ones that began last
MOST = 3


def state(found: Announcement, now: datetime) -> State:
    """Where it stands; one that was switched off before it began is over at once."""
    if found.off_at is not None or found.until <= now:
        return State.OVER
    return State.PLANNED if now < found.starts_at else State.ON


def current(rows: Iterable[Announcement], dnis: str, now: datetime) -> tuple[str, ...]:
    """Prompts for a caller of this number now, the oldest first, none twice, `MOST` at most (TL-26).

    The moment it starts belongs to it, the moment it ends does not.
    """
    on = [each for each in rows if state(each, now) is State.ON and (not each.dnis or dnis in each.dnis)]
    on.sort(key=lambda each: (each.starts_at, each.id))
    prompts = dict.fromkeys(each.prompt for each in on)
    return tuple(prompts)[-MOST:]


def check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raises Invalid for an end that has passed or comes before the beginning, for too long, and for too far ahead."""
    if ends_at <= now:
        raise Invalid("in_the_past", "the end has passed", field="ends_at")
    if ends_at <= starts_at:
        raise Invalid("end_before_start", "it would end before it begins", field="ends_at")
    if starts_at > now + AHEAD:
        raise Invalid("out_of_range", "not so far ahead", field="starts_at")
    if ends_at - max(starts_at, now) > LONGEST:
        raise Invalid("too_long_announced", "an announcement ends within a week", field="ends_at")
