"""Asterisk's counters beside the calls in the database: read once, then only what is new (TL-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cti import store
from cti.calls.beside import LONGEST_CALL, Compared, Tally, compare, final, tally
from cti.calls.events import QueueSeen
from cti.calls.model import Counters, Floor
from ticketing.db import Database

#: most calls of one reading; beyond, the comparison is not worth the work (default)
_MOST: Final = 50_000


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is final of one queue: calls that entered before `until`, counted since the same moment."""

    counters: Counters
    level_s: int
    until: datetime
    tally: Tally


class CounterBook:
    """Keeps what calls that are over amount to, so that looking again costs only the newest calls."""

    def __init__(self, database: Database, floor: Floor) -> None:
        self._database = database
        self._floor = floor
        self._kept: dict[str, _Kept] = {}

    async def compared(self) -> Sequence[Compared]:
        """Every queue of this Asterisk, by name. Raises Invalid `too_many_calls`."""
        return [await self._compared(seen) for _, seen in sorted(self._floor.queues.items())]

    async def _compared(self, seen: QueueSeen) -> Compared:
        counters = self._floor.counters[seen.queue]
        kept = self._kept.get(seen.queue)
        if kept is None or (kept.counters, kept.level_s) != (counters, seen.service_level_s):
            kept = _Kept(counters, seen.service_level_s, counters.since - LONGEST_CALL, Tally())
        async with self._database.read() as conn:
            records = await store.material(conn, kept.until, seen.at, limit=_MOST)
        until = final(records, seen.at)
        total, settled = kept.tally, kept.tally
        for record in records:
            one = tally(record, seen.queue, counters.since, seen.at, seen.service_level_s)
            total = total + one
            if record.entered_at < until:
                settled = settled + one
        self._kept[seen.queue] = _Kept(counters, seen.service_level_s, until, settled)
        return compare(total, seen, counters)
