"""The page on a local network: TLS self-made or given, another machine's browser, English, a reload while it rings."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.callers import Lines
from tests.system.desk_story import SHOTS, sign_in
from tests.system.house import PASSWORD, House
from tests.system.lan import certificate, lan

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]


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


@pytest.mark.req("TL-40", "TL-50", "S13")
async def test_an_agent_on_another_machine_talks(short_tmp: Path, asterisk_installation: Installation) -> None:
    """A given certificate and addresses of the network: page, interface, stream, SIP and sound reach the other machine.

    The browser trusts the given key and nothing else, and asks one origin for everything but the sound.
    """
    async with lan(short_tmp) as network:
        given = certificate(short_tmp, network.address)
        bound: dict[str, Any] = {
            "http_host": network.address,
            "sip_host": network.address,
            "trunk_hosts": (network.address,),
        }
        tls: dict[str, Any] = {"tls": "files", "tls_certificate": given.file, "tls_key": given.key}
        house = House(short_tmp / "var", host=network.address, **bound, **tls)
        speech = house.prompts / "demo"
        browser = chromium(
            speech / "agent-reply.wav",
            started_by=network.elsewhere,
            flags=[f"--ignore-certificate-errors-spki-list={given.pin}"],
        )
        async with house, Lines(house) as lines, browser as started:
            desk = await Desk.open(started, house.origin, SHOTS, trusting=False)
            asked = asked_of(desk.page)
            await sign_in(desk, "1001")
            caller = await lines.caller("13800138006")
            await caller.dial("1860")
            await caller.hears("greeting-1860", within_s=15)
            await caller.press("1")
            await desk.at("pop").wait_for(timeout=30_000)
            await desk.at("call-answer").click()
            await caller.hears(speech / "agent-reply.wav", within_s=30)
            before = await desk.hearing()
            await caller.says(speech / "customer-billing.wav")
            after = await desk.hearing()
            assert after.energy - before.energy > 0.05
            await desk.at("call-hangup").click()
            await caller.ended()
            secure = house.origin.removeprefix("https")
            assert asked == {f"https{secure}", f"wss{secure}"}
            assert desk.faults == []


def asked_of(page: Page) -> set[str]:
    """Every origin the page asks, filled while it runs."""
    asked: set[str] = set()

    def note(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in {"http", "https", "ws", "wss"}:
            asked.add(f"{parts.scheme}://{parts.netloc}")

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    return asked
