"""Templates and the responsibility map on their page, and a dispatch that begins with them, in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.house import House
from tests.system.test_browser_workflow import at_page, done
from tests.web.test_orders import complaint

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]

SIZES = ((1440, 900), (1024, 768))


async def pick(desk: Desk, field: str, menu: str, *way: str) -> None:
    """Choose in a tree, from its top to the leaf."""
    await desk.at(field).locator(".el-cascader").click()
    for word in way[:-1]:
        await desk.page.locator(f".{menu}").get_by_text(word, exact=True).hover()
    await desk.page.locator(f".{menu}").get_by_text(way[-1], exact=True).click()


async def step(desk: Desk, place: int, zh: str, duty: str, task: str) -> None:
    """One step of a draft."""
    await desk.fill(f"node-zh-{place}", zh)
    await desk.fill(f"node-en-{place}", zh)
    await desk.at(f"node-duty-{place}").select_option(duty)
    await desk.fill(f"node-task-{place}", task)


@pytest.mark.req("DP-02", "DP-14", "AD-03", "IN-20", "DP-10", "RP-08")
async def test_a_template_is_written_published_followed_and_a_duty_reassigned(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        admin = await at_page(browser, house, "9001", "/processes")
        await admin.at("processes-tab-map").click()
        await admin.at("map-add").click()
        await admin.at("map-duty").select_option("repair")
        await pick(admin, "map-unit", "tree-map-unit", "市分公司", "营业厅")
        await admin.fill("map-reason", "职责分工")
        await admin.at("map-give").click()
        await expect(admin.at("map-error")).to_contain_text("同样的范围已有规定")
        await admin.at("map-duty").select_option("check")
        await admin.at("map-give").click()
        added = admin.page.locator("[data-testid='map-line'][data-duty='check'][data-unit='city.sales']")
        await expect(added).to_have_count(1)
        await admin.pictures("processes-1-map", *SIZES)

        await admin.at("processes-tab-templates").click()
        await admin.at("template-new").click()
        for name, value in (("new-code", "speed"), ("new-zh", "网速投诉处理"), ("new-en", "Slow network")):
            await admin.fill(name, value)
        await admin.at("new-create").click()
        await admin.at("template-edit").click()
        await pick(admin, "draft-complaint_type-0", "tree-draft-complaint_type-0", "网络类")
        await pick(admin, "draft-nature-0", "tree-draft-nature-0", "通信质量", "网速慢")
        await step(admin, 0, "核查", "check", "远程核查线路")
        await admin.at("draft-add-node").click()
        await step(admin, 1, "修复", "repair", "上门修复")
        await admin.at("draft-tracking").select_option("259200")
        await admin.pictures("processes-2-draft", *SIZES)
        await admin.at("draft-save").click()
        await admin.at("template-publish").click()
        first = admin.page.locator("[data-testid='template-version'][data-number='1']")
        await expect(first).to_have_attribute("data-state", "in_force")
        await expect(admin.at("version-tracking")).to_have_attribute("data-seconds", "259200")
        await expect(admin.at("version-tracking")).to_contain_text("跟踪 3 天")
        await pick(admin, "try-complaint_type", "tree-try-complaint_type", "网络类")
        await expect(admin.at("try-answer")).to_have_attribute("data-template", "network-complaint")
        await pick(admin, "try-nature", "tree-try-nature", "通信质量", "网速慢")
        await expect(admin.at("try-answer")).to_have_attribute("data-template", "speed")
        await expect(admin.at("try-answer")).to_contain_text("网络运行维护部")

        clerk = await house.person("1001")
        now = datetime.now(UTC)
        letter = {"channel": "letter", "received_at": (now - timedelta(minutes=5)).isoformat(), **complaint(now)}
        draft = await clerk.post("/api/orders", letter)
        order = await clerk.post(f"/api/orders/{draft['id']}/submit", {"version": draft["version"]})
        await clerk.post(f"/api/orders/{order['id']}/hand-to-senior", {"version": order["version"], "reason": "派单"})

        await admin.at("template-edit").click()
        await admin.fill("node-task-0", "先电话核实，再远程核查")
        await admin.fill("draft-note", "先电话核实")
        await admin.at("draft-save").click()
        await admin.at("template-publish").click()
        await expect(first).to_have_attribute("data-state", "retired")
        await expect(first.get_by_test_id("version-running")).to_contain_text("1")
        await admin.pictures("processes-3-versions", *SIZES)

        senior = await at_page(browser, house, "2001", f"/orders/{order['id']}")
        await expect(senior.at("order-process")).to_contain_text("第 1 版")
        await senior.at("step-open-dispatch").click()
        await expect(senior.at("step-plan")).to_contain_text("网速投诉处理")
        await expect(senior.at("step-words-0")).to_have_value("远程核查线路")
        await expect(senior.at("step-task-1")).to_contain_text("修复，核查 办结后下达")
        await senior.fill("step-input-opinion", "按模板办理")
        await senior.shot("processes-4-dispatch")
        await done(senior, "in_process")

        await admin.at("processes-tab-map").click()
        line = admin.page.locator("[data-testid='map-line'][data-duty='check'][data-unit='city.network']")
        await line.get_by_test_id("map-reassign").click()
        await pick(admin, "reassign-unit", "tree-reassign-unit", "市分公司", "计费账务中心")
        await admin.fill("reassign-reason", "机构调整")
        await expect(admin.at("reassign-live")).to_have_attribute("data-count", "2")
        await expect(admin.at("reassign-confirm")).to_be_disabled()
        await admin.at("reassign-follow").check()
        earlier = admin.at("reassign-live").get_by_test_id("reassign-work").filter(has_text="上门检测光路与端口")
        await earlier.get_by_role("checkbox").check()
        await admin.shot("processes-5-reassign")
        await admin.at("reassign-confirm").click()
        await expect(line).to_have_count(0)
        billing = await house.person("8002")
        inbox = await billing.get("/api/work-orders")
        assert [(work["unit"], work["task"], work["owner"]) for work in inbox["items"]] == [
            ("city.billing", "远程核查线路", "city.billing")
        ]
        await added.get_by_test_id("map-end").click()
        await admin.at("end-confirm").click()
        await expect(admin.at("end-reason-wrong")).to_have_text("请写明依据")
        await admin.fill("end-reason", "职责撤销")
        await admin.fill("end-day", f"{now - timedelta(days=2):%Y-%m-%d}")
        await admin.at("end-confirm").click()
        await expect(admin.at("end-day-wrong")).to_contain_text("时间已经过去")
        await admin.shot("processes-6-end")
        await admin.fill("end-day", "")
        await admin.at("end-confirm").click()
        await expect(added).to_have_count(0)
        await admin.at("language").click()
        await expect(admin.at("processes-tab-map")).to_have_text("Responsibility map")
        await admin.pictures("processes-7-english", *SIZES)
        for desk in (admin, senior):
            assert [fault for fault in desk.faults if "status of 4" not in fault] == []
