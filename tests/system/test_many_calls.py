"""All calls end at once, and the events of it come in one wave: every record is closed, and soon (F24, N2).

HOTLINE_TEST_LONG=1 holds 400 calls ten times (`make proof-wave`).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.absent import LONG
from tests.system.house import House
from tests.system.sipp import Crowd
from tests.system.stage import working

pytestmark = pytest.mark.system

CALLS, ROUNDS = (400, 10) if os.environ.get(LONG) == "1" else (60, 1)


async def up(house: House, count: int) -> None:
    """Waits until Asterisk has so many channels of callers."""
    async with asyncio.timeout(90):
        while True:
            said = await house.cli("core show channels count")
            if int(said.split()[0]) >= count:
                return
            await asyncio.sleep(0.2)


@pytest.mark.req("F24", "N2", "TL-70")
async def test_everybody_is_gone_at_once(
    short_tmp: Path, asterisk_installation: Installation, record_property: Callable[[str, object], None]
) -> None:
    """`channel request hangup all`: each call is closed once with its end; how late the last one was is told."""
    lags = []
    async with House(short_tmp / "h") as house, working(house) as stage:
        for number in range(ROUNDS):
            folder = short_tmp / str(number)
            folder.mkdir()
            since = datetime.now(UTC)
            async with Crowd(folder, house.sip, CALLS, per_s=20) as crowd:
                await up(house, CALLS)
                await stage.books.day(since, CALLS, open_ones=True, within_s=60)
                await house.cli("channel request hangup all")
                began = time.monotonic()
                await crowd.gone()
                day = await stage.books.day(since, CALLS, within_s=60)
                lags.append(time.monotonic() - began)
            assert len({call.ani for call in day}) == CALLS
            assert {call.end_reason for call in day} == {"hung_up"}
            assert all(call.ended_at is not None and call.outcome is not None for call in day)
        health = await (await house.person("4001")).get("/api/health")
        assert health["status"] == "ok", health
    record_property("examples", CALLS * ROUNDS)
    print(f"{CALLS} calls ended at once, {ROUNDS} times: closed after {', '.join(f'{lag:.2f} s' for lag in lags)}")
