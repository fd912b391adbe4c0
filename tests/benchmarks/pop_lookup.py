"""From the phone's ring to the pop at the browser's socket, with the real look-up in a large centre's database.

`python -m tests.benchmarks.pop_lookup` starts the whole service (`hotline up`) on a database of a million customers
and five million orders, made once and kept, with 500 agents signed in and their streams read. Asterisk's side is
played from a captured call: 50 calls a second join the queue and ring at once, so that the look-up is part of what is
measured; each is given up after two seconds and written to the log. Then the same beside 5,000 other events a second.
The clock runs from the write of the ring's event to the byte of the pop. SQLite, then PostgreSQL when this machine has
its programs. CPU is the milliseconds of processor time the serving process took for a call, from menu to log.

Beside it, on the same database: a bare reader that cuts the events, looks the customer and his last orders up in one
statement and writes them to a bare aiohttp stream; it knows no calls and writes nothing down. Goals: median 5 ms, p99
25 ms; beside the other events p99 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]
from aiohttp import web

from cti.web.pop_latency import percentile
from tests.ami.fake_server import SECRET
from tests.benchmarks import _centre, _exchange, _seats
from tests.benchmarks.agi_session import cpu_s
from tests.postgresql import NoServer
from ticketing.db import Database

P50_MS, P99_MS, P99_BUSY_MS = 5.0, 25.0, 50.0
_CALL_ID: Final = re.compile(rb'"call_id":\s*"([0-9]{14}-[0-9]{12})"')

LOOK_UP: Final = """
WITH who AS (SELECT customer_id FROM customer_number WHERE e164 = ? AND ended_at IS NULL LIMIT 8)
SELECT c.name, c.vip_class, o.serial, o.state, o.description, o.created_at, o.due_at,
       (SELECT count(*) FROM customer_order w WHERE w.customer_id = c.id AND w.ended_at IS NULL)
FROM customer c JOIN who ON who.customer_id = c.id
LEFT JOIN customer_order o ON o.customer_id = c.id
ORDER BY o.created_at DESC LIMIT 5
"""


class Bare:
    """The least that could be done: events cut, one statement, one write."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._streams: dict[str, asyncio.Queue[bytes]] = {}
        self._thread = ThreadPoolExecutor(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, ami_port: int) -> None:
        """Says its port, works until its input ends."""
        await self._open()
        application = web.Application()
        application.router.add_get("/floor/{agent}", self._stream)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", ami_port, limit=1 << 20)
        writer.write(f"Action: Login\r\nActionID: 1\r\nUsername: x\r\nSecret: {SECRET}\r\n\r\n".encode())
        print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
        reading = asyncio.create_task(self._read(reader))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        reading.cancel()
        writer.close()
        os._exit(0)

    async def _open(self) -> None:
        if self._url.startswith("sqlite"):
            made = sqlite3.connect(self._url.removeprefix("sqlite:///"), check_same_thread=False)
            loop = asyncio.get_running_loop()

            async def ask(number: str) -> Sequence[Any]:
                return await loop.run_in_executor(self._thread, lambda: made.execute(LOOK_UP, (number,)).fetchall())
        else:
            pool = await asyncpg.create_pool(self._url, min_size=4, max_size=10)
            statement = LOOK_UP.replace("?", "$1")

            async def ask(number: str) -> Sequence[Any]:
                return [tuple(row) for row in await pool.fetch(statement, number)]

        self._ask: Callable[[str], Awaitable[Sequence[Any]]] = ask

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            block = await reader.readuntil(b"\r\n\r\n")
            if block.startswith(b"Event: AgentCalled"):
                task = asyncio.create_task(self._pop(block.decode()))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _pop(self, block: str) -> None:
        told = dict(line.partition(": ")[::2] for line in block.split("\r\n"))
        call_id = re.findall(r"CTI_CALL_ID=(\S+)", block)[0]
        rows = await self._ask(f"+86{told['CallerIDNum']}")
        body = json.dumps({"call_id": call_id, "rows": rows}, ensure_ascii=False, default=str)
        self._streams[told["MemberName"]].put_nowait(f"event: pop\ndata: {body}\n\n".encode())

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue = self._streams[request.match_info["agent"]] = asyncio.Queue()
        await response.write(b": \n\n")
        while True:
            await response.write(await queue.get())


