"""A change of an order to the open board: from the answer of the step to the event at the supervisor's stream (MN-01).

`python -m tests.benchmarks.board_push` serves the whole application with its courier from a SQLite file with full sync,
beside orders that are already there (`--orders`), opens the stream of a page that shows the board, and submits orders
one after another, then ten at once; no page asks for anything. The floor is the time the courier itself rests between
two looks into the outbox. Goal: 2,000 ms (p95), the papers' figure.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient

from cti import app
from cti.hub import Hub
from cti.news import TOPIC, OrderNews
from cti.settings import Settings
from cti.web.pop_latency import percentile
from tests.benchmarks.order_write import service, signed_in
from tests.web.fakes import Browser, Clock
from tests.web.sse import Stream
from tests.web.test_orders import complaint
from ticketing.outbox import Courier

ROUNDS: Final = 100
AT_ONCE: Final = 10
GOAL_MS: Final = 2000.0
#: seconds the courier rests when nothing waits, as the service runs it
REST_S: Final = 0.5


class Board:
    """A page that shows the board: when it was told of each order's submission."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        self.bell = asyncio.Condition()

    async def listen(self, stream: Stream) -> None:
        """Reads until it is cancelled."""
        while True:
            block = (await stream.answer.content.readuntil(b"\n\n")).decode()
            if "\nevent: flow\n" not in f"\n{block}":
                continue
            data = json.loads(block.split("data: ", 1)[1])
            if data["event"] == "order.submitted":
                async with self.bell:
                    self.told[data["order"]] = time.perf_counter()
                    self.bell.notify_all()

    async def of(self, order: str) -> float:
        """When it was told of this one."""
        async with self.bell, asyncio.timeout(60):
            await self.bell.wait_for(lambda: order in self.told)
        return self.told[order]


@asynccontextmanager
async def watched(chief: TestClient[web.Request, Any], folder: Path, hub: Hub, clock: Clock) -> AsyncIterator[Board]:
    """The board of 3001, open, with the courier that tells it."""
    await signed_in(chief, "3001")
    database = await app.open_database(Settings.model_validate({"home": folder}))
    courier = Courier(database, {TOPIC: OrderNews(hub, database)}, name="bench")
    board = Board()
    async with chief.get("/api/events", headers={"Sec-Fetch-Site": "same-origin"}) as answer:
        tasks = [asyncio.create_task(board.listen(Stream(answer)))]
        tasks.append(asyncio.create_task(courier.run(lambda: clock.now, every_s=REST_S)))
        try:
            yield board
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            await database.close()


async def one(board: Board, junior: Browser, clock: Clock) -> float:
    """Milliseconds from the answer of a submission to the event."""
    letter = {"channel": "letter", "received_at": clock.now.isoformat(), **complaint(clock.now)}
    order = await (await junior.post("/api/orders", letter)).json()
    answer = await junior.post(f"/api/orders/{order['id']}/submit", {"version": order["version"]})
    answered = time.perf_counter()
    assert answer.status == 200, await answer.text()
    return max(0.0, (await board.of(order["id"]) - answered) * 1000)


def table(name: str, taken: list[float]) -> None:
    """One row, beside the goal."""
    p50, p95, p99 = (percentile(taken, share) or 0.0 for share in (0.5, 0.95, 0.99))
    met = "met" if p95 <= GOAL_MS else "MISSED"
    print(f"{name:28}{p50:>9.1f}{p95:>9.1f}{p99:>9.1f}  goal: p95 {GOAL_MS:g} ms {met}", flush=True)


async def run(orders: int, rounds: int) -> None:
    """Serves, watches, submits, prints."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    hub = Hub("e1")
    with tempfile.TemporaryDirectory(prefix="hl-bench-") as folder:
        async with (
            service(Path(folder), orders, hub=hub) as (server, clock),
            TestClient(server) as first,
            TestClient(server) as second,
            watched(second, Path(folder), hub, clock) as board,
        ):
            junior = await signed_in(first, "1001")
            await one(board, junior, clock)
            print(f"{'ms from answer to event':28}{'p50':>9}{'p95':>9}{'p99':>9}  {orders:,} orders already there")
            print(f"{'floor: rest of the courier':28}{REST_S * 500:>9.1f}{REST_S * 1000:>9.1f}{REST_S * 1000:>9.1f}")
            table("one after another", [await one(board, junior, clock) for _ in range(rounds)])
            taken: list[float] = []

            async def agent() -> None:
                taken.extend([await one(board, junior, clock) for _ in range(max(1, rounds // AT_ONCE))])

            await asyncio.gather(*(agent() for _ in range(AT_ONCE)))
            table(f"{AT_ONCE} agents at once", taken)


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--orders", type=int, default=20_000, help="orders that are already there (20000)")
    given.add_argument("--rounds", type=int, default=ROUNDS, help=f"submissions each way ({ROUNDS})")
    options = given.parse_args()
    asyncio.run(run(options.orders, options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
