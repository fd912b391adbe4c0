"""What an administrator sets, in a real browser: vocabularies, working calendars with shifts and holidays, limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.house import Agent, House
from tests.system.test_browser_workflow import at_page

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]


@pytest.mark.req("AD-01", "IN-03", "G12", "MN-08", "TL-72")
async def test_an_administrator_sets_words_calendars_and_limits(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        clerk = await house.person("1001")
        desk = await at_page(browser, house, "9001", "/orders")
        await desk.at("nav-rules").click()
        await _words(desk, clerk)
        await _calendars(desk, clerk)
        await _limits(desk, clerk)
        outsider = await at_page(browser, house, "2001", "/rules")
        await expect(outsider.at("rules")).to_have_count(0)
        await expect(outsider.at("nav-rules")).to_have_count(0)
        assert desk.faults == []


def _entry(desk: Desk, code: str) -> Locator:
    return desk.page.locator(f"[data-testid='entry'][data-code='{code}']")


async def _save(desk: Desk) -> None:
    await desk.at("entry-save").click()
    await expect(desk.at("entry-form").filter(has_not=desk.page.get_by_test_id("entry-error"))).to_have_count(0)
    assert await desk.at("entry-form").count() == 0, await desk.at("entry-error").inner_text()


async def _choosable(clerk: Agent, kind: str) -> dict[str, list[str]]:
    """Names a clerk may choose from now, by branch, in their order."""
    trees = await clerk.get("/api/taxonomies")
    return {node["code"]: [each["label"]["zh"] for each in node["children"]] for node in trees[kind]}


async def _words(desk: Desk, clerk: Agent) -> None:
    """An entry is added below a branch, renamed, put in its place, retired from tomorrow, at once, and used again."""
    await expect(_entry(desk, "data.broadband")).to_have_attribute("data-depth", "1")
    before = await _choosable(clerk, "business")
    await desk.at("entry-below-data").click()
    await desk.fill("entry-name", "fiber")
    await desk.fill("entry-zh", "光纤入户")
    await expect(desk.at("entry-save")).to_be_disabled()  # both languages are needed
    await desk.fill("entry-en", "Fibre")
    await desk.shot("rules-0-entry")
    await _save(desk)
    fiber = _entry(desk, "data.fiber")
    await expect(fiber).to_have_attribute("data-state", "open")
    await desk.at("entry-rename-data.fiber").click()
    await desk.fill("entry-zh", "光宽带")
    await _save(desk)
    await expect(fiber).to_contain_text("光宽带")
    assert (await _choosable(clerk, "business"))["data"] == [*before["data"], "光宽带"]

    await desk.at("entry-move-data.fiber").click()
    await desk.at("entry-before").select_option("data.broadband")
    await _save(desk)
    assert (await _choosable(clerk, "business"))["data"][0] == "光宽带"

    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    await desk.at("entry-close-data.fiber").click()
    await desk.fill("entry-from", tomorrow)
    await _save(desk)
    await expect(fiber).to_have_attribute("data-state", "closing")
    await desk.at("entry-open-data.fiber").click()
    await _save(desk)
    await expect(fiber).to_have_attribute("data-state", "open")
    await desk.at("entry-close-data.fiber").click()
    await _save(desk)
    await expect(fiber).to_have_attribute("data-state", "closed")
    assert (await _choosable(clerk, "business"))["data"] == before["data"]
    await desk.pictures("rules-1-words")

    await desk.at("words-channel").click()  # the product acts on these: words only
    await desk.at("words-fixed").wait_for()
    await expect(desk.page.get_by_test_id("entry-add")).to_have_count(0)
    await desk.at("words-satisfaction").click()
    await expect(desk.page.get_by_test_id("entry-close-later")).to_have_count(0)
    await desk.at("entry-rename-later").wait_for()


async def _calendars(desk: Desk, clerk: Agent) -> None:
    """Two shifts a day, a holiday and its make-up day are published as a further version, and a unit works by it."""
    await desk.at("rules-tab-calendars").click()
    await desk.at("calendar-office").click()
    calendar = desk.at("calendar")
    await expect(calendar).to_have_attribute("data-version", "1")
    await expect(desk.at("shifts-mon")).to_have_attribute("data-count", "2")
    await desk.at("shift-sat-add").click()
    await desk.fill("shift-sat-0-from", "09:00")
    await desk.fill("shift-sat-0-to", "11:30")
    await desk.at("shift-sat-add").click()
    await desk.fill("shift-sat-1-from", "11:00")
    await desk.fill("shift-sat-1-to", "15:00")
    await expect(desk.at("calendar-overlap")).to_contain_text("周六")
    await expect(desk.at("calendar-publish")).to_be_disabled()
    await desk.fill("shift-sat-1-from", "13:00")
    await expect(desk.at("calendar-overlap")).to_have_count(0)
    last = int(await desk.at("holidays").get_attribute("data-count") or 0)
    await desk.at("holidays-add").click()
    await desk.fill(f"holidays-{last}-first", "2027-01-01")
    await desk.fill(f"holidays-{last}-last", "2027-01-03")
    last = int(await desk.at("workdays").get_attribute("data-count") or 0)
    await desk.at("workdays-add").click()
    await desk.fill(f"workdays-{last}-first", "2027-01-09")
    await desk.at("calendar-publish").click()
    await expect(calendar).to_have_attribute("data-version", "2")
    found = {each["code"]: each for each in (await clerk.get("/api/calendars"))["items"]}["office"]
    assert found["fields"]["sat"] == ["09:00-11:30", "13:00-15:00"]
    assert found["fields"]["mon"] == ["08:30-12:00", "13:30-18:00"]
    assert "2027-01-01/2027-01-03" in found["fields"]["holidays"]
    assert "2027-01-09" in found["fields"]["workdays"]
    assert (found["published_by"], 2027 in found["unknown_years"]) == ("9001", False)

    await desk.at("unit-new").locator(".el-cascader").click()
    await desk.page.locator(".tree-rule-unit").get_by_text("市分公司", exact=True).hover()
    billing = desk.page.locator(".tree-rule-unit .el-cascader-node", has_text="计费账务中心")
    await billing.locator("label").click()
    await desk.page.keyboard.press("Escape")
    await desk.at("unit-new-calendar").select_option("field")
    await desk.at("unit-assign").click()
    row = desk.page.locator("[data-testid='unit-calendar'][data-unit='city.billing']")
    await expect(row).to_have_attribute("data-calendar", "field")
    await desk.at("unit-calendar-city.billing").select_option("office")
    await expect(row).to_have_attribute("data-calendar", "office")
    await desk.pictures("rules-2-calendars")
    await desk.at("unit-inherit-city.billing").click()
    await expect(row).to_have_count(0)


async def _limits(desk: Desk, clerk: Agent) -> None:
    """The reply gets six hours, its yellow card an hour and a half before; then as shipped again."""
    await desk.at("rules-tab-limits").click()
    reply = desk.page.locator("[data-testid='limit'][data-code='K12']")
    await expect(reply).to_have_attribute("data-target", "14400")
    await desk.at("limit-edit-K12").click()
    await desk.fill("limit-target", "6")
    await desk.fill("limit-lead", "6")
    await desk.at("limit-wrong").wait_for()
    await expect(desk.at("limit-save")).to_be_disabled()
    await desk.fill("limit-lead", "1.5")
    await desk.shot("rules-3-limit-edited")
    await desk.at("limit-save").click()
    await expect(reply).to_have_attribute("data-target", "21600")
    await expect(reply).to_have_attribute("data-lead", "5400")
    await expect(reply.get_by_test_id("limit-changed")).to_contain_text("9001")
    found = {each["code"]: each for each in (await clerk.get("/api/clock-limits"))["items"]}
    assert (found["K12"]["target_s"], found["K12"]["lead_s"]) == (21600, 5400)
    await expect(desk.page.get_by_test_id("limit-edit-K17")).to_have_count(0)  # its limit stands in the data file
    await desk.pictures("rules-4-limits")
    await desk.at("limit-reset-K12").click()
    await expect(reply).to_have_attribute("data-target", "14400")
    await expect(reply.get_by_test_id("limit-changed")).to_have_count(0)
