"""What centre and department write to each other, and who entered how well, in a real browser (MN-10, CL-02, MN-02)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from playwright.async_api import expect
from pytest_aiohttp.plugin import AiohttpServer

from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.orders.desk import Desk as Centre
from tests.orders.test_dispatch_story import Case, in_process
from tests.system.browser import chromium, program
from tests.web.pages import DIST, signed_in

pytestmark = pytest.mark.system


@pytest.mark.req("MN-10")
async def test_centre_and_department_write_to_each_other(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, tmp_path: Path
) -> None:
    """On the board and beside the inbox, with what is unread; a number that is none of their orders' is refused."""
    program()
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    origin = f"http://localhost:{server.port}"
    async with chromium() as browser:
        chief = await signed_in(browser, origin, "3001", tmp_path)
        clerk = await signed_in(browser, origin, "8001", tmp_path)
        await clerk.nav("work")
        await clerk.at("threads").wait_for()
        await chief.nav("board")
        await chief.page.locator("[data-testid='thread'][data-unit='city.network']").click()
        await chief.fill("thread-text", "这单今天能上门吗？")
        await chief.at("thread-send").click()
        await expect(chief.at("thread-messages")).to_have_attribute("data-count", "1")
        await clerk.page.reload()
        await expect(clerk.at("threads-unread")).to_be_visible()
        await clerk.page.locator(
            "[data-testid='thread'][data-unit='city.network'], [data-testid='thread-text']"
        ).first.click()
        said = clerk.page.locator("[data-testid='thread-message'][data-by='3001']")
        await expect(said).to_contain_text("这单今天能上门吗？")
        await clerk.fill("thread-text", "下午三点到")
        await clerk.fill("thread-about", "123456789")
        await clerk.at("thread-send").click()
        await expect(clerk.at("thread-error")).to_contain_text("与该单位无关")
        await clerk.fill("thread-about", "")
        await clerk.at("thread-send").click()
        await expect(clerk.at("thread-messages")).to_have_attribute("data-count", "2")
        await chief.page.reload()
        await chief.page.locator("[data-testid='thread'][data-unit='city.network'][data-unread='1']").click()
        await expect(chief.page.locator("[data-testid='thread-message'][data-by='8001']")).to_contain_text("下午三点到")
        await chief.pictures("threads-board")
        await clerk.pictures("threads-inbox")
    assert chief.faults == []
    assert [fault for fault in clerk.faults if "404" not in fault] == []


@pytest.mark.req("CL-02")
async def test_the_figures_of_entry_are_for_those_who_oversee(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, tmp_path: Path
) -> None:
    program()
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    origin = f"http://localhost:{server.port}"
    async with chromium() as browser:
        chief = await signed_in(browser, origin, "4001", tmp_path)
        await chief.go("/papers")
        await expect(chief.at("entry-figures")).to_be_visible()
        await chief.at("entry-span").select_option("92")
        await expect(chief.at("entry-figures")).to_have_attribute("data-count", "0")
        clerk = await signed_in(browser, origin, "6101", tmp_path)
        await clerk.go("/papers")
        await clerk.at("visitor").wait_for()
        await expect(clerk.at("entry-figures")).to_have_count(0)
    assert chief.faults == clerk.faults == []


@pytest.mark.req("MN-02", "DP-09")
async def test_a_recall_says_why_by_a_code(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, tmp_path: Path, now: datetime
) -> None:
    """Without one the form names what is missing; with it the trail shows the reason in words."""
    program()
    centre = await Centre.open(deps.database, now)
    case = Case(centre, await centre.registered())
    await in_process(case)
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    async with chromium() as browser:
        senior = await signed_in(browser, f"http://localhost:{server.port}", "2001", tmp_path)
        await senior.go(f"/orders/{case.id}")
        await senior.at("history-recall").click()
        await senior.fill("step-input-reason", "客户来电说不用了")
        await senior.at("step-confirm").click()
        await expect(senior.at("step-reason_code")).to_have_attribute("data-missing", "true")
        await senior.at("step-reason_code-withdrawn").click()
        await senior.shot("recall-code")
        await senior.at("step-confirm").click()
        await expect(senior.at("order-trail")).to_contain_text("客户撤销诉求")
    assert senior.faults == []
