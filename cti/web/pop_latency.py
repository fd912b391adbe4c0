"""How long a pop takes from the telephone system's event to the painted page, measured on every pop (TL-33)."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.calls.stats import percentile
from cti.hub import HubEvent
from cti.web.tables import pop_latency
from ticketing.db import Database

__all__ = ["Latencies", "Painting", "measure", "percentile", "store"]

#: pops the figures are made of
WINDOW = 2000
#: a page's clock may differ from ours by as much without being doubted
TOLERANCE = timedelta(milliseconds=5)


@dataclass(frozen=True)
class Painting:
    """One pop painted for the first time."""

    call_id: str
    agent: str
    event_at: datetime
    painted_at: datetime
    ms: float
    clock: str


def measure(
    event: HubEvent, *, agent: str, call_id: str, painted_at: datetime, received_at: datetime
) -> Painting | None:
    """The painting of a `pop` event, or None for an event that is no pop of this call.

    The page's clock counts while it lies between the event and the arrival of its report; otherwise it cannot be
    right, and the arrival counts: an upper bound. Pure.
    """
    if event.name != "pop":
        return None
    data: dict[str, Any] = json.loads(event.body)
    if data.get("call_id") != call_id:
        return None
    event_at = datetime.fromisoformat(data["event_at"])
    trusted = event_at <= painted_at <= received_at + TOLERANCE
    seen_at = painted_at if trusted else received_at
    ms = max(0.0, (seen_at - event_at) / timedelta(milliseconds=1))
    return Painting(call_id, agent, event_at, seen_at, ms, "page" if trusted else "server")


async def store(conn: AsyncConnection, painting: Painting) -> bool:
    """Keep the first painting of a pop; False when this agent has already painted it."""
    row = {
        "call_id": painting.call_id,
        "agent": painting.agent,
        "event_at": painting.event_at,
        "painted_at": painting.painted_at,
        "ms": painting.ms,
        "clock": painting.clock,
    }
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    done = await conn.execute(insert(pop_latency).values(**row).on_conflict_do_nothing())
    return bool(done.rowcount)


class Latencies:
    """The last paintings in memory; filled from the table after a restart."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values: deque[float] | None = None

    async def add(self, painting: Painting) -> None:
        """Store a painting; a second one of the same pop changes nothing."""
        async with self._database.write() as conn:
            first = await store(conn, painting)
        if first and self._values is not None:
            self._values.append(painting.ms)

    async def values(self) -> Sequence[float]:
        """Milliseconds of the last paintings, oldest first."""
        if self._values is None:
            async with self._database.read() as conn:
                rows = await conn.execute(select(pop_latency.c.ms).order_by(pop_latency.c.id.desc()).limit(WINDOW))
                self._values = deque(reversed(rows.scalars().all()), maxlen=WINDOW)
        return self._values
