"""Deadlines, cards and outcomes from segments: the same history gives the same due time (N6). Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from ticketing.clocks.model import Card, Outcome, Segment

#: adds working time to a moment: a calendar's own, or plain addition
Advance = Callable[[datetime, timedelta], datetime]
#: working time between two moments
Elapsed = Callable[[datetime, datetime], timedelta]


def every_hour(at: datetime, span: timedelta) -> datetime:
    """The calendar that never rests."""
    return at + span


def all_of(start: datetime, end: datetime) -> timedelta:
    """Time between two moments on the calendar that never rests; never negative."""
    return max(end - start, timedelta())


def due(
    segments: Sequence[Segment],
    target: timedelta | None,
    given: datetime | None = None,
    advance: Advance = every_hour,
    elapsed: Elapsed = all_of,
) -> datetime | None:
    """When the clock runs out; None while it stands still or has no limit.

    `target` counts working time over all segments, so a pause moves the deadline by the time paused. `given` is an
    absolute moment (a promise, a limit in a letter): it is the deadline unless time was spent paused after it was set.
    """
    if not segments or segments[-1].stopped_at is not None:
        return None
    if given is not None:
        return given + paused(segments)
    if target is None:
        return None
    spent = sum((elapsed(s.started_at, s.stopped_at) for s in segments if s.stopped_at is not None), timedelta())
    return advance(segments[-1].started_at, target - spent)


def paused(segments: Sequence[Segment]) -> timedelta:
    """Time between the segments, in which the clock stood still."""
    gaps = (b.started_at - a.stopped_at for a, b in pairwise(segments) if a.stopped_at is not None)
    return sum(gaps, timedelta())


def warn(due_at: datetime | None, lead: timedelta) -> datetime | None:
    """When the yellow card shows."""
    return None if due_at is None else due_at - lead


def card(due_at: datetime | None, warn_at: datetime | None, at: datetime) -> Card:
    """Red from the limit on, yellow from the lead time on (MN-07); `at` is now, or when the clock stopped."""
    if due_at is not None and at >= due_at:
        return Card.RED
    if warn_at is not None and at >= warn_at:
        return Card.YELLOW
    return Card.NONE


def outcome(due_at: datetime | None, stopped_at: datetime, counts: bool = True) -> Outcome:
    """Met at the limit itself (59:59 and 60:00 are in time, 60:01 is not: DP-05); void when it never counted."""
    if not counts:
        return Outcome.VOID
    return Outcome.BREACHED if due_at is not None and stopped_at > due_at else Outcome.MET
