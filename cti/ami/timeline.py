"""The moments of Asterisk's stamps on our own clock, whatever is done to either clock (P15, F20). Pure.

Both wall clocks are held beside this machine's monotonic clock, which nobody sets: the distance of each from it is
constant until somebody sets the clock. A stamp is first taken to the monotonic clock with the distance that was true
when it was made, and from there to our wall clock as it goes now. So differences of moments stay right.

What proves that Asterisk's clock was set: an answer to a ping whose stamp does not lie between question and answer
(every two seconds); an event from the future; an event older than one that came before it on the same connection. An
event that is merely late proves nothing. A step back of less than `STEP` and a ping's time is thus known within two
seconds, every other one at the first event after it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cti.calls.events import CallEvent, JournalRead

#: what a clock may be off before it counts as set: a leap second counts, a slew or a busy machine does not (default)
STEP: Final = timedelta(milliseconds=500)
_STEP_S: Final = STEP.total_seconds()
#: times of one distance that are remembered, for what journals tell of the past
_KEPT: Final = 16
_NOTHING: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class _Era:
    """A time in which Asterisk's clock was not set; stamps and distance in seconds."""

    distance: float
    #: no stamp of it is older, or younger
    since: float
    until: float = float("inf")


class Timeline:
    """The two clocks of one link; told everything in the order in which it came."""

    def __init__(self) -> None:
        #: seconds of each wall clock since the epoch, less the monotonic clock's; None before the first look
        self._ours: float | None = None
        self._theirs: float | None = None
        #: newest stamp since Asterisk's clock was set last, and when it came
        self._newest = 0.0
        self._came = 0.0
        #: the distance was taken from an event, which may have been on its way for a while
        self._rough = False
        self._past: deque[_Era] = deque(maxlen=_KEPT)
        self._since = float("-inf")
        #: what is to be added to stamps of now: nothing while the clocks agree within `STEP`
        self.shift = _NOTHING

    def look(self, now: datetime, at: float) -> timedelta | None:
        """Our own clock shows `now` at `at` of the monotonic one; by how much it was set since the last look, if so."""
        distance = now.timestamp() - at
        before, self._ours = self._ours, distance
        self._settle()
        if before is None or abs(distance - before) < _STEP_S:
            return None
        return timedelta(seconds=distance - before)

    def pong(self, stamp: datetime, asked: float, answered: float) -> timedelta | None:
        """Asterisk's clock showed `stamp` between these moments; by how much it was set, if that proves it."""
        made = stamp.timestamp()
        least, most = made - answered, made - asked
        by: timedelta | None = None
        exactly = self._rough
        if self._theirs is None or not least - _STEP_S < self._theirs < most + _STEP_S:
            by, exactly = self._set((least + most) / 2, made, answered), True
        else:
            self._theirs = min(max(self._theirs, least), most)
            self._note(made, answered)
        self._rough = False
        self._settle(exactly=exactly)
        return by

    def heard(self, stamp: datetime, came: float) -> timedelta | None:
        """An event with this stamp came at `came`; by how much Asterisk's clock was set, if that proves it."""
        if self._theirs is None:
            return None
        made = stamp.timestamp()
        least = made - came
        if least > self._theirs + _STEP_S or made < self._newest - _STEP_S:
            self._rough = True
            by = self._set(least, made, came)
            self._settle()
            return by
        if made > self._newest:
            self._note(made, came)
        return None

    def moved(self, event: CallEvent) -> CallEvent:
        """What a journal of Asterisk told, on our clock; where a stamp was shown twice, known to that much only."""
        if not isinstance(event, JournalRead) or (not self._past and not self.shift):
            return event
        return replace(event, facts=tuple(map(self._then, event.facts)))

    def _then(self, fact: CallEvent) -> CallEvent:
        made = fact.at.timestamp()
        assert self._theirs is not None
        eras = [*self._past, _Era(self._theirs, self._since)]
        could = [era for era in eras if era.since <= made <= era.until]
        if not could:  # told to the second only, or of a time nobody listened to
            could = [min(eras, key=lambda era: min(abs(made - era.since), abs(made - era.until)))]
        off = [self._off(era.distance) for era in could]
        unsure = (max(off) - min(off)) // timedelta(milliseconds=1)
        return replace(fact, at=fact.at + off[-1], within_ms=fact.within_ms + unsure)

    def _set(self, distance: float, made: float, came: float) -> timedelta | None:
        """A new era; the one before ended and this began somewhere between the two stamps that show it."""
        before, silent = self._theirs, came - self._came
        if before is not None:
            self._past.append(_Era(before, self._since, self._newest + silent))
            self._since = made - silent
        self._theirs, self._newest, self._came = distance, made, came
        return None if before is None else timedelta(seconds=distance - before)

    def _note(self, made: float, came: float) -> None:
        self._newest, self._came = max(self._newest, made), came

    def _off(self, distance: float) -> timedelta:
        """What is added to stamps of that distance; clocks that agree well enough are left as they are."""
        off = timedelta(seconds=(self._ours or 0.0) - distance)
        return off if self._ours is not None and abs(off) >= STEP else _NOTHING

    def _settle(self, *, exactly: bool = False) -> None:
        """A shift is kept while it fits, so that the trembling of answers does not get into every stamp."""
        if self._theirs is None:
            return
        off = self._off(self._theirs)
        if exactly or abs(off - self.shift) >= STEP:
            self.shift = off
