"""Use cases of the seniors: hand-off, proposal, review, dispatch, solution without dispatch. Never commit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Forbidden, Invalid, Refused
from ticketing.orders import drafts, fields, ledger, planning, reasons, rules, scope, sending, workflow
from ticketing.orders.inputs import Dispatch, HandToSenior, Invalidate, Propose, SendBack, Solve, Task
from ticketing.orders.ledger import Held, Step
from ticketing.orders.model import LIVE_WORK, Kind, ReviewKind, State, WorkOrderState
from ticketing.orders.tables import review, work_order
from ticketing.orders.workflow import Decision, Verb
from ticketing.roles import Action, Actor, Post, may
from ticketing.staff.tables import staff, staff_post

#: queue of orders that wait for a senior
SENIOR: Final = "senior"
#: what a second look must have looked at (RV-04)
CHECKS: Final = ("valid", "serial", "complainant_type", "complaint_type")
_SHORTEST_S: Final = 600
_LONGEST_S: Final = 60 * 86400
_MOST_TASKS: Final = 20


async def hand_to_senior(conn: AsyncConnection, actor: Actor, given: HandToSenior, now: datetime) -> Change:
    """T4: who cannot answer gives the order to the seniors; a senior keeps it himself (RT-02, RT-12).

    A draft is completed and submitted before anybody else gets it: Refused("incomplete") names what is missing. Only a
    VIP does not wait for that: his draft goes to the seniors as it is, and they complete it (RT-08, RT-03).
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    reason = fields.text("reason", given.reason, 500)
    if held.state is State.DRAFT:
        drafts.mine(actor, held)
        held = await drafts.refit(conn, held)
        situation = drafts.situation(held)
        if situation.missing and drafts.of_vip(held.row["kind"], held.row["vip_class"]):
            return await _draft_to_senior(conn, actor, held, reason, now)
        if situation.missing and reason is not None:
            told = "the order is completed before it is handed on"
            raise Refused("incomplete", told, field=situation.missing[0], missing=list(situation.missing))
    return await _to_senior(conn, actor, held, reason, now)


