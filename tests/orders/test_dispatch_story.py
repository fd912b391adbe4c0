"""From the junior's proposal to the archive: each step with its clocks, owners, trail and refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from ticketing.changes import Change
from ticketing.errors import HotlineError, Invalid, NotFound, Refused, Stale
from ticketing.orders import closing, dispatching, work
from ticketing.orders.dispatching import CHECKS
from ticketing.orders.inputs import (
    Answer,
    Dispatch,
    FileAway,
    Finish,
    HandToSenior,
    Invalidate,
    OnOrder,
    Propose,
    Rate,
    Redispatch,
    Reply,
    SendBack,
    Solve,
    Task,
)
from ticketing.orders.tables import order_reply, order_survey, review, work_order
from ticketing.orders.views import Order

ALL_WELL = dict.fromkeys(CHECKS, True)
TWO = (Task("city.network", "上门测速", 24 * 3600), Task("city.billing", "核对减免", 12 * 3600))


class Case:
    """One order and short ways to act on it; `at_h` moves the clock on."""

    def __init__(self, desk: Desk, change: Change) -> None:
        self.desk, self.id, self.version, self.at_h = desk, change.subject_id, change.version, 0.0

    async def act(
        self, number: str, action: Callable[..., Awaitable[Any]], made: Callable[..., Any], **said: Any
    ) -> Any:
        """Runs an action as a person; remembers the new version."""
        now = self.desk.now + timedelta(hours=self.at_h)
        async with self.desk.database.write() as conn:
            done = await action(conn, self.desk[number], made(self.id, self.version, **said), now)
        last = done[-1] if isinstance(done, tuple) else done
        self.version = last.version
        return done

    async def refused(self, number: str, action: Any, made: Any, **said: Any) -> HotlineError:
        """The same, which must be refused and change nothing."""
        before = await self.read()
        with pytest.raises(HotlineError) as refusal:
            await self.act(number, action, made, **said)
        assert await self.read() == before
        return refusal.value

    async def read(self, number: str = "2001") -> Order:
        """The order as a person reads it now."""
        change = Change("", self.id, self.version, self.desk.now, {})
        return await self.desk.read(change, number, after_s=self.at_h * 3600)

    async def running(self) -> dict[str, float]:
        """Clocks that run, and in how many hours from the answer they are due."""
        return {
            clock.code + clock.anchor: (clock.due_at - self.desk.now) / timedelta(hours=1)
            for clock in (await self.read()).clocks
            if clock.stopped_at is None and clock.due_at is not None
        }

    async def on_work(self, unit: str, number: str, action: Any, made: Any = OnOrder, **said: Any) -> Any:
        """An action of a department on the unit's newest work order that was sent, else on one that is planned."""
        async with self.desk.database.read() as conn:
            of_unit = select(work_order.c.public_id, work_order.c.version).where(work_order.c.unit == unit)
            newest = of_unit.order_by(work_order.c.sent_at.is_(None), work_order.c.id.desc()).limit(1)
            row = (await conn.execute(newest)).one()
        async with self.desk.database.write() as conn:
            now = self.desk.now + timedelta(hours=self.at_h)
            done = await action(conn, self.desk[number], made(row.public_id, row.version, **said), now)
        last = done[-1] if isinstance(done, tuple) else done
        self.version = last.version
        return done

    async def finished(self, unit: str, number: str, **said: Any) -> Any:
        """The unit takes the work, does it and answers."""
        await self.on_work(unit, number, work.accept)
        await self.on_work(unit, number, work.begin)
        return await self.answered_by(unit, number, **said)

    async def answered_by(self, unit: str, number: str, **said: Any) -> Any:
        """The unit answers."""
        words = {
            "result": "已更换光猫，速率恢复",
            "cause": "network.capacity",
            "opinion": "建议观察一周",
            "service_number": "ADSL-010-88886666",
            "handled_at": self.desk.now + timedelta(hours=self.at_h),
        }
        return await self.on_work(unit, number, work.finish, Finish, **{**words, **said})


@pytest.fixture
async def case(desk: Desk) -> Case:
    """A registered complaint of a junior's."""
    return Case(desk, await desk.registered())


