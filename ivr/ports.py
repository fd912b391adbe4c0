"""What menus and overflow need from outside, as Protocols; the composition root gives the implementations. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

Match = Literal["one", "several", "unknown", "withheld"]


@dataclass(frozen=True, slots=True)
class CallerContext:
    """Who calls, as far as the number tells (TL-04)."""

    match: Match
    #: Public id of the customer; None unless exactly one matches.
    customer: str | None = None
    #: major, important or dedicated_line; None for everybody else.
    vip_class: str | None = None
    #: A complaint of this customer is on file (RT-06).
    repeat: bool = False
    #: An order of this customer is open past its time (RT-04).
    overdue_repeat: bool = False
    open_orders: int = 0
    #: On the list of nuisance callers (PX-02).
    nuisance: bool = False
    #: Language on file, zh or en.
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """One order as the menus may know it; they say state and next step only: a caller's number proves nothing."""

    serial: str
    #: Order state code, e.g. IN_PROCESS.
    state: str
    #: State code whose next step applies, None when there is none.
    next_step: str | None
    overdue: bool
    contact_last4: str | None


class CallerDirectory(Protocol):
    """Finds customers; may raise or be slow: the call then goes on without."""

    async def look_up(self, ani: str, dnis: str) -> CallerContext:
        """The customer behind a calling number; `ani` is empty when it is withheld."""
        ...

    async def identify(self, service_number: str) -> CallerContext:
        """The customer behind a service number the caller keyed in."""
        ...


class OrderProgress(Protocol):
    """Finds orders by what a caller can key in."""

    async def by_serial(self, serial: str) -> Progress | None: ...

    async def by_number(self, ani: str) -> Sequence[Progress]:
        """Open orders of the calling number, newest first."""
        ...

    def valid_serial(self, serial: str) -> bool:
        """The check digit is right (PX-03)."""
        ...


class OpeningHours(Protocol):
    async def is_open(self, queue: str, at: datetime) -> bool: ...


# -- overflow: recorded complaint and callback (TL-20 to TL-24) ------------------------------------------------------

#: How a recorded complaint came to its end: the caller confirmed it, hung up, spoke until the limit and was silent, or
#: went on to something else without a word that could be kept as confirmed.
HowRecorded = Literal["confirmed", "hung_up", "limit", "given_up"]

#: Why a message says nothing (TL-21).
SortedOut = Literal["silence", "tone", "too_short"]


class MessageSink(Protocol):
    """Takes recorded complaints in (TL-21)."""

    async def take(
        self,
        call_id: str,
        *,
        ani: str,
        dnis: str,
        lang: str,
        queue: str,
        file: str,
        seconds: float,
        how: HowRecorded,
        sorted_out: SortedOut | None,
        serial: str | None,
    ) -> str:
        """The item's number, digits only; returns after the commit, since the caller is told at once (N1).

        `sorted_out`: why it says nothing, which happens only when the caller has hung up or given up.

        `serial`: a number that was set aside on disk for this message and that he may be told whatever becomes of this
        call: the item gets it. None: the item gets one of its own.

        `file` is a name in the spool, never a path. Idempotent by `file`: the same message may be offered twice.
        Raises or is slow: the message then waits in the spool with its sidecar.
        """
        ...


#: Id of the window "as soon as possible"; it can be booked also when `windows` names none.
ASAP: Final = "asap"


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a callback can be booked."""

    id: str
    #: Prompt that names it, e.g. callback-window-tomorrow-morning; callback-window-asap = as soon as possible.
    prompt: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class OpenCallback:
    """A callback that is booked and not yet done."""

    id: str
    #: Queue it waits for, and since when: whoever takes it over joins with this time.
    queue: str
    joined_at: datetime
    #: Prompt of its window.
    window: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that is committed."""

    serial: str
    #: Prompt of the window as it was booked.
    window: str


class CallbackBook(Protocol):
    """Books callbacks (TL-22); any call may raise or be slow, the caller then hears that it did not succeed."""

    async def open_for(self, number: str) -> OpenCallback | None:
        """The open callback of a number; there is at most one."""
        ...

    def may_dial(self, number: str) -> bool:
        """Whether the product may call this number back, by its form alone."""
        ...

    async def windows(self, queue: str, at: datetime) -> Sequence[Window]:
        """What can be booked at this moment, soonest first; the first may be "as soon as possible"."""
        ...

    async def book(
        self,
        call_id: str,
        *,
        number: str,
        queue: str,
        window: str,
        lang: str,
        priority: int,
        joined_at: datetime,
    ) -> Booked:
        """Book, idempotent by call id; returns after the commit. `window` is the id of one of `windows`."""
        ...

    async def cancel(self, callback_id: str) -> bool:
        """The caller no longer wants it; False when it is no longer open."""
        ...

    async def take_over(self, callback_id: str, call_id: str) -> bool:
        """The caller waits himself, in its place; False when it is no longer open."""
        ...


class CalledBack(Protocol):
    """What the customer who is called first says of his callback (TL-23); False when it is no longer open."""

    async def confirm(self, call_id: str) -> bool:
        """He takes the call; returns after the commit."""
        ...

    async def decline(self, call_id: str) -> bool:
        """He no longer wants it."""
        ...

    async def postpone(self, call_id: str) -> bool:
        """Not now: the attempt is over, the callback stays."""
        ...


class BusyFloor(Protocol):
    """The live floor: answers at once, from memory."""

    def all_busy(self, queue: str) -> bool:
        """No signed-in agent of the queue or its overflow group is idle; wrap-up and pause are busy (TL-20)."""
        ...

    def place(self, queue: str, call_id: str) -> int | None:
        """The caller's place by his first join, 1 = next, also while he has stepped out to choose; None = unknown."""
        ...

    def place_since(self, queue: str, since: datetime, priority: int) -> int | None:
        """The place of somebody who has been waiting since then, e.g. by a booking he takes over; None = unknown."""
        ...

    def expected_wait_s(self, queue: str, place: int | None) -> int | None:
        """Seconds the caller at this place will wait from now on; None = it cannot be told."""
        ...


class Disk(Protocol):
    """The disk that voice files are written to."""

    def may_record(self) -> bool:
        """Free space is above the floor; below it the menu offers the callback only (F12)."""
        ...


class Announcements(Protocol):
    """Service announcements before the menu (TL-26)."""

    async def current(self, dnis: str) -> Sequence[str]:
        """Prompt ids to be played to callers of this number now; empty = none."""
        ...
