"""Steps of an order through the interface: the whole way on one order, refusals by name, whose things are whose."""

from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_orders import complaint

WELL = {"valid": True, "serial": True, "complainant_type": True, "complaint_type": True}
TASK = {"unit": "city.network", "task": "上门测速", "limit_s": 86400}


async def registered(browser: Browser, clock: Clock) -> dict[str, Any]:
    """A whole complaint from a letter."""
    letter = {"channel": "letter", "received_at": clock.now.isoformat(), **complaint(clock.now)}
    order = await (await browser.post("/api/orders", letter)).json()
    answer = await browser.post(f"/api/orders/{order['id']}/submit", {"version": order["version"]})
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def step(browser: Browser, order: dict[str, Any], verb: str, status: int = 200, **said: Any) -> dict[str, Any]:
    """One step on the order as it was last seen."""
    answer = await browser.post(f"/api/orders/{order['id']}/{verb}", {"version": order["version"], **said})
    assert answer.status == status, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


@pytest.mark.req("T6", "T10", "T12", "T13", "T22", "T23", "T25", "PR-01", "AD-01")
async def test_from_the_proposal_to_the_archive(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, senior, surveyor, archivist = [await open_browser(number) for number in ("1001", "2001", "7001", "5001")]
    network, billing = await open_browser("8001"), await open_browser("8002")
    order = await registered(junior, clock)
    order = await step(junior, order, "propose", opinion="请处理", tasks=[TASK])
    assert (order["state"], order["owner"]) == ("in_review", "senior")
    assert (await network.get(f"/api/orders/{order['id']}")).status == 404

    refused = await step(senior, order, "approve", 422, opinion="同意", checks={**WELL, "serial": False})
    assert refused["code"] == "check_failed"
    assert (await step(junior, order, "approve", 403, opinion="同意", checks=WELL))["code"] == "forbidden"
    order = await step(senior, order, "approve", opinion="同意", checks=WELL)

    (task,) = (await (await network.get("/api/work-orders")).json())["items"]
    assert (task["order_serial"], task["state"], task["actions"]) == (
        order["serial"],
        "sent",
        ["accept", "to_head", "note", "attach", "ask_extension"],
    )
    assert (await (await billing.get("/api/work-orders")).json())["items"] == []
    assert (await billing.get(f"/api/work-orders/{task['id']}")).status == 404
    assert (await billing.post(f"/api/work-orders/{task['id']}/accept", {"version": 1})).status == 404
    assert (await junior.get("/api/work-orders")).status == 403
    for verb in ("accept", "begin"):
        task = await (await network.post(f"/api/work-orders/{task['id']}/{verb}", {"version": task["version"]})).json()
    assert (await network.post(f"/api/work-orders/{task['id']}/begin", {"version": 1})).status == 409
    clock.advance(minutes=20)
    done = {
        "version": task["version"],
        "result": "已更换光猫",
        "cause": "network.capacity",
        "opinion": "观察一周",
        "service_number": "ADSL-1",
        "handled_at": clock.now.isoformat(),
    }
    missing = await network.post(f"/api/work-orders/{task['id']}/finish", {**done, "result": ""})
    assert (missing.status, (await missing.json())["details"]["field"]) == (422, "result")
    answer = await network.post(f"/api/work-orders/{task['id']}/finish", done)
    assert (answer.status, (await answer.json())["state"]) == (200, "done")

    order = await (await senior.get(f"/api/orders/{order['id']}")).json()
    assert order["state"] == "replying"
    order = await step(
        senior, order, "reply", opinion="已致歉", result="认可", channel="telephone", satisfaction="later"
    )
    order = await step(surveyor, order, "rate", outcome="satisfied", grade="satisfied")
    order = await step(archivist, order, "file", content="网速", customer_nature="ordinary", department="city.network")
    assert (order["state"], order["clocks"][0]["stopped_at"] is not None) == ("archived", True)
    history = await (await senior.get(f"/api/orders/{order['id']}/history")).json()
    assert [review["state"] for review in history["reviews"]] == ["approved"]
    assert [work["result"] for work in history["work_orders"]] == ["已更换光猫"]
    assert [reply["final"] for reply in history["replies"]] == [True]
    assert [survey["grade"] for survey in history["surveys"]] == ["satisfied"]


@pytest.mark.req("T24", "RE-08", "T7", "T4", "T11", "T9", "T8", "T3")
async def test_the_other_ways(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, senior, surveyor = [await open_browser(number) for number in ("1001", "2001", "7001")]
    order = await registered(junior, clock)
    order = await step(junior, order, "propose", opinion="请处理", tasks=[TASK])
    order = await step(senior, order, "send-back", reason_code="incomplete", opinion="请补充", errors=["incomplete"])
    assert (order["state"], order["owner"]) == ("registered", "1001")
    order = await step(junior, order, "hand-to-senior", reason="超出范围")
    order = await step(senior, order, "dispatch", opinion="自行派单", checks=WELL, tasks=[TASK])
    assert order["state"] == "in_process"

    other = await registered(junior, clock)
    other = await step(junior, other, "answer", opinion="已解释", satisfaction="later", fcr=True)
    bare = await step(surveyor, other, "redispatch", 422, cause="none", wanted="退费", opinion="仍不满", tasks=[])
    assert bare["details"]["field"] == "tasks"
    other = await step(surveyor, other, "redispatch", cause="none", wanted="退费", opinion="仍不满", tasks=[TASK])
    late = await step(senior, other, "approve", 422, opinion="同意", checks=WELL)
    assert late["code"] == "warning"

    third = await registered(junior, clock)
    third = await step(junior, third, "hand-to-senior", reason="不会")
    third = await step(senior, third, "solve", opinion="远程恢复", cause="network.capacity")
    assert third["state"] == "replying"
    fourth = await registered(junior, clock)
    fourth = await step(junior, fourth, "propose", opinion="请处理", tasks=[TASK])
    told: dict[str, Any] = {"opinion": "非本公司", "checks": {**WELL, "valid": False}, "customer_told": "电话说明"}
    assert (await step(senior, fourth, "invalidate", **told))["state"] == "invalid"


@pytest.mark.req("T14", "T15", "T16", "T17", "T5", "T27", "T28", "T31")
async def test_off_the_straight_way(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, senior, staff, head = [await open_browser(number) for number in ("1001", "2001", "8001", "8101")]
    order = await registered(junior, clock)
    order = await step(junior, order, "hand-to-senior", reason="x")
    order = await step(senior, order, "dispatch", opinion="x", checks=WELL, tasks=[TASK])

    async def on_work(browser: Browser, verb: str, status: int = 200, **said: Any) -> dict[str, Any]:
        history = await (await senior.get(f"/api/orders/{order['id']}/history")).json()
        task = history["work_orders"][-1]
        answer = await browser.post(f"/api/work-orders/{task['id']}/{verb}", {"version": task["version"], **said})
        assert answer.status == status, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found

    assert (await on_work(senior, "supplement", reason="客户催", limit_s=7200))["changed"] is True
    assert (await on_work(staff, "acknowledge"))["changed"] is False
    assert (await on_work(staff, "acknowledge", 409))["code"] == "nothing_to_acknowledge"
    assert (await on_work(staff, "return", 403, reason_code="wrong_unit", reason="x"))["code"] == "forbidden"
    assert (await on_work(staff, "to-head", reason="不归我们管"))["state"] == "at_head"
    assert (await on_work(head, "take-back", decision="先核实"))["state"] == "working"
    move: dict[str, Any] = {
        "from_workplace": "一班",
        "reason": "x",
        "to_workplace": "账务",
        "to_unit": "city.billing",
        "limit_s": 7200,
    }
    assert (await on_work(head, "transfer", **move))["state"] == "transferred"
    assert (await on_work(head, "return", 404, reason_code="wrong_unit", reason="x"))["code"] == "not_found"
    assert (await on_work(senior, "recall", reason_code="withdrawn", reason="客户撤回"))["state"] == "recalled"
    found = await (await senior.get(f"/api/orders/{order['id']}")).json()
    assert found["state"] == "cancelled"

    other = await registered(junior, clock)
    other = await step(junior, other, "to-manager", trigger="refuses_answer", reason="不接受答复")
    assert (await step(junior, other, "cancel", 403, reason="withdrew", evidence="x"))["code"] == "forbidden"
    other = await step(senior, other, "cancel", reason="withdrew", evidence="客户来电")
    assert other["state"] == "cancelled"
    third = await registered(junior, clock)
    administrator = await open_browser("9001")
    third = await step(administrator, third, "ask-force-end", reason="malicious", evidence="录音为证")
    assert third["state"] == "registered"
    leader = await open_browser("9101")
    third = await step(leader, third, "force-end", opinion="同意")
    assert third["state"] == "force_ended"
    fourth = await registered(junior, clock)
    assert (await step(junior, fourth, "to-archivist", 409, thanks=True))["code"] == "not_a_suggestion"
    archivist = await open_browser("5001")
    said = {"digest": "2026-03", "addressees": ["甲", "乙", "丙"]}
    assert (await step(archivist, fourth, "report", 409, **said))["code"] == "not_from_here"


async def test_unknown_fields_and_stale_versions_are_refused(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, senior = await open_browser("1001"), await open_browser("2001")
    order = await registered(junior, clock)
    assert (await step(junior, order, "propose", 422, opinion="x", tasks=[TASK], colour="red"))["code"]
    assert (await step(junior, {**order, "version": 1}, "hand-to-senior", 409, reason="x"))["code"] == "stale_version"
    bad = await step(junior, order, "propose", 422, opinion="x", tasks=[{**TASK, "limit_s": 1}])
    assert bad["details"]["field"] == "tasks.0.limit_s"
    assert (await step(senior, {"id": "nosuch", "version": 1}, "send-back", 404, reason_code="other", opinion="x"))[
        "code"
    ] == "not_found"
    clock.now += timedelta(days=1)


@pytest.mark.req("T29", "SV-03", "PX-05")
async def test_urged_through_the_interface_with_a_receipt_of_who_and_when(
    open_browser: MakeBrowser, clock: Clock
) -> None:
    junior, senior, surveyor, staff = [await open_browser(number) for number in ("1001", "2001", "7001", "8001")]
    order = await registered(junior, clock)
    order = await step(junior, order, "hand-to-senior", reason="x")
    order = await step(senior, order, "dispatch", opinion="x", checks=WELL, tasks=[TASK])
    assert "chase" in order["actions"]
    urged = await step(surveyor, order, "chase", asked_by="customer", reason="客户第三次来电")
    assert (urged["state"], urged["chase_no"]) == ("in_process", 1)
    assert (await step(surveyor, urged, "chase", 403, asked_by="centre", reason="x", urgent=True))["code"] == (
        "not_yours_to_hurry"
    )
    (point,) = [
        each for each in (await (await senior.get("/api/open-points")).json())["items"] if each["kind"] == "chase"
    ]
    assert (point["order_serial"], point["unit"]) == (order["serial"], "city.network")
    (task,) = (await (await staff.get("/api/work-orders")).json())["items"]
    assert (task["changed"], task["unread"], task["chased"], task["chases"]) == (True, ["chase"], "客户第三次来电", 1)
    clock.advance(minutes=5)
    answer = await staff.post(f"/api/work-orders/{task['id']}/acknowledge", {"version": task["version"]})
    assert (answer.status, (await answer.json())["changed"]) == (200, False)
    (chased,) = (await (await senior.get(f"/api/orders/{order['id']}/history")).json())["chases"]
    assert (chased["reached"], chased["by"], chased["asked_by"]) == ("city.network", "7001", "customer")
    assert (chased["acknowledged_by"], chased["outstanding"]) == ("8001", False)
    assert chased["acknowledged_at"].startswith(clock.now.isoformat()[:16])
