"""All SQL of the threads of units; who reaches one is a condition of each query (MN-10, S15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import pages
from ticketing.errors import NotFound
from ticketing.orders.access import visible
from ticketing.orders.model import WorkOrderState
from ticketing.orders.tables import customer_order, work_order
from ticketing.pages import Page
from ticketing.roles import PERMISSIONS, Action, Actor, Post
from ticketing.staff.tables import staff
from ticketing.taxonomy import taxonomy_node
from ticketing.threads.tables import thread_message, thread_read

#: people of a unit who write for it
OFFICE: Final = frozenset({Post.DS, Post.DH})
#: people of the centre who write to units
CENTRE: Final = PERMISSIONS[Action.MESSAGE_UNITS] - OFFICE


@dataclass(frozen=True, slots=True)
class Thread:
    """A unit's thread in the list; field names are those of the JSON."""

    unit: str
    messages: int
    #: of others, after the last one this reader has read
    unread: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """One message; field names are those of the JSON."""

    #: public id
    id: str
    unit: str
    at: datetime
    #: 工号 and name as they were
    by: str
    by_name: str
    #: somebody of the unit said it; else the centre
    from_unit: bool
    text: str
    #: public id and number of the order it is about, and number of the work order
    order_id: str | None
    order_serial: str | None
    work_order: int | None


@dataclass(frozen=True, slots=True)
class About:
    """Keys of what a message is about."""

    order_id: int
    order: str
    work_order_id: int | None


def reach(actor: Actor) -> ColumnElement[bool]:
    """Condition on `taxonomy_node`: the centre reaches every unit's thread, the office of a unit its own, nobody else
    one."""
    if actor.posts & CENTRE:
        return true()
    mine = select(staff.c.unit).where(staff.c.id == actor.staff_id).scalar_subquery()
    return taxonomy_node.c.code == mine


async def threads(conn: AsyncConnection, actor: Actor, today: date) -> list[Thread]:
    """The threads the actor reaches, in the vocabulary's order: every unit that may be chosen, and others only while
    there is something to read."""
    unread = and_(
        thread_message.c.id > func.coalesce(thread_read.c.message_id, 0), thread_message.c.staff_id != actor.staff_id
    )
    mine = and_(thread_read.c.unit == taxonomy_node.c.code, thread_read.c.staff_id == actor.staff_id)
    query = (
        select(
            taxonomy_node,
            func.count(thread_message.c.id).label("messages"),
            func.count(thread_message.c.id).filter(unread).label("unread"),
            func.max(thread_message.c.at).label("last_at"),
        )
        .outerjoin(thread_message, thread_message.c.unit == taxonomy_node.c.code)
        .outerjoin(thread_read, mine)
        .where(taxonomy_node.c.kind == "unit", reach(actor))
        .group_by(taxonomy_node.c.id)
        .order_by(taxonomy_node.c.place, taxonomy_node.c.id)
    )
    rows = (await conn.execute(query)).mappings()
    return [
        Thread(row["code"], row["messages"], row["unread"], row["last_at"])
        for row in rows
        if row["messages"] or (row["leaf"] and _open(row, today))
    ]


def _open(row: RowMapping, today: date) -> bool:
    first, last = row["valid_from"], row["valid_to"]
    return (first is None or first <= today) and (last is None or today <= last)


async def check(conn: AsyncConnection, actor: Actor, unit: str) -> None:
    """Raises NotFound for a thread that is not there, or another unit's."""
    which = (taxonomy_node.c.kind == "unit", taxonomy_node.c.code == unit, taxonomy_node.c.leaf, reach(actor))
    if await conn.scalar(select(taxonomy_node.c.id).where(*which)) is None:
        raise NotFound(subject="thread", id=unit)


async def page(conn: AsyncConnection, actor: Actor, unit: str, cursor: str | None, limit: int) -> Page[Said]:
    """What was said in a thread, the newest first. Raises NotFound, Invalid for a wrong page."""
    await check(conn, actor, unit)
    pages.check_limit(limit)
    key = (thread_message.c.at, thread_message.c.id)
    query = pages.ordered(_said().where(thread_message.c.unit == unit), *key, cursor, newest_first=True)
    rows = (await conn.execute(query.limit(limit + 1))).mappings().all()
    last = rows[limit - 1] if len(rows) > limit else None
    following = None if last is None else pages.cursor_of(last["at"], last["id"])
    return Page(tuple(_view(row) for row in rows[:limit]), following)


async def one(conn: AsyncConnection, actor: Actor, unit: str, public_id: str) -> tuple[int, Said]:
    """A message of a thread the actor reaches, with its key. Raises NotFound."""
    await check(conn, actor, unit)
    which = (thread_message.c.unit == unit, thread_message.c.public_id == public_id)
    row = (await conn.execute(_said().where(*which))).mappings().first()
    if row is None:
        raise NotFound(subject="message", id=public_id)
    return row["id"], _view(row)


def _said() -> Select[Any]:
    return (
        select(
            thread_message,
            customer_order.c.public_id.label("order_public_id"),
            customer_order.c.serial,
            work_order.c.number,
        )
        .outerjoin(customer_order, customer_order.c.id == thread_message.c.order_id)
        .outerjoin(work_order, work_order.c.id == thread_message.c.work_order_id)
    )


def _view(row: RowMapping) -> Said:
    return Said(
        id=row["public_id"],
        unit=row["unit"],
        at=row["at"],
        by=row["author_number"],
        by_name=row["author_name"],
        from_unit=row["from_unit"],
        text=row["text"],
        order_id=row["order_public_id"],
        order_serial=row["serial"],
        work_order=row["number"],
    )


async def about(conn: AsyncConnection, actor: Actor, unit: str, serial: str, number: int | None) -> About:
    """What a message is about: an order the actor sees and the unit works, or worked, on. Raises NotFound with the
    field."""
    own = work_order.alias("own")  # what the actor sees asks for work orders too
    sent = (own.c.unit == unit, own.c.state != WorkOrderState.PROPOSED.value)
    query = (
        select(customer_order.c.id, customer_order.c.public_id, own.c.id.label("work"), own.c.number)
        .join(own, own.c.order_id == customer_order.c.id)
        .where(customer_order.c.serial == serial, visible(actor), *sent)
    )
    rows = (await conn.execute(query)).all()
    if not rows:
        raise NotFound(subject="order", serial=serial, field="serial")
    if number is None:
        return About(rows[0].id, rows[0].public_id, None)
    found = next((row for row in rows if row.number == number), None)
    if found is None:
        raise NotFound(subject="work_order", serial=serial, number=number, field="number")
    return About(found.id, found.public_id, found.work)


async def add(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Writes a message."""
    await conn.execute(insert(thread_message).values(**values))


async def read_to(conn: AsyncConnection, actor: Actor, unit: str, message_id: int, now: datetime) -> None:
    """He has read up to this message; what was read stays read, whichever of two pages says so first."""
    mine = (thread_read.c.staff_id == actor.staff_id, thread_read.c.unit == unit)
    new = {"message_id": message_id, "at": now}
    further = thread_read.c.message_id < message_id
    done = await conn.execute(update(thread_read).where(*mine, further).values(**new))
    if done.rowcount or await conn.scalar(select(thread_read.c.id).where(*mine)) is not None:
        return
    try:
        async with conn.begin_nested():
            await conn.execute(insert(thread_read).values(staff_id=actor.staff_id, unit=unit, **new))
    except IntegrityError:
        await conn.execute(update(thread_read).where(*mine, further).values(**new))
