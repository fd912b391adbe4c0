"""Use cases on a work order off the straight way: head, return, transfer, supplement, recall. Never commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.clocks import store as clocks
from ticketing.clocks.model import Clock
from ticketing.clocks.tables import clock
from ticketing.days import day_of
from ticketing.errors import Invalid, Refused
from ticketing.orders import dispatching, fields, ledger, reasons, sending, settle, workflow
from ticketing.orders.inputs import ForReason, Intervene, OnOrder, Supplement, TakeBack, Transfer
from ticketing.orders.ledger import Step, WorkStep
from ticketing.orders.model import ReviewKind, State, WorkOrderState
from ticketing.orders.step_inputs import SendOn
from ticketing.orders.tables import review, work_order, work_order_amendment
from ticketing.orders.work import Done, HeldWork, change, followed_up, his, hold, settle_order, situation, states, turn
from ticketing.orders.workflow import Verb
from ticketing.roles import SYSTEM, Actor

#: changes of a work order that juniors propose (RV-02)
CHANGES: Final = (ReviewKind.SUPPLEMENT.value, ReviewKind.RECALL.value)
#: in the form of a work order: the limit it was sent with, kept when another one is given (CL-03)
SENT_LIMIT: Final = "sent_limit_s"
_ENDED: dict[str, Any] = {"owner_id": None, "owner_queue": None}


async def to_head(conn: AsyncConnection, actor: Actor, given: ForReason, now: datetime) -> Change:
    """T14: out of scope, against the rules, or field work: the head of the unit decides (PR-11)."""
    held = await hold(conn, actor, given)
    reason = fields.text("reason", given.reason, 1000, lines=True)
    workflow.advance(situation(held, now), Verb.TO_HEAD, actor.posts, {"reason": reason})
    _no_field_task(held)
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


async def give_back(conn: AsyncConnection, actor: Actor, given: Intervene, now: datetime) -> tuple[Change, ...]:
    """T14: returned to the centre, by the head only; the dispatcher has it again (PR-05, PR-10)."""
    return await _end(conn, actor, given, Verb.RETURN, WorkOrderState.RETURNED, now=now)


async def recall(conn: AsyncConnection, actor: Actor, given: Intervene, now: datetime) -> tuple[Change, ...]:
    """T17: the customer stops it: the centre takes it back from whoever holds it (DP-09); a finished one is refused."""
    return await _end(conn, actor, given, Verb.RECALL, WorkOrderState.RECALLED, now=now)


async def recall_as_proposed(
    conn: AsyncConnection, actor: Actor, given: Intervene, now: datetime
) -> tuple[Change, ...]:
    """T17 as a junior proposed it: his code counted on that day, also when it was closed since."""
    return await _end(conn, actor, given, Verb.RECALL, WorkOrderState.RECALLED, now=now, chosen_today=False)


async def _end(
    conn: AsyncConnection,
    actor: Actor,
    given: Intervene,
    verb: Verb,
    to: WorkOrderState,
    *,
    now: datetime,
    chosen_today: bool = True,
) -> tuple[Change, ...]:
    held = await hold(conn, actor, given)
    reason = fields.text("reason", given.reason, 1000, lines=True)
    said = {"reason_code": given.reason_code, "reason": reason}
    decision = workflow.advance(situation(held, now), verb, actor.posts, said)
    if chosen_today:
        await taxonomy.leaf(conn, reasons.INTERVENTION, given.reason_code, day_of(now), field="reason_code")
    _no_field_task(held)
    await turn(conn, held, decision, now)
    if verb is Verb.RECALL and held.state is not WorkOrderState.PROPOSED:
        await write_amendment(conn, actor, held, now, kind="recall", reason=reason)
    values = {**_ENDED, "ended_at": now, "end_reason": reason}
    done = Done(f"work_order.{to.value}", verb, to, values, reason)
    told = await change(conn, actor, held, done, now, payload={"reason_code": given.reason_code})
    return told, *await settle_order(conn, held.order.id, now)


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
    decision = workflow.advance(situation(held, now), Verb.TRANSFER, actor.posts, said)
    _no_field_task(held)
    dispatching.check_limit("limit_s", given.limit_s)
    await taxonomy.leaf(conn, "unit", given.to_unit, day_of(now), field="to_unit")
    had = await _had_it(conn, held)
    if given.to_unit in had:
        units = (await taxonomy.read(conn)).choosable("unit", day_of(now))
        allowed = [unit for unit in units if unit not in had][: taxonomy.ALLOWED_TOLD]
        told = "this unit had it before: return it to the centre instead"
        raise Invalid("in_a_circle", told, field="to_unit", allowed=allowed)
    await turn(conn, held, decision, now)
    task = {
        "unit": given.to_unit,
        "task": held.row["task"],
        "limit_s": given.limit_s,
        "working_time": held.row["working_time"],
        "workplace": said["to_workplace"],
    }
    sent = {"tasks": [task], "opinion": reason, "parent": held.row["id"]}
    await sending.send(conn, actor, held.order, Verb.TRANSFER, said=sent, now=now)
    await _what_waits_follows(conn, held, given.to_unit)
    values = {**_ENDED, "ended_at": now, "end_reason": reason, "form": {**held.row["form"], **said}}
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


async def _what_waits_follows(conn: AsyncConnection, held: HeldWork, unit: str) -> None:
    """A proposed change, or a chase nobody has read, is about whoever holds the work now: it goes with the transfer; a
    unit's own wish for a later limit does not, the other one has its own limit."""
    heir = select(work_order.c.id).where(work_order.c.parent_id == held.row["id"], work_order.c.unit == unit)
    mine = (review.c.work_order_id == held.row["id"], review.c.state == "open", review.c.kind.in_(CHANGES))
    await conn.execute(update(review).where(*mine).values(work_order_id=heir.scalar_subquery()))
    review_clock = (
        clock.c.work_order_id == held.row["id"],
        clock.c.code == Clock.REVIEW.value,
        clock.c.stopped_at.is_(None),
    )
    await conn.execute(update(clock).where(*review_clock).values(work_order_id=heir.scalar_subquery()))
    unread = (
        work_order_amendment.c.work_order_id == held.row["id"],
        work_order_amendment.c.kind == "chase",
        work_order_amendment.c.acknowledged_at.is_(None),
    )
    moved = {"work_order_id": heir.scalar_subquery(), "reached": unit}
    await conn.execute(update(work_order_amendment).where(*unread).values(moved))


