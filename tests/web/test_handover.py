"""Signing off with work in hand, and a supervisor who hands work on, through the interface (TL-44, PX-04)."""

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock, FakeTelephony
from tests.web.test_workflow import registered


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.mark.req("TL-44")
async def test_leaving_the_queues_and_the_page_waits_for_the_hand_over(
    agent: Browser, open_browser: MakeBrowser, clock: Clock, telephony: FakeTelephony
) -> None:
    telephony.phones.add("1001")
    await agent.post("/api/agent/sign-in", {"phone": "browser"})
    draft = await (await agent.post("/api/orders", {"channel": "letter", "received_at": clock.now.isoformat()})).json()
    order = await registered(agent, clock)
    out = await agent.post("/api/agent/sign-out")
    told = await out.json()
    assert (out.status, told["code"]) == (409, "work_hangs_on_you")
    assert [(each["kind"], each["id"]) for each in told["details"]["hanging"]] == [
        ("draft", draft["id"]),
        ("order", order["id"]),
    ]
    assert (await (await agent.get("/api/agent")).json())["state"] == "ready"
    assert (await agent.send("DELETE", "/api/session")).status == 409
    assert [each["kind"] for each in (await (await agent.get("/api/handover")).json())["items"]] == ["draft", "order"]
    wrong = await agent.post("/api/handover", {"person": "8001"})
    assert (wrong.status, (await wrong.json())["code"]) == (422, "cannot_take_it")
    given = await agent.post("/api/handover", {"person": "1002"})
    assert (given.status, (await given.json())["items"]) == (200, [])
    colleague = await open_browser("1002")
    assert (await (await colleague.get(f"/api/orders/{draft['id']}")).json())["owner"] == "1002"
    assert (await (await agent.post("/api/agent/sign-out")).json())["state"] == "logged_out"
    assert (await agent.send("DELETE", "/api/session")).status == 204


@pytest.mark.req("TL-44", "IN-23")
async def test_a_draft_that_was_left_waits_where_others_see_it(
    agent: Browser, open_browser: MakeBrowser, clock: Clock
) -> None:
    draft = await (await agent.post("/api/orders", {"channel": "letter", "received_at": clock.now.isoformat()})).json()
    await agent.post("/api/handover", {})
    colleague = await open_browser("1002")
    waiting = (await (await colleague.get("/api/orders?for_me=true")).json())["items"]
    assert [(each["id"], each["owner"]) for each in waiting] == [(draft["id"], "complaint")]


@pytest.mark.req("PX-04")
async def test_a_supervisor_hands_an_order_on(agent: Browser, open_browser: MakeBrowser, clock: Clock) -> None:
    order = await registered(agent, clock)
    chief = await open_browser("3001")
    body = {"version": order["version"], "reason": "absent", "person": "1002", "note": "请假"}
    where = f"/api/orders/{order['id']}/reassign"
    assert (await agent.post(where, body)).status == 403
    assert (await chief.post(where, {**body, "reason": "x"})).status == 422
    answer = await chief.post(where, body)
    assert answer.status == 200, await answer.text()
    assert (await answer.json())["owner"] == "1002"
    assert "reassign" in (await answer.json())["actions"]
    late = await chief.post(where, body)
    assert (late.status, (await late.json())["code"]) == (409, "stale_version")
