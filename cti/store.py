"""All SQL about calls: batch upsert, search, figures by agent, journal offsets."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Table, Text, and_, cast, func, not_, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.calls.announced import PREFIX, Walk
from cti.calls.model import (
    Breach,
    CallRecord,
    Clocks,
    Leg,
    Offer,
    OfferResult,
    Outcome,
    Stay,
    Step,
    milliseconds,
)
from cti.tables import ami_offset, call, call_offer
from ticketing.errors import Invalid

#: rows that are made into records at a time
_PART: Final = 100

_JSON: Final = ("path", "stays", "offers", "clocks", "legs", "unseen")
#: ids in one question to the database
_AT_ONCE: Final = 500
_PLAIN: Final = tuple(field.name for field in dataclasses.fields(CallRecord) if field.name not in {*_JSON, "outcome"})


async def save_calls(conn: AsyncConnection, records: Sequence[CallRecord]) -> None:
    """Writes the newest picture of each call in one batch; an older one, or an open one of a closed call, is ignored.

    The offers of closed calls are written once.
    """
    newest = {
        record.call_id: record for record in sorted(records, key=lambda record: (not record.open, record.version))
    }
    if not newest:
        return
    await conn.execute(_newest(conn.dialect.name), [_row(record) for record in newest.values()])
    offers = [_offer_row(record, offer) for record in newest.values() if not record.open for offer in record.offers]
    if offers:
        await conn.execute(_offers_once(conn.dialect.name), offers)


@functools.cache
def _newest(dialect: str) -> postgresql.Insert | sqlite.Insert:
    """The statement, made once for a database: it has forty columns and is used for every batch."""
    insert = _insert(dialect, call)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[call.c.call_id],
        set_={column.name: new[column.name] for column in call.c if column.name not in {"id", "call_id"}},
        where=and_(call.c.version <= new.version, or_(call.c.open, not_(new.open))),
    )


@functools.cache
def _offers_once(dialect: str) -> postgresql.Insert | sqlite.Insert:
    return _insert(dialect, call_offer).on_conflict_do_nothing()


async def get(conn: AsyncConnection, call_id: str) -> CallRecord | None:
    """One call by our own id."""
    row = (await conn.execute(select(call).where(call.c.call_id == call_id))).one_or_none()
    return None if row is None else _record(row)


async def recent(
    conn: AsyncConnection,
    *,
    agent: str | None = None,
    ani: str | None = None,
    before: datetime | None = None,
    limit: int = 50,
) -> list[CallRecord]:
    """Newest calls first: of all, of the agent who answered them, or from one number; `before` pages on."""
    query = select(call).order_by(call.c.entered_at.desc(), call.c.id.desc()).limit(limit)
    for column, wanted in ((call.c.answered_by, agent), (call.c.ani, ani)):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(call.c.entered_at < before)
    return [_record(row) for row in await conn.execute(query)]


async def between(conn: AsyncConnection, start: datetime, end: datetime) -> list[CallRecord]:
    """Calls that entered in `start` <= time < `end`, oldest first: the material of figures."""
    query = select(call).where(call.c.entered_at >= start, call.c.entered_at < end)
    return [_record(row) for row in await conn.execute(query.order_by(call.c.entered_at, call.c.id))]


async def material(
    conn: AsyncConnection, start: datetime, end: datetime, *, queue: str | None = None, limit: int
) -> list[CallRecord]:
    """The same for figures over a long time: read by index in one query, a part at a time, so that nothing else waits.

    Raises Invalid `too_many_calls` when there are more than `limit`.
    """
    query = select(call).where(call.c.entered_at >= start, call.c.entered_at < end)
    if queue is not None:
        query = query.where(call.c.queue == queue)
    found: list[CallRecord] = []
    rows = await conn.stream(query.order_by(call.c.entered_at).limit(limit + 1))
    async for part in rows.partitions(_PART):
        found += [_record(row) for row in part]
        await asyncio.sleep(0)
    if len(found) > limit:
        raise Invalid("too_many_calls", f"more than {limit} calls in this time", field="from", limit=limit)
    return found


async def last_talks(conn: AsyncConnection, since: datetime, most: int) -> list[tuple[str, int]]:
    """Queue and milliseconds of the newest talks of calls that entered since then, oldest first (TL-14)."""
    query = select(call.c.queue, call.c.answered_at, call.c.talk_ended_at).where(
        call.c.entered_at >= since, call.c.outcome == Outcome.ANSWERED.value, call.c.talk_ended_at.is_not(None)
    )
    rows = (await conn.execute(query.order_by(call.c.entered_at.desc()).limit(most))).all()
    return [(row.queue, milliseconds(row.answered_at, row.talk_ended_at)) for row in reversed(rows)]


async def announced(conn: AsyncConnection, start: datetime, end: datetime) -> list[Walk]:
    """Ways of the calls that came in `start` <= time < `end` and were played an announcement."""
    played = cast(call.c.path, Text).like(f'%"{PREFIX}%')
    rows = await conn.execute(
        select(call.c.entered_at, call.c.outcome, call.c.path).where(
            call.c.entered_at >= start, call.c.entered_at < end, played
        )
    )
    return [
        Walk(
            row.entered_at,
            Outcome(row.outcome) if row.outcome else None,
            [(step["node"], step["key"]) for step in row.path],
        )
        for row in rows
    ]


async def open_calls(conn: AsyncConnection) -> list[CallRecord]:
    """Calls that were open when last saved, oldest first: after a restart they go back to the floor (TL-70)."""
    return [_record(row) for row in await conn.execute(select(call).where(call.c.open).order_by(call.c.entered_at))]


async def misses(conn: AsyncConnection, start: datetime, end: datetime) -> dict[str, int]:
    """Missed offers by agent in `start` <= time < `end` (TL-11)."""
    query = (
        select(call_offer.c.agent, func.count())
        .where(call_offer.c.result == OfferResult.MISSED.value, call_offer.c.at >= start, call_offer.c.at < end)
        .group_by(call_offer.c.agent)
        .order_by(call_offer.c.agent)
    )
    return {str(agent): int(count) for agent, count in await conn.execute(query)}


async def closed_among(conn: AsyncConnection, call_ids: Collection[str]) -> set[str]:
    """Those of these calls that have their final record."""
    found: set[str] = set()
    wanted = sorted(call_ids)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        found.update(await conn.scalars(select(call.c.call_id).where(call.c.call_id.in_(part), not_(call.c.open))))
    return found


async def offsets(conn: AsyncConnection) -> dict[str, tuple[int, int]]:
    """How far each journal was read: inode of the file, and bytes."""
    rows = await conn.execute(select(ami_offset.c.name, ami_offset.c.inode, ami_offset.c.offset))
    return {row.name: (row.inode, row.offset) for row in rows}


async def set_offsets(conn: AsyncConnection, places: Mapping[str, tuple[int, int]], now: datetime) -> None:
    """Remembers how far journals were read, in the transaction of what was read."""
    insert = _insert(conn.dialect.name, ami_offset)
    new = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=[ami_offset.c.name], set_={"inode": new.inode, "offset": new.offset, "at": new.at}
    )
    for name, (inode, read) in sorted(places.items()):
        await conn.execute(statement, {"name": name, "inode": inode, "offset": read, "at": now})


def _age(record: CallRecord) -> tuple[bool, int]:
    """Open before closed, then by version."""
    return (not record.open, record.version)


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Insert of this dialect; both know ON CONFLICT in the same words."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _row(record: CallRecord) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(record, name) for name in _PLAIN}
    row |= {name: _json(getattr(record, name)) for name in _JSON}
    row["outcome"] = record.outcome.value if record.outcome else None
    row["open"] = record.open
    return row


def _offer_row(record: CallRecord, offer: Offer) -> dict[str, Any]:
    return {
        "call_id": record.call_id,
        "interface": offer.interface,
        "agent": offer.agent,
        "queue": offer.queue,
        "at": offer.at,
        "answered_at": offer.answered_at,
        "result": offer.result.value,
        "ring_ms": offer.ring_ms,
    }


def _json(value: object) -> Any:
    """A value of the model as JSON: times as ISO 8601 with microseconds."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def _record(row: Row[Any]) -> CallRecord:
    data = row._mapping
    return CallRecord(
        **{name: data[name] for name in _PLAIN},
        outcome=Outcome(data["outcome"]) if data["outcome"] else None,
        path=tuple(Step(**_times(step)) for step in data["path"]),
        stays=tuple(Stay(**_times(stay)) for stay in data["stays"]),
        offers=tuple(_offer(offer) for offer in data["offers"]),
        clocks=_clocks(data["clocks"]),
        legs=tuple(Leg(**_times(leg)) for leg in data["legs"]),
        unseen=tuple(data["unseen"]),
    )


def _times(data: Mapping[str, Any]) -> dict[str, Any]:
    """Fields whose names say they hold a time, as times again."""
    return {
        name: datetime.fromisoformat(value) if value and (name == "at" or name.endswith(("_at", "_from"))) else value
        for name, value in data.items()
    }


def _offer(data: Mapping[str, Any]) -> Offer:
    return Offer(**_times(data) | {"result": OfferResult(data["result"])})


def _clocks(data: Mapping[str, Any]) -> Clocks:
    breach = Breach(data["breach"]) if data["breach"] else None
    return Clocks(**_times(data) | {"breach": breach, "breach_agents": tuple(data["breach_agents"])})
