"""What an agent's page waits for in a live call: create, change, submit, propose; and the senior's approval (IN-21).

`python -m tests.benchmarks.order_write` serves the whole application from a SQLite file with full sync, beside orders
that are already there (`--orders 100000`), and does each step through the HTTP interface, one order after another, then
with ten agents at once. Client and service share a process, so that the figures are on the safe side. The floor is a
bare aiohttp handler that inserts one row into such a file and commits. Goals: create 20 ms (median), each step 300 ms
(p95).
"""

import argparse
import asyncio
import logging
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from cti import app
from cti.hub import Hub
from cti.settings import Settings
from cti.web.deps import WebDeps
from cti.web.pop_latency import percentile
from cti.web.server import build_app
from recordings.library import Library
from tests.benchmarks.order_search import fill
from tests.web.fakes import PASSWORD, Browser, Clock, FakeTelephony
from tests.web.test_orders import complaint
from tests.web.test_workflow import TASK, WELL
from ticketing.audit import QueryLog
from ticketing.db import Database
from ticketing.papers.files import FileStore
from ticketing.roles import SYSTEM
from ticketing.staff import actions, store
from ticketing.staff.passwords import Passwords
from ticketing.staff.sign_in import Door

NOW: Final = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
ROUNDS: Final = 60
AT_ONCE: Final = 10
GOALS: Final = {"create": (0.5, 20.0)}
STEP_GOAL: Final = (0.95, 300.0)

Times = dict[str, list[float]]


@asynccontextmanager
async def service(folder: Path, orders: int, *, hub: Hub | None = None) -> AsyncIterator[tuple[TestServer, Clock]]:
    """The whole application over a file that is filled for it; its streams are fed by the hub."""
    database = await app.open_database(Settings.model_validate({"home": folder}))
    await app.load_basics(database, sample=True, now=NOW)
    if orders:
        await fill(database, orders)
    async with served(database, folder, hub=hub) as found:
        yield found


@asynccontextmanager
async def served(
    database: Database, folder: Path, *, hub: Hub | None = None
) -> AsyncIterator[tuple[TestServer, Clock]]:
    """The whole application over a database, which is closed at the end; everybody in it has the same password."""
    passwords, clock, queries = Passwords(memory_mib=1, waiting=100), Clock(NOW), QueryLog(database)
    made = await passwords.hash(PASSWORD)
    async with database.write() as conn:
        for person in await store.everyone(conn):
            await actions.set_password_hash(conn, SYSTEM, person.number, made, NOW)
    deps = WebDeps(
        database=database,
        clock=clock,
        hub=hub or Hub("e1"),
        telephony=FakeTelephony(expires_at=NOW + timedelta(hours=1)),
        door=Door(database, passwords),
        queries=queries,
        library=Library(database, folder, folder, b"k" * 32, queries),
        files=FileStore(folder / "papers"),
    )
    server = TestServer(build_app(deps))
    try:
        await server.start_server()
        yield server, clock
    finally:
        await server.close()
        passwords.close()
        await database.close()


async def signed_in(client: TestClient[web.Request, Any], number: str) -> Browser:
    """A browser of that person."""
    browser = Browser(client)
    assert (await browser.sign_in(number)).status == 200, number
    return browser


async def timed(times: list[float], browser: Browser, path: str, body: dict[str, Any], how: str = "POST") -> Any:
    """One request, answer read; what it says."""
    began = time.perf_counter()
    answer = await browser.send(how, path, body)
    said = await answer.json()
    times.append((time.perf_counter() - began) * 1000)
    assert answer.status in {200, 201}, said
    return said


async def one(times: Times, junior: Browser, senior: Browser, clock: Clock) -> None:
    """An order from nothing to its dispatch."""
    whole = complaint(clock.now)
    first = {"channel": "letter", "received_at": clock.now.isoformat(), "kind": "complaint", "contact_name": "李女士"}
    order = await timed(times["create"], junior, "/api/orders", first)
    path = f"/api/orders/{order['id']}"
    order = await timed(times["change"], junior, path, {"version": order["version"], **whole}, "PATCH")
    order = await timed(times["submit"], junior, f"{path}/submit", {"version": order["version"]})
    told: dict[str, Any] = {"version": order["version"], "opinion": "请处理", "tasks": [TASK]}
    order = await timed(times["propose"], junior, f"{path}/propose", told)
    told = {"version": order["version"], "opinion": "同意", "checks": WELL}
    await timed(times["approve"], senior, f"{path}/approve", told)


async def floor(folder: Path) -> float:
    """The median of a bare handler's commit, asked in the same way."""
    with sqlite3.connect(folder / "floor.db", isolation_level=None, check_same_thread=False) as conn:
        conn.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE one (told TEXT)")

        async def write(request: web.Request) -> web.Response:
            conn.execute("INSERT INTO one VALUES (?)", (await request.text(),))
            return web.json_response({"id": 1}, status=201)

        bare = web.Application()
        bare.router.add_post("/", write)
        found: list[float] = []
        async with TestClient(TestServer(bare)) as client:
            for _ in range(ROUNDS):
                began = time.perf_counter()
                async with client.post("/", json=complaint(NOW)) as answer:
                    await answer.json()
                found.append((time.perf_counter() - began) * 1000)
    return percentile(found, 0.5) or 1.0


def table(title: str, times: Times, least: float, goals: Mapping[str, tuple[float, float]]) -> None:
    """Prints one way of asking, beside the goals of those steps that have one of their own."""
    print(f"{title:24}{'p50 ms':>9}{'p95 ms':>9}{'x floor':>9}  goal")
    for name, taken in times.items():
        p50, p95 = percentile(taken, 0.5) or 0.0, percentile(taken, 0.95) or 0.0
        share, goal = goals.get(name, STEP_GOAL)
        met = "met" if (percentile(taken, share) or 0.0) <= goal else "MISSED"
        print(f"{name:24}{p50:>9.2f}{p95:>9.2f}{p50 / least:>9.1f}  p{share * 100:g} {goal:g} ms {met}", flush=True)


async def run(orders: int, rounds: int) -> None:
    """Serves, asks, prints."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="hl-bench-") as folder:
        least = await floor(Path(folder))
        print(f"floor: one row by a bare handler {least:.2f} ms; {orders:,} orders already there")
        async with (
            service(Path(folder), orders) as (server, clock),
            TestClient(server) as first,
            TestClient(server) as second,
        ):
            junior, senior = await signed_in(first, "1001"), await signed_in(second, "2001")
            await one(defaultdict(list), junior, senior, clock)
            alone: Times = defaultdict(list)
            for _ in range(rounds):
                await one(alone, junior, senior, clock)
            table("one after another", alone, least, GOALS)
            together: Times = defaultdict(list)

            async def agent() -> None:
                for _ in range(max(1, rounds // AT_ONCE)):
                    await one(together, junior, senior, clock)

            began = time.perf_counter()
            await asyncio.gather(*(agent() for _ in range(AT_ONCE)))
            rate = len(together["create"]) / (time.perf_counter() - began)
            table("", {f"{name}, {AT_ONCE} at once": taken for name, taken in together.items()}, least, {})
            print(f"{rate:.0f} orders a second from nothing to dispatch")


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--orders", type=int, default=20_000, help="orders that are already there (20000)")
    given.add_argument("--rounds", type=int, default=ROUNDS, help=f"orders written ({ROUNDS})")
    options = given.parse_args()
    asyncio.run(run(options.orders, options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
