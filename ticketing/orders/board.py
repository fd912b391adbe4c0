"""The board over live orders: how many stand where, what each department has, and those whose limit is nearest (MN-01).

Everything is counted under the same conditions as the list of orders, so that both say the same (MN-10).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks import rules as clocks
from ticketing.orders.access import visible
from ticketing.orders.model import LIVE_WORK, Control, ReviewKind, State, WorkOrderState
from ticketing.orders.tables import customer_order, review, work_order
from ticketing.roles import Action, Actor, require
from ticketing.staff.tables import staff

#: orders shown as cards, the nearest limit first
MOST: Final = 120


@dataclass(frozen=True, slots=True)
class StateCount:
    """Orders in one state; field names are those of the JSON."""

    state: str
    count: int
    yellow: int
    red: int
    urgent: int
    paused: int


@dataclass(frozen=True, slots=True)
class UnitCount:
    """What one department has: its open orders, and its live work orders by state."""

    #: leaf of taxonomy unit
    unit: str
    #: open orders it was ever sent work of, as the list of orders counts them by `work_unit`
    orders: int
    sent: int
    accepted: int
    working: int
    at_head: int
    #: live work orders past their limit
    overdue: int
    #: live work orders whose later limit waits for the supervisor
    extending: int


@dataclass(frozen=True, slots=True)
class BoardCard:
    """One live order on the board."""

    id: str
    serial: str
    state: str
    card: str
    due_at: datetime | None
    urgent: bool
    vip: bool
    paused: bool
    #: 工号 or queue
    owner: str | None
    business: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board as one reader sees it."""

    at: datetime
    total: int
    states: tuple[StateCount, ...]
    units: tuple[UnitCount, ...]
    cards: tuple[BoardCard, ...]


async def read(conn: AsyncConnection, actor: Actor, now: datetime) -> Board:
    """The board of the live orders this person may see."""
    require(actor, Action.VIEW_FLOOR)
    live = and_(customer_order.c.ended_at.is_(None), visible(actor))
    states = await _states(conn, live, now)
    return Board(
        at=now,
        total=sum(each.count for each in states),
        states=states,
        units=await _units(conn, live, now),
        cards=await _cards(conn, live, now),
    )


def _many(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    """How many rows of the group are so."""
    return func.sum(case((condition, 1), else_=0))


async def _states(conn: AsyncConnection, live: ColumnElement[bool], now: datetime) -> tuple[StateCount, ...]:
    order = customer_order.c
    rows = await conn.execute(
        select(
            order.state,
            func.count().label("many"),
            _many(and_(order.warn_at <= now, order.due_at > now)).label("yellow"),
            _many(order.due_at <= now).label("red"),
            _many(order.urgent.is_(True)).label("urgent"),
            _many(order.control == Control.PAUSED.value).label("paused"),
        )
        .where(live)
        .group_by(order.state)
    )
    found = {row.state: row for row in rows}
    return tuple(
        StateCount(state.value, row.many, row.yellow, row.red, row.urgent, row.paused)
        for state in State
        if (row := found.get(state.value)) is not None
    )


async def _units(conn: AsyncConnection, live: ColumnElement[bool], now: datetime) -> tuple[UnitCount, ...]:
    work = work_order.c
    alive = work.state.in_(sorted(state.value for state in LIVE_WORK))
    asks = select(review.c.work_order_id).where(review.c.state == "open", review.c.kind == ReviewKind.EXTENSION.value)
    rows = await conn.execute(
        select(
            work.unit,
            func.count(distinct(work.order_id)).label("orders"),
            *(_many(work.state == state.value).label(state.value) for state in _SHOWN),
            _many(and_(alive, work.due_at <= now)).label("overdue"),
            _many(and_(alive, work.id.in_(asks))).label("extending"),
        )
        .join(customer_order, customer_order.c.id == work.order_id)
        .where(live, work.state != WorkOrderState.PROPOSED.value)
        .group_by(work.unit)
        .order_by(work.unit)
    )
    return tuple(
        UnitCount(
            unit=row.unit,
            orders=row.orders,
            **{state.value: getattr(row, state.value) for state in _SHOWN},
            overdue=row.overdue,
            extending=row.extending,
        )
        for row in rows
    )


_SHOWN: Final = (WorkOrderState.SENT, WorkOrderState.ACCEPTED, WorkOrderState.WORKING, WorkOrderState.AT_HEAD)


async def _cards(conn: AsyncConnection, live: ColumnElement[bool], now: datetime) -> tuple[BoardCard, ...]:
    order = customer_order.c
    rows = await conn.execute(
        select(customer_order, staff.c.number)
        .outerjoin(staff, staff.c.id == order.owner_id)
        .where(live)
        .order_by(order.due_at.is_(None), order.due_at, order.id)
        .limit(MOST)
    )
    return tuple(
        BoardCard(
            id=row.public_id,
            serial=row.serial,
            state=row.state,
            card=clocks.card(row.due_at, row.warn_at, now).value,
            due_at=row.due_at,
            urgent=row.urgent,
            vip=row.vip_class is not None,
            paused=row.control == Control.PAUSED.value,
            owner=row.owner_queue or row.number,
            business=row.business,
            version=row.version,
        )
        for row in rows
    )
