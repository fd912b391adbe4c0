"""Reading orders: one, a page of a search, what the voice menu may say, what stands around a caller."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks import store as clocks
from ticketing.contacts import store as contacts
from ticketing.customers.rules import normalise
from ticketing.customers.tables import customer
from ticketing.db import Unindexed
from ticketing.errors import Invalid, NotFound
from ticketing.orders import process, rules, words, workflow
from ticketing.orders.access import visible, waits_for
from ticketing.orders.model import LIVE_WORK, OPEN, UNBORN, Control, Kind, OrderSummary, State
from ticketing.orders.tables import commitment, customer_order, order_addendum, order_trail, work_order
from ticketing.orders.views import (
    Addendum,
    Order,
    OrderFilter,
    Page,
    Progress,
    Promise,
    TrailLine,
    WorkOrderView,
    summary,
    work_order_view,
)
from ticketing.roles import SYSTEM, Actor
from ticketing.staff.tables import staff

_SHORT = frozenset(OrderSummary.__dataclass_fields__) - {"id"}
_JOINED = {"id", "public_id", "description", "warn_at", "contact_name", "owner_queue", "customer_id"}
SUMMARY_COLUMNS = [column.name for column in customer_order.c if column.name in _SHORT | _JOINED]
"""Columns of `customer_order` a summary needs; `customer_name` and `owner_number` are joined."""

_OWN = Order.__dataclass_fields__.keys() - _SHORT - {"id", "customer_id"}
_OWN_COLUMNS = [column.name for column in customer_order.c if column.name in _OWN]
_LARGEST_PAGE = 200


def _summaries() -> Select[Any]:
    return (
        select(
            *(customer_order.c[name] for name in SUMMARY_COLUMNS),
            customer.c.name.label("customer_name"),
            staff.c.number.label("owner_number"),
        )
        .outerjoin(customer, customer.c.id == customer_order.c.customer_id)
        .outerjoin(staff, staff.c.id == customer_order.c.owner_id)
    )


async def get(conn: AsyncConnection, actor: Actor, public_id: str, now: datetime) -> Order:
    """One order with everything linked to it; raises NotFound for what the actor may not see."""
    found = await conn.execute(
        select(
            customer_order,
            customer.c.name.label("customer_name"),
            customer.c.public_id.label("customer_public_id"),
            staff.c.number.label("owner_number"),
        )
        .outerjoin(customer, customer.c.id == customer_order.c.customer_id)
        .outerjoin(staff, staff.c.id == customer_order.c.owner_id)
        .where(customer_order.c.public_id == public_id, visible(actor))
    )
    first = found.mappings().first()
    if first is None:
        raise NotFound(subject="order", id=public_id)
    row = dict(first)
    id_, kind, state = row["id"], Kind(row["kind"]) if row["kind"] else None, State(row["state"])
    short = summary(row, now)
    around = await around_orders(conn, [public_id], now)
    return Order(
        **{name: getattr(short, name) for name in OrderSummary.__dataclass_fields__},
        **{name: row[name] for name in _OWN_COLUMNS},
        customer_id=row["customer_public_id"],
        merged_into=await _serial_of(conn, row["merged_into_id"]),
        repeat_of=await _serial_of(conn, row["repeat_of_id"]),
        missing=rules.missing(kind, row, row["coded"]) if state is State.DRAFT else (),
        completeness=rules.completeness(kind, row, row["coded"]),
        addenda=await _addenda(conn, id_),
        contacts=await contacts.of_order(conn, id_),
        earlier_orders=await earlier(conn, actor, row["customer_id"], row["caller_number"], now, but=id_),
        trail=await trail(conn, id_),
        clocks=await clocks.of_order(conn, id_, now),
        work_orders=await work_orders(conn, id_, now),
        promises=around[1],
        process=await process.of_order(conn, id_, row["template_version_id"]),
        actions=_verbs(actor, state, row["owner_id"]),
    )


async def id_of(conn: AsyncConnection, actor: Actor, public_id: str) -> int:
    """Internal key of an order the actor may see; raises NotFound."""
    found = await conn.scalar(
        select(customer_order.c.id).where(customer_order.c.public_id == public_id, visible(actor))
    )
    if found is None:
        raise NotFound(subject="order", id=public_id)
    return int(found)


def _verbs(actor: Actor, state: State, owner_id: int | None) -> tuple[str, ...]:
    """Steps this reader may take; a draft is moved by its owner only."""
    if state is State.DRAFT and owner_id not in (None, actor.staff_id):
        return ()
    return tuple(verb.value for verb in workflow.allowed(state, actor.posts))


async def _serial_of(conn: AsyncConnection, order_id: int | None) -> str | None:
    if order_id is None:
        return None
    found = await conn.scalar(select(customer_order.c.serial).where(customer_order.c.id == order_id))
    return None if found is None else str(found)


async def _addenda(conn: AsyncConnection, order_id: int) -> tuple[Addendum, ...]:
    rows = await conn.execute(
        select(order_addendum.c.at, order_addendum.c.text, staff.c.number)
        .outerjoin(staff, staff.c.id == order_addendum.c.staff_id)
        .where(order_addendum.c.order_id == order_id)
        .order_by(order_addendum.c.id)
    )
    return tuple(Addendum(row.at, row.number, row.text) for row in rows)


async def trail(conn: AsyncConnection, order_id: int) -> tuple[TrailLine, ...]:
    """Every step of an order, oldest first."""
    rows = await conn.execute(
        select(order_trail).where(order_trail.c.order_id == order_id).order_by(order_trail.c.at, order_trail.c.id)
    )
    return tuple(
        TrailLine(
            at=row.at,
            by=row.actor_number,
            by_name=row.actor_name,
            action=row.action,
            from_state=row.from_state,
            to_state=row.to_state,
            handler=row.handler,
            note=row.note,
            version=row.version,
        )
        for row in rows
    )


async def work_orders(conn: AsyncConnection, order_id: int, now: datetime) -> tuple[WorkOrderView, ...]:
    """What departments were asked to do for an order."""
    return await _work_orders(conn, work_order.c.order_id == order_id, now)


async def _work_orders(conn: AsyncConnection, which: ColumnElement[bool], now: datetime) -> tuple[WorkOrderView, ...]:
    rows = await conn.execute(
        select(
            work_order,
            customer_order.c.serial.label("order_serial"),
            customer_order.c.public_id.label("order_public_id"),
            staff.c.number.label("owner_number"),
        )
        .join(customer_order, customer_order.c.id == work_order.c.order_id)
        .outerjoin(staff, staff.c.id == work_order.c.owner_id)
        .where(which)
        .order_by(work_order.c.order_id, work_order.c.number)
    )
    return tuple(work_order_view(dict(row), now) for row in rows.mappings())


async def around_orders(
    conn: AsyncConnection, public_ids: Sequence[str], now: datetime
) -> tuple[tuple[WorkOrderView, ...], tuple[Promise, ...]]:
    """Live work orders and open promises of some orders, for the pop (TL-30)."""
    if not public_ids:
        return (), ()
    live = work_order.c.state.in_([state.value for state in LIVE_WORK])
    tasks = await _work_orders(conn, and_(customer_order.c.public_id.in_(public_ids), live), now)
    rows = await conn.execute(
        select(commitment.c.text, commitment.c.due_at, customer_order.c.serial)
        .join(customer_order, customer_order.c.id == commitment.c.order_id)
        .where(
            customer_order.c.public_id.in_(public_ids),
            commitment.c.kept_at.is_(None),
            commitment.c.replaced_at.is_(None),
        )
        .order_by(commitment.c.due_at)
    )
    return tasks, tuple(Promise(row.serial, row.text, row.due_at, overdue=row.due_at <= now) for row in rows)


async def earlier(
    conn: AsyncConnection,
    actor: Actor,
    customer_id: int | None,
    number: str | None,
    now: datetime,
    *,
    but: int | None = None,
    limit: int = 5,
) -> tuple[OrderSummary, ...]:
    """Newest orders of a customer, or of a number nobody is known by; drafts that became nothing are not among them."""
    if customer_id is None and number is None:
        return ()
    whose = customer_order.c.customer_id == customer_id if customer_id is not None else _by_number(number or "")
    rows = await conn.execute(
        _summaries()
        .where(whose, visible(actor), _was(), customer_order.c.id != (but or 0))
        .order_by(customer_order.c.created_at.desc(), customer_order.c.id.desc())
        .limit(limit)
    )
    return tuple(summary(dict(row), now) for row in rows.mappings())


async def by_caller(conn: AsyncConnection, number: str, now: datetime) -> tuple[OrderSummary, ...]:
    """Newest orders of a number nobody is known by, for the pop."""
    return await earlier(conn, SYSTEM, None, number, now)


def _was() -> ColumnElement[bool]:
    return customer_order.c.state.not_in([state.value for state in UNBORN])


def _by_number(number: str) -> ColumnElement[bool]:
    return or_(customer_order.c.caller_number == number, customer_order.c.contact_number == number)


async def search(
    conn: AsyncConnection,
    actor: Actor,
    wanted: OrderFilter,
    now: datetime,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Orders the actor may see, newest first, a page at a time; the cursor stays good while rows are added (AU-03)."""
    if not 1 <= limit <= _LARGEST_PAGE:
        raise Invalid("bad_limit", f"1 to {_LARGEST_PAGE}", field="limit", allowed=[1, _LARGEST_PAGE])
    conditions, few = _conditions(actor, wanted, now), _names_few(wanted)
    if wanted.words is not None:
        said = await words.said(conn, wanted.words)
        conditions += said.conditions
        few = few or said.few
    query = _summaries().where(visible(actor), *conditions)
    if cursor is not None:
        at, id_ = _read_cursor(cursor)
        newest = customer_order.c.created_at
        query = query.where(or_(newest < at, and_(newest == at, customer_order.c.id < id_)))
    first = Unindexed(customer_order.c.created_at) if few else customer_order.c.created_at
    query = query.order_by(first.desc(), customer_order.c.id.desc()).limit(limit + 1)
    rows = (await conn.execute(query)).mappings().all()
    shown = rows[:limit]
    more = _cursor(shown[-1]["created_at"], shown[-1]["id"]) if len(rows) > limit else None
    return Page(tuple(summary(dict(row), now) for row in shown), more)


