"""A template yields work orders one after the other; running orders keep their version; on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, Case
from ticketing.audit import audit
from ticketing.classification import Cover
from ticketing.errors import HotlineError, NotFound
from ticketing.orders import control, dispatching, history, planning, rework, work
from ticketing.orders import store as orders
from ticketing.orders.inputs import Dispatch, ForReason, HandToSenior, Intervene, Propose, Stop, Task, Transfer
from ticketing.orders.tables import customer_order, order_trail, process_node, work_order
from ticketing.processes import actions, store
from ticketing.processes.model import Content, Node, VersionState
from ticketing.responsibility import actions as responsibility
from ticketing.responsibility.actions import NewLine
from ticketing.roles import SYSTEM
from ticketing.staff.tables import staff

CHECK = Node("check", "核查", "Check", "远程核查", 4 * 3600, duty="check", workplace="监控工位")
REPAIR = Node("repair", "修复", "Repair", "上门修复", 24 * 3600, after=("check",), unit="city.billing")
ASK = Node("ask", "回访", "Ask", "确认已恢复", 3600, after=("repair",), duty="check")
NETWORK = (Cover(complaint_type="network"),)
THREE = (CHECK, REPAIR, ASK)
MOVE = {"from_workplace": "一班", "reason": "归县里", "to_workplace": "县班", "to_unit": "county.installation"}


async def publish(desk: Desk, nodes: Sequence[Node], code: str = "network", at_h: float = 0) -> int:
    """Publishes the next version of a template, made if it is not there; returns its number."""
    now = desk.now + timedelta(hours=at_h)
    admin = desk["9001"]
    async with desk.database.write() as conn:
        try:
            version = (await store.get(conn, code)).version
        except NotFound:
            version = (
                await actions.add(conn, admin, actions.NewTemplate(code, "complaint", "网络", "Net"), now)
            ).version
        written = await actions.write(conn, admin, code, version, Content(NETWORK, tuple(nodes)), now)
        done = await actions.publish(conn, admin, code, written.version, None, now)
    return int(done.payload["number"])


async def responsible(desk: Desk, duty: str, unit: str, **cover: str) -> str:
    """Gives a duty to a unit; returns the line's id."""
    async with desk.database.write() as conn:
        line = NewLine(duty, Cover(**cover), unit, "x")
        return (await responsibility.add(conn, desk["9001"], line, desk.now)).subject_id


@pytest.fixture
async def case(desk: Desk) -> Case:
    """A complaint registered when version 1 was in force, with the seniors."""
    await responsible(desk, "check", "city.network", complaint_type="network")
    await publish(desk, THREE)
    made = Case(desk, await desk.registered())
    await made.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    return made


async def states(case: Case) -> list[tuple[str, str, str]]:
    """Node, unit and state of each work order, in the order of their numbers."""
    async with case.desk.database.read() as conn:
        rows = await conn.execute(
            select(process_node.c.code, work_order.c.unit, work_order.c.state)
            .outerjoin(process_node, process_node.c.id == work_order.c.node_id)
            .join(customer_order, customer_order.c.id == work_order.c.order_id)
            .where(customer_order.c.public_id == case.id)
            .order_by(work_order.c.number)
        )
        return [(row.code, row.unit, row.state) for row in rows]


async def by_template(case: Case) -> None:
    """The senior sends what the template asks for."""
    await case.act("2001", dispatching.dispatch, Dispatch, opinion="按模板", checks=ALL_WELL, by_template=True)


@pytest.mark.req("DP-02", "IN-20", "DP-14")
async def test_three_serial_nodes_make_three_work_orders_sent_one_after_the_other(case: Case) -> None:
    await by_template(case)
    assert await states(case) == [
        ("check", "city.network", "sent"),
        ("repair", "city.billing", "proposed"),
        ("ask", "city.network", "proposed"),
    ]
    assert (await case.read()).state == "in_process"
    assert [clock.due_at for clock in (await case.read()).clocks if clock.code == "K9"] == [
        case.desk.now + timedelta(hours=4)
    ], "only what is sent has a limit that runs"
    case.at_h = 2
    changes = await case.finished("city.network", "8001")
    assert [change.kind for change in changes] == ["work_order.finished", "work_order.sent"]
    assert [state for _, _, state in await states(case)] == ["done", "sent", "proposed"]
    stages = [clock for clock in (await case.read()).clocks if clock.code == "K9"]
    assert (stages[1].started_at, stages[1].due_at) == (
        case.desk.now + timedelta(hours=2),
        case.desk.now + timedelta(hours=26),
    ), "its clock starts when it is sent"
    case.at_h = 5
    await case.finished("city.billing", "8002")
    case.at_h = 5.5
    assert [state for _, _, state in await states(case)] == ["done", "done", "sent"]
    assert (await case.read()).state == "in_process"
    await case.on_work("city.network", "8001", work.accept)
    await case.on_work("city.network", "8001", work.begin)
    changes = await case.answered_by("city.network", "8001")
    assert [change.kind for change in changes] == ["work_order.finished", "order.settled"]
    assert (await case.read()).state == "replying"
    async with case.desk.database.read() as conn:
        trail = (await conn.execute(select(order_trail).where(order_trail.c.action == "send"))).all()
        assert [(line.actor_number, line.from_state, line.to_state, line.node) for line in trail] == [
            ("system", "proposed", "sent", "city.billing"),
            ("system", "proposed", "sent", "city.network"),
        ]
        assert len((await conn.execute(select(audit).where(audit.c.verb == "work_order.sent"))).all()) == 2


