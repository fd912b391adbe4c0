"""Memory of the service: idle, for each caller who waits, and after many calls.

`python -m tests.benchmarks.service_memory` starts the whole service (`hotline up`) on an empty database; the exchange
is played from a captured call. Looked at is what the kernel counts as resident (RSS). First nothing happens; then 2,000
callers come into a queue, fifty at once, and wait; then they leave, and 10,000 calls pass, each looked up, rung, given
up and written to the log. Beside it a bare Python process that holds one dict with what a caller's events say, for each
caller who waits.
Goals: 120 MB idle, 20 kB a waiting call, flat: the second half of the calls adds less than 20 kB for a hundred calls.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Final

from tests.benchmarks import _centre, _exchange, _seats
from ticketing.db import Database

IDLE_MB, WAITING_KB, GROWTH_KB = 120, 20, 0.2
#: looks at the memory until it stands still, and seconds between them
_LOOKS: Final = 60
_LOOK_S: Final = 0.5
#: so many looks in a row that find the same are standing still: a busy machine lets a service rest in mid-work
_STILL: Final = 4
#: callers who join at once; a thousand in one moment would show what their events take on the way
_TOGETHER: Final = 50
#: seconds between two such groups
_JOINS_S: Final = 0.5
_AGENTS: Final = 20


def resident_kb(pid: int) -> int:
    """What a process holds of the machine's memory, kB."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


async def settled(pid: int) -> int:
    """The same once it stands still."""
    last, still = resident_kb(pid), 0
    for _ in range(_LOOKS):
        await asyncio.sleep(_LOOK_S)
        now = resident_kb(pid)
        still = still + 1 if abs(now - last) < 64 else 0
        if still == _STILL:
            break
        last = now
    return resident_kb(pid)


def bare_kb(exchange: _exchange.Exchange, waiting: int) -> float:
    """kB for a caller in a process that keeps what the events said, as text by name, and nothing else."""
    held: list[list[dict[str, str]]] = []
    before = resident_kb(os.getpid())
    for place in range(waiting):
        _, (menu, _, _) = exchange.call(_centre.number(place), "1001")
        blocks = menu.decode().split("\r\n\r\n")[:-1]
        held.append([dict(line.partition(": ")[::2] for line in block.split("\r\n")) for block in blocks])
    return (resident_kb(os.getpid()) - before) / waiting


async def run(waiting: int, calls: int, rate: float) -> None:
    """Measures and prints."""
    exchange = _exchange.Exchange()
    await exchange.start()
    try:
        async with _exchange.service(exchange) as house:
            database = await Database.open(house.settings.database)
            await _seats.take(database, _AGENTS)
            await database.close()
            pid = house.process.pid
            idle = await settled(pid)
            ends: list[bytes] = []
            for first in range(0, waiting, _TOGETHER):
                numbers = [
                    _centre.number(at).removeprefix("+86") for at in range(first, min(first + _TOGETHER, waiting))
                ]
                ends += await exchange.wait(len(numbers), numbers.__getitem__)
                await asyncio.sleep(_JOINS_S)
            full = await settled(pid)
            for end in ends:
                exchange.write(_exchange.now(end))
            sizes = [await settled(pid)]
            agents = [_seats.number(seat) for seat in range(_AGENTS)]
            for _ in range(2):
                await exchange.ring(
                    calls / 2 / rate, rate, 0, agents,
                    lambda place: (_centre.number(place % 1000).removeprefix("+86"), place % _AGENTS),
                )  # fmt: skip
                sizes.append(await settled(pid))
            least = bare_kb(exchange, waiting)
    finally:
        await exchange.stop()
    each, growth = (full - idle) / waiting, (sizes[2] - sizes[1]) / (calls / 2)
    rows = (
        ("idle, MB", idle / 1024, IDLE_MB, None),
        (f"each of {waiting:,} waiting, kB", each, WAITING_KB, least),
        (f"each of {calls // 2:,} calls later, kB", growth, GROWTH_KB, None),
    )
    print(f"{'':34}{'hotline':>9}{'bare':>8}{'ratio':>7}  goal")
    for name, found, goal, bare in rows:
        beside = f"{bare:>8.2f}{found / bare if bare else 0:>7.2f}" if bare is not None else f"{'':15}"
        print(f"{name:34}{found:>9.2f}{beside}  {goal:g}: {'met' if found <= goal else 'MISSED'}")
    print(
        f"MB when nobody waits any more, after half and all of the calls: {', '.join(f'{s / 1024:.1f}' for s in sizes)}"
    )


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--waiting", type=int, default=2000, help="callers who wait (2000)")
    given.add_argument("--calls", type=int, default=10_000, help="calls that pass (10000)")
    given.add_argument("--rate", type=float, default=60.0, help="calls a second (60)")
    options = given.parse_args()
    asyncio.run(run(options.waiting, options.calls, options.rate))
    return 0


if __name__ == "__main__":
    sys.exit(main())
