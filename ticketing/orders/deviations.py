"""Limits that differ from the published policy, each with who set it and why: equal cases, equal limits (CL-03)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks.tables import clock, clock_change
from ticketing.orders.access import visible
from ticketing.orders.model import WorkOrderState
from ticketing.orders.rework import SENT_LIMIT
from ticketing.orders.tables import customer_order, process_node, work_order
from ticketing.roles import Action, Actor, require
from ticketing.staff.tables import staff

#: lines of the list, the newest first
MOST: Final = 200
#: what a granted wish for a later limit is written down as
EXTENSION: Final = "extension."


@dataclass(frozen=True, slots=True)
class Deviation:
    """One limit that a person set otherwise; field names are those of the JSON."""

    #: dispatch: another limit than the template's; changed: moved later on; extension: on the unit's wish
    kind: str
    at: datetime
    #: 工号
    by: str | None
    order_id: str
    order_serial: str
    number: int
    unit: str
    #: the limit before, or as the policy has it
    policy_due_at: datetime | None
    due_at: datetime | None
    #: words, or of an extension a leaf of taxonomy extension_reason
    reason: str


async def read(conn: AsyncConnection, actor: Actor) -> tuple[Deviation, ...]:
    """Limits of work orders that differ from their template's at dispatch, and those moved since, the newest first."""
    require(actor, Action.VIEW_FLOOR)
    found = [*await _dispatched(conn, actor), *await _moved(conn, actor)]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True)[:MOST])


async def _dispatched(conn: AsyncConnection, actor: Actor) -> list[Deviation]:
    """Sent with another limit than its node of the template has; the dispatch opinion says why (DP-03, DP-04)."""
    changed = exists().where(clock.c.work_order_id == work_order.c.id, clock_change.c.clock_id == clock.c.id)
    rows = await conn.execute(
        select(
            *_named(),
            work_order.c.form,
            work_order.c.sent_at,
            work_order.c.limit_s,
            work_order.c.dispatch_opinion,
            process_node.c.limit_s.label("policy_s"),
            staff.c.number.label("by"),
        )
        .select_from(work_order)
        .join(customer_order, customer_order.c.id == work_order.c.order_id)
        .join(process_node, process_node.c.id == work_order.c.node_id)
        .outerjoin(staff, staff.c.id == work_order.c.dispatched_by)
        .where(
            visible(actor),
            work_order.c.state != WorkOrderState.PROPOSED.value,
            work_order.c.sent_at.is_not(None),
            process_node.c.limit_s.is_not(None),
            or_(work_order.c.limit_s != process_node.c.limit_s, changed),
        )
        .order_by(work_order.c.sent_at.desc())
        .limit(MOST)
    )
    return [
        Deviation(
            kind="dispatch",
            at=row.sent_at,
            by=row.by,
            order_id=row.order_id,
            order_serial=row.serial,
            number=row.number,
            unit=row.unit,
            policy_due_at=row.sent_at + timedelta(seconds=row.policy_s),
            due_at=row.sent_at + timedelta(seconds=sent_s),
            reason=row.dispatch_opinion,
        )
        for row in rows
        if (sent_s := row.form.get(SENT_LIMIT, row.limit_s)) != row.policy_s
    ]


async def _moved(conn: AsyncConnection, actor: Actor) -> list[Deviation]:
    """Supplements and extensions: the old limit is kept beside the new one (DP-08, PX-05)."""
    rows = await conn.execute(
        select(
            *_named(),
            clock_change.c.at,
            clock_change.c.actor,
            clock_change.c.reason,
            clock_change.c.old_due_at,
            clock_change.c.new_due_at,
        )
        .select_from(clock_change)
        .join(clock, clock.c.id == clock_change.c.clock_id)
        .join(work_order, work_order.c.id == clock.c.work_order_id)
        .join(customer_order, customer_order.c.id == work_order.c.order_id)
        .where(visible(actor))
        .order_by(clock_change.c.at.desc(), clock_change.c.id.desc())
        .limit(MOST)
    )
    return [
        Deviation(
            kind="extension" if row.reason.startswith(EXTENSION) else "changed",
            at=row.at,
            by=row.actor,
            order_id=row.order_id,
            order_serial=row.serial,
            number=row.number,
            unit=row.unit,
            policy_due_at=row.old_due_at,
            due_at=row.new_due_at,
            reason=row.reason.removeprefix(EXTENSION),
        )
        for row in rows
    ]


def _named() -> list[Any]:
    order = customer_order.c
    return [order.public_id.label("order_id"), order.serial, work_order.c.number, work_order.c.unit]
