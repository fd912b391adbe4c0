"""Use cases of call-backs beside their end: calls in vain, what a department asked the customer. Never commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Invalid, Refused
from ticketing.orders import fields, follow_up, ledger, work
from ticketing.orders.follow_up import FollowUpRules
from ticketing.orders.inputs import CalledBack, InVain
from ticketing.orders.ledger import Held, Step, WorkStep
from ticketing.orders.model import Control, State
from ticketing.orders.tables import order_survey, survey_attempt
from ticketing.roles import Action, Actor, require

#: whose answer it is (SV-10)
SURVEYOR: Final = "surveyor"
DEPARTMENT: Final = "department"


async def in_vain(conn: AsyncConnection, actor: Actor, given: InVain, now: datetime) -> Change:
    """A call-back that reached nobody; the order waits, until the time the customer named if he named one.

    Raises Refused for an order that waits for no call-back, Invalid for an unknown reason or a time that is past.
    """
    require(actor, Action.SURVEY)
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    if held.state is not State.SURVEY:
        raise Refused("not_from_here", "this order waits for no call-back", state=held.state, action="attempt")
    if held.control is Control.PAUSED:
        raise Refused("paused", "the order is paused; resume it first", action="attempt")
    rules = follow_up.shipped()
    if given.why not in rules.vain:
        raise Invalid("unknown_code", "no such reason", field="why", allowed=list(rules.vain))
    if given.not_before is not None and (given.not_before.tzinfo is None or given.not_before <= now):
        raise Invalid("in_the_past", "a time to come is expected", field="not_before", earliest=now.isoformat())
    note = fields.text("note", given.note or "", 500)
    said = {"why": given.why, "note": note, "not_before": given.not_before}
    row = {"order_id": held.id, "cycle": held.row["cycle"], "at": now, "staff_id": ledger.id_of(actor), **said}
    await conn.execute(insert(survey_attempt).values(row))
    payload = {"why": given.why, "attempt": await attempts(conn, held)}
    step = Step("order.not_reached", "attempt", held.state, {}, note=note, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def attempts(conn: AsyncConnection, held: Held) -> int:
    """Calls in vain of this cycle."""
    asked = select(func.count()).where(
        survey_attempt.c.order_id == held.id, survey_attempt.c.cycle == held.row["cycle"]
    )
    return int(await conn.scalar(asked) or 0)


async def enough(conn: AsyncConnection, held: Held, rules: FollowUpRules) -> None:
    """Raises Refused while the customer was not tried often enough to give up."""
    made = await attempts(conn, held)
    if made < rules.attempts:
        raise Refused("too_few_attempts", "he must be called more often before", made=made, needed=rules.attempts)


async def called_back(conn: AsyncConnection, actor: Actor, given: CalledBack, now: datetime) -> Change:
    """SV-10: the department that did the work asked the customer itself; stands beside the surveyor's answer.

    Raises Refused before the work is done or once the order was filed away.
    """
    require(actor, Action.WORK_WORK_ORDER)
    held = await work.hold(conn, actor, given)
    if held.row["ended_at"] is None or held.row["result"] is None:
        raise Refused("not_done", "first the work, then the question how it was", state=held.state)
    if held.order.row["ended_at"] is not None and held.order.state is not State.CLOSED:
        raise Refused("not_from_here", "this order is filed away", state=held.order.state, action="call_back")
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    if opinion is None:
        raise Invalid("required", "write down what the customer said", field="opinion")
    await taxonomy.leaf(conn, "satisfaction", given.grade, day_of(now), field="grade")
    row, order = held.row, held.order
    outcome = "dissatisfied" if given.grade in follow_up.shipped().unhappy else "satisfied"
    said = {"grade": given.grade, "opinion": opinion, "source": DEPARTMENT, "work_order_id": row["id"]}
    await write(conn, actor, order, now, outcome=outcome, **said)
    line = WorkStep(row["id"], held.state, held.state, row["unit"], actor.number, None)
    payload = {"work_order": row["public_id"], "number": row["number"], "unit": row["unit"], "grade": given.grade}
    step = Step("work_order.called_back", "call_back", order.state, {}, note=opinion, payload=payload, work=line)
    return await ledger.apply(conn, actor, order, step, now)


async def write(conn: AsyncConnection, actor: Actor, held: Held, now: datetime, **said: Any) -> None:
    """What the customer said, for the order's cycle."""
    row = {"order_id": held.id, "cycle": held.row["cycle"], "at": now, "staff_id": ledger.id_of(actor)}
    await conn.execute(insert(order_survey).values({"source": SURVEYOR, **row, **said}))
