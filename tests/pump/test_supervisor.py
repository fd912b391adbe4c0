"""One process acts at a time, and a stalled one ends itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.lease import claim, lease, release, still_holds
from cti.supervisor import Lease, Watchdog
from ticketing.db import Database

NOW = datetime(2026, 11, 23, 2, 13, 28, tzinfo=UTC)
TERM = timedelta(seconds=6)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'lease.db'}")
    async with opened.write() as conn:
        await conn.run_sync(lease.create)
    yield opened
    await opened.close()


async def test_one_holder_until_the_term_ends_and_the_epoch_grows(database: Database) -> None:
    async with database.write() as conn:
        first = await claim(conn, "bridge", "a", TERM, NOW)
        assert first is not None
        assert first.epoch == 1
        assert await claim(conn, "bridge", "b", TERM, NOW + timedelta(seconds=5)) is None
        longer = await claim(conn, "bridge", "a", TERM, NOW + timedelta(seconds=5))
        assert longer is not None
        assert longer.epoch == 1
        later = NOW + timedelta(seconds=11)
        second = await claim(conn, "bridge", "b", TERM, later)
        assert second is not None
        assert second.epoch == 2
        assert not await still_holds(conn, first, later)
        assert await still_holds(conn, second, later)
        await release(conn, first, later)
        assert await still_holds(conn, second, later)
        await release(conn, second, later)
        third = await claim(conn, "bridge", "a", TERM, later)
        assert third is not None
        assert third.epoch == 3


async def test_a_holder_who_was_late_comes_back_with_a_new_epoch(database: Database) -> None:
    async with database.write() as conn:
        await claim(conn, "bridge", "a", TERM, NOW)
        again = await claim(conn, "bridge", "a", TERM, NOW + TERM)
        assert again is not None
        assert again.epoch == 2


async def test_many_claim_and_one_wins(database: Database) -> None:
    async def one(name: str) -> bool:
        async with database.write() as conn:
            return await claim(conn, "bridge", name, TERM, NOW) is not None

    won = await asyncio.gather(*(one(f"p{number}") for number in range(20)))
    assert sum(won) == 1


async def test_a_keeper_holds_hands_over_and_tells(database: Database) -> None:
    told: list[bool] = []
    first = Lease(database, "bridge", lambda: NOW, every_s=0.001, on_change=told.append)
    second = Lease(database, "bridge", lambda: NOW)
    task = asyncio.create_task(first.run())
    await asyncio.wait_for(first.gained(), 5)
    acting = [first.holds]
    assert not await second.once()
    assert [second.held] == [None]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    acting.append(first.holds)
    assert acting == [True, False]
    assert told == [True, False]
    assert await second.once()
    assert second.held is not None
    assert second.held.epoch == 2


async def test_a_keeper_that_cannot_reach_the_database_stops_acting_by_itself(database: Database) -> None:
    keeper = Lease(database, "bridge", lambda: NOW, term_s=0.0)
    await keeper.once()
    assert not keeper.holds


async def test_a_loop_that_runs_is_left_alone() -> None:
    stalls: list[float] = []
    dog = Watchdog(limit_s=0.2, pulse_s=0.01, action=stalls.append)
    dog.start()
    await asyncio.to_thread(threading.Event().wait, 0.4)
    dog.stop()
    assert stalls == []


async def test_a_stalled_loop_is_noticed() -> None:
    noticed = threading.Event()
    dog = Watchdog(limit_s=0.1, pulse_s=0.01, action=lambda _: noticed.set())
    dog.start()
    assert noticed.wait(5)
    dog.stop()


def test_a_stalled_process_ends_at_once_and_says_where() -> None:
    program = (
        "import asyncio, time\nfrom cti.supervisor import Watchdog\n"
        "async def main():\n Watchdog(limit_s=0.2).start()\n await asyncio.sleep(0.2)\n time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 70
    assert "event loop stalled" in done.stderr
    assert "main" in done.stderr
    assert time.monotonic() - began < 20


@pytest.mark.req("F07", "F22")
def test_a_stalled_process_ends_also_when_nobody_reads_what_it_says() -> None:
    """Its console is a full pipe, and a thread waits for it with the stream's lock."""
    program = (
        "import asyncio, sys, threading, time\nfrom cti.supervisor import Watchdog\n"
        "async def main():\n"
        " threading.Thread(target=sys.stderr.write, args=('x' * 1000000,), daemon=True).start()\n"
        " Watchdog(limit_s=0.2).start()\n await asyncio.sleep(0.2)\n time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    with process:
        assert process.wait(timeout=30) == 70
