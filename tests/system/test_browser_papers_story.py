"""The papers' story of one complaint from a real call to the archive, every step through the buttons of the pages.

Day 0 begins when the customer calls at 09:30; one clock, under Asterisk and the service, is set from hour to hour.
Every limit a page shows was reckoned by hand and stands here as day and time; only the minute of the answer is the
call's own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from cti import app as composition
from cti.asterisk.provision import Installation
from tests.system.colleagues import Colleague, Days, Limits, Story, telling
from tests.system.desk_story import fill_order
from tests.system.house import House
from tests.system.stage import PLAIN
from tests.system.wall_clock import WallClock

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]

NETWORK, REPAIR = ("市分公司", "网络运行维护部"), ("市分公司", "装维中心")
BILLING: Final = ("市分公司", "计费账务中心", "核对并减免", "43200")
COUNTY, INSTALLATION = "county.billing", "city.installation"
#: five days from 09:40 in all, fifteen by law, and what the customer was promised: ten o'clock tomorrow
WHOLE: Final[Limits] = {"K10": (5, "09:40"), "K10L": (15, "09:40"), "K11": (1, "10:00")}

#: every step as the order's page names it, without the savings of the form
TRAIL: Final = [
    *("生成草稿", "提交", "拟派单", "复核退回", "拟派单", "复核通过"),
    *("接单", "交部门负责人", "退回中心", "转派"),
    *("客户再次联系", "客户补充", "拟追单", "变更通过", "追单", "接单", "开始处理", "签收追单", "回单", "工单办结"),
    *("派单", "接单", "开始处理", "回单", "工单办结", "回复客户"),
    *("二次派单", "复核通过", "暂停", "恢复", "接单", "开始处理", "回单", "工单办结", "回复客户", "回访", "归档"),
]


def an_hour_after(answered: str) -> tuple[int, str]:
    """The end of the hour in which a call answered between nine and ten must be dispatched."""
    return 0, f"10{answered[2:]}"


def about(minutes: int) -> str:
    """The minutes from one shown minute to another: what their seconds make of it is rounded."""
    return f"({minutes - 1}|{minutes}|{minutes + 1})"


@pytest.mark.req(
    "T1", "T2", "T6", "T7", "T10", "T12", "T13", "T14", "T15", "T16", "T19", "T22", "T23", "T24", "T25", "T26", "T38",
    "MN-04", "MN-07", "DP-08", "PR-06", "RE-08", "SV-02", "KB-09", "G1", "G2", "TL-30", "TL-32",
)  # fmt: skip
async def test_from_the_call_to_the_archive(
    short_tmp: Path, asterisk_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = WallClock(short_tmp)
    monkeypatch.setattr(composition, "clock", wall.now)
    days = Days(wall)
    days.set(0, "09:00")
    cache = wall.sandbox(short_tmp / "c", asterisk_installation)
    house = House(short_tmp / "h", cache_dir=cache, wrap_up_seconds=600)
    async with telling(house, days) as story:
        answered = await _the_call(story)
        await _reviewed_twice(story, answered)
        await _returned_and_transferred(story)
        await _supplemented(story)
        await _overdue(story)
        await _sent_on(story)
        await _dissatisfied(story)
        await _paused(story)
        await _satisfied_and_filed(story)
        assert {who.number: who.desk.faults for who in story.people.values() if who.desk.faults} == {}


async def _the_call(story: Story) -> str:
    """09:30: he calls, the form is written while they talk, submitted at 09:40; returns when it was answered."""
    story.days.set(0, "09:30")
    junior = await story.who("1001")
    await junior.sits_down("09:30")
    caller, call = await story.complains(PLAIN)
    await expect(junior.at("pop-number")).to_have_attribute("data-number", f"+86{PLAIN}", timeout=40_000)
    await junior.at("call-answer").click()
    await junior.at("order-form").wait_for()
    await fill_order(junior.desk)
    await expect(junior.at("order-missing")).to_have_attribute("data-count", "0")
    await junior.at("call-hangup").click()
    await story.hung_up(caller, call)
    story.days.set(0, "09:40")
    await junior.at("order-submit").click()
    await junior.at("order-done").wait_for()
    story.serial = await junior.at("order-done").get_attribute("data-serial") or ""
    await junior.at("done-view").click()
    await expect(junior.at("order-read")).to_have_attribute("data-state", "registered")
    await expect(junior.at("recording-player")).to_have_attribute("data-state", "ready", timeout=30_000)
    # handed on within five minutes, dispatched within an hour of the answer, which came soon after he dialled
    answered = (await junior.at("read-received_at").inner_text())[-5:]
    assert "09:30" <= answered < "09:40"
    await expect(junior.at("read-received_at")).to_have_text(story.days.shown(0, answered))
    await story.limits(junior, {**WHOLE, "K5": (0, "09:45"), "K6A": an_hour_after(answered)})
    return answered


async def _reviewed_twice(story: Story, answered: str) -> None:
    """Proposed at 09:42, sent back at 09:48, proposed again at 09:54, approved at 10:00."""
    junior = await story.order("1001", "registered", 0, "09:42")
    await junior.at("step-open-propose").click()
    await junior.asks((*NETWORK, "上门测速并检查端口", "86400"), BILLING)
    await junior.desk.fill("step-input-opinion", "两单位并行处理")
    await junior.desk.shot("story-1-propose")
    await junior.confirms("in_review")
    hour: Limits = {"K6A": an_hour_after(answered), "K6B": (0, "10:42")}
    await story.limits(junior, {**WHOLE, **hour, "K8": (0, "09:57")})

    senior = await story.order("2001", "in_review", 0, "09:48")
    await senior.at("step-open-send_back").click()
    await senior.at("step-reason_code-incomplete").click()
    await senior.desk.fill("step-input-opinion", "请写明晚间时段")
    await senior.at("step-errors-incomplete").click()
    await senior.confirms("registered")

    junior = await story.order("1001", "registered", 0, "09:54")
    await expect(junior.at("review")).to_contain_text("请写明晚间时段")
    await expect(junior.at("trail-reason")).to_have_text("信息不详")
    await junior.at("step-open-propose").click()
    await junior.asks((*NETWORK, "晚间 19 至 23 时上门测速并检查端口", "86400"), BILLING)
    await junior.desk.fill("step-input-opinion", "晚间 19 至 23 时，两单位并行处理")
    await junior.confirms("in_review")
    await story.limits(junior, {**WHOLE, **hour, "K8": (0, "10:09")})
    await junior.gets_up()

    senior = await story.order("2001", "in_review", 0, "10:00")
    await senior.at("step-open-approve").click()
    await senior.desk.fill("step-input-opinion", "同意派单")
    await senior.confirms("in_process")
    works = senior.desk.page.get_by_test_id("history-work")
    await expect(works).to_have_count(2)
    await expect(works.nth(0).locator("[data-card]")).to_have_attribute("title", story.days.shown(1, "10:00"))
    await expect(works.nth(1).locator("[data-card]")).to_have_attribute("title", story.days.shown(0, "22:00"))
    ran = 60 - int(answered[3:])
    span = re.escape(f"{story.days.shown(0, answered)} 至 {story.days.shown(0, '10:00')}")
    pieces = (re.compile(rf"已计 {about(ran)} 分{span}"), re.compile(rf"剩余 {about(60 - ran)} 分"))
    told = await senior.tells("K6A", "时限 1 小时", "提前 15 分 黄牌", "按时", *pieces, "合计 1 小时")
    await expect(told).to_have_attribute("data-sum", "3600")
    await senior.desk.shot("story-2-dispatched")


async def _returned_and_transferred(story: Story) -> None:
    """The network returns it through its head; billing's head passes it on to the county, four hours to do it in."""
    clerk, task = await story.task("8001", "sent", 0, "10:30")
    await task.get_by_test_id("work-accept").click()
    await expect(task).to_have_attribute("data-state", "accepted")
    await task.get_by_test_id("work-to_head").click()
    await clerk.desk.fill("step-input-reason", "端口正常，应由装维中心处理")
    await clerk.confirms()
    head, task = await story.task("8101", "at_head", 0, "11:30")
    await task.get_by_test_id("work-return").click()
    await head.at("step-reason_code-wrong_unit").click()
    await head.desk.fill("step-input-reason", "光猫老化，属装维中心")
    await head.confirms()
    await expect(task).to_have_count(0)
    head, task = await story.task("8102", "sent", 0, "12:30")
    await task.get_by_test_id("work-transfer").click()
    await head.desk.fill("step-input-from_workplace", "账务岗")
    await head.choose("to_unit", "县分公司", "县账务室")
    await head.desk.fill("step-input-to_workplace", "县账务岗")
    await head.at("step-input-limit_s").select_option("14400")
    await head.desk.fill("step-input-reason", "用户属县分公司")
    await head.confirms()
    await expect(task).to_have_count(0)


