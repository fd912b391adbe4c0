"""Call-backs through the interface: the queue, what is asked, the customer's profile, the department's own question."""

from typing import Any

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_workflow import TASK, WELL, registered, step
from ticketing.customers import store as customers
from ticketing.customers.model import CustomerNumber, NewCustomer
from ticketing.db import Database


async def to_survey(junior: Browser, clock: Clock) -> dict[str, Any]:
    order = await registered(junior, clock)
    return await step(junior, order, "answer", opinion="已解释", satisfaction="dissatisfied", fcr=True)


@pytest.mark.req("SV-01", "SV-05", "SV-09", "AU-01")
async def test_the_queue_the_calls_in_vain_and_the_end(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, surveyor = await open_browser("1001"), await open_browser("7001")
    order = await to_survey(junior, clock)
    assert (await junior.get("/api/surveys")).status == 403
    found = await (await surveyor.get("/api/surveys")).json()
    assert (found["total"], found["items"][0]["serial"], found["items"][0]["reasons"]) == (
        1, order["serial"], ["unhappy"],
    )  # fmt: skip
    form = await (await surveyor.get("/api/survey-form")).json()
    assert (form["attempts"], [each["code"] for each in form["outcomes"]]) == (3, ["apologised", "explained"])
    assert (await step(junior, order, "attempt", 403, why="busy"))["code"] == "forbidden"
    assert (await step(surveyor, order, "attempt", 422, why="tired"))["details"]["field"] == "why"
    for _ in range(form["attempts"]):
        early = await step(surveyor, order, "rate", 409, outcome="unreachable")
        assert early["code"] == "too_few_attempts"
        order = await step(surveyor, order, "attempt", why="busy", note="占线")
    order = await step(surveyor, order, "rate", outcome="unreachable")
    assert order["state"] == "closed"
    history = await (await surveyor.get(f"/api/orders/{order['id']}/history")).json()
    assert [each["why"] for each in history["attempts"]] == ["busy"] * 3
    assert (await (await surveyor.get("/api/surveys?mine=true")).json()) == {"items": [], "total": 0}


@pytest.mark.req("SV-06")
async def test_what_a_customer_tells_about_himself_has_source_and_date(
    open_browser: MakeBrowser, clock: Clock, centre: Database
) -> None:
    surveyor, archivist = await open_browser("7001"), await open_browser("5001")
    async with centre.write() as conn:
        made = await customers.add(conn, NewCustomer("张伟", (CustomerNumber("+8613800138000", "mobile"),)), clock.now)
    path = f"/api/customers/{made.public_id}/profile"
    clock.advance(minutes=7)
    answer = await surveyor.post(path, {"facts": {"education": "college", "age": "refused", "opinion": "资费复杂"}})
    assert answer.status == 200, await answer.text()
    facts = {fact["field"]: fact for fact in (await answer.json())["facts"]}
    assert {name: fact["value"] for name, fact in facts.items()} == {
        "education": "college", "age": "refused", "opinion": "资费复杂",
    }  # fmt: skip
    assert facts["age"] == {
        "field": "age",
        "value": "refused",
        "source": "follow_up",
        "noted_at": clock.now.isoformat().replace("+00:00", "Z"),
    }
    for facts_given, field in (({"height": "1"}, "height"), ({"age": "old"}, "age"), ({"opinion": " "}, "opinion")):
        wrong = await surveyor.post(path, {"facts": facts_given})
        assert wrong.status == 422
        assert field in str((await wrong.json())["details"])
    assert (await archivist.post(path, {"facts": {"age": "refused"}})).status == 403


@pytest.mark.req("SV-10", "SV-02")
async def test_the_department_asks_too_and_the_surveyors_answer_counts(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, senior, surveyor = [await open_browser(number) for number in ("1001", "2001", "7001")]
    network, billing = await open_browser("8001"), await open_browser("8002")
    order = await registered(junior, clock)
    order = await step(junior, order, "hand-to-senior", reason="x")
    order = await step(senior, order, "dispatch", opinion="x", checks=WELL, tasks=[TASK])
    (task,) = (await (await network.get("/api/work-orders")).json())["items"]
    asked: dict[str, Any] = {"grade": "satisfied", "opinion": "速率正常"}

    async def work(verb: str, *, browser: Browser = network, **said: Any) -> tuple[int, dict[str, Any]]:
        answer = await browser.post(f"/api/work-orders/{task['id']}/{verb}", {"version": task["version"], **said})
        return answer.status, await answer.json()

    assert (await work("call-back", **asked))[1]["code"] == "not_done"
    for verb in ("accept", "begin"):
        _, task = await work(verb)
    done: dict[str, Any] = {
        "result": "已修",
        "cause": "none",
        "opinion": "x",
        "service_number": "1",
        "handled_at": clock.now.isoformat(),
    }
    _, task = await work("finish", **done)
    assert (await work("call-back", browser=billing, **asked))[0] == 404
    assert (await work("call-back", **{**asked, "grade": "superb"}))[0] == 422
    assert (await work("call-back", **asked))[0] == 200
    order = await (await senior.get(f"/api/orders/{order['id']}")).json()
    order = await step(senior, order, "reply", opinion="x", result="x", channel="telephone", satisfaction="later")
    order = await step(
        surveyor, order, "redispatch", cause="none", wanted="再修", opinion="仍慢", grade="dissatisfied", tasks=[TASK]
    )
    assert order["state"] == "in_review", "not satisfied: a senior must approve it"
    heard = (await (await senior.get(f"/api/orders/{order['id']}/history")).json())["surveys"]
    assert [(each["source"], each["unit"], each["grade"], each["outcome"]) for each in heard] == [
        ("department", "city.network", "satisfied", "satisfied"),
        ("surveyor", None, "dissatisfied", "dissatisfied"),
    ]
