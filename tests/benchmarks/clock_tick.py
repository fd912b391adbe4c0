"""A second of the clocks: the look for cards that are due, and the giving of a hundred, in a large centre's database.

`python -m tests.benchmarks.clock_tick` fills a SQLite database with open orders, each with a running clock
(`--open 1000000` for the size the goal is stated for), then measures the look of a second in which nothing is due, and
the whole tick in which 100 cards are: found, given, audited, told and committed with full sync. First with a tenth of
them open, then with all, then beside 10,000 clocks that are long overdue and have had their cards. The floor is the
bare sqlite3 module writing the same four kinds of rows. Goal: a tick with 100 due 20 ms (median), and as long whatever
is open; the time of the processor says so on a busy machine too.
"""

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, make_url

from cti import app
from cti.settings import Settings
from cti.web.pop_latency import percentile
from tests.benchmarks.order_search import Filler
from ticketing.customers.tables import customer
from ticketing.db import Database
from ticketing.orders import cards

NOW: Final = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
ROUNDS: Final = 20
DUE: Final = 100
STEP: Final = timedelta(seconds=1) / DUE
LATE: Final = 10_000
GOAL_MS: Final = 20


def running(order_id: int, due_at: datetime, next_card_at: datetime | None) -> dict[str, Any]:
    """A clock of an order."""
    ids = {"id": order_id, "order_id": order_id, "code": "K10", "anchor": "-", "cycle": 1}
    span = {"started_at": NOW - timedelta(days=30), "target_s": 3600, "lead_s": 3600, "paused_s": 0}
    return {**ids, **span, "due_at": due_at, "warn_at": due_at - timedelta(hours=1), "next_card_at": next_card_at}


def fill(file: Path, first: int, count: int, start: datetime, *, carded: bool = False) -> None:
    """Open orders, the clock of each 10 ms later than the one before; `carded`: they have had their cards."""
    filler = Filler(first + count, 0)
    same = {"customer_id": 1001, "state": "in_process", "owner_id": None, "owner_queue": "senior", "ended_at": None}

    def orders() -> Iterator[dict[str, Any]]:
        for id_ in range(first, first + count):
            yield filler.order(id_, 1) | same | {"coded": "{}"}

    def clocks() -> Iterator[dict[str, Any]]:
        for at in range(count):
            due_at = start + STEP * at
            next_card_at = None if carded else due_at - timedelta(hours=1)
            yield running(10_000 + first + at, due_at, next_card_at)

    with closing(sqlite3.connect(file, isolation_level=None)) as conn:
        conn.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-500000; BEGIN")
        for table, rows in (("customer_order", orders()), ("clock", clocks())):
            for row in rows:
                kept = [_as_text(value) for value in row.values()]
                conn.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", kept)
        conn.execute("COMMIT")
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # else the ticks would fold it into the file


def _as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


@dataclass
class Taken:
    """Milliseconds that passed, and of the processor."""

    passed: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Measures the block."""
        began, used = time.perf_counter(), time.process_time()
        yield
        self.passed.append((time.perf_counter() - began) * 1000)
        self.worked.append((time.process_time() - used) * 1000)

    def cells(self) -> str:
        """Median, 95th percentile, and median of the processor's time."""
        figures = (percentile(self.passed, 0.5), percentile(self.passed, 0.95), percentile(self.worked, 0.5))
        return "".join(f"{figure or 0.0:>9.2f}" for figure in figures)


async def measured(database: Database, since: datetime, rounds: int) -> tuple[Taken, Taken]:
    """Looks for nothing, and ticks with 100 due each."""
    looks, ticks = Taken(), Taken()
    for _ in range(rounds):
        with looks.one():
            async with database.read() as conn:
                found = (await conn.execute(cards.due(since).limit(1))).first()
        assert found is None, "nothing is due yet"
    for step in range(1, rounds + 1):
        with ticks.one():
            async with database.write() as conn:
                fired = await cards.fire(conn, since + timedelta(seconds=step))
        assert len(fired) == DUE, len(fired)
    return looks, ticks


def floor() -> float:
    """The median of 100 cards, their audit rows, messages and next times, written by bare sqlite3 with full sync."""
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="hl-bench-") as folder,
        closing(sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)) as conn,
    ):
        conn.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE clock (id INTEGER PRIMARY KEY, at TEXT);"
            "CREATE TABLE card (id INTEGER, card TEXT, at TEXT, PRIMARY KEY (id, card));"
            "CREATE TABLE said (id INTEGER PRIMARY KEY, told TEXT);"
            "CREATE TABLE news (id INTEGER PRIMARY KEY, told TEXT)"
        )
        conn.executemany("INSERT INTO clock VALUES (?, 'x')", [(each,) for each in range(DUE)])
        for at in range(ROUNDS):
            began = time.perf_counter()
            conn.execute("BEGIN IMMEDIATE")
            conn.executemany("INSERT INTO card VALUES (?, 'red', 'x')", [(at * DUE + each,) for each in range(DUE)])
            for table in ("said", "news"):
                conn.executemany(f"INSERT INTO {table} (told) VALUES (?)", [("x" * 200,)] * DUE)
            conn.executemany("UPDATE clock SET at = 'y' WHERE id = ?", [(each,) for each in range(DUE)])
            conn.execute("COMMIT")
            found.append((time.perf_counter() - began) * 1000)
    return percentile(found, 0.5) or 0.0


async def run(count: int) -> None:
    """Fills, measures, prints."""
    print(f"load {os.getloadavg()[0]:.1f}")
    heads = ("look p50", "p95", "cpu", "tick p50", "p95", "cpu", "x floor")
    print(f"{'':34}{''.join(f'{head:>9}' for head in heads)}  goal {GOAL_MS} ms")
    with tempfile.TemporaryDirectory(prefix="hl-bench-") as folder:
        settings = Settings.model_validate({"home": Path(folder)})
        database = await app.open_database(settings)
        await app.load_basics(database, sample=False, now=NOW)
        async with database.write() as conn:
            await conn.execute(insert(customer), list(Filler(5, 1).customers(1)))
        file = Path(make_url(settings.database).database or "")
        made, since, each = 0, NOW, DUE * ROUNDS
        for size, late in ((count // 10, 0), (count, 0), (count, LATE)):
            if size < made + each and not late:  # too few to be due
                continue
            # of those that come to be open, a hundred are due each second of the measurement; the rest far later
            await asyncio.to_thread(fill, file, made + 1, each, since + timedelta(hours=1) + STEP)
            made += each
            if late:
                await asyncio.to_thread(fill, file, made + 1, late, NOW - timedelta(days=20), carded=True)
            else:
                await asyncio.to_thread(fill, file, made + 1, size - made, NOW + timedelta(days=2))
                made = size
            least = floor()
            looks, ticks = await measured(database, since, ROUNDS)
            tick = percentile(ticks.passed, 0.5) or 0.0
            met = "met" if tick <= GOAL_MS else "MISSED"
            name = f"{size:,} open, {late:,} overdue"
            print(f"{name:34}{looks.cells()}{ticks.cells()}{tick / least:>9.1f}  {met}", flush=True)
            since += timedelta(seconds=ROUNDS + 1)
        await database.close()


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--open", type=int, default=100_000, help="how many clocks run (100000)")
    asyncio.run(run(max(given.parse_args().open, DUE * ROUNDS)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
