"""N2: every call has one record, closed with a reason; no open record is older than a minute without a live channel."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.ami.journals import queue_line
from cti.tables import call
from cti.verify.model import Found, Place, Rule, Violation, rows, scratch

_BATCH: Final = 10_000
_INDEX: Final = "CREATE TABLE leg (uniqueid TEXT, call_id TEXT, open INTEGER)"


async def check(place: Place) -> Found:
    """Open records, closed ones, and what `queue_log` names."""
    async with place.database.read() as conn:
        async for found in _open(conn, place):
            yield found
        async for found in _closed(conn):
            yield found
        if place.queue_logs:
            with scratch(_INDEX) as index:
                await _index(conn, place, index)
                for found in _named(place, index):
                    yield found


async def _open(conn: AsyncConnection, place: Place) -> Found:
    query = select(call.c.call_id, call.c.entered_at, call.c.legs).where(call.c.open, call.c.entered_at < place.settled)
    async for row in rows(conn, query.order_by(call.c.id)):
        if place.live is None and place.running:
            continue  # the service compares the floor with Asterisk each minute
        if {leg["uniqueid"] for leg in row.legs} & (place.live or frozenset()) or _just_ended(row, place):
            continue
        since = f"{row.entered_at:%Y-%m-%d %H:%M:%S} UTC"
        yield Violation(
            Rule.N2,
            f"call {row.call_id}",
            f"its record is open since {since} and no channel of it lives",
            "start the service: it closes what Asterisk no longer knows",
        )


def _just_ended(row: Row[Any], place: Place) -> bool:
    """A call whose last leg has ended is closed two seconds later."""
    ends = [leg["ended_at"] for leg in row.legs]
    return bool(ends) and None not in ends and max(ends) > place.settled.isoformat()


async def _closed(conn: AsyncConnection) -> Found:
    bare = or_(
        call.c.outcome.is_(None),
        call.c.end_reason == "",
        call.c.ended_at.is_(None),
        call.c.ended_at < call.c.entered_at,
    )
    query = select(call.c.call_id, call.c.outcome, call.c.end_reason, call.c.ended_at)
    async for row in rows(conn, query.where(and_(~call.c.open, bare)).order_by(call.c.id)):
        lacks = [name for name in ("outcome", "end_reason", "ended_at") if not getattr(row, name)]
        says = f"its record is closed without {' and '.join(lacks)}" if lacks else "it ended before it began"
        yield Violation(
            Rule.N2, f"call {row.call_id}", says, f"compare it with the journal: hotline calls check {row.call_id}"
        )


async def _index(conn: AsyncConnection, place: Place, index: sqlite3.Connection) -> None:
    batch: list[tuple[str, str, bool]] = []
    count = 0
    async for row in rows(conn, select(call.c.call_id, call.c.open, call.c.legs)):
        batch += [(leg["uniqueid"], row.call_id, row.open) for leg in row.legs]
        count += 1
        if len(batch) >= _BATCH:
            _put(index, batch)
            place.progress("calls", count)
    _put(index, batch)
    index.execute("CREATE INDEX by_uniqueid ON leg (uniqueid)")


def _put(index: sqlite3.Connection, batch: list[tuple[str, str, bool]]) -> None:
    index.executemany("INSERT INTO leg VALUES (?, ?, ?)", batch)
    batch.clear()


def _named(place: Place, index: sqlite3.Connection) -> Iterator[Violation]:
    """Callers who entered a queue, as Asterisk wrote it down (whole seconds)."""
    index.execute("CREATE TABLE told (uniqueid TEXT PRIMARY KEY) WITHOUT ROWID")
    for at, uniqueid, queue in _entries(place.queue_logs, place):
        if not index.execute("INSERT OR IGNORE INTO told VALUES (?)", (uniqueid,)).rowcount:
            continue
        known: Sequence[tuple[str, int]] = index.execute(
            "SELECT DISTINCT call_id, open FROM leg WHERE uniqueid = ?", (uniqueid,)
        ).fetchall()
        if len(known) > 1:
            calls = ", ".join(call_id for call_id, _ in known)
            yield Violation(
                Rule.N2, f"channel {uniqueid}", f"it is in more than one call: {calls}", "report it with both exports"
            )
        elif not known:
            yield Violation(
                Rule.N2,
                f"channel {uniqueid}",
                f"queue_log says it entered {queue} at {at} UTC, and no call has it",
                "start the service: it reads what it did not hear; call the caller back if it stays so",
            )


def _entries(files: Sequence[Path], place: Place) -> Iterator[tuple[str, str, str]]:
    count = 0
    for path in files:
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                line = queue_line(text.rstrip("\n"))
                if line is None or line.kind != "ENTERQUEUE" or line.at > place.settled:
                    continue
                count += 1
                if count % _BATCH == 0:
                    place.progress("queue_log", count)
                yield f"{line.at:%Y-%m-%d %H:%M:%S}", line.uniqueid, line.queue