async def in_process(case: Case) -> None:
    """Proposed by the junior and approved by the senior."""
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="两单位并行处理")
    await case.act("2001", dispatching.approve, Dispatch, opinion="同意", checks=ALL_WELL)


async def replying(case: Case) -> None:
    """Both units have answered."""
    await in_process(case)
    await case.finished("city.network", "8001")
    await case.finished("city.billing", "8002")


REPLIED = {"opinion": "已致歉说明", "result": "客户认可", "channel": "telephone", "satisfaction": "later"}


@pytest.mark.req("RV-01", "RV-02", "RV-04", "DP-01", "DP-03", "DP-04", "T6", "T7", "T10", "K8", "G2")
async def test_a_proposal_reaches_departments_only_through_a_second_person(case: Case) -> None:
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="请处理")
    order = await case.read()
    assert (order.state, order.owner, order.work_orders) == ("in_review", "senior", ())
    assert await case.running() == {"K6A": 1, "K6B": 1, "K8": 0.25, "K10": 120, "K10L": 360, "K11": 48}, (
        "the hour goes on, and its second start is the senior's receipt (G2, G4)"
    )
    with pytest.raises(NotFound):
        await case.read("8001")

    case.at_h = 0.1
    assert (await case.refused("2001", dispatching.send_back, SendBack, reason_code="incomplete", opinion=" ")).details[
        "missing"
    ] == ["opinion"]
    await case.act(
        "2001",
        dispatching.send_back,
        SendBack,
        reason_code="incomplete",
        opinion="请补充测速结果",
        errors=["incomplete"],
    )
    order = await case.read()
    assert (order.state, order.owner) == ("registered", "1001")
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="已补充测速结果")

    assert (await case.refused("1001", dispatching.approve, Dispatch, opinion="x", checks=ALL_WELL)).code == "forbidden"
    bad = await case.refused("2001", dispatching.approve, Dispatch, opinion="同意", checks={"valid": True})
    assert (bad.code, bad.details["missing"]) == ("checks", ["serial", "complainant_type", "complaint_type"])
    failed = {**ALL_WELL, "complaint_type": False}
    assert (
        await case.refused("2001", dispatching.approve, Dispatch, opinion="同意", checks=failed)
    ).code == "check_failed"
    case.at_h = 0.3
    await case.act("2001", dispatching.approve, Dispatch, opinion="同意派单", checks=ALL_WELL)
    order = await case.read()
    assert (order.state, order.owner) == ("in_process", "2001")
    assert [(wo.unit, wo.state, wo.number) for wo in order.work_orders] == [
        ("city.network", "sent", 1),
        ("city.billing", "sent", 2),
    ]
    assert await case.running() == {"K9": pytest.approx(12.3), "K10": 120, "K10L": 360, "K11": 48}
    outcomes = {clock.code + clock.anchor: clock.outcome for clock in order.clocks if clock.stopped_at is not None}
    assert outcomes == {"K5": "met", "K6A": "met", "K6B": "met", "K8": "met"}
    async with case.desk.database.read() as conn:
        rows = (await conn.execute(select(review).order_by(review.c.id))).mappings().all()
    assert [row["state"] for row in rows] == ["sent_back", "approved"]
    assert (rows[0]["error_codes"], rows[1]["checks"]) == (["incomplete"], ALL_WELL)
    assert {row["author_id"] for row in rows} == {case.desk["1001"].staff_id}


@pytest.mark.req("RV-02")
async def test_nobody_decides_his_own_proposal_whatever_his_posts(case: Case) -> None:
    both = case.desk["1001"]
    case.desk.actors["1001"] = type(both)(both.staff_id, both.number, both.name, both.posts | case.desk["2001"].posts)
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="请处理")
    assert (
        await case.refused("1001", dispatching.approve, Dispatch, opinion="我", checks=ALL_WELL)
    ).code == "second_person"


TASKS = [
    ([], "missing", "tasks"),
    ([Task("mars", "x", 3600)], "unknown_code", "tasks.0.unit"),
    ([Task("city", "x", 3600)], "not_a_leaf", "tasks.0.unit"),
    ([Task("city.network", " ", 3600)], "missing", "tasks.0.task"),
    ([Task("city.network", "x", 0)], "bad_limit", "tasks.0.limit_s"),
    ([Task("city.network", "x", 3600), Task("city.network", "y", 3600)], "twice", "tasks.1.unit"),
    ([Task("city.network", "x\x00", 3600)], "control_character", "tasks.0.task"),
]


