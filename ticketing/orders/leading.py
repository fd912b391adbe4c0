"""Use cases of leaders: a question, its rise to the top of the company, the decision (T21). Never commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Forbidden, Invalid, Refused
from ticketing.orders import coordination, dispatching, drafts, fields, ledger, rework, sending, settle, work, workflow
from ticketing.orders.inputs import Supplement
from ticketing.orders.ledger import Held, Step
from ticketing.orders.model import LIVE_WORK, Kind, State
from ticketing.orders.step_inputs import Coordinate, Raise, ToLeader
from ticketing.orders.tables import work_order
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor
from ticketing.staff.tables import staff

#: queue of questions to leaders
LEADER: Final = "leader"
#: level of the top of the company (PR-15)
TOP: Final = 2


async def to_leader(conn: AsyncConnection, actor: Actor, given: ToLeader, now: datetime) -> Change:
    """T21: complex, of several departments, or for the top: a leader decides; the work goes on meanwhile (PR-14)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    question = fields.text("question", given.question, 2000, lines=True)
    said = {"question": question, "level": given.level}
    decision = workflow.advance(drafts.situation(held), Verb.TO_LEADER, actor.posts, said)
    if held.kind is not Kind.COMPLAINT:
        raise Refused("not_a_complaint", "only complaints are coordinated by leaders", kind=held.kind)
    if given.level not in {1, TOP}:
        raise Invalid("unknown_code", "a leader or the top of the company", field="level", allowed=[1, TOP])
    await drafts.turn(conn, held, decision, now)
    await coordination.ask(conn, held, now, staff_id=ledger.id_of(actor), question=question or "", level=given.level)
    step = Step("order.to_leader", Verb.TO_LEADER, State.AT_LEADER, _TO_LEADERS, note=question, payload=said)
    return await ledger.apply(conn, actor, held, step, now)


async def raise_(conn: AsyncConnection, actor: Actor, given: Raise, now: datetime) -> Change:
    """T21: a leader asks the top of the company (PR-15)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    question = fields.text("question", given.question, 2000, lines=True)
    workflow.advance(drafts.situation(held), Verb.RAISE, actor.posts, {"question": question})
    before = await coordination.asked(conn, held)
    if before["level"] == TOP:
        raise Refused("at_the_top", "the top of the company has it already")
    await coordination.end(conn, held, now, decided_by=actor.staff_id, decision=question)
    owner = {"owner_id": before["owner_id"], "owner_queue": before["owner_queue"]}
    asking = Held(
        held.id, held.public_id, held.serial, held.version, held.state, held.kind, held.control, {**held.row, **owner}
    )
    await coordination.ask(conn, asking, now, staff_id=ledger.id_of(actor), question=question or "", level=TOP)
    payload = {"question": question, "level": TOP}
    step = Step("order.to_top", Verb.RAISE, State.AT_LEADER, _TO_LEADERS, note=question, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


_TO_LEADERS: dict[str, Any] = {"owner_id": None, "owner_queue": LEADER}


async def coordinate(conn: AsyncConnection, actor: Actor, given: Coordinate, now: datetime) -> tuple[Change, ...]:
    """T21: the leader decides, names the department that leads, and sets the limits (PR-14).

    A unit that works on it gets another task and limit, which it must acknowledge; another one gets a work order.
    Raises Forbidden for a question to the top that a branch's leader would decide, Invalid for a leading department
    that has no work.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    tasks = await dispatching.checked_tasks(conn, given.tasks, now) if given.tasks else []
    decision_text = fields.text("decision", given.decision, 2000, lines=True)
    said: dict[str, Any] = {"decision": decision_text, "lead_unit": given.lead_unit, "tasks": tasks}
    live = settle.is_live(await work.states(conn, held))
    decision = workflow.advance(drafts.situation(held, live_work=live), Verb.COORDINATE, actor.posts, said)
    await taxonomy.leaf(conn, "unit", given.lead_unit, day_of(now), field="lead_unit")
    asked = await coordination.asked(conn, held)
    unit = await conn.scalar(select(staff.c.unit).where(staff.c.id == actor.staff_id))
    if asked["level"] == TOP and unit is not None:
        raise Forbidden("top_level", "the top of the company decides this", level=TOP)
    working = {row["unit"]: row for row in await _working(conn, held)}
    units = {*working, *(task["unit"] for task in tasks)}
    if given.lead_unit not in units:
        raise Invalid(
            "leads_nothing", "the leading department has no work here", field="lead_unit", allowed=sorted(units)
        )
    await drafts.turn(conn, held, decision, now)
    ended = {"decided_by": actor.staff_id, "decision": decision_text, "lead_unit": given.lead_unit}
    await coordination.end(conn, held, now, **ended)
    if not live:
        await dispatching.follow(conn, actor, held)
    fresh = [task for task in tasks if task["unit"] not in working]
    if fresh:
        sent = {"tasks": fresh, "opinion": decision_text}
        await sending.send(conn, actor, held, Verb.COORDINATE, said=sent, now=now)
    values = {"owner_id": asked["owner_id"], "owner_queue": asked["owner_queue"]}
    payload = {"lead_unit": given.lead_unit, "units": sorted(units)}
    step = Step("order.coordinated", Verb.COORDINATE, State.IN_PROCESS, values, note=decision_text, payload=payload)
    changes = [await ledger.apply(conn, actor, held, step, now)]
    for task in tasks:
        if row := working.get(task["unit"]):
            more = Supplement(
                row["public_id"], row["version"], reason=decision_text or "", task=task["task"], limit_s=task["limit_s"]
            )
            changes.append(await rework.amend(conn, actor, more, now))
    return tuple(changes)


async def _working(conn: AsyncConnection, held: Held) -> list[RowMapping]:
    """The work orders that units hold."""
    found = await conn.execute(
        select(work_order).where(
            work_order.c.order_id == held.id,
            work_order.c.kind == work.WORK,
            work_order.c.state.in_([state.value for state in LIVE_WORK]),
        )
    )
    return list(found.mappings())