def _conditions(actor: Actor, wanted: OrderFilter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state:
        unknown = [code for code in wanted.state if code not in {state.value for state in State}]
        if unknown:
            raise Invalid("unknown_code", "no such state", field="state", allowed=[state.value for state in State])
        found.append(customer_order.c.state.in_(wanted.state))
    if wanted.kind is not None:
        if wanted.kind not in {kind.value for kind in Kind}:
            raise Invalid("unknown_code", "no such kind", field="kind", allowed=[kind.value for kind in Kind])
        found.append(customer_order.c.kind == wanted.kind)
    if wanted.number is not None:
        key = normalise(wanted.number).key or wanted.number
        found.append(or_(_by_number(key), customer_order.c.service_number.in_([key, wanted.number])))
    if wanted.serial is not None:
        if not re.fullmatch(r"[0-9]{1,12}", wanted.serial):
            raise Invalid("bad_serial", "an order number is digits only", field="serial")
        found.append(customer_order.c.serial.between(wanted.serial, wanted.serial.ljust(12, "9")))  # LIKE has no index
    if wanted.customer is not None:
        found.append(customer.c.public_id == wanted.customer)
    found += _whose(actor, wanted)
    if wanted.operation_serial is not None:
        found.append(customer_order.c.operation_serial == wanted.operation_serial)
    if wanted.overdue:
        found += [customer_order.c.due_at <= now, customer_order.c.ended_at.is_(None)]
    return found


#: an order number's first digits name few orders when there are so many of them
_FEW_DIGITS = 3


def _names_few(wanted: OrderFilter) -> bool:
    """Whether a condition finds few orders by an index of its own, so that they are sorted and not walked by time."""
    digits = len(wanted.serial or "")
    one_key = (wanted.number, wanted.customer, wanted.operation_serial)
    return digits >= _FEW_DIGITS or any(key is not None for key in one_key)


def _whose(actor: Actor, wanted: OrderFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.mine:
        yield customer_order.c.owner_id == actor.staff_id
    if wanted.for_me:
        yield waits_for(actor)


def _cursor(at: datetime, id_: int) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{id_}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, id_ = text.partition("|")
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError("naive")
        return when, int(id_)
    except (ValueError, binascii.Error):
        raise Invalid("bad_cursor", "take the cursor of the page before", field="cursor") from None


async def progress_by_serial(conn: AsyncConnection, serial: str, now: datetime) -> Progress | None:
    """State and next step of an order for the voice menu; None when there is no such order to speak of."""
    found = await _progress(conn, and_(customer_order.c.serial == serial, _speakable()), now, 1)
    return found[0] if found else None


async def progress_by_number(conn: AsyncConnection, number: str, now: datetime, limit: int = 3) -> list[Progress]:
    """Open orders of a caller number, newest first; a caller number can be forged, so nothing but the state."""
    running = customer_order.c.state.in_([state.value for state in OPEN])
    return await _progress(conn, and_(_by_number(number), running), now, limit)


def _speakable() -> ColumnElement[bool]:
    return customer_order.c.state.not_in([State.DRAFT.value, State.NO_ORDER.value])


async def _progress(conn: AsyncConnection, which: ColumnElement[bool], now: datetime, limit: int) -> list[Progress]:
    rows = await conn.execute(
        select(
            customer_order.c.serial,
            customer_order.c.state,
            customer_order.c.control,
            customer_order.c.due_at,
            customer_order.c.ended_at,
            customer_order.c.contact_number,
            customer_order.c.caller_number,
        )
        .where(which)
        .order_by(customer_order.c.created_at.desc(), customer_order.c.id.desc())
        .limit(limit)
    )
    return [
        Progress(
            serial=row.serial,
            state=row.state,
            next_step=rules.next_step(State(row.state), Control(row.control)),
            overdue=row.ended_at is None and row.due_at is not None and row.due_at <= now,
            contact_last4=(row.contact_number or row.caller_number or "")[-4:] or None,
            paused=row.control == Control.PAUSED.value,
        )
        for row in rows
    ]
