"""Values of a contact: one call, letter or message. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ContactKind(StrEnum):
    """By what the two sides met."""

    CALL = "call"
    LETTER = "letter"
    FAX = "fax"
    EMAIL = "email"
    WALK_IN = "walk_in"
    RECORDING = "recording"
    MESSAGE = "message"


class Direction(StrEnum):
    """Who began."""

    IN = "in"
    OUT = "out"


class Role(StrEnum):
    """What the contact was to the order."""

    FIRST = "first"
    REPEAT = "repeat"
    REPLY = "reply"
    SURVEY = "survey"


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to be written down."""

    kind: ContactKind
    at: datetime
    direction: Direction = Direction.IN
    #: call id or message id: the same one is never written twice
    external_id: str | None = None
    customer_id: int | None = None
    number: str | None = None
    staff_id: int | None = None
    queue: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """One line of the customer's log (IN-13)."""

    id: int
    public_id: str
    kind: str
    direction: str
    external_id: str | None
    customer_id: int | None
    number: str | None
    at: datetime
    ended_at: datetime | None
    staff_id: int | None
    disposition: str | None
    queue: str | None
    note: str | None
    #: what it was to the order it is listed under
    role: str | None = None
