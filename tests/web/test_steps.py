"""Steps beside the straight way through the interface, and that each has its button in both languages."""

import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

import pytest

from cti.web.catalogue import ROUTES
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_workflow import TASK, WELL, registered, step
from ticketing.orders.steps import Subject, Verb
from ticketing.orders.workflow import ROWS

#: steps of the form itself, with buttons of its own
_OF_THE_FORM = {Verb.PAUSE, Verb.RESUME, Verb.OPEN, Verb.SUBMIT, Verb.END_WITHOUT_ORDER, Verb.MERGE, Verb.SETTLE}
#: a file is laid beside a work order by a button of its own
_OF_FILES = {Verb.ATTACH}
#: nobody's buttons: the node before sends or calls off the next, and a decision about the map moves work or leaves it
_BY_THEMSELVES = {Verb.SEND, Verb.CALL_OFF, Verb.FOLLOW, Verb.STAY}
Act = Callable[..., Awaitable[dict[str, Any]]]


def on_work(senior: Browser, order: dict[str, Any]) -> Act:
    """A step on a work order of this order, by its place."""

    async def act(browser: Browser, verb: str, at: int = 0, status: int = 200, **said: Any) -> dict[str, Any]:
        history = await (await senior.get(f"/api/orders/{order['id']}/history")).json()
        task = history["work_orders"][at]
        answer = await browser.post(f"/api/work-orders/{task['id']}/{verb}", {"version": task["version"], **said})
        assert answer.status == status, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found

    return act


async def again(browser: Browser, order: dict[str, Any]) -> dict[str, Any]:
    """The order as it is now."""
    found: dict[str, Any] = await (await browser.get(f"/api/orders/{order['id']}")).json()
    return found


@pytest.mark.parametrize("verb", sorted({row.verb for row in ROWS} - _OF_THE_FORM - _OF_FILES - _BY_THEMSELVES))
def test_every_step_has_its_address_and_its_button_in_both_languages(verb: Verb) -> None:
    (row, *_) = [row for row in ROWS if row.verb is verb]
    area = "work_orders" if row.subject is Subject.WORK_ORDER else "orders"
    assert f"{area}.{verb.value}" in {route.name for route in ROUTES}
    page = files("cti.web").joinpath("desk/src")
    forms = page.joinpath("order/steps.ts").read_text(encoding="utf-8")
    assert re.search(rf"\n  {verb.value}: (\[|\w+,)", forms)
    titles = page.joinpath("i18n/steps.ts").read_text(encoding="utf-8")
    assert len(re.findall(rf"(?<![a-z_]){verb.value}: '[^']+'", titles)) >= 2, "no title in one of the languages"


@pytest.mark.req("T21", "T30", "PR-14", "PR-17", "PR-20", "RT-10")
async def test_leaders_remedies_and_what_the_customer_adds(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, senior, leader = [await open_browser(number) for number in ("1001", "2001", "9101")]
    order = await registered(junior, clock)
    order = await step(junior, order, "hand-to-senior", reason="x")
    told: dict[str, Any] = {
        "plan": "换光猫",
        "told_due_at": "2026-03-11T10:00:00Z",
        "time_reason": "备件",
        "agreed": True,
    }
    order = await step(junior, order, "tell", **told)
    assert order["promises"][0]["text"] == "换光猫"
    order = await step(senior, order, "to-leader", question="谁牵头？", level=1)
    assert (order["state"], order["owner"]) == ("at_leader", "leader")
    waiting = await (await leader.get("/api/orders?for_me=true")).json()
    assert [each["id"] for each in waiting["items"]] == [order["id"]]
    bare = await step(leader, order, "coordinate", 422, decision="x", lead_unit="city.network")
    assert bare["details"]["field"] == "tasks"
    order = await step(leader, order, "coordinate", decision="网络部牵头", lead_unit="city.network", tasks=[TASK])
    assert order["state"] == "in_process"
    order = await step(junior, order, "customer-adds", text="又断了", outcome="answered", answer="明日上门")
    negative = await step(senior, order, "remedy", 422, remedy="compensation", amount="-1", reason="x")
    assert (negative["code"], negative["details"]["field"]) == ("negative", "amount")
    order = await step(senior, order, "remedy", remedy="compensation", amount="500.00", reason="断网三日")
    order = await step(leader, order, "decide-remedy", granted=True, opinion="同意")
    history = await (await senior.get(f"/api/orders/{order['id']}/history")).json()
    assert [(each["lead_unit"], each["decided_by"]) for each in history["coordinations"]] == [("city.network", "9101")]
    assert [(each["amount"], each["state"]) for each in history["remedies"]] == [("500.00", "granted")]
    assert [each["outcome"] for each in history["responses"]] == ["answered"]
    assert [each["agreed"] for each in history["agreements"]] == [True]
    assert history["measures"][0]["en"].startswith("Compare with the plan")


@pytest.mark.req("T6", "T14", "PR-12", "PR-13", "RV-02", "DP-12", "DP-13")
async def test_changes_the_field_and_what_came_back(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, senior, staff, head, field = [
        await open_browser(number) for number in ("1001", "2001", "8001", "8101", "8201")
    ]
    order = await registered(junior, clock)
    order = await step(junior, order, "hand-to-senior", reason="x")
    tasks = [{**TASK, "person": "8001"}, {**TASK, "unit": "city.billing"}]
    order = await step(senior, order, "dispatch", opinion="x", checks=WELL, tasks=tasks)
    act = on_work(senior, order)
    assert (await act(junior, "propose-supplement", reason="催", limit_s=7200))["proposed"] is True
    assert (await act(senior, "approve-change", opinion="同意"))["changed"] is True
    await act(junior, "propose-recall", 1, reason_code="withdrawn", reason="停")
    assert (await act(senior, "refuse-change", 1, reason_code="other", opinion="先核实", errors=["unclear"]))[
        "proposed"
    ] is False
    await act(staff, "accept")
    await act(senior, "note", text="下午在家")
    await act(head, "assign-field", person="8201", task="测光衰", limit_s=14400)
    (mine,) = (await (await field.get("/api/work-orders")).json())["items"]
    assert (mine["kind"], mine["parent"], mine["actions"]) == ("field", 1, ["accept", "note"])
    await act(field, "accept", 2)
    await act(field, "begin", 2)
    assert (await act(field, "field-report", 2, result="已熔接"))["state"] == "done"
    assert (await act(field, "note", 0, 404, text="x"))["code"] == "not_found"
    billing = await open_browser("8102")
    await act(billing, "return", 1, reason_code="wrong_unit", reason="不归我们")
    assert (await act(senior, "drop", 1, reason="不再要求"))["followed"] == "dropped"
    assert (await again(senior, order))["state"] == "in_process"
