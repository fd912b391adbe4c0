"""The page on a local network: TLS with a self-made certificate, English, a small screen, a reload while it rings."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.callers import Lines
from tests.system.house import PASSWORD, House

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]

SHOTS = Path(__file__).resolve().parents[2] / "artefacts"


async def cookies(page: Page) -> dict[str, bool]:
    """Names of the page's cookies, and whether each is kept from scripts and from plain http."""
    return {cookie["name"]: cookie["httpOnly"] and cookie["secure"] for cookie in await page.context.cookies()}


@pytest.mark.req("TL-31", "TL-40", "PX-07", "S13")
async def test_a_reload_while_it_rings_loses_nothing(short_tmp: Path, asterisk_installation: Installation) -> None:
    """One origin and one TLS for page, interface, stream and SIP; the pop is there again after a reload."""
    async with House(short_tmp, tls="self") as house, Lines(house) as lines, chromium() as browser:
        desk = await Desk.open(browser, house.origin, SHOTS, size=(1024, 768), language="en-GB")
        await desk.go("/login")
        await desk.fill("login-number", "2001")
        await desk.fill("login-password", PASSWORD)
        await desk.at("login-submit").click()
        await desk.at("phone-kind-browser").click()
        await desk.at("sign-in").click()
        await expect(desk.at("agent-state")).to_have_attribute("data-state", "ready", timeout=15_000)
        await desk.at("language").click()
        await expect(desk.at("agent-state")).to_contain_text("Ready")
        assert await cookies(desk.page) == {"__Host-hotline": True}

        caller = await lines.caller("13800138000")
        await caller.dial("1860")
        await caller.hears("greeting-1860", within_s=15)
        await caller.press("1")
        await desk.at("pop").wait_for(timeout=30_000)
        call_id = await desk.at("pop").get_attribute("data-call-id")
        await desk.page.reload()
        await expect(desk.at("pop")).to_have_attribute("data-call-id", str(call_id), timeout=10_000)
        # the phone of the page before the reload still rings in vain; the caller is offered again to the new one
        await expect(desk.at("call-answer")).to_be_enabled(timeout=30_000)
        await expect(desk.at("pop-vip")).to_contain_text("Major customer")
        await desk.shot("lan-1-pop-english-1024")
        await desk.at("call-answer").click()
        await desk.at("order-form").wait_for(timeout=15_000)
        await desk.at("call-hangup").click()
        await caller.ended()
        await desk.at("order-no-order").click()
        await desk.at("no-order-reason-inquiry").click()
        await desk.at("no-order-confirm").click()
        await desk.at("order-done").wait_for()
        await desk.shot("lan-2-done-english-1024")
        assert desk.faults == []
