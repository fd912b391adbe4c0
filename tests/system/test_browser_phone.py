"""The browser phone when the clock is set, when the exchange forgets it, and when the sign-in is over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import WebSocket, expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.house import House
from tests.system.test_browser_workflow import at_page

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]

#: what the page said of its registration, one after another, until it says again that it is registered
_SEEN = """() => {
    window.said = []
    const place = document.querySelector('[data-testid=phone-registered]')
    window.back = new Promise((done) => {
        new MutationObserver(() => {
            window.said.push(place.dataset.registered)
            if (window.said.length > 1 && window.said.at(-1) === 'true') done(window.said)
        }).observe(place, { attributeFilter: ['data-registered'] })
    })
}"""
#: the computer's clock goes forward by two and a half minutes
_STEP = "const now = Date.now; Date.now = () => now.call(Date) + 150000"
#: the sign-in ends behind the page's back
_SIGN_OUT = """token =>
    fetch('/api/session', { method: 'DELETE', headers: { 'X-CSRF-Token': token } }).then((answer) => answer.status)
"""


class Wires:
    """The page's sockets to the exchange and what it registered through them."""

    def __init__(self, desk: Desk) -> None:
        self.opened = 0
        self.registers = 0
        desk.page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        self.opened += 1
        socket.on("framesent", self._sent)

    def _sent(self, frame: str | bytes) -> None:
        self.registers += str(frame).startswith("REGISTER")


async def _joined(desk: Desk) -> None:
    await desk.at("phone-kind-browser").click()
    await desk.at("sign-in").click()
    await expect(desk.at("phone-registered")).to_have_attribute("data-registered", "true")
    await expect(desk.at("agent-state")).not_to_have_attribute("data-state", "logged_out")


@pytest.mark.req("F17", "F20")
async def test_a_phone_registers_again_when_the_clock_is_set_and_stops_when_the_sign_in_is_over(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        desk = await at_page(browser, house, "1001", "/login")
        wires = Wires(desk)
        await desk.go("/")
        await _joined(desk)
        before = wires.registers
        await desk.page.evaluate(_SEEN)
        await desk.page.evaluate(_STEP)
        async with asyncio.timeout(20):
            assert await desk.page.evaluate("window.back") == ["false", "true"]
        assert wires.registers > before
        assert "Avail" in await house.cli("pjsip show contacts")

        opened = wires.opened
        token = await desk.page.evaluate("fetch('/api/session').then(a => a.json()).then(a => a.csrf_token)")
        ended = await desk.page.evaluate(_SIGN_OUT, token)
        assert ended == 204
        await desk.at("login-number").wait_for()
        assert wires.opened - opened <= 1, "the page tried the socket of a sign-in that is over again and again"
