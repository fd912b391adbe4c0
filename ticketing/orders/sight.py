"""Whether a reader sees the customer of an order as he is, and uncovering one order for a reason (AU-02)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.errors import Refused
from ticketing.masking import sees_customers
from ticketing.orders import fields, store
from ticketing.orders.access import works_on
from ticketing.orders.tables import customer_order
from ticketing.roles import Action, Actor, require


async def is_covered(conn: AsyncConnection, actor: Actor, public_id: str) -> bool:
    """Whether numbers, names and addresses of this order are covered for the actor.

    A department sees the customer of an order while it has a live work order of it: it must reach him (SV-10, PR-13).
    """
    if sees_customers(actor):
        return False
    held = select(customer_order.c.id).where(customer_order.c.public_id == public_id, works_on(actor))
    return (await conn.execute(held)).first() is None


async def uncover(conn: AsyncConnection, actor: Actor, public_id: str, reason: str, now: datetime) -> None:
    """Writes down who uncovers an order and why; the caller then shows it to him, once.

    Raises NotFound for an order that is not his to see, Invalid without a reason, Refused when nothing is covered.
    """
    require(actor, Action.UNMASK)
    await store.id_of(conn, actor, public_id)
    said = fields.text("reason", reason, 500)
    if not await is_covered(conn, actor, public_id):
        raise Refused("nothing_covered", "this order is shown to you in full already")
    await audit.record(conn, actor, "order.uncovered", "order", public_id, {"reason": said}, now)
