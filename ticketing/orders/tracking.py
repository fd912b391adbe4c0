"""What a finished work order leaves behind, and what is still open towards the customer. Never commit."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.contacts.model import Role
from ticketing.contacts.tables import contact_order
from ticketing.errors import Invalid, NotFound, Refused
from ticketing.orders import fields
from ticketing.orders.access import visible
from ticketing.orders.ledger import Held
from ticketing.orders.model import OPEN, Kind, State
from ticketing.orders.tables import (
    commitment,
    customer_order,
    order_reply,
    order_response,
    process_template_version,
    tracking_task,
    work_order,
    work_order_amendment,
)
from ticketing.roles import Action, Actor, Post, may
from ticketing.staff.tables import staff

OWNER: Final = "owner"
UNIT: Final = "unit"
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Spans:
    """After how long each kind of task is due; zero: there is none."""

    owner: timedelta
    unit: timedelta


@dataclass(frozen=True, slots=True)
class Tracked:
    """One task, or one thing that is open towards a customer."""

    #: public id of a task; empty for what is found on the order itself
    id: str
    #: owner, unit, contact (RT-07), commitment (RT-13), chase (SV-03)
    kind: str
    order_id: str
    order_serial: str
    unit: str | None
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    done_at: datetime | None = None
    note: str | None = None


@cache
def shipped() -> Spans:
    """The spans of the data file."""
    return parse(files("ticketing").joinpath("data/tracking.toml").read_text(encoding="utf-8"))


def parse(text: str) -> Spans:
    """Spans of a file; raises Invalid for one that is no number of seconds."""
    given = tomllib.loads(text)["tracking"]
    spans = {name: given.get(name) for name in ("owner_s", "unit_s")}
    for name, seconds in spans.items():
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
            raise Invalid("bad_tracking", f"{name} is a number of seconds", field=name)
    return Spans(timedelta(seconds=spans["owner_s"]), timedelta(seconds=spans["unit_s"]))


async def left_behind(conn: AsyncConnection, held: Held, work: Mapping[str, Any], now: datetime) -> None:
    """The tasks a department's answer makes: its owner follows it up (RP-07), the department watches it (RP-08)."""
    spans, version = shipped(), held.row["template_version_id"]
    unit_span = spans.unit
    if version is not None:
        said = await conn.scalar(
            select(process_template_version.c.settings).where(process_template_version.c.id == version)
        )
        if said is not None and "tracking_s" in said:
            unit_span = timedelta(seconds=int(said["tracking_s"]))
    rows = [
        {
            "public_id": secrets.token_urlsafe(16),
            "order_id": held.id,
            "work_order_id": work["id"],
            "kind": kind,
            "unit": unit,
            "opened_at": now,
            "due_at": now + span,
        }
        for kind, unit, span in ((OWNER, None, spans.owner), (UNIT, work["unit"], unit_span))
        if span
    ]
    if rows:
        await conn.execute(insert(tracking_task), rows)


async def answered(conn: AsyncConnection, order_id: int, staff_id: int | None, now: datetime) -> None:
    """The customer has heard what the departments answered: their answers are followed up."""
    mine = (tracking_task.c.order_id == order_id, tracking_task.c.kind == OWNER, tracking_task.c.done_at.is_(None))
    await conn.execute(update(tracking_task).where(*mine).values(done_at=now, done_by=staff_id))


async def done(
    conn: AsyncConnection, actor: Actor, public_id: str, now: datetime, *, note: str, upward: str | None = None
) -> None:
    """The task is done, with what was found and, where there is something, what those above are told.

    Raises NotFound for another unit's task, Invalid without a note, Refused when it was done before.
    """
    words = fields.text("note", note, 2000, lines=True)
    if words is None:
        raise Invalid("missing", "say what was found", field="note")
    row = (
        await conn.execute(
            select(tracking_task, customer_order.c.public_id.label("order_public_id"))
            .join(customer_order, customer_order.c.id == tracking_task.c.order_id)
            .where(tracking_task.c.public_id == public_id, _his(actor))
            .with_for_update(of=tracking_task)
        )
    ).first()
    if row is None:
        raise NotFound(subject="tracking_task", id=public_id)
    if row.done_at is not None:
        raise Refused("done_already", "somebody has done this task")
    said = {"note": words, "upward": fields.text("upward", upward or "", 2000, lines=True)}
    await conn.execute(
        update(tracking_task).where(tracking_task.c.id == row.id).values(done_at=now, done_by=actor.staff_id, **said)
    )
    await audit.record(conn, actor, "tracking.done", "order", row.order_public_id, {"task": public_id, **said}, now)


def _his(actor: Actor) -> ColumnElement[bool]:
    """A unit's task is its people's, the head's report of it included; the owner's follow-up is the centre's."""
    clauses: list[ColumnElement[bool]] = []
    if actor.posts & {Post.DS, Post.DH}:
        unit = select(staff.c.unit).where(staff.c.id == actor.staff_id).scalar_subquery()
        clauses.append((tracking_task.c.kind == UNIT) & (tracking_task.c.unit == unit))
    if may(actor.posts, Action.DISPATCH):
        clauses.append(tracking_task.c.kind == OWNER)
    return or_(*clauses) if clauses else tracking_task.c.id.is_(None)


