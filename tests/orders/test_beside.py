"""Beside the straight way: leaders, juniors' changes, the field, returned work, attempts, what customers add: both
databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from tests.orders.desk import Desk, complaint
from tests.orders.test_dispatch_story import ALL_WELL, REPLIED, TWO, Case, case, in_process, replying
from ticketing.clocks.tables import clock
from ticketing.errors import Forbidden, Invalid, NotFound, Refused
from ticketing.orders import (
    actions,
    closing,
    control,
    dispatching,
    fieldwork,
    hearing,
    history,
    leading,
    proposing,
    rework,
    work,
)
from ticketing.orders.inputs import (
    Answer,
    Dispatch,
    EditDraft,
    Finish,
    ForReason,
    HandToSenior,
    Intervene,
    NewDraft,
    OnOrder,
    Propose,
    Reply,
    Stop,
    Submit,
    Supplement,
    Task,
    Transfer,
)
from ticketing.orders.model import Channel
from ticketing.orders.step_inputs import (
    AssignField,
    Coordinate,
    CustomerAdds,
    FieldReport,
    Note,
    Opinion,
    Raise,
    RefuseChange,
    SendOn,
    Tell,
    ToLeader,
    ToManager,
)
from ticketing.orders.tables import commitment, customer_order, order_response, review, work_order, work_order_amendment
from ticketing.roles import Actor, Post
from ticketing.staff.tables import staff_skill

__all__ = ["case"]


async def works(case: Case) -> list[tuple[str, str]]:
    """Unit and state of each work order, in their order."""
    return [(work.unit, work.state) for work in (await case.read()).work_orders]


async def unread(case: Case) -> list[str]:
    """Units that have not read what was changed."""
    async with case.desk.database.read() as conn:
        key = await conn.scalar(select(customer_order.c.id).where(customer_order.c.public_id == case.id))
        found = await history.of_order(conn, case.desk["2001"], key or 0, case.desk.now)
    return [each.unit for each in found if each.changed]


@pytest.mark.req("T21", "PR-14")
async def test_a_leader_names_who_leads_and_sets_the_limits_while_the_work_runs_on(case: Case) -> None:
    await in_process(case)
    case.at_h = 1
    assert (await case.refused("1001", leading.to_leader, ToLeader, question="x")).code == "forbidden"
    assert (await case.refused("2001", leading.to_leader, ToLeader, question=" ")).code == "missing"
    assert (await case.refused("2001", leading.to_leader, ToLeader, question="x", level=3)).code == "unknown_code"
    await case.act("8101", leading.to_leader, ToLeader, question="涉及两个部门，谁牵头？")
    order = await case.read()
    assert (order.state, order.owner) == ("at_leader", "leader")
    assert [each.code for each in order.clocks if each.stopped_at is None].count("K9") == 2, "K9 runs on"
    await case.on_work("city.network", "8001", work.accept)
    said: dict[str, Any] = {"decision": "由网络部牵头", "lead_unit": "city.network"}
    assert (await case.refused("2001", leading.coordinate, Coordinate, **said)).code == "forbidden"
    stranger = await case.refused("9101", leading.coordinate, Coordinate, **{**said, "lead_unit": "county.billing"})
    assert (stranger.code, stranger.details["allowed"]) == ("leads_nothing", ["city.billing", "city.network"])
    tasks = [Task("city.network", "三日内扩容", 72 * 3600), Task("city.installation", "配合", 24 * 3600)]
    await case.act("9102", leading.coordinate, Coordinate, **said, tasks=tasks)
    order = await case.read()
    assert (order.state, order.owner) == ("in_process", "2001"), "who had it has it again"
    assert await works(case) == [("city.network", "accepted"), ("city.billing", "sent"), ("city.installation", "sent")]
    assert order.work_orders[0].due_at == case.desk.now + timedelta(hours=73)
    assert await unread(case) == ["city.network"], "the unit that worked on it must read its new limit"
    assert (await case.refused("9101", leading.coordinate, Coordinate, **said)).code == "not_from_here"


@pytest.mark.req("T21", "PR-15")
async def test_what_is_for_the_top_is_decided_by_the_top(case: Case) -> None:
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    await case.act("2001", leading.to_leader, ToLeader, question="需要决定")
    assert (await case.refused("2001", leading.raise_, Raise, question="x")).code == "forbidden"
    await case.act("9102", leading.raise_, Raise, question="需公司高层决定")
    assert (await case.refused("9102", leading.raise_, Raise, question="x")).code == "at_the_top"
    said: dict[str, Any] = {"decision": "全市排查", "lead_unit": "city.network"}
    assert (await case.refused("9101", leading.coordinate, Coordinate, **said)).details["missing"] == ["tasks"]
    said["tasks"] = TWO
    assert (await case.refused("9102", leading.coordinate, Coordinate, **said)).code == "top_level"
    await case.act("9101", leading.coordinate, Coordinate, **said)
    order = await case.read()
    assert (order.state, order.owner) == ("in_process", "senior")
    assert "K6B" not in await case.running()


@pytest.mark.req("T18", "T21")
async def test_work_that_is_done_leaves_the_leader(case: Case) -> None:
    await in_process(case)
    await case.act("2001", leading.to_leader, ToLeader, question="谁牵头？")
    await case.finished("city.network", "8001")
    await case.finished("city.billing", "8002")
    order = await case.read()
    assert (order.state, order.owner) == ("replying", "2001")
    other = Case(case.desk, await case.desk.registered("c2"))
    await in_process(other)
    await other.act("2001", leading.to_leader, ToLeader, question="谁牵头？")
    await other.act("2001", control.cancel, Stop, reason="withdrew", evidence="客户撤回")
    assert (await other.read()).state == "cancelled"


@pytest.mark.req("T6", "T16", "RV-01", "RV-02", "K8")
async def test_a_juniors_supplement_waits_for_a_senior_and_reaches_who_holds_the_work_then(case: Case) -> None:
    await in_process(case)
    bare = {"reason": "客户催", "task": None}
    with pytest.raises(Invalid, match="missing"):
        await case.on_work("city.network", "1001", proposing.propose_supplement, Supplement, **bare)
    with pytest.raises(Invalid, match="bad_limit"):
        await case.on_work("city.network", "1001", proposing.propose_supplement, Supplement, reason="x", limit_s=-1)
    await case.on_work(
        "city.network", "1001", proposing.propose_supplement, Supplement, reason="客户催", task="今日上门", limit_s=7200
    )
    assert (await case.read()).work_orders[0].task == "上门测速", "nothing reaches the department before (RV-01)"
    assert (await case.running())["K8"] == 0.25
    with pytest.raises(Refused, match="proposed_already"):
        await case.on_work(
            "city.network", "1001", proposing.propose_recall, Intervene, reason_code="withdrawn", reason="x"
        )
    with pytest.raises(Refused, match="nothing_proposed"):
        await case.on_work("city.billing", "2001", proposing.approve_change, Opinion, opinion="同意")
    with pytest.raises(Forbidden):
        await case.on_work("city.network", "1001", proposing.approve_change, Opinion, opinion="同意")
    move = {"from_workplace": "一班", "reason": "x", "to_workplace": "二班", "to_unit": "city.installation"}
    await case.on_work("city.network", "8101", rework.transfer, Transfer, **move, limit_s=3 * 3600)
    with pytest.raises(Invalid, match="missing"):
        await case.on_work("city.installation", "2001", proposing.approve_change, Opinion, opinion="")
    case.at_h = 0.1
    await case.on_work("city.installation", "2001", proposing.approve_change, Opinion, opinion="同意")
    order = await case.read()
    held = order.work_orders[-1]
    assert (held.unit, held.task, await unread(case)) == ("city.installation", "今日上门", ["city.installation"])
    assert held.due_at == case.desk.now + timedelta(hours=2.1)
    assert "K8" not in await case.running()
    async with case.desk.database.read() as conn:
        row = (await conn.execute(select(review).where(review.c.kind == "supplement"))).mappings().one()
    people = (case.desk["1001"].staff_id, case.desk["2001"].staff_id)
    assert ((row["author_id"], row["reviewer_id"]), row["state"]) == (people, "approved")


@pytest.mark.req("T6", "T7", "T17", "RV-02", "RV-05", "DP-09")
async def test_a_juniors_recall_is_refused_with_an_opinion_or_done(case: Case) -> None:
    await in_process(case)
    await case.on_work(
        "city.network", "1001", proposing.propose_recall, Intervene, reason_code="withdrawn", reason="客户要求停办"
    )
    with pytest.raises(Invalid, match="missing"):
        await case.on_work(
            "city.network", "2001", proposing.refuse_change, RefuseChange, reason_code="other", opinion=""
        )
    await case.on_work(
        "city.network",
        "2001",
        proposing.refuse_change,
        RefuseChange,
        reason_code="other",
        opinion="请先核实",
        errors=["unclear"],
    )
    assert await works(case) == [("city.network", "sent"), ("city.billing", "sent")]
    await case.on_work(
        "city.network", "1001", proposing.propose_recall, Intervene, reason_code="withdrawn", reason="已核实"
    )
    await case.on_work("city.network", "2001", proposing.approve_change, Opinion, opinion="同意")
    assert await works(case) == [("city.network", "recalled"), ("city.billing", "sent")]
    await case.on_work("city.network", "8001", rework.acknowledge)
    await case.on_work(
        "city.billing", "1001", proposing.propose_recall, Intervene, reason_code="withdrawn", reason="也停"
    )
    await case.finished("city.billing", "8002")
    assert (await case.read()).state == "replying"
    async with case.desk.database.read() as conn:
        states = (
            await conn.scalars(select(review.c.state).where(review.c.kind == "recall").order_by(review.c.id))
        ).all()
        running = await conn.scalar(select(clock.c.id).where(clock.c.code == "K8", clock.c.stopped_at.is_(None)))
    assert list(states) == ["sent_back", "approved", "withdrawn"], "what is done cannot be recalled any more"
    assert running is None


@pytest.mark.req("T14", "T19", "PR-10", "RV-03")
async def test_what_came_back_waits_for_its_dispatcher_while_others_work(case: Case) -> None:
    await in_process(case)
    case.at_h = 1
    await case.on_work(
        "city.network", "8101", rework.give_back, Intervene, reason_code="wrong_unit", reason="不归我们管"
    )
    assert ((await case.read()).state, (await case.running())["K6B"]) == ("in_process", 2), "the dispatcher's hour"
    other = [Task("city.installation", "上门", 3600)]
    said: dict[str, Any] = {"opinion": "改派装维", "tasks": other}
    with pytest.raises(Forbidden):
        await case.on_work("city.network", "1001", rework.send_on, SendOn, **said, checks=ALL_WELL)
    with pytest.raises(Invalid, match="checks"):
        await case.on_work("city.network", "2001", rework.send_on, SendOn, **said, checks={"valid": True})
    await case.on_work("city.network", "2001", rework.send_on, SendOn, **said, checks=ALL_WELL)
    assert await works(case) == [("city.network", "returned"), ("city.billing", "sent"), ("city.installation", "sent")]
    assert "K6B" not in await case.running()
    with pytest.raises(Refused, match="dealt_with"):
        await case.on_work("city.network", "2001", rework.drop, ForReason, reason="x")
    async with case.desk.database.read() as conn:
        rows = (await conn.execute(select(work_order).order_by(work_order.c.id))).mappings().all()
    assert rows[2]["parent_id"] == rows[0]["id"]
    assert rows[0]["form"]["followed"] == {"how": "sent_on", "by": "2001"}


@pytest.mark.req("T14", "T18", "PR-10")
async def test_what_came_back_is_dropped_with_a_reason_and_the_order_follows(case: Case) -> None:
    await in_process(case)
    await case.on_work(
        "city.network", "8101", rework.give_back, Intervene, reason_code="wrong_unit", reason="不归我们管"
    )
    with pytest.raises(Invalid, match="missing"):
        await case.on_work("city.network", "2001", rework.drop, ForReason, reason=" ")
    await case.on_work("city.network", "2001", rework.drop, ForReason, reason="客户不再要求")
    assert (await case.read()).state == "in_process"
    await case.finished("city.billing", "8002")
    assert (await case.read()).state == "replying", "dropped, it does not bring the order back"
    late = Case(case.desk, await case.desk.registered("c2"))
    await in_process(late)
    await late.finished("city.billing", "8002")
    await late.on_work("city.network", "8101", rework.give_back, Intervene, reason_code="wrong_unit", reason="x")
    assert (await late.read()).state == "at_senior"
    with pytest.raises(Refused, match="dispatch_the_order"):
        await late.on_work("city.network", "2001", rework.drop, ForReason, reason="x")


@pytest.mark.req("T14", "PR-12", "PR-13")
async def test_who_is_at_the_place_reports_before_the_head_answers(case: Case) -> None:
    await in_process(case)
    await case.on_work("city.network", "8001", work.accept)
    await case.on_work("city.network", "8001", rework.to_head, ForReason, reason="需现场处理")
    said: dict[str, Any] = {"person": "8201", "task": "现场测光衰", "limit_s": 4 * 3600}
    with pytest.raises(Forbidden):
        await case.on_work("city.network", "8001", fieldwork.assign_field, AssignField, **said)
    for name, wrong, code in (
        ("person", "8002", "not_of_the_unit"),
        ("limit_s", 1, "bad_limit"),
        ("task", "", "missing"),
    ):
        with pytest.raises(Invalid) as refusal:
            await case.on_work("city.network", "8101", fieldwork.assign_field, AssignField, **{**said, name: wrong})
        assert (refusal.value.code, refusal.value.field) == (code, name)
    head = (await case.read()).work_orders[0]

    async def of_head(number: str, action: Any, made: Any = OnOrder, **more: Any) -> None:
        async with case.desk.database.read() as conn:
            version = await conn.scalar(select(work_order.c.version).where(work_order.c.public_id == head.id))
        async with case.desk.database.write() as conn:
            await action(
                conn, case.desk[number], made(head.id, version, **more), case.desk.now + timedelta(hours=case.at_h)
            )

    await of_head("8101", fieldwork.assign_field, AssignField, **said)
    assert await works(case) == [("city.network", "working"), ("city.billing", "sent"), ("city.network", "sent")]
    assert (await case.read()).work_orders[2].owner == "8201"
    answer: dict[str, Any] = {
        "result": "已修复",
        "cause": "network.signal",
        "opinion": "x",
        "service_number": "1",
        "handled_at": case.desk.now,
    }

    with pytest.raises(Refused, match="field_report_first"):
        await of_head("8101", work.finish, Finish, **answer)
    with pytest.raises(NotFound):
        await of_head("8201", work.accept)
    with pytest.raises(Forbidden, match="not_your_task"):
        await case.on_work("city.network", "8001", work.accept)
    for step in (work.accept, work.begin):
        await case.on_work("city.network", "8201", step)
    with pytest.raises(Refused, match="field_task"):
        await case.answered_by("city.network", "8101")
    await case.on_work("city.network", "8201", fieldwork.field_report, FieldReport, result="光衰超标，已熔接")
    assert (await case.read()).state == "in_process", "a report is not the unit's answer"
    with pytest.raises(Forbidden, match="head_replies"):
        await of_head("8001", work.finish, Finish, **answer)
    await of_head("8101", work.finish, Finish, **answer)
    assert (await works(case))[0] == ("city.network", "done")
    with pytest.raises(Refused, match="not_from_here"):
        await case.on_work("city.network", "8201", fieldwork.field_report, FieldReport, result="x")


@pytest.mark.req("PR-12", "IN-23")
async def test_a_task_at_the_place_ends_with_what_it_belongs_to(case: Case) -> None:
    await in_process(case)
    await case.on_work("city.network", "8001", work.accept)
    said: dict[str, Any] = {"person": "8201", "task": "现场", "limit_s": 4 * 3600}
    parent = (await case.read()).work_orders[0]
    await case.on_work("city.network", "8101", fieldwork.assign_field, AssignField, **said)
    async with case.desk.database.write() as conn:
        recalled = Intervene(parent.id, parent.version + 1, reason_code="withdrawn", reason="客户撤回")
        await rework.recall(conn, case.desk["2001"], recalled, case.desk.now)
    assert await works(case) == [("city.network", "recalled"), ("city.billing", "sent"), ("city.network", "cancelled")]
    assert (await case.running()).get("K9") == 12, "only the other unit's clock runs"
    with pytest.raises((NotFound, Refused)):
        await case.on_work("city.network", "8201", work.accept)


@pytest.mark.req("T30", "RT-07", "RT-10", "K11")
async def test_what_the_customer_adds_is_answered_or_changes_the_work_and_may_be_promised_anew(case: Case) -> None:
    await in_process(case)
    serial = (await case.read()).serial
    case.at_h = 1
    bare = await case.refused("1001", hearing.customer_adds, CustomerAdds, text="又断了", outcome="answered")
    assert (bare.code, bare.details["missing"]) == ("missing", ["answer"])
    odd = await case.refused("1001", hearing.customer_adds, CustomerAdds, text="x", outcome="ignored")
    assert odd.details["allowed"] == ["answered", "supplement", "recall"]
    due = case.desk.now + timedelta(hours=30)
    said: dict[str, Any] = {"text": "又断了", "outcome": "answered", "answer": "已告知明日上门"}
    past = {"promise_due_at": case.desk.now}
    assert (await case.refused("1001", hearing.customer_adds, CustomerAdds, **said, **past)).code == "in_the_past"
    await case.act("1001", hearing.customer_adds, CustomerAdds, **said, promise_text="明日上门", promise_due_at=due)
    order = await case.read()
    assert (order.serial, order.state, [each.text for each in order.addenda]) == (serial, "in_process", ["又断了"])
    assert (await case.running())["K11"] == 30
    assert [each.outcome for each in order.clocks if each.code == "K11" and each.stopped_at] == ["void"]
    assert [(promise.text, promise.due_at) for promise in order.promises] == [("明日上门", due)]
    case.at_h = 31
    late = {"promise_due_at": case.desk.now + timedelta(hours=60)}
    await case.act("1001", hearing.customer_adds, CustomerAdds, **said, **late)
    outcomes = [each.outcome for each in (await case.read()).clocks if each.code == "K11" and each.stopped_at]
    assert outcomes == ["void", "breached"], "a promise that had passed stays broken"

    network = order.work_orders[0].id
    more: dict[str, Any] = {"text": "周末不在家", "outcome": "supplement", "limit_s": 7200}
    assert (await case.refused("1001", hearing.customer_adds, CustomerAdds, **more)).details["field"] == "work_order"
    unheard = await case.refused("1001", hearing.customer_adds, CustomerAdds, **more, work_order="nosuch")
    assert (unheard.code, unheard.details["field"]) == ("not_found", "work_order")
    await case.act("1001", hearing.customer_adds, CustomerAdds, **more, work_order=network)
    stop: dict[str, Any] = {"text": "不用上门了", "outcome": "recall", "work_order": order.work_orders[1].id}
    await case.act("2001", hearing.customer_adds, CustomerAdds, **stop)
    async with case.desk.database.read() as conn:
        open_ = (await conn.execute(select(review).where(review.c.state == "open"))).mappings().one()
        kept = (await conn.scalars(select(order_response.c.outcome).order_by(order_response.c.id))).all()
    assert (open_["kind"], open_["proposal"]["limit_s"]) == ("supplement", 7200), "a junior's waits for a senior"
    assert await works(case) == [("city.network", "sent"), ("city.billing", "recalled")]
    assert list(kept) == ["answered", "answered", "supplement", "recall"]


@pytest.mark.req("PR-20", "RT-05", "K11")
async def test_the_customer_is_told_the_plan_the_time_and_why_and_agrees_or_not(case: Case) -> None:
    await in_process(case)
    due = case.desk.now + timedelta(hours=40)
    said: dict[str, Any] = {"plan": "更换光猫", "told_due_at": due, "time_reason": "需要备件", "agreed": False}
    for name in ("plan", "time_reason"):
        missing = await case.refused("1001", hearing.tell, Tell, **{**said, name: " "})
        assert missing.details["missing"] == [name]
    past = await case.refused("1001", hearing.tell, Tell, **{**said, "told_due_at": case.desk.now})
    assert (past.code, past.details["field"]) == ("in_the_past", "told_due_at")
    await case.act("1001", hearing.tell, Tell, **said)
    assert (await case.running())["K11"] == 40

    await case.act("1001", control.to_manager, ToManager, trigger="refuses_answer", reason="不接受方案")
    assert (await case.read()).state == "at_manager"
    async with case.desk.database.read() as conn:
        replaced = (await conn.scalars(select(commitment.c.replaced_at).order_by(commitment.c.id))).all()
    assert [each is not None for each in replaced] == [True, False]


async def limited_to(case: Case, staff_id: int, skills: list[str]) -> None:
    """What somebody knows about, and nothing else."""
    async with case.desk.database.write() as conn:
        await conn.execute(delete(staff_skill).where(staff_skill.c.staff_id == staff_id))
        rows = [{"staff_id": staff_id, "skill": skill, "level": 3} for skill in skills]
        await conn.execute(insert(staff_skill), rows)


@pytest.mark.req("RT-01", "RT-02")
async def test_outside_his_business_a_junior_hands_on(case: Case) -> None:
    junior = case.desk["1001"]
    await limited_to(case, junior.staff_id, ["mobile", "data.iptv"])
    spot: dict[str, Any] = {"opinion": "x", "satisfaction": "later", "fcr": True}
    refused = await case.refused("1001", closing.answer, Answer, **spot)
    assert (refused.code, refused.details["allowed"]) == ("out_of_scope", ["data.iptv", "mobile"])
    assert (await case.refused("1001", dispatching.propose, Propose, tasks=TWO, opinion="x")).code == "out_of_scope"
    await limited_to(case, junior.staff_id, ["data"])
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="x")
    other = Case(case.desk, await case.desk.registered("c2"))
    await limited_to(case, junior.staff_id, ["mobile"])
    await other.act("1001", dispatching.hand_to_senior, HandToSenior, reason="不在业务范围")
    assert (await other.read()).state == "at_senior"


@pytest.mark.req("T22", "RP-03")
async def test_a_reply_that_is_not_the_last_may_send_further_work(case: Case) -> None:
    await replying(case)
    more: dict[str, Any] = {"tasks": [Task("city.installation", "再上门", 3600)], "checks": ALL_WELL}
    last = await case.refused("2001", closing.reply, Reply, **REPLIED, **more)
    assert (last.code, last.details["field"]) == ("not_with_the_last", "tasks")
    junior = await case.refused("1001", closing.reply, Reply, **REPLIED, final=False, **more)
    assert junior.code == "forbidden"
    unchecked = await case.refused("2001", closing.reply, Reply, **REPLIED, final=False, tasks=more["tasks"])
    assert unchecked.code == "checks"
    await case.act("2001", closing.reply, Reply, **REPLIED, final=False, **more)
    order = await case.read()
    assert (order.state, order.work_orders[-1].cycle, order.work_orders[-1].unit) == (
        "in_process",
        2,
        "city.installation",
    )
    assert set(await case.running()) == {"K9", "K10", "K10L"}
    async with case.desk.database.read() as conn:
        cycle = await conn.scalar(select(customer_order.c.cycle).where(customer_order.c.public_id == case.id))
        replies = await history.replies(conn, (await conn.scalar(select(customer_order.c.id).limit(1))) or 0)
    assert (cycle, [each.final for each in replies]) == (2, [False])


@pytest.mark.req("DP-12", "PR-03")
async def test_messages_are_added_to_a_work_order_by_both_sides(case: Case) -> None:
    await in_process(case)
    await case.on_work("city.network", "8001", work.accept)
    for number, text in (("2001", "客户下午在家"), ("8001", "已约 15 点")):
        await case.on_work("city.network", number, fieldwork.note, Note, text=text)
    with pytest.raises(Invalid):
        await case.on_work("city.network", "8001", fieldwork.note, Note, text=" ")
    with pytest.raises(Invalid, match="control_character"):
        await case.on_work("city.network", "8001", fieldwork.note, Note, text="a\x07b")
    with pytest.raises(Invalid, match="too_long"):
        await case.on_work("city.network", "8001", fieldwork.note, Note, text="长" * 2001)
    held = (await case.read()).work_orders[0]
    assert held.notes == "2026-03-10 01:30Z 2001 客户下午在家\n2026-03-10 01:30Z 8001 已约 15 点"
    lines = [(line.action, line.by, line.handler) for line in (await case.read()).trail][-2:]
    assert lines == [("note", "2001", "8001"), ("note", "8001", "8001")], "a note leaves it with whoever has it"


@pytest.mark.req("DP-13")
async def test_a_work_order_may_be_sent_to_a_person_of_the_unit(case: Case) -> None:
    stranger = [Task("city.network", "x", 3600, person="8002")]
    refused = await case.refused("1001", dispatching.propose, Propose, tasks=stranger, opinion="x")
    assert (refused.code, refused.details["field"]) == ("not_of_the_unit", "tasks.0.person")
    await case.act(
        "1001", dispatching.propose, Propose, tasks=[Task("city.network", "x", 3600, person="8001")], opinion="x"
    )
    await case.act("2001", dispatching.approve, Dispatch, opinion="同意", checks=ALL_WELL)
    assert [each.owner for each in (await case.read()).work_orders] == ["8001"]
    await case.on_work("city.network", "8001", work.accept)


async def test_the_amendment_of_an_approved_recall_is_read_by_the_department(case: Case) -> None:
    await in_process(case)
    await case.on_work(
        "city.network", "1001", proposing.propose_recall, Intervene, reason_code="withdrawn", reason="停办"
    )
    await case.on_work("city.network", "2001", proposing.approve_change, Opinion, opinion="同意")
    async with case.desk.database.read() as conn:
        (amended,) = (await conn.execute(select(work_order_amendment))).mappings().all()
    assert (amended["kind"], amended["reason"], amended["acknowledged_at"]) == ("recall", "停办", None)


@pytest.mark.req("RT-11", "RT-12", "K4", "G5")
async def test_clerks_hand_on_within_two_hours_of_the_receipt(desk: Desk) -> None:

    for number, post, channel in (("6001", Post.RX, Channel.RECORDING), ("6001", Post.TE, Channel.LETTER)):
        clerk = Actor(desk[number].staff_id, number, "x", frozenset({post}))
        received = desk.now - timedelta(minutes=90)
        async with desk.database.write() as conn:
            draft = await actions.create_draft(conn, clerk, NewDraft(channel, received), desk.now)
            edited = EditDraft(draft.subject_id, draft.version, complaint(desk.now))
            draft = await actions.edit_draft(conn, clerk, edited, desk.now)
            order = await actions.submit(conn, clerk, Submit(draft.subject_id, draft.version), desk.now)
            late = desk.now + timedelta(minutes=31)
            given = HandToSenior(order.subject_id, order.version, reason="不能处理")
            await dispatching.hand_to_senior(conn, clerk, given, late)
        read = await desk.read(order, "2001")
        (handoff,) = [each for each in read.clocks if each.code == "K4"]
        assert (read.state, handoff.due_at) == ("at_senior", received + timedelta(hours=2))
        assert handoff.outcome == "breached", "121 minutes after the receipt, whenever it was entered"