@pytest.mark.req("DP-04", "IN-19")
@pytest.mark.parametrize(("tasks", "code", "field"), TASKS)
async def test_a_task_needs_a_unit_words_and_a_limit(case: Case, tasks: list[Task], code: str, field: str) -> None:
    refusal = await case.refused("1001", dispatching.propose, Propose, tasks=tasks, opinion="请处理")
    assert (refusal.code, refusal.details["field"]) == (code, field)


@pytest.mark.req("PR-01", "PR-02", "PR-03", "PR-04", "RP-01", "T12", "T13", "T18", "K9", "K12")
async def test_departments_work_on_their_own_and_the_last_answer_brings_it_to_the_reply(case: Case) -> None:
    await in_process(case)
    assert (await case.read("8001")).id == case.id
    case.at_h = 2
    await case.on_work("city.network", "8001", work.accept)
    with pytest.raises(NotFound):
        await case.on_work("city.billing", "8001", work.accept)
    with pytest.raises(Refused, match="not_from_here"):
        await case.answered_by("city.network", "8001")
    await case.on_work("city.network", "8001", work.begin)
    with pytest.raises(Invalid) as missing:
        await case.answered_by("city.network", "8001", result="", opinion="")
    assert missing.value.details["missing"] == ["result", "opinion"]
    with pytest.raises(Invalid, match="in_the_future"):
        await case.answered_by("city.network", "8001", handled_at=case.desk.now + timedelta(hours=9))
    with pytest.raises(Invalid, match="before_it_was_sent"):
        await case.answered_by("city.network", "8001", handled_at=case.desk.now - timedelta(hours=1))
    (told,) = await case.answered_by("city.network", "8001")
    assert (told.kind, (await case.read()).state) == ("work_order.finished", "in_process")
    with pytest.raises(Refused, match="not_from_here"):
        await case.answered_by("city.network", "8001")

    case.at_h = 3
    _, followed = await case.finished("city.billing", "8002")
    order = await case.read()
    assert (followed.kind, order.state, order.owner) == ("order.settled", "replying", "2001")
    assert (await case.running())["K12"] == 3 + 4
    assert [line.action for line in order.trail][-7:] == [
        "accept",
        "begin",
        "finish",
        "accept",
        "begin",
        "finish",
        "settle",
    ]
    assert [line.to_state for line in order.trail][-4:] == ["accepted", "working", "done", "replying"]


@pytest.mark.req("PR-06")
async def test_past_the_limit_an_answer_needs_its_reason(case: Case) -> None:
    await in_process(case)
    case.at_h = 12 + 1 / 3600
    await case.on_work("city.billing", "8002", work.accept)
    await case.on_work("city.billing", "8002", work.begin)
    with pytest.raises(Invalid) as refusal:
        await case.answered_by("city.billing", "8002")
    assert (refusal.value.code, refusal.value.field) == ("missing", "overtime_reason")
    await case.answered_by("city.billing", "8002", overtime_reason="账务系统升级")
    order = await case.read()
    (stage,) = [clock for clock in order.clocks if clock.code == "K9" and clock.stopped_at is not None]
    assert stage.outcome == "breached"


