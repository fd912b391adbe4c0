"""What is left to follow through, remedies with their limits, apologies that are owed, the dispatch hour: both
databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, REPLIED, TWO, Case, case, in_process, replying
from ticketing.clocks.tables import clock
from ticketing.errors import Invalid, NotFound, Refused
from ticketing.orders import actions, closing, dispatching, hearing, history, remedies, rework, tracking
from ticketing.orders.inputs import Dispatch, HandToSenior, Intervene, Merge, Propose, Reply, SendBack
from ticketing.orders.step_inputs import CustomerAdds, DecideRemedy, Remedy
from ticketing.orders.tables import (
    customer_order,
    order_remedy,
    order_trail,
    process_template,
    process_template_version,
    tracking_task,
)

__all__ = ["case"]


async def points(case: Case, number: str) -> list[tuple[str, str | None, bool]]:
    """What somebody has to follow through: kind, unit of a task, overdue."""
    async with case.desk.database.read() as conn:
        found = await tracking.open_points(conn, case.desk[number], case.desk.now + timedelta(hours=case.at_h))
    return [(each.kind, each.unit if each.id else None, each.overdue) for each in found]


async def done(case: Case, number: str, task: str, **said: Any) -> None:
    """Somebody does a task."""
    async with case.desk.database.write() as conn:
        now = case.desk.now + timedelta(hours=case.at_h)
        await tracking.done(conn, case.desk[number], task, now, **said)


@pytest.mark.req("RP-07")
async def test_a_departments_answer_stops_its_own_clock_only_and_leaves_its_owner_a_task(case: Case) -> None:
    await in_process(case)
    before = await case.running()
    case.at_h = 1
    await case.finished("city.network", "8001")
    after = await case.running()
    assert before.keys() == after.keys() == {"K9", "K10", "K10L", "K11"}
    stopped = [each for each in (await case.read()).clocks if each.code == "K9" and each.stopped_at is not None]
    assert len(stopped) == 1
    assert {name: due for name, due in after.items() if name != "K9"} == {
        name: due for name, due in before.items() if name != "K9"
    }
    assert await points(case, "2001") == [("owner", None, False)]
    assert await points(case, "8002") == [], "another unit has nothing to follow"
    case.at_h = 26
    assert ("owner", None, True) in await points(case, "2001"), "a day later it is overdue"
    await case.finished("city.billing", "8002", overtime_reason="系统升级")
    await case.act("2001", closing.reply, Reply, **REPLIED)
    assert [kind for kind, _, _ in await points(case, "2001") if kind == "owner"] == [], "the customer has heard it"


@pytest.mark.req("RP-08")
async def test_the_department_watches_what_it_did_as_long_as_the_template_says(case: Case) -> None:
    async with case.desk.database.write() as conn:
        names = {"code": "t", "kind": "complaint", "name_zh": "甲", "name_en": "A"}
        key = (
            await conn.execute(insert(process_template).values(**names).returning(process_template.c.id))
        ).scalar_one()
        version = {"template_id": key, "version": 9, "published_at": case.desk.now, "settings": {"tracking_s": 3600}}
        made = await conn.execute(
            insert(process_template_version).values(**version).returning(process_template_version.c.id)
        )
        of_case = update(customer_order).where(customer_order.c.public_id == case.id)
        await conn.execute(of_case.values(template_version_id=made.scalar_one()))
    await in_process(case)
    await case.finished("city.network", "8001")
    assert await points(case, "8001") == [("unit", "city.network", False)]
    case.at_h = 1.01
    assert await points(case, "8001") == [("unit", "city.network", True)], "after the hour of the template"
    async with case.desk.database.read() as conn:
        mine = select(tracking_task.c.public_id).where(tracking_task.c.kind == "unit")
        task = str(await conn.scalar(mine))
    with pytest.raises(NotFound):
        await done(case, "8002", task, note="x")
    with pytest.raises(Invalid, match="missing"):
        await done(case, "8001", task, note=" ")
    await done(case, "8001", task, note="复测正常", upward="建议扩容")
    with pytest.raises(Refused, match="done_already"):
        await done(case, "8001", task, note="再次")
    assert await points(case, "8001") == []
    other = Case(case.desk, await case.desk.registered("c2"))
    await in_process(other)
    await other.finished("city.network", "8001")
    async with case.desk.database.read() as conn:
        spans = (
            await conn.execute(select(tracking_task.c.kind, tracking_task.c.due_at, tracking_task.c.opened_at))
        ).all()
    week = {row.due_at - row.opened_at for row in spans if row.kind == "unit"}
    assert week == {timedelta(hours=1), timedelta(days=7)}, "without a template as the data file says"


def test_spans_are_data() -> None:
    assert tracking.parse("[tracking]\nowner_s = 5\nunit_s = 0").unit == timedelta(0)
    for text in ("[tracking]\nowner_s = -1\nunit_s = 0", '[tracking]\nowner_s = 1\nunit_s = "x"'):
        with pytest.raises(Invalid, match="bad_tracking"):
            tracking.parse(text)


@pytest.mark.req("RT-07", "RT-10")
async def test_a_further_contact_stands_open_until_somebody_answers_it(case: Case) -> None:
    await in_process(case)
    assert ("contact", None, False) not in await points(case, "2001")
    draft = await case.desk.call("c9", after_s=600)
    serial = (await case.read()).serial
    async with case.desk.database.write() as conn:
        merged = Merge(draft.subject_id, draft.version, serial)
        _, grown = await actions.merge(conn, case.desk["1001"], merged, case.desk.now + timedelta(seconds=660))
    case.version, case.at_h = grown.version, 0.2
    assert ("contact", None, False) in await points(case, "2001")
    said: dict[str, Any] = {"text": "催一下", "outcome": "answered", "answer": "已催办"}
    await case.act("1001", hearing.customer_adds, CustomerAdds, **said)
    assert ("contact", None, False) not in await points(case, "2001")
    assert (await case.read()).serial == serial, "no new order"


@pytest.mark.req("RT-13")
async def test_open_complaints_without_a_commitment_are_listed(case: Case) -> None:
    await in_process(case)
    assert await points(case, "2001") == []
    case.at_h = 49
    assert await points(case, "2001") == [("commitment", None, False)], "the told time has passed"
    new = {"promise_text": "明天", "promise_due_at": case.desk.now + timedelta(hours=72)}
    await case.act("1001", hearing.customer_adds, CustomerAdds, text="x", outcome="answered", answer="y", **new)
    assert await points(case, "2001") == []


@pytest.mark.req("PR-17")
async def test_money_above_the_limit_waits_for_a_leader_and_holds_the_last_reply(case: Case) -> None:
    await replying(case)
    said: dict[str, Any] = {"remedy": "compensation", "reason": "断网三日"}
    wrong = [
        ("negative", {**said, "amount": Decimal("-0.01")}),
        ("missing", said),
        ("bad_amount", {**said, "amount": Decimal("1.001")}),
        ("bad_amount", {**said, "amount": Decimal("1e20")}),
        ("negative", {**said, "amount": Decimal("NaN")}),
        ("no_money", {**said, "remedy": "apology", "amount": Decimal(1)}),
        ("unknown_code", {**said, "remedy": "car"}),
    ]
    for code, amounts in wrong:
        given = {**amounts, "amount": None} if amounts["remedy"] == "car" else amounts
        refused = await case.refused("2001", remedies.remedy, Remedy, **given)
        assert refused.code == code, given
    assert (await case.refused("1001", remedies.remedy, Remedy, **said, amount=Decimal(1))).code == "forbidden"
    await case.act("2001", remedies.remedy, Remedy, **said, amount=Decimal(200))
    assert (await case.refused("9101", remedies.decide_remedy, DecideRemedy, granted=True, opinion="x")).code == (
        "nothing_asked"
    )
    await case.act("2001", remedies.remedy, Remedy, **said, amount=Decimal("200.01"))
    assert (await case.refused("2001", remedies.remedy, Remedy, **said, amount=Decimal(1))).code == "remedy_asked"
    assert (await case.refused("2001", closing.reply, Reply, **REPLIED)).code == "remedy_asked"
    assert (await case.refused("2001", remedies.decide_remedy, DecideRemedy, granted=True, opinion="x")).code == (
        "forbidden"
    )
    await case.act("9101", remedies.decide_remedy, DecideRemedy, granted=False, opinion="按标准")
    await case.act("4001", remedies.remedy, Remedy, **said, amount=Decimal(1000))
    async with case.desk.database.read() as conn:
        rows = (
            await conn.execute(select(order_remedy.c.amount, order_remedy.c.state).order_by(order_remedy.c.id))
        ).all()
    assert [(str(row.amount), row.state) for row in rows] == [
        ("200.00", "granted"),
        ("200.01", "refused"),
        ("1000.00", "granted"),
    ]
    await case.act("2001", closing.reply, Reply, **REPLIED)


@pytest.mark.req("PR-18")
@pytest.mark.parametrize(
    ("found", "told", "flag"),
    [
        ({"liability": "company", "apology": False}, {}, "no_apology"),
        ({"liability": "company", "apology": False}, {"apology": True}, None),
        ({"liability": "customer"}, {}, None),
        ({}, {"liability": "company"}, "no_apology"),
        ({"liability": "company"}, {"liability": "third_party"}, None),
    ],
    ids=str,
)
async def test_the_companys_fault_without_an_apology_is_for_quality(
    case: Case, found: dict[str, Any], told: dict[str, Any], flag: str | None
) -> None:
    await in_process(case)
    await case.finished("city.network", "8001", **found)
    await case.finished("city.billing", "8002")
    odd = await case.refused("2001", closing.reply, Reply, **REPLIED, liability="weather")
    assert (odd.code, odd.details["field"]) == ("unknown_code", "liability")
    await case.act("2001", closing.reply, Reply, **REPLIED, **told)
    async with case.desk.database.read() as conn:
        key = await conn.scalar(select(customer_order.c.id).where(customer_order.c.public_id == case.id))
        (reply,) = await history.replies(conn, key or 0)
    assert reply.quality_flag == flag


@pytest.mark.req("PR-19")
def test_measures_fit_the_class_the_nearest_first() -> None:
    assert [each["en"] for each in remedies.measures("network.speed")] == [
        "Compare with the plan, change terminal or port, measure again",
        "Test line and port from afar",
        "Send somebody and say when he comes",
    ]
    assert remedies.measures("charges.unordered")[0]["zh"].startswith("核实订购记录")
    assert remedies.measures(None) == remedies.measures("unheard.of") == []


@pytest.mark.req("DP-05", "G4")
@pytest.mark.parametrize(("second", "outcome"), [(3599, "met"), (3601, "breached")])
async def test_the_dispatch_hour_counts_from_the_receipt_to_the_second_and_its_breach_stays(
    case: Case, second: int, outcome: str
) -> None:
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    case.at_h = second / 3600
    said = {"opinion": "派单", "checks": ALL_WELL, "tasks": TWO}
    await case.act("2001", dispatching.dispatch, Dispatch, **said)

    async def anchor_a() -> list[str | None]:
        return [each.outcome for each in (await case.read()).clocks if (each.code, each.anchor) == ("K6", "A")]

    assert await anchor_a() == [outcome]
    case.at_h = 2
    for unit in ("city.network", "city.billing"):
        await case.on_work(unit, "2001", rework.recall, Intervene, reason_code="withdrawn", reason="客户撤回")
    assert await anchor_a() == [outcome], "whatever comes later"
    async with case.desk.database.read() as conn:
        assert await conn.scalar(select(clock.c.id).where(clock.c.stopped_at.is_(None))) is None


@pytest.mark.req("RV-03", "RV-05")
async def test_nothing_is_dispatched_without_checks_and_an_opinion_on_the_record(case: Case) -> None:
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="请处理")
    for action, made, said in (
        (dispatching.approve, Dispatch, {"checks": ALL_WELL}),
        (dispatching.send_back, SendBack, {"reason_code": "incomplete"}),
    ):
        refused = await case.refused("2001", action, made, **said, opinion="")
        assert (refused.code, refused.details["field"]) == ("missing", "opinion")
    await case.act("2001", dispatching.send_back, SendBack, reason_code="incomplete", opinion="由我派")
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, reason="x")
    own: dict[str, Any] = {"tasks": TWO, "opinion": "自行派单"}
    for checks in ({}, {**ALL_WELL, "serial": False}):
        assert (await case.refused("2001", dispatching.dispatch, Dispatch, **own, checks=checks)).code in {
            "checks",
            "check_failed",
        }
    await case.act("2001", dispatching.dispatch, Dispatch, **own, checks=ALL_WELL)
    async with case.desk.database.read() as conn:
        last = select(order_trail).where(order_trail.c.action == "dispatch")
        line = (await conn.execute(last)).mappings().one()
    assert (line["note"], line["payload"]["checks"], line["actor_number"]) == ("自行派单", ALL_WELL, "2001")


BAD = [
    ({"opinion": "长" * 2001}, "too_long", "opinion"),
    ({"opinion": "a\x00b"}, "control_character", "opinion"),
    ({"opinion": "a\u202eb"}, "control_character", "opinion"),
    ({"tasks": [replace(TWO[0], task="长" * 2001)]}, "too_long", "tasks.0.task"),
    ({"tasks": [replace(TWO[0], limit_s=-5)]}, "bad_limit", "tasks.0.limit_s"),
    ({"tasks": [replace(TWO[0], unit="mars")]}, "unknown_code", "tasks.0.unit"),
]


@pytest.mark.parametrize(("wrong", "code", "field"), BAD, ids=lambda each: str(each)[:24])
async def test_what_cannot_be_meant_is_refused_by_its_field_and_changes_nothing(
    case: Case, wrong: dict[str, Any], code: str, field: str
) -> None:
    refused = await case.refused("1001", dispatching.propose, Propose, **{"tasks": TWO, "opinion": "x", **wrong})
    assert (refused.code, refused.details["field"]) == (code, field)


@pytest.mark.req("PR-01")
async def test_a_work_order_is_answered_once(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    await in_process(case)
    await case.finished("city.network", "8001")
    before = await case.read()
    with pytest.raises(Refused, match="not_from_here") as refused:
        await case.answered_by("city.network", "8001", result="另一个答复")
    assert refused.value.details["state"] == "done"
    assert await case.read() == before
