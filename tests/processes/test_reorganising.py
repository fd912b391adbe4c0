"""A duty goes to another unit while work orders are under way: they follow or stay, and nobody is left over (AD-03)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, Case
from tests.processes.test_by_template import by_template, publish, responsible, states
from ticketing.audit import audit
from ticketing.errors import HotlineError, Invalid, NotFound, Refused
from ticketing.orders import dispatching, fieldwork, history, reorganising, rework, work
from ticketing.orders.inputs import Dispatch, HandToSenior, Intervene, Task
from ticketing.orders.reorganising import Choice, Live
from ticketing.orders.step_inputs import AssignField
from ticketing.orders.tables import order_trail, work_order
from ticketing.processes.model import Node
from ticketing.responsibility import store
from ticketing.responsibility.actions import Reassign

CHECK = Node("check", "核查", "Check", "核查", 4 * 3600, duty="check")
REPAIR = Node("repair", "修复", "Repair", "修复", 8 * 3600, after=("check",), duty="repair")
AGAIN = Node("again", "复查", "Again", "复查", 3600, after=("repair",), duty="check")


async def dispatched(desk: Desk, call: str) -> Case:
    """A network complaint that the senior sent by its template."""
    case = Case(desk, await desk.registered(call, caller=f"1390000000{call[1:]}"))
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    await by_template(case)
    return case


async def go(desk: Desk, line: str, unit: str, live: Live | None, version: int = 1, **more: object) -> str:
    """The administrator gives the duty to another unit; returns the new line's id."""
    async with desk.database.write() as conn:
        given = Reassign(line, version, unit, "机构调整", **more)  # type: ignore[arg-type]
        return (await reorganising.reassign(conn, desk["9001"], given, live, desk.now))[0].subject_id


@pytest.fixture
async def lines(desk: Desk) -> dict[str, str]:
    """Who checks and who repairs network complaints, and the template that asks for them."""
    made = {
        "check": await responsible(desk, "check", "city.network", complaint_type="network"),
        "repair": await responsible(desk, "repair", "city.installation"),
    }
    await publish(desk, (CHECK, REPAIR, AGAIN))
    desk.now += timedelta(minutes=30)
    return made


@pytest.mark.req("AD-03", "IN-23")
async def test_work_under_way_follows_or_stays_as_it_was_chosen_and_keeps_its_limit(
    desk: Desk, lines: dict[str, str]
) -> None:
    first, second = await dispatched(desk, "c1"), await dispatched(desk, "c2")
    by_hand = Case(desk, await desk.registered("c3", caller="13900000003"))
    await by_hand.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    by_person = (Task("city.network", "x", 7200, person="8001"), Task("city.billing", "y", 7200))
    await by_hand.act("2001", dispatching.dispatch, Dispatch, opinion="x", checks=ALL_WELL, tasks=by_person)
    async with desk.database.read() as conn:
        line = await store.get(conn, lines["check"])
        seen = await reorganising.under_way(conn, line, desk.now)
        assert [each.order_id for each in seen] == [first.id, second.id, by_hand.id]
        assert await reorganising.under_way(conn, await store.get(conn, lines["repair"]), desk.now) == ()
    desk.now += timedelta(minutes=10)
    stays = Live(Choice.FOLLOW, frozenset({seen[1].id}))
    made = await go(desk, lines["check"], "city.billing", stays)
    async with desk.database.read() as conn:
        rows = (await conn.execute(select(work_order).order_by(work_order.c.order_id, work_order.c.number))).all()
        live = [row for row in rows if row.state == "sent"]
        assert [(row.unit, row.owner_queue) for row in live] == [
            ("city.billing", "city.billing"),
            ("city.network", "city.network"),
            ("city.billing", "city.billing"),
            ("city.billing", "city.billing"),
        ]
        assert [row.due_at for row in live[:2]] == [desk.now + timedelta(hours=3, minutes=50)] * 2, "the limit stays"
        assert all((row.owner_id is None) is not (row.owner_queue is None) for row in rows if row.ended_at is None)
        assert await reorganising.affected(conn, await store.get(conn, made), desk.now) == ()
        mine = await history.inbox(conn, desk["8002"], history.WorkFilter(), desk.now)
        assert len(mine) == 3, "the new unit has them in its inbox"
        trail = await conn.execute(select(order_trail).where(order_trail.c.action.in_(["follow", "stay"])))
        assert [(row.action, row.node, row.handler, row.actor_number, row.note) for row in trail] == [
            ("follow", "city.billing", "city.billing", "9001", "机构调整"),
            ("stay", "city.network", "city.network", "9001", "机构调整"),
            ("follow", "city.billing", "city.billing", "9001", "机构调整"),
        ]
        (told,) = (await conn.execute(select(audit).where(audit.c.verb == "responsibility.live_decided"))).all()
        assert told.payload["stay"] == [seen[1].id]
        assert len(told.payload["follow"]) == 2
    await first.on_work("city.billing", "8002", work.accept)
    with pytest.raises(NotFound):
        await first.on_work("city.billing", "8001", work.begin)


