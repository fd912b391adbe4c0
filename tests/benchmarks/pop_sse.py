"""Event to bytes: from `hub.publish` to the byte at the browser's socket, 500 streams, beside a bare aiohttp stream.

`python -m tests.benchmarks.pop_sse` starts the service in a process of its own and reads 500 streams from this one.
Goal: median under 1 ms for an event to one agent. The floor is the least any aiohttp server can do: a handler that
writes what it takes from a queue.
"""

import argparse
import asyncio
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy import insert

from cti.hub import Hub
from cti.web.deps import WebDeps
from cti.web.listen import Listener
from cti.web.pop_latency import percentile
from cti.web.schemas.pop import Pop
from cti.web.server import build_app
from recordings.library import Library
from tests.web.fakes import Clock, FakeTelephony
from ticketing.audit import QueryLog
from ticketing.db import Database
from ticketing.papers.files import FileStore
from ticketing.staff import sessions
from ticketing.staff.passwords import Passwords
from ticketing.staff.sign_in import Door
from ticketing.staff.tables import staff, staff_post

NOW = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
SINGLES = 2000
ROUNDS = 20
PAUSE_S = 0.002
POP: dict[str, Any] = (Pop.model_config.get("json_schema_extra") or {})["examples"][0]  # type: ignore[index,assignment]

Publish = Callable[[int, dict[str, Any]], None]


def stamped(kind: str) -> dict[str, Any]:
    """A pop that says when it was published, on the clock all processes of this machine share."""
    return {**POP, "kind": kind, "sent_ns": time.monotonic_ns()}


async def drive(streams: int, opened: Callable[[], int], publish: Publish) -> None:
    """Wait for every stream, then events to one agent each, then to all at once."""
    while opened() < streams:  # noqa: ASYNC110 - neither way rings a bell for this
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    for number in range(SINGLES):
        publish(number * 7919 % streams, stamped("one"))
        await asyncio.sleep(PAUSE_S)
    for _ in range(ROUNDS):
        told = stamped("all")
        for number in range(streams):
            publish(number, told)
        await asyncio.sleep(0.3)
    for number in range(streams):
        publish(number, stamped("end"))


class Floor:
    """The bare handler: one queue, one write."""

    def __init__(self) -> None:
        self.queues: dict[int, asyncio.Queue[bytes]] = {}

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Write what comes."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": \n\n")
        queue = self.queues[int(request.match_info["n"])] = asyncio.Queue()
        while True:
            await response.write(await queue.get())

    def publish(self, number: int, data: dict[str, Any]) -> None:
        """Encode and queue, as anybody would."""
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        self.queues[number].put_nowait(b"event: pop\ndata: " + body + b"\n\n")


@asynccontextmanager
async def service(streams: int, folder: Path) -> AsyncIterator[tuple[WebDeps, list[str]]]:
    """The whole application with that many agents signed in; their session tokens."""
    database = await Database.open(f"sqlite:///{folder / 'bench.db'}")
    await database.create_all()
    tokens = []
    async with database.write() as conn:
        for number in range(streams):
            row = {"number": str(10_000 + number), "name": f"座席{number}", "phone_kind": "browser", "language": "zh"}
            more = {"vip_overflow": False, "active": True, "created_at": NOW, "version": 1}
            key = (await conn.execute(insert(staff).values(**row, **more).returning(staff.c.id))).scalar_one()
            await conn.execute(insert(staff_post).values(staff_id=key, post="JA"))
            tokens.append((await sessions.create(conn, key, "bench", NOW))[0])
    passwords, queries = Passwords(memory_mib=1), QueryLog(database)
    try:
        yield (
            WebDeps(
                database=database,
                clock=Clock(NOW),
                hub=Hub("e1"),
                telephony=FakeTelephony(expires_at=NOW + timedelta(hours=1)),
                door=Door(database, passwords),
                queries=queries,
                library=Library(database, folder, folder, b"k" * 32, queries),
                files=FileStore(folder),
            ),
            tokens,
        )
    finally:
        passwords.close()
        await database.close()


