"""All SQL of grades and follow-ups."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.changes import Change
from ticketing.contacts.model import ContactKind
from ticketing.contacts.tables import contact, contact_order
from ticketing.customers.tables import customer
from ticketing.db import for_update
from ticketing.errors import Invalid, NotFound, Stale
from ticketing.orders.tables import customer_order
from ticketing.pages import Page, check_limit, cursor_of, read_cursor
from ticketing.roles import Actor
from ticketing.staff.tables import staff
from ticketing.surveys.model import WAITING, FollowUp, FollowUpFilter, NewGrade, State
from ticketing.surveys.tables import follow_up, survey_result


@dataclass(frozen=True, slots=True)
class Held:
    """A follow-up's row under its lock."""

    id: int
    public_id: str
    version: int
    state: State
    #: every column
    row: Mapping[str, Any]


async def order_of_call(conn: AsyncConnection, call_id: str) -> int | None:
    """Key of the newest order of a call: after a merge the one it was merged into."""
    found = await conn.scalar(
        select(contact_order.c.order_id)
        .join(contact, contact.c.id == contact_order.c.contact_id)
        .where(contact.c.kind == ContactKind.CALL.value, contact.c.external_id == call_id)
        .order_by(contact_order.c.joined_at.desc(), contact_order.c.order_id.desc())
        .limit(1)
    )
    return None if found is None else int(found)


async def add_result(conn: AsyncConnection, given: NewGrade, order_id: int | None) -> int | None:
    """Writes a grade once; None when this call is graded already."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(survey_result).values(
        call_id=given.call_id,
        channel="ivr",
        grade=given.grade,
        agent=given.agent,
        order_id=order_id,
        graded_at=given.at,
    )
    made = await conn.execute(fresh.on_conflict_do_nothing().returning(survey_result.c.id))
    found = made.scalar_one_or_none()
    return None if found is None else int(found)


async def open_one(
    conn: AsyncConnection, actor: Actor, result_id: int, values: Mapping[str, Any], now: datetime
) -> str:
    """Opens the follow-up of a grade; its public id."""
    public_id = secrets.token_urlsafe(16)
    await conn.execute(
        follow_up.insert().values(
            public_id=public_id,
            result_id=result_id,
            version=1,
            state=State.NEW.value,
            opened_at=now,
            changed_at=now,
            changed_by=actor.number,
            **values,
        )
    )
    return public_id


async def hold(conn: AsyncConnection, public_id: str, version: int | None = None) -> Held:
    """Locks a follow-up; raises NotFound, and Stale saying who was faster (F18)."""
    rows = await conn.execute(for_update(select(follow_up).where(follow_up.c.public_id == public_id)))
    row = rows.mappings().first()
    if row is None:
        raise NotFound(subject="follow_up", id=public_id)
    held = Held(row["id"], row["public_id"], row["version"], State(row["state"]), dict(row))
    if version is not None and held.version != version:
        raise _stale(held)
    return held


async def write(  # noqa: PLR0917 - who did what to which, as in the audit
    conn: AsyncConnection, actor: Actor, fact: str, held: Held, to: State, values: Mapping[str, Any], now: datetime
) -> Change:
    """Changes the locked follow-up: columns, version and audit row, or nothing of it."""
    version = held.version + 1
    done = await conn.execute(
        update(follow_up)
        .where(follow_up.c.id == held.id, follow_up.c.version == held.version)
        .values(**values, state=to.value, version=version, changed_at=now, changed_by=actor.number)
    )
    if done.rowcount != 1:
        raise _stale(held)
    said = {name: values[name] for name in ("opinion", "final_grade") if values.get(name)}
    payload = {"state": to.value, "version": version, **said}
    await audit.record(conn, actor, fact, "follow_up", held.public_id, payload, now)
    return Change(fact, held.public_id, version, now, payload)


def _stale(held: Held) -> Stale:
    by, at = held.row["changed_by"], held.row["changed_at"].isoformat()
    return Stale(subject="follow_up", id=held.public_id, version=held.version, by=by, at=at)


# -- what pages read -------------------------------------------------------------------------------------------------


def _rows() -> Select[Any]:
    return (
        select(
            follow_up,
            *(survey_result.c[name] for name in ("call_id", "grade", "agent", "graded_at")),
            customer_order.c.public_id.label("order_public_id"),
            customer_order.c.serial.label("order_serial"),
            contact.c.number.label("caller_number"),
            customer.c.name.label("customer_name"),
            staff.c.number.label("owner_number"),
        )
        .join(survey_result, survey_result.c.id == follow_up.c.result_id)
        .outerjoin(customer_order, customer_order.c.id == survey_result.c.order_id)
        .outerjoin(
            contact,
            and_(contact.c.kind == ContactKind.CALL.value, contact.c.external_id == survey_result.c.call_id),
        )
        .outerjoin(customer, customer.c.id == contact.c.customer_id)
        .outerjoin(staff, staff.c.id == follow_up.c.owner_id)
    )


async def get(conn: AsyncConnection, public_id: str, now: datetime) -> FollowUp:
    """One follow-up; raises NotFound."""
    row = (await conn.execute(_rows().where(follow_up.c.public_id == public_id))).mappings().first()
    if row is None:
        raise NotFound(subject="follow_up", id=public_id)
    return _read(row, now)


async def search(
    conn: AsyncConnection,
    actor: Actor,
    wanted: FollowUpFilter,
    now: datetime,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[FollowUp]:
    """Follow-ups by remaining time, the shortest first."""
    query = _rows().where(*_conditions(actor, wanted, now))
    due = follow_up.c.due_at
    if cursor is not None:
        at, key = read_cursor(cursor)
        query = query.where(or_(due > at, and_(due == at, follow_up.c.id > key)))
    rows = (await conn.execute(query.order_by(due, follow_up.c.id).limit(check_limit(limit) + 1))).mappings().all()
    shown = rows[:limit]
    more = cursor_of(shown[-1]["due_at"], shown[-1]["id"]) if len(rows) > limit else None
    return Page(tuple(_read(row, now) for row in shown), more)


def _conditions(actor: Actor, wanted: FollowUpFilter, now: datetime) -> list[ColumnElement[bool]]:
    if set(wanted.state) - {state.value for state in State}:
        raise Invalid("unknown_code", "no such state", field="state", allowed=[state.value for state in State])
    states = wanted.state or tuple(sorted(state.value for state in WAITING))
    found: list[ColumnElement[bool]] = [follow_up.c.state.in_(states)]
    if wanted.mine:
        found.append(follow_up.c.owner_id == actor.staff_id)
    if wanted.overdue:
        found += [follow_up.c.due_at <= now, follow_up.c.done_at.is_(None)]
    return found


def _read(row: RowMapping, now: datetime) -> FollowUp:
    ended = row["done_at"]
    return FollowUp(
        id=row["public_id"],
        state=row["state"],
        call_id=row["call_id"],
        grade=row["grade"],
        agent=row["agent"],
        graded_at=row["graded_at"],
        order_id=row["order_public_id"],
        order_serial=row["order_serial"],
        customer_name=row["customer_name"],
        caller_number=row["caller_number"],
        due_at=row["due_at"],
        overdue=ended is None and row["due_at"] <= now,
        owner=row["owner_queue"] or row["owner_number"] if ended is None else None,
        claimed_at=row["claimed_at"],
        done_at=ended,
        opinion=row["opinion"],
        final_grade=row["final_grade"],
        version=row["version"],
    )
