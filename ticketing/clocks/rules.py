"""Deadlines, cards and outcomes from segments: the same history gives the same due time (N6). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from ticketing.clocks.model import Card, Outcome, Segment


class WorkingTime(Protocol):
    """What counts as time: a working calendar, or every hour."""

    def advance(self, at: datetime, span: timedelta) -> datetime:
        """Moment at which `span` of counted time after `at` has passed."""
        ...

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Counted time between two moments; never negative."""
        ...


class _EveryHour:
    """The calendar that never rests."""

    def advance(self, at: datetime, span: timedelta) -> datetime:
        return at + span

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        return max(end - start, timedelta())


EVERY_HOUR: WorkingTime = _EveryHour()
"""Day and night, holidays too."""


def due(
    segments: Sequence[Segment],
    target: timedelta | None,
    given: datetime | None = None,
    *,
    time: WorkingTime = EVERY_HOUR,
    since: datetime | None = None,
    ahead: timedelta = timedelta(),
) -> datetime | None:
    """When the clock runs out; None while it stands still or has no limit.

    `target` counts working time over all segments, so a pause moves the deadline by the time paused. `given` is an
    absolute moment (a promise, an extension): it moves by the time spent paused before it. A limit that was hit before
    a pause stays hit: no pause makes it later. What ran before `since` does not count: the limit was set anew then
    (追单, DP-08). `ahead` asks for the moment that much counted time before: the yellow card.
    """
    ran = counted(segments, since)
    if given is not None:
        return _moved(ran, given - ahead)
    if target is None:
        return None
    left = target - ahead
    for segment in ran:
        if segment.stopped_at is None:
            return time.advance(segment.started_at, left)
        spent = time.elapsed(segment.started_at, segment.stopped_at)
        if left < spent:
            return time.advance(segment.started_at, left)
        left -= spent
    return None


def _moved(ran: Sequence[Segment], given: datetime) -> datetime | None:
    """An absolute limit, later by every pause that began before it was hit."""
    for earlier, later in pairwise(ran):
        if earlier.stopped_at is not None and given >= earlier.stopped_at:
            given += later.started_at - earlier.stopped_at
    if not ran:
        return None
    last = ran[-1].stopped_at
    return given if last is None or given < last else None


def counted(segments: Sequence[Segment], since: datetime | None) -> tuple[Segment, ...]:
    """The stretches that count towards the present limit: those after it was set, cut at that moment."""
    if since is None:
        return tuple(segments)
    return tuple(
        replace(segment, started_at=max(segment.started_at, since))
        for segment in segments
        if segment.stopped_at is None or segment.stopped_at > since
    )


def paused(segments: Sequence[Segment]) -> timedelta:
    """Time between the segments, in which the clock stood still."""
    gaps = (b.started_at - a.stopped_at for a, b in pairwise(segments) if a.stopped_at is not None)
    return sum(gaps, timedelta())


def card(due_at: datetime | None, warn_at: datetime | None, at: datetime) -> Card:
    """Red from the limit on, yellow from the lead time on (MN-07); `at` is now, or when the clock stopped."""
    if due_at is not None and at >= due_at:
        return Card.RED
    if warn_at is not None and at >= warn_at:
        return Card.YELLOW
    return Card.NONE


def next_card(
    due_at: datetime | None, warn_at: datetime | None, given: Collection[Card], now: datetime
) -> datetime | None:
    """When a running clock's next card is due: each is given once, no yellow one once the limit is hit (MN-07)."""
    times = []
    if due_at is not None and Card.RED not in given:
        times.append(due_at)
    if due_at is not None and due_at > now and warn_at is not None and Card.YELLOW not in given:
        times.append(warn_at)
    return min(times, default=None)


def outcome(due_at: datetime | None, stopped_at: datetime, counts: bool = True) -> Outcome:
    """Met at the limit itself (59:59 and 60:00 are in time, 60:01 is not: DP-05); void when it never counted."""
    if not counts:
        return Outcome.VOID
    return Outcome.BREACHED if due_at is not None and stopped_at > due_at else Outcome.MET
