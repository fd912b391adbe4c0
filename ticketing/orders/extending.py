"""Use cases of a later limit: a unit asks, the supervisor gives it or says why not (申请延期). Never commit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.clocks import store as clocks
from ticketing.clocks.model import Clock
from ticketing.clocks.tables import clock
from ticketing.days import day_of
from ticketing.errors import Forbidden, Invalid, Refused
from ticketing.orders import fields, ledger, rework, work, workflow
from ticketing.orders.model import ReviewKind
from ticketing.orders.step_inputs import AskExtension, GrantExtension, Opinion
from ticketing.orders.tables import customer_order, review, work_order
from ticketing.orders.work import Done, HeldWork
from ticketing.orders.workflow import Verb
from ticketing.roles import Action, Actor, require
from ticketing.staff.tables import staff

_MOST = 200


@dataclass(frozen=True, slots=True)
class Extension:
    """A wish for a later limit that waits for the supervisor; field names are those of the JSON."""

    work_order: str
    number: int
    order_id: str
    order_serial: str
    unit: str
    asked_at: datetime
    by: str | None
    #: leaf of taxonomy extension_reason
    reason: str
    note: str | None
    old_due_at: datetime | None
    due_at: datetime
    version: int


async def ask(conn: AsyncConnection, actor: Actor, given: AskExtension, now: datetime) -> Change:
    """A unit asks for a later limit before its own has passed; the limit stays until the supervisor decides (PX-05).

    Raises Refused after the limit (that needs the reason of the delay, PR-06) and while another wish waits, Invalid for
    a time that is not later than the limit, or later than the law's.
    """
    held = await work.hold(conn, actor, given)
    note = fields.text("note", given.note, 1000, lines=True) if given.note else None
    said = {"reason": given.reason, "due_at": given.due_at}
    workflow.advance(work.situation(held, now), Verb.ASK_EXTENSION, actor.posts, said)
    if held.is_field:
        raise Refused("field_task", "the head of the unit sets the limit of a task at the place")
    if await _open(conn, held) is not None:
        raise Refused("extension_asked", "a later limit of this work order waits for the supervisor already")
    before = held.row["due_at"]
    if before is not None and before <= now:
        raise Refused("limit_passed", "the limit has passed: give the reason of the delay with the answer")
    await taxonomy.leaf(conn, "extension_reason", given.reason, day_of(now), field="reason")
    await _check(conn, held, given.due_at, now)
    told = {
        "code": given.reason,
        "reason": note,
        "due_at": given.due_at.isoformat(),
        "old_due_at": None if before is None else before.isoformat(),
    }
    row = {
        "public_id": secrets.token_urlsafe(16),
        "order_id": held.order.id,
        "work_order_id": held.row["id"],
        "kind": ReviewKind.EXTENSION.value,
        "state": "open",
        "author_id": ledger.id_of(actor),
        "created_at": now,
        "proposal": told,
        "checks": {},
        "error_codes": [],
    }
    await conn.execute(insert(review).values(row))
    done = Done("work_order.extension_asked", Verb.ASK_EXTENSION, held.state, {}, note)
    return await work.change(conn, actor, held, done, now, payload={"review": row["public_id"], **told})


async def grant(conn: AsyncConnection, actor: Actor, given: GrantExtension, now: datetime) -> Change:
    """The supervisor gives the later limit, or an earlier one than asked; the old one is kept, and whoever holds the
    work order must read it (PX-04, PX-05, CL-03)."""
    held, found, opinion = await _decided(conn, actor, given, Verb.GRANT_EXTENSION, now)
    asked = datetime.fromisoformat(found["proposal"]["due_at"])
    due_at = given.due_at or asked
    await _check(conn, held, due_at, now)
    if due_at > asked:
        raise Invalid("later_than_asked", "not more than was asked for", field="due_at", latest=asked.isoformat())
    reason = f"extension.{found['proposal']['code']}"
    moved = await clocks.move(conn, held.row["id"], now, given=due_at, reason=reason, actor=actor.number)
    proposal = {**found["proposal"], "due_at": due_at.isoformat(), "asked_due_at": asked.isoformat()}
    await _write(conn, actor, found, now, state="approved", opinion=opinion, proposal=proposal)
    old = held.row["due_at"]
    kept = {"kind": "extension", "reason": opinion, "review_id": found["id"], "old_due_at": old, "new_due_at": moved}
    await rework.write_amendment(conn, actor, held, now, **kept)
    done = Done("work_order.extended", Verb.GRANT_EXTENSION, held.state, {"due_at": moved}, opinion)
    payload = {
        "review": found["public_id"],
        "code": found["proposal"]["code"],
        "old_due_at": None if old is None else old.isoformat(),
        "due_at": due_at.isoformat(),
    }
    return await work.change(conn, actor, held, done, now, payload=payload)


async def refuse(conn: AsyncConnection, actor: Actor, given: Opinion, now: datetime) -> Change:
    """The limit stays, and the unit reads why (PX-05)."""
    held, found, opinion = await _decided(conn, actor, given, Verb.REFUSE_EXTENSION, now)
    await _write(conn, actor, found, now, state="sent_back", opinion=opinion, proposal=found["proposal"])
    due_at = held.row["due_at"]
    kept = {"kind": "extension", "reason": opinion, "review_id": found["id"]}
    await rework.write_amendment(conn, actor, held, now, **kept, old_due_at=due_at, new_due_at=due_at)
    done = Done("work_order.extension_refused", Verb.REFUSE_EXTENSION, held.state, {}, opinion)
    return await work.change(conn, actor, held, done, now, payload={"review": found["public_id"]})


async def waiting(conn: AsyncConnection, actor: Actor) -> tuple[Extension, ...]:
    """Wishes that wait for the supervisor, the nearest limit first (PX-04)."""
    require(actor, Action.DECIDE_EXTENSION)
    rows = await conn.execute(
        select(
            review.c.created_at,
            review.c.proposal,
            staff.c.number.label("by"),
            work_order.c.public_id,
            work_order.c.number,
            work_order.c.unit,
            work_order.c.due_at,
            work_order.c.version,
            customer_order.c.public_id.label("order_id"),
            customer_order.c.serial,
        )
        .join(work_order, work_order.c.id == review.c.work_order_id)
        .join(customer_order, customer_order.c.id == review.c.order_id)
        .outerjoin(staff, staff.c.id == review.c.author_id)
        .where(review.c.kind == ReviewKind.EXTENSION.value, review.c.state == "open")
        .order_by(work_order.c.due_at, review.c.id)
        .limit(_MOST)
    )
    return tuple(
        Extension(
            work_order=row.public_id,
            number=row.number,
            order_id=row.order_id,
            order_serial=row.serial,
            unit=row.unit,
            asked_at=row.created_at,
            by=row.by,
            reason=row.proposal["code"],
            note=row.proposal["reason"],
            old_due_at=row.due_at,
            due_at=datetime.fromisoformat(row.proposal["due_at"]),
            version=row.version,
        )
        for row in rows
    )


async def _decided(
    conn: AsyncConnection, actor: Actor, given: GrantExtension | Opinion, verb: Verb, now: datetime
) -> tuple[HeldWork, RowMapping, str | None]:
    held = await work.hold(conn, actor, given)
    opinion = fields.text("opinion", given.opinion, 1000, lines=True)
    workflow.advance(work.situation(held, now), verb, actor.posts, {"opinion": opinion})
    found = await _open(conn, held)
    if found is None:
        raise Refused("no_extension_asked", "nobody has asked for a later limit of this work order")
    if found["author_id"] == actor.staff_id:
        raise Forbidden("second_person", "a later limit is given by somebody else than who asked")
    return held, found, opinion


async def _write(
    conn: AsyncConnection,
    actor: Actor,
    found: RowMapping,
    now: datetime,
    *,
    state: str,
    opinion: str | None,
    proposal: Mapping[str, Any],
) -> None:
    decided = {"state": state, "reviewer_id": actor.staff_id, "decided_at": now, "opinion": opinion}
    await conn.execute(update(review).where(review.c.id == found["id"]).values(**decided, proposal=dict(proposal)))


async def _open(conn: AsyncConnection, held: HeldWork) -> RowMapping | None:
    mine = (review.c.work_order_id == held.row["id"], review.c.state == "open")
    found = await conn.execute(select(review).where(*mine, review.c.kind == ReviewKind.EXTENSION.value))
    return found.mappings().first()


async def _check(conn: AsyncConnection, held: HeldWork, due_at: datetime, now: datetime) -> None:
    """A limit that is still to come, later than the one that runs and within the law's, which nobody here moves."""
    earliest = max(now, held.row["due_at"] or now)
    if due_at.tzinfo is None or due_at <= earliest:
        raise Invalid(
            "not_later", "a later limit comes after the one that runs", field="due_at", earliest=earliest.isoformat()
        )
    law = await conn.scalar(
        select(func.min(clock.c.due_at)).where(
            clock.c.order_id == held.order.id, clock.c.code == Clock.LEGAL.value, clock.c.stopped_at.is_(None)
        )
    )
    if law is not None and due_at > law:
        raise Invalid(
            "beyond_the_law", "the limit of the law stands above every other", field="due_at", latest=law.isoformat()
        )
