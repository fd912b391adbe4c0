"""Rows of what leaders were asked and decided: opened, found, ended; the use cases are in `leading`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.orders.ledger import Held
from ticketing.orders.model import State
from ticketing.orders.tables import order_coordination


async def ask(
    conn: AsyncConnection, held: Held, now: datetime, *, staff_id: int | None, question: str, level: int
) -> None:
    """Writes a question down, with who had the order."""
    before = {"owner_id": held.row["owner_id"], "owner_queue": held.row["owner_queue"]}
    row = {"order_id": held.id, "at": now, "staff_id": staff_id, "question": question, "level": level, **before}
    await conn.execute(insert(order_coordination).values(row))


async def asked(conn: AsyncConnection, held: Held) -> RowMapping:
    """The question that is open now."""
    mine = order_coordination.c.order_id == held.id
    found = await conn.execute(select(order_coordination).where(mine, order_coordination.c.ended_at.is_(None)))
    return found.mappings().one()


async def end(conn: AsyncConnection, held: Held, now: datetime, **decided: Any) -> None:
    """Closes the open question: decided, raised, or overtaken by the work itself."""
    mine = order_coordination.c.order_id == held.id
    await conn.execute(
        update(order_coordination).where(mine, order_coordination.c.ended_at.is_(None)).values(ended_at=now, **decided)
    )


async def over(conn: AsyncConnection, held: Held, now: datetime) -> dict[str, Any]:
    """The order leaves the leaders without a decision; returns who has it again."""
    if held.state is not State.AT_LEADER:
        return {}
    before = await asked(conn, held)
    await end(conn, held, now)
    return {"owner_id": before["owner_id"], "owner_queue": before["owner_queue"]}
