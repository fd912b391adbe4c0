"""A second of the clocks: the look for cards that are due, and the giving of a hundred, in a large centre's database.

`python -m tests.benchmarks.clock_tick` fills a SQLite database with open orders, each with a running clock
(`--open 1000000` for the size the goal is stated for), then measures the look of a second in which nothing is due, and
the whole tick in which 100 cards are: found, given, audited, told and committed with full sync. Both again beside
10,000 clocks that are long overdue and have had their cards. The floor is the bare sqlite3 module writing the same four
kinds of rows. Goal: a tick with 100 due 20 ms (median), and as long whatever is open.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, make_url

from cti import app
from cti.settings import Settings
from cti.web.pop_latency import percentile
from tests.benchmarks.order_search import BATCH, Filler
from ticketing.clocks.tables import clock
from ticketing.customers.tables import customer
from ticketing.db import Database
from ticketing.orders import cards
from ticketing.orders.tables import customer_order

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


async def fill(database: Database, first: int, count: int, start: datetime, *, carded: bool) -> None:
    """Open orders, the clock of each 10 ms later than the one before; `carded`: they have had their cards."""
    filler = Filler(first + count, 0)
    for at in range(first, first + count, BATCH):
        ids = range(at, min(at + BATCH, first + count))
        same = {"customer_id": 1001, "state": "in_process", "owner_id": None, "owner_queue": "senior"}
        orders = [filler.order(id_, 1) | same for id_ in ids]
        limits = [start + STEP * (id_ - first) for id_ in ids]
        rows = [
            running(order["id"], due_at, None if carded else due_at - timedelta(hours=1))
            for order, due_at in zip(orders, limits, strict=True)
        ]
        async with database.write() as conn:
            await conn.execute(insert(customer_order), orders)
            await conn.execute(insert(clock), rows)


async def measured(database: Database, rounds: int) -> tuple[float, float, float]:
    """Medians of a look for nothing and of a tick with 100 due, and the latter's p95: milliseconds."""
    looks, ticks = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        async with database.read() as conn:
            found = (await conn.execute(cards.due(NOW).limit(1))).first()
        looks.append((time.perf_counter() - began) * 1000)
        assert found is None, "nothing is due yet"
    for step in range(1, rounds + 1):
        began = time.perf_counter()
        async with database.write() as conn:
            fired = await cards.fire(conn, NOW + timedelta(seconds=step))
        ticks.append((time.perf_counter() - began) * 1000)
        assert len(fired) == DUE, len(fired)
    return percentile(looks, 0.5) or 0.0, percentile(ticks, 0.5) or 0.0, percentile(ticks, 0.95) or 0.0


def floor(folder: Path) -> float:
    """The median of 100 cards, their audit rows, messages and next times, written by bare sqlite3 with full sync."""
    found = []
    with sqlite3.connect(folder / "floor.db", isolation_level=None) as conn:
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
    print(f"{'':34}{'look ms':>9}{'tick ms':>9}{'p95':>8}{'x floor':>9}  goal {GOAL_MS} ms")
    for size, late in ((count // 10, 0), (count, 0), (count, LATE)):
        if size < DUE * ROUNDS:  # too few to be due
            continue
        with tempfile.TemporaryDirectory(prefix="hl-bench-") as folder:
            settings = Settings.model_validate({"home": Path(folder)})
            database = await app.open_database(settings)
            await app.load_basics(database, sample=False, now=NOW)
            async with database.write() as conn:
                await conn.execute(insert(customer), list(Filler(5, 1).customers(1)))
            # the first cards come one second after NOW, a hundred each second; the rest far later
            soon = NOW + timedelta(hours=1) + STEP
            await fill(database, 1, DUE * ROUNDS, soon, carded=False)
            await fill(database, 1 + DUE * ROUNDS, size - DUE * ROUNDS, NOW + timedelta(days=2), carded=False)
            if late:
                await fill(database, size + 1, late, NOW - timedelta(days=20), carded=True)
            least = floor(Path(make_url(settings.database).database or "").parent)
            look, tick, p95 = await measured(database, ROUNDS)
            met = "met" if tick <= GOAL_MS else "MISSED"
            name = f"{size:,} open, {late:,} overdue"
            print(f"{name:34}{look:>9.2f}{tick:>9.2f}{p95:>8.2f}{tick / least:>9.1f}  {met}", flush=True)
            await database.close()


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--open", type=int, default=100_000, help="how many clocks run (100000)")
    asyncio.run(run(max(given.parse_args().open, DUE * ROUNDS)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
