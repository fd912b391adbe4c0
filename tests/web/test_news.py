"""What lies with a unit or a queue is told to the pages of its people: new, urgent, chased, with a card (PX-05)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cti.hub import Hub, Subscription
from cti.news import TOPIC, InTurn, OrderNews, ThreadNews
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Clock
from tests.web.test_workflow import TASK, WELL, registered, step
from ticketing.db import Database
from ticketing.orders import cards
from ticketing.outbox import Courier, Receiver
from ticketing.threads.actions import TOPIC as THREADS


class Streams:
    """Pages that are open, and what each was told since it was last asked."""

    def __init__(self, database: Database, clock: Clock, *numbers: str, beside: Sequence[Receiver] = ()) -> None:
        hub = Hub("ab")
        self._courier = Courier(
            database, {TOPIC: InTurn(OrderNews(hub, database), *beside), THREADS: ThreadNews(hub, database)}, name="one"
        )
        self._clock = clock
        self._open: Mapping[str, Subscription] = {
            number: hub.subscribe(number, last=None, session=number) for number in numbers
        }

    async def told(self, event: str) -> dict[str, list[dict[str, Any]]]:
        """By person, the events of this name."""
        while await self._courier.drain(self._clock.now):
            pass
        found: dict[str, list[dict[str, Any]]] = {}
        for number, stream in self._open.items():
            frames = (await stream.next(0.01) or b"").decode().split("\n\n")
            named = [frame for frame in frames if f"\nevent: {event}\n" in f"\n{frame}"]
            found[number] = [json.loads(frame.split("data: ", 1)[1]) for frame in named]
        return found


@pytest.mark.req("PX-05", "T29", "MN-07")
async def test_work_of_a_unit_is_told_to_its_people_and_to_nobody_else(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    junior, senior, surveyor = [await open_browser(number) for number in ("1001", "2001", "7001")]
    order = await registered(junior, clock)
    streams = Streams(database, clock, "2001", "8001", "8101", "8002", "8201")
    order = await step(junior, order, "hand-to-senior", reason="x")
    waiting = await streams.told("order")
    assert [each["event"] for each in waiting["2001"]][-1] == "order.handed_to_senior", "the seniors' queue has people"
    assert waiting["8001"] == []

    order = await step(senior, order, "dispatch", opinion="x", checks=WELL, tasks=[TASK])
    told = await streams.told("work")
    sent = {"order": order["id"], "serial": order["serial"], "unit": "city.network", "event": "work_order.sent"}
    assert told == {
        "2001": [],
        "8001": [{**sent, "urgent": False}],
        "8101": [{**sent, "urgent": False}],
        "8002": [],
        "8201": [],
    }, "the office of the unit, its head included; no other unit, nobody at the place"

    order = await step(surveyor, order, "chase", asked_by="centre", reason="x")
    order = await step(senior, order, "chase", asked_by="centre", reason="x", urgent=True)
    told = await streams.told("work")
    assert [(each["event"], each["urgent"]) for each in told["8101"]] == [
        ("work_order.chased", False),
        ("work_order.chased", True),
    ]

    clock.advance(hours=25)
    async with database.write() as conn:
        await cards.fire(conn, clock.now)
    told = await streams.told("work")
    assert [each["event"] for each in told["8001"]] == ["clock.red"]
    assert told["8002"] == []


@pytest.mark.req("PX-05")
async def test_what_somebody_has_taken_is_told_to_him_alone(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    junior, senior, staff = [await open_browser(number) for number in ("1001", "2001", "8001")]
    order = await step(junior, await registered(junior, clock), "hand-to-senior", reason="x")
    order = await step(senior, order, "dispatch", opinion="x", checks=WELL, tasks=[TASK])
    (task,) = (await (await staff.get("/api/work-orders")).json())["items"]
    answer = await staff.post(f"/api/work-orders/{task['id']}/accept", {"version": task["version"]})
    assert answer.status == 200
    streams = Streams(database, clock, "8001", "8101")
    await streams.told("work")
    clock.advance(minutes=1)
    order = await (await senior.get(f"/api/orders/{order['id']}")).json()
    await step(senior, order, "chase", asked_by="customer", reason="x")
    told = await streams.told("work")
    assert [each["event"] for each in told["8001"]] == ["work_order.chased"]
    assert told["8101"] == []
