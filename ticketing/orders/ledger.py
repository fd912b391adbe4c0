"""The order's row: made, locked, changed with its version, and every step written down in the same transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, outbox
from ticketing.changes import Change
from ticketing.clocks import store as clocks
from ticketing.db import for_update
from ticketing.errors import NotFound, Stale
from ticketing.orders import words
from ticketing.orders.access import visible
from ticketing.orders.model import Control, Kind, State, WorkOrderState
from ticketing.orders.tables import commitment, customer_order, order_addendum, order_link, order_trail, work_order
from ticketing.roles import SYSTEM, Actor
from ticketing.staff.tables import staff

#: topic of the outbox for everything about an order; the key is its serial
TOPIC = "order"


@dataclass(frozen=True, slots=True)
class Held:
    """An order's row under its lock, as it was when the lock was had."""

    id: int
    public_id: str
    serial: str
    version: int
    state: State
    kind: Kind | None
    control: Control
    #: every column
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WorkStep:
    """The work order an action was about, for its line of the trail."""

    id: int
    before: WorkOrderState | None
    after: WorkOrderState
    #: unit whose turn it is
    node: str
    handler: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """What one action did to an order."""

    #: past fact: order.submitted
    fact: str
    #: the trail's word
    action: str
    to: State
    values: Mapping[str, Any]
    note: str | None = None
    #: JSON-ready, for trail, audit and listeners
    payload: Mapping[str, Any] | None = None
    work: WorkStep | None = None


async def hold(conn: AsyncConnection, actor: Actor, public_id: str, version: int | None = None) -> Held:
    """Locks an order the actor may see. Raises NotFound, and Stale saying who was faster (F18)."""
    held = await _hold(conn, actor, customer_order.c.public_id == public_id)
    if held is None:
        raise NotFound(subject="order", id=public_id)
    if version is not None and held.version != version:
        raise Stale(
            subject="order",
            id=public_id,
            version=held.version,
            by=held.row["changed_by"],
            at=held.row["changed_at"].isoformat(),
        )
    return held


async def hold_serial(conn: AsyncConnection, actor: Actor, serial: str) -> Held | None:
    """Locks an order by its serial; None when there is none the actor may see."""
    return await _hold(conn, actor, customer_order.c.serial == serial)


async def hold_id(conn: AsyncConnection, order_id: int) -> Held:
    """Locks the order of a work order, which the caller may see."""
    held = await _hold(conn, SYSTEM, customer_order.c.id == order_id)
    assert held is not None, "a work order without its order"
    return held


async def hold_call(conn: AsyncConnection, call_id: str) -> Held | None:
    """Locks the order that was begun when this call was answered."""
    return await _hold(conn, SYSTEM, customer_order.c.call_id == call_id)


async def _hold(conn: AsyncConnection, actor: Actor, which: ColumnElement[bool]) -> Held | None:
    found = await conn.execute(for_update(select(customer_order).where(which, visible(actor))))
    row = found.mappings().first()
    if row is None:
        return None
    return Held(
        id=row["id"],
        public_id=row["public_id"],
        serial=row["serial"],
        version=row["version"],
        state=State(row["state"]),
        kind=Kind(row["kind"]) if row["kind"] else None,
        control=Control(row["control"]),
        row=dict(row),
    )


async def create(conn: AsyncConnection, actor: Actor, values: Mapping[str, Any], now: datetime) -> Held | None:
    """Inserts a draft; None when its call already has an order, also when somebody else is just committing it."""
    full = {
        "public_id": secrets.token_urlsafe(16),
        "version": 1,
        "state": State.DRAFT.value,
        "control": Control.RUN.value,
        "urgent": False,
        "priority": 0,
        "cycle": 1,
        "contact_no": 1,
        "repeat_no": 0,
        "chase_no": 0,
        "coded": {},
        "author_id": id_of(actor),
        "created_at": now,
        "changed_at": now,
        "changed_by": actor.number,
        **values,
    }
    try:
        async with conn.begin_nested():
            await conn.execute(insert(customer_order).values(**full))
    except IntegrityError as error:
        if "call_id" not in str(error.orig):
            raise
        return None
    held = await _hold(conn, SYSTEM, customer_order.c.public_id == full["public_id"])
    if held is not None and words.touched(full):
        await words.write(conn, held.id)
    return held


async def born(conn: AsyncConnection, actor: Actor, held: Held, step: Step, now: datetime) -> Change:
    """Writes the first line of an order's trail, its audit row and its message."""
    return await _write_down(conn, actor, held, step, now, version=held.version, before=None)


async def apply(conn: AsyncConnection, actor: Actor, held: Held, step: Step, now: datetime) -> Change:
    """Changes the locked order: columns, version, trail, audit and message, or nothing of it.

    Clocks are turned before: the nearest limit is read from them here, so that lists never show another one.
    """
    version = held.version + 1
    if step.to is not State.DRAFT:
        due_at, warn_at = await clocks.nearest(conn, held.id)
        step = replace(step, values={**step.values, "due_at": due_at, "warn_at": warn_at})
    done = await conn.execute(
        update(customer_order)
        .where(customer_order.c.id == held.id, customer_order.c.version == held.version)
        .values(**step.values, state=step.to.value, version=version, changed_at=now, changed_by=actor.number)
    )
    if done.rowcount != 1:
        raise Stale(subject="order", id=held.public_id)
    if words.touched(step.values):
        await words.write(conn, held.id)
    return await _write_down(conn, actor, held, step, now, version=version, before=held.state)


