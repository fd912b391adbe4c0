"""What a person does at the desk in a real browser, step by step, and what he must see there (TL-30)."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from playwright.async_api import expect

from tests.system import sound
from tests.system.browser import Desk
from tests.system.house import PASSWORD, Agent
from tests.system.sound import RATE, Pcm

SHOTS: Final = Path(__file__).resolve().parents[2] / "artefacts"
#: the sides of a voice file (TL-50)
AGENT, CALLER = 0, 1


async def set_up(desk: Desk, token: str, numbers: tuple[str, ...]) -> None:
    """The one-time token sets the first passwords."""
    await desk.go("/setup")
    await desk.fill("setup-token", token)
    await desk.at("setup-check").click()
    for number in numbers:
        await desk.fill(f"setup-password-{number}", PASSWORD)
    await desk.pictures("1-setup")
    await desk.at("setup-save").click()
    await desk.at("setup-done").wait_for()


async def sign_in(desk: Desk, number: str, *, picture: str = "") -> None:
    """To the page, then to the queues with the browser phone."""
    await desk.go("/login")
    await desk.fill("login-number", number)
    await desk.fill("login-password", PASSWORD)
    if picture:
        await desk.pictures(picture)
    await desk.at("login-submit").click()
    await desk.at("phone-kind-browser").click()
    await desk.at("sign-in").click()
    await expect(desk.at("agent-state")).to_have_attribute("data-state", "ready", timeout=15_000)
    await expect(desk.at("phone-registered")).to_be_visible(timeout=15_000)


#: every fact of the pop of the sample's VIP: where it stands, and what it says
_FACTS: Final[dict[str, str | re.Pattern[str]]] = {
    "pop-number": "138 0013 8000",
    "pop-name": "张伟",
    "pop-vip": "大客户",
    "pop-repeat": "重复来电",
    "pop-overdue": "有超期定单",
    "pop-identity": "号码匹配，身份未核实",
    "pop-reason": "大客户再次来电，且有超期未结的投诉，请优先处理。",
    "pop-dialled": "1860 客户服务热线",
    "pop-queue": "高级座席",
    "pop-path": re.compile(r"1\s*投诉"),
    "pop-waited": re.compile(r"等候\s*0:\d\d"),
    "pop-promises": "48 小时内上门检测并答复",
    "pop-work-orders": "上门检测光路与端口，晚间时段测速",
    "customer-profile": "千兆融合 388",
}


async def who_calls_and_why(desk: Desk, *, orders: int, recordings: int) -> None:
    """All that TL-30 lists is on the page while the phone rings: two earlier complaints, one of them past its limit."""
    await desk.at("pop").wait_for(timeout=40_000)
    for name, words in _FACTS.items():
        await expect(desk.at(name)).to_contain_text(words)
    lines = desk.at("pop-orders").get_by_test_id("order-line")
    await expect(lines).to_have_count(orders)
    overdue = desk.page.locator("[data-testid='pop-orders'] [data-testid='order-line'][data-overdue='true']")
    await expect(overdue).to_have_count(1)
    await expect(overdue).to_contain_text("千兆宽带晚间网速仅几十兆")
    await expect(overdue).to_contain_text(re.compile(r"处理中.*已超期"))
    await expect(desk.at("pop-orders")).to_contain_text("未订购流量包被扣费 30 元")
    players = desk.page.get_by_test_id("pop-recordings").get_by_test_id("recording-player")
    await expect(players).to_have_count(recordings)


async def fill_order(desk: Desk, *, same: bool = True) -> None:
    """Everything a complaint needs, by hand; `same`: the number of contact is the caller's."""
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
    await desk.fill("input-service_number", "ADSL-010-88886666")
    if same:
        await desk.at("contact-same").click()


async def plays_with_its_waveform(desk: Desk) -> None:
    """The recording of the newest call is there, drawn, and plays."""
    await desk.at("recent-call").get_by_role("button").first.click()
    await expect(desk.at("recording-player")).to_have_attribute("data-state", "ready", timeout=15_000)
    await expect(desk.at("recording-wave")).to_have_attribute("data-drawn", "true", timeout=15_000)
    sides = desk.page.locator("[data-testid='recording-wave'] canvas")
    assert await sides.count() >= 1, "the waveform is drawn on a canvas"
    await desk.at("recording-play").click()
    await expect(desk.at("recording-time")).to_contain_text("0:02", timeout=15_000)


async def finds_by_words(desk: Desk) -> None:
    """Orders are found by two characters of what was said, and by the customer's name (TL-72)."""
    await desk.at("nav-orders").click()
    rows = desk.page.get_by_test_id("order-row")
    for words, count in (("断网", 1), ("张伟 宽带", 2), ("张伟 电视", 0)):
        await desk.fill("filter-words", words)
        await desk.at("filter-search").click()
        await expect(desk.at("orders")).to_have_attribute("data-count", str(count))
        await expect(rows).to_have_count(count)
    await desk.fill("filter-words", "张伟 宽带")
    await desk.at("filter-search").click()
    await expect(rows.first).to_contain_text("宽带断网三天")
    await desk.pictures("12-orders-by-words")
    await rows.nth(1).click()
    await expect(desk.at("order-process")).to_contain_text("网络监控工位")
    await desk.pictures("13-order-process")


async def voice_file(person: Agent, call_id: str) -> tuple[Pcm, Pcm]:
    """Both sides of a stored call, as a person who may play it gets them."""
    recording = await person.recorded(call_id)
    link = await person.post(f"/api/recordings/{recording['id']}/link")
    samples, rate = soundfile.read(BytesIO(await person.get(link["url"])), dtype="int16", always_2d=True)
    assert (rate, samples.shape[1]) == (RATE, 2)
    return np.ascontiguousarray(samples[:, AGENT]), np.ascontiguousarray(samples[:, CALLER])


def holds(samples: Pcm, wav: Path) -> bool:
    """Whether this speech, or any quarter of it, is in these samples: a busy machine may spoil a second of it."""
    speech = sound.load(wav)
    quarters = [speech[len(speech) * part // 4 :] for part in range(4)]
    return any(sound.find(samples, sound.snippet(quarter)[0]) is not None for quarter in quarters)
