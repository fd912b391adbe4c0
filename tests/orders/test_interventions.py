"""Whoever intervenes in an order says why with a code that is known; else nothing changes (MN-02)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import TWO, Case, in_process
from ticketing import vocabulary
from ticketing.errors import HotlineError
from ticketing.orders import control, dispatching, hearing, pausing, proposing, reasons, reassigning, rework
from ticketing.orders.inputs import Intervene, Pause, Propose, SendBack, Stop
from ticketing.orders.step_inputs import CustomerAdds, Opinion, Reassign, RefuseChange
from ticketing.orders.transitions import ORDER_ROWS
from ticketing.orders.work_transitions import WORK_ROWS

#: who intervenes how, and a reason that is one
ORDER: list[tuple[str, Any, Any, dict[str, Any], str]] = [
    ("9001", pausing.pause, Pause, {"resume_expected_at": None}, "information"),
    ("9001", control.cancel, Stop, {"evidence": "客户来电撤回"}, "withdrew"),
    ("9001", control.cancel, Stop, {"evidence": "资料一直不全"}, "insufficient"),
    ("9101", proposing.ask_force_end, Stop, {"evidence": "录音为证"}, "malicious"),
    ("3001", reassigning.reassign, Reassign, {}, "skill"),
]


@pytest.mark.req("MN-02")
@pytest.mark.parametrize("one", ORDER, ids=lambda one: f"{one[1].__name__}-{one[4]}")
async def test_an_intervention_needs_a_code_that_is_known(
    desk: Desk, one: tuple[str, Any, Any, dict[str, Any], str]
) -> None:
    number, action, made, said, code = one
    case = Case(desk, await desk.registered())
    await in_process(case)
    if "resume_expected_at" in said:
        said = {**said, "resume_expected_at": desk.now + timedelta(hours=9)}
    for wrong in ("", "因为"):
        refused = await case.refused(number, action, made, **said, reason=wrong)
        assert refused.code in {"missing", "unknown_code", "unknown_reason"}, (wrong, refused.code)
        assert refused.details["field"] == "reason"
    await case.act(number, action, made, **said, reason=code)
    line = (await case.read()).trail[-1]
    assert (line.by, line.version) == (number, case.version)


@pytest.mark.req("MN-02", "PX-04")
async def test_so_does_a_work_order_that_is_handed_on(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    await in_process(case)
    for wrong in ("", "因为"):
        with pytest.raises(HotlineError) as refused:
            await case.on_work("city.network", "3001", reassigning.reassign_work, Reassign, person="8001", reason=wrong)
        assert refused.value.details["field"] == "reason"
    await case.on_work("city.network", "3001", reassigning.reassign_work, Reassign, person="8001", reason="absent")


#: on a work order: who steps in how, why, and what he must say beside the code
WORK: list[tuple[str, Any, Any, dict[str, Any], str, str]] = [
    ("8101", rework.give_back, Intervene, {"reason": "不归我们管"}, "wrong_unit", "return"),
    ("2001", rework.recall, Intervene, {"reason": "客户来电不办了"}, "withdrawn", "recall"),
    ("1001", proposing.propose_recall, Intervene, {"reason": "客户来电不办了"}, "withdrawn", "propose_recall"),
]


@pytest.mark.req("MN-02")
@pytest.mark.parametrize("one", WORK, ids=lambda one: one[5])
async def test_recall_and_return_say_why_by_a_code_and_in_words(desk: Desk, one: tuple[Any, ...]) -> None:
    number, action, made, said, code, verb = one
    case = Case(desk, await desk.registered())
    await in_process(case)
    before = await case.read()
    for wrong, refusal in (("", "missing"), ("因为", "unknown_code")):
        with pytest.raises(HotlineError) as refused:
            await case.on_work("city.network", number, action, made, **said, reason_code=wrong)
        assert (refused.value.code, refused.value.details["field"]) == (refusal, "reason_code")
    with pytest.raises(HotlineError) as refused:
        await case.on_work("city.network", number, action, made, reason_code=code, reason=" ")
    assert (refused.value.code, refused.value.details["field"]) == ("missing", "reason")
    assert await case.read() == before
    await case.on_work("city.network", number, action, made, **said, reason_code=code)
    line = next(line for line in (await case.read()).trail if line.action == verb)
    assert (line.reason_words, line.reason_code, line.note) == ("intervention_reason", code, said["reason"])


@pytest.mark.req("MN-02", "RV-05")
async def test_so_does_whoever_sends_back_in_review(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="请处理")
    for wrong, refusal in (("", "missing"), ("因为", "unknown_code")):
        refused = await case.refused("2001", dispatching.send_back, SendBack, reason_code=wrong, opinion="请补充")
        assert (refused.code, refused.details["field"]) == (refusal, "reason_code")
    await case.act("2001", dispatching.send_back, SendBack, reason_code="incomplete", opinion="请补充")
    line = (await case.read()).trail[-1]
    assert (line.reason_words, line.reason_code, line.note) == ("intervention_reason", "incomplete", "请补充")


@pytest.mark.req("MN-02", "RV-02")
async def test_a_proposed_recall_keeps_its_code_until_it_is_done_or_sent_back(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    await in_process(case)
    said = {"reason_code": "wrong_unit", "reason": "派错了"}
    await case.on_work("city.network", "1001", proposing.propose_recall, Intervene, **said)
    with pytest.raises(HotlineError) as refused:
        await case.on_work("city.network", "2001", proposing.refuse_change, RefuseChange, reason_code="", opinion="不")
    assert (refused.value.code, refused.value.details["field"]) == ("missing", "reason_code")
    no = {"reason_code": "incomplete", "opinion": "先核实"}
    await case.on_work("city.network", "2001", proposing.refuse_change, RefuseChange, **no)
    await case.on_work("city.network", "1001", proposing.propose_recall, Intervene, **said)
    async with desk.database.write() as conn:
        (entry,) = [each for each in await vocabulary.entries(conn, "intervention_reason") if each.code == "wrong_unit"]
        day = desk.now.date()
        key = ("intervention_reason", "wrong_unit", entry.version)
        await vocabulary.close(conn, desk["9001"], *key, day, desk.now, today=day)
    await case.on_work("city.network", "2001", proposing.approve_change, Opinion, opinion="同意")
    told = {line.action: line.reason_code for line in (await case.read()).trail if line.reason_code}
    assert told == {"propose_recall": "wrong_unit", "refuse_change": "incomplete", "recall": "wrong_unit"}
    with pytest.raises(HotlineError) as refused:
        await case.on_work("city.billing", "2001", rework.recall, Intervene, **said)
    assert (refused.value.code, refused.value.details["field"]) == ("retired_code", "reason_code")


@pytest.mark.req("MN-02", "DP-09")
async def test_a_customer_who_stops_it_is_the_reason_by_itself_and_that_code_stays(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    await in_process(case)
    (work, _) = (await case.read()).work_orders
    said = {"text": "不办了", "outcome": "recall", "work_order": work.id}
    await case.act("2001", hearing.customer_adds, CustomerAdds, **said)
    line = next(line for line in (await case.read()).trail if line.action == "recall")
    assert (line.reason_code, line.note) == (reasons.WITHDRAWN, "不办了")
    async with desk.database.write() as conn:
        found = {each.code: each for each in await vocabulary.entries(conn, "intervention_reason")}
        assert {"wrong_unit", "incomplete", "unsatisfactory", "withdrawn", "other"} == set(found)
        assert [each.zh for each in found.values()] == ["派错单", "信息不详", "处理结果不满意", "客户撤销诉求", "其他"]
        key = ("intervention_reason", "withdrawn", found["withdrawn"].version)
        with pytest.raises(HotlineError) as refused:
            await vocabulary.close(conn, desk["9001"], *key, desk.now.date(), desk.now, today=desk.now.date())
    assert refused.value.code == "fixed_vocabulary"


@pytest.mark.req("MN-02")
def test_every_step_of_the_table_that_asks_for_a_code_shows_it_in_the_trail() -> None:
    asked = {row.verb.value for row in (*ORDER_ROWS, *WORK_ROWS) if "reason_code" in row.required}
    shown = {verb for verb, words in reasons.VOCABULARY.items() if words == reasons.INTERVENTION}
    assert asked == shown
    assert reasons.coded("supplement", {"reason": "x"}) == (None, None), "words are no code"
    assert reasons.coded("recall", {}) == (None, None), "a line from before the codes"
    assert reasons.coded("recall", {"reason": "改变主意"}) == (None, None)
    assert reasons.coded("pause", {"reason": "customer"}) == ("order_pause_reason", "customer")
    assert reasons.coded("cancel", {"reason": "withdrew"}) == (None, "withdrew")
