"""Use cases of a head with people at the place, and messages added to a work order. Never commit."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.changes import Change
from ticketing.clocks.model import Clock
from ticketing.clocks.store import NewClock
from ticketing.errors import Invalid, Refused
from ticketing.orders import dispatching, fields, ledger, sending, work, workflow
from ticketing.orders.model import Control, WorkOrderState
from ticketing.orders.step_inputs import AssignField, FieldReport, Note
from ticketing.orders.tables import work_order
from ticketing.orders.work import FIELD, Done, HeldWork
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor


async def assign_field(conn: AsyncConnection, actor: Actor, given: AssignField, now: datetime) -> Change:
    """T14: a sub-task with its own limit for somebody of the unit at the place (PR-12).

    Raises Invalid for a person who is not of the unit's field staff.
    """
    held = await work.hold(conn, actor, given)
    task = fields.text("task", given.task, 2000, lines=True)
    said = {"person": given.person, "task": task, "limit_s": given.limit_s}
    decision = workflow.advance(work.situation(held, now), Verb.ASSIGN_FIELD, actor.posts, said)
    if held.is_field:
        raise Refused("field_task", "a task at the place is not divided again")
    dispatching.check_limit("limit_s", given.limit_s)
    person = await dispatching.person_of(conn, given.person, held.row["unit"], field="person", field_staff=True)
    await _sub_task(conn, actor, held, person=person, said=said, now=now)
    values: dict[str, Any] = {"working_at": held.row["working_at"] or now}
    values |= {"owner_id": actor.staff_id, "owner_queue": None}
    done = Done("work_order.field_assigned", Verb.ASSIGN_FIELD, decision.to, values, task)
    return await work.change(conn, actor, held, done, now, payload={"person": given.person})


async def _sub_task(
    conn: AsyncConnection, actor: Actor, held: HeldWork, *, person: int, said: dict[str, Any], now: datetime
) -> None:
    row = held.row
    number = await conn.scalar(select(func.max(work_order.c.number)).where(work_order.c.order_id == held.order.id)) or 0
    made = await conn.execute(
        insert(work_order)
        .values(
            public_id=secrets.token_urlsafe(16),
            order_id=held.order.id,
            number=number + 1,
            version=1,
            cycle=row["cycle"],
            kind=FIELD,
            parent_id=row["id"],
            state=WorkOrderState.SENT.value,
            control=Control.RUN.value,
            unit=row["unit"],
            owner_id=person,
            task=said["task"],
            dispatch_opinion=row["dispatch_opinion"],
            urgent=row["urgent"],
            limit_s=said["limit_s"],
            working_time=False,
            dispatched_by=actor.staff_id,
            created_at=now,
            sent_at=now,
            delivered_at=now,
            changed_at=now,
            form={},
        )
        .returning(work_order.c.id)
    )
    limit = timedelta(seconds=said["limit_s"])
    stage = NewClock(Clock.STAGE, now, Verb.ASSIGN_FIELD.value, target=limit, work_order_id=made.scalar_one())
    await sending.start_stages(conn, held.order.id, [stage])
    await ledger.tell_sent(conn, [stage.work_order_id], now)


async def field_report(conn: AsyncConnection, actor: Actor, given: FieldReport, now: datetime) -> Change:
    """T14: what was found at the place goes to the head, who answers for the unit (PR-13)."""
    held = await work.hold(conn, actor, given)
    said = {
        "result": fields.text("result", given.result, 4000, lines=True),
        "overtime_reason": fields.text("overtime_reason", given.overtime_reason or "", 1000, lines=True),
    }
    decision = workflow.advance(work.situation(held, now), Verb.FIELD_REPORT, actor.posts, said)
    if not held.is_field:
        raise Refused("not_a_field_task", "a department's work order is answered, not reported")
    await work.turn(conn, held, decision, now)
    values = {**said, "handled_at": now, "ended_at": now}  # it stays his, so that he sees what he reported
    done = Done("work_order.reported", Verb.FIELD_REPORT, decision.to, values, said["result"])
    return await work.change(conn, actor, held, done, now)


async def note(conn: AsyncConnection, actor: Actor, given: Note, now: datetime) -> Change:
    """A message to whoever holds the work order, from the centre or the unit itself, on its trail (DP-12, PR-03)."""
    held = await work.hold(conn, actor, given)
    text = fields.text("text", given.text, 2000, lines=True)
    workflow.advance(work.situation(held, now), Verb.NOTE, actor.posts, {"text": text})
    if text is None:
        raise Invalid("missing", "there is no message", field="text")
    before = held.row["process_notes"]
    line = f"{now:%Y-%m-%d %H:%M}Z {actor.number} {text}"
    values = {"process_notes": line if before is None else f"{before}\n{line}"}
    return await work.change(conn, actor, held, Done("work_order.noted", Verb.NOTE, held.state, values, text), now)