@pytest.mark.req("DP-11", "DP-02")
async def test_a_department_sees_nothing_of_what_is_not_sent_yet(case: Case) -> None:
    await by_template(case)
    desk = case.desk
    async with desk.database.read() as conn:
        key = await orders.id_of(conn, SYSTEM, case.id)
        seen = {
            number: len(await history.of_order(conn, desk[number], key, desk.now))
            for number in ("1001", "2001", "8001")
        }
        assert seen == {"1001": 3, "2001": 3, "8001": 1}
        assert await history.inbox(conn, desk["8002"], history.WorkFilter(), desk.now) == ()
        everything = history.WorkFilter(("proposed", "sent"))
        assert await history.inbox(conn, desk["8002"], everything, desk.now) == ()
    assert len((await case.read("8001")).work_orders) == 1
    with pytest.raises(NotFound):
        await case.read("8002")
    with pytest.raises(NotFound):
        await case.on_work("city.billing", "8002", work.accept)
    with pytest.raises(NotFound):
        await case.on_work("city.billing", "1001", rework.recall, Intervene, reason_code="withdrawn", reason="x")


@pytest.mark.req("DP-14")
async def test_publish_v2_and_old_orders_are_still_v1(case: Case, desk: Desk) -> None:
    assert await publish(desk, (Node("fix", "修", "Fix", "修好", 7200, unit="city.network"),), at_h=1) == 2
    case.at_h = 1
    old = (await case.read()).process
    assert old is not None
    assert (old.version, [node.code for node in old.nodes]) == (1, ["check", "repair", "ask"])
    desk.now += timedelta(hours=1)
    new = Case(desk, await desk.registered("c2", caller="13900000001"))
    desk.now -= timedelta(hours=1)
    found = (await new.read()).process
    assert found is not None
    assert (found.version, [node.code for node in found.nodes]) == (2, ["fix"])
    await by_template(case)
    assert [node for node, _, _ in await states(case)] == ["check", "repair", "ask"]
    async with desk.database.read() as conn:
        template = await store.get(conn, "network")
    later = desk.now + timedelta(hours=2)
    assert [(each.number, each.state(later)) for each in template.versions] == [
        (2, VersionState.IN_FORCE),
        (1, VersionState.RETIRED),
    ]


@pytest.mark.req("DP-14")
async def test_a_version_that_starts_later_is_followed_from_then_on(desk: Desk) -> None:
    await publish(desk, (CHECK,))
    monday = desk.now + timedelta(days=3)
    async with desk.database.write() as conn:
        written = await actions.write(conn, desk["9001"], "network", 3, Content(NETWORK, (CHECK, REPAIR)), desk.now)
        await actions.publish(conn, desk["9001"], "network", written.version, monday, desk.now)
        order = {"kind": "complaint", "complaint_type": "network"}
        before = await planning.matching(conn, order, monday - timedelta(seconds=1))
        after = await planning.matching(conn, order, monday)
    assert before is not None
    assert after is not None
    assert (before[1].number, after[1].number) == (1, 2)


