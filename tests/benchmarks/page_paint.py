"""From the phone's ring to the painted pop, in headless Chromium: several agents' pages open beside a working centre.

`python -m tests.benchmarks.page_paint` starts the whole service (`hotline up`) on a centre's database, made once and
kept. Asterisk's side is played from a captured call: 20 calls a second join the queue and ring at once at 48 agents in
turn, each for two seconds; every eighth agent has the desk open in Chromium, the others' streams are read. The clock
runs from the write of the ring's event at the AMI socket to the second frame after the pop stood in the page; in each
page the same observer looks for it. Below stands what our pages report themselves, as in operation (TL-33).

Beside it, in the same run: a bare page with an EventSource that writes the text into the document, fed by a bare reader
that makes the look-up in one statement. Goals: median 60 ms, p95 150 ms, p99 300 ms. It needs Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web
from playwright.async_api import BrowserContext, Page, async_playwright
from sqlalchemy import select

from cti.web.pop_latency import percentile
from cti.web.tables import pop_latency
from tests.benchmarks import _centre, _exchange, _seats
from tests.benchmarks.pop_lookup import Bare, Streams
from tests.system.browser import FLAGS
from ticketing.db import Database

GOALS: Final = {0.5: 60.0, 0.95: 150.0, 0.99: 300.0}
#: one of so many agents has a page
_EACH: Final = 8
#: milliseconds a page is given to open on a busy machine
_OPENS_MS: Final = 60_000

#: notes in `window.paints` when each call's pop was on the screen: two frames after it stood in the document
OBSERVE: Final = """
window.paints = {}
new MutationObserver(() => {
    for (const pop of document.querySelectorAll('[data-testid=pop]')) {
        const call = pop.dataset.callId
        if (!call || call in window.paints) continue
        window.paints[call] = null
        requestAnimationFrame(() => requestAnimationFrame(() => { window.paints[call] = Date.now() }))
    }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-call-id'] })
"""
#: the least page
PAGE: Final = """<!doctype html><title>bare</title><p data-testid="ready"></p><pre data-testid="pop"></pre><script>
const shown = document.querySelector('[data-testid=pop]'), source = new EventSource(location.href)
source.onopen = () => { document.querySelector('[data-testid=ready]').textContent = 'ready' }
source.addEventListener('pop', told => {
    shown.textContent = told.data
    shown.dataset.callId = JSON.parse(told.data).call_id
})
</script>"""


class BarePage(Bare):
    """The bare reader, whose address is the page for a browser that asks for one, and the stream for that page."""

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if "text/html" in request.headers.get("Accept", ""):
            return web.Response(text=PAGE, content_type="text/html")
        return await super()._stream(request)


class Bench:
    """One centre, both ways."""

    def __init__(self, size: _centre.Size, given: argparse.Namespace) -> None:
        self._size, self._seconds, self._calls = size, given.seconds, given.calls
        self._agents = [_seats.number(seat) for seat in range(given.agents)]
        #: those without a page: their streams are read all the same
        self._others = [agent for seat, agent in enumerate(self._agents) if seat % _EACH]
        self._warm_s: float = given.warm

    async def both(self, url: str, program: Path) -> dict[str, list[float]]:
        """Milliseconds of each pop, by way."""
        database = await Database.open(url)
        tokens = await _seats.take(database, len(self._agents), phone="desk")
        exchange = _exchange.Exchange()
        await exchange.start()
        try:
            async with async_playwright() as played:
                browser = await played.chromium.launch(executable_path=program, args=[*FLAGS])
                contexts = [await browser.new_context() for _ in self._agents[::_EACH]]
                found = {"bare page": await self._bare(url, exchange, contexts)}
                before = await _newest(database)
                found["hotline"] = await self._hotline(url, exchange, contexts, tokens)
                found["as its pages report"] = await _reported(database, before)
                await browser.close()
        finally:
            await exchange.stop()
            await database.close()
        return found

    async def _bare(self, url: str, exchange: _exchange.Exchange, contexts: Sequence[BrowserContext]) -> list[float]:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.page_paint", "--serve", url, str(exchange.port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stdin is not None
        port = json.loads(await child.stdout.readline())["port"]
        try:
            paths = [f"http://127.0.0.1:{port}/floor/{agent}" for agent in self._agents]
            async with _streams(port, [f"/floor/{agent}" for agent in self._others], self._others):
                return await self._measure(exchange, contexts, paths[::_EACH], "[data-testid=ready]:not(:empty)")
        finally:
            child.stdin.close()
            await child.wait()

    async def _hotline(
        self, url: str, exchange: _exchange.Exchange, contexts: Sequence[BrowserContext], tokens: Sequence[str]
    ) -> list[float]:
        async with _exchange.service(exchange, database_url=url, sample=False) as house:
            for context, token in zip(contexts, tokens[::_EACH], strict=True):
                await context.add_cookies([{"name": "hotline", "value": token, "url": house.origin}])
            paths = [f"{house.origin}/"] * len(contexts)
            ready = "[data-testid=agent-state][data-state=ready]"
            others = [token for seat, token in enumerate(tokens) if seat % _EACH]
            async with _streams(house.settings.http_port, ["/api/events"] * len(others), others):
                return await self._measure(exchange, contexts, paths, ready)

    async def _measure(
        self, exchange: _exchange.Exchange, contexts: Sequence[BrowserContext], addresses: Sequence[str], ready: str
    ) -> list[float]:
        """Opens the pages, lets the phones ring, and asks each page what it painted and when."""
        pages = [await _open(context, at, ready) for context, at in zip(contexts, addresses, strict=True)]
        sent = await exchange.ring(self._seconds + self._warm_s, self._calls, 0, self._agents, self._who)
        wall_ms = (time.time_ns() - time.monotonic_ns()) / 1e6  # the browser reads the same clock
        painted: dict[str, float | None] = {}
        for page in pages:
            painted |= await page.evaluate("window.paints")
            await page.close()
        warm = min(sent.values()) + int(self._warm_s * 1e9)
        own = [call for place, (call, at) in enumerate(sent.items()) if self._has_page(place) and at >= warm]
        times = [at - (sent[call] / 1e6 + wall_ms) for call in own if (at := painted.get(call)) is not None]
        if len(times) < len(own):
            print(f"{len(own) - len(times)} of {len(own)} pops were not painted while their phone rang")
        return times

    def _has_page(self, place: int) -> bool:
        return place % len(self._agents) % _EACH == 0

    def _who(self, place: int) -> tuple[str, int]:
        """Caller and seat of the n-th call: customers from all over the table, each seat in its turn."""
        customer = place * 7919 * 31 % self._size.customers
        return _centre.number(customer).removeprefix("+86"), place % len(self._agents)


@asynccontextmanager
async def _streams(port: int, paths: Sequence[str], tokens: Sequence[str]) -> AsyncIterator[None]:
    """The streams of those who have no page."""
    streams = Streams()
    await streams.open(port, paths.__getitem__, tokens)
    try:
        yield
    finally:
        await streams.close()


async def _open(context: BrowserContext, address: str, ready: str) -> Page:
    page = await context.new_page()
    await page.add_init_script(OBSERVE)
    await page.goto(address)
    await page.locator(ready).first.wait_for(state="attached", timeout=_OPENS_MS)
    return page


async def _newest(database: Database) -> int:
    async with database.read() as conn:
        return await conn.scalar(select(pop_latency.c.id).order_by(pop_latency.c.id.desc()).limit(1)) or 0


async def _reported(database: Database, after: int) -> list[float]:
    async with database.read() as conn:
        return list(await conn.scalars(select(pop_latency.c.ms).where(pop_latency.c.id > after)))


def table(found: dict[str, list[float]]) -> None:
    """Prints it."""
    print(f"{'':22}{'pops':>7}{'p50':>9}{'p95':>9}{'p99':>9}  ratio of p50")
    bare = percentile(found["bare page"], 0.5) or 0.0
    for name, times in found.items():
        cells = "".join(f"{percentile(times, share) or 0.0:>9.1f}" for share in GOALS)
        half = percentile(times, 0.5) or 0.0
        print(f"{name:22}{len(times):>7}{cells}  {half / bare if bare else 0.0:.1f}")
    ours = found["hotline"]
    met = bool(ours) and all((percentile(ours, share) or 0.0) <= goal for share, goal in GOALS.items())
    print(f"goal: {'/'.join(f'{goal:g}' for goal in GOALS.values())} ms: {'met' if met else 'MISSED'}")


async def run(given: argparse.Namespace, program: Path) -> None:
    """Makes the centre and measures."""
    size = _centre.Size(given.customers, given.orders)
    async with _centre.sqlite(size) as url:
        pages = len(range(0, given.agents, _EACH))
        print(
            f"{given.calls:g} calls a second to {given.agents} agents, {pages} with a page; "
            f"{size.customers:,} customers, {size.orders:,} orders; load {os.getloadavg()[0]:.1f}; milliseconds",
            flush=True,
        )
        table(await Bench(size, given).both(url, program))


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--customers", type=int, default=1_000_000)
    given.add_argument("--orders", type=int, default=5_000_000)
    given.add_argument("--agents", type=int, default=48, help="every eighth has a page (48)")
    given.add_argument("--seconds", type=float, default=30.0, help="of each way (30)")
    given.add_argument("--warm", type=float, default=5.0, help="seconds before, that do not count (5)")
    given.add_argument("--calls", type=float, default=20.0, help="a second (20)")
    given.add_argument("--serve", nargs=2, metavar=("URL", "PORT"), help=argparse.SUPPRESS)
    options = given.parse_args()
    if options.serve:
        asyncio.run(BarePage(options.serve[0]).serve(int(options.serve[1])))
        return 0
    program = shutil.which("chromium")
    if program is None:
        print("not measured: Chromium is not installed (tools/test-packages.sh, or `make test`)")
        return 0
    asyncio.run(run(options, Path(program)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
