"""Recorded complaints (录音留言) as the clerk's page lists and works on them. Pure."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.calls import RecordingRef
from cti.web.schemas.common import Code, Input, Line, Output, StaffNumber, UtcInstant, Version
from cti.web.schemas.orders import Order
from ticketing.masking import Personal

__all__ = [
    "ClaimItem",
    "DiscardItem",
    "ItemOrder",
    "ItemOrdered",
    "ItemPage",
    "ItemQuery",
    "ItemView",
    "ReassignItem",
]

_VERSION: dict[str, Any] = {"examples": [{"version": 2}]}


class ItemQuery(Input):
    """Conditions of a list; all that are given must hold. Without `state`: what still waits."""

    #: one state, or several with commas between
    state: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}(,[a-z_]{1,20}){0,9}$")] | None = None
    #: caller's number, in any form people write it
    number: Annotated[str, StringConstraints(pattern=r"^[0-9+*#() -]{1,40}$")] | None = None
    #: the number that was read to the caller
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")] | None = None
    mine: bool = False
    overdue: bool = False
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class ItemOrder(Output):
    """An order that came of a message; whether a person may open it is asked when he does."""

    id: str
    serial: str
    state: str


class ItemView(Output):
    """One recorded complaint."""

    #: The random public id.
    id: str
    #: Read to the caller; the same space as orders.
    serial: str
    state: Literal["new", "claimed", "done", "discarded", "sorted_out"]
    #: Why the product put it aside: `silence`, `tone`, `too_short`.
    sorted_out: str | None
    call_id: str
    caller_number: Annotated[str | None, Personal.NUMBER]
    customer_id: str | None
    customer_name: Annotated[str | None, Personal.NAME]
    vip_class: str | None
    language: str
    dnis: str
    queue: str | None
    seconds: float | None
    #: `confirmed`, `hung_up`, `limit`, `rescue` or `given_up`
    how: str
    #: The receipt stamp: the two hours (K3) count from it.
    received_at: UtcInstant
    taken_at: UtcInstant
    due_at: UtcInstant
    card: Literal["none", "yellow", "red"]
    overdue: bool
    owner: str | None
    claimed_at: UtcInstant | None
    ended_at: UtcInstant | None
    #: `met`, `breached` or `void`, once it is over
    outcome: str | None
    discard_reason: str | None
    note: str | None
    #: Serial of the callback of the same number it was merged with.
    callback: str | None
    orders: list[ItemOrder]
    recording: RecordingRef | None
    version: int


class ItemPage(Output):
    """One page by remaining time, where nothing waits the newest first; `next_cursor` is null on the last one."""

    items: list[ItemView]
    next_cursor: str | None


class ItemOrdered(Output):
    """The message and the draft that was made of it."""

    item: ItemView
    order: Order


class ClaimItem(Input):
    """Take it, give it back, or make an order of it."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_VERSION)


class ReassignItem(Input):
    """Hand it to another clerk (PX-04)."""

    version: Version
    number: StaffNumber
    #: leaf of taxonomy `reassign_reason` (MN-02)
    reason: Code
    note: Line | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"version": 2, "number": "6001", "reason": "absent"}]},
    )


class DiscardItem(Input):
    """Put it away with a coded reason (IN-28), a leaf of `no_order_reason`."""

    version: Version
    reason: Code
    note: Line | None = None

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 2, "reason": "silent"}]}
    )
