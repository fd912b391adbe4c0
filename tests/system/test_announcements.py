"""An announcement before the menu through the whole product: switched on, heard, enough for one caller, over."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cti.asterisk.provision import Installation
from tests.system.callers import Caller, Lines, NotHeard
from tests.system.house import Agent, House

pytestmark = pytest.mark.system

OUTAGE = "announcement-outage"


async def greeted(lines: Lines, number: str) -> Caller:
    """A caller who has heard who answers."""
    caller = await lines.caller(number)
    await caller.dial("1860")
    await caller.hears("greeting-1860", within_s=20)
    return caller


async def becomes(person: Agent, made: dict[str, Any], **wanted: object) -> dict[str, Any]:
    """The announcement once it is so: a record closes a moment after its caller hung up, a time comes."""
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(20):
            while True:
                items = (await person.get("/api/announcements"))["items"]
                items += (await person.get("/api/announcements?over=true"))["items"]
                found = next(each for each in items if each["id"] == made["id"])
                if all(found[name] == value for name, value in wanted.items()):
                    return found
                await asyncio.sleep(0.2)  # the figures are read, not told
    except TimeoutError:
        raise AssertionError(f"not {wanted}: {found}") from None


@pytest.mark.req("TL-26")
async def test_callers_hear_it_before_the_menu_until_it_ends(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """One hangs up at it and is counted, one goes on into the menu; after its end nobody hears it."""
    async with House(short_tmp) as house, Lines(house) as lines:
        supervisor = await house.person("3001")
        ends = datetime.now(UTC) + timedelta(hours=1)
        wish = {"prompt": OUTAGE, "dnis": ["1860"], "ends_at": ends.isoformat()}
        made = await supervisor.post("/api/announcements", wish)
        assert (made["state"], made["heard"], made["ended"]) == ("on", 0, 0)

        content = await greeted(lines, "13800138002")  # the notice and the greeting last longer than the menus' memory
        await content.hears("announcement-intro", within_s=15)
        await content.hears(OUTAGE, within_s=15)
        await content.hang_up()
        await becomes(supervisor, made, heard=1, ended=1)

        other = await greeted(lines, "13800138003")
        await other.hears(OUTAGE, within_s=20)
        await other.press("1")  # an early key is the menu's: he is on his way to a person
        await other.hears("to-complaint", within_s=20)
        await other.hang_up()
        found = await becomes(supervisor, made, heard=2, ended=1)

        soon = datetime.now(UTC) + timedelta(seconds=2)
        again = {"version": found["version"], "ends_at": soon.isoformat()}
        await supervisor.post(f"/api/announcements/{made['id']}/times", again)
        await becomes(supervisor, made, state="over")
        late = await greeted(lines, "13800138006")
        with pytest.raises(NotHeard):
            await late.hears("announcement-intro", within_s=4)
        await late.hang_up()
        await becomes(supervisor, made, heard=2, ended=1)
