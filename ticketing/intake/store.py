"""All SQL of recorded complaints: rows locked and changed with their version, and what pages read."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.callbacks.tables import callback
from ticketing.changes import Change
from ticketing.contacts.tables import contact_order
from ticketing.customers.rules import normalise
from ticketing.customers.tables import customer
from ticketing.db import for_update
from ticketing.errors import Invalid, NotFound, Stale
from ticketing.intake import rules
from ticketing.intake.model import WAITING, Item, ItemFilter, OrderRef, State
from ticketing.intake.tables import intake_item
from ticketing.orders.tables import customer_order
from ticketing.pages import Page, check_limit, cursor_of, ordered
from ticketing.roles import Actor
from ticketing.staff.tables import staff

_WAITING = sorted(state.value for state in WAITING)


@dataclass(frozen=True, slots=True)
class Held:
    """An item's row under its lock."""

    id: int
    public_id: str
    serial: str
    version: int
    state: State
    #: every column
    row: Mapping[str, Any]


async def hold(conn: AsyncConnection, public_id: str, version: int | None = None) -> Held:
    """Locks an item; raises NotFound, and Stale saying who was faster (F18)."""
    held = await _hold(conn, intake_item.c.public_id == public_id)
    if held is None:
        raise NotFound(subject="item", id=public_id)
    if version is not None and held.version != version:
        raise _stale(held)
    return held


async def hold_key(conn: AsyncConnection, key: str) -> Held | None:
    """Locks the item of a voice file; None when it was never taken in."""
    return await _hold(conn, intake_item.c.key == key)


async def hold_of_callback(conn: AsyncConnection, callback_id: int) -> list[Held]:
    """Locks the items merged with a callback, oldest first."""
    rows = await conn.execute(
        for_update(select(intake_item).where(intake_item.c.callback_id == callback_id).order_by(intake_item.c.id))
    )
    return [_held(row) for row in rows.mappings()]


async def attach(conn: AsyncConnection, number: str, callback_id: int) -> None:
    """Merges what this number has left and nobody has heard with its callback (TL-21)."""
    await conn.execute(
        update(intake_item)
        .where(
            intake_item.c.caller_number == number,
            intake_item.c.state == State.NEW.value,
            intake_item.c.callback_id.is_(None),
        )
        .values(callback_id=callback_id)
    )


