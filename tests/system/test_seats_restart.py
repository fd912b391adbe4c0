"""Sign-ins and pauses are the truth of the database: the exchange follows at once, and after the service was killed."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.system.callers import Lines
from tests.system.house import Agent, ServiceHouse

pytestmark = pytest.mark.system

SHIPPED = Path(__file__).resolve().parents[2] / "asterisk-conf"


def with_static_member(home: Path) -> Path:
    """The administrator's files, with a phone of his own in the complaint queue."""
    copy = home / "conf"
    shutil.copytree(SHIPPED, copy)
    queues = copy / "queues.conf"
    text = queues.read_text(encoding="utf-8")
    queues.write_text(text.replace("[complaint](hotline)\n", "[complaint](hotline)\nmember => PJSIP/4001,0,4001\n"))
    return copy


async def member(house: ServiceHouse, queue: str, number: str) -> str:
    """The member's line in Asterisk's own queue; empty when he is not in it."""
    printed = await house.cli(f"queue show {queue}")
    return next((line for line in printed.splitlines() if f"PJSIP/{number}" in line), "")


async def becomes(house: ServiceHouse, queue: str, number: str, word: str) -> None:
    """Waits until the member's line has this word; without a word, until he is in the queue no more."""
    line = ""
    try:
        async with asyncio.timeout(10):
            while True:
                line = await member(house, queue, number)
                if (word in line) if word else not line:
                    return
                await asyncio.sleep(0.05)  # the exchange tells only its manager
    except TimeoutError:
        raise AssertionError(f"{number} in {queue} is not {word!r}: {line!r}") from None


async def in_the_house(agent: Agent, queue: str) -> dict[str, tuple[bool, bool]]:
    """Members of a queue as the page shows them: paused, dynamic."""
    queues = {each["name"]: each for each in await agent.get("/api/queues")}
    return {each["agent"]: (each["paused"], each["dynamic"]) for each in queues[queue]["members"]}


@pytest.mark.req("TL-40", "TL-70", "G13", "TL-60")
async def test_seats_and_pauses_outlive_the_service(short_tmp: Path, asterisk_installation: Installation) -> None:
    """Every wish is in the queue at once; what was changed by hand while the service was dead is put right, the
    administrator's own member is left alone."""
    house = ServiceHouse(short_tmp / "var", asterisk_conf=with_static_member(short_tmp))
    async with house, Lines(house) as lines:
        stays, rests, leaves = [await house.sign_in(number) for number in ("1002", "2001", "1001")]
        phone = await lines.phone("1002")
        await rests.post("/api/agent/pause", {"reason": "meal"})
        assert "paused:meal" in await member(house, "senior", "2001")
        await leaves.post("/api/agent/pause", {"reason": "training"})
        assert "paused:training" in await member(house, "suggestion", "1001")
        await leaves.post("/api/agent/ready")
        assert "paused" not in await member(house, "suggestion", "1001")
        await leaves.post("/api/handover", {})
        await leaves.post("/api/agent/sign-out")
        for queue in ("complaint", "suggestion"):
            assert await member(house, queue, "1001") == ""
        static = await member(house, "complaint", "4001")
        assert static
        assert "dynamic" not in static

        await house.kill()
        await house.cli("queue remove member PJSIP/1002 from complaint")
        await house.cli("queue unpause member PJSIP/2001 queue senior")
        await house.cli("queue add member PJSIP/1001 to suggestion penalty 0 as 1001")
        await house.start()
        await becomes(house, "complaint", "1002", "dynamic")
        await becomes(house, "senior", "2001", "paused:meal")
        await becomes(house, "suggestion", "1001", "")
        assert "PJSIP/4001" in await member(house, "complaint", "4001")

        agent = await house.person("1002")
        assert (await agent.get("/api/agent"))["state"] == "ready"
        other = await house.person("2001")
        view = await other.get("/api/agent")
        assert (view["state"], view["reason"]) == ("paused", "meal")
        assert await in_the_house(agent, "complaint") == {"1002": (False, True), "4001": (False, False)}
        assert await in_the_house(agent, "senior") == {"2001": (True, True)}
        caller = await lines.caller("13800138006")
        await caller.dial("1860")
        await caller.hears("greeting-1860", within_s=15)
        await caller.press("1")
        await phone.rings()
        assert (await agent.event("pop"))["customer"]["name"] == "孙强"
        await caller.hang_up()
        assert stays.number == agent.number
