"""Who did what, and who looked at what: rows written unsealed inside the business transaction (N4, AU-01)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, String, Table, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import BigId, Database, Json, UtcDateTime, id_column, metadata
from ticketing.roles import Actor

#: larger floating numbers (and NaN) are kept as text
_EXACT = 1e15


def _log_table(name: str) -> Table:
    return Table(
        name,
        metadata,
        id_column(),
        Column("at", UtcDateTime, nullable=False),
        Column("actor_id", BigId, nullable=False),
        Column("actor_number", String(16), nullable=False),
        Column("verb", String(64), nullable=False),
        Column("subject_kind", String(32), nullable=False),
        Column("subject_id", String(80), nullable=False),
        Column("payload", Json),
        Column("salt", String(32)),
        Column("digest", String(64), nullable=False),
        Column("seal_seq", Integer),
        Column("seal", String(64)),
        Index(f"ix_{name}_subject", "subject_kind", "subject_id"),
        Index(f"ix_{name}_actor_at", "actor_id", "at"),
        Index(f"uq_{name}_seal_seq", "seal_seq", unique=True),
        sqlite_autoincrement=True,
    )


audit = _log_table("audit")
"""Every change. The digest covers salt and payload: an erasure empties those two and the chain still holds."""
query_log = _log_table("query_log")
"""Every look-up, playback and export, with its conditions and what it returned (AU-01)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to be: who did or saw what."""

    actor: Actor
    #: past fact or query: `order.submitted`, `recording.played`
    verb: str
    subject_kind: str
    subject_id: str
    #: aware UTC
    at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)


async def record(  # noqa: PLR0917 - the order in which an audit row is read: who did what to which
    conn: AsyncConnection,
    actor: Actor,
    verb: str,
    subject_kind: str,
    subject_id: str | int,
    payload: Mapping[str, Any],
    now: datetime,
) -> None:
    """Writes one change into the transaction that makes it: both commit or neither does."""
    await record_all(conn, [Entry(actor, verb, subject_kind, str(subject_id), now, payload)])


async def record_all(conn: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Writes many changes into the transaction that makes them."""
    if entries:
        await conn.execute(insert(audit), [_row(entry) for entry in entries])


async def log_queries(conn: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Writes look-ups; `payload` holds `conditions`, `count` and `ids` of what was returned."""
    if entries:
        await conn.execute(insert(query_log), [_row(entry) for entry in entries])


async def erase_payload(conn: AsyncConnection, table: Table, subject_kind: str, subject_id: str) -> int:
    """Empties what the rows of a subject say, keeping that they were; returns how many. The caller audits it."""
    done = await conn.execute(
        update(table)
        .where(table.c.subject_kind == subject_kind, table.c.subject_id == subject_id, table.c.payload.is_not(None))
        .values(payload=None, salt=None)
    )
    return done.rowcount


def digest_of(payload: Mapping[str, Any], salt: str) -> str:
    """SHA-256 of the salt and the canonical JSON; the salt keeps an erased telephone number from being guessed."""
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


def _row(entry: Entry) -> dict[str, Any]:
    payload = _storable(dict(entry.payload))
    salt = secrets.token_hex(16)
    return {
        "at": entry.at,
        "actor_id": entry.actor.staff_id,
        "actor_number": entry.actor.number,
        "verb": entry.verb,
        "subject_kind": entry.subject_kind,
        "subject_id": _storable(entry.subject_id)[:80],
        "payload": payload,
        "salt": salt,
        "digest": digest_of(payload, salt),
    }


def _storable(value: Any) -> Any:
    """The value as both databases give it back: what people type into a search may hold NUL or half a character, and
    PostgreSQL writes large numbers in its own way. Raises TypeError for what is not JSON."""
    if isinstance(value, str):
        return str(value).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value + 0.0 if abs(value) < _EXACT else str(value)  # -0.0 becomes 0.0
    if isinstance(value, Mapping):
        return {_storable(str(key)): _storable(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(each) for each in value]
    raise TypeError(f"{type(value).__name__} cannot be kept in an audit row")


class QueryLog:
    """Look-ups written in batches: `log` returns when its row is committed, many callers share one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def log(self, entry: Entry) -> None:
        """Raises what the database raises: a query that cannot be logged is not answered (AU-01)."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                async with self._database.write() as conn:
                    await log_queries(conn, [entry for entry, _ in batch])
            except Exception as error:  # handed to everyone whose row it was
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)
