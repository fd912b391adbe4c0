"""A stored stream of facts run through the same reducer again (TL-71). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime, timedelta

from cti.calls import events as ev
from cti.calls.effects import CompleteCall, Effect
from cti.calls.model import CallRecord, Floor, FloorSettings
from cti.calls.record import record_of
from cti.calls.reducer import close_all, reduce
from cti.calls.restore import restarted

_SECOND = timedelta(seconds=1)
#: ticks made up for one silence in the stream; a longer one cannot change more
_MOST_TICKS = 120

#: what a stream holds; the flight recorder writes the settings in force too
Told = ev.CallEvent | FloorSettings


class Replay:
    """A floor that a stream of facts is told to, one after the other.

    Settings in the stream, which the flight recorder writes, take the place of the given ones, and from there on the
    stream's own ticks count. Where there are none, ticks are made up from the facts' own times, so that the same
    stream always gives the same records.
    """

    def __init__(self, floor: Floor) -> None:
        #: another one after each start of a service in the stream
        self.floor = floor
        self._before: datetime | None = None
        self._makes_ticks = True

    def tell(self, told: Told) -> Iterator[Effect]:
        """What the next value of the stream brings about."""
        if isinstance(told, FloorSettings):
            self.floor.settings = told
            self._makes_ticks = False
            return
        if isinstance(told, ev.ServiceStarted):
            self.floor = restarted(self.floor)
        if self._makes_ticks and self._before is not None:
            for tick in _ticks(self._before, told.at):
                yield from reduce(self.floor, tick)
        self._before = told.at if self._before is None else max(self._before, told.at)
        yield from reduce(self.floor, told)

    def tell_all(self, stream: Iterable[Told]) -> Iterator[Effect]:
        """The whole stream; at its end every call whose legs have ended is closed, without waiting for ticks."""
        for told in stream:
            yield from self.tell(told)
        yield from close_all(self.floor)


def replay(events: Iterable[Told], settings: FloorSettings | None = None) -> list[CallRecord]:
    """Final records of all calls in the stream, then the records of those still open at its end; oldest first."""
    again = Replay(Floor(settings=settings or FloorSettings()))
    closed = [effect.record for effect in again.tell_all(events) if isinstance(effect, CompleteCall)]
    left = [record_of(call, again.floor.settings) for call in again.floor.calls.values()]
    return sorted([*closed, *left], key=lambda record: (record.entered_at, record.call_id))


def run(floor: Floor, events: Iterable[Told]) -> Iterator[Effect]:
    """Effects of a whole stream, in order; at its end every call whose legs have ended is closed."""
    return Replay(floor).tell_all(events)


def differing(live: CallRecord, again: CallRecord) -> list[tuple[str, object, object]]:
    """Name and both values of every field in which two records of one call differ."""
    pairs = ((field.name, getattr(live, field.name), getattr(again, field.name)) for field in fields(CallRecord))
    return [(name, one, other) for name, one, other in pairs if one != other]


def _ticks(before: datetime, after: datetime) -> Iterator[ev.Tick]:
    """One tick for each full second that passed."""
    seconds = min(int((after - before) / _SECOND), _MOST_TICKS)
    for count in range(1, seconds + 1):
        yield ev.Tick(at=before + count * _SECOND)
    if seconds == _MOST_TICKS:
        yield ev.Tick(at=after)
