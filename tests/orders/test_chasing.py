"""催单: it reaches whoever holds the work now, is counted, and stays visible until he says that he has read it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, Case, in_process
from ticketing.errors import Forbidden, Refused
from ticketing.orders import chasing, dispatching, fieldwork, history, pausing, rework, tracking, work
from ticketing.orders.chasing import Chased
from ticketing.orders.inputs import Dispatch, HandToSenior, Pause, Task, Transfer
from ticketing.orders.step_inputs import AssignField, Chase
from ticketing.orders.tables import order_trail, work_order
from ticketing.orders.views import WorkOrderView


@pytest.fixture
async def case(desk: Desk) -> Case:
    """A complaint that two units work on: one has taken it, in the other's inbox it lies."""
    case = Case(desk, await desk.registered())
    await in_process(case)
    await case.on_work("city.network", "8001", work.accept)
    case.at_h = 3
    return case


async def urged(case: Case, number: str = "7001", *, asked_by: str = "centre", **said: object) -> None:
    """Somebody urges."""
    await case.act(number, chasing.chase, Chase, asked_by=asked_by, reason="客户三次来电", **said)


async def receipts(case: Case) -> tuple[Chased, ...]:
    """Who was urged and who has acknowledged."""
    async with case.desk.database.read() as conn:
        order_id = await conn.scalar(select(work_order.c.order_id).limit(1))
        assert order_id is not None
        return await chasing.of_order(conn, order_id)


async def inbox(case: Case, number: str) -> tuple[WorkOrderView, ...]:
    """A department's list."""
    async with case.desk.database.read() as conn:
        now = case.desk.now + timedelta(hours=case.at_h)
        return await history.inbox(conn, case.desk[number], history.WorkFilter(), now)


async def open_units(case: Case, number: str = "7001") -> list[str]:
    """Units that were urged and have not said that they read it, as the centre's list of open points shows them."""
    async with case.desk.database.read() as conn:
        points = await tracking.open_points(conn, case.desk[number], case.desk.now)
        return sorted(point.unit or "" for point in points if point.kind == "chase")


@pytest.mark.req("T29", "SV-03")
async def test_it_reaches_the_person_and_the_inbox_and_each_gives_a_receipt(case: Case) -> None:
    with pytest.raises(Refused, match="nothing_to_acknowledge"):
        await case.on_work("city.network", "8001", rework.acknowledge)
    await urged(case)
    assert [(each.work_order, each.reached, each.by, each.outstanding) for each in await receipts(case)] == [
        (1, "8001", "7001", True),
        (2, "city.billing", "7001", True),
    ]
    order = await case.read()
    assert (order.state, order.chase_no, order.urgent) == ("in_process", 1, False)
    assert await open_units(case) == ["city.billing", "city.network"]
    (task,) = await inbox(case, "8001")
    assert (task.changed, task.chased, task.chases, "acknowledge" in task.actions) == (True, "客户三次来电", 1, True)
    assert task.unread == ("chase",)

    case.at_h = 4
    await case.on_work("city.network", "8001", rework.acknowledge)
    assert await open_units(case) == ["city.billing"], "who did not acknowledge is visible"
    read, unread = await receipts(case)
    at = case.desk.now + timedelta(hours=4)
    assert (read.acknowledged_at, read.acknowledged_by, read.outstanding) == (at, "8001", False)
    assert (unread.acknowledged_at, unread.acknowledged_by, unread.outstanding) == (None, None, True)
    (task,) = await inbox(case, "8001")
    assert (task.changed, task.chased, task.chases, "acknowledge" in task.actions) == (False, None, 1, False)
    assert task.unread == ()
    line = (await case.read()).trail[-1]
    assert (line.action, line.work_order, line.read) == ("acknowledge", 1, ("chase",)), "the trail says what was read"

    await urged(case, "1001", asked_by="customer")
    assert (await case.read()).chase_no == 2
    assert len(await receipts(case)) == 4
    async with case.desk.database.read() as conn:
        lines = select(order_trail.c.action, order_trail.c.handler, order_trail.c.note)
        told = (await conn.execute(lines.where(order_trail.c.action == "chase").order_by(order_trail.c.id))).all()
    assert [(line.handler, line.note) for line in told] == [
        (who, "客户三次来电") for who in ("2001", "8001", "city.billing") * 2
    ], "the order's line, and one of each work order with its holder"


