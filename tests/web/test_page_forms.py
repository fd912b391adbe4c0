"""Order templates and phrases on the administrators' page, in a real browser, up to the agent's form (IN-05, IN-16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from playwright.async_api import expect
from pytest_aiohttp.plugin import AiohttpServer

from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.system.browser import Desk, chromium, program
from tests.web.pages import DIST, signed_in
from ticketing.orders import actions
from ticketing.orders.inputs import DraftFromCall
from ticketing.roles import SYSTEM

pytestmark = pytest.mark.system


async def _pick(desk: Desk, place: str, menu: str, *way: str) -> None:
    """Chooses in a tree of an administrator's form; the last word may be a branch, whose button is beside it."""
    await desk.at(place).locator(".el-cascader").click()
    for word in way[:-1]:
        await desk.page.locator(f".{menu}").get_by_text(word, exact=True).hover()
    node = desk.page.locator(f".{menu} .el-cascader-node").filter(has_text=way[-1])
    await node.locator(".el-radio").click()
    await desk.page.keyboard.press("Escape")


@pytest.mark.req("IN-05", "IN-16", "IN-17", "IN-24")
async def test_an_administrator_says_what_is_asked_and_the_agent_is_asked_it(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, tmp_path: Path, now: datetime
) -> None:
    program()
    async with deps.database.write() as conn:
        told = DraftFromCall("c1", "1001", "13700137000", "1860", now)
        draft = await actions.draft_at_answer(conn, SYSTEM, told, now)
    server = await aiohttp_server(build_app(replace(deps, desk=DIST)))
    origin = f"http://localhost:{server.port}"
    async with chromium() as browser:
        admin = await signed_in(browser, origin, "9001", tmp_path)
        await admin.go("/rules/forms")
        await _template(admin)
        await admin.at("rules-tab-phrases").click()
        await _phrase(admin)
        agent = await signed_in(browser, origin, "1001", tmp_path)
        await agent.page.locator(f"[data-testid='drafts'] [data-serial='{draft.payload['serial']}']").click()
        await agent.at("choice-kind-complaint").click()
        await expect(agent.page.locator("[data-testid='field-operation_serial'] .must")).to_have_count(0)
        await agent.at("choice-complaint_type-service").click()
        await agent.choose("business", "数据通信", "互联网电视")
        await expect(agent.at("order-template")).to_have_attribute("data-template", "iptv")
        await expect(agent.at("prompt-operation_serial")).to_contain_text("机顶盒号")
        await expect(agent.at("field-operation_serial")).to_have_attribute("data-missing", "true")
        await expect(agent.at("input-wanted_result")).to_have_value("上门时间：")
        await agent.at("phrase-description").select_option(label="客户称机顶盒无信号。")
        await expect(agent.at("input-description")).to_have_value("客户称机顶盒无信号。")
        outsider = await signed_in(browser, origin, "2001", tmp_path)
        await outsider.go("/rules/forms")
        await expect(outsider.at("form-draft")).to_have_count(0)
    assert agent.faults == outsider.faults == []
    assert [fault for fault in admin.faults if "status of 4" not in fault] == []


async def _template(admin: Desk) -> None:
    """A template is added with its errors at the fields, changed, retired and used again."""
    await expect(admin.at("form-draft")).to_have_attribute("data-version", "1")
    await admin.pictures("forms-1-shipped")
    await admin.at("form-new").click()
    await admin.at("form-save").click()
    await expect(admin.at("form-wrong-code")).to_be_visible()
    await expect(admin.at("form-wrong-zh")).to_have_text("必须填写")
    await admin.fill("form-code", "charges")
    await admin.fill("form-zh", "电视服务")
    await admin.fill("form-en", "Television")
    unit = admin.page.locator("[data-testid='form-element'][data-field='unit']")
    await expect(unit).to_have_attribute("data-rule", "required")
    await expect(admin.at("ask-unit")).to_have_count(0)  # never less than the kind asks
    await expect(admin.at("prefill-verbatim")).to_have_count(0)  # those are the customer's own words
    await admin.at("ask-operation_serial").select_option("may")
    await admin.fill("ask-zh-operation_serial", "机顶盒号")
    await admin.at("form-save").click()
    await expect(admin.at("wrong-prompt-operation_serial")).to_have_text("提示语须中英文都写")
    await admin.fill("ask-en-operation_serial", "Number of the set-top box")
    await admin.fill("prefill-wanted_result", "上门时间：")
    await _pick(admin, "form-complaint_type", "tree-form-complaint_type", "服务类")
    await _pick(admin, "form-business", "tree-form-business", "数据通信", "互联网电视")
    await admin.at("form-save").click()
    await expect(admin.at("form-wrong-code")).to_contain_text("已")  # the service knows that code
    await admin.pictures("forms-2-wrong")
    await admin.fill("form-code", "iptv")
    await admin.at("form-save").click()
    shown = admin.at("form-draft")
    await expect(shown).to_have_attribute("data-code", "iptv")
    await expect(admin.at("form-saved")).to_have_text("已保存")
    await admin.fill("form-zh", "电视")
    await admin.at("form-save").click()
    await expect(shown).to_have_attribute("data-version", "2")
    await admin.at("form-retire").click()
    await expect(shown).to_have_attribute("data-retired", "true")
    await admin.at("form-retire").click()
    await expect(shown).to_have_attribute("data-retired", "false")
    await expect(admin.at("ask-zh-operation_serial")).to_have_value("机顶盒号")


async def _phrase(admin: Desk) -> None:
    """A phrase is added with its errors at the fields, changed; another one is retired."""
    phrase = admin.page.locator("[data-testid='phrase'][data-code='no-signal']")
    await admin.at("phrase-new").click()
    await admin.at("phrase-save").click()
    await expect(admin.at("phrase-wrong-code")).to_be_visible()
    await expect(admin.at("phrase-wrong-zh")).to_have_text("必须填写")
    await admin.fill("phrase-code", "not-ordered")
    await admin.fill("phrase-zh", "机顶盒无信号。")
    await admin.fill("phrase-en", "No signal.")
    await admin.at("phrase-save").click()
    await expect(admin.at("phrase-wrong-code")).to_contain_text("已")
    await admin.shot("phrases-1-wrong")
    await admin.fill("phrase-code", "no-signal")
    await admin.at("phrase-save").click()
    await expect(phrase).to_contain_text("机顶盒无信号。")
    await admin.at("phrase-change-no-signal").click()
    await admin.fill("phrase-zh", "客户称机顶盒无信号。")
    await admin.at("phrase-save").click()
    await expect(phrase).to_contain_text("客户称机顶盒无信号。")
    await admin.at("phrase-retire-not-ordered").click()
    await expect(admin.page.locator("[data-testid='phrase'][data-code='not-ordered']")).to_have_attribute(
        "data-retired", "true"
    )
    await admin.pictures("phrases-2-list")
