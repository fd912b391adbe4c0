"""The one fair order of live callers and callbacks, when to dial, which windows can be booked. Pure.

The rule: those who wait stand in one line a queue, by priority and then by the moment they joined the queue, whether
they hold the line or booked a callback; a booking keeps its caller's moment. A booking for a window joins when the
window opens. One that may not be dialled now (quiet hours, wait between attempts, put off) is passed over and then
stands again where its moment puts it. Each free agent belongs to the first of the line who has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ticketing.calendar import Shift, WorkingCalendar
from ticketing.callbacks.model import Window
from ticketing.callbacks.policy import Policy, Slot
from ticketing.clocks import rules as clocks
from ticketing.clocks.model import Definition, Segment
from ticketing.customers.rules import normalise

ASAP = "asap"
#: how far ahead a workday is looked for
_AHEAD = 30
#: the Chinese plan's mobile and fixed numbers have so many digits after +86
_DIGITS = range(9, 12)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody who waits: a live caller, or a callback."""

    #: call id of a live caller, serial of a callback
    key: str
    joined_at: datetime
    #: higher first
    priority: int = 0
    callback: bool = False
    #: a callback that may be dialled now; live callers always are
    ready: bool = True
    #: queue he waits for
    queue: str = ""


def order(bookings: Sequence[Place], live_callers: Sequence[Place]) -> list[Place]:
    """The one line of a queue, first to last. At the same microsecond a live caller goes before a callback."""
    ready = [booking for booking in bookings if booking.ready]
    return sorted(
        (*live_callers, *ready), key=lambda place: (-place.priority, place.joined_at, place.callback, place.key)
    )


def in_order(waiting: Sequence[Place]) -> list[Place]:
    """The same line of callers and callbacks mixed, of one queue or of all."""
    return order([each for each in waiting if each.callback], [each for each in waiting if not each.callback])


def first_for(queues: Collection[str], waiting: Sequence[Place]) -> Place | None:
    """Who is first of those whom an agent of these queues could serve."""
    return next((place for place in in_order(waiting) if place.queue in queues), None)


def may_dial(free_agents: int, live_ahead: int, in_flight: int) -> bool:
    """Whether one more callback may be dialled (P36).

    `free_agents`: agents of the queue who are idle, or kept for a callback in flight; `live_ahead`: live callers before
    it in the line; `in_flight`: callbacks claimed, reserved or being dialled, none of which has its agent talking yet.
    """
    return free_agents - in_flight - live_ahead > 0


def to_dial(bookings: Sequence[Place], live_callers: Sequence[Place], free_agents: int, in_flight: int) -> list[Place]:
    """Callbacks whose turn it is now, in order; `bookings` are those nobody has claimed."""
    chosen: list[Place] = []
    live_ahead = 0
    for place in order(bookings, live_callers):
        if not place.callback:
            live_ahead += 1
        elif may_dial(free_agents, live_ahead, in_flight + len(chosen)):
            chosen.append(place)
        else:
            break
    return chosen


def assign(waiting: Sequence[Place], free: Mapping[str, Collection[str]]) -> dict[str, Place]:
    """Who serves whom: each of the line in turn gets a free agent of his queue (P36).

    `free`: agents and the queues they serve. Of several the one with the fewest queues is taken, of equals the one
    named first, so that who serves many queues stays free for them. Nobody is passed over for one who stands behind
    him in the same queue.
    """
    left, chosen = dict(free), {}
    for place in in_order(waiting):
        able = [agent for agent, queues in left.items() if place.queue in queues]
        if able:
            agent = min(able, key=lambda each: len(left[each]))
            del left[agent]
            chosen[agent] = place
    return chosen


def place_from(joined_at: datetime, window_start: datetime | None) -> datetime:
    """Moment a booking stands at in the line."""
    return joined_at if window_start is None else max(joined_at, window_start)


# -- numbers ---------------------------------------------------------------------------------------------------------


def dialable(raw: str, policy: Policy, area_code: str | None = None) -> str | None:
    """The E.164 number the product may call back, None for any other: withheld, short, abroad, 400, impossible."""
    number = normalise(raw, area_code=area_code).e164
    if number is None or not number.startswith(policy.prefixes):
        return None
    national = number.removeprefix("+86")
    if number.startswith("+86") and (len(national) not in _DIGITS or national.startswith(("400", "800"))):
        return None
    return number


# -- caps ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that began, and the agent who was kept for it."""

    at: datetime
    agent: str | None


def caps(begun: Iterable[Begun], policy: Policy, now: datetime) -> tuple[bool, frozenset[str]]:
    """Whether another attempt may begin at all, and the agents with whom none may, for the hour before `now` (S06).

    `begun` are at least the newest `per_hour` attempts.
    """
    within = [each.agent for each in begun if each.at > now - _HOUR]
    made = Counter(agent for agent in within if agent)
    return len(within) < policy.per_hour, frozenset(a for a, count in made.items() if count >= policy.per_agent)


# -- times -----------------------------------------------------------------------------------------------------------


