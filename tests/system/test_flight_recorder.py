"""Real calls taken out of the flight recorder and replayed are the rows the product wrote (TL-71)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cti import app as composition
from cti.asterisk.provision import Installation
from cti.exchange import access
from cti.settings import Settings
from tests.ami.faults import FaultProxy
from tests.system import proof, sound
from tests.system.callers import Lines
from tests.system.house import Agent, House

pytestmark = pytest.mark.system


async def closed(person: Agent, count: int) -> dict[str, str]:
    """Outcomes by the last digits of the caller's number, once so many calls are closed."""
    async with asyncio.timeout(30):
        while True:
            calls = (await person.get("/api/calls?mine=false"))["items"]
            if len(calls) == count and all(call["outcome"] for call in calls):
                return {call["number"][-4:]: call["outcome"] for call in calls}
            await asyncio.sleep(0.2)


@asynccontextmanager
async def standing(proxy: FaultProxy) -> AsyncIterator[None]:
    await proxy.start()
    try:
        yield
    finally:
        await proxy.stop()


@pytest.mark.req("TL-71", "TL-70", "F01")
async def test_calls_of_several_kinds_and_one_across_a_cut_link(
    short_tmp: Path, asterisk_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One gives up, one leaves a complaint, one talks while the link breaks: each replay equals its row, while the
    service runs and writes on; the gap is marked in both."""
    house = House(short_tmp, overflow=True, verified=True)
    proxy = FaultProxy(house.settings.ami_host, house.settings.ami_port)

    def through_the_proxy(settings: Settings) -> object:
        known = access(settings)
        return replace(known, account=replace(known.account, port=proxy.port))

    monkeypatch.setattr(composition, "access", through_the_proxy)
    async with standing(proxy), house, Lines(house) as lines:
        gives_up, complains = await asyncio.gather(lines.caller("13800138011"), lines.caller("13800138012"))
        for caller in (gives_up, complains):
            await caller.dial("1860")
            await caller.hears("greeting-1860", within_s=20)
            await caller.press("1")
        await complains.hears("overflow-offer", within_s=30)
        await complains.press("1")
        await gives_up.hang_up()
        await complains.hears("beep", within_s=30)
        await complains.says(sound.tone(500, 4.0))
        await complains.press("#")
        await complains.hears("record-review", within_s=15)
        await complains.hang_up()

        seat = await house.sign_in("1002")
        phone = await lines.phone("1002")
        talks = await lines.caller("13800138013")
        await talks.dial("1860")
        await talks.hears("greeting-1860", within_s=20)
        await talks.press("1")
        await phone.rings(within_s=30)
        await phone.answer()
        await seat.state("talking")
        proxy.cut()
        await seat.event("alert", lambda said: said["code"] == "telephony_restored", within_s=20)
        await talks.says(sound.tone(600, 1.0))
        await phone.hang_up()
        await talks.ended(within_s=20)

        supervisor = await house.person("3001")
        outcomes = await closed(supervisor, 3)
        assert outcomes == {"8011": "abandoned", "8012": "left_recording", "8013": "answered"}
        records = await proof.compared(house.settings)
        assert {record.ani: "events" in record.unseen for record in records}["13800138013"]
