"""Searching by any conditions, a spreadsheet really downloaded, uncovering, the logs and the people, each on a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.async_api import Download, expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.house import House
from tests.system.test_browser_workflow import at_page
from tests.web.test_exports import NINE
from tests.web.test_orders import complaint

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]


async def kept(desk: Desk, button: str, folder: Path) -> Path:
    """What the browser keeps when the button is pressed."""
    async with desk.page.expect_download(timeout=60_000) as waiting:
        await desk.at(button).click()
    file: Download = await waiting.value
    await file.save_as(folder / file.suggested_filename)
    return folder / file.suggested_filename


@pytest.mark.req("AU-01", "AU-02", "AU-03", "AU-05", "AD-04", "S20", "TL-72")
async def test_what_is_found_is_kept_covered_logged_and_administered(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        clerk = await house.person("1001")
        now = datetime.now(UTC)
        words = {**complaint(now), "description": "=cmd|晚间网速慢"}
        letter = {"channel": "letter", "received_at": (now - timedelta(minutes=5)).isoformat(), **words}
        draft = await clerk.post("/api/orders", letter)
        order = await clerk.post(f"/api/orders/{draft['id']}/submit", {"version": draft["version"]})

        senior = await at_page(browser, house, "2001", "/orders")
        await senior.at("search-more").click()
        await senior.page.locator("[data-testid='condition-channel'] .el-cascader").click()
        await senior.page.locator(".tree-condition-channel").get_by_text("信函", exact=True).click()
        await senior.page.keyboard.press("Escape")
        await senior.at("condition-urgent").select_option("false")
        await senior.fill("condition-received_by", "1001")
        await senior.at("filter-search").click()
        await expect(senior.at("orders")).to_have_attribute("data-count", "1")
        await senior.pictures("query-1-conditions")
        book = load_workbook(await kept(senior, "export-xlsx", short_tmp))
        heads, row = ([cell.value for cell in each] for each in book["定单"].iter_rows())
        found = dict(zip(heads, row, strict=True))
        assert (found["单号"], found["事件描述"], found["受理方式"]) == (order["serial"], words["description"], "信函")
        assert [cell.value for cell in book["办理轨迹"][1]][2:] == NINE
        plain = (await kept(senior, "export-csv", short_tmp)).read_bytes()
        assert plain.startswith(b"\xef\xbb\xbf")
        assert "'=cmd|晚间网速慢" in plain.decode("utf-8-sig")

        archivist = await at_page(browser, house, "5001", f"/orders/{order['id']}")
        await expect(archivist.at("read-contact_name")).to_have_text("李**")
        await expect(archivist.at("order-track")).to_have_attribute("data-count", "2")
        await archivist.at("order-uncover").click()
        await archivist.fill("uncover-note", "核对原件")
        await archivist.at("uncover-confirm").click()
        await expect(archivist.at("read-contact_name")).to_have_text("李女士")
        await archivist.pictures("query-2-uncovered")
        await archivist.page.reload()
        await expect(archivist.at("read-contact_name")).to_have_text("李**")

        admin = await at_page(browser, house, "9001", "/audit")
        await admin.fill("audit-verb", "order.uncovered")
        await admin.at("audit-search").click()
        await expect(admin.at("audit-rows")).to_have_attribute("data-count", "1")
        await expect(admin.at("audit-row")).to_contain_text("核对原件")
        await admin.fill("audit-verb", "order.exported")
        await admin.at("audit-log-queries").click()
        await expect(admin.at("audit-rows")).to_have_attribute("data-count", "2")
        await expect(admin.at("audit-row")).to_have_attribute("data-actor", "2001")
        await admin.pictures("query-3-audit")

        await admin.at("nav-staff").click()
        await admin.at("person-new").click()
        for name, value in (("person-number", "1003"), ("person-name", "刘洋")):
            await admin.fill(name, value)
        await admin.at("person-post-JA").check()
        await admin.at("person-save").click()
        await expect(admin.at("person-error")).to_contain_text("资格")
        await admin.fill("person-override", "试用期，考核排在本月")
        await admin.at("person-save").click()
        added = admin.page.locator("[data-testid='person'][data-number='1003']")
        await expect(added).to_contain_text("资格待补")
        await admin.at("qualify-post").select_option("JA")
        await admin.fill("qualify-what", "初级话务员考核合格")
        await admin.fill("qualify-obtained", f"{now:%Y-%m-%d}")
        await admin.at("qualify-save").click()
        await expect(added).not_to_contain_text("资格待补")
        await admin.at("person-reset").click()
        await expect(admin.at("person-token")).not_to_be_empty()
        await admin.pictures("query-4-staff")
        for desk in (senior, archivist, admin):
            assert [fault for fault in desk.faults if "status of 409" not in fault] == []