@pytest.mark.req(
    "RP-01", "RP-02", "RP-04", "RP-05", "RP-06", "MN-09", "SV-02", "SV-05", "SV-08", "T22", "T23", "T25", "K13"
)
async def test_reply_survey_and_archive(case: Case) -> None:
    await replying(case)
    case.at_h = 3
    other = await case.refused("2001", closing.reply, Reply, **{**REPLIED, "channel": "sms"})
    assert (other.code, other.details["wanted"]) == ("other_channel", "telephone")
    assert (
        await case.refused("7001", closing.rate, Rate, outcome="satisfied", grade="satisfied")
    ).code == "not_from_here"
    await case.act("2001", closing.reply, Reply, **REPLIED)
    order = await case.read()
    assert (order.state, order.owner, order.promises) == ("survey", "survey", ())
    assert await case.running() == {"K10": 120, "K13": 3 + 48}
    outcomes = {clock.code: clock.outcome for clock in order.clocks}
    assert (outcomes["K10L"], outcomes["K11"], outcomes["K12"]) == ("met", "met", "met")

    case.at_h = 30
    assert (await case.refused("1001", closing.rate, Rate, outcome="satisfied", grade="satisfied")).code == "forbidden"
    wrong = await case.refused("7001", closing.rate, Rate, outcome="satisfied", grade="dissatisfied")
    assert (wrong.code, wrong.details["field"]) == ("grade", "grade")
    assert (await case.refused("7001", closing.rate, Rate, outcome="angry")).details["allowed"] == [
        "satisfied",
        "unreachable",
    ]
    await case.act("7001", closing.rate, Rate, outcome="satisfied", grade="very_satisfied", opinion="很快")
    order = await case.read()
    assert (order.state, order.ended_at, await case.running()) == ("closed", case.desk.now + timedelta(hours=30), {})

    filed = {"content": "宽带网速", "customer_nature": "ordinary", "department": "city.network"}
    assert (await case.refused("2001", closing.file_away, FileAway, **filed)).code == "forbidden"
    await case.act("5001", closing.file_away, FileAway, **filed, originals="A-12")
    order = await case.read()
    assert order.state == "archived"
    assert (await case.refused("5001", closing.file_away, FileAway, **filed)).code == "not_from_here"
    actions = [line.action for line in order.trail]
    assert actions[:6] == ["open", "edit", "submit", "propose", "approve", "accept"]
    assert actions[-3:] == ["reply", "rate", "file"]


@pytest.mark.req("RP-03", "RP-04")
async def test_a_reply_that_is_not_the_last_keeps_the_order_and_only_one_is_final(case: Case) -> None:
    await replying(case)
    case.at_h = 5
    await case.act("2001", closing.reply, Reply, **REPLIED, final=False)
    order = await case.read()
    assert (order.state, (await case.running())["K12"]) == ("replying", 9)
    await case.act("2001", closing.reply, Reply, **REPLIED)
    async with case.desk.database.read() as conn:
        finals = (await conn.scalars(select(order_reply.c.final).order_by(order_reply.c.id))).all()
    assert list(finals) == [False, True]


@pytest.mark.req("T24", "PR-07", "RV-07", "RE-08", "SV-02")
async def test_a_dissatisfied_customer_gets_a_second_dispatch_with_a_written_warning(case: Case) -> None:
    await replying(case)
    await case.act("2001", closing.reply, Reply, **REPLIED)
    case.at_h = 40
    again = {"cause": "network.capacity", "wanted": "彻底扩容", "opinion": "客户称晚间仍慢"}
    await case.act("7001", closing.redispatch, Redispatch, tasks=TWO[:1], grade="dissatisfied", **again)
    order = await case.read()
    assert (order.state, order.owner) == ("in_review", "senior")
    assert await case.running() == {"K6B": 41, "K8": 40.25, "K10": 120}
    without = await case.refused("2001", dispatching.approve, Dispatch, opinion="同意", checks=ALL_WELL)
    assert (without.code, without.details["allowed"]) == ("warning", ["city.billing", "city.network"])
    innocent = {"opinion": "同意", "checks": ALL_WELL, "warned_unit": "county.billing"}
    assert (await case.refused("2001", dispatching.approve, Dispatch, **innocent)).code == "warning"
    await case.act("2001", dispatching.approve, Dispatch, **{**innocent, "warned_unit": "city.network"})
    order = await case.read()
    assert [(wo.unit, wo.number, wo.state) for wo in order.work_orders][-1] == ("city.network", 3, "sent")
    async with case.desk.database.read() as conn:
        documents = (await conn.scalars(select(review.c.warning_document))).all()
        survey = (await conn.execute(select(order_survey))).mappings().one()
    assert [document for document in documents if document] == [f"JG2026-{order.serial}-2"]
    assert (survey["outcome"], survey["wanted"]) == ("dissatisfied", "彻底扩容")
    await case.finished("city.network", "8001")
    assert (await case.read()).state == "replying", "the first cycle's work orders do not count again"


