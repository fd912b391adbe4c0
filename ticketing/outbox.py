"""Messages to the outside, written with the change that causes them and delivered after it is committed (F21)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Column, Index, Integer, String, Table, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import Database, Json, UtcDateTime, id_column, metadata
from ticketing.errors import HotlineError

log = structlog.get_logger(__name__)

outbox = Table(
    "outbox",
    metadata,
    id_column(),
    Column("topic", String(64), nullable=False),
    Column("key", String(80), nullable=False),
    Column("payload", Json, nullable=False),
    #: pending | sent | dead
    Column("state", String(8), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claimed_by", String(64)),
    Column("claimed_until", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("last_error", String(200)),
    Index("ix_outbox_state_key", "state", "topic", "key", "id"),
    sqlite_autoincrement=True,
)

_CLAIM = timedelta(seconds=60)
_TIMEOUT_S = 5.0
_LONGEST_WAIT = timedelta(hours=1)
#: a message that failed for so long is given up
GIVE_UP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Message:
    """One row to deliver; `id` never repeats, so that a receiver can tell a second delivery."""

    id: int
    topic: str
    key: str
    payload: Mapping[str, Any]
    attempts: int
    created_at: datetime


class Receiver(Protocol):
    """Where messages of a topic go: a gateway, a listener, the stream of a browser."""

    async def deliver(self, message: Message) -> None:
        """Returns when the receiver has it; any exception means it has not, and it is tried again."""


async def put(conn: AsyncConnection, topic: str, key: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Leaves a message in the transaction; those of one topic and key (an order number) stay in order."""
    await put_all(conn, topic, [(key, payload)], now)


async def put_all(
    conn: AsyncConnection, topic: str, messages: Sequence[tuple[str, Mapping[str, Any]]], now: datetime
) -> None:
    """Leaves many messages of a topic, each with its key, in the transaction."""
    if not messages:
        return
    same = {"topic": topic, "state": "pending", "created_at": now, "due_at": now, "attempts": 0}
    rows = [{**same, "key": key, "payload": dict(payload)} for key, payload in messages]
    await conn.execute(insert(outbox), rows)


def wait_before(attempts: int, jitter: float) -> timedelta:
    """Wait before the next attempt: doubling from 1 s to 1 h, `jitter` (0 to 1) takes off up to half."""
    full = min(timedelta(seconds=2.0 ** min(attempts - 1, 20)), _LONGEST_WAIT)
    return full * (1 - jitter / 2)


class Courier:
    """Takes due messages, delivers them outside any transaction, writes down how it went.

    At least once: a crash between delivery and note delivers again under the same id.
    """

    def __init__(
        self,
        database: Database,
        receivers: Mapping[str, Receiver],
        *,
        name: str,
        jitter: Callable[[], float] = random.random,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._database = database
        self._receivers = receivers
        self._name = name
        self._jitter = jitter
        self._timeout_s = timeout_s

    async def drain(self, now: datetime, limit: int = 100) -> int:
        """Delivers what is due, the first of each key at the same time; returns how many were taken up.

        A failing message holds back the later ones of its key only; after 24 hours it is `dead` and they go on.
        """
        messages = await self._database.write_whole(lambda conn: self._claim(conn, now, limit))
        results = await asyncio.gather(*(self._deliver(message) for message in messages))

        async def note(conn: AsyncConnection) -> None:
            for message, error in zip(messages, results, strict=True):
                await self._note(conn, message, error, now)

        if messages:
            await self._database.write_whole(note)
        return len(messages)

    async def run(self, clock: Callable[[], datetime], *, every_s: float = 0.5) -> None:
        """Drains for ever; goes on at once while there is work."""
        while True:
            try:
                taken = await self.drain(clock())
            except HotlineError as error:
                taken = 0
                log.warning("outbox_waits", code=error.code, reason=error.message)
            await asyncio.sleep(0 if taken else every_s)

    async def _claim(self, conn: AsyncConnection, now: datetime, limit: int) -> list[Message]:
        heads = (
            select(func.min(outbox.c.id))
            .where(outbox.c.state == "pending", outbox.c.topic.in_(list(self._receivers)))
            .group_by(outbox.c.topic, outbox.c.key)
        )
        free = or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= now)
        ready = and_(outbox.c.id.in_(heads), outbox.c.due_at <= now, free)
        chosen = select(outbox.c.id).where(ready).order_by(outbox.c.id).limit(limit)
        claimed = await conn.execute(
            update(outbox)
            .where(outbox.c.id.in_(chosen), outbox.c.state == "pending", free)
            .values(claimed_by=self._name, claimed_until=now + _CLAIM, attempts=outbox.c.attempts + 1)
            .returning(outbox)
        )
        rows = sorted(claimed.all(), key=lambda row: int(row.id))
        return [Message(row.id, row.topic, row.key, row.payload, row.attempts, row.created_at) for row in rows]

    async def _deliver(self, message: Message) -> str | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._receivers[message.topic].deliver(message)
        except Exception as error:  # a receiver may fail in any way; the message is tried again
            return f"{type(error).__name__}: {error}"[:200]
        return None

    async def _note(self, conn: AsyncConnection, message: Message, error: str | None, now: datetime) -> None:
        if error is None:
            values: dict[str, Any] = {"state": "sent", "ended_at": now, "last_error": None}
        elif now - message.created_at >= GIVE_UP:
            values = {"state": "dead", "ended_at": now, "last_error": error}
            log.error("message_dead", topic=message.topic, message=message.id, reason=error)
        else:
            values = {"due_at": now + wait_before(message.attempts, self._jitter()), "last_error": error}
        await conn.execute(
            update(outbox)
            .where(outbox.c.id == message.id, outbox.c.claimed_by == self._name)
            .values(claimed_by=None, claimed_until=None, **values)
        )