def _no_field_task(held: HeldWork) -> None:
    if held.is_field:
        raise Refused("field_task", "a task at the place is reported to the head of the unit")


async def send_on(conn: AsyncConnection, actor: Actor, given: SendOn, now: datetime) -> Change:
    """T14: what came back goes to other units while others still work: the dispatcher's own look (RV-03, PR-10)."""
    held = await hold(conn, actor, given)
    tasks = await dispatching.checked_tasks(conn, given.tasks, now)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    said: dict[str, Any] = {"opinion": opinion, "checks": given.checks, "tasks": tasks}
    decision = workflow.advance(situation(held, now), Verb.SEND_ON, actor.posts, said)
    said["checks"] = dispatching.checked(given.checks, valid=True)
    await _waits(conn, held)
    await turn(conn, held, decision, now)
    await sending.send(conn, actor, held.order, Verb.SEND_ON, said={**said, "parent": held.row["id"]}, now=now)
    await dispatching.follow(conn, actor, held.order, held.row["id"])
    payload = {"units": [task["unit"] for task in tasks], "checks": said["checks"]}
    return await _dealt_with(
        conn, actor, held, Step("work_order.sent_on", Verb.SEND_ON, held.order.state, {}, opinion, payload), now
    )


async def drop(conn: AsyncConnection, actor: Actor, given: ForReason, now: datetime) -> tuple[Change, ...]:
    """T14: what came back is done by nobody, and why; the order follows when nothing else is live (PR-10)."""
    held = await hold(conn, actor, given)
    reason = fields.text("reason", given.reason, 1000, lines=True)
    decision = workflow.advance(situation(held, now), Verb.DROP, actor.posts, {"reason": reason})
    await _waits(conn, held)
    await turn(conn, held, decision, now)
    await dispatching.follow(conn, actor, held.order, held.row["id"], "dropped")
    told = await _dealt_with(
        conn, actor, held, Step("work_order.dropped", Verb.DROP, held.order.state, {}, reason), now
    )
    return told, *await settle_order(conn, held.order.id, now)