async def serve(streams: int) -> None:
    """The process under test: first the floor, then ours."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    floor, bare = Floor(), web.Application()
    bare.router.add_get("/floor/{n}", floor.stream)
    with tempfile.TemporaryDirectory() as folder:
        async with service(streams, Path(folder)) as (deps, tokens):
            ours = Listener(build_app(deps), host="127.0.0.1", port=0)
            low = Listener(bare, host="127.0.0.1", port=0)
            await low.start()
            await ours.start()
            sys.stdout.write(json.dumps({"floor": low.port, "ours": ours.port, "tokens": tokens}) + "\n")
            sys.stdout.flush()
            await drive(streams, lambda: len(floor.queues), floor.publish)
            hub = deps.hub

            def publish(number: int, data: dict[str, Any]) -> None:
                hub.publish(str(10_000 + number), "pop", data)

            await drive(streams, lambda: hub.streams, publish)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
            await asyncio.gather(low.stop(), ours.stop())


@dataclass
class Figures:
    """What one way of serving gave, milliseconds."""

    one: list[float]
    every: list[float]
    last: list[float]


async def listen(port: int, path: str, cookie: str, seen: dict[str, list[tuple[int, int]]]) -> None:
    """Read one stream, noting when each event arrived, until the last one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: hotline={cookie}\r\n\r\n".encode())
    while True:
        line = await reader.readuntil(b"\n")
        if b'"sent_ns":' not in line:
            continue
        now = time.monotonic_ns()
        data = json.loads(line.removeprefix(b"data: "))
        if data["kind"] == "end":
            break
        seen[data["kind"]].append((data["sent_ns"], now))
    writer.close()


async def measure(streams: int, connect: Callable[[int, dict[str, list[tuple[int, int]]]], Awaitable[None]]) -> Figures:
    """All streams of one way."""
    seen: dict[str, list[tuple[int, int]]] = {"one": [], "all": []}
    await asyncio.gather(*(connect(number, seen) for number in range(streams)))
    lasts: dict[int, int] = {}
    for sent, came in seen["all"]:
        lasts[sent] = max(lasts.get(sent, 0), came)
    return Figures(
        [(came - sent) / 1e6 for sent, came in seen["one"]],
        [(came - sent) / 1e6 for sent, came in seen["all"]],
        [(came - sent) / 1e6 for sent, came in lasts.items()],
    )


def row(name: str, floor: list[float], ours: list[float]) -> str:
    """One line of the table."""
    cells = [f"{statistics.median(v):8.2f} {percentile(v, 0.99) or 0:8.2f}" for v in (floor, ours)]
    ratio = statistics.median(ours) / statistics.median(floor)
    return f"{name:38} {len(ours):7} {cells[0]}  {cells[1]} {ratio:6.2f}"


async def run(streams: int) -> None:
    """Both ways in one run, and the table."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name if __spec__ else __name__, "--serve", "--streams", str(streams),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdin is not None
    told = json.loads(await child.stdout.readline())
    floor = await measure(streams, lambda n, seen: listen(told["floor"], f"/floor/{n}", "", seen))
    ours = await measure(streams, lambda n, seen: listen(told["ours"], "/api/events", told["tokens"][n], seen))
    child.stdin.close()
    await child.wait()
    lines = [
        f"event -> bytes at the browser's socket, {streams} streams, milliseconds",
        f"{'':38} {'events':>7} {'floor':>8} {'p99':>8}  {'hotline':>8} {'p99':>8} {'ratio':>6}",
        row("to one agent", floor.one, ours.one),
        row("to all at once, each stream", floor.every, ours.every),
        row("to all at once, last stream", floor.last, ours.last),
        f"goal: to one agent, median < 1 ms: {'met' if statistics.median(ours.one) < 1 else 'NOT met'}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    asyncio.run(serve(given.streams) if given.serve else run(given.streams))


if __name__ == "__main__":
    main()
