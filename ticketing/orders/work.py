"""Use cases of a department: accept, begin, finish a work order; each locks the order first. Never commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.clocks import store as clocks
from ticketing.clocks.model import Clock
from ticketing.errors import Invalid, NotFound, Stale
from ticketing.orders import drafts, fields, ledger, settle, workflow
from ticketing.orders.inputs import Finish, OnOrder
from ticketing.orders.ledger import Held, Step, WorkStep
from ticketing.orders.model import Control, State, WorkOrderState
from ticketing.orders.tables import work_order
from ticketing.orders.workflow import Situation, Verb
from ticketing.roles import SYSTEM, Action, Actor, may
from ticketing.staff.tables import staff

_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class HeldWork:
    """A work order under the lock of its order."""

    order: Held
    row: RowMapping

    @property
    def state(self) -> WorkOrderState:
        """Where it stands."""
        return WorkOrderState(self.row["state"])


@dataclass(frozen=True, slots=True)
class Done:
    """What one action did to a work order."""

    #: past fact: work_order.finished
    fact: str
    verb: Verb
    to: State | WorkOrderState | None
    values: Mapping[str, Any]
    note: str | None = None


async def accept(conn: AsyncConnection, actor: Actor, given: OnOrder, now: datetime) -> Change:
    """T12: somebody of the unit takes it; it is his from now on (PR-01)."""
    held = await hold(conn, actor, given)
    workflow.advance(situation(held, now), Verb.ACCEPT, actor.posts, {})
    values = {"accepted_at": now, "owner_id": actor.staff_id, "owner_queue": None}
    return await change(
        conn, actor, held, Done("work_order.accepted", Verb.ACCEPT, WorkOrderState.ACCEPTED, values), now
    )


async def begin(conn: AsyncConnection, actor: Actor, given: OnOrder, now: datetime) -> Change:
    """T12: the work has begun (PR-03)."""
    held = await hold(conn, actor, given)
    workflow.advance(situation(held, now), Verb.BEGIN, actor.posts, {})
    values = {"working_at": now, "owner_id": actor.staff_id, "owner_queue": None}
    return await change(conn, actor, held, Done("work_order.begun", Verb.BEGIN, WorkOrderState.WORKING, values), now)


async def finish(conn: AsyncConnection, actor: Actor, given: Finish, now: datetime) -> tuple[Change, ...]:
    """T13: the unit's answer; past the limit only with the reason (PR-06). The order follows when it was the last.

    Raises Invalid for a time that has not come yet, or one before the work order was sent.
    """
    held = await hold(conn, actor, given)
    result = fields.text("result", given.result, 4000, lines=True)
    said = {
        "result": result,
        "cause": given.cause,
        "opinion": fields.text("opinion", given.opinion, 2000, lines=True),
        "service_number": fields.text("service_number", given.service_number, 40),
        "handled_at": given.handled_at,
        "overtime_reason": fields.text("overtime_reason", given.overtime_reason or "", 1000, lines=True),
    }
    decision = workflow.advance(situation(held, now), Verb.FINISH, actor.posts, said)
    await taxonomy.leaf(conn, "cause", given.cause, now.date(), field="cause")
    _handled(held, given.handled_at, now)
    await clocks.stop(conn, held.order.id, now, Verb.FINISH.value, codes=(Clock.STAGE,), work_order_id=held.row["id"])
    values = {**said, "ended_at": now, "owner_id": None, "owner_queue": None}
    told = await change(conn, actor, held, Done("work_order.finished", Verb.FINISH, decision.to, values, result), now)
    followed = await settle_order(conn, held.order.id, now)
    return (told, followed) if followed is not None else (told,)


def _handled(held: HeldWork, at: datetime, now: datetime) -> None:
    if at.tzinfo is None or at > now + _TOLERANCE:
        raise Invalid("in_the_future", "this cannot have been done yet", field="handled_at", latest=now.isoformat())
    if at < held.row["sent_at"]:
        earliest = held.row["sent_at"].isoformat()
        raise Invalid("before_it_was_sent", "it was sent later than that", field="handled_at", earliest=earliest)


async def settle_order(conn: AsyncConnection, order_id: int, now: datetime) -> Change | None:
    """T18, T19: moves the order as its work orders amount to; None when it stays."""
    held = await ledger.hold_id(conn, order_id)
    to = settle.settled(held.state, await states(conn, held))
    if to is None:
        return None
    seen = drafts.situation(held, settled=to)
    decision = workflow.advance(seen, Verb.SETTLE, SYSTEM.posts, {}, system=True)
    await drafts.turn(conn, held, decision, now)
    values = {"ended_at": now, "end_reason": "recalled"} if to is State.CANCELLED else {}
    if to is State.CANCELLED:
        await ledger.keep_promises(conn, held.id, now)
    return await ledger.apply(conn, SYSTEM, held, Step("order.settled", Verb.SETTLE, to, values), now)


async def states(conn: AsyncConnection, held: Held) -> list[WorkOrderState]:
    """States of the work orders of this cycle; a returned one that was sent on since is over."""
    rows = (
        await conn.execute(
            select(work_order.c.state, work_order.c.sent_at, work_order.c.ended_at).where(
                work_order.c.order_id == held.id, work_order.c.cycle == held.row["cycle"]
            )
        )
    ).all()
    sent = max((row.sent_at for row in rows if row.sent_at is not None), default=None)
    over = [row.state == WorkOrderState.RETURNED.value and sent is not None and sent >= row.ended_at for row in rows]
    return [WorkOrderState(row.state) for row, gone in zip(rows, over, strict=True) if not gone]


async def hold(conn: AsyncConnection, actor: Actor, given: OnOrder) -> HeldWork:
    """The order's row first, then the work order; for a department another unit's is not there (PR-01).

    Raises NotFound, Stale.
    """
    which = select(work_order.c.order_id).where(work_order.c.public_id == given.public_id)
    which = which.where(work_order.c.state != WorkOrderState.PROPOSED.value)
    if actor.staff_id != SYSTEM.staff_id and not may(actor.posts, Action.DISPATCH):
        unit = select(staff.c.unit).where(staff.c.id == actor.staff_id).scalar_subquery()
        which = which.where((work_order.c.unit == unit) | (work_order.c.owner_id == actor.staff_id))
    order_id = await conn.scalar(which)
    if order_id is None:
        raise NotFound(subject="work_order", id=given.public_id)
    order = await ledger.hold_id(conn, int(order_id))
    found = await conn.execute(select(work_order).where(work_order.c.public_id == given.public_id))
    row = found.mappings().one()
    if row["version"] != given.version:
        raise Stale(subject="work_order", id=given.public_id, version=row["version"], by=order.row["changed_by"])
    return HeldWork(order, row)


def situation(held: HeldWork, now: datetime) -> Situation:
    due_at = held.row["due_at"]
    paused = Control.PAUSED in {held.order.control, Control(held.row["control"])}
    return Situation(
        state=held.state,
        kind=held.order.kind,
        control=Control.PAUSED if paused else Control.RUN,
        red=due_at is not None and now > due_at,
    )


async def change(conn: AsyncConnection, actor: Actor, held: HeldWork, done: Done, now: datetime) -> Change:
    """Writes the work order, and its line into the trail of the order, whose version it bumps."""
    row, after = held.row, WorkOrderState(str(done.to))
    version = row["version"] + 1
    await conn.execute(
        update(work_order)
        .where(work_order.c.id == row["id"])
        .values(**done.values, state=after.value, version=version, changed_at=now)
    )
    ended = "ended_at" in done.values
    handler = None if ended else actor.number
    line = WorkStep(row["id"], held.state, after, row["unit"], handler, None if ended else row["due_at"])
    payload = {"work_order": row["public_id"], "number": row["number"], "unit": row["unit"], "work_version": version}
    step = Step(done.fact, done.verb, held.order.state, {}, note=done.note, payload=payload, work=line)
    return await ledger.apply(conn, actor, held.order, step, now)
