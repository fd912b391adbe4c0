"""What lives and nobody answers for goes to the queue of its kind: no order without an owner, ever (IN-23)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.callbacks.tables import callback
from ticketing.changes import Change
from ticketing.handover import actions
from ticketing.handover.model import Hanging, Kind
from ticketing.intake.tables import intake_item
from ticketing.orders import reassigning, work
from ticketing.orders.inputs import OnOrder
from ticketing.orders.tables import customer_order, work_order
from ticketing.papers.tables import paper
from ticketing.roles import SYSTEM
from ticketing.staff.tables import staff
from ticketing.surveys.tables import follow_up

#: the reason written on it: leaf of taxonomy reassign_reason
GONE: Final = "absent"

_KINDS: Final = (
    (Kind.ORDER, customer_order),
    (Kind.CALLBACK, callback),
    (Kind.ITEM, intake_item),
    (Kind.PAPER, paper),
    (Kind.FOLLOW_UP, follow_up),
)


@dataclass(frozen=True, slots=True)
class Adopted:
    """One thing that has an owner again."""

    #: order, work order, callback, item, paper or follow_up
    kind: str
    #: number people call it by, where it has one
    name: str
    change: Change


def ownerless(table: Table) -> ColumnElement[bool]:
    """Condition on a table of things with owners, joined with `staff`: it lives, and no person who is here and no
    queue, or both at once, answers for it."""
    ended = table.c.ended_at if "ended_at" in table.c else table.c.done_at
    one = table.c.owner_id.is_(None) != table.c.owner_queue.is_(None)
    left = and_(table.c.owner_id.is_not(None), staff.c.active.is_(False))
    return and_(ended.is_(None), or_(~one, left))


async def adopt(conn: AsyncConnection, now: datetime) -> tuple[Adopted, ...]:
    """Gives everything that nobody answers for to its queue, a work order to its unit's inbox, each with its audit row.

    Work orders come first: each is changed under the lock of its order.
    """
    made = [await _work(conn, row, now) for row in await _rows(conn, work_order, work_order.c.version)]
    for kind, table in _KINDS:
        for row in await _rows(conn, table):
            name = str(getattr(row, "serial", row.public_id))
            one = Hanging(kind, row.public_id, name, row.state, None)
            change = await actions.hand(conn, SYSTEM, one, None, now, reason=GONE)
            made.append(Adopted(kind.value, name, change))
    return tuple(made)


async def _rows(conn: AsyncConnection, table: Table, *more: Any) -> Sequence[Any]:
    named = [table.c.serial] if "serial" in table.c else []
    found = select(table.c.public_id, table.c.state, *named, *more).outerjoin(staff, staff.c.id == table.c.owner_id)
    return (await conn.execute(found.where(ownerless(table)).order_by(table.c.id))).all()


async def _work(conn: AsyncConnection, row: Any, now: datetime) -> Adopted:
    held = await work.hold(conn, SYSTEM, OnOrder(row.public_id, row.version))
    said = {"reason": GONE}
    change = await reassigning.to_inbox(conn, SYSTEM, held, now, said=said, fact="work_order.adopted")
    return Adopted("work order", f"{held.order.serial}-{held.row['number']}", change)