@pytest.mark.req("AD-03", "IN-20", "DP-02")
async def test_a_step_that_starts_later_goes_to_who_has_the_duty_then(desk: Desk, lines: dict[str, str]) -> None:
    case = await dispatched(desk, "c1")
    desk.now += timedelta(minutes=10)
    stays = Live(Choice.STAY)
    await go(desk, lines["check"], "city.billing", stays)
    await go(desk, lines["repair"], "city.billing", None)
    await case.finished("city.network", "8001")
    assert (await states(case))[1] == ("repair", "city.billing", "sent")
    await case.finished("city.billing", "8002")
    assert (await states(case))[2] == ("again", "city.billing", "sent")


@pytest.mark.req("AD-03", "IN-23")
async def test_what_somebody_holds_follows_to_the_inbox_and_his_helpers_stop(desk: Desk, lines: dict[str, str]) -> None:
    case = await dispatched(desk, "c1")
    await case.on_work("city.network", "8101", work.accept)
    field = {"person": "8201", "task": "去现场", "limit_s": 3600}
    await case.on_work("city.network", "8101", fieldwork.assign_field, AssignField, **field)
    desk.now += timedelta(minutes=10)
    await go(desk, lines["check"], "city.billing", Live(Choice.FOLLOW))
    async with desk.database.read() as conn:
        rows = (await conn.execute(select(work_order).where(work_order.c.state != "proposed"))).all()
        assert {(row.kind, row.state, row.unit, row.owner_queue, row.owner_id) for row in rows} == {
            ("work", "sent", "city.billing", "city.billing", None),
            ("field", "cancelled", "city.network", None, None),
        }
    stages = [clock for clock in (await case.read()).clocks if clock.code == "K9" and clock.stopped_at is None]
    assert len(stages) == 1
    await case.finished("city.billing", "8002")


@pytest.mark.req("AD-03")
async def test_nobody_forgets_to_choose_and_each_refusal_says_why(desk: Desk, lines: dict[str, str]) -> None:
    await dispatched(desk, "c1")
    desk.now += timedelta(minutes=10)

    async def refused(kind: type[HotlineError], code: str, **given: object) -> HotlineError:
        asked = {"line": lines["check"], "unit": "city.billing", "live": Live(Choice.STAY), **given}
        with pytest.raises(kind) as refusal:
            await go(desk, **asked)  # type: ignore[arg-type]
        assert refusal.value.code == code
        return refusal.value

    told = await refused(Invalid, "missing", live=None)
    assert (told.details["field"], told.details["live"]) == ("live", 1)
    await refused(Invalid, "unknown_code", live=Live(Choice.STAY, frozenset({"nobody"})))
    await refused(Refused, "same_unit", unit="city.network")
    await refused(Invalid, "not_a_leaf", unit="city")
    await refused(Refused, "stale_version", version=7)
    await refused(NotFound, "not_found", line="nothing")
    await refused(Invalid, "in_the_past", valid_from=desk.now - timedelta(days=1), live=None)
    await refused(Invalid, "not_yet", valid_from=desk.now + timedelta(days=1))
    async with desk.database.read() as conn:
        line = await store.get(conn, lines["check"])
        assert (line.valid_until, line.version) == (None, 1), "what was refused changed nothing"


@pytest.mark.req("AD-03", "IN-23")
async def test_a_change_made_ahead_is_decided_on_when_it_is_in_effect(desk: Desk, lines: dict[str, str]) -> None:
    case = await dispatched(desk, "c1")
    monday = desk.now + timedelta(days=3)
    made = await go(desk, lines["check"], "city.billing", None, valid_from=monday)
    admin = desk["9001"]
    with pytest.raises(Refused, match="not_in_effect"):
        async with desk.database.write() as conn:
            await reorganising.decide(conn, admin, made, 1, Live(Choice.FOLLOW), desk.now)
    desk.now = monday
    late = await dispatched(desk, "c2")
    assert (await states(late))[0] == ("check", "city.billing", "sent"), "who is dispatched now is dispatched anew"
    async with desk.database.write() as conn:
        left = await reorganising.affected(conn, await store.get(conn, made), desk.now)
        assert [each.order_id for each in left] == [case.id]
        await reorganising.decide(conn, admin, made, 1, Live(Choice.FOLLOW), desk.now)
    assert (await states(case))[0] == ("check", "city.billing", "sent")
    with pytest.raises(Refused, match="nothing_left"):
        async with desk.database.write() as conn:
            await reorganising.decide(conn, admin, made, 2, Live(Choice.FOLLOW), desk.now)
    await case.on_work("city.billing", "8102", rework.give_back, Intervene, reason_code="wrong_unit", reason="x")
