"""A junior's draft of a VIP goes to the seniors from the form, in a real browser (RT-03, RT-08, G14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from playwright.async_api import expect
from pytest_aiohttp.plugin import AiohttpServer

from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.system.browser import chromium, program
from tests.web.pages import DIST, signed_in
from ticketing.changes import Change
from ticketing.customers import store as customers
from ticketing.customers.model import CustomerNumber, NewCustomer
from ticketing.orders import actions
from ticketing.orders.inputs import DraftFromCall
from ticketing.roles import SYSTEM

pytestmark = pytest.mark.system

VIP, ORDINARY = "13800138000", "13700137000"


async def _draft(deps: WebDeps, caller: str, call_id: str, now: datetime) -> Change:
    async with deps.database.write() as conn:
        told = DraftFromCall(call_id, "1001", caller, "1860", now)
        return await actions.draft_at_answer(conn, SYSTEM, told, now)


@pytest.mark.req("RT-03", "RT-08", "G14")
async def test_a_junior_hands_a_vips_draft_to_the_seniors(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, tmp_path: Path, now: datetime
) -> None:
    """Nothing more is asked than why; what was typed last goes along; a senior has it and completes it."""
    program()
    async with deps.database.write() as conn:
        numbers = (CustomerNumber("+86" + VIP, "mobile"),)
        await customers.add(conn, NewCustomer("张伟", numbers, vip_class="major"), now)
    vips, others = await _draft(deps, VIP, "c1", now), await _draft(deps, ORDINARY, "c2", now)
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    origin = f"http://localhost:{server.port}"
    async with chromium() as browser:
        junior = await signed_in(browser, origin, "1001", tmp_path)

        async def opened(draft: Change) -> None:
            serial = draft.payload["serial"]
            await junior.page.locator(f"[data-testid='drafts'] [data-serial='{serial}']").click()
            await expect(junior.at("order-form")).to_have_attribute("data-order-id", draft.subject_id)

        await opened(others)
        await expect(junior.at("order-hand")).to_have_count(0)
        await junior.at("order-leave").click()
        await opened(vips)
        await junior.at("choice-kind-suggestion").click()
        await expect(junior.at("order-hand")).to_have_count(0)  # his suggestion is completed first
        await junior.at("choice-kind-complaint").click()
        await junior.fill("input-description", "客户称昨晚起无法上网")
        await junior.shot("hand-on-form")
        await junior.at("order-hand").click()
        await junior.at("hand-confirm").click()
        await expect(junior.at("hand-reason-wrong")).to_have_text("请说明为何转交")
        await junior.shot("hand-on-dialog")
        await junior.fill("hand-reason", "大客户，需高级话务员")
        await junior.at("hand-confirm").click()
        await expect(junior.at("order-done")).to_have_attribute("data-how", "handed")
        await junior.at("done-next").click()
        senior = await signed_in(browser, origin, "2001", tmp_path)
        await senior.go(f"/orders/{vips.subject_id}")
        await expect(senior.at("order-trail")).to_contain_text("大客户，需高级话务员")
        await senior.at("order-resume").click()
        await expect(senior.at("order-form")).to_have_attribute("data-order-id", vips.subject_id)
        await expect(senior.at("input-description")).to_have_value("客户称昨晚起无法上网")
        await expect(senior.at("order-hand")).to_have_count(0)
    assert junior.faults == senior.faults == []