@pytest.mark.req("DP-14", "N4")
async def test_what_is_published_never_changes_and_each_refusal_says_why(desk: Desk) -> None:
    await publish(desk, THREE)
    admin = desk["9001"]
    async with desk.database.read() as conn:
        first = (await store.get(conn, "network")).versions[0]

    async def refused(code: str, action: Any, *given: Any, actor: str = "9001") -> HotlineError:
        with pytest.raises(HotlineError) as refusal:
            async with desk.database.write() as conn:
                await action(conn, desk[actor], *given, desk.now)
        assert refusal.value.code == code
        return refusal.value

    await refused("no_draft", actions.publish, "network", 3, None)
    await refused("no_draft", actions.discard, "network", 3)
    await refused("stale_version", actions.write, "network", 2, Content(NETWORK, THREE))
    await refused("not_found", actions.write, "other", 1, Content(NETWORK, THREE))
    await refused("forbidden", actions.write, "network", 3, Content(NETWORK, THREE), actor="2001")
    await refused("code_is_there", actions.add, actions.NewTemplate("network", "complaint", "x", "x"))
    await refused("unknown_code", actions.add, actions.NewTemplate("new", "inquiry", "x", "x"))
    strange = Content((Cover(business="nothing"),), THREE)
    assert (await refused("unknown_code", actions.write, "network", 3, strange)).details["field"] == "covers.0.business"
    nobody = Content(NETWORK, (Node("a", "a", "a", "x", 3600, unit="city"),))
    assert (await refused("not_a_leaf", actions.write, "network", 3, nobody)).details["field"] == "nodes.0.unit"
    async with desk.database.write() as conn:
        written = await actions.write(conn, admin, "network", 3, Content(NETWORK, (CHECK,), "改"), desk.now)
        kept = (await store.get(conn, "network")).versions
        assert kept[1] == first, "the published one is as it was"
        assert (kept[0].number, kept[0].note, kept[0].published_at) == (2, "改", None)
        discarded = await actions.discard(conn, admin, "network", written.version, desk.now)
        assert (await store.get(conn, "network")).versions == (first,)
    other = actions.NewTemplate("same", "complaint", "x", "x")
    async with desk.database.write() as conn:
        await actions.add(conn, admin, other, desk.now)
        await actions.write(conn, admin, "same", 1, Content(NETWORK, (CHECK,)), desk.now)
    assert (await refused("covered", actions.publish, "same", 2, None)).details["by"] == "network"
    await refused("in_the_past", actions.publish, "same", 2, desk.now - timedelta(seconds=1))
    async with desk.database.write() as conn:
        await actions.retire(conn, admin, "network", discarded.version, desk.now)
        await actions.publish(conn, admin, "same", 2, None, desk.now)
    await refused("not_in_force", actions.retire, "network", discarded.version + 1)


@pytest.mark.req("DP-02", "RV-02", "DP-04")
async def test_a_junior_proposes_the_template_and_a_person_may_change_it(desk: Desk) -> None:
    await responsible(desk, "check", "city.network")
    await publish(desk, THREE)
    case = Case(desk, await desk.registered())
    await case.act("1001", dispatching.propose, Propose, opinion="按模板", by_template=True)
    async with desk.database.read() as conn:
        plan = await planning.read(conn, SYSTEM, case.id, desk.now)
        (proposed,) = await history.reviews(conn, await orders.id_of(conn, SYSTEM, case.id))
    assert (plan.template, plan.number) == ("network", 1)
    assert [(task.node, task.unit, task.limit_s, task.after) for task in plan.tasks] == [
        ("check", "city.network", 14400, ()),
        ("repair", "city.billing", 86400, ("check",)),
        ("ask", "city.network", 3600, ("repair",)),
    ]
    assert [task["node"] for task in proposed.tasks] == ["check", "repair", "ask"]
    mine = (
        Task("city.network", "去修", 7200, node="repair"),
        Task("city.marketing", "问一下", 3600, node="ask"),
        Task("city.billing", "另查账单", 3600),
    )
    for wrong, code, field in (
        ((Task("city.network", "x", 3600, node="nothing"),), "unknown_code", "tasks.0.node"),
        ((mine[0], Task("city.billing", "x", 3600, node="repair")), "twice", "tasks.1.node"),
        ((mine[2], Task("city.billing", "x", 3600, node="repair")), "twice", "tasks.1.unit"),
    ):
        told = await case.refused("2001", dispatching.approve, Dispatch, opinion="x", checks=ALL_WELL, tasks=wrong)
        assert (told.code, told.details["field"]) == (code, field)
    both = {"opinion": "x", "checks": ALL_WELL, "tasks": mine, "by_template": True}
    assert (await case.refused("2001", dispatching.approve, Dispatch, **both)).code == "tasks_or_template"
    await case.act("2001", dispatching.approve, Dispatch, opinion="改", checks=ALL_WELL, tasks=mine)
    assert await states(case) == [
        ("repair", "city.network", "sent"),
        ("ask", "city.marketing", "proposed"),
        (None, "city.billing", "sent"),
    ], "what waits for a node that was left out waits for what is before it; a task by hand waits for nothing"
    await case.finished("city.network", "8001")
    assert (await states(case))[1] == ("ask", "city.marketing", "sent"), "the unit somebody chose, not the map's"