def next_call(policy: Policy, at: datetime, opening: WorkingCalendar | None = None) -> datetime:
    """`at`, or the first later moment that is not quiet and, if given, in the queue's opening hours; `at` itself if
    there is none within a year."""
    calendars = (policy.calling,) if opening is None else (policy.calling, opening)
    found = at
    for _ in range(_AHEAD * 12):
        later = max(calendar.next_open(found) or at for calendar in calendars)
        if later <= found:
            return found
        found = later
    return at


def spacing(policy: Policy, used: int) -> timedelta:
    """Wait after the `used`-th failed attempt."""
    return policy.spacing[min(max(used, 1), len(policy.spacing)) - 1]


def retry_at(policy: Policy, used: int, window_end: datetime | None, at: datetime) -> datetime | None:
    """When the next attempt may be made; None when none is left or the window does not hold another."""
    if used >= policy.cap:
        return None
    found = next_call(policy, at + spacing(policy, used))
    return None if window_end is not None and found >= window_end else found


def due(definition: Definition, policy: Policy, counts_from: datetime, window_end: datetime | None) -> datetime:
    """K17: the end of the window, or so much calling time after the booking; quiet and closed hours do not count."""
    running = [Segment(counts_from, None, "booked", None)]
    found = clocks.due(running, definition.target, window_end, time=policy.calling)
    assert found is not None  # the definition has a target
    return found


# -- windows ---------------------------------------------------------------------------------------------------------


def windows(policy: Policy, opening: WorkingCalendar | None, at: datetime, *, asap: bool = True) -> list[Window]:
    """What can be booked now, soonest first: as soon as possible, then the parts of today and of tomorrow, and those
    of the next workday when tomorrow is none or nothing is open then.

    `opening`: when the queue is staffed, None = always. A window is cut to what is open and not quiet, and offered
    while the policy's least length of it is left. `asap` is offered when the queue is open and no quiet hours are.
    """
    found = []
    now_open = policy.calling.is_open(at) and (opening is None or opening.is_open(at))
    if asap and now_open:
        found.append(Window(ASAP, ASAP, at, at))
    today, tomorrow = _today(policy, at)
    for day, word in ((today, "today"), (tomorrow, "tomorrow")):
        found += _of_day(policy, opening, day, word, at)
    closed = not any(window.spoken.startswith("tomorrow") for window in found)
    if closed or not policy.workdays.shifts(tomorrow):
        later = (tomorrow + timedelta(days=ahead) for ahead in range(1, _AHEAD))
        workdays = (_of_day(policy, opening, day, "next-workday", at) for day in later if policy.workdays.shifts(day))
        found += next((offered for offered in workdays if offered), [])
    return found


def spoken(policy: Policy, window: str, at: datetime) -> str:
    """How a booked window is said at `at`: `tomorrow-morning` of yesterday is `today-morning` now."""
    day, _, code = window.rpartition("-")
    if window == ASAP or not day:
        return ASAP
    today, tomorrow = _today(policy, at)
    words = {today.isoformat(): "today", tomorrow.isoformat(): "tomorrow"}
    return f"{words.get(day, 'next-workday')}-{code}"


def _today(policy: Policy, at: datetime) -> tuple[date, date]:
    today = at.astimezone(policy.calling.zone).date()
    return today, today + timedelta(days=1)


def _of_day(policy: Policy, opening: WorkingCalendar | None, day: date, word: str, at: datetime) -> list[Window]:
    found = []
    for slot in sorted(policy.slots, key=lambda each: each.start):
        span = _open_part(policy, opening, day, slot, at)
        if span is not None and span[1] - span[0] >= policy.least:
            found.append(Window(f"{day.isoformat()}-{slot.code}", f"{word}-{slot.code}", *span))
    return found


def _open_part(
    policy: Policy, opening: WorkingCalendar | None, day: date, slot: Slot, at: datetime
) -> tuple[datetime, datetime] | None:
    """First and last moment of the slot in which a call may be made and somebody is there; None when there is none."""
    parts: list[tuple[datetime, datetime]] = [_instants(policy.calling, day, (slot.start, slot.end))]
    for calendar in (policy.calling, *([] if opening is None else [opening])):
        spans = [_instants(calendar, day, shift) for shift in calendar.shifts(day)]
        parts = [
            (max(start, first), min(end, last))
            for start, end in parts
            for first, last in spans
            if max(start, first) < min(end, last)
        ]
    parts = [(max(start, at), end) for start, end in parts if end > at]
    return (parts[0][0], parts[-1][1]) if parts else None


def _instants(calendar: WorkingCalendar, day: date, shift: Shift) -> tuple[datetime, datetime]:
    start, end = (_instant(calendar, day, minutes) for minutes in shift)
    return start, end


def _instant(calendar: WorkingCalendar, day: date, minutes: int) -> datetime:
    more, minutes = divmod(minutes, 1440)
    clock = time(minutes // 60, minutes % 60)
    return datetime.combine(day + timedelta(days=more), clock, calendar.zone).astimezone(UTC)
