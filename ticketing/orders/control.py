"""Use cases beside the usual way: manager hotline, cancellation, end by force, suggestions. Never commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.changes import Change
from ticketing.errors import Invalid, NotFound, Refused
from ticketing.orders import coordination, drafts, fields, ledger, workflow
from ticketing.orders.inputs import Report, Stop, ToArchivist
from ticketing.orders.ledger import Held, Step
from ticketing.orders.model import LIVE_WORK, UNBORN, Kind, State, WorkOrderState
from ticketing.orders.step_inputs import ToManager
from ticketing.orders.tables import customer_order, review, work_order
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor

#: the only reasons of a cancellation (MN-05)
CANCEL_REASONS: Final = ("withdrew", "insufficient")
#: reasons of an end by force (MN-06)
FORCE_REASONS: Final = ("malicious", "special")
#: why a customer is the manager's (RT-04)
TRIGGERS: Final = ("overdue_repeat", "refuses_answer")
_ADDRESSEES: Final = 3


async def to_manager(conn: AsyncConnection, actor: Actor, given: ToManager, now: datetime) -> Change:
    """T5: an overdue repeat, or a customer who refuses the right answer (RT-04, RT-05); live work orders run on.

    Raises Invalid for a repeat whose earlier order nobody names, NotFound for one that does not exist.
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    repeated = given.trigger == TRIGGERS[0]
    earlier = given.earlier_serial or (await _repeated(conn, held) if repeated else None)
    reason = fields.text("reason", given.reason, 500, lines=True)
    said = {"trigger": given.trigger, "reason": reason, "earlier_serial": earlier}
    seen = drafts.situation(held, said=frozenset({"overdue repeat"} if repeated else ()))
    decision = workflow.advance(seen, Verb.TO_MANAGER, actor.posts, said)
    if given.trigger not in TRIGGERS:
        raise Invalid("unknown_code", "why it is the manager's", field="trigger", allowed=list(TRIGGERS))
    if earlier is not None and not await _known(conn, earlier):
        raise NotFound(subject="order", serial=earlier, field="earlier_serial")
    await drafts.turn(conn, held, decision, now)
    values = {"owner_id": None, "owner_queue": "manager"}
    step = Step("order.to_manager", Verb.TO_MANAGER, State.AT_MANAGER, values, note=reason, payload=said)
    return await ledger.apply(conn, actor, held, step, now)


async def _repeated(conn: AsyncConnection, held: Held) -> str | None:
    """The order whose complaint comes again: this one at a further contact, or the one it repeats (G15)."""
    if held.row["contact_no"] > 1:
        return held.serial
    earlier = held.row["repeat_of_id"]
    return (
        None
        if earlier is None
        else await conn.scalar(select(customer_order.c.serial).where(customer_order.c.id == earlier))
    )


async def _known(conn: AsyncConnection, serial: str) -> bool:
    unborn = [state.value for state in UNBORN]
    known = select(customer_order.c.id).where(customer_order.c.serial == serial, customer_order.c.state.not_in(unborn))
    return await conn.scalar(known) is not None


async def cancel(conn: AsyncConnection, actor: Actor, given: Stop, now: datetime) -> Change:
    """T27: the customer withdrew, or the data never sufficed; live work orders end with it (MN-05)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    evidence = fields.text("evidence", given.evidence, 2000, lines=True)
    said = {"reason": given.reason, "evidence": evidence}
    workflow.advance(drafts.situation(held), Verb.CANCEL, actor.posts, said)
    check_reason(given.reason, CANCEL_REASONS)
    return await end(conn, actor, held, Verb.CANCEL, said=said, now=now)


def check_reason(reason: str, allowed: tuple[str, ...]) -> None:
    """Raises Invalid for a reason that does not count (MN-05, MN-06)."""
    if reason not in allowed:
        raise Invalid("unknown_code", "not a reason for this", field="reason", allowed=list(allowed))


async def end(
    conn: AsyncConnection, actor: Actor, held: Held, verb: Verb, *, said: dict[str, Any], now: datetime
) -> Change:
    """Ends an order that is alive, with everything of it that is: work orders, proposals, questions, promises."""
    decision = workflow.advance(drafts.situation(held), verb, actor.posts, said)
    to = State(str(decision.to))
    await drafts.turn(conn, held, decision, now)
    ended: dict[str, Any] = {"ended_at": now, "end_reason": said["reason"], "changed_at": now}
    gone = {"state": WorkOrderState(to.value).value, "owner_id": None, "owner_queue": None}
    live = work_order.c.state.in_([state.value for state in (*LIVE_WORK, WorkOrderState.PROPOSED)])
    await conn.execute(update(work_order).where(work_order.c.order_id == held.id, live).values(**ended, **gone))
    await conn.execute(
        update(review)
        .where(review.c.order_id == held.id, review.c.state == "open")
        .values(state="withdrawn", decided_at=now)
    )
    await coordination.over(conn, held, now)
    await ledger.keep_promises(conn, held.id, now)
    values = {"ended_at": now, "end_reason": said["reason"], "end_note": said["evidence"]}
    step = Step(f"order.{to.value}", verb, to, values, note=said["evidence"], payload=said)
    return await ledger.apply(conn, actor, held, step, now)


async def to_archivist(conn: AsyncConnection, actor: Actor, given: ToArchivist, now: datetime) -> Change:
    """T31: a suggestion goes to the archivist at once, after thanks to who made it (RT-09)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    thanks = True if given.thanks else None
    decision = workflow.advance(drafts.situation(held), Verb.TO_ARCHIVIST, actor.posts, {"thanks": thanks})
    if held.kind is not Kind.SUGGESTION:
        raise Refused("not_a_suggestion", "only suggestions go to the archivist", kind=held.kind)
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