@pytest.mark.req("DP-02", "DP-10")
async def test_without_a_template_the_map_says_the_department_and_by_template_is_refused(desk: Desk) -> None:
    await responsible(desk, "handle", "city.sales")
    await responsible(desk, "handle", "city.network", complaint_type="network")
    for call, axis, unit in (("c1", "network", "city.network"), ("c2", "service", "city.sales")):
        case = Case(desk, await desk.registered(call, complaint_type=axis, caller=f"1390000000{call[1]}"))
        async with desk.database.read() as conn:
            plan = await planning.read(conn, SYSTEM, case.id, desk.now)
        assert (plan.template, [task.unit for task in plan.tasks]) == (None, [unit])
    told = await case.refused("1001", dispatching.propose, Propose, opinion="x", by_template=True)
    assert (told.code, told.details["field"]) == ("no_template", "by_template")
    await publish(desk, (CHECK,))
    late = Case(desk, await desk.registered("c3", caller="13900000003"))
    told = await late.refused("1001", dispatching.propose, Propose, opinion="x", by_template=True)
    assert (told.code, told.details["duty"]) == ("nobody_responsible", "check")


@pytest.mark.req("DP-09", "T17", "T20", "DP-02")
async def test_a_recall_takes_what_waits_for_it_along(case: Case) -> None:
    await by_template(case)
    changes = await case.on_work(
        "city.network", "2001", rework.recall, Intervene, reason_code="withdrawn", reason="客户不办了"
    )
    assert [change.kind for change in changes] == [
        "work_order.recalled",
        "work_order.called_off",
        "work_order.called_off",
        "order.settled",
    ]
    assert [state for _, _, state in await states(case)] == ["recalled", "cancelled", "cancelled"]
    assert (await case.read()).state == "cancelled"


@pytest.mark.req("DP-09", "DP-02")
async def test_a_senior_takes_a_planned_node_out_and_nobody_must_acknowledge_it(case: Case) -> None:
    await by_template(case)
    await case.on_work("city.billing", "2001", rework.recall, Intervene, reason_code="withdrawn", reason="不用上门")
    assert [state for _, _, state in await states(case)] == ["sent", "recalled", "cancelled"]
    async with case.desk.database.read() as conn:
        (billing,) = (await conn.execute(select(work_order).where(work_order.c.unit == "city.billing"))).all()
        views = await history.of_order(conn, case.desk["2001"], billing.order_id, case.desk.now)
    assert [view.changed for view in views] == [False, False, False]


@pytest.mark.req("MN-05", "MN-06", "T27", "IN-23")
async def test_a_cancelled_order_ends_what_was_planned(case: Case) -> None:
    await by_template(case)
    await case.act("2001", control.cancel, Stop, reason="withdrew", evidence="x")
    assert {state for _, _, state in await states(case)} == {"cancelled"}
    async with case.desk.database.read() as conn:
        owners = await conn.execute(select(work_order.c.owner_id, work_order.c.owner_queue, work_order.c.ended_at))
        assert {tuple(row) for row in owners} == {(None, None, case.desk.now)}
    assert await case.running() == {}


@pytest.mark.req("PR-08", "PR-10", "DP-02")
async def test_a_transfer_and_what_came_back_keep_the_place_in_the_order(case: Case) -> None:
    await by_template(case)
    await case.on_work("city.network", "8101", rework.transfer, Transfer, **MOVE, limit_s=3600)
    assert await states(case) == [
        ("check", "city.network", "transferred"),
        ("repair", "city.billing", "proposed"),
        ("ask", "city.network", "proposed"),
        ("check", "county.installation", "sent"),
    ], "the next node waits for who has it now"
    async with case.desk.database.write() as conn:
        moved = update(staff).where(staff.c.number == "8101").values(unit="county.installation")
        await conn.execute(moved)
    await case.on_work(
        "county.installation", "8101", rework.give_back, Intervene, reason_code="wrong_unit", reason="不归我们"
    )
    assert (await case.read()).state == "in_process", "what is planned waits for the dispatcher"
    await case.on_work("county.installation", "2001", rework.drop, ForReason, reason="不必核查")
    assert [state for _, _, state in await states(case)] == ["transferred", "sent", "proposed", "returned"]
