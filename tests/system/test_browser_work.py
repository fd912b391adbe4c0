"""Recorded complaints and callbacks in a real browser: heard, made an order of, put away; put off, called now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from cti.asterisk.provision import Installation
from tests.callbacks.vain import in_vain
from tests.dialer.booking import policy, policy_file
from tests.system import sound
from tests.system.browser import Desk, chromium
from tests.system.callers import Lines
from tests.system.desk_story import SHOTS, fill_order
from tests.system.house import PASSWORD, House
from ticketing.db import Database

pytestmark = pytest.mark.system

COMPLAINT = sound.tone(500, 6.0)


async def enter(desk: Desk, number: str, path: str) -> None:
    """Signed in to the page, at one of its addresses."""
    await desk.go("/login")
    await desk.fill("login-number", number)
    await desk.fill("login-password", PASSWORD)
    await desk.at("login-submit").click()
    await desk.at("nav-items").wait_for()
    await desk.page.locator(f"[data-testid='nav-{path}']").click()
    await desk.at(path).wait_for()


async def leave_message(lines: Lines, number: str) -> None:
    """Nobody is there: 1 for a complaint, 1 to leave it, the beep, a few words, and he hangs up content."""
    caller = await lines.caller(number)
    await caller.dial("1860")
    await caller.hears("greeting-1860", within_s=20)
    await caller.press("1")
    await caller.hears("overflow-offer", within_s=30)
    await caller.press("1")
    await caller.hears("beep", within_s=30)
    await caller.says(COMPLAINT)
    await caller.press("#")
    await caller.hears("record-review", within_s=20)
    await caller.press("#")
    await caller.hears("record-saved", within_s=20)
    await caller.hang_up()


@pytest.mark.req("TL-21", "IN-27", "IN-28", "K3", "PX-05")
async def test_a_clerk_hears_a_message_in_the_browser_and_makes_an_order_of_it(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """It appears by itself, is claimed, played, written and submitted; the next one is put away with a reason."""
    async with House(short_tmp, overflow=True) as house, Lines(house) as lines, chromium() as browser:
        desk = await Desk.open(browser, house.origin, SHOTS)
        await enter(desk, "6001", "items")
        await desk.at("items-none").wait_for()
        assert await desk.page.get_by_test_id("nav-count-items").count() == 0
        await leave_message(lines, "13800138002")
        await expect(desk.at("items")).to_have_attribute("data-count", "1", timeout=5_000)
        await expect(desk.at("nav-count-items")).to_have_text("1")
        await expect(desk.at("work-row-number")).to_have_text("138 **** 8002")
        await desk.page.get_by_test_id("work-row").press("Enter")
        serial = await desk.at("item").get_attribute("data-serial")
        await expect(desk.at("item-number")).to_have_text("138 **** 8002")
        assert await desk.page.get_by_test_id("item-order").count() == 0  # claimed first
        await desk.at("item-claim").click()
        await expect(desk.at("item")).to_have_attribute("data-state", "claimed")
        await expect(desk.at("items")).to_have_attribute("data-tab", "mine")
        await expect(desk.at("item-number")).to_have_text("138 0013 8002")
        await expect(desk.at("recording-wave")).to_have_attribute("data-drawn", "true", timeout=15_000)
        await desk.at("recording-play").click()
        await expect(desk.at("recording-time")).to_contain_text("0:02", timeout=15_000)
        await desk.pictures("items-claimed")
        await desk.at("item-order").click()
        await desk.at("order-form").wait_for(timeout=15_000)
        await expect(desk.at("recording-player")).to_be_in_viewport()  # beside the draft, whatever is typed
        await fill_order(desk)
        await expect(desk.at("order-missing")).to_have_attribute("data-count", "0")
        await desk.pictures("items-order")
        await desk.at("order-submit").click()
        await desk.at("order-done").wait_for(timeout=15_000)
        await expect(desk.at("item")).to_have_attribute("data-state", "done")
        await expect(desk.at("item-made")).to_have_attribute("data-state", "registered")
        await desk.at("done-next").click()

        await leave_message(lines, "13800138003")
        await desk.at("items-tab-new").click()
        await expect(desk.at("items")).to_have_attribute("data-count", "1", timeout=5_000)
        await desk.at("work-row").click()
        await desk.at("item-claim").click()
        await desk.at("item-release").click()
        await expect(desk.at("items")).to_have_attribute("data-tab", "new")
        await desk.at("item-claim").click()
        await desk.at("item-discard").click()
        await desk.at("item-discard-reason-nuisance").click()
        await desk.fill("item-discard-note", "广告录音")
        await desk.shot("items-discard")
        await desk.at("item-discard-confirm").click()
        await expect(desk.at("item-discarded")).to_have_attribute("data-reason", "nuisance")
        await expect(desk.at("item-discarded")).to_contain_text("广告录音")
        await desk.at("items-tab-done").click()
        await expect(desk.at("items")).to_have_attribute("data-count", "2")
        await desk.pictures("items-done")
        assert desk.faults == []
        clerk = await house.person("6001")
        (made,) = (await clerk.get(f"/api/items?serial={serial}"))["items"]
        assert (made["state"], made["outcome"], len(made["orders"])) == ("done", "met", 1)
        assert await clerk.get("/api/work-counts") == {
            "items_new": 0, "items_overdue": 0, "callbacks_listed": 0, "callbacks_overdue": 0,
            "papers_new": None, "papers_overdue": None, "originals_handed": None,
        }  # fmt: skip


@pytest.mark.req("TL-22", "TL-23", "K17")
async def test_a_callback_in_vain_is_decided_on_its_page(short_tmp: Path, asterisk_installation: Installation) -> None:
    """After its last attempt it stands on the list, is put off and called now; another is booked and cancelled."""
    at_any_hour = policy_file(short_tmp)  # whatever time of the day it is now, customers may be called
    async with House(short_tmp / "h", overflow=True, callback_policy=at_any_hour) as house, chromium() as browser:
        desk = await Desk.open(browser, house.origin, SHOTS)
        await enter(desk, "3001", "callbacks")
        await desk.at("callbacks-none").wait_for()
        half_an_hour = datetime.now(UTC) - timedelta(minutes=29, seconds=57)  # K17 runs out in a moment
        database = await Database.open(house.settings.database)
        await in_vain(database, policy(), half_an_hour, "13800138006")
        await database.close()
        await expect(desk.at("alert")).to_have_attribute("data-code", "callback_overdue", timeout=15_000)
        await expect(desk.at("nav-count-callbacks")).to_have_text("1")
        await expect(desk.at("nav-count-callbacks")).to_have_attribute("data-late", "1")
        await desk.at("alert-open").click()
        await expect(desk.at("callback")).to_have_attribute("data-state", "failed")
        await expect(desk.at("callback-clock")).to_have_attribute("data-card", "red")
        await desk.at("callbacks-tab-listed").click()
        await expect(desk.at("callbacks")).to_have_attribute("data-count", "1")
        await desk.at("callback-decide").wait_for()
        await expect(desk.at("callback-try")).to_have_attribute("data-outcome", "no_answer")
        await expect(desk.at("callback-number")).to_have_text("138 0013 8006")
        await desk.pictures("callbacks-listed")

        await desk.at("callback-later").click()
        await desk.at("later-twoHours").click()
        await desk.shot("callbacks-later")
        await desk.at("later-confirm").click()
        await expect(desk.at("callback")).to_have_attribute("data-state", "pending")
        await expect(desk.at("callbacks")).to_have_attribute("data-count", "0")
        assert await _next(desk) > datetime.now(UTC) + timedelta(minutes=110)
        await desk.at("callback-now").click()
        await desk.at("callback-told").wait_for()
        assert await _next(desk) <= datetime.now(UTC)
        await desk.at("callback-hand-on").click()
        await desk.fill("hand-on-number", "7777")
        await desk.at("hand-on-reason").select_option("overload")
        await desk.at("hand-on-confirm").click()
        await desk.at("hand-on-error").wait_for()
        await desk.fill("hand-on-number", "2001")
        await desk.at("hand-on-confirm").click()
        await expect(desk.at("callback-owner")).to_have_text("2001")

        await desk.at("callback-book").click()
        await desk.fill("book-number", "139 0013 9000")
        await desk.page.locator("[data-spoken]").first.click()  # the soonest there is
        await desk.shot("callbacks-book")
        await desk.at("book-confirm").click()
        await desk.at("callback-told").wait_for()
        await expect(desk.at("callbacks")).to_have_attribute("data-count", "2")
        await desk.at("callback-cancel").click()
        await expect(desk.at("callback-cancel-confirm")).to_be_disabled()
        await desk.fill("callback-cancel-note", "客户已在营业厅解决")
        await desk.at("callback-cancel-confirm").click()
        await expect(desk.at("callback")).to_have_attribute("data-state", "cancelled")
        await expect(desk.at("callback-note")).to_contain_text("营业厅")
        await desk.at("callbacks-tab-ended").click()
        await expect(desk.at("callbacks")).to_have_attribute("data-count", "1")
        await desk.pictures("callbacks-ended", (1440, 900))
        # the refusals that were provoked are the browser's errors, and no others
        assert [fault for fault in desk.faults if "404" not in fault] == []


async def _next(desk: Desk) -> datetime:
    """When the callback that is open is dialled next."""
    at = await desk.at("callback-next").get_attribute("data-at")
    assert at is not None
    return datetime.fromisoformat(at)


@pytest.mark.req("TL-26")
async def test_a_supervisor_switches_an_announcement_on_and_off_in_the_browser(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """On for an hour at one number, prolonged, off; it then stands among those that are over."""
    async with House(short_tmp) as house, chromium() as browser:
        desk = await Desk.open(browser, house.origin, SHOTS)
        await enter(desk, "3001", "announcements")
        await desk.at("announce-announcement-outage").click()
        await desk.at("announce-line-1860").click()
        await desk.at("announce-ends-hour").click()
        await desk.fill("announce-note", "海淀区光缆中断")
        await desk.at("announce-on").click()
        await expect(desk.at("announcements-on")).to_have_attribute("data-count", "1")
        await expect(desk.at("announcement")).to_have_attribute("data-state", "on")
        await expect(desk.at("announcement")).to_contain_text("网络出现故障")
        await desk.pictures("announcements")
        seen = await house.person("1001")
        (before,) = (await seen.get("/api/announcements"))["items"]
        async with desk.page.expect_response("**/times"):
            await desk.at("announcement-prolong").click()
        (after,) = (await seen.get("/api/announcements"))["items"]
        assert datetime.fromisoformat(after["ends_at"]) - datetime.fromisoformat(before["ends_at"]) == timedelta(
            hours=1
        )
        await desk.at("announcement-off").click()
        await expect(desk.at("announcements-over")).to_have_attribute("data-count", "1")
        await expect(desk.at("announcements-on")).to_have_attribute("data-count", "0")
        assert (await seen.get("/api/announcements"))["items"] == []
        assert desk.faults == []
