"""The whole process stands still for 200 ms again and again: it is measured, and moves no clock (F30)."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from sqlalchemy import select

from cti.tables import CLOCK_STEP
from tests.kills.checks import differences
from tests.kills.run import at_work, healed
from ticketing.audit import audit

_STALL_S: Final = 0.2
_TIMES: Final = 5


async def longest_stall(port: int) -> float:
    """As the metrics say."""
    async with aiohttp.ClientSession() as http, http.get(f"http://localhost:{port}/metrics") as answer:
        found = re.search(r"^hotline_loop_stall_seconds ([0-9.e-]+)$", await answer.text(), re.MULTILINE)
    assert found
    return float(found[1])


@pytest.mark.req("F30", "N6", "TL-62")
async def test_stalls_are_measured_and_move_no_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While eight people write; afterwards every due time is what it would be, and no step of a clock was seen."""
    monkeypatch.setenv("WATCHDOG", "1")
    chance = random.Random(30)
    async with at_work(tmp_path / "h", chance) as run:
        run.life.up.set()
        for _ in range(_TIMES):
            await asyncio.sleep(chance.uniform(0, 0.3))
            await run.life.stalls(_STALL_S)
        measured = await longest_stall(run.life.settings.http_port)
        assert measured >= 0.75 * _STALL_S
        for writer in run.writers:
            writer.cancel()
        await asyncio.gather(*run.writers, return_exceptions=True)
        await healed(run.life, wholly=True)
        async with run.database.read() as conn:
            assert (await conn.execute(select(audit.c.at).where(audit.c.verb == CLOCK_STEP))).first() is None
        assert await differences(run.life, run.database, run.notes) == []
