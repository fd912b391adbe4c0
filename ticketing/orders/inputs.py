"""What the edge hands to the order's actions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ticketing.orders.model import Channel


@dataclass(frozen=True, slots=True)
class DraftFromCall:
    """An agent has answered a call; everything is the telephone's word, nothing is typed (IN-18)."""

    call_id: str
    #: 工号 of the agent who answered
    agent_number: str
    #: as the network gave it; may be withheld
    caller_number: str
    dnis: str
    answered_at: datetime
    #: public id, when one customer is known; otherwise the number is looked up
    customer: str | None = None
    #: keeps the draft if the agent is not on the staff list
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A letter, fax, e-mail, text from a department, visit or recording to be entered (IN-25, IN-26, IN-27)."""

    channel: Channel
    #: receipt stamp: never changed afterwards
    received_at: datetime
    customer: str | None = None
    #: message id, register number of the letter
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class EditDraft:
    """Some fields of a draft; None empties one.

    Besides `fields.FIELDS`: `customer` (public id) and `repeat_of` (serial of the earlier, ended order).
    """

    public_id: str
    version: int
    fields: Mapping[str, object]
    #: field -> refused | not_applicable; None takes the code away (IN-17)
    coded: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submit:
    """T2."""

    public_id: str
    version: int


@dataclass(frozen=True, slots=True)
class EndWithoutOrder:
    """T37: the call needs no order (PX-07)."""

    public_id: str
    version: int
    #: leaf of taxonomy no_order_reason
    reason: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """T38: the call belongs to an open order."""

    public_id: str
    version: int
    into_serial: str


@dataclass(frozen=True, slots=True)
class AddWords:
    """What the customer said later, beside his first words (IN-22)."""

    public_id: str
    version: int
    text: str
