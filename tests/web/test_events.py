"""The agent's stream: snapshot, resume by id without loss or doubles, a slow browser, an ended sign-in (TL-31, F16)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cti.hub import Hub
from cti.web.areas import events
from cti.web.deps import WebDeps
from cti.web.schemas.pop import MissedPop, Pop
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock, FakeTelephony
from tests.web.sse import Event, Stream

POP: dict[str, Any] = (Pop.model_config.get("json_schema_extra") or {})["examples"][0]  # type: ignore[index,assignment]


@asynccontextmanager
async def stream(browser: Browser, last: str | None = None) -> AsyncIterator[Stream]:
    """Open the stream as the page does."""
    path = "/api/events" + (f"?last={last}" if last else "")
    async with browser.client.get(path, headers={"Sec-Fetch-Site": "same-origin"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        yield Stream(answer)


async def test_a_fresh_page_gets_a_snapshot(agent: Browser, hub: Hub, telephony: FakeTelephony, clock: Clock) -> None:
    hub.publish("1001", "agent", {})
    telephony.pops["1001"] = Pop.model_validate(POP)
    telephony.missed["1001"] = [
        MissedPop(call_id="c0", offered_at=clock.now, number_display="138", customer_name=None, why="abandoned")
    ]
    async with stream(agent) as opened:
        first = await opened.event()
    assert (first.id, first.name) == ("e1-1", "snapshot")
    assert first.data["agent"]["state"] == "logged_out"
    assert first.data["pop"]["call_id"] == POP["call_id"]
    assert first.data["missed_pops"][0]["call_id"] == "c0"


@pytest.mark.req("TL-31")
async def test_a_cut_stream_resumes_with_nothing_missing_and_nothing_twice(agent: Browser, hub: Hub) -> None:
    seen: list[Event] = []
    async with stream(agent) as opened:
        seen.append(await opened.event())
        hub.publish("1001", "pop", POP)
        seen.append(await opened.event())
    hub.publish("1001", "retract", {"call_id": POP["call_id"], "why": "abandoned"})
    hub.publish("1001", "pop", POP)
    for _ in range(3):
        async with stream(agent, seen[-1].id) as opened:
            hub.publish("1001", "agent", {"state": "ready"})
            while len(seen) == 0 or seen[-1].name != "agent":
                seen.append(await opened.event())
            seen.append(Event("", "cut", None))
        seen.pop()
        hub.publish("1001", "alert", {})
        async with stream(agent, seen[-1].id) as opened:
            seen.append(await opened.event())
    ids = [event.id for event in seen]
    assert ids == [f"e1-{n}" for n in range(len(ids))]


@pytest.mark.req("S15")
async def test_nobody_hears_anothers_events(agent: Browser, open_browser: MakeBrowser, hub: Hub) -> None:
    other = await open_browser("1002")
    async with stream(agent) as mine, stream(other) as theirs:
        await mine.event()
        await theirs.event()
        hub.publish("1001", "pop", POP)
        hub.publish("1002", "agent", {"state": "ready"})
        assert (await mine.event()).name == "pop"
        assert (await theirs.event()).name == "agent"


async def test_an_id_of_another_run_gets_a_snapshot(agent: Browser) -> None:
    async with stream(agent, "e0-7") as opened:
        assert (await opened.event()).name == "snapshot"


async def test_change_of_state_reaches_every_page_of_the_agent(agent: Browser, open_browser: MakeBrowser) -> None:
    second = await open_browser("1001")
    async with stream(second) as opened:
        await opened.event()
        assert (await agent.post("/api/agent/sign-in", {"phone": "browser"})).status == 200
        told = await opened.event()
    assert (told.name, told.data["state"]) == ("agent", "ready")


async def test_signing_out_ends_the_streams_of_that_session_only(agent: Browser, open_browser: MakeBrowser) -> None:
    second = await open_browser("1001")
    async with stream(agent) as mine, stream(second) as other:
        await mine.event()
        await other.event()
        await agent.send("DELETE", "/api/session")
        assert await mine.ended()
        await second.post("/api/agent/sign-in", {"phone": "desk"})
        assert (await other.event()).name == "agent"


async def test_a_quiet_stream_beats_and_notices_an_ended_session(
    agent: Browser, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    async with stream(agent) as opened:
        await opened.event()
        assert await opened.block() == ": \n\n"
        clock.advance(hours=13)
        assert await opened.ended()


async def test_an_open_page_keeps_an_agent_on_duty_signed_in(
    agent: Browser, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.02)
    await agent.post("/api/agent/sign-in", {"phone": "browser"})
    async with stream(agent) as opened:
        await opened.event()
        for _ in range(6):
            clock.advance(minutes=20)
            assert await opened.block() == ": \n\n"
            assert await opened.block() == ": \n\n"
    assert (await agent.get("/api/session")).status == 200


async def test_a_browser_that_does_not_read_is_dropped_and_loses_nothing(
    agent: Browser, deps: WebDeps, hub: Hub
) -> None:
    cookie = agent.client.session.cookie_jar.filter_cookies(agent.client.make_url("/"))["hotline"].value
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, (agent.client.host, agent.client.port))
    await loop.sock_sendall(raw, f"GET /api/events HTTP/1.1\r\nHost: x\r\nCookie: hotline={cookie}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        while not hub.streams:  # noqa: ASYNC110 - the hub rings no bell for a test
            await asyncio.sleep(0)
        big = {"text": "慢" * 100_000}
        number = 0
        while hub.streams:
            number += 1
            hub.publish("1001", "alert", {**big, "n": number})
            await asyncio.sleep(0)
    raw.close()
    assert hub.dropped == 1
    async with stream(agent, f"e1-{number - 3}") as opened:
        assert [(await opened.event()).data["n"] for _ in range(3)] == [number - 2, number - 1, number]


async def test_when_the_service_stops_streams_end(agent: Browser, hub: Hub) -> None:
    async with stream(agent) as opened:
        await opened.event()
        hub.close()
        assert await opened.ended()