async def add(conn: AsyncConnection, values: Mapping[str, Any]) -> Held | None:
    """Inserts an item; None when its key or serial is taken, also by somebody who is just committing it."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(intake_item).values(public_id=secrets.token_urlsafe(16), version=1, **values)
    made = await conn.execute(fresh.on_conflict_do_nothing().returning(intake_item))
    row = made.mappings().first()
    return None if row is None else _held(row)


async def write(  # noqa: PLR0917 - who did what to which, as in the audit
    conn: AsyncConnection,
    actor: Actor,
    fact: str,
    held: Held,
    to: State,
    values: Mapping[str, Any],
    now: datetime,
    *,
    said: Mapping[str, Any] | None = None,
) -> Change:
    """Changes the locked item: columns, version and audit row, or nothing of it."""
    version = held.version + 1
    done = await conn.execute(
        update(intake_item)
        .where(intake_item.c.id == held.id, intake_item.c.version == held.version)
        .values(**values, state=to.value, version=version, changed_at=now, changed_by=actor.number)
    )
    if done.rowcount != 1:
        raise _stale(held)
    return await tell(conn, actor, fact, held, to, version, now, values, more=said)


async def tell(  # noqa: PLR0917 - as above
    conn: AsyncConnection,
    actor: Actor,
    fact: str,
    held: Held,
    to: State,
    version: int,
    now: datetime,
    values: Mapping[str, Any],
    *,
    more: Mapping[str, Any] | None = None,
) -> Change:
    """Audits one step and says it in the form the edge publishes."""
    said = {name: values[name] for name in ("sorted_out", "discard_reason", "owner_queue") if values.get(name)}
    payload = {"serial": held.serial, "state": to.value, "key": held.row["key"], "version": version, **said}
    payload |= more or {}
    await audit.record(conn, actor, fact, "item", held.public_id, payload, now)
    return Change(fact, held.public_id, version, now, payload)


def _stale(held: Held) -> Stale:
    by, at = held.row["changed_by"], held.row["changed_at"].isoformat()
    return Stale(subject="item", id=held.public_id, version=held.version, by=by, at=at)


async def _hold(conn: AsyncConnection, which: ColumnElement[bool]) -> Held | None:
    row = (await conn.execute(for_update(select(intake_item).where(which)))).mappings().first()
    return None if row is None else _held(row)


def _held(row: RowMapping) -> Held:
    return Held(row["id"], row["public_id"], row["serial"], row["version"], State(row["state"]), dict(row))


# -- what pages read -------------------------------------------------------------------------------------------------


def _items() -> Select[Any]:
    return (
        select(
            intake_item,
            customer.c.public_id.label("customer_public_id"),
            customer.c.name.label("customer_name"),
            customer.c.vip_class.label("vip_class"),
            staff.c.number.label("owner_number"),
            callback.c.serial.label("callback_serial"),
        )
        .outerjoin(customer, customer.c.id == intake_item.c.customer_id)
        .outerjoin(staff, staff.c.id == intake_item.c.owner_id)
        .outerjoin(callback, callback.c.id == intake_item.c.callback_id)
    )


async def get(conn: AsyncConnection, public_id: str, now: datetime) -> Item:
    """One item with the orders it became; raises NotFound."""
    row = (await conn.execute(_items().where(intake_item.c.public_id == public_id))).mappings().first()
    if row is None:
        raise NotFound(subject="item", id=public_id)
    return (await _with_orders(conn, [row], now))[0]


async def search(
    conn: AsyncConnection,
    actor: Actor,
    wanted: ItemFilter,
    now: datetime,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Item]:
    """Items by remaining time, the shortest first (TL-21); where nothing waits the newest first."""
    query = _items().where(*_conditions(actor, wanted, now))
    newest_first = bool(wanted.state) and WAITING.isdisjoint(wanted.state)
    query = ordered(query, intake_item.c.due_at, intake_item.c.id, cursor, newest_first=newest_first)
    rows = (await conn.execute(query.limit(check_limit(limit) + 1))).mappings().all()
    shown = rows[:limit]
    more = cursor_of(shown[-1]["due_at"], shown[-1]["id"]) if len(rows) > limit else None
    return Page(tuple(await _with_orders(conn, shown, now)), more)


async def waiting(conn: AsyncConnection, now: datetime) -> tuple[int, int]:
    """How many messages nobody has taken, and how many are past their limit."""
    late = and_(intake_item.c.state.in_(_WAITING), intake_item.c.due_at <= now)
    new = case((intake_item.c.state == State.NEW.value, 1), else_=0)
    counted = select(func.coalesce(func.sum(new), 0), func.coalesce(func.sum(case((late, 1), else_=0)), 0))
    row = (await conn.execute(counted.where(intake_item.c.state.in_(_WAITING)))).one()
    return int(row[0]), int(row[1])


async def overdue_between(conn: AsyncConnection, after: datetime, until: datetime) -> list[tuple[str, str, str]]:
    """Waiting messages whose limit fell into this time: public id, serial, 工号 of the clerk or empty."""
    rows = await conn.execute(
        select(intake_item.c.public_id, intake_item.c.serial, func.coalesce(staff.c.number, "").label("owner"))
        .outerjoin(staff, staff.c.id == intake_item.c.owner_id)
        .where(intake_item.c.state.in_(_WAITING), intake_item.c.due_at > after, intake_item.c.due_at <= until)
        .order_by(intake_item.c.due_at)
    )
    return [(row.public_id, row.serial, row.owner) for row in rows]


async def serials_of_callbacks(conn: AsyncConnection, serials: Sequence[str]) -> dict[str, list[str]]:
    """Serials of the messages merged with each callback, for its page."""
    rows = await conn.execute(
        select(callback.c.serial.label("callback"), intake_item.c.serial)
        .join(callback, callback.c.id == intake_item.c.callback_id)
        .where(callback.c.serial.in_(list(serials)))
        .order_by(intake_item.c.id)
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.callback, []).append(row.serial)
    return found


def _conditions(actor: Actor, wanted: ItemFilter, now: datetime) -> list[ColumnElement[bool]]:
    unknown = set(wanted.state) - {state.value for state in State}
    if unknown:
        raise Invalid("unknown_code", "no such state", field="state", allowed=[state.value for state in State])
    states = wanted.state or tuple(sorted(state.value for state in WAITING))
    searched = wanted.number is not None or wanted.serial is not None
    found: list[ColumnElement[bool]] = []
    if wanted.state or not searched:
        found.append(intake_item.c.state.in_(states))
    if wanted.number is not None:
        found.append(intake_item.c.caller_number == (normalise(wanted.number).key or wanted.number))
    if wanted.serial is not None:
        found.append(intake_item.c.serial == wanted.serial)
    if wanted.mine:
        found.append(intake_item.c.owner_id == actor.staff_id)
    if wanted.overdue:
        found += [intake_item.c.due_at <= now, intake_item.c.ended_at.is_(None)]
    return found


async def _with_orders(conn: AsyncConnection, rows: Sequence[RowMapping], now: datetime) -> list[Item]:
    """The items with their orders, in one more query: an order belongs to the message's own contact (IN-27)."""
    found: dict[int, list[OrderRef]] = {}
    if rows:
        joined = await conn.execute(
            select(
                contact_order.c.contact_id, customer_order.c.public_id, customer_order.c.serial, customer_order.c.state
            )
            .join(customer_order, customer_order.c.id == contact_order.c.order_id)
            .where(contact_order.c.contact_id.in_([row["contact_id"] for row in rows]))
            .order_by(customer_order.c.id)
        )
        for each in joined:
            found.setdefault(each.contact_id, []).append(OrderRef(each.public_id, each.serial, each.state))
    return [_item(row, now, tuple(found.get(row["contact_id"], ()))) for row in rows]


_SAME = frozenset(Item.__dataclass_fields__) & {column.name for column in intake_item.c} - {"id", "customer_id"}


def _item(row: RowMapping, now: datetime, orders: tuple[OrderRef, ...]) -> Item:
    state, ended = State(row["state"]), row["ended_at"]
    waits = state in WAITING
    return Item(
        **{name: row[name] for name in _SAME},
        id=row["public_id"],
        customer_id=row["customer_public_id"],
        customer_name=row["customer_name"],
        vip_class=row["vip_class"],
        card=rules.card(state, row["due_at"], row["warn_at"], ended or now).value,
        overdue=waits and row["due_at"] <= now,
        owner=row["owner_queue"] or row["owner_number"] if ended is None else None,
        callback=row["callback_serial"],
        orders=orders,
    )
