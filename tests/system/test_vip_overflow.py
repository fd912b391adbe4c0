"""A VIP whom no senior takes reaches a junior marked for VIP overflow, late and last; and the event filter holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.system.callers import Lines
from tests.system.house import House

pytestmark = pytest.mark.system


@pytest.mark.req("G14", "S01")
async def test_a_vip_reaches_a_marked_junior_when_no_senior_could(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """Nobody senior is signed in: the junior is rung after the 20 s of queuerules.conf, not before."""
    async with House(short_tmp, verified=True) as house, Lines(house) as lines:
        junior = await house.sign_in("1001")
        phone = await lines.phone("1001")
        assert next(part for part in (await junior.get("/api/health"))["parts"] if part["name"] == "filter")["ok"]
        caller = await lines.caller("13800138000")
        await caller.dial("1860")
        await caller.hears("greeting-1860", within_s=15)
        await caller.press("1")
        await phone.rings(within_s=40)
        pop = await junior.event("pop")
        assert pop["queue"]["name"] == "senior"
        assert 19_000 <= pop["waited_ms"] <= 25_000
        await phone.answer()
        await phone.hang_up()
        await caller.ended()
        (call,) = (await junior.get("/api/calls"))["items"]
        assert call["agent"] == "1001"