async def _supplemented(story: Story) -> None:
    """At 13:00 he calls again: the call joins the order, and by 13:10 the county must be done within two hours."""
    story.days.set(0, "13:00")
    junior = await story.who("1001")
    await junior.sits_down("13:00")
    caller, call = await story.complains(PLAIN)
    await expect(junior.at("pop-number")).to_have_attribute("data-number", f"+86{PLAIN}", timeout=40_000)
    await expect(junior.at("pop-orders")).to_contain_text("宽带断网三天")
    await junior.at("call-answer").click()
    await junior.at("order-form").wait_for()
    await junior.at("order-merge").click()
    await junior.at(f"merge-{story.serial}").click()
    await junior.at("merge-confirm").click()
    await expect(junior.at("order-done")).to_have_attribute("data-how", "merged")
    await junior.at("call-hangup").click()
    await story.hung_up(caller, call)
    story.days.set(0, "13:05")
    await junior.at("done-view").click()
    await expect(junior.at("order-read")).to_have_attribute("data-state", "in_process")
    await junior.at("step-open-customer_adds").click()
    await junior.desk.fill("step-input-text", "客户再次来电催促")
    await junior.at("step-outcome-supplement").click()
    chosen = junior.at("step-input-work_order").locator("option:checked")
    await expect(chosen).to_have_text(re.compile(r"^3 · .*县账务室 · 核对并减免$"))  # the only one alive
    await junior.at("step-input-limit_s").select_option("7200")
    await junior.desk.shot("story-3-customer-adds")
    await junior.confirms("in_process")
    await junior.gets_up()

    senior = await story.order("2001", "in_process", 0, "13:10")
    # what came back at 11:30 was the dispatcher's to deal with by 12:30; the county has four hours from 12:30
    await story.limits(senior, {**WHOLE, "K6B": (0, "12:30"), "K8": (0, "13:20"), "K9": (0, "16:30")})
    county = senior.desk.page.locator(f"[data-testid='history-work'][data-unit='{COUNTY}']")
    await county.get_by_test_id("history-approve_change").click()
    await senior.desk.fill("step-input-opinion", "同意追单")
    await senior.confirms("in_process")
    await story.limits(senior, {**WHOLE, "K6B": (0, "12:30"), "K9": (0, "15:10")})
    kept = f"改为 {story.days.shown(0, '15:10')}（原 {story.days.shown(0, '16:30')}）：客户再次来电催促"
    await senior.tells("K9", kept)
    await senior.card_given("K9", f"黄牌 {story.days.shown(0, '13:10')}")  # two hours before

    clerk, task = await story.task("8003", "sent", 0, "13:20")
    await task.get_by_test_id("work-accept").click()
    await task.get_by_test_id("work-begin").click()
    await task.get_by_test_id("work-acknowledge").click()
    await expect(task.get_by_test_id("work-acknowledge")).to_have_count(0)
    await clerk.desk.shot("story-4-county")


