"""A stored stream of facts run through the same reducer again (TL-71). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from cti.calls import events as ev
from cti.calls.effects import CompleteCall, Effect
from cti.calls.model import CallRecord, Floor, FloorSettings
from cti.calls.record import record_of
from cti.calls.reducer import close_all, reduce

_SECOND = timedelta(seconds=1)
#: ticks made up for one silence in the stream; a longer one cannot change more
_MOST_TICKS = 120


def replay(events: Iterable[ev.CallEvent], settings: FloorSettings | None = None) -> list[CallRecord]:
    """Final records of all calls in the stream, then the records of those still open at its end; oldest first.

    Ticks are made up from the facts' own times, so the same stream always gives the same records.
    """
    floor = Floor(settings=settings or FloorSettings())
    closed = [effect.record for effect in run(floor, events) if isinstance(effect, CompleteCall)]
    left = [record_of(call, floor.settings) for call in floor.calls.values()]
    return sorted([*closed, *left], key=lambda record: (record.entered_at, record.call_id))


def run(floor: Floor, events: Iterable[ev.CallEvent]) -> Iterator[Effect]:
    """Effects of a whole stream, in order; at its end every call whose legs have ended is closed."""
    before: datetime | None = None
    for event in events:
        if before is not None:
            for tick in _ticks(before, event.at):
                yield from reduce(floor, tick)
        before = event.at if before is None else max(before, event.at)
        yield from reduce(floor, event)
    yield from close_all(floor)


def _ticks(before: datetime, after: datetime) -> Iterator[ev.Tick]:
    """One tick for each full second that passed."""
    seconds = min(int((after - before) / _SECOND), _MOST_TICKS)
    for count in range(1, seconds + 1):
        yield ev.Tick(at=before + count * _SECOND)
    if seconds == _MOST_TICKS:
        yield ev.Tick(at=after)