@pytest.mark.req("T29", "PR-12")
async def test_somebody_at_the_place_is_reached_and_only_he_gives_the_receipt(case: Case) -> None:
    sent = {"person": "8201", "task": "上门测速", "limit_s": 7200}
    await case.on_work("city.network", "8101", fieldwork.assign_field, AssignField, **sent)
    await urged(case)
    assert {each.reached for each in await receipts(case)} == {"8101", "city.billing", "8201"}
    with pytest.raises(Forbidden, match="not_your_task"):
        await case.on_work("city.network", "8101", rework.acknowledge)
    await case.on_work("city.network", "8201", rework.acknowledge)
    assert {each.acknowledged_by for each in await receipts(case) if each.reached == "8201"} == {"8201"}
    assert {each.outstanding for each in await receipts(case) if each.reached != "8201"} == {True}


@pytest.mark.req("T29", "T15")
async def test_what_nobody_read_goes_with_the_transfer_to_the_new_holder(case: Case) -> None:
    await urged(case)
    move = {"from_workplace": "x", "reason": "x", "to_workplace": "x", "to_unit": "city.installation", "limit_s": 7200}
    await case.on_work("city.network", "8101", rework.transfer, Transfer, **move)
    assert await open_units(case) == ["city.billing", "city.installation"]
    assert {(each.unit, each.reached) for each in await receipts(case)} == {
        ("city.installation", "city.installation"),
        ("city.billing", "city.billing"),
    }


@pytest.mark.req("T29")
async def test_finished_unread_is_no_longer_outstanding_and_has_no_receipt(case: Case) -> None:
    await urged(case)
    await case.on_work("city.network", "8001", work.begin)
    await case.answered_by("city.network", "8001")
    network = next(each for each in await receipts(case) if each.unit == "city.network")
    assert (network.acknowledged_at, network.outstanding) == (None, False)
    await urged(case)
    assert [each.unit for each in await receipts(case)].count("city.network") == 1, "who has answered is left in peace"


@pytest.mark.req("T29", "DP-07")
async def test_urgent_from_now_on_also_for_work_that_is_sent_later(case: Case) -> None:
    refused = await case.refused("7001", chasing.chase, Chase, asked_by="centre", reason="x", urgent=True)
    assert (refused.code, refused.details["field"]) == ("not_yours_to_hurry", "urgent")
    plain = Case(case.desk, await case.desk.registered("c2", caller="13900000000"))
    await plain.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    sent = {"opinion": "x", "checks": ALL_WELL, "tasks": [Task("city.network", "x", 3600)]}
    await plain.act("2001", dispatching.dispatch, Dispatch, **sent)
    assert [each.urgent for each in (await plain.read()).work_orders] == [False]
    await urged(plain, "2001", urgent=True)
    order = await plain.read()
    assert (order.urgent, [each.urgent for each in order.work_orders]) == (True, [True])
    move = {"from_workplace": "x", "reason": "x", "to_workplace": "x", "to_unit": "city.installation", "limit_s": 7200}
    await plain.on_work("city.network", "8101", rework.transfer, Transfer, **move)
    assert [each.urgent for each in (await plain.read()).work_orders] == [True, True]


@pytest.mark.req("T29")
async def test_refused_where_nobody_works_or_the_work_stands_still(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    asked = {"asked_by": "customer", "reason": "x"}
    assert (await case.refused("7001", chasing.chase, Chase, **asked)).code == "not_from_here"
    await in_process(case)
    assert (await case.refused("5001", chasing.chase, Chase, **asked)).code == "forbidden"
    strange = await case.refused("7001", chasing.chase, Chase, asked_by="boss", reason="x")
    assert (strange.code, strange.details["allowed"]) == ("unknown_code", ["customer", "centre"])
    long = await case.refused("7001", chasing.chase, Chase, asked_by="customer", reason="催" * 501)
    assert (long.code, long.details["field"]) == ("too_long", "reason")
    until = desk.now + timedelta(days=1)
    await case.act("2001", pausing.pause, Pause, reason="customer", resume_expected_at=until)
    assert (await case.refused("7001", chasing.chase, Chase, **asked)).code == "paused"