async def _overdue(story: Story) -> None:
    """Yellow two hours before 15:10, red at 15:10; the late answer says why, and what was returned is still open."""
    days = story.days
    senior = story.people["2001"]
    card = senior.at("order-clocks").locator("li[data-clock='K9'] [data-card]")
    await expect(card).to_have_attribute("data-card", "yellow")
    await story.order("2001", "in_process", 0, "15:11")
    await expect(card).to_have_attribute("data-card", "red")
    await senior.card_given("K9", f"红牌 {days.shown(0, '15:11')}")
    clerk, task = await story.task("8003", "working", 0, "15:40")
    await expect(task).to_have_attribute("data-overdue", "true")
    await task.get_by_test_id("work-finish").click()
    await clerk.desk.fill("step-input-result", "账单无误，无需减免")
    await clerk.choose("cause", "未发现问题")
    await clerk.desk.fill("step-input-opinion", "请装维中心上门")
    await clerk.desk.fill("step-input-service_number", "ADSL-010-88886666")
    await clerk.at("step-confirm").click()
    await expect(clerk.at("step-overtime_reason")).to_have_attribute("data-missing", "true")
    await clerk.desk.fill("step-input-overtime_reason", "账务系统升级停机")
    await clerk.confirms()
    await expect(task).to_have_count(0)

    senior = await story.order("2001", "at_senior", 0, "15:50")
    # the network's answer is missing: it came back and nobody has it, so the dispatcher's hour runs again from 15:40
    await story.limits(senior, {**WHOLE, "K6B": (0, "16:40")})
    stages = senior.at("order-clocks").locator("li[data-clock='K9']")
    await expect(stages).to_have_count(3)  # returned, transferred, answered
    late = stages.first  # the one that was due first
    await late.get_by_role("button").click()
    for words in (f"黄牌 {days.shown(0, '13:10')}", f"红牌 {days.shown(0, '15:11')}", "超时"):
        await expect(late).to_contain_text(words)
    await senior.desk.shot("story-5-overdue")


