"""What the states of an order's work orders amount to (T18 to T20). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ticketing.orders.model import LIVE_WORK, State, WorkOrderState

_STOPPED = frozenset({WorkOrderState.RECALLED, WorkOrderState.TRANSFERRED, WorkOrderState.CANCELLED})
#: states in which work orders run (part 4)
SETTLING = frozenset({State.IN_PROCESS, State.AT_MANAGER, State.AT_LEADER})
_UNFINISHED = LIVE_WORK | {WorkOrderState.PROPOSED}


def settled(state: State, works: Iterable[WorkOrderState]) -> State | None:
    """The state an order goes to because of its work orders of this cycle; None while it stays.

    A returned one that nobody sent on brings the order back to the senior once nothing is live, also beside finished
    ones (T19 wins over T18); otherwise at least one finished brings it to the reply (RP-01). Where the customer stopped
    all of it, the order is cancelled (T20).
    """
    found = tuple(works)
    if state not in SETTLING or not found or _UNFINISHED & set(found):
        return None
    if WorkOrderState.RETURNED in found:
        return State.AT_SENIOR
    if WorkOrderState.DONE in found:
        return State.REPLYING
    return State.CANCELLED if set(found) <= _STOPPED and WorkOrderState.RECALLED in found else None


def is_live(works: Iterable[WorkOrderState]) -> bool:
    """A department still holds one, or one is still to be sent."""
    return bool(_UNFINISHED & set(works))
