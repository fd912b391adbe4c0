"""A complaint on its way through the posts, each step on a page: junior, senior, department, surveyor, archivist."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.house import PASSWORD, House
from tests.web.test_orders import complaint

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]

SHOTS = Path(__file__).resolve().parents[2] / "artefacts"


async def at_page(browser: Browser, house: House, number: str, path: str = "/orders?todo=1") -> Desk:
    """Somebody signed in, looking at what waits for him."""
    desk = await Desk.open(browser, house.origin, SHOTS)
    await desk.go("/login")
    await desk.fill("login-number", number)
    await desk.fill("login-password", PASSWORD)
    await desk.at("login-submit").click()
    await desk.at("who").wait_for()
    await desk.go(path)
    return desk


async def open_order(desk: Desk, serial: str, state: str) -> None:
    """From the list of what waits to the order."""
    await desk.page.locator(f"[data-testid='order-row'][data-serial='{serial}']").click()
    await expect(desk.at("order-read")).to_have_attribute("data-state", state)


async def done(desk: Desk, state: str) -> None:
    """The step is confirmed, and the order is where it leads."""
    await desk.at("step-confirm").click()
    await expect(desk.at("step-form")).to_have_count(0)
    await expect(desk.at("order-read")).to_have_attribute("data-state", state)


async def choose(desk: Desk, name: str, *path: str) -> None:
    """Clicks through a tree of the dialogue."""
    await desk.page.locator(f"[data-testid='step-{name}'] .el-cascader").click()
    menu = desk.page.locator(f".tree-step-{name}")
    for words in path[:-1]:
        await menu.get_by_text(words, exact=True).first.hover()
    await menu.get_by_text(path[-1], exact=True).last.click()


@pytest.mark.req("T6", "T7", "T10", "T12", "T13", "T22", "T23", "T25", "RV-01", "PR-01", "RP-02", "SV-05", "KB-09")
async def test_a_complaint_goes_through_the_posts(short_tmp: Path, asterisk_installation: Installation) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        clerk = await house.person("1001")
        now = datetime.now(UTC)
        letter = {"channel": "letter", "received_at": (now - timedelta(minutes=5)).isoformat(), **complaint(now)}
        draft = await clerk.post("/api/orders", letter)
        order = await clerk.post(f"/api/orders/{draft['id']}/submit", {"version": draft["version"]})
        serial = order["serial"]

        junior = await at_page(browser, house, "1001")
        await open_order(junior, serial, "registered")
        await junior.at("step-open-propose").click()
        await expect(junior.at("step-plan")).to_be_visible()  # two steps of the template: one department is enough here
        await junior.at("step-task-1").get_by_role("button", name="去掉").click()
        await expect(junior.page.get_by_test_id("step-task-1")).to_have_count(0)
        await junior.fill("step-words-0", "")
        await junior.at("step-confirm").click()
        await expect(junior.at("step-tasks")).to_have_attribute("data-missing", "true")
        await junior.fill("step-words-0", "上门检测光路与端口")
        await junior.fill("step-input-opinion", "请尽快上门")
        await junior.shot("work-1-propose")
        await done(junior, "in_review")
        await expect(junior.page.get_by_test_id("step-open-approve")).to_have_count(0)

        senior = await at_page(browser, house, "2001")
        await open_order(senior, serial, "in_review")
        await expect(senior.at("review")).to_contain_text("上门检测光路与端口")
        await senior.at("step-open-approve").click()
        await senior.at("step-check-serial").click()
        await senior.fill("step-input-opinion", "同意派单")
        await senior.at("step-confirm").click()
        await expect(senior.at("step-error")).to_contain_text("检查项未通过")
        await senior.at("step-check-serial").click()
        await senior.shot("work-2-approve")
        await done(senior, "in_process")

        network = await at_page(browser, house, "8001", "/work")
        task = network.page.locator(f"[data-testid='work-order'][data-serial='{serial}']")
        await expect(task).to_have_attribute("data-state", "sent")
        await task.get_by_test_id("work-accept").click()
        await task.get_by_test_id("work-begin").click()
        await network.pictures("work-3-inbox")
        await task.get_by_test_id("work-finish").click()
        await network.fill("step-input-result", "已更换光猫，晚间速率恢复")
        await choose(network, "cause", "网络原因", "容量不足")
        await network.fill("step-input-opinion", "观察一周")
        await network.at("step-confirm").click()
        await expect(task).to_have_count(0)

        await senior.page.reload()
        await expect(senior.at("order-read")).to_have_attribute("data-state", "replying")
        await senior.at("step-open-reply").click()
        await senior.fill("step-input-opinion", "已致歉并说明")
        await senior.fill("step-input-result", "客户认可")
        await senior.at("step-satisfaction-later").click()
        await done(senior, "survey")
        await senior.pictures("work-4-order")

        surveyor = await at_page(browser, house, "7001")
        await open_order(surveyor, serial, "survey")
        await surveyor.at("step-open-rate").click()
        await surveyor.at("step-outcome-satisfied").click()
        await surveyor.at("step-grade-very_satisfied").click()
        await done(surveyor, "closed")

        archivist = await at_page(browser, house, "5001")
        await open_order(archivist, serial, "closed")
        await archivist.at("step-open-file").click()
        await archivist.fill("step-input-content", "宽带晚间网速")
        await done(archivist, "archived")
        trail = archivist.at("order-trail")
        for words in ("拟派单", "复核通过", "接单", "回单", "回复客户", "回访", "归档"):
            await expect(trail).to_contain_text(words)
        for desk in (junior, senior, network, surveyor, archivist):
            assert [fault for fault in desk.faults if "status of 422" not in fault] == []
