"""Reading callbacks: one, a page of a list, the line the dialler chooses from, the open one of a caller."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.callbacks.model import (
    HELD,
    IN_FLIGHT,
    KEPT,
    LISTED,
    OPEN,
    Attempt,
    Callback,
    CallbackFilter,
    Mode,
    Outcome,
    State,
)
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.rules import Place
from ticketing.callbacks.tables import callback, callback_attempt
from ticketing.clocks import rules as clocks
from ticketing.customers.rules import normalise
from ticketing.customers.tables import customer
from ticketing.errors import Invalid, NotFound
from ticketing.orders.tables import customer_order
from ticketing.pages import Page, check_limit, cursor_of, ordered
from ticketing.roles import Actor
from ticketing.staff import store as seats
from ticketing.staff.model import Membership
from ticketing.staff.tables import staff


@dataclass(frozen=True, slots=True)
class Candidate:
    """A booking nobody has claimed, with its place in the line."""

    callback_id: int
    place: Place
    queue: str
    mode: Mode


async def line(conn: AsyncConnection, queue: str | None, now: datetime, limit: int = 200) -> list[Candidate]:
    """Pending bookings of a queue, or of all, that may be dialled now, first of the line first."""
    due = [callback.c.state == State.PENDING.value, callback.c.next_at <= now]
    if queue is not None:
        due.append(callback.c.queue == queue)
    rows = await conn.execute(
        select(callback)
        .where(*due)
        .order_by(callback.c.priority.desc(), callback.c.place_at, callback.c.serial)
        .limit(limit)
    )
    return [
        Candidate(
            row.id,
            Place(row.serial, row.place_at, row.priority, callback=True, queue=row.queue),
            row.queue,
            Mode(row.mode),
        )
        for row in rows
    ]


async def any_held(conn: AsyncConnection) -> bool:
    """Whether a dialler answers for any booking."""
    held = callback.c.state.in_([state.value for state in HELD])
    return await conn.scalar(select(callback.c.id).where(held).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An attempt that has not ended."""

    channel_id: str
    call_id: str
    queue: str
    agent: str
    mode: Mode


async def under_way(conn: AsyncConnection, channel_id: str | None = None) -> list[UnderWay]:
    """Attempts under way; with `channel_id` this one, also when it is over."""
    columns = (callback_attempt.c.channel_id, callback_attempt.c.call_id, callback_attempt.c.agent)
    query = select(*columns, callback.c.queue, callback.c.mode).join(
        callback, callback.c.id == callback_attempt.c.callback_id
    )
    if channel_id is not None:
        query = query.where(callback_attempt.c.channel_id == channel_id)
    else:
        flying = [state.value for state in IN_FLIGHT]
        query = query.where(callback_attempt.c.state.in_(flying), callback.c.state.in_(flying))
    return [
        UnderWay(row.channel_id, row.call_id, row.queue, row.agent or "", Mode(row.mode))
        for row in await conn.execute(query)
    ]


async def withdrawn(conn: AsyncConnection, channels: Collection[str]) -> list[str]:
    """Of these channels those of attempts whose customer called himself meanwhile (P37)."""
    over = callback_attempt.c.outcome == Outcome.WITHDRAWN.value
    found = await conn.scalars(
        select(callback_attempt.c.channel_id).where(callback_attempt.c.channel_id.in_(list(channels)), over)
    )
    return [str(channel_id) for channel_id in found]


async def kept_agents(conn: AsyncConnection) -> set[str]:
    """Agents kept for callbacks that diallers hold."""
    held = callback.c.state.in_([state.value for state in HELD])
    found = await conn.scalars(select(callback.c.agent).where(held, callback.c.agent.is_not(None)))
    return {str(agent) for agent in found}


async def memberships(conn: AsyncConnection) -> list[Membership]:
    """What the queues should hold now; an agent who is kept for a callback is a paused member (P36, TL-40)."""
    kept = await kept_agents(conn)
    return [
        replace(each, paused=True, reason=KEPT) if each.number in kept and not each.paused else each
        for each in await seats.memberships(conn)
    ]


async def places_of(conn: AsyncConnection, calls: Collection[str]) -> dict[str, datetime]:
    """Places of those who wait in the queue in the place of a callback, by call id: they called themselves (P37), or
    were called first and have confirmed."""
    taken = select(callback.c.call_id, callback.c.place_at).where(
        callback.c.call_id.in_(list(calls)), callback.c.end_reason == "taken_over"
    )
    called = (
        select(callback_attempt.c.call_id, callback.c.place_at)
        .join(callback, callback.c.id == callback_attempt.c.callback_id)
        .where(callback_attempt.c.call_id.in_(list(calls)))
    )
    return {str(row.call_id): row.place_at for query in (taken, called) for row in await conn.execute(query)}


async def in_flight(conn: AsyncConnection, queue: str, mode: Mode | None = None) -> int:
    """Bookings of a queue that diallers hold: claimed, reserved, or being dialled. A customer who was put into the
    queue is a live caller there and counted as one."""
    states = [state.value for state in HELD - {State.QUEUED}]
    which = [callback.c.queue == queue, callback.c.state.in_(states)]
    if mode is not None:
        which.append(callback.c.mode == mode.value)
    return int(await conn.scalar(select(func.count()).select_from(callback).where(*which)) or 0)


async def open_of(
    conn: AsyncConnection, number: str, policy: Policy, now: datetime, *, area_code: str | None = None
) -> Callback | None:
    """The open callback of a number as the network or a person writes it; None when there is none."""
    key = normalise(number, area_code=area_code).key
    if key is None:
        return None
    which = _callbacks().where(callback.c.number == key, callback.c.ended_at.is_(None))
    row = (await conn.execute(which)).mappings().first()
    return None if row is None else _callback(row, policy, now)


