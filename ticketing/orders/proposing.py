"""Use cases that need a second person: juniors' supplements and recalls, an end by force. Never commit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Forbidden, Invalid, Refused
from ticketing.orders import control, dispatching, drafts, fields, ledger, reasons, rework, work, workflow
from ticketing.orders.inputs import Intervene, Stop, Supplement
from ticketing.orders.ledger import Held, Step
from ticketing.orders.model import ReviewKind
from ticketing.orders.step_inputs import Opinion, RefuseChange
from ticketing.orders.tables import review
from ticketing.orders.work import Done, HeldWork
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor, Post


async def propose_supplement(conn: AsyncConnection, actor: Actor, given: Supplement, now: datetime) -> Change:
    """T6: another task or limit that a senior must approve; the department sees nothing of it before (RV-01)."""
    held = await work.hold(conn, actor, given)
    proposal: dict[str, Any] = {"reason": fields.text("reason", given.reason, 1000, lines=True)}
    task = fields.text("task", given.task, 2000, lines=True) if given.task else None
    decision = workflow.advance(work.situation(held, now), Verb.PROPOSE_SUPPLEMENT, actor.posts, proposal)
    if task is None and given.limit_s is None:
        raise Invalid("missing", "say what changes: the task, the limit, or both", field="task")
    if given.limit_s is not None:
        dispatching.check_limit("limit_s", given.limit_s)
    proposal |= {"task": task, "limit_s": given.limit_s}
    return await _proposed(conn, actor, held, decision, kind=ReviewKind.SUPPLEMENT, proposal=proposal, now=now)


async def propose_recall(conn: AsyncConnection, actor: Actor, given: Intervene, now: datetime) -> Change:
    """T6: the customer wants it stopped; a senior must approve (RV-02)."""
    held = await work.hold(conn, actor, given)
    proposal = {"reason_code": given.reason_code, "reason": fields.text("reason", given.reason, 1000, lines=True)}
    decision = workflow.advance(work.situation(held, now), Verb.PROPOSE_RECALL, actor.posts, proposal)
    await taxonomy.leaf(conn, reasons.INTERVENTION, given.reason_code, day_of(now), field="reason_code")
    return await _proposed(conn, actor, held, decision, kind=ReviewKind.RECALL, proposal=proposal, now=now)


async def _proposed(
    conn: AsyncConnection,
    actor: Actor,
    held: HeldWork,
    decision: workflow.Decision,
    *,
    kind: ReviewKind,
    proposal: Mapping[str, Any],
    now: datetime,
) -> Change:
    if await _open(conn, held) is not None:
        raise Refused("proposed_already", "a change of this work order waits for a senior already")
    await work.turn(conn, held, decision, now)
    row = _row(actor, held.order, now, kind=kind.value, proposal=proposal)
    await conn.execute(insert(review).values({**row, "work_order_id": held.row["id"]}))
    done = Done(f"work_order.{kind.value}_proposed", decision.transition.verb, held.state, {}, proposal["reason"])
    payload = {"review": row["public_id"]}
    if "reason_code" in proposal:
        payload["reason_code"] = proposal["reason_code"]
    return await work.change(conn, actor, held, done, now, payload=payload)


def _row(actor: Actor, held: Held, now: datetime, *, kind: str, proposal: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "public_id": secrets.token_urlsafe(16),
        "order_id": held.id,
        "kind": kind,
        "state": "open",
        "author_id": ledger.id_of(actor),
        "created_at": now,
        "proposal": dict(proposal),
        "checks": {},
        "error_codes": [],
    }


async def _open(conn: AsyncConnection, held: HeldWork) -> RowMapping | None:
    mine = (review.c.work_order_id == held.row["id"], review.c.kind.in_(rework.CHANGES), review.c.state == "open")
    return (await conn.execute(select(review).where(*mine))).mappings().first()


async def approve_change(conn: AsyncConnection, actor: Actor, given: Opinion, now: datetime) -> tuple[Change, ...]:
    """What a junior proposed is done to whoever holds the work order now (RV-02); its author does not decide it."""
    held, found, opinion = await _second(conn, actor, given, Verb.APPROVE_CHANGE, now)
    decided = {"state": "approved", "reviewer_id": actor.staff_id, "decided_at": now, "opinion": opinion}
    await conn.execute(update(review).where(review.c.id == found["id"]).values(**decided))
    said = found["proposal"]
    payload = {"review": found["public_id"]}
    done = Done("work_order.change_approved", Verb.APPROVE_CHANGE, held.state, {}, opinion)
    approved = await work.change(conn, actor, held, done, now, payload=payload)
    version = held.row["version"] + 1
    if found["kind"] == ReviewKind.RECALL.value:
        code = said.get("reason_code", reasons.WITHDRAWN)
        recalled = Intervene(given.public_id, version, reason_code=code, reason=said["reason"])
        return (approved, *await rework.recall_as_proposed(conn, actor, recalled, now))
    more = Supplement(given.public_id, version, reason=said["reason"], task=said["task"], limit_s=said["limit_s"])
    return approved, await rework.supplement(conn, actor, more, now)


async def refuse_change(conn: AsyncConnection, actor: Actor, given: RefuseChange, now: datetime) -> Change:
    """The proposed change is not made, and why; error codes go to quality (RV-05)."""
    held, found, opinion = await _second(
        conn, actor, given, Verb.REFUSE_CHANGE, now, {"reason_code": given.reason_code}
    )
    await taxonomy.leaf(conn, reasons.INTERVENTION, given.reason_code, day_of(now), field="reason_code")
    for code in given.errors:
        await taxonomy.leaf(conn, "review_error", code, day_of(now), field="errors")
    decided = {"state": "sent_back", "reviewer_id": actor.staff_id, "decided_at": now, "opinion": opinion}
    await conn.execute(
        update(review).where(review.c.id == found["id"]).values(**decided, error_codes=list(given.errors))
    )
    payload = {"review": found["public_id"], "reason_code": given.reason_code, "errors": list(given.errors)}
    done = Done("work_order.change_refused", Verb.REFUSE_CHANGE, held.state, {}, opinion)
    return await work.change(conn, actor, held, done, now, payload=payload)


async def _second(  # noqa: PLR0917 - the step and what was said with it
    conn: AsyncConnection,
    actor: Actor,
    given: Opinion | RefuseChange,
    verb: Verb,
    now: datetime,
    more: Mapping[str, object] | None = None,
) -> tuple[HeldWork, RowMapping, str | None]:
    held = await work.hold(conn, actor, given)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    decision = workflow.advance(work.situation(held, now), verb, actor.posts, {**(more or {}), "opinion": opinion})
    found = await _open(conn, held)
    if found is None:
        raise Refused("nothing_proposed", "no change of this work order waits for a second person")
    if found["author_id"] == actor.staff_id:
        raise Forbidden("second_person", "a proposal is decided by somebody else than its author")
    await work.turn(conn, held, decision, now)
    return held, found, opinion


async def ask_force_end(conn: AsyncConnection, actor: Actor, given: Stop, now: datetime) -> Change:
    """T28: a leader or an administrator asks; nothing ends before the other one confirms (MN-06)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    evidence = fields.text("evidence", given.evidence, 2000, lines=True)
    said = {"reason": given.reason, "evidence": evidence}
    workflow.advance(drafts.situation(held), Verb.ASK_FORCE_END, actor.posts, said)
    control.check_reason(given.reason, control.FORCE_REASONS)
    if await _asked(conn, held) is not None:
        raise Refused("asked_already", "an end by force waits for the second person already")
    posts = sorted(post.value for post in actor.posts & {Post.AD, Post.LD})
    row = _row(actor, held, now, kind=ReviewKind.FORCE_END.value, proposal={**said, "posts": posts})
    await conn.execute(insert(review).values(row))
    payload = {"review": row["public_id"], "reason": given.reason}
    step = Step("order.force_end_asked", Verb.ASK_FORCE_END, held.state, {}, note=evidence, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def force_end(conn: AsyncConnection, actor: Actor, given: Opinion, now: datetime) -> Change:
    """T28: the other one of leader and administrator confirms; both are on the record (MN-06)."""
    held, found, opinion = await _confirmed(conn, actor, given, Verb.FORCE_END)
    asked = set(found["proposal"]["posts"])
    if len(asked | {post.value for post in actor.posts & {Post.AD, Post.LD}}) < 2:
        raise Forbidden(
            "both_needed", "a leader and an administrator end an order by force together", asked=sorted(asked)
        )
    await _decide(conn, actor, found, now, state="approved", opinion=opinion)
    said = found["proposal"]
    return await control.end(
        conn, actor, held, Verb.FORCE_END, said={**said, "opinion": opinion, "asked_by": found["author_id"]}, now=now
    )


async def keep(conn: AsyncConnection, actor: Actor, given: Opinion, now: datetime) -> Change:
    """T28: it is not ended by force: refused by the second person, or taken back by who asked."""
    held, found, opinion = await _confirmed(conn, actor, given, Verb.KEEP)
    own = found["author_id"] == actor.staff_id
    await _decide(conn, actor, found, now, state="withdrawn" if own else "sent_back", opinion=opinion)
    payload = {"review": found["public_id"]}
    step = Step("order.kept", Verb.KEEP, held.state, {}, note=opinion, payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def _confirmed(
    conn: AsyncConnection, actor: Actor, given: Opinion, verb: Verb
) -> tuple[Held, RowMapping, str | None]:
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    opinion = fields.text("opinion", given.opinion, 2000, lines=True)
    workflow.advance(drafts.situation(held), verb, actor.posts, {"opinion": opinion})
    found = await _asked(conn, held)
    if found is None:
        raise Refused("nobody_asked", "nobody has asked to end it by force: ask first")
    if verb is Verb.FORCE_END and found["author_id"] == actor.staff_id:
        raise Forbidden("second_person", "an end by force is confirmed by somebody else than who asked")
    return held, found, opinion


async def _asked(conn: AsyncConnection, held: Held) -> RowMapping | None:
    mine = (review.c.order_id == held.id, review.c.kind == ReviewKind.FORCE_END.value, review.c.state == "open")
    return (await conn.execute(select(review).where(*mine))).mappings().first()


async def _decide(
    conn: AsyncConnection, actor: Actor, found: RowMapping, now: datetime, *, state: str, opinion: str | None
) -> None:
    decided = {"state": state, "reviewer_id": actor.staff_id, "decided_at": now, "opinion": opinion}
    await conn.execute(update(review).where(review.c.id == found["id"]).values(**decided))
