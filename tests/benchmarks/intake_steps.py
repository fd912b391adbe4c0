"""Each step of registering, classifying and dispatching a complaint, as it is done while the customer is on the line.

`python -m tests.benchmarks.intake_steps` has `--agents 20` agents at one service with an SQLite file (full sync) each
take `--orders 5` complaints: draft, form, classification, the rest of the form, submission, proposal; all of it through
HTTP, with `--think 2` seconds of typing before a step (0: nobody ever pauses). The floor is one row the bare sqlite3
module commits to the same disk. Goal: p95 of every step 300 ms (IN-21).
"""

import argparse
import asyncio
import logging
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from cti import app, migrations
from cti.hub import Hub
from cti.web.deps import WebDeps
from cti.web.pop_latency import percentile
from cti.web.server import build_app
from recordings.library import Library
from tests.web.fakes import PASSWORD, Browser, Clock, FakeTelephony
from tests.web.test_orders import complaint
from ticketing.audit import QueryLog
from ticketing.db import Database
from ticketing.papers.files import FileStore
from ticketing.roles import SYSTEM
from ticketing.staff import actions, store
from ticketing.staff.passwords import Passwords
from ticketing.staff.sign_in import Door

#: milliseconds, p95 of a step
GOAL_MS: Final = 300
STEPS: Final = ("draft", "form", "classify", "fill", "submit", "propose")
TASK: Final = {"unit": "city.network", "task": "上门测速", "limit_s": 86400}
CLASS: Final = ("kind", "business", "nature", "complaint_type", "unit")


class Times:
    """Milliseconds of every step."""

    def __init__(self, think_s: float) -> None:
        self.by_step: dict[str, list[float]] = {step: [] for step in STEPS}
        self._think_s = think_s
        self._random = random.Random(1860)  # the same pauses every time

    async def take(self, step: str, asked: Callable[[], Awaitable[ClientResponse]]) -> dict[str, Any]:
        """One request from the asking to the last byte, once the agent has typed; a refusal ends the benchmark."""
        await asyncio.sleep(self._random.uniform(0, 2 * self._think_s))
        begun = time.perf_counter()
        answer = await asked()
        found: dict[str, Any] = await answer.json()
        self.by_step[step].append((time.perf_counter() - begun) * 1000)
        if answer.status >= 400:
            raise SystemExit(f"{step}: {answer.status} {found}")
        return found


async def one_order(browser: Browser, now: datetime, times: Times) -> None:
    """One complaint on its way, as the form does it."""
    whole = complaint(now)
    begun = {"channel": "walk_in", "received_at": now.isoformat()}
    order = await times.take("draft", lambda: browser.post("/api/orders", begun))
    one = f"/api/orders/{order['id']}"
    asked = "/api/order-form?kind=complaint&complaint_type=network&business=data.broadband"
    await times.take("form", lambda: browser.get(asked))
    classes = {name: whole[name] for name in CLASS} | {"version": order["version"]}
    order = await times.take("classify", lambda: browser.patch(one, classes))
    rest = {name: value for name, value in whole.items() if name not in CLASS} | {"version": order["version"]}
    order = await times.take("fill", lambda: browser.patch(one, rest))
    version = {"version": order["version"]}
    order = await times.take("submit", lambda: browser.post(f"{one}/submit", version))
    proposal = {"version": order["version"], "opinion": "请处理", "tasks": [TASK]}
    await times.take("propose", lambda: browser.post(f"{one}/propose", proposal))


async def measured(agents: int, orders: int, think_s: float, folder: Path) -> Times:
    """The service with its people, and all agents at once."""
    url, now = f"sqlite:///{folder}/hotline.db", datetime.now(UTC)
    await migrations.upgrade(url)
    database = await Database.open(url)
    passwords = Passwords(memory_mib=1, waiting=1000)
    try:
        await app.load_basics(database, sample=True, now=now)
        made = await passwords.hash(PASSWORD)
        async with database.write() as conn:
            for person in await store.everyone(conn):
                await actions.set_password_hash(conn, SYSTEM, person.number, made, now)
        deps = _deps(database, passwords, folder, now)
        times = Times(think_s)
        async with TestClient(TestServer(build_app(deps))) as first:
            browsers = [await _signed_in(first, place) for place in range(agents)]

            async def works(browser: Browser) -> None:
                for _ in range(orders):
                    await one_order(browser, now, times)

            await asyncio.gather(*(works(browser) for browser in browsers))
            for browser in browsers:
                await browser.client.session.close()
        return times
    finally:
        passwords.close()
        await database.close()


async def _signed_in(first: Any, place: int) -> Browser:
    browser = Browser(TestClient(first.server))
    answer = await browser.sign_in(("1001", "1002")[place % 2])
    assert answer.status == 200, await answer.text()
    return browser


def _deps(database: Database, passwords: Passwords, folder: Path, now: datetime) -> WebDeps:
    for name in ("spool", "media", "desk"):
        (folder / name).mkdir()
    queries = QueryLog(database)
    return WebDeps(
        database=database,
        clock=Clock(now),
        hub=Hub("e1", lag=20),
        telephony=FakeTelephony(expires_at=now + timedelta(hours=1)),
        door=Door(database, passwords),
        queries=queries,
        library=Library(database, folder / "spool", folder / "media", b"k" * 32, queries),
        files=FileStore(folder / "papers"),
        desk=folder / "desk",
    )


def floor(folder: Path, rounds: int = 100) -> list[float]:
    """Milliseconds of one committed row."""
    times = []
    with sqlite3.connect(folder / "floor.db") as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute("CREATE TABLE t (words TEXT)")
        for _ in range(rounds):
            begun = time.perf_counter()
            bare.execute("INSERT INTO t VALUES (?)", ("宽带断网" * 50,))
            bare.commit()
            times.append((time.perf_counter() - begun) * 1000)
    bare.close()
    return times


def main() -> int:
    """Prints the table."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--agents", type=int, default=20)
    given.add_argument("--orders", type=int, default=5, help="by each agent")
    given.add_argument("--think", type=float, default=2.0, help="seconds an agent types before a step, on average")
    wanted = given.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = asyncio.run(measured(wanted.agents, wanted.orders, wanted.think, folder))
        bare = floor(folder)
    print(f"{wanted.agents} agents at once, {wanted.orders} complaints each, {wanted.think:g} s apart; milliseconds")
    print(f"{'step':<10}{'p50':>9}{'p95':>9}{'p99':>9}")
    for step, found in [*times.by_step.items(), ("(a row)", bare)]:
        print(f"{step:<10}" + "".join(f"{percentile(found, share) or 0.0:>9.1f}" for share in (0.5, 0.95, 0.99)))
    worst = max(percentile(found, 0.95) or 0.0 for found in times.by_step.values())
    print(f"goal: p95 of every step {GOAL_MS} ms: {'met' if worst < GOAL_MS else 'missed'} ({worst:.0f} ms)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
