"""The newcomer's journey in a real browser: set up, sign in, `hotline demo`, pop, answer, talk, order, recording."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.callers import Caller, Lines
from tests.system.command import Running, free_settings, hotline
from tests.system.desk_story import (
    SHOTS,
    fill_order,
    finds_by_words,
    holds,
    plays_with_its_waveform,
    set_up,
    sign_in,
    voice_file,
    who_calls_and_why,
)
from tests.system.house import Agent, ServiceHouse

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]

VIP = "13800138000"
PLAIN = "13800138006"


@pytest.mark.req(
    "TL-30",
    "TL-32",
    "TL-33",
    "TL-50",
    "TL-51",
    "TL-72",
    "CT-03",
    "IN-03",
    "IN-04",
    "IN-09",
    "IN-18",
    "PX-01",
    "PX-07",
    "S09",
)
async def test_a_newcomer_sees_the_whole_story(short_tmp: Path, asterisk_installation: Installation) -> None:
    """From the set-up token to the submitted order with its waveform, and a second call that needs no order.

    Both sides hear each other through the browser phone, and the voice files hold both; the page reports no fault.
    """
    speech = ServiceHouse(short_tmp).prompts / "demo"
    house = ServiceHouse(short_tmp, set_up=False, wrap_up_seconds=60)
    async with house, Lines(house) as lines, chromium(speech / "agent-reply.wav") as browser:
        desk = await Desk.open(browser, house.origin, SHOTS)
        in_vain = asyncio.create_task(hotline(house.settings, "demo", "--caller", PLAIN, "--seconds", "5", within_s=90))
        await set_up(desk, house.token, ("2001", "3001"))
        await sign_in(desk, "2001", picture="2-login")
        await desk.pictures("3-ready")
        nobody = await in_vain
        assert (nobody.code, "no agent answered within 5 s: is one ready?" in nobody.said) == (1, True), nobody.said

        first = await _demo(house, desk)
        await desk.at("order-submit").click()
        await desk.at("order-done").wait_for(timeout=15_000)
        await plays_with_its_waveform(desk)
        await desk.pictures("7-recording")
        await desk.at("done-view").click()
        await expect(desk.at("order-read")).to_have_attribute("data-state", "registered")
        await expect(desk.at("call-path")).to_contain_text("投诉")
        await desk.pictures("8-order-read")

        await finds_by_words(desk)

        second = await _no_order(desk, await _calls(lines), speech)
        supervisor = await house.person("3001")
        await _heard(supervisor, first, speech / "customer-broadband.wav", speech / "agent-reply.wav")
        await _heard(supervisor, second, speech / "customer-billing.wav", speech / "agent-reply.wav")
        await _latency(supervisor)
        assert desk.faults == []


async def _demo(house: ServiceHouse, desk: Desk) -> str:
    """`hotline demo` as the newcomer types it, until his call is over; returns the call's id."""
    async with Running(house.settings, "demo") as demo:
        await who_calls_and_why(desk, orders=2, recordings=0)
        call_id = await desk.at("pop").get_attribute("data-call-id")
        assert call_id
        await desk.pictures("4-pop", (1440, 900))
        await desk.at("call-answer").click()
        await desk.at("order-form").wait_for(timeout=15_000)
        await expect(desk.at("field-caller_number")).to_contain_text("138 0013 8000")
        assert await desk.page.locator("[data-testid='field-caller_number'] input").count() == 0
        await expect(desk.at("draft-path")).to_contain_text("投诉")
        await demo.says("connected; the customer speaks")
        await desk.pictures("5-talking")
        await fill_order(desk)
        await demo.says("waiting for the agent to hang up")
        await desk.at("call-hangup").click()
        done = await demo.ended()
    assert done.code == 0, done.said
    assert "13800138000 dials 1860" in done.said
    assert "the call is over" in done.said
    await expect(desk.at("order-missing")).to_have_attribute("data-count", "0")
    await desk.pictures("6-order")
    return call_id


async def _calls(lines: Lines) -> Caller:
    caller = await lines.caller(VIP)
    await caller.dial("1860")
    await caller.hears("greeting-1860", within_s=15)
    await caller.press("1")
    return caller


async def _no_order(desk: Desk, caller: Caller, speech: Path) -> str:
    """The customer asks something and needs no order; he and the agent's page hear each other."""
    await desk.at("nav-desk").click()
    await desk.at("go-ready").click()
    await who_calls_and_why(desk, orders=3, recordings=1)
    call_id = await desk.at("pop").get_attribute("data-call-id")
    assert call_id
    await desk.pictures("9-pop-again", (1024, 768))
    await desk.at("call-answer").click()
    await caller.hears(speech / "agent-reply.wav", within_s=30)
    before = await desk.hearing()
    await caller.says(speech / "customer-billing.wav")
    after = await desk.hearing()
    assert after.packets - before.packets > 200
    assert after.energy - before.energy > 0.05
    await desk.at("call-hangup").click()
    await caller.ended()
    await desk.at("order-no-order").click()
    await desk.at("no-order-reason-inquiry").click()
    await desk.shot("10-no-order")
    await desk.at("no-order-confirm").click()
    await expect(desk.at("order-done")).to_have_attribute("data-how", "no_order")
    await desk.pictures("11-done")
    return call_id


async def _heard(supervisor: Agent, call_id: str, customer: Path, agent: Path) -> None:
    """Each one's words are on his own side of the stored file and on no other (TL-50)."""
    agents_side, callers_side = await voice_file(supervisor, call_id)
    assert holds(callers_side, customer)
    assert not holds(callers_side, agent)
    assert holds(agents_side, agent)
    assert not holds(agents_side, customer)


async def _latency(supervisor: Agent) -> None:
    """The supervisor reads how fast the pop was painted: under a second of the ring (TL-33, CT-03)."""
    latency = await supervisor.get("/api/pop-latency")
    assert latency["count"] >= 2
    assert 0 < latency["p50_ms"] < 1000


async def test_a_demo_without_a_hotline_is_one_clear_sentence(tmp_path: Path) -> None:
    """Nobody listens: code 1, what was tried, and what to do."""
    done = await hotline(free_settings(tmp_path), "demo", within_s=30)
    assert done.code == 1
    assert "nothing answers at sip:1860@127.0.0.1" in done.said
    assert "is `make run` running?" in done.said