async def get(conn: AsyncConnection, public_id: str, policy: Policy, now: datetime) -> Callback:
    """One callback with its attempts; raises NotFound."""
    row = (await conn.execute(_callbacks().where(callback.c.public_id == public_id))).mappings().first()
    if row is None:
        raise NotFound(subject="callback", id=public_id)
    tries = await conn.execute(
        select(callback_attempt).where(callback_attempt.c.callback_id == row["id"]).order_by(callback_attempt.c.n)
    )
    names = Attempt.__dataclass_fields__
    made = tuple(Attempt(**{name: each[name] for name in names}) for each in tries.mappings())
    return _callback(row, policy, now, made)


async def search(
    conn: AsyncConnection,
    actor: Actor,
    wanted: CallbackFilter,
    policy: Policy,
    now: datetime,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Callback]:
    """Callbacks by remaining time, the shortest first; where none is open the newest first."""
    query = _callbacks().where(*_conditions(actor, wanted, now))
    newest_first = bool(wanted.state) and OPEN.isdisjoint(wanted.state)
    query = ordered(query, callback.c.due_at, callback.c.id, cursor, newest_first=newest_first)
    rows = (await conn.execute(query.limit(check_limit(limit) + 1))).mappings().all()
    shown = rows[:limit]
    more = cursor_of(shown[-1]["due_at"], shown[-1]["id"]) if len(rows) > limit else None
    return Page(tuple(_callback(row, policy, now) for row in shown), more)


async def waiting(conn: AsyncConnection, now: datetime) -> tuple[int, int]:
    """How many callbacks wait for a person's decision, and how many are past their limit (K17)."""
    listed = case((callback.c.state.in_([state.value for state in LISTED]), 1), else_=0)
    late = case((callback.c.due_at <= now, 1), else_=0)
    counted = select(func.coalesce(func.sum(listed), 0), func.coalesce(func.sum(late), 0))
    row = (await conn.execute(counted.where(callback.c.ended_at.is_(None)))).one()
    return int(row[0]), int(row[1])


async def overdue_between(conn: AsyncConnection, after: datetime, until: datetime) -> list[tuple[str, str, str]]:
    """Open callbacks whose limit fell into this time: public id, serial, 工号 of the owner or empty."""
    late = and_(callback.c.ended_at.is_(None), callback.c.due_at > after, callback.c.due_at <= until)
    rows = await conn.execute(_owned().where(late).order_by(callback.c.due_at))
    return [(row.public_id, row.serial, row.owner) for row in rows]


async def owners(conn: AsyncConnection, public_ids: Sequence[str]) -> dict[str, str]:
    """工号 of the owner of each of these callbacks; empty while the common list has it."""
    rows = await conn.execute(_owned().where(callback.c.public_id.in_(public_ids))) if public_ids else ()
    return {row.public_id: row.owner for row in rows}


def _owned() -> Select[Any]:
    owner = func.coalesce(staff.c.number, "").label("owner")
    return select(callback.c.public_id, callback.c.serial, owner).outerjoin(staff, staff.c.id == callback.c.owner_id)


def _callbacks() -> Select[Any]:
    return (
        select(
            callback,
            customer.c.public_id.label("customer_public_id"),
            customer.c.name.label("customer_name"),
            customer.c.vip_class.label("vip_class"),
            staff.c.number.label("owner_number"),
            customer_order.c.serial.label("order_serial"),
            customer_order.c.public_id.label("order_public_id"),
        )
        .outerjoin(customer, customer.c.id == callback.c.customer_id)
        .outerjoin(staff, staff.c.id == callback.c.owner_id)
        .outerjoin(customer_order, customer_order.c.id == callback.c.order_id)
    )


def _conditions(actor: Actor, wanted: CallbackFilter, now: datetime) -> list[ColumnElement[bool]]:
    unknown = set(wanted.state) - {state.value for state in State}
    if unknown:
        raise Invalid("unknown_code", "no such state", field="state", allowed=[state.value for state in State])
    searched = wanted.number is not None or wanted.serial is not None
    found: list[ColumnElement[bool]] = []
    if wanted.state or not searched:
        states: Sequence[str] = wanted.state or sorted(state.value for state in OPEN)
        found.append(callback.c.state.in_(states))
    if wanted.listed:
        found.append(callback.c.state.in_([state.value for state in LISTED]))
    if wanted.number is not None:
        found.append(callback.c.number == (normalise(wanted.number).key or wanted.number))
    if wanted.serial is not None:
        found.append(callback.c.serial == wanted.serial)
    if wanted.queue is not None:
        found.append(callback.c.queue == wanted.queue)
    if wanted.mine:
        found.append(callback.c.owner_id == actor.staff_id)
    if wanted.overdue:
        found += [callback.c.due_at <= now, callback.c.ended_at.is_(None)]
    return found


_OTHER = {"id", "customer_id", "order_id"}
_SAME = frozenset(Callback.__dataclass_fields__) & {column.name for column in callback.c} - _OTHER


def _callback(row: RowMapping, policy: Policy, now: datetime, tries: tuple[Attempt, ...] = ()) -> Callback:
    ended = row["ended_at"]
    return Callback(
        **{name: row[name] for name in _SAME},
        id=row["public_id"],
        customer_id=row["customer_public_id"],
        customer_name=row["customer_name"],
        vip_class=row["vip_class"],
        card=clocks.card(row["due_at"], row["warn_at"], ended or now).value,
        overdue=ended is None and row["due_at"] <= now,
        attempts_left=max(policy.cap - row["used"], 0),
        owner=row["owner_queue"] or row["owner_number"] if ended is None else None,
        order=row["order_serial"],
        order_id=row["order_public_id"],
        tries=tries,
    )
