"""Asterisk's files are read anew again and again while people talk, wait and rest: nobody notices (F04)."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Final

import pytest

from cti.asterisk.provision import Installation
from tests.absent import LONG
from tests.system import sound
from tests.system.house import House
from tests.system.stage import LINA, PLAIN, menus, working

pytestmark = pytest.mark.system

#: reloads, and seconds between two of them
_TIMES, _EVERY_S = (24, 5.0) if os.environ.get(LONG) == "1" else (4, 1.0)
_QUEUES: Final = ("complaint", "senior")


async def members(house: House) -> dict[str, list[str]]:
    """Who is in which queue, and whether he is paused and why, as Asterisk itself says."""
    found = {}
    for queue in _QUEUES:
        lines = (await house.cli(f"queue show {queue}")).splitlines()
        found[queue] = sorted(
            f"{line.split()[0]} {'paused' if '(paused' in line else 'not paused'} {''.join(re.findall('meal', line))}"
            for line in lines
            if "PJSIP/" in line and "dynamic" in line
        )
    return found


@pytest.mark.req("F04", "N2")
async def test_reloads_end_no_call_and_change_no_member_or_pause(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """One talks, one waits, one agent rests: the same afterwards, in Asterisk, on the pages and in the records."""
    async with House(short_tmp / "var", ivr_data=menus(short_tmp, short=True)) as house, working(house) as stage:
        seat, rests = await stage.seat("1002"), await stage.seat("2001")
        await rests.agent.post("/api/agent/pause", {"reason": "meal"})
        talks = await stage.caller(LINA)
        await seat.phone.rings()
        await seat.phone.answer()
        await seat.agent.state("talking")
        waits = await stage.caller(PLAIN)
        async with asyncio.timeout(20):
            while "complaint has 1 calls" not in await house.cli("queue show complaint"):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.1)
        before = await members(house)
        assert before["senior"], before
        for _ in range(_TIMES):
            await house.cli("core reload")
            await asyncio.sleep(_EVERY_S)
            assert await members(house) == before
            assert "complaint has 1 calls" in await house.cli("queue show complaint")
        await talks.says(sound.tone(600, 1.0))
        await seat.phone.hears(sound.tone(600, 1.0))
        assert (await seat.agent.get("/api/agent"))["state"] == "talking"
        view = await rests.agent.get("/api/agent")
        assert (view["state"], view["reason"]) == ("paused", "meal")
        assert seat.agent.saw("alert") == []
        await seat.phone.hang_up()
        await talks.ended()
        await seat.free()
        await seat.phone.rings()
        await waits.hang_up()
        talked = await stage.books.call(number=LINA)
        gone = await stage.books.call(number=PLAIN)
        assert (talked.outcome, gone.outcome, talked.unseen, gone.unseen) == ("answered", "abandoned", (), ())
