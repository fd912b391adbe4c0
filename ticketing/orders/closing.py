"""Use cases that end an order: answer on the spot, reply, survey, second dispatch, filing. Never commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Forbidden, Invalid, Refused
from ticketing.orders import (
    dispatching,
    drafts,
    fields,
    follow_up,
    ledger,
    needs,
    remedies,
    scope,
    sending,
    settle,
    surveying,
    tracking,
    work,
    workflow,
)
from ticketing.orders.inputs import Answer, FileAway, Rate, Redispatch, Reply
from ticketing.orders.ledger import Held, Step
from ticketing.orders.model import ReviewKind, State
from ticketing.orders.tables import order_filing, order_reply, work_order
from ticketing.orders.workflow import Verb
from ticketing.roles import Action, Actor, may

#: queue of orders that wait for the surveyor
SURVEY: Final = "survey"
_LATER: Final = "later"
_OUTCOMES: Final = ("satisfied", "unreachable")


async def answer(conn: AsyncConnection, actor: Actor, given: Answer, now: datetime) -> Change:
    """T3: solved inside the call; called back where the kind of service asks for it (IN-02, SV-01)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    said = {"opinion": opinion, "satisfaction": given.satisfaction}
    choice = await needs.choose(conn, held, given.satisfaction, now)
    situation = drafts.situation(held, follow_up=choice.called_back)
    decision = workflow.advance(situation, Verb.ANSWER, actor.posts, {**said, "fcr": given.fcr})
    await scope.check(conn, actor, held)
    await taxonomy.leaf(conn, "satisfaction", given.satisfaction, day_of(now), field="satisfaction")
    await drafts.turn(conn, held, decision, now)
    await _write_reply(conn, actor, held, now, on_the_spot=True, final=True, **said)
    await ledger.keep_promises(conn, held.id, now)
    to = State(str(decision.to))
    values = {"fcr": given.fcr, **_owner_after(to, now)}
    payload = {"fcr": given.fcr, "follow_up": choice.value}
    step = Step("order.answered", Verb.ANSWER, to, values, note=opinion, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def reply(conn: AsyncConnection, actor: Actor, given: Reply, now: datetime) -> Change:
    """T22: the centre tells the customer, and asks how satisfied he is (RP-01, RP-02).

    One that is not the last may send further work with it, by somebody who dispatches: a new cycle (RP-03).
    Raises Invalid when another channel than the customer asked for is used without a reason (RP-05).
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    said: dict[str, Any] = {
        "opinion": fields.text("opinion", given.opinion, 2000, lines=True),
        "result": fields.text("result", given.result, 2000, lines=True),
        "channel": given.channel,
        "channel_reason": fields.text("channel_reason", given.channel_reason or "", 500),
        "satisfaction": given.satisfaction,
    }
    live = settle.is_live(await work.states(conn, held))
    choice = await needs.choose(conn, held, given.satisfaction, now)
    more_work = live or bool(given.tasks)
    situation = drafts.situation(held, final=given.final, live_work=more_work, follow_up=choice.called_back)
    decision = workflow.advance(situation, Verb.REPLY, actor.posts, said)
    if live and given.final:
        raise Invalid("work_is_live", "a department still works on it: this cannot be the last reply", field="final")
    more = await _further(conn, actor, given, now)
    await _check_reply(conn, held, given, said, now)
    said |= await _whose_fault(conn, held, given)
    await drafts.turn(conn, held, decision, now)
    await _write_reply(conn, actor, held, now, on_the_spot=False, final=given.final, **said)
    await ledger.keep_promises(conn, held.id, now)
    await tracking.answered(conn, held.id, ledger.id_of(actor), now)
    to = State(str(decision.to))
    payload: dict[str, Any] = {"channel": given.channel, "satisfaction": given.satisfaction, "final": given.final}
    if given.final:
        payload["follow_up"] = choice.value
    payload |= {"quality_flag": said["quality_flag"]} if said["quality_flag"] else {}
    values = _owner_after(to, now)
    if more is not None:
        values |= {"cycle": held.row["cycle"] + 1}
        payload |= {"units": [task["unit"] for task in more["tasks"]], "checks": more["checks"]}
        more |= {"opinion": said["opinion"], "cycle": values["cycle"]}
        await sending.send(conn, actor, held, Verb.REPLY, said=more, now=now)
    step = Step("order.replied", Verb.REPLY, to, values, note=said["opinion"], payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def _further(conn: AsyncConnection, actor: Actor, given: Reply, now: datetime) -> dict[str, Any] | None:
    """Work that goes out with a reply that is not the last; None for none."""
    if not given.tasks:
        return None
    if given.final:
        raise Invalid("not_with_the_last", "the last reply sends no further work", field="tasks")
    if not may(actor.posts, Action.DISPATCH):
        raise Forbidden(action=Verb.DISPATCH.value, posts=sorted(post.value for post in actor.posts))
    tasks = await dispatching.checked_tasks(conn, given.tasks, now)
    return {"tasks": tasks, "checks": dispatching.checked(given.checks or {}, valid=True)}


async def _check_reply(conn: AsyncConnection, held: Held, given: Reply, said: dict[str, Any], now: datetime) -> None:
    await taxonomy.leaf(conn, "reply_mode", given.channel, day_of(now), field="channel")
    await taxonomy.leaf(conn, "satisfaction", given.satisfaction, day_of(now), field="satisfaction")
    wanted = held.row["reply_mode"]
    if wanted and wanted != given.channel and said["channel_reason"] is None:
        raise Invalid(
            "other_channel", "the customer asked for another channel: say why", field="channel_reason", wanted=wanted
        )
    if given.final and await remedies.waits(conn, held):
        raise Refused("remedy_asked", "a remedy of this order waits for a leader")


async def _whose_fault(conn: AsyncConnection, held: Held, given: Reply) -> dict[str, Any]:
    """Whose fault it was and whether somebody apologised: as the centre says, else as the departments found (PR-18)."""
    liability, apology = work.checked_liability(given.liability), given.apology
    if liability is None:
        found = await conn.execute(
            select(work_order.c.liability, work_order.c.apology)
            .where(work_order.c.order_id == held.id, work_order.c.liability.is_not(None))
            .order_by(work_order.c.ended_at.desc(), work_order.c.id.desc())
            .limit(1)
        )
        if row := found.first():
            liability, apology = row.liability, row.apology if apology is None else apology
    return {"liability": liability, "apology": apology, "quality_flag": remedies.quality_flag(liability, apology)}


async def rate(conn: AsyncConnection, actor: Actor, given: Rate, now: datetime) -> Change:
    """T23: the surveyor heard that all is well, or could not reach the customer (SV-01, SV-05).

    Who complained again of a finished case is told why, and is apologised or explained to (SV-04). Raises Refused while
    fewer calls were made in vain than the rules ask for.
    """
    rules = follow_up.shipped()
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    reached = given.outcome == "satisfied"
    said = {"outcome": given.outcome, "cause": given.cause, "handled": given.handled}
    situation = drafts.situation(held, repeated=reached and held.row["repeat_no"] > 0)
    decision = workflow.advance(situation, Verb.RATE, actor.posts, said)
    if given.outcome not in _OUTCOMES:
        raise Invalid(
            "unknown_code", "dissatisfied customers get a second dispatch", field="outcome", allowed=list(_OUTCOMES)
        )
    if given.handled is not None and given.handled not in rules.outcomes:
        raise Invalid("unknown_code", "no such outcome", field="handled", allowed=list(rules.outcomes))
    if given.cause is not None:
        await taxonomy.leaf(conn, "cause", given.cause, day_of(now), field="cause")
    if reached:
        if given.grade not in rules.ends_well:
            raise Invalid("grade", "a grade that is no complaint", field="grade", allowed=sorted(rules.ends_well))
        await taxonomy.leaf(conn, "satisfaction", given.grade, day_of(now), field="grade")
    else:
        await surveying.enough(conn, held, rules)
    heard = {"grade": given.grade, "opinion": fields.text("opinion", given.opinion or "", 2000, lines=True)}
    await drafts.turn(conn, held, decision, now)
    await surveying.write(conn, actor, held, now, **said, **heard)
    payload = {"outcome": given.outcome, "grade": given.grade}
    values = _owner_after(State.CLOSED, now)
    step = Step("order.rated", Verb.RATE, State.CLOSED, values, note=heard["opinion"], payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def redispatch(conn: AsyncConnection, actor: Actor, given: Redispatch, now: datetime) -> Change:
    """T24: not satisfied: proposed again, for a senior to approve with a written warning (RV-07, PR-07, RE-08)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    tasks = await dispatching.checked_tasks(conn, given.tasks, now, held=held)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    said: dict[str, Any] = {
        "cause": given.cause,
        "wanted": fields.text("wanted", given.wanted, 2000, lines=True),
        "opinion": opinion,
        "tasks": tasks,
    }
    decision = workflow.advance(drafts.situation(held), Verb.REDISPATCH, actor.posts, said)
    await taxonomy.leaf(conn, "cause", given.cause, day_of(now), field="cause")
    await surveying.write(
        conn,
        actor,
        held,
        now,
        handled="remedied" if held.row["repeat_no"] > 0 else None,
        outcome="dissatisfied",
        grade=given.grade,
        opinion=said["opinion"],
        cause=given.cause,
        wanted=said["wanted"],
    )
    await dispatching.open_review(conn, actor, held, now, kind=ReviewKind.SECOND_DISPATCH, proposal=said)
    cycle = held.row["cycle"] + 1
    await drafts.turn(conn, held, decision, now, cycle=cycle)
    values = {"cycle": cycle, "owner_id": None, "owner_queue": dispatching.SENIOR}
    payload = {"cause": given.cause, "units": [task["unit"] for task in tasks], "cycle": cycle}
    step = Step("order.not_satisfied", Verb.REDISPATCH, State.IN_REVIEW, values, note=opinion, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def file_away(conn: AsyncConnection, actor: Actor, given: FileAway, now: datetime) -> Change:
    """T25: into the archive, found again by content, customer and department (KB-09, KB-12)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    said: dict[str, Any] = {
        "content": fields.text("content", given.content, 200),
        "customer_nature": given.customer_nature,
        "department": given.department,
    }
    decision = workflow.advance(drafts.situation(held), Verb.FILE, actor.posts, said)
    await taxonomy.leaf(conn, "complainant_type", given.customer_nature, day_of(now), field="customer_nature")
    await taxonomy.leaf(conn, "unit", given.department, day_of(now), field="department")
    said["originals"] = fields.text("originals", given.originals or "", 200)
    row = {"order_id": held.id, "at": now, "staff_id": ledger.id_of(actor), **said}
    await conn.execute(insert(order_filing).values(row))
    await drafts.turn(conn, held, decision, now)
    values = {} if held.row["ended_at"] is not None else {"ended_at": now}
    step = Step("order.filed", Verb.FILE, State.ARCHIVED, values, note=said["content"], payload=said)
    return await ledger.apply(conn, actor, held, step, now)


def _owner_after(to: State, now: datetime) -> dict[str, Any]:
    """Who has it after an answer: the surveyors' queue, nobody once it is over, else whoever had it."""
    if to is State.SURVEY:
        return {"owner_id": None, "owner_queue": SURVEY}
    return {"ended_at": now} if to is State.CLOSED else {}


async def _write_reply(conn: AsyncConnection, actor: Actor, held: Held, now: datetime, **said: Any) -> None:
    row = {"order_id": held.id, "cycle": held.row["cycle"], "at": now, "staff_id": ledger.id_of(actor), **said}
    await conn.execute(insert(order_reply).values(row))
