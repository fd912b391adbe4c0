"""Limits that a person set otherwise than the policy are listed, each with its reason (CL-03)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, Case
from tests.processes.test_by_template import CHECK, THREE, publish, responsible
from ticketing.errors import Forbidden
from ticketing.orders import deviations, dispatching, extending, rework
from ticketing.orders.inputs import Dispatch, HandToSenior, Supplement, Task
from ticketing.orders.step_inputs import AskExtension, GrantExtension

HOUR = timedelta(hours=1)


@pytest.fixture
async def case(desk: Desk) -> Case:
    """A complaint with the seniors whose template gives the network department four hours."""
    await responsible(desk, "check", "city.network", complaint_type="network")
    await publish(desk, THREE)
    made = Case(desk, await desk.registered())
    await made.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    return made


async def listed(case: Case) -> list[tuple[str, str | None, float, float, str]]:
    """Kind, who, limit by policy and limit now in hours, and the reason."""
    async with case.desk.database.read() as conn:
        found = await deviations.read(conn, case.desk["3001"])
    made = []
    for each in found:
        assert each.policy_due_at is not None
        assert each.due_at is not None
        assert (each.order_id, each.unit, each.number) == (case.id, "city.network", 1)
        hours = [(at - case.desk.now) / HOUR for at in (each.policy_due_at, each.due_at)]
        made.append((each.kind, each.by, hours[0], hours[1], each.reason))
    return made


@pytest.mark.req("CL-03")
async def test_equal_cases_have_the_templates_limit_and_nothing_is_listed(case: Case) -> None:
    await case.act("2001", dispatching.dispatch, Dispatch, opinion="按模板", checks=ALL_WELL, by_template=True)
    assert await listed(case) == []


@pytest.mark.req("CL-03", "DP-08", "PX-05")
async def test_each_manual_limit_is_listed_with_who_set_it_and_why(case: Case) -> None:
    assert CHECK.limit_s == 4 * 3600
    own = [Task("city.network", "远程核查", 8 * 3600, node="check")]
    await case.act("2001", dispatching.dispatch, Dispatch, opinion="客户约定明早", checks=ALL_WELL, tasks=own)
    at_dispatch = ("dispatch", "2001", 4.0, 8.0, "客户约定明早")
    assert await listed(case) == [at_dispatch]
    case.at_h = 1
    await case.on_work("city.network", "2001", rework.supplement, Supplement, reason="客户改期", limit_s=9 * 3600)
    supplemented = ("changed", "2001", 8.0, 10.0, "客户改期")
    assert await listed(case) == [supplemented, at_dispatch]
    case.at_h = 2
    wish = {"reason": "parts", "due_at": case.desk.now + 20 * HOUR}
    await case.on_work("city.network", "8001", extending.ask, AskExtension, **wish)
    assert await listed(case) == [supplemented, at_dispatch], "only asked for"
    case.at_h = 3
    await case.on_work("city.network", "3001", extending.grant, GrantExtension, opinion="同意")
    assert await listed(case) == [("extension", "3001", 10.0, 20.0, "parts"), supplemented, at_dispatch]


@pytest.mark.req("CL-03")
async def test_the_list_is_for_those_who_oversee(case: Case) -> None:
    async with case.desk.database.read() as conn:
        for number in ("1001", "8001", "8101"):
            with pytest.raises(Forbidden):
                await deviations.read(conn, case.desk[number])
