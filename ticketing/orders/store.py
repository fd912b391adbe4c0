"""Reading orders: one, a page of a search, what the voice menu may say, what stands around a caller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import pages
from ticketing.clocks import store as clocks
from ticketing.contacts import store as contacts
from ticketing.customers.tables import customer
from ticketing.errors import NotFound
from ticketing.orders import drafts, process, query, reasons, rules, workflow
from ticketing.orders.access import told, visible
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
from ticketing.roles import SYSTEM, Action, Actor, may
from ticketing.staff.tables import staff

_SHORT = frozenset(OrderSummary.__dataclass_fields__) - {"id"}
_JOINED = {"id", "public_id", "description", "warn_at", "contact_name", "owner_queue", "customer_id"}
SUMMARY_COLUMNS = [column.name for column in customer_order.c if column.name in _SHORT | _JOINED]
"""Columns of `customer_order` a summary needs; `customer_name` and `owner_number` are joined."""

_OWN = Order.__dataclass_fields__.keys() - _SHORT - {"id", "customer_id"}
_OWN_COLUMNS = [column.name for column in customer_order.c if column.name in _OWN]


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
        missing=rules.missing(kind, row, row["coded"], row["form"]) if state is State.DRAFT else (),
        completeness=rules.completeness(kind, row, row["coded"], row["form"]),
        order_template=(row["form"] or {}).get("template"),
        addenda=await _addenda(conn, id_),
        contacts=await contacts.of_order(conn, id_),
        earlier_orders=await earlier(conn, actor, row["customer_id"], row["caller_number"], now, but=id_),
        trail=await trail(conn, id_),
        clocks=await clocks.of_order(conn, id_, now, row["channel"]),
        work_orders=await work_orders(conn, actor, id_, now),
        promises=around[1],
        process=await process.of_order(conn, id_, row["template_version_id"]),
        actions=_verbs(actor, row),
    )


async def nature_of(conn: AsyncConnection, order_id: int) -> str | None:
    """The class of an order, for the measures that fit it (PR-19)."""
    found = await conn.scalar(select(customer_order.c.nature).where(customer_order.c.id == order_id))
    return None if found is None else str(found)


async def id_of(conn: AsyncConnection, actor: Actor, public_id: str) -> int:
    """Internal key of an order the actor may see; raises NotFound."""
    found = await conn.scalar(
        select(customer_order.c.id).where(customer_order.c.public_id == public_id, visible(actor))
    )
    if found is None:
        raise NotFound(subject="order", id=public_id)
    return int(found)


async def channel_of(conn: AsyncConnection, order_id: int) -> str:
    """How an order that is there came in."""
    return str(await conn.scalar(select(customer_order.c.channel).where(customer_order.c.id == order_id)))


def _verbs(actor: Actor, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Steps this reader may take; a draft is moved by its owner only, and a VIP's goes to the seniors as it is (RT-03,
    RT-08)."""
    state = State(row["state"])
    if state is State.DRAFT and row["owner_id"] not in (None, actor.staff_id):
        return ()
    verbs = tuple(verb.value for verb in workflow.allowed(state, actor.posts, Control(row["control"])))
    of_vip = state is State.DRAFT and drafts.of_vip(row["kind"], row["vip_class"])
    hands_on = may(actor.posts, Action.HAND_OVER) and not may(actor.posts, Action.HANDLE_VIP)
    return (*verbs, workflow.Verb.HAND_TO_SENIOR.value) if of_vip and hands_on else verbs


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
        select(order_trail, work_order.c.number)
        .outerjoin(work_order, work_order.c.id == order_trail.c.work_order_id)
        .where(order_trail.c.order_id == order_id)
        .order_by(order_trail.c.at, order_trail.c.id)
    )
    return tuple(_trail_line(row) for row in rows)


def _trail_line(row: Row[Any]) -> TrailLine:
    words, code = reasons.coded(row.action, row.payload)
    return TrailLine(
        at=row.at,
        by=row.actor_number,
        by_name=row.actor_name,
        action=row.action,
        from_state=row.from_state,
        to_state=row.to_state,
        handler=row.handler,
        note=row.note,
        version=row.version,
        reason_code=code,
        reason_words=words,
        work_order=row.number,
        read=tuple(row.payload.get("read", ())),
    )


async def work_orders(conn: AsyncConnection, actor: Actor, order_id: int, now: datetime) -> tuple[WorkOrderView, ...]:
    """What departments were asked to do for an order, and for the centre what they are to be asked next (DP-11)."""
    return await _work_orders(conn, and_(work_order.c.order_id == order_id, told(actor)), now)


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
    whose = customer_order.c.customer_id == customer_id if customer_id is not None else query.by_number(number or "")
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
    pages.check_limit(limit)
    asked = await query.read(conn, actor, wanted, now)
    rows = (await conn.execute(asked.page(_summaries(), cursor, limit))).mappings().all()
    shown = rows[:limit]
    more = asked.cursor_of(shown[-1]) if len(rows) > limit else None
    return Page(tuple(summary(dict(row), now) for row in shown), more)


async def export(
    conn: AsyncConnection, actor: Actor, wanted: OrderFilter, now: datetime, *, at_once: int = 500
) -> AsyncIterator[list[dict[str, Any]]]:
    """Whole rows of a search in the order of its list, some at a time: every column, and the people's numbers."""
    asked = await query.read(conn, actor, wanted, now)
    author = staff.alias("author")
    chosen = (
        select(
            customer_order,
            customer.c.name.label("customer_name"),
            staff.c.number.label("owner_number"),
            author.c.number.label("author_number"),
        )
        .outerjoin(customer, customer.c.id == customer_order.c.customer_id)
        .outerjoin(staff, staff.c.id == customer_order.c.owner_id)
        .outerjoin(author, author.c.id == customer_order.c.author_id)
    )
    cursor = None
    while True:
        rows = [dict(row) for row in (await conn.execute(asked.page(chosen, cursor, at_once))).mappings()]
        if rows:
            yield rows[:at_once]
        if len(rows) <= at_once:
            return
        cursor = asked.cursor_of(rows[at_once - 1])


async def progress_by_serial(conn: AsyncConnection, serial: str, now: datetime) -> Progress | None:
    """State and next step of an order for the voice menu; None when there is no such order to speak of."""
    found = await _progress(conn, and_(customer_order.c.serial == serial, _speakable()), now, 1)
    return found[0] if found else None


async def progress_by_number(conn: AsyncConnection, number: str, now: datetime, limit: int = 3) -> list[Progress]:
    """Open orders of a caller number, newest first; a caller number can be forged, so nothing but the state."""
    running = customer_order.c.state.in_([state.value for state in OPEN])
    return await _progress(conn, and_(query.by_number(number), running), now, limit)


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
