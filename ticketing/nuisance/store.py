"""All SQL of the list of nuisance callers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.changes import Change
from ticketing.db import for_update
from ticketing.errors import NotFound, Stale
from ticketing.nuisance.tables import nuisance_number
from ticketing.roles import Actor


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry; field names are those of the JSON."""

    #: public id
    id: str
    number: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    off_at: datetime | None
    #: 工号 of who listed it, and of the last change
    created_by: str
    changed_by: str
    version: int

    def on(self, now: datetime) -> bool:
        """Calls of this number are held back; the moment it ends belongs to it no more."""
        return self.off_at is None and self.starts_at <= now < self.ends_at


def _on(now: datetime) -> ColumnElement[bool]:
    return and_(nuisance_number.c.off_at.is_(None), nuisance_number.c.ends_at > now)


async def is_listed(conn: AsyncConnection, number: str, now: datetime) -> bool:
    """Whether calls of this stored number are held back at this moment (PX-02)."""
    which = (nuisance_number.c.number == number, nuisance_number.c.starts_at <= now, _on(now))
    return await conn.scalar(select(nuisance_number.c.id).where(*which).limit(1)) is not None


async def running(conn: AsyncConnection, number: str, now: datetime) -> Listed | None:
    """The entry of a number that runs."""
    row = (
        await conn.execute(select(nuisance_number).where(nuisance_number.c.number == number, _on(now)).limit(1))
    ).mappings().first()  # fmt: skip
    return None if row is None else _listed(row)


async def entries(conn: AsyncConnection, now: datetime, *, over: bool, limit: int = 200) -> list[Listed]:
    """What runs, the next to end first; or what is over, the last one first."""
    query = select(nuisance_number).limit(limit)
    if over:
        query = query.where(or_(nuisance_number.c.off_at.is_not(None), nuisance_number.c.ends_at <= now))
        query = query.order_by(nuisance_number.c.changed_at.desc(), nuisance_number.c.id.desc())
    else:
        query = query.where(_on(now)).order_by(nuisance_number.c.ends_at, nuisance_number.c.id)
    return [_listed(row) for row in (await conn.execute(query)).mappings()]


async def get(conn: AsyncConnection, public_id: str) -> Listed:
    """One entry; raises NotFound."""
    row = (
        (await conn.execute(select(nuisance_number).where(nuisance_number.c.public_id == public_id))).mappings().first()
    )
    if row is None:
        raise NotFound(subject="nuisance_number", id=public_id)
    return _listed(row)


async def hold(conn: AsyncConnection, public_id: str, version: int) -> Listed:
    """Locks an entry; raises NotFound, and Stale saying who was faster (F18)."""
    which = select(nuisance_number).where(nuisance_number.c.public_id == public_id)
    row = (await conn.execute(for_update(which))).mappings().first()
    if row is None:
        raise NotFound(subject="nuisance_number", id=public_id)
    if row["version"] != version:
        by, at = row["changed_by"], row["changed_at"].isoformat()
        raise Stale(subject="nuisance_number", id=public_id, version=row["version"], by=by, at=at)
    return _listed(row)


async def add(conn: AsyncConnection, actor: Actor, values: Mapping[str, Any], now: datetime) -> Change:
    """Inserts an entry and audits it."""
    public_id = secrets.token_urlsafe(16)
    stamp = {"created_by": actor.number, "changed_at": now, "changed_by": actor.number}
    await conn.execute(insert(nuisance_number).values(**values, **stamp, public_id=public_id, version=1))
    return await _tell(conn, actor, "nuisance.listed", public_id, values, version=1, now=now)


async def write(
    conn: AsyncConnection, actor: Actor, held: Listed, fact: str, values: Mapping[str, Any], *, now: datetime
) -> Change:
    """Changes the locked entry and audits it."""
    version = held.version + 1
    await conn.execute(
        update(nuisance_number)
        .where(nuisance_number.c.public_id == held.id)
        .values(**values, version=version, changed_at=now, changed_by=actor.number)
    )
    said = {"number": held.number, **values}
    return await _tell(conn, actor, fact, held.id, said, version=version, now=now)


async def _tell(
    conn: AsyncConnection,
    actor: Actor,
    fact: str,
    public_id: str,
    values: Mapping[str, Any],
    *,
    version: int,
    now: datetime,
) -> Change:
    payload = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    await audit.record(conn, actor, fact, "nuisance_number", public_id, payload, now)
    return Change(fact, public_id, version, now, {})


def _listed(row: RowMapping) -> Listed:
    return Listed(id=row["public_id"], **{name: row[name] for name in Listed.__dataclass_fields__ if name != "id"})
