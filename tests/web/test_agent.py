"""The agent's own state: the database first, the exchange after it (TL-40)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cti.web.deps import WebDeps
from cti.web.schemas.agent import QueueCall, QueueView
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock, FakeTelephony
from ticketing.errors import Unavailable


async def test_states_of_a_day(agent: Browser, telephony: FakeTelephony, clock: Clock) -> None:
    out = await (await agent.get("/api/agent")).json()
    assert (out["state"], out["queues"], out["phone"]["registered"]) == ("logged_out", [], False)
    telephony.phones.add("1001")
    ready = await (await agent.post("/api/agent/sign-in", {"phone": "browser"})).json()
    assert (ready["state"], ready["phone"]) == ("ready", {"kind": "browser", "number": "1001", "registered": True})
    assert {"name": "complaint", "label": "投诉受理"} in ready["queues"]
    twice = await agent.post("/api/agent/sign-in", {"phone": "browser"})
    assert (twice.status, (await twice.json())["code"]) == (409, "wrong_agent_state")
    reasons = [node["code"] for node in (await (await agent.get("/api/taxonomies")).json())["pause_reason"]]
    paused = await (await agent.post("/api/agent/pause", {"reason": reasons[0]})).json()
    assert (paused["state"], paused["reason"]) == ("paused", reasons[0])
    wrong = await agent.post("/api/agent/pause", {"reason": "tea"})
    assert (wrong.status, (await wrong.json())["details"]["field"]) == (422, "reason")
    assert (await (await agent.post("/api/agent/ready")).json())["state"] == "ready"
    assert (await (await agent.post("/api/agent/sign-out")).json())["state"] == "logged_out"
    assert telephony.told == [
        ("sign_in", "1001", "browser"),
        ("pause", "1001", reasons[0]),
        ("ready", "1001", ""),
        ("sign_out", "1001", ""),
    ]


async def test_a_silent_exchange_does_not_undo_what_is_committed(agent: Browser, telephony: FakeTelephony) -> None:
    telephony.silent = True
    answer = await agent.post("/api/agent/sign-in", {"phone": "browser"})
    assert (answer.status, (await answer.json())["state"]) == (200, "ready")
    assert (await (await agent.get("/api/agent")).json())["state"] == "ready"


async def test_a_phone_that_the_exchange_refuses_makes_nobody_ready(agent: Browser, telephony: FakeTelephony) -> None:
    telephony.refuses = True
    answer = await agent.post("/api/agent/sign-in", {"phone": "browser"})
    assert (answer.status, (await answer.json())["code"]) == (503, "phone_refused")
    assert (await (await agent.get("/api/agent")).json())["state"] == "logged_out"
    telephony.refuses = False
    again = await agent.post("/api/agent/sign-in", {"phone": "browser"})
    assert (again.status, (await again.json())["state"]) == (200, "ready")


async def test_the_phones_secret_is_the_agents_own(agent: Browser, visitor: Browser) -> None:
    given = await (await agent.post("/api/phone")).json()
    assert (given["uri"], given["ws_path"], given["password"]) == ("sip:1001@hotline", "/sip", "short-lived")
    assert given["expires_at"] == "2026-03-10T02:30:00Z"
    assert (await visitor.post("/api/phone")).status == 401


async def test_queues_are_shown_as_the_exchange_has_them(
    agent: Browser, open_browser: MakeBrowser, telephony: FakeTelephony, clock: Clock
) -> None:
    waiting = QueueCall(call_id="c1", number="+8613800138000", position=1, joined_at=clock.now, priority=0, vip=False)
    telephony.live = [
        QueueView(
            name="complaint", label="投诉受理", strategy="rrmemory", service_level_s=15, ring_s=8, members=[],
            waiting=1, calls=[waiting],
        )
    ]  # fmt: skip
    mine = await (await agent.get("/api/queues")).json()
    assert (mine[0]["ring_s"], mine[0]["service_level_s"], len(mine[0]["calls"])) == (8, 15, 1)
    archivist = await open_browser("5001")
    assert (await (await archivist.get("/api/queues")).json())[0]["calls"] == []
    telephony.silent = True
    assert (await agent.get("/api/queues")).status == 503


async def test_health_says_little_to_strangers(
    visitor: Browser, open_browser: MakeBrowser, telephony: FakeTelephony
) -> None:
    assert (await (await visitor.get("/api/health")).json()) == {
        "status": "ok", "at": "2026-03-10T01:30:00Z", "parts": [],
    }  # fmt: skip
    telephony.silent = True
    person = await open_browser("3001")
    told = await (await person.get("/api/health")).json()
    assert told["status"] == "degraded"
    assert [(part["name"], part["ok"]) for part in told["parts"]] == [("database", True), ("ami", False)]


async def test_without_its_database_the_service_is_down(
    visitor: Browser, deps: WebDeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def gone() -> AsyncIterator[None]:
        if deps.version:
            raise Unavailable("database_down")
        yield

    monkeypatch.setattr(deps.database, "read", gone)
    answer = await visitor.get("/api/health")
    assert (answer.status, (await answer.json())["status"]) == (503, "down")
