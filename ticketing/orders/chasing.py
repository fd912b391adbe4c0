"""催单: whoever holds the live work of an order is urged, and says that he has read it (T29, SV-03). Never commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.changes import Change
from ticketing.errors import Forbidden, Invalid, Refused
from ticketing.orders import drafts, fields, ledger, rework, workflow
from ticketing.orders.ledger import Held, Step
from ticketing.orders.model import LIVE_WORK, WorkOrderState
from ticketing.orders.step_inputs import Chase
from ticketing.orders.tables import work_order, work_order_amendment
from ticketing.orders.work import Done, HeldWork, change
from ticketing.orders.workflow import Verb
from ticketing.roles import Action, Actor, may
from ticketing.staff.tables import staff

#: whose impatience it is: the customer's, who called again, or the centre's own
ASKED_BY: Final = ("customer", "centre")
#: word of the row that must be acknowledged
KIND: Final = "chase"
_LIVE: Final = [state.value for state in LIVE_WORK]


@dataclass(frozen=True, slots=True)
class Chased:
    """One 催单 of one work order, with its receipt; field names are those of the JSON."""

    #: number of the work order within the order
    work_order: int
    unit: str
    at: datetime
    by: str | None
    asked_by: str
    reason: str
    #: 工号 or unit it reached
    reached: str
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    #: nobody has acknowledged it and the work order is still held
    outstanding: bool


async def chase(conn: AsyncConnection, actor: Actor, given: Chase, now: datetime) -> tuple[Change, ...]:
    """T29: reaches whoever holds each live work order now: a person, a unit's inbox, somebody at the place (SV-03).

    Each must acknowledge it; it is counted on the order. With `urgent` the order and its work become 加急, and so does
    work that is sent later (DP-07). Raises Refused when no department works on it, Forbidden for a mark of urgency by
    who does not dispatch.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    reason = fields.text("reason", given.reason, 500, lines=True)
    said = {"asked_by": given.asked_by, "reason": reason}
    workflow.advance(drafts.situation(held), Verb.CHASE, actor.posts, said)
    if given.asked_by not in ASKED_BY:
        raise Invalid("unknown_code", "who is impatient", field="asked_by", allowed=list(ASKED_BY))
    if given.urgent and not may(actor.posts, Action.DISPATCH):
        raise Forbidden("not_yours_to_hurry", "who dispatches marks what is urgent", field="urgent")
    works = await _live(conn, held)
    if not works:
        raise Refused("nobody_works", "no department works on it", owner=await _owner(conn, held))
    hurry = {"urgent": True} if given.urgent else {}
    counted = held.row["chase_no"] + 1
    payload = {**said, "chase_no": counted, "urgent": given.urgent, "units": [row["unit"] for row in works]}
    step = Step("order.chased", Verb.CHASE, held.state, {"chase_no": counted, **hurry}, note=reason, payload=payload)
    told = [await ledger.apply(conn, actor, held, step, now)]
    for row in works:
        work = HeldWork(await ledger.hold_id(conn, held.id), row)
        told.append(await _reach(conn, actor, work, {**said, **hurry}, now))
    return tuple(told)


async def _live(conn: AsyncConnection, held: Held) -> list[RowMapping]:
    rows = select(work_order).where(work_order.c.order_id == held.id, work_order.c.state.in_(_LIVE))
    return list((await conn.execute(rows.order_by(work_order.c.number))).mappings())


async def _owner(conn: AsyncConnection, held: Held) -> str | None:
    """With whom the order lies."""
    return held.row["owner_queue"] or await conn.scalar(
        select(staff.c.number).where(staff.c.id == held.row["owner_id"])
    )


async def _reach(conn: AsyncConnection, actor: Actor, held: HeldWork, said: Mapping[str, Any], now: datetime) -> Change:
    """One work order: its holder's receipt is asked for, its line written."""
    row = held.row
    reached = row["owner_queue"] or await ledger.number_of(conn, row["owner_id"], actor)
    words = {"asked_by": said["asked_by"], "reason": said["reason"], "reached": reached}
    await rework.write_amendment(conn, actor, held, now, kind=KIND, **words)
    values = {"urgent": True} if said.get("urgent") else {}
    urgent = bool(said.get("urgent") or row["urgent"])
    done = Done("work_order.chased", Verb.CHASE, WorkOrderState(row["state"]), values, said["reason"])
    return await change(
        conn, actor, held, done, now, payload={"reached": reached, "asked_by": said["asked_by"], "urgent": urgent}
    )


async def of_order(conn: AsyncConnection, order_id: int) -> tuple[Chased, ...]:
    """Every 催单 of an order with its receipts, the newest first: who did not acknowledge is seen here (SV-03)."""
    reader = staff.alias("reader")
    rows = await conn.execute(
        select(
            work_order_amendment,
            work_order.c.number,
            work_order.c.unit,
            work_order.c.ended_at,
            staff.c.number.label("writer"),
            reader.c.number.label("reader"),
        )
        .join(work_order, work_order.c.id == work_order_amendment.c.work_order_id)
        .outerjoin(staff, staff.c.id == work_order_amendment.c.staff_id)
        .outerjoin(reader, reader.c.id == work_order_amendment.c.acknowledged_by)
        .where(work_order.c.order_id == order_id, work_order_amendment.c.kind == KIND)
        .order_by(work_order_amendment.c.at.desc(), work_order.c.number)
    )
    return tuple(
        Chased(
            work_order=row.number,
            unit=row.unit,
            at=row.at,
            by=row.writer,
            asked_by=row.asked_by,
            reason=row.reason,
            reached=row.reached,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.reader,
            outstanding=row.acknowledged_at is None and row.ended_at is None,
        )
        for row in rows
    )
