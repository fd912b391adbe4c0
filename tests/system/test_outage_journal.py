"""Calls that came and went while the service was dead have their record, once, with outcome, order and recording."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cti.asterisk.provision import Installation
from tests.system import sound
from tests.system.callers import Lines
from tests.system.house import Agent, ServiceHouse

pytestmark = pytest.mark.system


async def closed(person: Agent, count: int) -> list[dict[str, Any]]:
    """So many calls, all closed, newest first."""
    calls: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(20):
            while len(calls) < count or any(call["outcome"] is None for call in calls):
                calls = (await person.get("/api/calls?mine=false&limit=50"))["items"]
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"not closed: {calls}") from None
    return calls


@pytest.mark.req("TL-70", "N2", "F01", "TL-32")
async def test_calls_of_an_outage_are_known_afterwards(short_tmp: Path, asterisk_installation: Installation) -> None:
    """The service is dead from before the first of them until after the last: one is answered, one gives up waiting."""
    async with ServiceHouse(short_tmp) as house, Lines(house) as lines:
        await house.sign_in("1002")
        phone = await lines.phone("1002")
        await house.kill()

        caller = await lines.caller("13800138003")
        await caller.dial("1860")
        await phone.rings(within_s=30)
        await phone.answer()
        patient = await lines.caller("13800138002")
        await patient.dial("1860")
        await patient.hears("technical-hold", within_s=20)
        await caller.says(sound.tone(600, 2.0))
        await waits(house, "complaint", 1)
        await patient.hang_up()
        await phone.hang_up()
        await caller.ended()

        await house.start()
        supervisor = await house.person("3001")
        calls = {call["number"][-4:]: call for call in await closed(supervisor, 2)}
        answered, gave_up = calls["8003"], calls["8002"]
        assert (answered["outcome"], answered["agent"]) == ("answered", "1002")
        assert gave_up["outcome"] in {"abandoned", "short_abandoned"}
        assert answered["order_id"] is not None
        assert (await supervisor.recorded(answered["call_id"]))["state"] == "ready"
        part = await journals(supervisor)
        assert part["ok"]
        assert "facts" in part["text"]

        await house.kill()
        await house.start()
        again = await house.person("3001")
        assert await closed(again, 2) == [gave_up, answered]


async def waits(house: ServiceHouse, queue: str, count: int) -> None:
    """So many callers wait in the queue."""
    async with asyncio.timeout(15):
        while f"has {count} calls" not in await house.cli(f"queue show {queue}"):  # noqa: ASYNC110 - see below
            await asyncio.sleep(0.1)  # the exchange tells only its manager


async def journals(person: Agent) -> dict[str, Any]:
    """The part of the health that tells of the journals."""
    return next(part for part in (await person.get("/api/health"))["parts"] if part["name"] == "journals")