async def _sent_on(story: Story) -> None:
    """What came back goes to the installation centre, which mends it the same evening; the customer is told."""
    senior = await story.order("2001", "at_senior", 0, "16:00")
    await senior.at("step-open-dispatch").click()
    await senior.asks((*REPAIR, "更换光猫", "14400"))
    await senior.desk.fill("step-input-opinion", "改派装维")
    await senior.confirms("in_process")
    await story.limits(senior, {**WHOLE, "K9": (0, "20:00")})
    await _mended(story, 0, "18:30", "已更换光猫，晚间速率恢复")
    senior = await story.order("2001", "replying", 0, "19:00")
    await story.limits(senior, {**WHOLE, "K12": (0, "22:30")})
    await _replied(senior)
    await story.limits(senior, {"K10": (5, "09:40"), "K13": (2, "19:00")})
    await expect(senior.at("order-clocks").locator("li[data-clock='K11']")).to_contain_text(
        story.days.shown(0, "19:00")
    )


async def _mended(story: Story, day: int, hour: str, result: str) -> None:
    """The installation centre takes the work, does it and answers."""
    clerk, task = await story.task("8004", "sent", day, hour)
    for step in ("accept", "begin", "finish"):
        await task.get_by_test_id(f"work-{step}").click()
    await clerk.desk.fill("step-input-result", result)
    await clerk.choose("cause", "网络原因", "容量不足")
    await clerk.desk.fill("step-input-opinion", "观察一周")
    await clerk.desk.fill("step-input-service_number", "ADSL-010-88886666")
    await clerk.confirms()
    await expect(task).to_have_count(0)


async def _replied(senior: Colleague) -> None:
    """The senior tells the customer; whether he is content is asked later."""
    await senior.at("step-open-reply").click()
    await senior.desk.fill("step-input-opinion", "已致歉并说明")
    await senior.desk.fill("step-input-result", "客户认可")
    await senior.at("step-satisfaction-later").click()
    await senior.confirms("survey")