@pytest.mark.req("IN-02", "SV-01", "SV-07", "SV-08", "T3")
async def test_answered_on_the_spot(case: Case) -> None:
    said = {"opinion": "已现场解释", "satisfaction": "satisfied", "fcr": True}
    await case.act("1001", closing.answer, Answer, **said)
    order = await case.read()
    assert (order.state, order.owner, order.work_orders) == ("survey", "survey", ())
    assert set(await case.running()) == {"K10", "K13"}

    inquiry = await case.desk.call("c2")
    inquiry = await case.desk.edit(inquiry, kind="inquiry", business="mobile.data", description="套餐咨询")
    other = Case(case.desk, await case.desk.submit(inquiry))
    await other.act("1001", closing.answer, Answer, **said)
    order = await other.read()
    assert (order.state, await other.running()) == ("closed", {}), "no call-back for an inquiry"


@pytest.mark.req("RT-02", "PR-16", "G3", "T4", "T11", "K5", "K6")
async def test_a_senior_dispatches_without_a_second_person(case: Case) -> None:
    case.at_h = 0.05
    assert (await case.refused("1001", dispatching.hand_to_senior, HandToSenior, reason="")).code == "missing"
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, reason="超出业务范围")
    order = await case.read()
    assert (order.state, order.owner) == ("at_senior", "senior")
    assert (await case.running())["K6B"] == pytest.approx(1.05)
    said = {"opinion": "自行派单", "checks": ALL_WELL, "tasks": TWO}
    assert (await case.refused("1001", dispatching.dispatch, Dispatch, **said)).code == "forbidden"
    case.at_h = 1.02
    await case.act("2001", dispatching.dispatch, Dispatch, **said)
    outcomes = {clock.code + clock.anchor: clock.outcome for clock in (await case.read()).clocks}
    assert (outcomes["K5"], outcomes["K6A"], outcomes["K6B"]) == ("met", "breached", "met"), (
        "both anchors are kept (G4)"
    )


@pytest.mark.req("RT-03", "DP-06", "DP-07")
async def test_a_vips_complaint_goes_to_the_seniors_at_once_unless_a_senior_has_it(desk: Desk) -> None:
    customer = await desk.customer("张伟", vip_class="major")
    case = Case(desk, await desk.registered(customer=customer.public_id))
    order = await case.read()
    assert (order.state, order.owner, order.trail[-1].note) == ("at_senior", "senior", "vip")
    own = Case(desk, await desk.registered("c2", "2001", customer=customer.public_id))
    assert (await own.read()).state == "registered"
    await own.act("2001", dispatching.hand_to_senior, HandToSenior, reason="本人处理")
    assert (await own.read()).owner == "2001"
    await own.act("2001", dispatching.dispatch, Dispatch, opinion="加急", checks=ALL_WELL, tasks=TWO)
    assert all(wo.urgent for wo in (await own.read()).work_orders)


@pytest.mark.req("RV-06", "T8", "T9")
async def test_invalid_and_solved_without_dispatch(case: Case) -> None:
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="请处理")
    false = {**ALL_WELL, "valid": False}
    said = {"opinion": "非本公司业务", "customer_told": "已电话说明"}
    assert (await case.refused("2001", dispatching.invalidate, Invalidate, **said, checks=ALL_WELL)).code == "is_valid"
    await case.act("2001", dispatching.invalidate, Invalidate, **said, checks=false)
    order = await case.read()
    assert (order.state, order.end_note, await case.running(), order.promises) == ("invalid", "已电话说明", {}, ())

    other = Case(case.desk, await case.desk.registered("c2"))
    await other.act("1001", dispatching.hand_to_senior, HandToSenior, reason="不会")
    assert (
        await other.refused("2001", dispatching.solve, Solve, opinion="远程已恢复", cause="no.such")
    ).code == "unknown_code"
    await other.act("2001", dispatching.solve, Solve, opinion="远程已恢复", cause="network.capacity")
    order = await other.read()
    assert (order.state, order.owner, order.work_orders) == ("replying", "2001", ())


@pytest.mark.req("F18", "N4")
async def test_of_two_who_decide_at_once_the_second_learns_who_was_first(case: Case) -> None:
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="请处理")
    seen = case.version
    await case.act("2001", dispatching.approve, Dispatch, opinion="同意", checks=ALL_WELL)
    case.version = seen
    with pytest.raises(Stale) as late:
        await case.act("2001", dispatching.send_back, SendBack, reason_code="incomplete", opinion="不同意")
    assert late.value.details["by"] == "2001"
