"""All SQL of recordings."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from recordings.model import Alarm, Found, Recording, RecordingState
from recordings.tables import recording
from ticketing.contacts.tables import contact, contact_order
from ticketing.db import for_update
from ticketing.errors import NotFound
from ticketing.orders.access import visible
from ticketing.orders.tables import customer_order
from ticketing.roles import SYSTEM, Action, Actor, may


async def expect(conn: AsyncConnection, call_id: str, now: datetime) -> Recording:
    """The call's row, made in state expected when it is not there."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(recording).values(
        public_id=secrets.token_urlsafe(12), call_id=call_id, state=RecordingState.EXPECTED.value, scans=0,
        created_at=now, changed_at=now, version=1,
    )  # fmt: skip
    await conn.execute(fresh.on_conflict_do_nothing(index_elements=[recording.c.call_id]))
    return _recording((await conn.execute(for_update(select(recording).where(recording.c.call_id == call_id)))).one())


async def write(
    conn: AsyncConnection,
    before: Recording,
    found: Found,
    *,
    expected_seconds: float | None,
    next_scan_at: datetime | None,
    now: datetime,
) -> Recording:
    """Writes what a look into the spool gave."""
    values = {**asdict(found), "state": found.state.value, "alarm": found.alarm.value if found.alarm else None}
    done = await conn.execute(
        update(recording)
        .where(recording.c.id == before.id)
        .values(
            expected_seconds=expected_seconds, next_scan_at=next_scan_at, scans=before.scans + 1, changed_at=now,
            version=before.version + 1, **values,
        )
        .returning(recording)
    )  # fmt: skip
    return _recording(done.one())


async def by_call(conn: AsyncConnection, call_id: str) -> Recording | None:
    """The call's recording, None when nothing was ever expected of it."""
    row = (await conn.execute(select(recording).where(recording.c.call_id == call_id))).one_or_none()
    return _recording(row) if row else None


async def of_calls(conn: AsyncConnection, call_ids: Iterable[str]) -> dict[str, Recording]:
    """Recordings of several calls by call id, with one query."""
    rows = await conn.execute(select(recording).where(recording.c.call_id.in_(list(call_ids))))
    return {row.call_id: _recording(row) for row in rows}


async def get(conn: AsyncConnection, actor: Actor, public_id: str) -> Recording:
    """One recording by the id of its address; raises NotFound when it is absent or not the actor's to hear.

    Whoever may hear any, hears it; others hear calls they took, and calls joined to orders they may see when
    they may see all orders: not somebody else's draft (AU-02).
    """
    query = select(recording).where(recording.c.public_id == public_id)
    if actor.staff_id != SYSTEM.staff_id and not may(actor.posts, Action.PLAY_ANY_RECORDING):
        taken = exists().where(contact.c.external_id == recording.c.call_id, contact.c.staff_id == actor.staff_id)
        if may(actor.posts, Action.VIEW_ALL_ORDERS):
            joined = exists().where(
                contact.c.external_id == recording.c.call_id,
                contact_order.c.contact_id == contact.c.id,
                customer_order.c.id == contact_order.c.order_id,
                visible(actor),
            )
            query = query.where(taken | joined)
        else:
            query = query.where(taken)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound("unknown_recording")
    return _recording(row)


async def due(conn: AsyncConnection, now: datetime, limit: int = 100) -> list[Recording]:
    """Recordings whose spool is to be looked at again, by the index on the time."""
    query = select(recording).where(recording.c.next_scan_at <= now).order_by(recording.c.next_scan_at).limit(limit)
    return [_recording(row) for row in await conn.execute(query)]


async def cared_for(conn: AsyncConnection, call_ids: Iterable[str]) -> set[str]:
    """Those of the calls whose recording is stored or will be looked for again."""
    wanted = select(recording.c.call_id).where(
        recording.c.call_id.in_(list(call_ids)), recording.c.path.is_not(None) | recording.c.next_scan_at.is_not(None)
    )
    return set((await conn.execute(wanted)).scalars())


def _recording(row: Row[Any]) -> Recording:
    values = {name: getattr(row, name) for name in Recording.__dataclass_fields__}
    values["state"] = RecordingState(row.state)
    values["alarm"] = Alarm(row.alarm) if row.alarm else None
    return Recording(**values)
