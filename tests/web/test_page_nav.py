"""The navigation on a small screen: headings that open, by mouse and by keyboard; side by side on a large one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import expect
from pytest_aiohttp.plugin import AiohttpServer

from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.system.browser import SIZES, Desk, chromium, program
from tests.web.pages import DIST, signed_in

pytestmark = pytest.mark.system

#: the bar reaches into what stands right of it
_TOO_WIDE = """nav => {
    const who = document.querySelector('[data-testid=who]')
    return nav.getBoundingClientRect().right > who.getBoundingClientRect().left || nav.scrollWidth > nav.clientWidth
}"""


@pytest.mark.parametrize(("number", "pages"), [("9001", ("audit", "rules", "papers")), ("3001", ("floor", "desk"))])
async def test_every_page_is_reached_where_there_is_no_room_for_all(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, tmp_path: Path, number: str, pages: tuple[str, ...]
) -> None:
    program()
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    async with chromium() as browser:
        desk = await signed_in(browser, f"http://localhost:{server.port}", number, tmp_path, size=SIZES[1])
        links = desk.page.locator(".bar nav a")
        grouped = await links.evaluate_all("links => links.map(link => link.dataset.testid)")
        assert len(set(grouped)) == len(grouped) > 8
        for page in pages:
            await desk.nav(page)
            shown = desk.page.locator(f"nav a.router-link-active[data-testid='nav-{page}'], nav [data-page='{page}']")
            await expect(shown.locator("visible=true")).to_have_count(1)
            for _ in ("this language", "the other"):
                assert not await desk.page.locator(".bar nav").evaluate(_TOO_WIDE)
                await desk.at("language").click()
        await _by_keyboard(desk)
        await desk.pictures("nav", SIZES[1])
        await desk.page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
        await expect(desk.page.locator("nav [data-testid^='nav-group-']")).to_have_count(0)
        flat = await links.evaluate_all("links => links.map(link => link.dataset.testid)")
        assert flat == grouped
        for link in await links.all():
            await expect(link).to_be_visible()
        assert [fault for fault in desk.faults if "status of 503" not in fault] == []


async def _by_keyboard(desk: Desk) -> None:
    heading, first = desk.at("nav-open-watch"), desk.at("nav-queues")
    await heading.focus()
    await desk.page.keyboard.press("ArrowDown")
    await expect(heading).to_have_attribute("aria-expanded", "true")
    await expect(first).to_be_focused()
    await desk.page.keyboard.press("ArrowUp")
    await expect(desk.at("nav-audit")).to_be_focused()
    await desk.page.keyboard.press("Escape")
    await expect(heading).to_be_focused()
    await expect(first).to_be_hidden()
    await desk.page.keyboard.press("Enter")
    await desk.page.keyboard.press("Tab")
    await expect(first).to_be_focused()
    await desk.page.keyboard.press("Enter")
    await expect(heading).to_have_attribute("data-page", "queues")
    await expect(heading).to_have_attribute("aria-expanded", "false")
    await heading.click()
    await desk.at("who").click()
    await expect(heading).to_have_attribute("aria-expanded", "false")
