"""Use cases on a work order off the straight way: head, return, transfer, supplement, recall. Never commit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.clocks import store as clocks
from ticketing.clocks.model import Clock
from ticketing.errors import Invalid, Refused
from ticketing.orders import dispatching, fields, ledger, workflow
from ticketing.orders.inputs import ForReason, OnOrder, Supplement, TakeBack, Transfer
from ticketing.orders.model import WorkOrderState
from ticketing.orders.tables import work_order, work_order_amendment
from ticketing.orders.work import Done, HeldWork, change, hold, settle_order, situation
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor

_ENDED: dict[str, Any] = {"owner_id": None, "owner_queue": None}


async def to_head(conn: AsyncConnection, actor: Actor, given: ForReason, now: datetime) -> Change:
    """T14: out of scope, against the rules, or field work: the head of the unit decides (PR-11)."""
    held = await hold(conn, actor, given)
    reason = fields.text("reason", given.reason, 1000, lines=True)
    workflow.advance(situation(held, now), Verb.TO_HEAD, actor.posts, {"reason": reason})
    values = {"owner_id": None, "owner_queue": held.row["unit"]}
    return await change(
        conn, actor, held, Done("work_order.at_head", Verb.TO_HEAD, WorkOrderState.AT_HEAD, values, reason), now
    )


async def take_back(conn: AsyncConnection, actor: Actor, given: TakeBack, now: datetime) -> Change:
    """T14: the head decides that the unit goes on with it."""
    held = await hold(conn, actor, given)
    decision = fields.text("decision", given.decision, 1000, lines=True)
    workflow.advance(situation(held, now), Verb.TAKE_BACK, actor.posts, {"decision": decision})
    values = {"owner_id": None, "owner_queue": held.row["unit"], "working_at": held.row["working_at"] or now}
    return await change(
        conn, actor, held, Done("work_order.decided", Verb.TAKE_BACK, WorkOrderState.WORKING, values, decision), now
    )


async def give_back(conn: AsyncConnection, actor: Actor, given: ForReason, now: datetime) -> tuple[Change, ...]:
    """T14: returned to the centre, by the head only; the dispatcher has it again (PR-05, PR-10)."""
    return await _end(conn, actor, given, Verb.RETURN, WorkOrderState.RETURNED, now=now)


async def recall(conn: AsyncConnection, actor: Actor, given: ForReason, now: datetime) -> tuple[Change, ...]:
    """T17: the customer stops it: the centre takes it back from whoever holds it (DP-09); a finished one is refused."""
    return await _end(conn, actor, given, Verb.RECALL, WorkOrderState.RECALLED, now=now)


async def _end(
    conn: AsyncConnection, actor: Actor, given: ForReason, verb: Verb, to: WorkOrderState, *, now: datetime
) -> tuple[Change, ...]:
    held = await hold(conn, actor, given)
    reason = fields.text("reason", given.reason, 1000, lines=True)
    workflow.advance(situation(held, now), verb, actor.posts, {"reason": reason})
    await _stop(conn, held, verb, now)
    if verb is Verb.RECALL:
        await _amend(conn, actor, held, now, kind="recall", reason=reason)
    values = {**_ENDED, "ended_at": now, "end_reason": reason}
    told = await change(conn, actor, held, Done(f"work_order.{to.value}", verb, to, values, reason), now)
    followed = await settle_order(conn, held.order.id, now)
    return (told, followed) if followed is not None else (told,)


async def transfer(conn: AsyncConnection, actor: Actor, given: Transfer, now: datetime) -> Change:
    """T15: another unit takes it over, up or down; the whole limit of the order runs on (PR-08, PR-09).

    Raises Invalid for a unit that had it before: it would go in a circle.
    """
    held = await hold(conn, actor, given)
    reason = fields.text("reason", given.reason, 1000, lines=True)
    said: dict[str, Any] = {
        "from_workplace": fields.text("from_workplace", given.from_workplace, 60),
        "reason": reason,
        "to_workplace": fields.text("to_workplace", given.to_workplace, 60),
        "to_unit": given.to_unit,
        "limit_s": given.limit_s,
    }
    workflow.advance(situation(held, now), Verb.TRANSFER, actor.posts, said)
    dispatching.check_limit("limit_s", given.limit_s)
    await taxonomy.leaf(conn, "unit", given.to_unit, now.date(), field="to_unit")
    if given.to_unit in await _had_it(conn, held):
        raise Invalid("in_a_circle", "this unit had it before: return it to the centre instead", field="to_unit")
    await _stop(conn, held, Verb.TRANSFER, now)
    task = {
        "unit": given.to_unit,
        "task": held.row["task"],
        "limit_s": given.limit_s,
        "working_time": held.row["working_time"],
        "workplace": said["to_workplace"],
    }
    sent = {"tasks": [task], "opinion": reason, "parent": held.row["id"]}
    await dispatching.send(conn, actor, held.order, Verb.TRANSFER, said=sent, now=now)
    values = {**_ENDED, "ended_at": now, "end_reason": reason, "form": said}
    done = Done("work_order.transferred", Verb.TRANSFER, WorkOrderState.TRANSFERRED, values, reason)
    return await change(conn, actor, held, done, now)


async def _had_it(conn: AsyncConnection, held: HeldWork) -> set[str]:
    """Units of this work order and of those it came from."""
    units, parent = {str(held.row["unit"])}, held.row["parent_id"]
    while parent is not None:
        row = (
            await conn.execute(select(work_order.c.unit, work_order.c.parent_id).where(work_order.c.id == parent))
        ).one()
        units.add(row.unit)
        parent = row.parent_id
    return units


async def supplement(conn: AsyncConnection, actor: Actor, given: Supplement, now: datetime) -> Change:
    """T16: another task or limit, to whoever holds it now; old task and old limit are kept (DP-08)."""
    held = await hold(conn, actor, given)
    reason = fields.text("reason", given.reason, 1000, lines=True)
    workflow.advance(situation(held, now), Verb.SUPPLEMENT, actor.posts, {"reason": reason})
    task = fields.text("task", given.task, 2000, lines=True) if given.task else None
    if task is None and given.limit_s is None:
        raise Invalid("missing", "say what changes: the task, the limit, or both", field="task")
    values: dict[str, Any] = {}
    amended: dict[str, Any] = {}
    if task is not None:
        values["task"] = task
        amended |= {"old_task": held.row["task"], "new_task": task}
    if given.limit_s is not None:
        dispatching.check_limit("limit_s", given.limit_s)
        limit = timedelta(seconds=given.limit_s)
        due_at = await clocks.move(conn, held.row["id"], now, target=limit, reason=reason or "", actor=actor.number)
        values |= {"limit_s": given.limit_s, "due_at": due_at}
        amended |= {"old_due_at": held.row["due_at"], "new_due_at": due_at}
    await _amend(conn, actor, held, now, kind="supplement", reason=reason, **amended)
    done = Done("work_order.supplemented", Verb.SUPPLEMENT, held.state, values, reason)
    return await change(conn, actor, held, done, now)


async def acknowledge(conn: AsyncConnection, actor: Actor, given: OnOrder, now: datetime) -> Change:
    """Whoever holds the work order says that he has read what was changed or stopped (DP-08, DP-09).

    Raises Refused when there is nothing to acknowledge.
    """
    held = await hold(conn, actor, given)
    workflow.advance(situation(held, now), Verb.ACKNOWLEDGE, actor.posts, {})
    mine = work_order_amendment.c.work_order_id == held.row["id"]
    done = await conn.execute(
        update(work_order_amendment)
        .where(mine, work_order_amendment.c.acknowledged_at.is_(None))
        .values(acknowledged_at=now, acknowledged_by=actor.staff_id)
    )
    if done.rowcount == 0:
        raise Refused("nothing_to_acknowledge", "nothing was changed since you last read it")
    told = Done("work_order.acknowledged", Verb.ACKNOWLEDGE, held.state, {})
    return await change(conn, actor, held, told, now)


async def _stop(conn: AsyncConnection, held: HeldWork, verb: Verb, now: datetime) -> None:
    await clocks.stop(conn, held.order.id, now, verb.value, codes=(Clock.STAGE,), work_order_id=held.row["id"])


async def _amend(conn: AsyncConnection, actor: Actor, held: HeldWork, now: datetime, **said: Any) -> None:
    row = {"work_order_id": held.row["id"], "at": now, "staff_id": ledger.id_of(actor), **said}
    await conn.execute(insert(work_order_amendment).values(row))