async def _waits(conn: AsyncConnection, held: HeldWork) -> None:
    """A returned work order waits for its dispatcher while others are live; then the order itself is dispatched."""
    working = held.order.state in {State.IN_PROCESS, State.AT_MANAGER, State.AT_LEADER}
    if followed_up(held.row["form"]) or held.row["cycle"] != held.order.row["cycle"]:
        raise Refused("dealt_with", "it was sent on or dropped already")
    if not working or not settle.is_live(await states(conn, held.order)):
        raise Refused("dispatch_the_order", "no department works on it any more: dispatch the order")


async def _dealt_with(conn: AsyncConnection, actor: Actor, held: HeldWork, step: Step, now: datetime) -> Change:
    values = {"version": held.row["version"] + 1, "changed_at": now}
    await conn.execute(update(work_order).where(work_order.c.id == held.row["id"]).values(**values))
    line = WorkStep(held.row["id"], held.state, held.state, held.row["unit"], None, None)
    told = {"work_order": held.row["public_id"], "number": held.row["number"], "unit": held.row["unit"]}
    payload = {**told, "work_version": values["version"], **(step.payload or {})}
    return await ledger.apply(conn, actor, held.order, replace(step, payload=payload, work=line), now)


async def supplement(conn: AsyncConnection, actor: Actor, given: Supplement, now: datetime) -> Change:
    """T16: another task or limit, to whoever holds it now; old task and old limit are kept (DP-08)."""
    held = await hold(conn, actor, given)
    workflow.advance(situation(held, now), Verb.SUPPLEMENT, actor.posts, {"reason": given.reason.strip()})
    return await amend(conn, actor, given, now)


async def amend(conn: AsyncConnection, actor: Actor, given: Supplement, now: datetime) -> Change:
    """What a supplement does, also as part of a leader's decision (T21)."""
    held = await hold(conn, SYSTEM, given)
    reason = fields.text("reason", given.reason, 1000, lines=True)
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
        values["form"] = {SENT_LIMIT: held.row["limit_s"], **held.row["form"]}
        amended |= {"old_due_at": held.row["due_at"], "new_due_at": due_at}
    await write_amendment(conn, actor, held, now, kind="supplement", reason=reason, **amended)
    done = Done("work_order.supplemented", Verb.SUPPLEMENT, held.state, values, reason)
    return await change(conn, actor, held, done, now)


async def acknowledge(conn: AsyncConnection, actor: Actor, given: OnOrder, now: datetime) -> Change:
    """Whoever holds the work order says that he has read what was changed, stopped or chased (DP-08, DP-09, SV-03).

    Raises Refused when there is nothing to acknowledge, Forbidden for the task of somebody else at the place.
    """
    held = await hold(conn, actor, given)
    workflow.advance(situation(held, now), Verb.ACKNOWLEDGE, actor.posts, {})
    his(actor, held)
    mine = work_order_amendment.c.work_order_id == held.row["id"]
    done = await conn.execute(
        update(work_order_amendment)
        .where(mine, work_order_amendment.c.acknowledged_at.is_(None))
        .values(acknowledged_at=now, acknowledged_by=actor.staff_id)
        .returning(work_order_amendment.c.kind)
    )
    kinds = sorted(set(done.scalars()))
    if not kinds:
        raise Refused("nothing_to_acknowledge", "nothing was changed since you last read it")
    told = Done("work_order.acknowledged", Verb.ACKNOWLEDGE, held.state, {})
    return await change(conn, actor, held, told, now, payload={"read": kinds})


async def write_amendment(conn: AsyncConnection, actor: Actor, held: HeldWork, now: datetime, **said: Any) -> None:
    """What was changed of a work order, stopped or urged, for whoever holds it to acknowledge (DP-08, DP-09, SV-03)."""
    row = {"work_order_id": held.row["id"], "at": now, "staff_id": ledger.id_of(actor), **said}
    await conn.execute(insert(work_order_amendment).values(row))
