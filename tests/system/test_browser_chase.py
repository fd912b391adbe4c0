"""催单 on pages: a department's inbox is told at once, its receipt and its text messages stand on the order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from cti.asterisk.provision import Installation
from tests.system.browser import chromium
from tests.system.house import House
from tests.system.test_browser_workflow import at_page
from tests.web.test_orders import complaint
from tests.web.test_workflow import TASK, WELL

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]


@pytest.mark.req("T29", "SV-03", "PX-05", "TL-25")
async def test_a_department_is_urged_and_gives_its_receipt(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    async with House(short_tmp, message_gateway="file") as house, chromium() as browser:
        clerk, chief = await house.person("1001"), await house.person("2001")
        now = datetime.now(UTC)
        letter = {"channel": "letter", "received_at": (now - timedelta(minutes=5)).isoformat(), **complaint(now)}
        order = await clerk.post("/api/orders", letter)
        at = f"/api/orders/{order['id']}"
        order = await clerk.post(f"{at}/submit", {"version": order["version"]})
        order = await clerk.post(f"{at}/hand-to-senior", {"version": order["version"], "reason": "超出范围"})
        network = await at_page(browser, house, "8001", "/work")
        sent = {"opinion": "请处理", "checks": WELL, "tasks": [TASK]}
        order = await chief.post(f"{at}/dispatch", {"version": order["version"], **sent})
        serial = order["serial"]
        task = network.page.locator(f"[data-testid='work-order'][data-serial='{serial}']")
        await expect(network.at("work-news")).to_have_attribute("data-serial", serial)
        await expect(task).to_have_attribute("data-state", "sent")

        senior = await at_page(browser, house, "2001", f"/orders/{order['id']}")
        await senior.at("step-open-chase").click()
        await senior.at("step-asked_by-customer").click()
        await senior.fill("step-input-reason", "客户第三次来电催办")
        await senior.at("step-confirm").click()
        await expect(senior.at("chase")).to_have_attribute("data-outstanding", "true")
        await expect(senior.page.locator("[data-testid='notice'][data-kind='order_number']")).to_have_attribute(
            "data-state", "sent"
        )

        await expect(network.at("work-news")).to_have_attribute("data-news", "chased")
        await expect(task.get_by_test_id("work-chased")).to_contain_text("客户第三次来电催办")
        await network.pictures("chase-1-inbox")
        await expect(task.get_by_test_id("work-acknowledge")).to_have_text("签收催单")
        await task.get_by_test_id("work-acknowledge").click()
        await expect(task.get_by_test_id("work-chased")).to_have_count(0)
        await task.get_by_test_id("work-accept").click()
        await expect(task).to_have_attribute("data-state", "accepted")
        await senior.page.reload()
        await expect(senior.at("chase")).to_have_attribute("data-outstanding", "false")
        await expect(senior.at("chase")).to_contain_text("8001")
        trail = senior.at("order-trail")
        await expect(trail.locator("[data-action='acknowledge']")).to_contain_text("签收催单")
        await expect(trail.locator("[data-action='accept'][data-work='1']")).to_contain_text("部门受理")
        await senior.pictures("chase-2-order")
        for desk in (network, senior):
            assert desk.faults == []
