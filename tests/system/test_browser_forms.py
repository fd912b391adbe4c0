"""The prompted form and the list of nuisance callers, each on its page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from cti.asterisk.provision import Installation
from tests.system.browser import chromium
from tests.system.house import House
from tests.system.test_browser_workflow import at_page

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]


@pytest.mark.req("IN-05", "IN-16", "IN-17", "IN-24", "PX-02")
async def test_the_form_follows_the_type_and_a_number_is_listed(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    async with House(short_tmp) as house, chromium() as browser:
        clerk = await house.person("1001")
        letter = {"channel": "walk_in", "received_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat()}
        draft = await clerk.post("/api/orders", letter)
        junior = await at_page(browser, house, "1001", f"/orders/{draft['id']}")
        await junior.at("order-resume").click()
        await junior.at("choice-kind-complaint").click()
        await junior.at("choice-complaint_type-charges").click()
        await expect(junior.at("order-template")).to_have_attribute("data-template", "charges")
        await expect(junior.at("prompt-service_number")).to_have_text("被扣费的号码")
        await expect(junior.at("field-operation_serial")).to_have_attribute("data-missing", "true")
        words = junior.at("input-description")
        await expect(words).to_have_value(re.compile("^账期："))  # the outline of the template: no answer yet
        await expect(junior.at("field-description")).to_have_attribute("data-missing", "true")
        await junior.at("phrase-description").select_option("not-ordered")
        await expect(words).to_have_value(re.compile("客户否认订购该业务。$"))
        await expect(junior.at("field-description")).to_have_attribute("data-missing", "false")
        await junior.at("coded-operation_serial-not_applicable").click()
        await expect(junior.at("field-operation_serial")).to_have_attribute("data-missing", "false")
        await expect(junior.at("order-saving")).to_have_attribute("data-state", "saved")
        await junior.choose("business", "数据通信", "宽带")
        await junior.at("choice-complaint_type-network").click()
        await expect(junior.at("order-template")).to_have_attribute("data-template", "network-data")
        await expect(junior.at("prompt-service_number")).to_have_text("宽带账号或专线号")
        await expect(words).to_have_value(re.compile("客户否认订购该业务。$"))
        await junior.pictures("forms-1-order")

        supervisor = await at_page(browser, house, "3001", "/nuisance")
        await supervisor.fill("nuisance-number", "12")
        await supervisor.fill("nuisance-reason", "一周内无声来电二十次")
        await supervisor.at("nuisance-add").click()
        await expect(supervisor.at("nuisance-error")).to_be_visible()
        await supervisor.fill("nuisance-number", "136 1111 0000")
        await supervisor.at("nuisance-add").click()
        await expect(supervisor.at("nuisance-on")).to_have_attribute("data-count", "1")
        await expect(supervisor.at("nuisance-entry")).to_contain_text("一周内无声来电二十次")
        await supervisor.pictures("forms-2-nuisance")
        await supervisor.at("nuisance-prolong").click()
        await expect(supervisor.at("nuisance-entry")).to_have_attribute("data-version", "2")
        await supervisor.at("nuisance-strike").click()
        await expect(supervisor.at("nuisance-on")).to_have_attribute("data-count", "0")
        await expect(supervisor.at("nuisance-over")).to_have_attribute("data-count", "1")
