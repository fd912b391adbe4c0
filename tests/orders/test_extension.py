"""A later limit of a work order: asked for with a coded reason, given or refused by the supervisor (PX-05)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import Case, in_process
from ticketing.audit import audit as audit_log
from ticketing.clocks.tables import clock, clock_change
from ticketing.errors import HotlineError
from ticketing.orders import extending, history, pausing, rework, work
from ticketing.orders.inputs import Intervene, OnOrder, Pause, Supplement, Transfer
from ticketing.orders.step_inputs import AskExtension, GrantExtension, Opinion
from ticketing.orders.tables import order_trail, review, work_order, work_order_amendment

UNIT = "city.network"


@pytest.fixture
async def case(desk: Desk) -> Case:
    """A complaint in process; the network department has a day."""
    made = Case(desk, await desk.registered())
    await in_process(made)
    return made


def at(case: Case, hours: float) -> datetime:
    """So long after the dispatch."""
    return case.desk.now + timedelta(hours=hours)


async def asked(case: Case, hours: float = 48, **said: Any) -> None:
    """The unit asks."""
    words = {"reason": "parts", "due_at": at(case, hours), "note": "备件周四到货", **said}
    await case.on_work(UNIT, "8001", extending.ask, AskExtension, **words)


async def refused(case: Case, number: str, action: Any, made: Any, **said: Any) -> tuple[str, object]:
    """The code and the field of a refusal that changed nothing."""
    before = await limit(case)
    with pytest.raises(HotlineError) as refusal:
        await case.on_work(UNIT, number, action, made, **said)
    assert await limit(case) == before
    return refusal.value.code, refusal.value.details.get("field")


async def limit(case: Case) -> tuple[datetime | None, datetime | None, int]:
    """Limit of the unit's work order and of its clock, and the work order's version."""
    async with case.desk.database.read() as conn:
        row = (await conn.execute(select(work_order).where(work_order.c.unit == UNIT))).first()
        assert row is not None
        running = select(clock.c.due_at).where(clock.c.work_order_id == row.id, clock.c.code == "K9")
        return row.due_at, await conn.scalar(running), row.version


@pytest.mark.req("PX-05", "PX-04", "CL-03")
async def test_a_later_limit_is_asked_for_with_a_code_and_given_by_the_supervisor(case: Case) -> None:
    assert (await limit(case))[:2] == (at(case, 24), at(case, 24))
    await asked(case)
    assert (await limit(case))[0] == at(case, 24), "the limit stays until somebody has decided"
    async with case.desk.database.read() as conn:
        (waiting,) = await extending.waiting(conn, case.desk["3001"])
    assert (waiting.unit, waiting.by, waiting.reason, waiting.note) == (UNIT, "8001", "parts", "备件周四到货")
    assert (waiting.old_due_at, waiting.due_at, waiting.number) == (at(case, 24), at(case, 48), 1)
    case.at_h = 2
    assert await refused(case, "8101", extending.grant, GrantExtension, opinion="x") == ("forbidden", None)
    assert await refused(case, "2001", extending.grant, GrantExtension, opinion="x") == ("forbidden", None)
    assert await refused(case, "3001", extending.grant, GrantExtension, opinion="") == ("missing", "opinion")
    await case.on_work(UNIT, "3001", extending.grant, GrantExtension, opinion="同意", due_at=at(case, 40))
    assert (await limit(case))[:2] == (at(case, 40), at(case, 40))
    async with case.desk.database.read() as conn:
        (change,) = (await conn.execute(select(clock_change))).all()
        (amended,) = (await conn.execute(select(work_order_amendment))).all()
        order_id = await conn.scalar(select(work_order.c.order_id).limit(1))
        said = [each for each in await history.reviews(conn, order_id or 0) if each.kind == "extension"]
        (line,) = (await conn.execute(select(order_trail).where(order_trail.c.action == "grant_extension"))).all()
        told = (await conn.execute(select(audit_log).where(audit_log.c.verb == "work_order.extended"))).all()
        assert await extending.waiting(conn, case.desk["3001"]) == ()
    old_and_new = (at(case, 24), at(case, 40))
    assert (change.old_due_at, change.new_due_at, change.reason, change.actor) == (
        *old_and_new,
        "extension.parts",
        "3001",
    )
    assert (amended.kind, amended.old_due_at, amended.new_due_at) == ("extension", *old_and_new)
    (shown,) = said
    assert (shown.state, shown.code, shown.reason, shown.decision) == ("approved", "parts", "备件周四到货", "同意")
    assert (shown.author, shown.reviewer) == ("8001", "3001")
    assert [datetime.fromisoformat(each or "") for each in (shown.old_due_at, shown.due_at)] == list(old_and_new)
    assert (line.actor_number, line.note, line.payload["code"]) == ("3001", "同意", "parts")
    assert len(told) == 1
    await case.on_work(UNIT, "8001", rework.acknowledge, OnOrder)


@pytest.mark.req("PX-05")
async def test_a_refused_wish_says_why_and_the_limit_stays(case: Case) -> None:
    await asked(case)
    await case.on_work(UNIT, "3001", extending.refuse, Opinion, opinion="客户已等三天")
    assert (await limit(case))[:2] == (at(case, 24), at(case, 24))
    async with case.desk.database.read() as conn:
        found, _ = await history.one(
            conn,
            case.desk["8001"],
            str(await conn.scalar(select(work_order.c.public_id).where(work_order.c.unit == UNIT))),
            case.desk.now,
        )
        (said,) = (await conn.execute(select(review).where(review.c.kind == "extension"))).all()
        assert not (await conn.execute(select(clock_change))).all()
    assert (said.state, said.opinion) == ("sent_back", "客户已等三天")
    assert (found.changed, found.extending) == (True, False)
    assert "ask_extension" in found.actions, "it may ask anew"
    assert await refused(case, "3001", extending.refuse, Opinion, opinion="x") == ("no_extension_asked", None)


WRONG = [
    ({"due_at": 24.0}, "not_later", "due_at"),
    ({"due_at": 23.0}, "not_later", "due_at"),
    ({"due_at": 361.0}, "beyond_the_law", "due_at"),
    ({"reason": "lazy"}, "unknown_code", "reason"),
    ({"reason": ""}, "missing", "reason"),
    ({"note": "长" * 1001}, "too_long", "note"),
    ({"note": "a\x00b"}, "control_character", "note"),
]


@pytest.mark.req("PX-05")
@pytest.mark.parametrize(("wrong", "code", "field"), WRONG, ids=lambda each: str(each)[:24])
async def test_what_cannot_be_asked_is_refused_by_its_field(
    case: Case, wrong: dict[str, Any], code: str, field: str
) -> None:
    said = {"reason": "parts", "due_at": 48.0, **wrong}
    said["due_at"] = at(case, said["due_at"])
    assert await refused(case, "8001", extending.ask, AskExtension, **said) == (code, field)


@pytest.mark.req("PX-05", "PR-06")
async def test_after_the_limit_only_the_reason_of_the_delay_helps(case: Case) -> None:
    case.at_h = 24
    said = {"reason": "parts", "due_at": at(case, 48)}
    assert await refused(case, "8001", extending.ask, AskExtension, **said) == ("limit_passed", None)


@pytest.mark.req("PX-05")
async def test_one_wish_waits_at_a_time_and_what_was_decided_in_the_meantime_counts(case: Case) -> None:
    await asked(case)
    said = {"reason": "parts", "due_at": at(case, 60)}
    assert await refused(case, "8101", extending.ask, AskExtension, **said) == ("extension_asked", None)
    later = {"opinion": "x", "due_at": at(case, 49)}
    assert await refused(case, "3001", extending.grant, GrantExtension, **later) == ("later_than_asked", "due_at")
    await case.on_work(UNIT, "2001", rework.supplement, Supplement, reason="客户改期", limit_s=50 * 3600)
    assert await refused(case, "3001", extending.grant, GrantExtension, opinion="x") == ("not_later", "due_at")
    case.at_h = 1
    pause = {"reason": "information", "resume_expected_at": at(case, 9)}
    await case.act("2001", pausing.pause, Pause, **pause)
    assert await refused(case, "3001", extending.grant, GrantExtension, opinion="x") == ("paused", None)


@pytest.mark.req("PX-05")
@pytest.mark.parametrize("end", ["recall", "transfer", "finish"])
async def test_a_wish_ends_with_the_work_order(case: Case, end: str) -> None:
    await asked(case)
    if end == "recall":
        await case.on_work(UNIT, "2001", rework.recall, Intervene, reason_code="withdrawn", reason="客户撤回")
    elif end == "finish":
        await case.finished(UNIT, "8001")
    else:
        move = {"from_workplace": "x", "reason": "x", "to_workplace": "x", "to_unit": "city.installation"}
        await case.on_work(UNIT, "8101", rework.transfer, Transfer, **move, limit_s=7200)
    async with case.desk.database.read() as conn:
        (said,) = (await conn.execute(select(review).where(review.c.kind == "extension"))).all()
        assert await extending.waiting(conn, case.desk["3001"]) == ()
    assert said.state == "withdrawn"


@pytest.mark.req("PX-05", "PR-01")
async def test_several_work_orders_are_taken_at_once_each_by_itself(desk: Desk) -> None:
    cases = [Case(desk, await desk.registered(f"c{number}")) for number in range(3)]
    for each in cases:
        await in_process(each)
    async with desk.database.read() as conn:
        mine = select(work_order.c.public_id).where(work_order.c.unit == UNIT).order_by(work_order.c.id.desc())
        ids = [str(each) for each in await conn.scalars(mine)]
        other = str(await conn.scalar(select(work_order.c.public_id).where(work_order.c.unit == "city.billing")))
    given = [OnOrder(ids[0], 1), OnOrder(ids[1], 7), OnOrder(other, 1), OnOrder("nothing", 1), OnOrder(ids[2], 1)]
    async with desk.database.write() as conn:
        taken = await work.accept_all(conn, desk["8001"], given, desk.now)
    told = [(each.id, each.refusal.code if each.refusal else None) for each in taken]
    assert told == [
        (ids[0], None),
        (ids[1], "stale_version"),
        (other, "not_found"),
        ("nothing", "not_found"),
        (ids[2], None),
    ]
    async with desk.database.read() as conn:
        rows = await conn.execute(select(work_order.c.public_id, work_order.c.state, work_order.c.owner_id))
        states = {row.public_id: (row.state, row.owner_id) for row in rows}
    mine_now = ("accepted", desk["8001"].staff_id)
    assert [states[id_] for id_ in ids] == [mine_now, ("sent", None), mine_now]
