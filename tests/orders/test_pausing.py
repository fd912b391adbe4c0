"""An order is paused and runs on: what stands still, what never does, and what each limit is afterwards (T26)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from ticketing.changes import Change
from ticketing.clocks.tables import clock_change
from ticketing.db import Database
from ticketing.errors import Forbidden, HotlineError, Invalid, Refused
from ticketing.orders import control, dispatching, pausing, rework, work
from ticketing.orders.dispatching import CHECKS
from ticketing.orders.inputs import Dispatch, HandToSenior, OnOrder, Pause, Propose, Stop, Supplement, Task
from ticketing.orders.views import Order

HOUR = timedelta(hours=1)


class Case:
    """One complaint in a department, told by hours after its beginning."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.order: Change

    @classmethod
    async def dispatched(cls, database: Database, now: datetime, *, working_time: bool = False) -> Case:
        """Sent by a senior with 24 hours for one unit."""
        case = cls(await Desk.open(database, now))
        case.order = await case.desk.registered()
        await case.act("1001", dispatching.hand_to_senior, HandToSenior, 0, reason="超出范围")
        tasks = [Task("city.network", "上门测速", 24 * 3600, working_time)]
        said = {"opinion": "请处理", "checks": dict.fromkeys(CHECKS, True), "tasks": tasks}
        await case.act("2001", dispatching.dispatch, Dispatch, 0, **said)
        return case

    async def read(self, at_h: float = 0, number: str = "2001") -> Order:
        return await self.desk.read(self.order, number, at_h * 3600)

    async def act(
        self, number: str, action: Callable[..., Awaitable[Any]], given: type[OnOrder], at_h: float, **said: Any
    ) -> Any:
        """One step on the order as it stands."""
        version = (await self.read()).version
        async with self.desk.database.write() as conn:
            made = given(public_id=self.order.subject_id, version=version, **said)
            return await action(conn, self.desk[number], made, self.desk.now + at_h * HOUR)

    async def pause(self, at_h: float, number: str = "2001", **said: object) -> None:
        until = self.desk.now + (at_h + 5) * HOUR
        words = {"reason": "information", "resume_expected_at": until, **said}
        await self.act(number, pausing.pause, Pause, at_h, **words)

    async def resume(self, at_h: float) -> None:
        await self.act("2001", pausing.resume, OnOrder, at_h)

    async def limits(self, at_h: float = 0) -> dict[str, float | None]:
        """Hours from the beginning to each running limit."""
        found = (clock for clock in (await self.read(at_h)).clocks if clock.stopped_at is None)
        return {
            clock.code: None if clock.due_at is None else (clock.due_at - self.desk.now) / HOUR for clock in found
        }  # fmt: skip

    async def refused(self, awaited: Awaitable[object]) -> HotlineError:
        with pytest.raises(HotlineError) as refusal:
            await awaited
        return refusal.value


@pytest.mark.req("T26", "MN-03", "MN-04", "K9", "K10", "K11")
async def test_internal_limits_stand_still_those_of_customer_and_law_do_not(database: Database, now: datetime) -> None:
    case = await Case.dispatched(database, now)
    running = {"K9": 24, "K10": 120, "K10L": 360, "K11": 48}
    assert await case.limits() == running
    await case.pause(2, note="等客户传账单")
    assert await case.limits(3) == {**running, "K9": None, "K10": None}
    order = await case.read(3)
    assert (order.control, order.state) == ("paused", "in_process")
    assert [work.due_at for work in order.work_orders] == [None]
    assert order.due_at == now + 48 * HOUR, "lists show the promise, which runs on"
    assert {"resume", "cancel"} <= set(order.actions)
    assert not {"pause", "reply"} & set(order.actions)
    assert order.trail[-1].note == "等客户传账单"
    await case.resume(5)
    assert await case.limits(5) == {**running, "K9": 27, "K10": 123}
    order = await case.read(5)
    assert (order.control, order.state, order.work_orders[0].due_at) == ("run", "in_process", now + 27 * HOUR)
    assert {clock.code: clock.paused_s for clock in order.clocks if clock.stopped_at is None} == {
        "K9": 3 * 3600, "K10": 3 * 3600, "K10L": 0, "K11": 0
    }  # fmt: skip


@pytest.mark.req("T26", "K6", "K8", "G2")
async def test_the_dispatch_hour_runs_on_while_the_review_stands_still(database: Database, now: datetime) -> None:
    case = Case(await Desk.open(database, now))
    case.order = await case.desk.registered()
    tasks = [Task("city.network", "上门", 7200)]
    await case.act("1001", dispatching.propose, Propose, 0, tasks=tasks, opinion="请处理")
    await case.pause(0.1)
    found = await case.limits(0.1)
    assert (found["K6"], found["K8"], found["K10"]) == (1, None, None)
    await case.resume(0.5)
    found = await case.limits(0.5)
    assert found["K6"] == 1
    assert found["K8"] == pytest.approx(0.65)


@pytest.mark.req("T26", "MN-04")
async def test_who_may_pause_what_he_must_say_and_what_waits_meanwhile(database: Database, now: datetime) -> None:
    case = await Case.dispatched(database, now)
    assert isinstance(await case.refused(case.pause(1, "1001")), Forbidden)
    past = await case.refused(case.pause(1, resume_expected_at=now))
    assert (type(past), past.code, past.details["field"]) == (Invalid, "in_the_past", "resume_expected_at")
    strange = await case.refused(case.pause(1, reason="holiday"))
    assert (strange.code, strange.details["field"]) == ("unknown_code", "reason")
    assert (await case.refused(case.resume(1))).code == "not_paused"
    await case.pause(1)
    assert (await case.refused(case.pause(2))).code == "paused"
    sent = (await case.read()).work_orders[0]
    with pytest.raises(Refused, match="paused"):
        async with database.write() as conn:
            await work.accept(conn, case.desk["8001"], OnOrder(sent.id, sent.version), now + 2 * HOUR)
    await case.act("2001", control.cancel, Stop, 3, reason="withdrew", evidence="客户来电撤回")
    order = await case.read(3)
    assert (order.state, {clock.outcome for clock in order.clocks}) == ("cancelled", {"met"})


@pytest.mark.req("T26", "DP-08")
async def test_a_limit_already_hit_stays_hit_and_a_new_limit_counts_from_its_own_moment(
    database: Database, now: datetime
) -> None:
    case = await Case.dispatched(database, now)
    await case.pause(2)
    await case.resume(5)
    sent = (await case.read()).work_orders[0]
    async with database.write() as conn:
        asked = Supplement(sent.id, sent.version, reason="客户催", limit_s=4 * 3600)
        await rework.supplement(conn, case.desk["2001"], asked, now + 6 * HOUR)
    assert (await case.limits(6))["K9"] == 10, "the pause before it is no part of the new limit"
    await case.pause(7)
    await case.resume(8)
    assert (await case.limits(8))["K9"] == 11
    await case.pause(12)
    assert (await case.limits(13))["K9"] == 11, "it was overdue, and no pause hides that"
    await case.resume(20)
    assert (await case.limits(20))["K9"] == 11
    async with database.read() as conn:
        (changed,) = (await conn.execute(select(clock_change))).all()
    assert (changed.old_due_at, changed.new_due_at) == (now + 27 * HOUR, now + 10 * HOUR)
