"""What makes one call-back more needed than another, as conditions of the query; how many were chosen lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks.model import Card, Clock
from ticketing.clocks.tables import clock, clock_card
from ticketing.orders import follow_up
from ticketing.orders.follow_up import Choice
from ticketing.orders.ledger import Held
from ticketing.orders.tables import customer_order, order_reply

_DAY: Final = timedelta(hours=24)


def facts(unhappy: Sequence[str]) -> Mapping[str, ColumnElement[bool]]:
    """Conditions on `customer_order` by the names of `follow_up.FACTS`; grades by key are another area's."""
    return {
        "unhappy": exists().where(
            order_reply.c.order_id == customer_order.c.id,
            order_reply.c.cycle == customer_order.c.cycle,
            order_reply.c.satisfaction.in_(unhappy),
        ),
        "again": customer_order.c.cycle > 1,
        "repeat": customer_order.c.repeat_no > 0,
        "late": exists().where(
            and_(
                clock.c.order_id == customer_order.c.id,
                clock_card.c.clock_id == clock.c.id,
                clock_card.c.card == Card.RED.value,
            )
        ),
        "vip": customer_order.c.vip_class.is_not(None),
        "urgent": customer_order.c.urgent,
    }


async def choose(conn: AsyncConnection, held: Held, satisfaction: str, now: datetime) -> Choice:
    """Whether this order is called back after the answer that is just given (SV-07, PX-06)."""
    rules = follow_up.shipped()
    known = facts(rules.unhappy)
    asked = select(*(condition.label(name) for name, condition in known.items())).where(customer_order.c.id == held.id)
    row = (await conn.execute(asked)).mappings().one()
    found = {name for name in known if row[name]}
    if satisfaction in rules.unhappy:
        found.add("unhappy")
    lately = select(func.count()).where(clock.c.code == Clock.SURVEY.value, clock.c.started_at > now - _DAY)
    return rules.choose(held.row, found, await conn.scalar(lately) or 0)
