"""From the kill of the service to the next caller in its menu, when a supervisor starts it at once.

`python -m tests.benchmarks.service_start` kills the service (kill -9) while its exchange, played from a captured call,
goes on, starts it again and waits until a connection to the menus is taken and `/ready` says so. Beside it a Python
that only imports the packages the service is made of. Seconds that pass and seconds of processor time; medians.
Goal: back within 3 s (F23).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from typing import Final

import aiohttp

from tests.benchmarks import _exchange
from tests.system.house import ServiceHouse

BACK_S: Final = 3.0
_PACKAGES: Final = (
    "aiohttp.web, alembic, argon2, numpy, panoramisk, pydantic, rich, sqlalchemy.ext.asyncio, structlog, typer"
)


def processor_s(pid: int) -> float:
    """What a running process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def bare() -> tuple[float, float]:
    """(seconds, processor seconds) of the imports alone."""
    began, used = time.perf_counter(), os.times()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", f"import {_PACKAGES}")
    assert await process.wait() == 0
    now = os.times()
    spent = now.children_user + now.children_system - used.children_user - used.children_system
    return time.perf_counter() - began, spent


async def back(house: ServiceHouse) -> tuple[float, float]:
    """(seconds, processor seconds) from the kill until it serves again."""
    await house.kill()
    began = time.perf_counter()
    starting = asyncio.create_task(house.start())
    async with aiohttp.ClientSession() as http:
        while not await _serves(house, http):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
    took = time.perf_counter() - began
    await starting
    return took, processor_s(house.process.pid)


async def _serves(house: ServiceHouse, http: aiohttp.ClientSession) -> bool:
    try:
        _, writer = await asyncio.open_connection(house.settings.agi_host, house.settings.agi_port)
        writer.close()
        async with http.get(house.url("/ready")) as answer:
            return answer.status == 200
    except (OSError, aiohttp.ClientError):
        return False


async def run(runs: int) -> None:
    """Measures and prints."""
    exchange = _exchange.Exchange()
    await exchange.start()
    try:
        async with _exchange.service(exchange) as house:
            pairs = [(await back(house), await bare()) for _ in range(runs)]
    finally:
        await exchange.stop()
    print(f"{runs} kills; load {os.getloadavg()[0]:.1f}")
    print(f"{'':24}{'hotline':>9}{'imports':>9}{'ratio':>7}")
    found = 0.0
    for place, name in enumerate(("back, s", "processor time, s")):
        ours, peer = (statistics.median(pair[side][place] for pair in pairs) for side in (0, 1))
        found = found or ours
        print(f"{name:24}{ours:>9.2f}{peer:>9.2f}{ours / peer:>7.2f}")
    print(f"goal: back within {BACK_S:g} s: {found:.2f} {'met' if found <= BACK_S else 'MISSED'}")


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--runs", type=int, default=5, help="kills (5)")
    asyncio.run(run(given.parse_args().runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
