"""All SQL of announcements: the row locked and changed with its version, and what menus and pages read."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.announcements.model import Announcement
from ticketing.announcements.tables import announcement
from ticketing.changes import Change
from ticketing.db import for_update
from ticketing.errors import NotFound, Stale
from ticketing.roles import Actor


async def hold(conn: AsyncConnection, public_id: str, version: int | None = None) -> Announcement:
    """Locks an announcement; raises NotFound, and Stale saying who was faster (F18)."""
    row = (await conn.execute(for_update(_one(public_id)))).mappings().first()
    if row is None:
        raise NotFound(subject="announcement", id=public_id)
    if version is not None and row["version"] != version:
        raise _stale(row)
    return _announcement(row)


async def get(conn: AsyncConnection, public_id: str) -> Announcement:
    """One announcement; raises NotFound."""
    row = (await conn.execute(_one(public_id))).mappings().first()
    if row is None:
        raise NotFound(subject="announcement", id=public_id)
    return _announcement(row)


async def coming(conn: AsyncConnection, now: datetime) -> list[Announcement]:
    """What is on or planned, in order of beginning."""
    rows = await conn.execute(
        select(announcement)
        .where(announcement.c.ends_at > now, announcement.c.off_at.is_(None))
        .order_by(announcement.c.starts_at, announcement.c.id)
    )
    return [_announcement(row) for row in rows.mappings()]


async def past(conn: AsyncConnection, now: datetime, limit: int) -> list[Announcement]:
    """What is over, the last one first."""
    rows = await conn.execute(
        select(announcement)
        .where(or_(announcement.c.ends_at <= now, announcement.c.off_at.is_not(None)))
        .order_by(announcement.c.changed_at.desc(), announcement.c.id.desc())
        .limit(limit)
    )
    return [_announcement(row) for row in rows.mappings()]


async def add(conn: AsyncConnection, actor: Actor, values: Mapping[str, Any], now: datetime) -> Change:
    """Inserts one and audits it."""
    public_id = secrets.token_urlsafe(16)
    fixed = {"public_id": public_id, "version": 1, "created_at": now, "created_by": actor.number}
    stamp = {"changed_at": now, "changed_by": actor.number}
    await conn.execute(insert(announcement).values(**values, **fixed, **stamp))
    return await _tell(conn, actor, "announcement.switched_on", public_id, values, version=1, now=now)


async def write(
    conn: AsyncConnection, actor: Actor, held: Announcement, fact: str, values: Mapping[str, Any], *, now: datetime
) -> Change:
    """Changes the locked announcement: columns, version and audit row, or nothing of it."""
    version = held.version + 1
    await conn.execute(
        update(announcement)
        .where(announcement.c.public_id == held.id)
        .values(**values, version=version, changed_at=now, changed_by=actor.number)
    )
    said = {"prompt": held.prompt, **values}
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
    await audit.record(conn, actor, fact, "announcement", public_id, payload, now)
    return Change(fact, public_id, version, now, payload)


def _one(public_id: str) -> Any:
    return select(announcement).where(announcement.c.public_id == public_id)


def _stale(row: RowMapping) -> Stale:
    by, at = row["changed_by"], row["changed_at"].isoformat()
    return Stale(subject="announcement", id=row["public_id"], version=row["version"], by=by, at=at)


_SAME = frozenset(Announcement.__dataclass_fields__) - {"id", "dnis"}


def _announcement(row: RowMapping) -> Announcement:
    return Announcement(id=row["public_id"], dnis=tuple(row["dnis"]), **{name: row[name] for name in _SAME})