async def _write_down(
    conn: AsyncConnection, actor: Actor, held: Held, step: Step, now: datetime, *, version: int, before: State | None
) -> Change:
    payload = dict(step.payload or {})
    after = {**held.row, **step.values}
    handler = after["owner_queue"] or (await number_of(conn, after["owner_id"], actor))
    work = step.work
    was: State | WorkOrderState | None = work.before if work else before
    line = {
        "from_state": was.value if was else None,
        "to_state": (work.after if work else step.to).value,
        "node": work.node if work else step.to.value,
        "handler": work.handler if work else handler,
        "due_at": work.due_at if work else after["due_at"],
        "work_order_id": work.id if work else None,
    }
    await conn.execute(
        insert(order_trail).values(
            order_id=held.id,
            version=version,
            at=now,
            actor_id=id_of(actor),
            actor_number=actor.number,
            actor_name=actor.name,
            action=step.action,
            note=step.note,
            payload=payload,
            **line,
        )
    )
    await audit.record(conn, actor, step.fact, "order", held.public_id, {"version": version, **payload}, now)
    told = {"order": held.public_id, "serial": held.serial, "version": version, "state": step.to.value}
    await outbox.put(conn, TOPIC, held.serial, {"event": step.fact, "owner": handler, **_for_others(step), **told}, now)
    return Change(step.fact, held.public_id, version, now, {**told, **payload})


def _for_others(step: Step) -> dict[str, Any]:
    """What whoever is told outside needs beside the order's own state."""
    said = step.payload or {}
    more = {"was": said["was"]} if "was" in said else {}
    if step.fact == "order.replied":
        more["channel"] = said["channel"]
    if step.work is not None:
        more |= {"work_order": said.get("work_order"), "unit": step.work.node, "work_owner": step.work.handler}
        more |= {"urgent": said["urgent"]} if "urgent" in said else {}
    return more


async def tell_sent(conn: AsyncConnection, keys: Sequence[int | None], now: datetime) -> None:
    """Work orders that begin are told to whom they went (PX-05, TL-25)."""
    found = await conn.execute(
        select(
            work_order.c.public_id.label("work_order"),
            work_order.c.unit,
            work_order.c.urgent,
            func.coalesce(work_order.c.owner_queue, staff.c.number).label("work_owner"),
            customer_order.c.public_id.label("order"),
            customer_order.c.serial,
            customer_order.c.version,
            customer_order.c.state,
        )
        .join(customer_order, customer_order.c.id == work_order.c.order_id)
        .outerjoin(staff, staff.c.id == work_order.c.owner_id)
        .where(work_order.c.id.in_(keys))
        .order_by(work_order.c.id)
    )
    messages = [(str(row["serial"]), {"event": "work_order.sent", **row}) for row in found.mappings()]
    await outbox.put_all(conn, TOPIC, messages, now)


async def number_of(conn: AsyncConnection, staff_id: int | None, actor: Actor) -> str | None:
    """工号 of a person; the actor's own without a query."""
    if staff_id is None:
        return None
    if staff_id == actor.staff_id:
        return actor.number
    number = await conn.scalar(select(staff.c.number).where(staff.c.id == staff_id))
    return None if number is None else str(number)


async def add_words(conn: AsyncConnection, order_id: int, actor: Actor, said: str, now: datetime) -> None:
    """Adds what the customer said later; nothing in it is ever changed (IN-22)."""
    await conn.execute(insert(order_addendum).values(order_id=order_id, at=now, staff_id=id_of(actor), text=said))
    await words.write(conn, order_id)


async def promise(
    conn: AsyncConnection, actor: Actor, held: Held, now: datetime, *, words: str, due_at: datetime
) -> None:
    """Writes down what was promised, by when (RT-13); an earlier open promise is replaced."""
    await conn.execute(
        update(commitment)
        .where(commitment.c.order_id == held.id, commitment.c.kept_at.is_(None), commitment.c.replaced_at.is_(None))
        .values(replaced_at=now)
    )
    await conn.execute(
        insert(commitment).values(order_id=held.id, text=words, made_at=now, made_by=id_of(actor), due_at=due_at)
    )


async def keep_promises(conn: AsyncConnection, order_id: int, now: datetime) -> None:
    """The customer has his answer: no order ends with an open promise (MN-09)."""
    await conn.execute(
        update(commitment)
        .where(commitment.c.order_id == order_id, commitment.c.kept_at.is_(None), commitment.c.replaced_at.is_(None))
        .values(kept_at=now)
    )


async def link(conn: AsyncConnection, from_id: int, to_id: int, kind: str, now: datetime) -> None:
    """Says why two orders belong together, once."""
    known = await conn.scalar(
        select(order_link.c.id).where(
            order_link.c.from_id == from_id, order_link.c.to_id == to_id, order_link.c.kind == kind
        )
    )
    if known is None:
        await conn.execute(insert(order_link).values(from_id=from_id, to_id=to_id, kind=kind, created_at=now))


async def find_staff(conn: AsyncConnection, number: str) -> int | None:
    """Internal key of a person by 工号; None when he is not on the list."""
    found = await conn.scalar(select(staff.c.id).where(staff.c.number == number))
    return None if found is None else int(found)


def id_of(actor: Actor) -> int | None:
    """Key of a person; the product itself has none."""
    return None if actor.staff_id == SYSTEM.staff_id else actor.staff_id
