"""The pause of a wrap-up ends with it: who is ready on the page is rung (TL-40, PX-01)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.system.callers import Lines
from tests.system.house import House

pytestmark = pytest.mark.system


async def member(house: House, number: str) -> str:
    """The agent's line in Asterisk's own queue."""
    printed = await house.cli("queue show complaint")
    return next(line for line in printed.splitlines() if f"PJSIP/{number}" in line)


@pytest.mark.req("TL-40", "PX-01")
async def test_whose_wrap_up_is_over_is_rung_again(short_tmp: Path, asterisk_installation: Installation) -> None:
    """Four calls one after the other: a pause that stayed in Asterisk would leave the next caller waiting."""
    async with House(short_tmp, wrap_up_seconds=1, verified=True) as house, Lines(house) as lines:
        agent = await house.sign_in("1002")
        phone = await lines.phone("1002")
        for place in range(4):
            caller = await lines.caller(f"1390000550{place}")
            await caller.dial("1861")
            await caller.hears("greeting-1861", within_s=15, language="en")
            await caller.press("0")
            await phone.rings(within_s=20)
            await phone.answer()
            await agent.event("agent", lambda view: view["state"] == "talking")
            await phone.hang_up()
            await agent.event("agent", lambda view: view["state"] == "wrap_up")
            await agent.event("agent", lambda view: view["state"] == "ready")
            async with asyncio.timeout(2):
                while "paused" in (line := await member(house, "1002")):
                    assert "paused:wrap_up" in line
                    await asyncio.sleep(0.05)
