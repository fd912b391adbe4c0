"""The papers' story of one complaint, read from top to bottom; every clock was reckoned by hand.

The customer calls at 09:30 (hour 0). Times are hours from then; `K9(unit)` is the limit of one unit's work order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.orders.desk import VIP, Desk, complaint
from tests.orders.test_dispatch_story import ALL_WELL, REPLIED, Case
from ticketing.changes import Change
from ticketing.clocks.tables import clock_card, clock_change
from ticketing.orders import actions, cards, closing, dispatching, rework, work
from ticketing.orders.inputs import (
    Dispatch,
    FileAway,
    ForReason,
    Intervene,
    Merge,
    Propose,
    Rate,
    Redispatch,
    Reply,
    SendBack,
    Supplement,
    Task,
    Transfer,
)
from ticketing.orders.tables import order_filing, review

MINUTE = 1 / 60
TWO = (Task("city.network", "上门测速并检查端口", 24 * 3600), Task("city.billing", "核对并减免", 12 * 3600))


async def cards_given(case: Case) -> list[tuple[str, str, str | None]]:
    """Cards that are due now and were not given before: clock, colour, and where it lies."""
    now = case.desk.now + timedelta(hours=case.at_h)
    async with case.desk.database.write() as conn:
        return sorted((fired.code, fired.card.value, fired.owner) for fired in await cards.fire(conn, now))


async def works(case: Case) -> list[tuple[str, str]]:
    """Each work order's unit and state."""
    return [(one.unit, one.state) for one in (await case.read()).work_orders]


async def outcomes(case: Case, *codes: str) -> list[str | None]:
    """How the clocks of these codes ended, in the order they were started."""
    return [one.outcome for one in (await case.read()).clocks if one.code + one.anchor in codes or one.code in codes]


async def acts_of(case: Case) -> Sequence[str]:
    """Every step of the order's trail."""
    return [line.action for line in (await case.read()).trail]


@pytest.mark.req(
    "T1", "T2", "T6", "T7", "T10", "T12", "T13", "T14", "T15", "T16", "T19", "T22", "T23", "T24", "T25", "T38",
    "MN-07", "MN-08", "DP-08", "PR-06", "RE-08", "SV-02", "KB-09", "G1", "G2",
)  # fmt: skip
async def test_from_the_call_to_the_archive(desk: Desk) -> None:
    case = Case(desk, await _received(desk))
    await _reviewed_twice(case)
    await _returned_and_transferred(case)
    await _supplemented(case)
    await _overdue(case)
    await _sent_on(case)
    await _dissatisfied(case)
    await _satisfied_and_filed(case)
    assert await acts_of(case) == [
        *("open", "edit", "submit", "propose", "send_back", "propose", "approve"),
        *("accept", "to_head", "return", "transfer", "contact", "supplement", "accept", "begin", "acknowledge"),
        *("finish", "settle", "dispatch", "accept", "begin", "finish", "settle", "reply"),
        *("redispatch", "approve", "accept", "begin", "finish", "settle", "reply", "rate", "file"),
    ]


async def _received(desk: Desk) -> Change:
    """09:30: the call is answered, the form written while they talk, submitted after ten minutes."""
    draft = await desk.edit(await desk.call(), **complaint(desk.now))
    return await desk.submit(draft, after_s=600)


async def _reviewed_twice(case: Case) -> None:
    """Proposed at 09:42, sent back at 09:48, proposed again at 09:54, approved at 10:00."""
    case.at_h = 12 * MINUTE
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="两单位并行处理")
    # dispatch within an hour of the answer; review 15 min from now; 5 days from submission; 15 days from the call
    assert await case.running() == {
        "K6A": 1,
        "K6B": 1.2,
        "K8": pytest.approx(27 * MINUTE),
        "K10": pytest.approx(120 + 10 * MINUTE),
        "K10L": pytest.approx(360 + 10 * MINUTE),
        "K11": 48,
    }
    case.at_h = 18 * MINUTE
    await case.act(
        "2001",
        dispatching.send_back,
        SendBack,
        reason_code="incomplete",
        opinion="请写明晚间时段",
        errors=["incomplete"],
    )
    case.at_h = 24 * MINUTE
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="晚间 19 至 23 时，两单位并行处理")
    assert (await case.running())["K8"] == pytest.approx(39 * MINUTE)
    case.at_h = 0.5
    await case.act("2001", dispatching.approve, Dispatch, opinion="同意派单", checks=ALL_WELL)
    assert await works(case) == [("city.network", "sent"), ("city.billing", "sent")]
    assert await outcomes(case, "K5", "K6A", "K8") == ["met", "met", "met", "met"]


async def _returned_and_transferred(case: Case) -> None:
    """The network returns it through its head; billing's head passes it on to the county, three hours to do it in."""
    case.at_h = 1
    await case.on_work("city.network", "8001", work.accept)
    await case.on_work("city.network", "8001", rework.to_head, ForReason, reason="端口正常，应由装维中心处理")
    case.at_h = 2
    await case.on_work(
        "city.network", "8101", rework.give_back, Intervene, reason_code="wrong_unit", reason="光猫老化，属装维中心"
    )
    case.at_h = 3
    moved = {
        "from_workplace": "账务岗",
        "reason": "用户属县分公司",
        "to_workplace": "县账务岗",
        "to_unit": "county.billing",
        "limit_s": 3 * 3600,
    }
    await case.on_work("city.billing", "8102", rework.transfer, Transfer, **moved)
    assert await works(case) == [
        ("city.network", "returned"),
        ("city.billing", "transferred"),
        ("county.billing", "sent"),
    ]
    assert (await case.running())["K9"] == 6