async def _dissatisfied(story: Story) -> None:
    """The surveyor hears that it is still slow: a second dispatch, reviewed, with a numbered warning to the unit."""
    surveyor = await story.order("7001", "survey", 1, "09:30")
    await surveyor.at("step-open-redispatch").click()
    await surveyor.at("step-grade-dissatisfied").click()
    await surveyor.choose("cause", "网络原因", "容量不足")
    await surveyor.desk.fill("step-input-wanted", "晚间达到签约速率")
    await surveyor.asks((*REPAIR, "更换入户线路", "172800"))
    await surveyor.desk.fill("step-input-opinion", "换光猫后晚间仍慢")
    await surveyor.confirms("in_review")
    await story.limits(surveyor, {"K6B": (1, "10:30"), "K8": (1, "09:45"), "K10": (5, "09:40")})
    senior = await story.order("2001", "in_review", 1, "09:40")
    await senior.at("step-open-approve").click()
    await senior.desk.fill("step-input-opinion", "同意二次派单")
    await senior.at("step-confirm").click()
    await expect(senior.at("step-warned_unit")).to_have_attribute("data-missing", "true")
    await senior.at(f"step-warned_unit-{INSTALLATION}").click()
    await senior.confirms("in_process")
    year = story.days.on(1, "09:40").year
    await expect(senior.at("order-history")).to_contain_text(f"书面警告 JG{year}-{story.serial}-2")
    await story.limits(senior, {"K9": (3, "09:40"), "K10": (5, "09:40")})


async def _paused(story: Story) -> None:
    """The customer is away from 10:00 to 12:00: both limits are two hours later, and say so."""
    senior = await story.order("2001", "in_process", 1, "10:00")
    await senior.at("step-open-pause").click()
    await senior.at("step-reason-customer").click()
    await senior.desk.fill("step-input-note", "客户外出")
    await senior.confirms("in_process")
    await senior.at("order-paused").wait_for()
    await expect(senior.at("step-open-reply")).to_have_count(0)
    senior = await story.order("2001", "in_process", 1, "12:00:30")  # whatever the click of the pause took
    await senior.at("step-open-resume").click()
    await senior.confirms("in_process")
    await expect(senior.at("order-paused")).to_have_count(0)
    await story.limits(senior, {"K9": (3, "11:40"), "K10": (5, "11:40")})
    paused = f"{story.days.shown(1, '10:00')} 至 {story.days.shown(1, '12:00')}"
    told = await senior.tells("K10", "时限 120 小时", paused, "累计暂停 2 小时", "合计 120 小时")
    await expect(told).to_have_attribute("data-sum", "432000")
    await senior.desk.shot("story-6-paused")


async def _satisfied_and_filed(story: Story) -> None:
    """Two days later it is fast; he is satisfied; the archivist files it; no clock is left."""
    await _mended(story, 3, "10:00", "已更换入户线路")
    senior = await story.order("2001", "replying", 3, "10:10")
    await story.limits(senior, {"K10": (5, "11:40"), "K12": (3, "14:00")})
    await _replied(senior)
    surveyor = await story.order("7001", "survey", 3, "10:20")
    await surveyor.at("step-open-rate").click()
    await surveyor.at("step-outcome-satisfied").click()
    await surveyor.at("step-grade-satisfied").click()
    await surveyor.confirms("closed")
    archivist = await story.order("5001", "closed", 3, "10:30")
    await archivist.at("step-open-file").click()
    await archivist.desk.fill("step-input-content", "宽带晚间网速")
    await archivist.confirms("archived")
    await story.limits(archivist, {})
    steps = [words for words in await archivist.at("order-trail").locator("li b").all_inner_texts() if words != "修改"]
    assert steps == TRAIL
    await archivist.desk.pictures("story-7-archived")
