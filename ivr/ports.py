"""What the menus need to know from outside, as Protocols; the composition root gives the implementations. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

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
