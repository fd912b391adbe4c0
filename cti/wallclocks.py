"""Watches both wall clocks for the pump: says when one is set, and puts moments of events on ours (P15, F20)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from cti.ami.timeline import Timeline
from cti.calls.events import OUR_CLOCK, THEIR_CLOCK, CallEvent, ClockStepped, StampsMoved

log = structlog.get_logger(__name__)

#: our clock is not read between two moments further apart, seconds: the process was held up there
_STEADY_S: Final = 0.05
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Pong:
    """Asterisk's clock, read by a ping between two moments of the monotonic clock."""

    stamp: datetime
    asked: float
    answered: float


class WallClocks:
    """Ours and Asterisk's. Each look gives the facts that follow from it, most of the time none."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        on_step: Callable[[ClockStepped], None] | None = None,
    ) -> None:
        self._clock, self.monotonic = clock, monotonic
        self._on_step = on_step
        self._timeline = Timeline()
        #: the shift that was told last, as it was and in milliseconds
        self._shift = self._timeline.shift
        self._shift_ms = 0

    def look(self) -> Iterator[CallEvent]:
        """Whether our own clock was set since the last look."""
        before, now, after = self.monotonic(), self._clock(), self.monotonic()
        if after - before < _STEADY_S:
            yield from self._told(OUR_CLOCK, self._timeline.look(now, before))

    def pong(self, read: Pong) -> Iterator[CallEvent]:
        """Whether Asterisk's clock was set, as a ping shows."""
        yield from self._told(THEIR_CLOCK, self._timeline.pong(read.stamp, read.asked, read.answered))

    def heard(self, stamp: datetime, came: float) -> Iterable[CallEvent]:
        """Whether Asterisk's clock was set, as an event's stamp shows."""
        by = self._timeline.heard(stamp, came)
        # nearly always: nothing was set, and the shift is the one that was told last
        return () if by is None and self._timeline.shift is self._shift else self._told(THEIR_CLOCK, by)

    def ours(self, event: CallEvent) -> CallEvent:
        """The fact of an event with a stamp of Asterisk's, its moment on our clock."""
        return replace(event, at=event.at + self._shift_ms * _MS) if self._shift_ms else event

    def of_journal(self, event: CallEvent) -> CallEvent:
        """What a journal of Asterisk told, its moments on our clock; every other fact as it is."""
        return self._timeline.moved(event)

    def _told(self, whose: str, by: timedelta | None) -> Iterator[CallEvent]:
        if by is not None:
            stepped = ClockStepped(at=self._clock(), whose=whose, by_ms=round(by / _MS))
            log.warning("clock_stepped", whose=whose, by_ms=stepped.by_ms)
            if self._on_step is not None:
                self._on_step(stepped)
            yield stepped
        self._shift = self._timeline.shift
        shift_ms = round(self._shift / _MS)
        if shift_ms != self._shift_ms:
            self._shift_ms = shift_ms
            yield StampsMoved(at=self._clock(), by_ms=shift_ms)