async def _draft_to_senior(
    conn: AsyncConnection, actor: Actor, held: Held, reason: str | None, now: datetime
) -> Change:
    """The draft of a VIP's call into the seniors' queue; whoever may handle VIPs completes it himself (RT-03)."""
    if may(actor.posts, Action.HANDLE_VIP) or not may(actor.posts, Action.HAND_OVER):
        raise Forbidden(action=Verb.HAND_TO_SENIOR.value, posts=sorted(post.value for post in actor.posts))
    if reason is None:
        raise Invalid("missing", "something that is required is not filled in", field="reason", missing=["reason"])
    values = {"owner_id": None, "owner_queue": SENIOR}
    missing = rules.missing(held.kind, held.row, held.row["coded"], held.row["form"])
    payload = {"reason": reason, "vip_class": held.row["vip_class"], "missing": list(missing)}
    step = Step("order.handed_to_senior", Verb.HAND_TO_SENIOR, State.DRAFT, values, note=reason, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def vip_to_senior(conn: AsyncConnection, actor: Actor, public_id: str, now: datetime) -> Change | None:
    """T4 by the product itself: whoever may not handle VIPs does not keep their complaint (RT-03)."""
    held = await ledger.hold(conn, actor, public_id)
    of_vip = held.row["vip_class"] is not None and held.kind is Kind.COMPLAINT
    if held.state is not State.REGISTERED or not of_vip or may(actor.posts, Action.HANDLE_VIP):
        return None
    return await _to_senior(conn, actor, held, "vip", now, system=True)


async def _to_senior(
    conn: AsyncConnection, actor: Actor, held: Held, reason: str | None, now: datetime, *, system: bool = False
) -> Change:
    decision = workflow.advance(
        drafts.situation(held), Verb.HAND_TO_SENIOR, actor.posts, {"reason": reason}, system=system
    )
    await drafts.turn(conn, held, decision, now)
    keeps = Post.SA in actor.posts and not system
    owner = {"owner_id": actor.staff_id, "owner_queue": None} if keeps else {"owner_id": None, "owner_queue": SENIOR}
    payload = {"reason": reason}
    step = Step("order.handed_to_senior", Verb.HAND_TO_SENIOR, State.AT_SENIOR, owner, note=reason, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def propose(conn: AsyncConnection, actor: Actor, given: Propose, now: datetime) -> Change:
    """T6: a dispatch that a senior must approve; nothing reaches a department before (RV-01)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    tasks = await asked_for(conn, held, given, now)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    told = {"tasks": tasks, "opinion": opinion}
    decision = workflow.advance(drafts.situation(held), Verb.PROPOSE, actor.posts, told)
    await scope.check(conn, actor, held)
    await drafts.turn(conn, held, decision, now)
    opened = await open_review(conn, actor, held, now, kind=ReviewKind.DISPATCH, proposal=told)
    values = {"owner_id": None, "owner_queue": SENIOR}
    payload = {"review": opened, "units": [task["unit"] for task in tasks]}
    step = Step("order.dispatch_proposed", Verb.PROPOSE, State.IN_REVIEW, values, note=opinion, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def open_review(
    conn: AsyncConnection, actor: Actor, held: Held, now: datetime, *, kind: ReviewKind, proposal: Mapping[str, Any]
) -> str:
    """Puts a proposal before a second person; returns its public id."""
    public_id = secrets.token_urlsafe(16)
    await conn.execute(
        insert(review).values(
            public_id=public_id,
            order_id=held.id,
            kind=kind.value,
            state="open",
            author_id=ledger.id_of(actor),
            created_at=now,
            proposal={"tasks": list(proposal["tasks"]), "opinion": proposal["opinion"]},
            checks={},
            error_codes=[],
        )
    )
    return public_id


async def _open(conn: AsyncConnection, held: Held) -> RowMapping:
    """The proposal that keeps the order in review; others run beside it."""
    kinds = [ReviewKind.DISPATCH.value, ReviewKind.SECOND_DISPATCH.value]
    mine = (review.c.order_id == held.id, review.c.kind.in_(kinds), review.c.state == "open")
    return (await conn.execute(select(review).where(*mine))).mappings().one()


async def _decide(
    conn: AsyncConnection, actor: Actor, held: Held, state: str, now: datetime, **said: Any
) -> RowMapping:
    """Closes the open review; raises Forbidden when its author would decide it himself (RV-02)."""
    found = await _open(conn, held)
    if found["author_id"] == actor.staff_id:
        raise Forbidden("second_person", "a proposal is decided by somebody else than its author", order=held.public_id)
    await conn.execute(
        update(review)
        .where(review.c.id == found["id"])
        .values(state=state, reviewer_id=actor.staff_id, decided_at=now, **said)
    )
    return found


async def send_back(conn: AsyncConnection, actor: Actor, given: SendBack, now: datetime) -> Change:
    """T7: the proposal goes back to its author with a coded reason and an opinion; error codes go to quality (RV-05,
    MN-02)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    said = {"reason_code": given.reason_code, "opinion": fields.text("opinion", given.opinion, 2000, lines=True)}
    decision = workflow.advance(drafts.situation(held), Verb.SEND_BACK, actor.posts, said)
    await taxonomy.leaf(conn, reasons.INTERVENTION, given.reason_code, day_of(now), field="reason_code")
    for code in given.errors:
        await taxonomy.leaf(conn, "review_error", code, day_of(now), field="errors")
    await drafts.turn(conn, held, decision, now)
    errors, opinion = list(given.errors), said["opinion"]
    found = await _decide(conn, actor, held, "sent_back", now, opinion=opinion, error_codes=errors)
    values = {"owner_id": found["author_id"], "owner_queue": None}
    payload = {"reason_code": given.reason_code, "errors": errors}
    step = Step("order.sent_back", Verb.SEND_BACK, State.REGISTERED, values, note=opinion, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def invalidate(conn: AsyncConnection, actor: Actor, given: Invalidate, now: datetime) -> Change:
    """T8: no valid complaint: kept and counted, the customer is told (RV-06).

    Raises Invalid when the check says that it is valid.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    told = fields.text("customer_told", given.customer_told, 500)
    said = {"opinion": opinion, "customer_told": told, "checks": checked(given.checks, valid=False)}
    decision = workflow.advance(drafts.situation(held), Verb.INVALIDATE, actor.posts, said)
    await drafts.turn(conn, held, decision, now)
    if held.state is State.IN_REVIEW:
        await _decide(conn, actor, held, "invalid", now, opinion=opinion, checks=said["checks"])
    await ledger.keep_promises(conn, held.id, now)
    values = {"ended_at": now, "end_reason": "invalid", "end_note": told}
    payload = {"checks": said["checks"], "customer_told": told}
    step = Step("order.invalidated", Verb.INVALIDATE, State.INVALID, values, note=opinion, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def solve(conn: AsyncConnection, actor: Actor, given: Solve, now: datetime) -> Change:
    """T9: no department is needed; the answer is given next (PR-16)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    decision = workflow.advance(
        drafts.situation(held), Verb.SOLVE, actor.posts, {"opinion": opinion, "cause": given.cause}
    )
    if held.state is State.AT_MANAGER and await _live(conn, held):
        raise Refused("work_is_live", "a department still works on it: recall that first")
    await taxonomy.leaf(conn, "cause", given.cause, day_of(now), field="cause")
    await drafts.turn(conn, held, decision, now)
    if held.state is State.IN_REVIEW:
        await _decide(conn, actor, held, "approved", now, opinion=opinion)
    await planning.call_off(conn, held.id, now, "solved")
    values = {"owner_id": actor.staff_id, "owner_queue": None}
    payload = {"cause": given.cause}
    step = Step("order.solved", Verb.SOLVE, State.REPLYING, values, note=opinion, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def _live(conn: AsyncConnection, held: Held) -> bool:
    live = work_order.c.state.in_([state.value for state in LIVE_WORK])
    found = select(work_order.c.id).where(work_order.c.order_id == held.id, live).limit(1)
    return await conn.scalar(found) is not None


async def approve(conn: AsyncConnection, actor: Actor, given: Dispatch, now: datetime) -> Change:
    """T10: what was proposed is sent, as proposed or as the reviewer amends it; a second one warns a unit (RE-08)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    proposed = (await _open(conn, held))["proposal"]["tasks"] if held.state is State.IN_REVIEW else []
    tasks = await asked_for(conn, held, given, now) or proposed
    decision, said = _second_look(held, Verb.APPROVE, actor, given, tasks)
    warned = await _warning(conn, held, given, now)
    await drafts.turn(conn, held, decision, now)
    document = {name: value for name, value in warned.items() if name == "warning_document"}
    await _decide(conn, actor, held, "approved", now, opinion=said["opinion"], checks=said["checks"], **document)
    return await _sent(conn, actor, held, Verb.APPROVE, said={**said, "warning": warned}, now=now)


async def dispatch(conn: AsyncConnection, actor: Actor, given: Dispatch, now: datetime) -> Change:
    """T11: a senior's own dispatch: no second person, the same checks and opinion by himself (G3, RV-03)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    tasks = await asked_for(conn, held, given, now)
    decision, said = _second_look(held, Verb.DISPATCH, actor, given, tasks)
    await drafts.turn(conn, held, decision, now)
    await follow(conn, actor, held)
    await planning.call_off(conn, held.id, now, "dispatched anew")
    return await _sent(conn, actor, held, Verb.DISPATCH, said=said, now=now)


def _second_look(
    held: Held, verb: Verb, actor: Actor, given: Dispatch, tasks: Sequence[Mapping[str, Any]]
) -> tuple[Decision, dict[str, Any]]:
    said = {
        "opinion": fields.text("opinion", given.opinion, 2000, lines=True),
        "checks": checked(given.checks, valid=True),
        "tasks": list(tasks),
    }
    return workflow.advance(drafts.situation(held), verb, actor.posts, said), said


async def follow(conn: AsyncConnection, actor: Actor, held: Held, key: int | None = None, how: str = "sent_on") -> None:
    """The dispatcher has dealt with what was returned: with one work order, or with all of the cycle (T14)."""
    mine = [work_order.c.order_id == held.id, work_order.c.state == WorkOrderState.RETURNED.value]
    mine.append(work_order.c.cycle == held.row["cycle"] if key is None else work_order.c.id == key)
    for row in (await conn.execute(select(work_order.c.id, work_order.c.form).where(*mine))).all():
        form = {"followed": {"how": how, "by": actor.number}, **row.form}
        await conn.execute(update(work_order).where(work_order.c.id == row.id).values(form=form))


def checked(given: Mapping[str, bool], *, valid: bool) -> dict[str, bool]:
    """Every check with its result (RV-04); nothing goes out with one that failed, nothing is invalid that is valid."""
    absent = [name for name in CHECKS if name not in given]
    strange = sorted(set(given) - set(CHECKS))
    if absent or strange:
        raise Invalid("checks", "each check needs its result", field="checks", missing=absent, unknown=strange)
    failed = [name for name in CHECKS if not given[name]]
    if valid and failed:
        raise Invalid("check_failed", "what fails a check is not sent: send it back", field="checks", failed=failed)
    if not valid and given["valid"]:
        raise Invalid("is_valid", "the check says that the complaint is valid", field="checks")
    return {name: bool(given[name]) for name in CHECKS}


async def _warning(conn: AsyncConnection, held: Held, given: Dispatch, now: datetime) -> dict[str, str]:
    """The written warning of a second dispatch: numbered, to a unit that worked on this order (RE-08)."""
    second = held.state is State.IN_REVIEW and (await _open(conn, held))["kind"] == ReviewKind.SECOND_DISPATCH.value
    if not second:
        if given.warned_unit is not None:
            raise Invalid("no_warning", "only a second dispatch warns a unit", field="warned_unit")
        return {}
    done = select(work_order.c.unit).where(
        work_order.c.order_id == held.id, work_order.c.state == WorkOrderState.DONE.value
    )
    units = sorted(set((await conn.scalars(done)).all()))
    if given.warned_unit is None or given.warned_unit not in units:
        raise Invalid(
            "warning", "a second dispatch warns the unit whose answer failed", field="warned_unit", allowed=units
        )
    return {"warning_document": f"JG{now:%Y}-{held.serial}-{held.row['cycle']}", "warned_unit": given.warned_unit}


def check_limit(field: str, limit_s: int) -> None:
    """Raises Invalid for a limit nobody could mean."""
    if not _SHORTEST_S <= limit_s <= _LONGEST_S:
        allowed = [_SHORTEST_S, _LONGEST_S]
        raise Invalid("bad_limit", "a limit of ten minutes to sixty days", field=field, allowed=allowed)


async def asked_for(
    conn: AsyncConnection, held: Held, given: Propose | Dispatch, now: datetime
) -> list[dict[str, Any]]:
    """Tasks of a dispatch as stored: as they are given, or as the order's template asks (DP-02); none for neither.

    Raises Invalid for both at once.
    """
    if given.by_template and given.tasks:
        raise Invalid("tasks_or_template", "the tasks, or those of the template", field="by_template")
    tasks = await planning.by_template(conn, held.row, now) if given.by_template else given.tasks
    return await checked_tasks(conn, tasks, now, held=held) if tasks else []


async def checked_tasks(
    conn: AsyncConnection, tasks: Sequence[Task], now: datetime, *, held: Held | None = None
) -> list[dict[str, Any]]:
    """Tasks as stored: one for a unit, of a template's nodes one for a node, each with words and a limit.

    `held` is the order whose template's nodes may be named. Raises Invalid naming the field.
    """
    named = any(task.node is not None for task in tasks)
    known = await planning.nodes_of(conn, held.row, now) if held is not None and named else {}
    if len(tasks) > _MOST_TASKS:
        raise Invalid("too_many", f"at most {_MOST_TASKS} work orders at once", field="tasks", limit=_MOST_TASKS)
    made: list[dict[str, Any]] = []
    for place, task in enumerate(tasks):
        where = f"tasks.{place}"
        await taxonomy.leaf(conn, "unit", task.unit, day_of(now), field=f"{where}.unit")
        words = fields.text(f"{where}.task", task.task, 2000, lines=True)
        if words is None:
            raise Invalid("missing", "say what is to be done", field=f"{where}.task")
        check_limit(f"{where}.limit_s", task.limit_s)
        if task.node is not None and task.node not in known:
            raise Invalid("unknown_code", "no such node", field=f"{where}.node", allowed=sorted(known))
        if any(task.node is not None and task.node == other["node"] for other in made):
            raise Invalid("twice", "this node has a task already", field=f"{where}.node")
        if any(task.unit == other["unit"] and None in {task.node, other["node"]} for other in made):
            raise Invalid("twice", "this unit has a task already", field=f"{where}.unit")
        if task.person is not None:
            await person_of(conn, task.person, task.unit, field=f"{where}.person")
        made.append({**asdict(task), "task": words})
    return made


async def person_of(conn: AsyncConnection, number: str, unit: str, *, field: str, field_staff: bool = False) -> int:
    """Somebody of the unit by 工号 (DP-13); with `field_staff` one who works at the place (PR-12).

    Raises Invalid for anybody else.
    """
    posts = [Post.FS] if field_staff else [Post.DS, Post.DH]
    found = await conn.scalar(
        select(staff.c.id)
        .join(staff_post, staff_post.c.staff_id == staff.c.id)
        .where(
            staff.c.number == number,
            staff.c.unit == unit,
            staff.c.active,
            staff_post.c.post.in_([post.value for post in posts]),
        )
    )
    if found is None:
        raise Invalid("not_of_the_unit", "nobody of this unit has this number", field=field, unit=unit)
    return int(found)


async def _sent(
    conn: AsyncConnection, actor: Actor, held: Held, verb: Verb, *, said: Mapping[str, Any], now: datetime
) -> Change:
    """Makes the work orders, each with its own clock, and moves the order (DP-01 to DP-04, DP-07)."""
    await sending.send(conn, actor, held, verb, said=said, now=now)
    values = {"owner_id": actor.staff_id, "owner_queue": None}
    payload = {"units": [task["unit"] for task in said["tasks"]], "checks": said["checks"], **said.get("warning", {})}
    step = Step("order.dispatched", verb, State.IN_PROCESS, values, note=said["opinion"], payload=payload)
    return await ledger.apply(conn, actor, held, step, now)
