"""All busy, through the whole product: a recorded complaint becomes a clerk's item with a voice file, then an order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.system import sound
from tests.system.callers import Lines
from tests.system.house import House

pytestmark = pytest.mark.system

COMPLAINT = sound.tone(500, 6.0)


@pytest.mark.req("TL-20", "TL-21", "CT-05", "IN-27", "N1")
async def test_a_recorded_complaint_becomes_an_order(short_tmp: Path, asterisk_installation: Installation) -> None:
    """Nobody is signed in: 1, the beep, the complaint, #, #; the number read out is the item's, the clerk hears it."""
    async with House(short_tmp, overflow=True) as house, Lines(house) as lines:
        caller = await lines.caller("13800138002")
        await caller.dial("1860")
        await caller.hears("greeting-1860", within_s=15)
        await caller.press("1")
        await caller.hears("overflow-offer", within_s=30)
        await caller.press("1")
        await caller.hears("beep", within_s=30)
        await caller.says(COMPLAINT)
        await caller.press("#")
        await caller.hears("record-review", within_s=15)
        await caller.press("#")
        await caller.hears("record-saved", within_s=15)
        clerk = await house.person("6001")
        (item,) = (await clerk.get("/api/items"))["items"]
        for digit in item["serial"]:
            await caller.hears(f"digit-{digit}")
        await caller.hang_up()

        assert (item["state"], item["how"], item["caller_number"]) == ("new", "confirmed", "+8613800138002")
        assert item["recording"]["state"] == "ready"
        assert 5 <= item["seconds"] <= 8
        claimed = await clerk.post(f"/api/items/{item['id']}/claim", {"version": item["version"]})
        made = await clerk.post(f"/api/items/{item['id']}/to-order", {"version": claimed["version"]})
        assert made["order"]["channel"] == "recording"
        assert made["item"]["state"] == "done"
        supervisor = await house.person("3001")
        call: dict[str, object] = {"outcome": None}
        async with asyncio.timeout(10):
            while call["outcome"] is None:  # the record closes two ticks after the last leg
                await asyncio.sleep(0.2)
                call = (await supervisor.get("/api/calls?mine=false"))["items"][0]
        assert call["outcome"] == "left_recording"