async def _supplemented(case: Case) -> None:
    """At 13:00 he calls again: the call joins the order, and the county must be done an hour sooner."""
    case.at_h = 3.5
    again = await case.desk.call("c2", "1001", VIP, after_s=3.5 * 3600)
    async with case.desk.database.write() as conn:
        serial = (await case.read()).serial
        now = case.desk.now + timedelta(hours=3.5)
        done = await actions.merge(conn, case.desk["1001"], Merge(again.subject_id, again.version, serial), now)
        case.version = next(change.version for change in _changes(done) if change.subject_id == case.id)
    assert (await case.read()).contact_no == 2
    await case.on_work("county.billing", "2001", rework.supplement, Supplement, reason="客户再次来电催促", limit_s=5400)
    await case.on_work("county.billing", "8003", work.accept)
    await case.on_work("county.billing", "8003", work.begin)
    await case.on_work("county.billing", "8003", rework.acknowledge)
    assert (await case.running())["K9"] == 5
    async with case.desk.database.read() as conn:
        (kept,) = (await conn.execute(select(clock_change.c.old_due_at, clock_change.c.new_due_at))).all()
    hours = [(at - case.desk.now) / timedelta(hours=1) for at in kept]
    assert hours == [6, 5]


def _changes(done: object) -> tuple:  # type: ignore[type-arg]
    return done if isinstance(done, tuple) else (done,)


async def _overdue(case: Case) -> None:
    """Its limit is 14:30: yellow two hours before (already past), red at the limit; each card once."""
    case.at_h = 3.75
    # the dispatcher has had the returned one for over an hour
    assert await cards_given(case) == [("K6", "red", "2001"), ("K9", "yellow", "8003")]
    case.at_h = 5
    assert await cards_given(case) == [("K9", "red", "8003")]
    assert await cards_given(case) == []
    case.at_h = 6
    await case.answered_by("county.billing", "8003", overtime_reason="账务系统升级停机")
    order = await case.read()
    # the network's answer is still missing: it was returned and nobody has it, so the dispatcher's hour runs again
    assert (order.state, order.owner) == ("at_senior", "2001")
    assert (await case.running())["K6B"] == 7


async def _sent_on(case: Case) -> None:
    """What came back goes to the installation centre, which mends it the same evening; the customer is told."""
    case.at_h = 6.5
    task = [Task("city.installation", "更换光猫", 4 * 3600)]
    await case.act("2001", dispatching.dispatch, Dispatch, opinion="改派装维", checks=ALL_WELL, tasks=task)
    assert (await case.running())["K9"] == 10.5
    case.at_h = 10
    await case.finished("city.installation", "8004")
    assert ((await case.read()).state, (await case.running())["K12"]) == ("replying", 14)
    case.at_h = 11
    await case.act("2001", closing.reply, Reply, **REPLIED)
    assert await outcomes(case, "K11", "K10L", "K12") == ["met", "met", "met"]
    assert (await case.running())["K13"] == 11 + 48


async def _dissatisfied(case: Case) -> None:
    """The surveyor hears that it is still slow: a second dispatch, reviewed, with a numbered warning to the unit."""
    case.at_h = 24
    said = {"cause": "network.capacity", "wanted": "晚间达到签约速率", "opinion": "换光猫后晚间仍慢"}
    again = [Task("city.installation", "更换入户线路", 48 * 3600)]
    await case.act("7001", closing.redispatch, Redispatch, tasks=again, grade="dissatisfied", **said)
    assert await case.running() == {
        "K6B": 25,
        "K8": 24.25,
        "K10": pytest.approx(120 + 10 * MINUTE),
    }
    case.at_h = 24.1
    warned = {"opinion": "同意二次派单", "checks": ALL_WELL, "warned_unit": "city.installation"}
    await case.act("2001", dispatching.approve, Dispatch, **warned)
    assert (await case.running())["K9"] == pytest.approx(72.1)
    async with case.desk.database.read() as conn:
        documents = [one for one in await conn.scalars(select(review.c.warning_document)) if one]
    assert documents == [f"JG2026-{(await case.read()).serial}-2"]


async def _satisfied_and_filed(case: Case) -> None:
    """Two days later it is fast; he is satisfied; the archivist files it; no clock is left and no card came twice."""
    case.at_h = 60
    await case.finished("city.installation", "8004")
    case.at_h = 61
    await case.act("2001", closing.reply, Reply, **REPLIED)
    case.at_h = 80
    await case.act("7001", closing.rate, Rate, outcome="satisfied", grade="satisfied", opinion="恢复正常")
    assert await outcomes(case, "K10") == ["met"]
    filed = {"content": "宽带晚间网速", "customer_nature": "ordinary", "department": "city.network"}
    await case.act("5001", closing.file_away, FileAway, **filed)
    order = await case.read()
    assert (order.state, await case.running(), order.contact_no) == ("archived", {}, 2)
    async with case.desk.database.read() as conn:
        given = (await conn.execute(select(clock_card.c.clock_id, clock_card.c.card))).all()
        assert len(given) == len(set(given))
        assert len((await conn.execute(select(order_filing))).all()) == 1