async def open_points(conn: AsyncConnection, actor: Actor, now: datetime) -> list[Tracked]:
    """What this person has to follow through: tasks of his unit or of his orders, contacts nobody answered (RT-07) and
    open complaints without a commitment (RT-13), chases nobody has acknowledged (SV-03); the longest overdue first."""
    found = await _tasks(conn, actor, now)
    if may(actor.posts, Action.VIEW_ALL_ORDERS):
        found += await _contacts(conn, actor, now)
        found += await _without_commitment(conn, actor, now)
        found += await _unread_chases(conn, actor)
    return sorted(found, key=lambda each: (not each.overdue, each.due_at or each.opened_at))


async def _tasks(conn: AsyncConnection, actor: Actor, now: datetime) -> list[Tracked]:
    open_owner = (tracking_task.c.kind != OWNER) | customer_order.c.ended_at.is_(None)
    rows = await conn.execute(
        select(tracking_task, customer_order.c.public_id.label("order"), customer_order.c.serial)
        .join(customer_order, customer_order.c.id == tracking_task.c.order_id)
        .where(tracking_task.c.done_at.is_(None), _his(actor), open_owner)
        .order_by(tracking_task.c.due_at)
        .limit(_MOST)
    )
    return [
        Tracked(row.public_id, row.kind, row.order, row.serial, row.unit, row.opened_at, row.due_at, row.due_at <= now)
        for row in rows
    ]


async def _contacts(conn: AsyncConnection, actor: Actor, now: datetime) -> list[Tracked]:
    """Later contacts of open orders after which nothing was answered, supplemented, recalled or replied."""
    open_ = customer_order.c.state.in_([state.value for state in OPEN])
    last = func.max(contact_order.c.joined_at)
    joined = (
        select(contact_order.c.order_id, last.label("at"))
        .where(contact_order.c.role == Role.REPEAT.value)
        .group_by(contact_order.c.order_id)
        .subquery()
    )
    response = exists().where(order_response.c.order_id == joined.c.order_id, order_response.c.at >= joined.c.at)
    reply = exists().where(order_reply.c.order_id == joined.c.order_id, order_reply.c.at >= joined.c.at)
    rows = await conn.execute(
        select(customer_order.c.public_id, customer_order.c.serial, customer_order.c.unit, joined.c.at)
        .join(joined, joined.c.order_id == customer_order.c.id)
        .where(open_, visible(actor), ~response, ~reply)
        .order_by(joined.c.at)
        .limit(_MOST)
    )
    return [Tracked("", "contact", row.public_id, row.serial, row.unit, row.at, None, overdue=False) for row in rows]


async def _without_commitment(conn: AsyncConnection, actor: Actor, now: datetime) -> list[Tracked]:
    """Open complaints whose customer was told no time, or whose told time has passed."""
    waiting = OPEN - {State.SURVEY}
    running = (
        commitment.c.order_id == customer_order.c.id,
        commitment.c.kept_at.is_(None),
        commitment.c.replaced_at.is_(None),
    )
    ahead = exists().where(*running, commitment.c.due_at > now)
    rows = await conn.execute(
        select(
            customer_order.c.public_id, customer_order.c.serial, customer_order.c.unit, customer_order.c.registered_at
        )
        .where(
            customer_order.c.kind == Kind.COMPLAINT.value,
            customer_order.c.state.in_([state.value for state in waiting]),
            visible(actor),
            ~ahead,
        )
        .order_by(customer_order.c.registered_at)
        .limit(_MOST)
    )
    return [
        Tracked("", "commitment", row.public_id, row.serial, row.unit, row.registered_at, None, overdue=False)
        for row in rows
    ]


async def _unread_chases(conn: AsyncConnection, actor: Actor) -> list[Tracked]:
    """Units that hold live work, were urged, and have not said that they read it."""
    made = work_order_amendment
    rows = await conn.execute(
        select(customer_order.c.public_id, customer_order.c.serial, work_order.c.unit, func.min(made.c.at).label("at"))
        .join(work_order, work_order.c.id == made.c.work_order_id)
        .join(customer_order, customer_order.c.id == work_order.c.order_id)
        .where(made.c.kind == "chase", made.c.acknowledged_at.is_(None), work_order.c.ended_at.is_(None))
        .where(visible(actor))
        .group_by(customer_order.c.public_id, customer_order.c.serial, work_order.c.unit)
        .order_by(func.min(made.c.at))
        .limit(_MOST)
    )
    return [Tracked("", "chase", row.public_id, row.serial, row.unit, row.at, None, overdue=False) for row in rows]


async def of_order(conn: AsyncConnection, order_id: int, now: datetime) -> list[Tracked]:
    """Every task of an order, for its page."""
    rows = await conn.execute(
        select(tracking_task, customer_order.c.public_id.label("order"), customer_order.c.serial, work_order.c.number)
        .join(customer_order, customer_order.c.id == tracking_task.c.order_id)
        .outerjoin(work_order, work_order.c.id == tracking_task.c.work_order_id)
        .where(tracking_task.c.order_id == order_id)
        .order_by(tracking_task.c.id)
    )
    return [
        Tracked(
            row.public_id,
            row.kind,
            row.order,
            row.serial,
            row.unit,
            row.opened_at,
            row.due_at,
            row.done_at is None and row.due_at <= now,
            row.done_at,
            row.note,
        )
        for row in rows
    ]
