"""The customer directory: who may be calling, with his last orders, in one statement (TL-30, TL-34)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import CTE, BindParameter, Select, String, and_, bindparam, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.customers.model import Candidate, Customer, CustomerNumber, ProfileField
from ticketing.customers.rules import REPEAT_WINDOW, rank
from ticketing.customers.tables import customer, customer_number, customer_profile
from ticketing.orders import views
from ticketing.orders.model import OPEN, UNBORN, OrderSummary
from ticketing.orders.store import SUMMARY_COLUMNS
from ticketing.orders.tables import customer_order
from ticketing.staff.tables import staff

_LAST = 5
_CANDIDATES = 8
#: separate the pieces of an aggregated text; neither can be in stored text
_UNIT, _RECORD = "\x1f", "\x1e"


class CustomerDirectory(Protocol):
    """Where customers are looked up: our own table, or the operator's own system behind the same question."""

    async def find(self, number: str, now: datetime) -> tuple[Candidate, ...]:
        """Candidates for a normalised number, likeliest first; empty when nobody is known by it."""


class OwnTable:
    """The directory in our own database, on one connection."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def find(self, number: str, now: datetime) -> tuple[Candidate, ...]:
        """One statement: customers of the number, their numbers and profile, last five orders and counts."""
        rows = (await self._conn.execute(_STATEMENT, {"number": number, "now": now})).mappings().all()
        found: dict[int, list[Mapping[str, Any]]] = {}
        for row in rows:
            found.setdefault(row["customer_key"], []).append(dict(row))
        return rank(_candidate(group, now) for group in found.values())


def _statement() -> Select[Any]:
    """The statement, built once; parameters: number, now."""
    match = _match()
    orders = _last_orders(match)
    return (
        select(
            customer.c.id.label("customer_key"),
            customer.c.public_id.label("customer_public_id"),
            customer.c.name.label("customer_name"),
            customer.c.vip_class.label("customer_vip"),
            customer.c.complainant_type.label("customer_type"),
            customer.c.address,
            customer.c.language,
            match.c.main,
            _numbers().label("numbers"),
            _profile().label("profile"),
            *(orders.c[name].label(f"o_{name}") for name in (*SUMMARY_COLUMNS, "owner_number")),
            orders.c.open_count,
            orders.c.overdue_count,
        )
        .join(match, match.c.customer_id == customer.c.id)
        .outerjoin(orders, and_(orders.c.customer_id == customer.c.id, orders.c.place <= _LAST))
        .order_by(customer.c.id, orders.c.place)
    )


def _match() -> CTE:
    """Customers who have the number now."""
    number: BindParameter[str] = bindparam("number", type_=customer_number.c.e164.type)
    return (
        select(customer_number.c.customer_id, func.max(case((customer_number.c.main, 1), else_=0)).label("main"))
        .where(customer_number.c.e164 == number, customer_number.c.ended_at.is_(None))
        .group_by(customer_number.c.customer_id)
        .order_by(customer_number.c.customer_id)
        .limit(_CANDIDATES)
        .cte("match")
    )


def _last_orders(match: CTE) -> CTE:
    """Their orders, newest first by customer, with how many are open and overdue."""
    now: BindParameter[datetime] = bindparam("now", type_=customer_order.c.due_at.type)
    whose = customer_order.c.customer_id
    is_open = customer_order.c.state.in_([state.value for state in OPEN])
    late = and_(is_open, customer_order.c.due_at <= now)
    newest = (customer_order.c.created_at.desc(), customer_order.c.id.desc())
    return (
        select(
            *(customer_order.c[name] for name in SUMMARY_COLUMNS),
            staff.c.number.label("owner_number"),
            func.row_number().over(partition_by=whose, order_by=newest).label("place"),
            func.sum(case((is_open, 1), else_=0)).over(partition_by=whose).label("open_count"),
            func.sum(case((late, 1), else_=0)).over(partition_by=whose).label("overdue_count"),
        )
        .outerjoin(staff, staff.c.id == customer_order.c.owner_id)
        .where(
            whose.in_(select(match.c.customer_id)),  # a join would let SQLite walk every order
            customer_order.c.state.not_in([state.value for state in UNBORN]),
        )
        .cte("last_orders")
    )


def _numbers() -> Any:
    piece = (
        customer_number.c.e164 + _UNIT + customer_number.c.kind + _UNIT + func.coalesce(customer_number.c.service, "")
    )
    return (
        select(func.aggregate_strings(piece, _RECORD))
        .where(customer_number.c.customer_id == customer.c.id, customer_number.c.ended_at.is_(None))
        .correlate(customer)
        .scalar_subquery()
    )


def _profile() -> Any:
    noted = cast(customer_profile.c.noted_at, String)
    piece = customer_profile.c.field + _UNIT + customer_profile.c.value + _UNIT + customer_profile.c.source
    return (
        select(func.aggregate_strings(piece + _UNIT + noted, _RECORD))
        .where(customer_profile.c.customer_id == customer.c.id)
        .correlate(customer)
        .scalar_subquery()
    )


def _candidate(group: list[Mapping[str, Any]], now: datetime) -> Candidate:
    first = group[0]
    named = {"o_customer_name": first["customer_name"]}
    orders = tuple(views.summary({**row, **named}, now, prefix="o_") for row in group if row["o_public_id"] is not None)
    return Candidate(
        customer=Customer(
            id=first["customer_key"],
            public_id=first["customer_public_id"],
            name=first["customer_name"],
            vip_class=first["customer_vip"],
            complainant_type=first["customer_type"],
            address=first["address"],
            language=first["language"],
            numbers=tuple(CustomerNumber(a, b, c or None) for a, b, c in _pieces(first["numbers"])),
            profile=tuple(ProfileField(a, b, c, _moment(d)) for a, b, c, d in _pieces(first["profile"])),
        ),
        main=bool(first["main"]),
        orders=orders,
        open_count=first["open_count"] or 0,
        overdue_count=first["overdue_count"] or 0,
        last_order_at=orders[0].created_at if orders else None,
    )


def _pieces(text: str | None) -> Iterable[list[str]]:
    return [piece.split(_UNIT) for piece in sorted(text.split(_RECORD))] if text else []


def _moment(text: str) -> datetime:
    """A stored moment as the database writes it: SQLite without a zone, PostgreSQL with +00."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


_STATEMENT = _statement()


def is_repeat(orders: Iterable[OrderSummary], open_count: int, now: datetime) -> bool:
    """They have an open order, or one begun within the window (RT-06)."""
    return open_count > 0 or any(now - order.created_at <= REPEAT_WINDOW for order in orders)
