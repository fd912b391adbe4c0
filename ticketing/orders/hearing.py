"""Use cases of what the customer adds and is told while his order is open (T30, PR-20). Never commit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.changes import Change
from ticketing.errors import Invalid, NotFound
from ticketing.orders import drafts, fields, ledger, proposing, reasons, rework, workflow
from ticketing.orders.inputs import Intervene, Supplement
from ticketing.orders.ledger import Held, Step
from ticketing.orders.step_inputs import CustomerAdds, Tell
from ticketing.orders.tables import commitment, order_agreement, order_response, work_order
from ticketing.orders.workflow import Verb
from ticketing.roles import Actor, Post

#: what is done at once about something a customer adds (RT-10)
OUTCOMES: Final = ("answered", "supplement", "recall")
_FARTHEST: Final = timedelta(days=366)


async def customer_adds(conn: AsyncConnection, actor: Actor, given: CustomerAdds, now: datetime) -> tuple[Change, ...]:
    """T30: the words go beside the first ones, the order keeps its number, and something is done at once (RT-10).

    Answered on the spot, or the work order of a department is supplemented or recalled: by a senior at once, by a
    junior as a proposal (RV-02). A new promise takes the place of the old one (K11).
    """
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    said: dict[str, Any] = {
        "text": fields.text("text", given.text, 8000, lines=True),
        "outcome": given.outcome,
        "answer": fields.text("answer", given.answer or "", 2000, lines=True),
    }
    facts = {"answered"} if given.outcome == "answered" else set()
    promised = await _promised(conn, held, given.promise_due_at, now)
    seen = drafts.situation(held, said=frozenset(facts | promised))
    decision = workflow.advance(seen, Verb.CUSTOMER_ADDS, actor.posts, said)
    if given.outcome not in OUTCOMES:
        raise Invalid("unknown_code", "what is done about it", field="outcome", allowed=list(OUTCOMES))
    target = await _target(conn, held, given) if given.outcome != "answered" else None
    await drafts.turn(conn, held, decision, now, promise=given.promise_due_at)
    words = fields.text("promise_text", given.promise_text or "", 500)
    values = await _promise(conn, actor, held, now, words=words, due_at=given.promise_due_at)
    await ledger.add_words(conn, held.id, actor, said["text"], now)
    row = {"order_id": held.id, "at": now, "staff_id": ledger.id_of(actor), **said}
    await conn.execute(insert(order_response).values({**row, "work_order_id": target[0] if target else None}))
    payload = {"outcome": given.outcome, "answer": said["answer"]}
    step = Step("order.customer_added", Verb.CUSTOMER_ADDS, held.state, values, note=said["text"], payload=payload)
    first = await ledger.apply(conn, actor, held, step, now)
    if target is None:
        return (first,)
    _, public_id, version = target
    senior = bool(actor.posts & {Post.SA})
    if given.outcome == "recall":
        wish = Intervene(public_id, version, reason_code=reasons.WITHDRAWN, reason=said["text"][:1000])
        if senior:
            return (first, *await rework.recall(conn, actor, wish, now))
        return first, await proposing.propose_recall(conn, actor, wish, now)
    more = Supplement(public_id, version, reason=said["text"][:1000], task=given.task, limit_s=given.limit_s)
    change = rework.supplement if senior else proposing.propose_supplement
    return first, await change(conn, actor, more, now)


async def _target(conn: AsyncConnection, held: Held, given: CustomerAdds) -> tuple[int, str, int]:
    if given.work_order is None:
        raise Invalid("missing", "which work order is changed", field="work_order")
    mine = (work_order.c.public_id == given.work_order, work_order.c.order_id == held.id)
    row = (
        await conn.execute(select(work_order.c.id, work_order.c.public_id, work_order.c.version).where(*mine))
    ).first()
    if row is None:
        raise NotFound(subject="work_order", id=given.work_order, field="work_order")
    return row.id, row.public_id, row.version


async def tell(conn: AsyncConnection, actor: Actor, given: Tell, now: datetime) -> Change:
    """The customer hears what will be done, by when and why it takes so long; whether he agrees is written down
    (PR-20). What he does not agree to may go to the manager hotline (RT-05)."""
    held = await ledger.hold(conn, actor, given.public_id, given.version)
    said: dict[str, Any] = {
        "plan": fields.text("plan", given.plan, 2000, lines=True),
        "told_due_at": given.told_due_at,
        "time_reason": fields.text("time_reason", given.time_reason, 1000, lines=True),
        "agreed": given.agreed,
    }
    promised = await _promised(conn, held, given.told_due_at, now, field="told_due_at")
    seen = drafts.situation(held, said=frozenset(promised))
    decision = workflow.advance(seen, Verb.TELL, actor.posts, said)
    await drafts.turn(conn, held, decision, now, promise=given.told_due_at)
    values = await _promise(conn, actor, held, now, words=(said["plan"] or "")[:500], due_at=given.told_due_at)
    row = {"order_id": held.id, "at": now, "staff_id": ledger.id_of(actor), **said}
    await conn.execute(insert(order_agreement).values(row))
    payload = {"agreed": given.agreed, "told_due_at": given.told_due_at.isoformat()}
    step = Step("order.told", Verb.TELL, held.state, values, note=said["plan"], payload=payload)
    return await ledger.apply(conn, actor, held, step, now)


async def _promised(
    conn: AsyncConnection, held: Held, due_at: datetime | None, now: datetime, field: str = "promise_due_at"
) -> set[str]:
    """Whether a promise is made anew, and whether the old one had passed by then; raises Invalid for a time nobody
    could mean."""
    if due_at is None:
        return set()
    if due_at.tzinfo is None or due_at <= now:
        raise Invalid("in_the_past", "the promised time has passed", field=field, earliest=now.isoformat())
    if due_at > now + _FARTHEST:
        raise Invalid("out_of_range", "too far away to be meant", field=field)
    open_ = (commitment.c.order_id == held.id, commitment.c.kept_at.is_(None), commitment.c.replaced_at.is_(None))
    before = await conn.scalar(select(commitment.c.due_at).where(*open_))
    return {"re-promised late" if before is not None and before <= now else "re-promised in time"}


async def _promise(
    conn: AsyncConnection, actor: Actor, held: Held, now: datetime, *, words: str | None, due_at: datetime | None
) -> dict[str, Any]:
    """Writes the new promise; returns the order's columns that say it."""
    if due_at is None:
        return {}
    await ledger.promise(conn, actor, held, now, words=words or "", due_at=due_at)
    return {"promise_text": words, "promise_due_at": due_at}
