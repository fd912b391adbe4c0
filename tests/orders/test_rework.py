"""Return, transfer, supplement, recall, manager, cancellation, end by force, suggestions: both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, TWO, Case, case, in_process, replying
from ticketing.clocks.tables import clock_change
from ticketing.errors import Forbidden, Invalid, NotFound, Refused
from ticketing.orders import closing, control, dispatching, history, proposing, rework, work
from ticketing.orders.inputs import (
    Dispatch,
    FileAway,
    ForReason,
    HandToSenior,
    Intervene,
    OnOrder,
    Report,
    Solve,
    Stop,
    Supplement,
    TakeBack,
    ToArchivist,
    Transfer,
)
from ticketing.orders.step_inputs import Opinion, ToManager
from ticketing.orders.tables import review, work_order, work_order_amendment
from ticketing.roles import Actor, Post

__all__ = ["case"]

MOVE = {
    "from_workplace": "网络运维一班",
    "reason": "属计费问题",
    "to_workplace": "账务岗",
    "to_unit": "county.billing",
    "limit_s": 7200,
}


@pytest.mark.req("T14", "T19", "PR-05", "PR-10", "PR-11", "G1")
async def test_a_department_returns_through_its_head_and_the_dispatcher_sends_it_on(case: Case) -> None:
    await in_process(case)
    case.at_h = 1
    await case.on_work("city.network", "8001", work.accept)
    with pytest.raises(Forbidden):
        await case.on_work(
            "city.network", "8001", rework.give_back, Intervene, reason_code="wrong_unit", reason="不归我们管"
        )
    with pytest.raises(Invalid):
        await case.on_work("city.network", "8001", rework.to_head, ForReason, reason=" ")
    await case.on_work("city.network", "8001", rework.to_head, ForReason, reason="不归我们管")
    await case.on_work("city.network", "8101", rework.take_back, TakeBack, decision="先核实")
    await case.on_work("city.network", "8001", rework.to_head, ForReason, reason="确实不归我们管")
    await case.on_work(
        "city.network", "8101", rework.give_back, Intervene, reason_code="wrong_unit", reason="应由装维中心处理"
    )
    order = await case.read()
    assert order.state == "in_process", "the other unit still works on it"
    await case.finished("city.billing", "8002")
    order = await case.read()
    assert (order.state, order.owner) == ("at_senior", "2001")
    assert (await case.running())["K6B"] == 2, "the dispatcher's hour again (T19)"
    assert [wo.state for wo in order.work_orders] == ["returned", "done"]
    other = [type(TWO[0])("city.installation", "上门", 3600)]
    await case.act("2001", dispatching.dispatch, Dispatch, opinion="改派", checks=ALL_WELL, tasks=other)
    assert (await case.read()).state == "in_process", "the returned one was sent on"


@pytest.mark.req("T15", "PR-08", "PR-09", "K9")
async def test_a_transfer_says_five_things_and_never_goes_in_a_circle(case: Case) -> None:
    await in_process(case)
    case.at_h = 1
    for name, empty in {**dict.fromkeys(MOVE, ""), "limit_s": 1}.items():
        with pytest.raises(Invalid) as refusal:
            await case.on_work("city.network", "8101", rework.transfer, Transfer, **{**MOVE, name: empty})
        assert refusal.value.field == name
    with pytest.raises(Forbidden):
        await case.on_work("city.network", "8001", rework.transfer, Transfer, **MOVE)
    await case.on_work("city.network", "8101", rework.transfer, Transfer, **MOVE)
    works = (await case.read()).work_orders
    assert [(wo.unit, wo.state) for wo in works] == [
        ("city.network", "transferred"),
        ("city.billing", "sent"),
        ("county.billing", "sent"),
    ]
    stages = [clock for clock in (await case.read()).clocks if clock.code == "K9" and clock.stopped_at is None]
    assert {clock.due_at for clock in stages} == {
        case.desk.now + timedelta(hours=3),
        case.desk.now + timedelta(hours=12),
    }
    with pytest.raises(Invalid, match="in_a_circle"):
        await case.on_work("county.billing", "2001", rework.transfer, Transfer, **{**MOVE, "to_unit": "city.network"})
    async with case.desk.database.read() as conn:
        forms = (await conn.scalars(select(work_order.c.form).order_by(work_order.c.id))).all()
    assert forms[0] == {**MOVE}


@pytest.mark.req("T16", "DP-08", "K9")
async def test_a_supplement_reaches_who_holds_it_and_keeps_the_old_deadline(case: Case) -> None:
    await in_process(case)
    await case.on_work("city.network", "8001", work.accept)
    case.at_h = 2
    with pytest.raises(Forbidden):
        await case.on_work("city.network", "8001", rework.supplement, Supplement, reason="x", limit_s=7200)
    with pytest.raises(Invalid, match="missing"):
        await case.on_work("city.network", "2001", rework.supplement, Supplement, reason="客户催")
    with pytest.raises(Refused, match="nothing_to_acknowledge"):
        await case.on_work("city.network", "8001", rework.acknowledge)
    await case.on_work(
        "city.network", "2001", rework.supplement, Supplement, reason="客户催", task="今日上门", limit_s=7200
    )
    order = await case.read()
    assert (order.work_orders[0].state, order.work_orders[0].owner, order.work_orders[0].task) == (
        "accepted",
        "8001",
        "今日上门",
    )
    assert order.work_orders[0].due_at == case.desk.now + timedelta(hours=4)
    await case.on_work("city.network", "8001", rework.acknowledge)
    async with case.desk.database.read() as conn:
        (kept,) = (await conn.execute(select(clock_change))).mappings().all()
        (amended,) = (await conn.execute(select(work_order_amendment))).mappings().all()
    assert (kept["old_due_at"], kept["new_due_at"]) == (
        case.desk.now + timedelta(hours=24),
        case.desk.now + timedelta(hours=4),
    )
    assert (amended["old_task"], amended["acknowledged_by"]) == ("上门测速", case.desk["8001"].staff_id)


@pytest.mark.req("T17", "T20", "DP-09", "G1")
async def test_recalled_by_the_centre_and_cancelled_when_all_is(case: Case) -> None:
    await in_process(case)
    await case.finished("city.billing", "8002")
    with pytest.raises(Refused, match="not_from_here"):
        await case.on_work("city.billing", "2001", rework.recall, Intervene, reason_code="withdrawn", reason="客户撤回")
    await case.on_work("city.network", "2001", rework.recall, Intervene, reason_code="withdrawn", reason="客户撤回")
    assert (await case.read()).state == "replying"
    await case.on_work("city.network", "8001", rework.acknowledge)

    other = Case(case.desk, await case.desk.registered("c2"))
    await in_process(other)
    for unit in ("city.network", "city.billing"):
        await other.on_work(unit, "2001", rework.recall, Intervene, reason_code="withdrawn", reason="客户撤回")
    order = await other.read()
    assert (order.state, await other.running(), order.promises) == ("cancelled", {}, ())


@pytest.mark.req("T5", "RT-04", "RT-05")
async def test_to_the_manager_with_a_reason(case: Case) -> None:
    nobody = await case.refused("1001", control.to_manager, ToManager, trigger="refuses_answer", reason="")
    assert (nobody.code, nobody.details["field"]) == ("missing", "reason")
    repeat: dict[str, Any] = {"trigger": "overdue_repeat", "reason": "超期重复投诉"}
    unnamed = await case.refused("1001", control.to_manager, ToManager, **repeat)
    assert (unnamed.code, unnamed.details["field"]) == ("missing", "earlier_serial")
    unheard = await case.refused("1001", control.to_manager, ToManager, **repeat, earlier_serial="10000007")
    assert (unheard.code, unheard.details["field"]) == ("not_found", "earlier_serial")
    odd = await case.refused("1001", control.to_manager, ToManager, trigger="mood", reason="x")
    assert odd.details["allowed"] == ["overdue_repeat", "refuses_answer"]
    earlier = await case.desk.read(await case.desk.registered("c0"), "2001")
    await case.act("1001", control.to_manager, ToManager, **repeat, earlier_serial=earlier.serial)
    order = await case.read()
    assert (order.state, order.owner) == ("at_manager", "manager")
    said = {"opinion": "经理派单", "checks": ALL_WELL, "tasks": TWO}
    await case.act("4001", dispatching.dispatch, Dispatch, **said)
    assert (await case.read()).state == "in_process"
    later = Case(case.desk, await case.desk.registered("c2"))
    await replying(later)
    await later.act("2001", control.to_manager, ToManager, trigger="refuses_answer", reason="不接受答复")
    assert "K12" not in await later.running()


@pytest.mark.req("T5", "T18", "RT-04")
async def test_with_the_manager_live_work_runs_on_and_settles(case: Case) -> None:
    await in_process(case)
    await case.act("1001", control.to_manager, ToManager, trigger="refuses_answer", reason="不接受答复")
    assert (await case.read()).state == "at_manager"
    assert [clock.code for clock in (await case.read()).clocks if clock.stopped_at is None].count("K9") == 2
    early = await case.refused("4001", dispatching.solve, Solve, opinion="x", cause="none")
    assert early.code == "work_is_live"
    await case.finished("city.network", "8001")
    assert (await case.read()).state == "at_manager"
    await case.finished("city.billing", "8002")
    assert ((await case.read()).state, (await case.read()).owner) == ("replying", "manager")


@pytest.mark.req("T27", "T28", "MN-05", "MN-06")
async def test_cancelled_and_ended_by_force_with_all_that_is_alive(case: Case) -> None:
    await in_process(case)
    ended = {"reason": "malicious", "evidence": "录音 12 处辱骂"}
    assert (await case.refused("2001", control.cancel, Stop, **ended)).details["allowed"] == [
        "withdrew",
        "insufficient",
    ]
    assert (await case.refused("2001", proposing.ask_force_end, Stop, **ended)).code == "forbidden"
    assert (await case.refused("9101", proposing.force_end, Opinion, opinion="同意")).code == "nobody_asked"
    await case.act("9001", proposing.ask_force_end, Stop, **ended)
    assert (await case.read()).state == "in_process", "one alone ends nothing"
    assert (await case.refused("9101", proposing.ask_force_end, Stop, **ended)).code == "asked_already"
    assert (await case.refused("9001", proposing.force_end, Opinion, opinion="我")).code == "second_person"
    assert (await case.refused("9101", proposing.force_end, Opinion, opinion=" ")).code == "missing"
    second = case.desk["7001"]
    case.desk.actors["7001"] = Actor(second.staff_id, "7001", "x", frozenset({Post.AD}))
    assert (await case.refused("7001", proposing.force_end, Opinion, opinion="同意")).code == "both_needed"
    await case.act("9101", proposing.keep, Opinion, opinion="再听一次录音")
    await case.act("9101", proposing.ask_force_end, Stop, **ended)
    await case.act("9001", proposing.force_end, Opinion, opinion="录音属实")
    async with case.desk.database.read() as conn:
        reviews = await history.reviews(conn, (await conn.scalar(select(review.c.order_id).limit(1))) or 0)
    assert [(each.kind, each.state, each.author, each.reviewer) for each in reviews if each.kind == "force_end"] == [
        ("force_end", "sent_back", "9001", "9101"),
        ("force_end", "approved", "9101", "9001"),
    ]
    order = await case.read()
    assert (order.state, {wo.state for wo in order.work_orders}) == ("force_ended", {"force_ended"})
    assert await case.running() == {}
    with pytest.raises(Refused):
        await case.answered_by("city.network", "8001")

    other = Case(case.desk, await case.desk.registered("c2"))
    await other.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    assert (await other.refused("2001", control.cancel, Stop, reason="withdrew", evidence="")).code == "missing"
    await other.act("2001", control.cancel, Stop, reason="withdrew", evidence="客户来电撤回")
    assert (await other.read()).state == "cancelled"


@pytest.mark.req("T31", "RT-09", "KB-08")
async def test_a_suggestion_goes_to_the_archivist_and_into_a_digest(desk: Desk) -> None:
    draft = await desk.edit(
        await desk.call(),
        kind="suggestion",
        business="mobile.data",
        nature="charges.plan",
        suggestion_category="service",
        description="建议推出假期流量包",
        verbatim="能不能出一个假期包？",
        contact_name="陈晨",
        contact_number="13900139000",
        reply_mode="sms",
    )
    case = Case(desk, await desk.submit(draft))
    assert (await case.refused("1001", control.to_archivist, ToArchivist, thanks=False)).code == "missing"
    await case.act("1001", control.to_archivist, ToArchivist, thanks=True)
    order = await case.read()
    assert (order.state, order.owner) == ("at_archivist", "archivist")
    said = {"digest": "2026-03", "addressees": ["分公司主管领导", "服务部门"]}
    assert (await case.refused("5001", control.report, Report, **said)).code == "addressees"
    await case.act("5001", control.report, Report, **{**said, "addressees": [*said["addressees"], "省公司经营部"]})
    filed = {"content": "流量包", "customer_nature": "ordinary", "department": "city.marketing"}
    await case.act("5001", closing.file_away, FileAway, **filed)
    assert ((await case.read()).state, await case.running()) == ("archived", {})
    complaint = Case(desk, await desk.registered("c2"))
    assert (await complaint.refused("1001", control.to_archivist, ToArchivist, thanks=True)).code == "not_a_suggestion"


async def test_another_units_work_order_is_not_there_for_a_department(case: Case) -> None:
    await in_process(case)
    stranger = Actor(case.desk["8002"].staff_id, "8002", "x", frozenset({Post.DH}))
    case.desk.actors["8002"] = stranger
    for action, made, said in (
        (rework.give_back, Intervene, {"reason_code": "wrong_unit", "reason": "x"}),
        (rework.transfer, Transfer, MOVE),
        (rework.acknowledge, OnOrder, {}),
    ):
        with pytest.raises(NotFound):
            await case.on_work("city.network", "8002", action, made, **said)
