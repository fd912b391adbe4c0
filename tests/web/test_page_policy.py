"""The strict page policy in a real browser: every page that somebody can open, with nothing refused by it (S10)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from playwright.async_api import expect
from pytest_aiohttp.plugin import AiohttpServer

from cti import store as calls
from cti.calls.model import CallRecord
from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.system.browser import Desk, chromium, program
from tests.web.fakes import PASSWORD
from tests.web.test_media import CALL, recording
from ticketing.sample import load_sample

__all__ = ["recording"]

pytestmark = pytest.mark.system

DIST = Path(__file__).resolve().parents[2] / "cti" / "web" / "desk" / "dist"
#: counts what the page's policy refuses, from the first line of the page on
_COUNT = """
window.refused = []
addEventListener('securitypolicyviolation', (event) => {
    window.refused.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)
})
"""
#: resolves when what the page has now is drawn
_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.mark.req("S10")
@pytest.mark.parametrize("number", ["1001", "2001", "3001", "4001", "6001", "9001"])
async def test_no_page_breaks_the_policy(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, number: str, tmp_path: Path, now: datetime
) -> None:
    """Set-up, sign-in, everything in this person's navigation, an order and its form's lists, in both languages."""
    program()
    async with deps.database.write() as conn:
        await load_sample(conn, now)
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    async with chromium() as browser:
        desk = await Desk.open(browser, f"http://localhost:{server.port}", tmp_path)
        await desk.page.add_init_script(_COUNT)
        refused: list[str] = []

        async def look() -> None:
            refused.extend(await desk.page.evaluate("window.refused.splice(0)"))

        await desk.go("/setup")
        await desk.at("setup-token").wait_for()
        await look()
        await desk.go("/login")
        await desk.fill("login-number", number)
        await desk.fill("login-password", PASSWORD)
        await look()
        await desk.at("login-submit").click()
        await desk.at("who").wait_for()
        names = await desk.page.locator("nav a").evaluate_all("links => links.map(link => link.dataset.testid)")
        assert len(names) >= 2
        for name in names:
            for _ in ("this language", "the other"):
                await desk.at(name).click()
                await expect(desk.page.locator(f"nav a.router-link-active[data-testid='{name}']")).to_be_visible()
                await desk.page.evaluate(_PAINTED)
                await look()
                await desk.at("language").click()
        await look()
    assert refused == []
    assert [fault for fault in desk.faults if "503" not in fault] == []


@pytest.mark.req("S10")
async def test_form_dialog_and_player_keep_the_policy(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, recording: str, tmp_path: Path, now: datetime
) -> None:
    """A draft with its recording: the waveform is drawn, the form's lists open, a dialog comes and goes."""
    program()
    async with deps.database.write() as conn:
        await calls.save_calls(conn, [CallRecord(call_id=CALL, entered_at=now, dnis="1860", ani="13800138000")])
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    async with chromium() as browser:
        desk = await Desk.open(browser, f"http://localhost:{server.port}", tmp_path)
        await desk.page.add_init_script(_COUNT)
        await desk.go("/login")
        await desk.fill("login-number", "1001")
        await desk.fill("login-password", PASSWORD)
        await desk.at("login-submit").click()
        await desk.page.locator("[data-testid='drafts'] [data-testid='order-line']").first.click()
        await desk.at("choice-kind-complaint").click()
        await desk.choose("business", "数据通信", "宽带")
        order = await desk.at("order-form").get_attribute("data-order-id")
        await desk.at("order-no-order").click()
        await desk.at("no-order-reason-inquiry").click()
        refused = await desk.page.evaluate("window.refused")
        await desk.go(f"/orders/{order}")
        await expect(desk.at("recording-wave")).to_have_attribute("data-drawn", "true")
        await desk.page.evaluate(_PAINTED)
        wave = desk.page.locator("[data-testid='recording-wave'] canvas").first
        await expect(wave).to_have_css("height", re.compile(r"^[2-9]\d(\.\d+)?px$"))
        assert refused + await desk.page.evaluate("window.refused") == []


@pytest.mark.req("S10")
async def test_the_policy_is_watched(aiohttp_server: AiohttpServer, deps: WebDeps, tmp_path: Path) -> None:
    """A style element put into the page is refused and counted: the count above can rise."""
    program()
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    async with chromium() as browser:
        desk = await Desk.open(browser, f"http://localhost:{server.port}", tmp_path)
        await desk.page.add_init_script(_COUNT)
        await desk.go("/login")
        refused = await desk.page.evaluate(
            """async () => {
                const style = document.createElement('style')
                style.textContent = 'body { color: red }'
                document.head.append(style)
                document.body.innerHTML += '<p style="color: red">inline</p>'
                await new Promise((resolve) => setTimeout(resolve))
                return window.refused.map((line) => line.split(' ')[0])
            }"""
        )
    assert refused == ["style-src-elem"]
