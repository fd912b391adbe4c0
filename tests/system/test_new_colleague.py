"""Somebody added at the command line while the service runs takes a call without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti import staffing
from cti.asterisk.provision import Installation
from tests.system.callers import Lines
from tests.system.house import House

pytestmark = pytest.mark.system


@pytest.mark.req("TL-40", "S24")
async def test_a_colleague_added_meanwhile_takes_calls(short_tmp: Path, asterisk_installation: Installation) -> None:
    async with House(short_tmp) as house, Lines(house) as lines:
        token = await staffing.add_person(
            house.settings, number="7301", name="钱多多", posts=["JA"], team=None, phone="desk"
        )
        await house.set_passwords(token)
        agent = await house.sign_in("7301")
        phone = await lines.phone("7301")
        caller = await lines.caller("13911110000")
        await caller.dial("1861")
        await caller.hears("greeting-1861", within_s=15, language="en")
        await caller.press("0")
        await phone.rings(within_s=20)
        await phone.answer()
        await agent.event("agent", lambda view: view["state"] == "talking")
        await phone.hang_up()
        await caller.ended()


@pytest.mark.req("S24")
async def test_the_secret_of_a_browser_phone_ends_with_the_sign_in(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    async with House(short_tmp) as house:
        browser, desk = await house.sign_in("1001", "browser"), await house.sign_in("1002", "desk")
        given = (await browser.post("/api/phone"))["password"]
        kept = house.phone_secret("1002")
        assert house.phone_secret("1001") == given
        await browser.post("/api/handover", {})
        await browser.post("/api/agent/sign-out")
        await desk.post("/api/handover", {})
        await desk.post("/api/agent/sign-out")
        assert house.phone_secret("1001") != given
        assert house.phone_secret("1002") == kept
