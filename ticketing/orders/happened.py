"""Reading what was asked of leaders, added by the customer, told to him, and granted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.orders.tables import order_agreement, order_coordination, order_remedy, order_response, work_order
from ticketing.staff.tables import staff


@dataclass(frozen=True, slots=True)
class Coordination:
    """A question to a leader and the decision (PR-14, PR-15)."""

    at: datetime
    by: str | None
    question: str
    level: int
    ended_at: datetime | None
    decided_by: str | None
    decision: str | None
    lead_unit: str | None


@dataclass(frozen=True, slots=True)
class Response:
    """What the customer added and what was done about it (RT-07, RT-10)."""

    at: datetime
    by: str | None
    text: str
    outcome: str
    answer: str | None
    #: number of the work order that was to change
    work_order: int | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the customer was told, and whether he agreed (PR-20)."""

    at: datetime
    by: str | None
    plan: str
    told_due_at: datetime
    time_reason: str
    agreed: bool


@dataclass(frozen=True, slots=True)
class GivenRemedy:
    """A remedy granted, asked for or refused (PR-17)."""

    at: datetime
    by: str | None
    remedy: str
    amount: Decimal | None
    reason: str
    state: str
    decided_by: str | None
    opinion: str | None


async def coordinations(conn: AsyncConnection, order_id: int) -> tuple[Coordination, ...]:
    """Questions to leaders, oldest first."""
    decider = staff.alias("decider")
    table = order_coordination
    rows = await conn.execute(
        select(table, staff.c.number, decider.c.number.label("decider"))
        .outerjoin(staff, staff.c.id == table.c.staff_id)
        .outerjoin(decider, decider.c.id == table.c.decided_by)
        .where(table.c.order_id == order_id)
        .order_by(table.c.id)
    )
    return tuple(
        Coordination(
            row.at, row.number, row.question, row.level, row.ended_at, row.decider, row.decision, row.lead_unit
        )
        for row in rows
    )


async def responses(conn: AsyncConnection, order_id: int) -> tuple[Response, ...]:
    """What the customer added, oldest first."""
    rows = await conn.execute(
        select(order_response, staff.c.number.label("by"), work_order.c.number)
        .outerjoin(staff, staff.c.id == order_response.c.staff_id)
        .outerjoin(work_order, work_order.c.id == order_response.c.work_order_id)
        .where(order_response.c.order_id == order_id)
        .order_by(order_response.c.id)
    )
    return tuple(Response(row.at, row.by, row.text, row.outcome, row.answer, row.number) for row in rows)


async def agreements(conn: AsyncConnection, order_id: int) -> tuple[Agreement, ...]:
    """What the customer was told of plan and time, oldest first."""
    rows = await conn.execute(
        select(order_agreement, staff.c.number)
        .outerjoin(staff, staff.c.id == order_agreement.c.staff_id)
        .where(order_agreement.c.order_id == order_id)
        .order_by(order_agreement.c.id)
    )
    return tuple(
        Agreement(row.at, row.number, row.plan, row.told_due_at, row.time_reason, agreed=row.agreed) for row in rows
    )


async def remedies(conn: AsyncConnection, order_id: int) -> tuple[GivenRemedy, ...]:
    """Remedies, oldest first."""
    decider = staff.alias("decider")
    rows = await conn.execute(
        select(order_remedy, staff.c.number, decider.c.number.label("decider"))
        .outerjoin(staff, staff.c.id == order_remedy.c.staff_id)
        .outerjoin(decider, decider.c.id == order_remedy.c.decided_by)
        .where(order_remedy.c.order_id == order_id)
        .order_by(order_remedy.c.id)
    )
    return tuple(
        GivenRemedy(row.at, row.number, row.remedy, row.amount, row.reason, row.state, row.decider, row.opinion)
        for row in rows
    )
