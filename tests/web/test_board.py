"""The board says what the list of orders says, and is told of each move within two seconds (MN-01, MN-10)."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from cti.hub import Hub
from cti.news import TOPIC, OrderNews
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_department import sent
from tests.web.test_events import stream
from tests.web.test_workflow import registered
from ticketing.db import Database
from ticketing.orders.model import State
from ticketing.outbox import Courier


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


async def counted(browser: Browser, **conditions: str) -> int:
    """Orders the list has under these conditions, page after page."""
    many, cursor = 0, None
    while True:
        query = {"live": "true", "limit": "2", **conditions, **({"cursor": cursor} if cursor else {})}
        page = await (
            await browser.get("/api/orders?" + "&".join(f"{name}={value}" for name, value in query.items()))
        ).json()
        many, cursor = many + len(page["items"]), page["next_cursor"]
        if cursor is None:
            return many


async def equal(chief: Browser) -> dict[str, Any]:
    """The board, after each of its figures was compared with the list."""
    board: dict[str, Any] = await (await chief.get("/api/board")).json()
    assert board["total"] == await counted(chief) == sum(each["count"] for each in board["states"])
    known = {each["state"]: each for each in board["states"]}
    for state in State:
        found = known.get(state.value, {"count": 0, "red": 0, "yellow": 0, "urgent": 0, "paused": 0})
        assert found["count"] == await counted(chief, state=state.value), state
        if found["count"]:
            for card in ("red", "yellow"):
                assert found[card] == await counted(chief, state=state.value, card=card), (state, card)
            for flag in ("urgent", "paused"):
                assert found[flag] == await counted(chief, state=state.value, **{flag: "true"}), (state, flag)
    for unit in board["units"]:
        assert unit["orders"] == await counted(chief, work_unit=unit["unit"]), unit
    assert len(board["cards"]) == board["total"]
    return board


@pytest.mark.req("MN-10", "MN-01")
async def test_each_figure_of_the_board_is_the_lists(open_browser: MakeBrowser, clock: Clock) -> None:
    junior, chief = await open_browser("1001"), await open_browser("3001")
    assert (await equal(chief))["total"] == 0
    await sent(open_browser, clock, 3)
    await registered(junior, clock)
    await junior.post("/api/orders", {"channel": "letter", "received_at": clock.now.isoformat()})
    board = await equal(chief)
    assert {each["state"]: each["count"] for each in board["states"]} == {"draft": 1, "registered": 1, "in_process": 3}
    (unit,) = board["units"]
    assert (unit["unit"], unit["orders"], unit["sent"], unit["overdue"]) == ("city.network", 3, 3, 0)
    network = await open_browser("8001")
    task = (await (await network.get("/api/work-orders")).json())["items"][0]
    await network.post(f"/api/work-orders/{task['id']}/accept", {"version": task["version"]})
    later = (clock.now + timedelta(hours=40)).isoformat()
    asked = {"version": task["version"] + 1, "reason": "parts", "due_at": later}
    assert (await network.post(f"/api/work-orders/{task['id']}/ask-extension", asked)).status == 200
    (unit,) = (await equal(chief))["units"]
    assert (unit["sent"], unit["accepted"], unit["extending"]) == (2, 1, 1)
    clock.advance(hours=50)
    await chief.sign_in("3001")
    board = await equal(chief)
    assert sum(each["red"] for each in board["states"]) > 0
    assert board["units"][0]["overdue"] == 3
    assert (await network.get("/api/board")).status in {401, 403}
    assert (await (await open_browser("1002")).get("/api/board")).status == 403


@pytest.mark.req("MN-01")
async def test_each_move_is_told_to_who_watches_the_board(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    hub = Hub("ab")
    courier = Courier(database, {TOPIC: OrderNews(hub, database)}, name="one")
    chief = hub.subscribe("3001", last=None, session="a")
    agent = hub.subscribe("1002", last=None, session="b")
    order = await registered(await open_browser("1001"), clock)
    while await courier.drain(clock.now):
        pass
    told = (await chief.next(1.0) or b"").decode()
    assert told.count("event: flow") >= 2
    assert order["serial"] in told
    assert await agent.next(0.01) is None, "an agent is told of his own only"


@pytest.mark.req("MN-01")
async def test_a_change_reaches_the_open_page_by_its_stream_without_being_asked_for(
    open_browser: MakeBrowser, clock: Clock, database: Database, hub: Hub
) -> None:
    junior, chief = await open_browser("1001"), await open_browser("3001")
    courier = Courier(database, {TOPIC: OrderNews(hub, database)}, name="one")
    async with stream(chief) as page:
        assert (await page.event()).name == "snapshot"
        running = asyncio.create_task(courier.run(lambda: clock.now))
        try:
            order = await registered(junior, clock)
            seen: list[dict[str, Any]] = []
            while not seen or seen[-1]["event"] != "order.submitted":
                told = await page.event()
                if told.name == "flow":
                    seen.append(told.data)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    assert (seen[-1]["serial"], seen[-1]["state"]) == (order["serial"], "registered")
    board = await (await chief.get("/api/board")).json()
    assert [(card["serial"], card["state"]) for card in board["cards"]] == [(order["serial"], "registered")]
