"""The newcomer's journey in a real browser: set up, sign in, a VIP calls, pop, answer by WebRTC, order, recording."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.callers import Caller, Lines
from tests.system.house import PASSWORD, House

pytestmark = pytest.mark.system

VIP = "13800138000"
SHOTS = Path(__file__).resolve().parents[2] / "artefacts"


async def set_up(desk: Desk, token: str, numbers: tuple[str, ...]) -> None:
    """The one-time token sets the first passwords."""
    await desk.go("/setup")
    await desk.fill("setup-token", token)
    await desk.at("setup-check").click()
    for number in numbers:
        await desk.fill(f"setup-password-{number}", PASSWORD)
    await desk.shot("1-setup")
    await desk.at("setup-save").click()
    await desk.at("setup-done").wait_for()


async def sign_in(desk: Desk, number: str) -> None:
    """To the page, then to the queues with the browser phone."""
    await desk.go("/login")
    await desk.fill("login-number", number)
    await desk.fill("login-password", PASSWORD)
    await desk.shot("2-login")
    await desk.at("login-submit").click()
    await desk.at("phone-kind-browser").click()
    await desk.at("sign-in").click()
    await expect(desk.at("agent-state")).to_have_attribute("data-state", "ready", timeout=15_000)
    await expect(desk.at("phone-registered")).to_be_visible(timeout=15_000)


async def call_in(lines: Lines) -> Caller:
    """The VIP dials 1860 and presses 1."""
    caller = await lines.caller(VIP)
    await caller.dial("1860")
    await caller.hears("greeting-1860", within_s=15)
    await caller.press("1")
    return caller


async def fill_order(desk: Desk) -> None:
    """Everything a complaint needs, by hand."""
    await desk.at("choice-kind-complaint").click()
    await desk.choose("business", "数据通信", "宽带")
    await desk.choose("nature", "障碍修复", "修复超时")
    await desk.at("choice-complaint_type-network").click()
    await desk.choose("unit", "市分公司", "装维中心")
    await desk.fill("input-description", "宽带断网三天，上周投诉后无人上门修复。")
    await desk.fill("input-verbatim", "我家的宽带已经断了三天了，我上个星期投诉过，到现在还没有人来修。")
    await desk.fill("input-wanted_result", "今天修好")
    await desk.fill("input-event_place", "海淀区知春路")
    await desk.at("quick-event_at-yesterday").click()
    await desk.at("quick-wanted_limit_at-twoHours").click()
    await desk.fill("input-promise.text", "明天上午十点前回复")
    await desk.at("quick-promise.due_at-tomorrow").click()
    await desk.at("input-reply_mode").select_option("telephone")
    await desk.at("coded-service_number-not_applicable").click()
    await desk.at("contact-same").click()


@pytest.mark.req("TL-30", "TL-32", "TL-33", "TL-51", "TL-72", "CT-03", "IN-03", "IN-04", "IN-09", "IN-18", "S09")
async def test_a_newcomer_sees_the_whole_story(short_tmp: Path, asterisk_installation: Installation) -> None:
    """From the set-up token to the submitted order with its waveform; the page reports no fault."""
    async with House(short_tmp, set_up=False) as house, Lines(house) as lines, chromium() as browser:
        desk = await Desk.open(browser, house.origin, SHOTS)
        assert house.ready is not None
        assert house.ready.setup_token is not None
        await set_up(desk, house.ready.setup_token, ("2001", "3001"))
        await sign_in(desk, "2001")
        await desk.shot("3-ready")

        caller = await call_in(lines)
        await desk.at("pop").wait_for(timeout=30_000)
        await expect(desk.at("pop-name")).to_contain_text("张伟")
        await expect(desk.at("pop-vip")).to_contain_text("大客户")
        await expect(desk.at("pop-identity")).to_contain_text("身份未核实")
        await expect(desk.at("pop-overdue")).to_be_visible()
        await desk.shot("4-pop")
        await desk.at("call-answer").click()
        await desk.at("order-form").wait_for(timeout=15_000)
        await caller.says(house.prompts / "demo" / "customer-broadband.wav")
        await expect(desk.at("field-caller_number")).to_contain_text("138 0013 8000")
        assert await desk.page.locator("[data-testid='field-caller_number'] input").count() == 0
        await desk.shot("5-talking")
        await fill_order(desk)
        await desk.at("call-hangup").click()
        await caller.ended()
        await expect(desk.at("order-missing")).to_have_attribute("data-count", "0")
        await desk.shot("6-order")
        await desk.at("order-submit").click()
        await desk.at("order-done").wait_for(timeout=15_000)
        await desk.at("recent-call").click()
        await desk.at("recording-player").wait_for(timeout=15_000)
        await desk.at("recording-play").click()
        await expect(desk.at("recording-time")).to_contain_text("0:02", timeout=10_000)
        await desk.shot("7-recording")
        await _figures(house)
        assert desk.faults == []


async def _figures(house: House) -> None:
    """The supervisor reads how fast the pop was painted (TL-33)."""
    supervisor = await house.person("3001")
    latency = await supervisor.get("/api/pop-latency")
    assert latency["count"] == 1
    assert 0 < latency["p50_ms"] < 2000
