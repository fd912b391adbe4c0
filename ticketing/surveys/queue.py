"""The surveyors' queue of orders: who needs a call-back most comes first (SV-01, SV-02, SV-09)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks.model import Clock
from ticketing.clocks.tables import clock
from ticketing.customers.tables import customer
from ticketing.orders import needs
from ticketing.orders.access import visible
from ticketing.orders.follow_up import FollowUpRules
from ticketing.orders.model import State
from ticketing.orders.tables import customer_order, survey_attempt
from ticketing.pages import check_limit
from ticketing.roles import Actor
from ticketing.staff.tables import staff
from ticketing.surveys.rules import Scale
from ticketing.surveys.tables import survey_result

_SUMMARY: Final = 120


@dataclass(frozen=True, slots=True)
class Task:
    """One order that waits for its call-back; field names are those of the JSON."""

    id: str
    serial: str
    version: int
    customer_id: str | None
    customer_name: str | None
    #: where he is called: the number he left, else the one he called from
    number: str | None
    vip_class: str | None
    business: str | None
    #: first words of what it is about
    summary: str
    #: points of need, and why: names of `follow_up.FACTS`
    need: int
    reasons: tuple[str, ...]
    #: since when it waits, and its limit (K13)
    since: datetime | None
    due_at: datetime | None
    overdue: bool
    #: calls in vain so far
    attempts: int
    #: the customer asked to be called then
    not_before: datetime | None
    #: 工号, or the queue
    owner: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """The most needed ones, and how many wait in all."""

    items: tuple[Task, ...]
    total: int


async def waiting(
    conn: AsyncConnection,
    actor: Actor,
    rules: FollowUpRules,
    scale: Scale,
    now: datetime,
    *,
    mine: bool = False,
    limit: int = 50,
) -> Queue:
    """Orders of state survey by need, then by their limit; who asked to be called later comes after the others."""
    here = [customer_order.c.state == State.SURVEY.value, visible(actor)]
    if mine:
        here.append(customer_order.c.owner_id == actor.staff_id)
    facts = _facts(rules, scale)
    points: ColumnElement[int] = literal(0)
    for name, condition in facts.items():
        points += case((condition, rules.need.get(name, 0)), else_=0)
    query = _rows(facts, points.label("need")).where(*here)
    later = case((_not_before() > now, 1), else_=0)
    ordered = query.order_by(later, points.desc(), clock.c.due_at, customer_order.c.id).limit(check_limit(limit))
    rows = (await conn.execute(ordered)).mappings().all()
    total = await conn.scalar(select(func.count()).select_from(customer_order).where(*here))
    return Queue(tuple(_read(row, tuple(facts), now) for row in rows), total or 0)


def _facts(rules: FollowUpRules, scale: Scale) -> dict[str, ColumnElement[bool]]:
    bad = [key for key, grade in scale.grades.items() if grade.bad]
    graded = exists().where(survey_result.c.order_id == customer_order.c.id, survey_result.c.grade.in_(bad))
    return {"bad_grade": graded, **needs.facts(rules.unhappy)}


def _tried() -> ColumnElement[bool]:
    return and_(survey_attempt.c.order_id == customer_order.c.id, survey_attempt.c.cycle == customer_order.c.cycle)


def _not_before() -> ColumnElement[Any]:
    """The time the customer named in the last call in vain."""
    last = select(survey_attempt.c.not_before).where(_tried()).order_by(survey_attempt.c.id.desc()).limit(1)
    return last.correlate(customer_order).scalar_subquery()


def _rows(facts: dict[str, ColumnElement[bool]], need: ColumnElement[int]) -> Select[Any]:
    tried = select(func.count()).where(_tried()).correlate(customer_order).scalar_subquery()
    running = and_(
        clock.c.order_id == customer_order.c.id, clock.c.code == Clock.SURVEY.value, clock.c.stopped_at.is_(None)
    )
    return (
        select(
            *(customer_order.c[name] for name in ("public_id", "serial", "version", "vip_class", "business")),
            *(customer_order.c[name] for name in ("contact_name", "contact_number", "caller_number", "owner_queue")),
            func.substr(customer_order.c.description, 1, _SUMMARY).label("summary"),
            *(condition.label(f"is_{name}") for name, condition in facts.items()),
            clock.c.started_at.label("since"),
            clock.c.due_at.label("limit_at"),
            tried.label("attempts"),
            _not_before().label("not_before"),
            customer.c.public_id.label("customer"),
            customer.c.name.label("customer_name"),
            staff.c.number.label("owner_number"),
            need,
        )
        .outerjoin(clock, running)
        .outerjoin(customer, customer.c.id == customer_order.c.customer_id)
        .outerjoin(staff, staff.c.id == customer_order.c.owner_id)
    )


def _read(row: RowMapping, facts: tuple[str, ...], now: datetime) -> Task:
    due_at = row["limit_at"]
    return Task(
        id=row["public_id"],
        serial=row["serial"],
        version=row["version"],
        customer_id=row["customer"],
        customer_name=row["contact_name"] or row["customer_name"],
        number=row["contact_number"] or row["caller_number"],
        vip_class=row["vip_class"],
        business=row["business"],
        summary=row["summary"] or "",
        need=row["need"],
        reasons=tuple(name for name in facts if row[f"is_{name}"]),
        since=row["since"],
        due_at=due_at,
        overdue=due_at is not None and due_at <= now,
        attempts=row["attempts"],
        not_before=row["not_before"],
        owner=row["owner_queue"] or row["owner_number"],
    )
