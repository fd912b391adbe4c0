"""Departments and their supervisor on pages: several taken at once, a file, a later limit, a sheet of paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FilePayload, expect

from cti.asterisk.provision import Installation
from tests.system.browser import chromium
from tests.system.house import House
from tests.system.test_browser_workflow import at_page
from tests.web.test_orders import complaint

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]

WELL = {"valid": True, "serial": True, "complainant_type": True, "complaint_type": True}
TASK = {"unit": "city.network", "task": "上门检测光路与端口", "limit_s": 86400}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(600)


async def dispatched(house: House, count: int) -> list[dict[str, Any]]:
    """Complaints the seniors have sent to the network department."""
    clerk, senior = await house.person("1001"), await house.person("2001")
    orders = []
    for _ in range(count):
        now = datetime.now(UTC)
        letter = {"channel": "letter", "received_at": (now - timedelta(minutes=5)).isoformat(), **complaint(now)}
        order = await clerk.post("/api/orders", letter)
        for who, verb, said in (
            (clerk, "submit", {}),
            (clerk, "hand-to-senior", {"reason": "需派单"}),
            (senior, "dispatch", {"opinion": "请尽快上门", "checks": WELL, "tasks": [TASK]}),
        ):
            order = await who.post(f"/api/orders/{order['id']}/{verb}", {"version": order["version"], **said})
        orders.append(order)
    return orders


@pytest.mark.req("PX-04", "PX-05")
async def test_a_department_and_its_supervisor(short_tmp: Path, asterisk_installation: Installation) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        orders = await dispatched(house, 3)
        serial = orders[0]["serial"]

        unit = await at_page(browser, house, "8001", "/work")
        rows = [unit.page.locator(f"[data-testid='work-order'][data-serial='{each['serial']}']") for each in orders]
        for row in rows:
            await row.get_by_test_id("work-choose").click()
        await unit.at("work-accept-all").click()
        await expect(unit.at("work-taken")).to_contain_text("3")
        for row in rows:
            await expect(row).to_have_attribute("data-state", "accepted")
        task = unit.page.locator(f"[data-testid='work-order'][data-serial='{serial}']")
        photo: FilePayload = {"name": "现场照片.png", "mimeType": "image/png", "buffer": PNG}
        await task.get_by_test_id("work-file-input").set_input_files(photo)
        await expect(task.get_by_test_id("work-file")).to_contain_text("现场照片.png")
        await task.get_by_test_id("work-ask_extension").click()
        await unit.at("step-reason-parts").click()
        await unit.fill("step-input-note", "备件周四到货")
        await unit.shot("oversight-1-ask")
        await unit.at("step-confirm").click()
        await expect(task.get_by_test_id("work-extending")).to_be_visible()
        await unit.pictures("oversight-2-inbox")

        chief = await at_page(browser, house, "3001", "/board")
        await expect(chief.at("extension")).to_have_attribute("data-serial", serial)
        await expect(chief.page.locator(f"[data-testid='flow-card'][data-serial='{serial}']")).to_be_visible()
        await chief.pictures("oversight-3-board")
        before = int(await chief.at("flow").get_attribute("data-total") or 0)
        (fresh,) = await dispatched(house, 1)
        # pushed: the page would look again by itself only after half a minute
        await expect(chief.at("flow")).to_have_attribute("data-total", str(before + 1), timeout=10_000)
        card = chief.page.locator(
            f"[data-testid='flow-state'][data-state='in_process'] [data-serial='{fresh['serial']}']"
        )
        await expect(card).to_be_visible(timeout=10_000)
        await chief.at("extension-grant").click()
        await chief.fill("step-input-opinion", "同意，备件到后当日完成")
        await chief.at("step-confirm").click()
        await expect(chief.at("extensions")).to_have_attribute("data-count", "0")

        await unit.page.reload()
        await expect(task.get_by_test_id("work-acknowledge")).to_be_visible()
        await task.get_by_test_id("work-print").click()
        await expect(unit.at("print")).to_have_attribute("data-ready", "true")
        sheet = unit.at("print")
        for words in ("上门检测光路与端口", "现场照片.png", "同意，备件到后当日完成", "等待备件或施工"):
            await expect(sheet).to_contain_text(words)
        await unit.pictures("oversight-4-print")
        await unit.page.emulate_media(media="print")
        await expect(unit.at("print-now")).to_be_hidden()
        await expect(unit.at("who")).to_be_hidden()
        await expect(sheet).to_be_visible()
        # a supervisor hands an order on, and a junior hands over before he leaves
        clerk = await house.person("1001")
        await clerk.post("/api/orders", {"channel": "letter", "received_at": datetime.now(UTC).isoformat()})
        kept = (await clerk.get("/api/handover"))["items"]
        assert {each["kind"] for each in kept} >= {"draft"}
        junior = await at_page(browser, house, "1001", "/")
        await junior.at("page-sign-out").click()
        await expect(junior.at("handover")).to_have_attribute("data-count", str(len(kept)))
        await junior.shot("oversight-5-handover")
        await junior.fill("handover-number", "8001")
        await junior.at("handover-person").click()
        await expect(junior.at("handover-error")).to_be_visible()
        await junior.shot("oversight-6-refused")
        await junior.at("handover-queue").click()
        await junior.at("login-number").wait_for()
        assert (await (await house.person("1001")).get("/api/handover"))["items"] == []

        await chief.go(f"/orders/{orders[1]['id']}")
        await chief.at("step-open-reassign").click()
        await chief.at("step-reason-absent").click()
        await chief.fill("step-input-person", "4001")
        await chief.at("step-confirm").click()
        await expect(chief.at("order-trail")).to_contain_text("改派经办人")
        watcher = await house.person("3001")
        assert (await watcher.get(f"/api/orders/{orders[1]['id']}"))["owner"] == "4001"
        for desk in (unit, chief):
            assert desk.faults == []
