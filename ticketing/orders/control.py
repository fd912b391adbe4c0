"""Use cases beside the usual way: manager hotline, cancellation, end by force, suggestions. Never commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.changes import Change
from ticketing.errors import Invalid, Refused
from ticketing.orders import drafts, fields, ledger, workflow
from ticketing.orders.inputs import ForReason, Report, Stop, ToArchivist
from ticketing.orders.ledger import Step
from ticketing.orders.model import LIVE_WORK, Kind, State, WorkOrderState
from ticketing.orders.tables import review, work_order
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor

#: the only reasons of a cancellation (MN-05)
CANCEL_REASONS: Final = ("withdrew", "insufficient")
#: reasons of an end by force (MN-06)
FORCE_REASONS: Final = ("malicious", "special")
_ADDRESSEES: Final = 3


async def to_manager(conn: AsyncConnection, actor: Actor, given: ForReason, now: datetime) -> Change:
    """T5: an overdue repeat, or a customer who refuses the right answer (RT-04, RT-05)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    reason = fields.text("reason", given.reason, 500)
    decision = workflow.advance(drafts.situation(held), Verb.TO_MANAGER, actor.posts, {"reason": reason})
    await drafts.turn(conn, held, decision, now)
    values = {"owner_id": None, "owner_queue": "manager"}
    step = Step("order.to_manager", Verb.TO_MANAGER, State.AT_MANAGER, values, note=reason, payload={"reason": reason})
    return await ledger.apply(conn, actor, held, step, now)


async def cancel(conn: AsyncConnection, actor: Actor, given: Stop, now: datetime) -> Change:
    """T27: the customer withdrew, or the data never sufficed; live work orders end with it (MN-05)."""
    return await _stop(conn, actor, given, Verb.CANCEL, allowed=CANCEL_REASONS, now=now)


async def force_end(conn: AsyncConnection, actor: Actor, given: Stop, now: datetime) -> Change:
    """T28: malicious or special, by a higher right than a cancellation (MN-06)."""
    return await _stop(conn, actor, given, Verb.FORCE_END, allowed=FORCE_REASONS, now=now)


async def _stop(
    conn: AsyncConnection, actor: Actor, given: Stop, verb: Verb, *, allowed: tuple[str, ...], now: datetime
) -> Change:
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    evidence = fields.text("evidence", given.evidence, 2000, lines=True)
    said = {"reason": given.reason, "evidence": evidence}
    decision = workflow.advance(drafts.situation(held), verb, actor.posts, said)
    if given.reason not in allowed:
        raise Invalid("unknown_code", "not a reason for this", field="reason", allowed=list(allowed))
    to = State(str(decision.to))
    await drafts.turn(conn, held, decision, now)
    ended: dict[str, Any] = {"ended_at": now, "end_reason": given.reason, "changed_at": now}
    gone = {"state": WorkOrderState(to.value).value, "owner_id": None, "owner_queue": None}
    live = work_order.c.state.in_([state.value for state in LIVE_WORK])
    await conn.execute(update(work_order).where(work_order.c.order_id == held.id, live).values(**ended, **gone))
    await conn.execute(
        update(review)
        .where(review.c.order_id == held.id, review.c.state == "open")
        .values(state="withdrawn", decided_at=now)
    )
    await ledger.keep_promises(conn, held.id, now)
    values = {"ended_at": now, "end_reason": given.reason, "end_note": evidence}
    step = Step(f"order.{to.value}", verb, to, values, note=evidence, payload={"reason": given.reason})
    return await ledger.apply(conn, actor, held, step, now)


async def to_archivist(conn: AsyncConnection, actor: Actor, given: ToArchivist, now: datetime) -> Change:
    """T31: a suggestion goes to the archivist at once, after thanks to who made it (RT-09)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    if held.kind is not Kind.SUGGESTION:
        raise Refused("not_a_suggestion", "only suggestions go to the archivist", kind=held.kind)
    thanks = True if given.thanks else None
    decision = workflow.advance(drafts.situation(held), Verb.TO_ARCHIVIST, actor.posts, {"thanks": thanks})
    await drafts.turn(conn, held, decision, now)
    values = {"owner_id": None, "owner_queue": "archivist"}
    step = Step("order.at_archivist", Verb.TO_ARCHIVIST, State.AT_ARCHIVIST, values)
    return await ledger.apply(conn, actor, held, step, now)


async def report(conn: AsyncConnection, actor: Actor, given: Report, now: datetime) -> Change:
    """T31: in a numbered digest to its three addressees (KB-08)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    addressees = [text for each in given.addressees if (text := fields.text("addressees", each, 80)) is not None]
    digest = fields.text("digest", given.digest, 40)
    said = {"digest": digest, "addressees": addressees}
    decision = workflow.advance(drafts.situation(held), Verb.REPORT, actor.posts, said)
    if len(set(addressees)) < _ADDRESSEES:
        raise Invalid("addressees", f"a digest has {_ADDRESSEES} addressees", field="addressees", given=len(addressees))
    await drafts.turn(conn, held, decision, now)
    values = {"owner_id": actor.staff_id, "owner_queue": None}
    step = Step("order.reported", Verb.REPORT, State.REPORTED, values, note=digest, payload=said)
    return await ledger.apply(conn, actor, held, step, now)
