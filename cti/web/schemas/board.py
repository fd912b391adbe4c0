"""The board over live orders and departments as the supervisors' page shows it (MN-01, MN-10). Pure."""

from typing import Literal

from cti.web.schemas.common import Output, UtcInstant

__all__ = ["BoardCard", "BoardView", "DeviationList", "DeviationView", "StateCount", "UnitCount"]


class StateCount(Output):
    """Orders in one state."""

    state: str
    count: int
    yellow: int
    red: int
    urgent: int
    paused: int


class UnitCount(Output):
    """What one department has."""

    unit: str
    #: open orders it was sent work of: what the list of orders counts with `work_unit` and `live`
    orders: int
    sent: int
    accepted: int
    working: int
    at_head: int
    overdue: int
    extending: int


class BoardCard(Output):
    """One live order."""

    id: str
    serial: str
    state: str
    card: Literal["none", "yellow", "red"]
    due_at: UtcInstant | None
    urgent: bool
    vip: bool
    paused: bool
    owner: str | None
    business: str | None
    version: int


class BoardView(Output):
    """Everything as it is now; `flow` on the stream says that it changed."""

    at: UtcInstant
    total: int
    states: list[StateCount]
    units: list[UnitCount]
    #: the nearest limits first, at most 120
    cards: list[BoardCard]


class DeviationView(Output):
    """A limit that a person set otherwise than the policy (CL-03)."""

    kind: Literal["dispatch", "changed", "extension"]
    at: UtcInstant
    by: str | None
    order_id: str
    order_serial: str
    #: of the work order
    number: int
    unit: str
    #: the limit before, or as the template has it
    policy_due_at: UtcInstant | None
    due_at: UtcInstant | None
    #: words, or of an extension a leaf of `extension_reason`
    reason: str


class DeviationList(Output):
    """The newest first, at most 200."""

    items: list[DeviationView]
