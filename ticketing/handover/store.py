"""Reading what hangs on one person: drafts, orders, promises to call, messages, papers and follow-ups."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.callbacks.tables import callback
from ticketing.handover.model import Hanging, Kind
from ticketing.intake.tables import intake_item
from ticketing.orders.model import State
from ticketing.orders.tables import customer_order
from ticketing.papers.tables import paper
from ticketing.surveys.tables import follow_up, survey_result

_NUMBERED: Final = (
    (Kind.CALLBACK, callback),
    (Kind.ITEM, intake_item),
    (Kind.PAPER, paper),
)


async def hanging(conn: AsyncConnection, staff_id: int) -> tuple[Hanging, ...]:
    """Everything that lives and is this person's alone, kind after kind, the nearest limit first (TL-44).

    A work order of a department is not: its unit reaches it as well (PR-01).
    """
    found = await _orders(conn, staff_id)
    for kind, table in _NUMBERED:
        mine = select(table.c.public_id, table.c.serial, table.c.state, table.c.due_at).where(
            table.c.owner_id == staff_id, table.c.ended_at.is_(None)
        )
        rows = (await conn.execute(mine.order_by(table.c.due_at, table.c.id))).all()
        found += [Hanging(kind, row.public_id, row.serial, row.state, row.due_at) for row in rows]
    return tuple(found + await _follow_ups(conn, staff_id))


async def _orders(conn: AsyncConnection, staff_id: int) -> list[Hanging]:
    order = customer_order
    rows: Any = await conn.execute(
        select(order.c.public_id, order.c.serial, order.c.state, order.c.due_at)
        .where(order.c.owner_id == staff_id, order.c.ended_at.is_(None))
        .order_by(order.c.due_at, order.c.id)
    )
    kinds = {State.DRAFT.value: Kind.DRAFT}
    made = [Hanging(kinds.get(row.state, Kind.ORDER), row.public_id, row.serial, row.state, row.due_at) for row in rows]
    return sorted(made, key=lambda each: each.kind is not Kind.DRAFT)


async def _follow_ups(conn: AsyncConnection, staff_id: int) -> list[Hanging]:
    rows = await conn.execute(
        select(follow_up.c.public_id, survey_result.c.call_id, follow_up.c.state, follow_up.c.due_at)
        .join(survey_result, survey_result.c.id == follow_up.c.result_id)
        .where(follow_up.c.owner_id == staff_id, follow_up.c.done_at.is_(None))
        .order_by(follow_up.c.due_at, follow_up.c.id)
    )
    return [Hanging(Kind.FOLLOW_UP, row.public_id, row.call_id, row.state, row.due_at) for row in rows]
