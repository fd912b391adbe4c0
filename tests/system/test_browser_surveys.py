"""The surveyor's page in a real browser: who needs it most first; in vain, the customer's profile, again, well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from cti.asterisk.provision import Installation
from tests.system.browser import chromium
from tests.system.house import Agent, House
from tests.system.test_browser_workflow import at_page, choose
from tests.web.test_orders import complaint

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]


async def answered(clerk: Agent, satisfaction: str, **changes: Any) -> dict[str, Any]:
    """A complaint answered at once."""
    now = datetime.now(UTC)
    letter = {"channel": "letter", "received_at": (now - timedelta(minutes=5)).isoformat(), **complaint(now), **changes}
    draft = await clerk.post("/api/orders", letter)
    order = await clerk.post(f"/api/orders/{draft['id']}/submit", {"version": draft["version"]})
    said = {"version": order["version"], "opinion": "已解释", "satisfaction": satisfaction, "fcr": True}
    found: dict[str, Any] = await clerk.post(f"/api/orders/{order['id']}/answer", said)
    return found


@pytest.mark.req("SV-02", "SV-04", "SV-05", "SV-06", "SV-09", "T23", "T24")
async def test_the_surveyor_calls_who_needs_it_most(short_tmp: Path, asterisk_installation: Installation) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        clerk = await house.person("1001")
        (customer,) = (await clerk.get("/api/customers?number=13800138002"))["items"]
        plain = await answered(clerk, "satisfied", customer_id=customer["id"])
        unhappy = await answered(clerk, "dissatisfied")

        surveyor = await at_page(browser, house, "7001", "/surveys")
        rows = surveyor.page.get_by_test_id("survey-row")
        await expect(rows.first).to_have_attribute("data-serial", unhappy["serial"])
        await rows.first.click()
        await surveyor.at("step-open-redispatch").click()
        await choose(surveyor, "cause", "未发现问题")
        await surveyor.fill("step-input-wanted", "请再查一次")
        await surveyor.fill("step-words-0", "重新测速")
        await surveyor.fill("step-input-opinion", "客户仍不满意")
        await surveyor.at("step-confirm").click()
        row = surveyor.page.locator(f"[data-testid='survey-row'][data-serial='{unhappy['serial']}']")
        await expect(row).to_have_count(0)

        await surveyor.page.locator(f"[data-testid='survey-row'][data-serial='{plain['serial']}']").click()
        await surveyor.at("vain-why").select_option("no_answer")
        await surveyor.fill("vain-note", "响铃未接")
        await surveyor.at("vain-save").click()
        await expect(surveyor.at("vain-made")).to_have_attribute("data-made", "1")
        await expect(surveyor.at("history-attempt")).to_contain_text("响铃未接")
        await surveyor.at("profile-education").select_option("college")
        await surveyor.at("profile-age").select_option("refused")
        await surveyor.at("profile-save").click()
        await expect(surveyor.at("profile-known-education")).to_contain_text("大专或本科")
        await expect(surveyor.at("profile-known-age")).to_contain_text("不愿回答")
        await surveyor.pictures("surveys-1")
        await surveyor.at("language").click()
        await expect(surveyor.at("profile-known-education")).to_contain_text("College")
        await surveyor.pictures("surveys-2-english")
        await surveyor.at("language").click()
        await surveyor.at("step-open-rate").click()
        await surveyor.at("step-outcome-satisfied").click()
        await surveyor.at("step-grade-very_satisfied").click()
        await surveyor.at("step-confirm").click()
        await expect(surveyor.at("step-form")).to_have_count(0)
        row = surveyor.page.locator(f"[data-testid='survey-row'][data-serial='{plain['serial']}']")
        await expect(row).to_have_count(0)
        closed = await clerk.get(f"/api/orders/{plain['id']}")
        assert closed["state"] == "closed"

        again = await answered(clerk, "satisfied", repeat_of=plain["serial"])
        await surveyor.go(f"/surveys/{again['id']}")
        await surveyor.at("step-open-rate").click()
        await surveyor.at("step-outcome-satisfied").click()
        await surveyor.at("step-grade-satisfied").click()
        await surveyor.at("step-confirm").click()
        await expect(surveyor.at("step-handled")).to_have_attribute("data-missing", "true")
        await choose(surveyor, "cause", "未发现问题")
        await surveyor.at("step-handled-explained").click()
        await surveyor.at("step-confirm").click()
        await expect(surveyor.at("step-form")).to_have_count(0)
        assert (await clerk.get(f"/api/orders/{again['id']}"))["state"] == "closed"
        assert [fault for fault in surveyor.faults if "status of 422" not in fault] == []