class Streams:
    """The agents' browsers: when each pop came."""

    def __init__(self) -> None:
        self.came: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, port: int, path: Callable[[int], str], tokens: Sequence[str]) -> None:
        """Returns when every stream has said something."""
        begun = [asyncio.Event() for _ in tokens]
        for seat, token in enumerate(tokens):
            self._tasks.append(asyncio.create_task(self._listen(port, path(seat), token, begun[seat])))
        async with asyncio.timeout(60):
            await asyncio.gather(*(each.wait() for each in begun))

    async def close(self) -> None:
        """The browsers go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _listen(self, port: int, path: str, token: str, begun: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        try:
            head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: hotline={token}\r\n\r\n"
            writer.write(head.encode())
            status = await reader.readline()
            assert b" 200 " in status, status
            kind = b""
            while line := await reader.readuntil(b"\n"):
                if line.startswith((b"event: ", b":")):
                    kind = line.strip()
                    begun.set()
                elif kind == b"event: pop" and line.startswith(b"data: "):
                    moment = time.monotonic_ns()
                    if found := _CALL_ID.search(line):
                        self.came.setdefault(found[1].decode(), moment)
        finally:
            writer.close()


@dataclass(frozen=True, slots=True)
class Part:
    """What one part gave, milliseconds."""

    times: list[float]
    #: processor time of the process, for a call: its menu, its ring, its end and its share of the other events
    cpu: float


Parts = dict[str, Part]


class Bench:
    """One database, both ways."""

    def __init__(self, size: _centre.Size, given: argparse.Namespace) -> None:
        self._size = size
        self._agents = [_seats.number(seat) for seat in range(given.agents)]
        self._seconds, self._pops, self._noise = given.seconds, given.pops, given.noise
        #: of each part before its clock counts
        self._warm_s: float = given.warm

    async def both(self, url: str) -> tuple[Parts, Parts]:
        """Floor and ours."""
        database = await Database.open(url)
        tokens = await _seats.take(database, len(self._agents))
        await database.close()
        exchange = _exchange.Exchange()
        await exchange.start()
        try:
            floor = await self._bare(url, exchange, tokens)
            ours = await self._hotline(url, exchange, tokens)
        finally:
            await exchange.stop()
        return floor, ours

    async def _bare(self, url: str, exchange: _exchange.Exchange, tokens: Sequence[str]) -> Parts:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.pop_lookup", "--serve", url, str(exchange.port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stdin is not None
        port = json.loads(await child.stdout.readline())["port"]
        try:
            return await self._parts(exchange, port, child.pid, lambda seat: f"/floor/{self._agents[seat]}", tokens)
        finally:
            child.stdin.close()
            await child.wait()

    async def _hotline(self, url: str, exchange: _exchange.Exchange, tokens: Sequence[str]) -> Parts:
        async with _exchange.service(exchange, database_url=url, sample=False) as house:
            port, pid = house.settings.http_port, house.process.pid
            return await self._parts(exchange, port, pid, lambda _: "/api/events", tokens)

    async def _parts(
        self, exchange: _exchange.Exchange, port: int, pid: int, path: Callable[[int], str], tokens: Sequence[str]
    ) -> Parts:
        """Quiet, then beside other events."""
        streams = Streams()
        await streams.open(port, path, tokens)
        found: Parts = {}
        try:
            for name, noise in (("pops alone", 0.0), ("beside other events", self._noise)):
                used = cpu_s(pid)
                sent = await exchange.ring(self._seconds + self._warm_s, self._pops, noise, self._agents, self._who)
                warm = min(sent.values()) + int(self._warm_s * 1e9)
                measured = {call: at for call, at in sent.items() if at >= warm}
                lost = [call for call in measured if call not in streams.came]
                if len(lost) > 0.001 * len(measured):
                    raise SystemExit(f"{name}: {len(lost)} of {len(measured)} pops did not come")
                times = [(streams.came[call] - at) / 1e6 for call, at in measured.items() if call not in lost]
                found[name] = Part(times, (cpu_s(pid) - used) * 1000 / len(sent))
        finally:
            await streams.close()
        return found

    def _who(self, place: int) -> tuple[str, int]:
        """Caller and seat of the n-th call: customers from all over the table, each seat in its turn."""
        customer = place * 7919 * 31 % self._size.customers
        return _centre.number(customer).removeprefix("+86"), place % len(self._agents)


def table(name: str, floor: Parts, ours: Parts) -> None:
    """Prints one database's."""
    cells = f"{'pops':>7}{'floor p50':>11}{'p99':>8}{'CPU':>7}{'hotline p50':>13}{'p99':>8}{'CPU':>7}{'ratio':>7}"
    print(f"{name:22}{cells}  goal")
    for part, taken in ours.items():
        low, high, least, most = [
            percentile(each.times, share) or 0.0 for each in (floor[part], taken) for share in (0.5, 0.99)
        ]
        alone = part == "pops alone"
        met = most <= P99_MS and least <= P50_MS if alone else most <= P99_BUSY_MS
        goal = f"p50 {P50_MS:g}, p99 {P99_MS:g}" if alone else f"p99 {P99_BUSY_MS:g}"
        print(
            f"{part:22}{len(taken.times):>7}{low:>11.2f}{high:>8.2f}{floor[part].cpu:>7.2f}{least:>13.2f}{most:>8.2f}"
            f"{taken.cpu:>7.2f}{least / low:>7.1f}  {goal} ms: {'met' if met else 'MISSED'}",
            flush=True,
        )


async def run(given: argparse.Namespace) -> None:
    """Both databases."""
    size = _centre.Size(given.customers, given.orders)
    bench = Bench(size, given)
    print(
        f"{given.pops:g} pops a second to {given.agents} agents; {size.customers:,} customers, {size.orders:,} orders"
    )
    print(f"other events: {given.noise:,.0f} a second; load {os.getloadavg()[0]:.1f}; milliseconds", flush=True)
    for name, centre in (("SQLite", _centre.sqlite), ("PostgreSQL", _centre.postgresql)):
        if given.database not in (name.lower(), "both"):
            continue
        async with AsyncExitStack() as stack:
            try:
                url = await stack.enter_async_context(centre(size))
            except NoServer as error:
                print(f"{name}: not measured: {error}")
                continue
            table(name, *await bench.both(url))


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--customers", type=int, default=1_000_000)
    given.add_argument("--orders", type=int, default=5_000_000)
    given.add_argument("--agents", type=int, default=500, help="streams (500)")
    given.add_argument("--seconds", type=float, default=15.0, help="of each part (15)")
    given.add_argument("--warm", type=float, default=2.0, help="seconds before, that do not count (2)")
    given.add_argument("--pops", type=float, default=50.0, help="a second (50)")
    given.add_argument("--noise", type=float, default=5000.0, help="other events a second (5000)")
    given.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    given.add_argument("--serve", nargs=2, metavar=("URL", "PORT"), help=argparse.SUPPRESS)
    options = given.parse_args()
    asyncio.run(Bare(options.serve[0]).serve(int(options.serve[1])) if options.serve else run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
