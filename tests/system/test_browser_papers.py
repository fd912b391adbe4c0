"""A letter in a real browser: registered, scanned, entered, its original handed over and filed; a visitor (KB-11)."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.desk_story import SHOTS, fill_order
from tests.system.house import PASSWORD, House

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]

SCAN = b"%PDF-1.7\nscan of a letter\n%%EOF\n"


async def at_papers(browser: Browser, house: House, number: str) -> Desk:
    """Somebody signed in, at the page of papers."""
    desk = await Desk.open(browser, house.origin, SHOTS)
    await desk.go("/login")
    await desk.fill("login-number", number)
    await desk.fill("login-password", PASSWORD)
    await desk.at("login-submit").click()
    await desk.at("nav-papers").click()
    await desk.at("papers").wait_for()
    return desk


@pytest.mark.req("IN-25", "IN-26", "CL-01", "KB-11")
async def test_a_letter_is_entered_and_its_original_filed(short_tmp: Path, asterisk_installation: Installation) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        clerk = await at_papers(browser, house, "6101")
        await clerk.at("register").click()
        await clerk.at("register-now").click()
        await clerk.fill("register-sender", "李女士")
        await clerk.fill("register-number", "13900139000")
        await clerk.fill("register-mail-number", "RA123456789CN")
        await clerk.fill("register-subject", "宽带断网无人上门")
        await clerk.at("register-confirm").click()
        await expect(clerk.at("paper")).to_have_attribute("data-state", "claimed")
        await expect(clerk.at("papers")).to_have_attribute("data-tab", "mine")
        wrong = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": b"MZ\x90\x00"}
        await clerk.at("paper-add-file").set_input_files(wrong)  # type: ignore[arg-type]
        await expect(clerk.at("paper-failure")).to_contain_text("PDF")
        scan = {"name": "投诉信.pdf", "mimeType": "application/pdf", "buffer": SCAN}
        await clerk.at("paper-add-file").set_input_files(scan)  # type: ignore[arg-type]
        await expect(clerk.at("paper-files")).to_have_attribute("data-count", "1")
        async with clerk.page.expect_download() as given:
            await clerk.at("paper-file").click()
        saved = await given.value
        assert saved.suggested_filename == "投诉信.pdf"
        assert (await saved.path()).read_bytes() == SCAN
        await clerk.pictures("papers-claimed")
        await clerk.at("paper-order").click()
        await clerk.at("order-form").wait_for(timeout=15_000)
        order_id = await clerk.at("order-form").get_attribute("data-order-id")
        await fill_order_of_a_letter(clerk)
        await clerk.at("order-submit").click()
        await clerk.at("order-done").wait_for(timeout=15_000)
        await expect(clerk.at("paper")).to_have_attribute("data-state", "done")
        await expect(clerk.at("paper-made")).to_have_attribute("data-state", "registered")
        await clerk.at("original-hand_over").click()
        await clerk.fill("original-to", "5001")
        await clerk.at("original-confirm").click()
        await expect(clerk.at("original")).to_have_attribute("data-state", "handed")

        reader = await at_papers(browser, house, "2001")
        await reader.go(f"/orders/{order_id}")
        await expect(reader.at("order-scans")).to_have_attribute("data-count", "1")
        async with reader.page.expect_download() as of_order:
            await reader.at("order-scan").click()
        assert (await (await of_order.value).path()).read_bytes() == SCAN

        keeper = await at_papers(browser, house, "5001")
        await expect(keeper.at("nav-count-papers")).to_have_text("1")
        await keeper.at("papers-tab-handed").click()
        await keeper.at("work-row").click()
        await keeper.at("original-file").click()
        await expect(keeper.at("original-confirm")).to_be_disabled()
        await keeper.fill("original-place", "三号柜 第 2 册")
        await keeper.at("original-confirm").click()
        await expect(keeper.at("original")).to_have_attribute("data-state", "filed")
        await expect(keeper.at("original-lies")).to_have_text("三号柜 第 2 册")
        await expect(keeper.at("custody")).to_have_attribute("data-count", "2")
        await keeper.pictures("papers-filed")

        await clerk.at("done-next").click()
        await clerk.at("visitor").click()
        await clerk.at("order-form").wait_for(timeout=15_000)
        person = await house.person("6101")
        kinds = {each["state"] for each in (await person.get("/api/orders?mine=true"))["items"]}
        assert "draft" in kinds
        assert [fault for fault in clerk.faults if "422" not in fault] == []  # the file that was refused
        assert (len(clerk.faults), keeper.faults) == (1, [])


async def fill_order_of_a_letter(desk: Desk) -> None:
    """What a complaint needs beyond what the register gave: the number stays as the sender wrote it."""
    await fill_order(desk, same=False)
    await desk.at("choice-complainant_type-ordinary").click()
    await desk.at("coded-contact_address-refused").click()
    await expect(desk.at("order-missing")).to_have_attribute("data-count", "0")
