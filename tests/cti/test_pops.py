"""Pops on agents' pages over the sample operator's database: one look-up a call, kept, withdrawn, missed, cleared."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.calls.model import Floor
from cti.pops import MISSED_FOR, PopBoard, Standing
from cti.screenpop import Labels
from tests.calls.stories import Caller, at, feed, told
from tests.orders.desk import Desk
from ticketing.db import Database
from ticketing.sample import DEMO_CALLER, load_sample


class Page:
    """A board on a floor with one caller in the queue, and a clock."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.now = now
        self.floor = Floor()
        self.asked: list[Sequence[str]] = []
        self.board = PopBoard(
            database,
            self.floor,
            lambda language: Labels(queues={"complaint": {"zh": "投诉受理"}.get(language, "Complaints")}),
            lambda: self.now,
            area_code="010",
            recordings_of=self._recordings,
        )

    async def _recordings(self, _conn: AsyncConnection, orders: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        self.asked.append(orders)
        return [{"id": f"rec-{len(orders)}"}]

    def caller(self, ani: str = DEMO_CALLER, number: int = 1) -> Caller:
        """Somebody who has joined the queue."""
        caller = Caller(number)
        feed(self.floor, [*caller.asks(0)[:1], caller.entered(0, ani), *caller.asks(0)[2:]])
        return caller

    async def show(self, caller: Caller, agent: str = "1001", language: str = "zh") -> dict[str, Any]:
        """The phone of the agent rings."""
        shown = await self.board.show(agent, language, Standing(caller.id, at(3), at(3), "ringing"))
        assert shown is not None
        return shown


@pytest.fixture
async def page(database: Database, now: datetime) -> Page:
    await Desk.open(database, now)
    async with database.write() as conn:
        await load_sample(conn, now)
    return Page(database, now)


@pytest.mark.req("TL-30")
async def test_the_pop_of_the_demo_caller(page: Page) -> None:
    """The VIP with his overdue complaint, its work order and its promise."""
    shown = await page.show(page.caller())
    assert (shown["identity"], shown["customer"]["name"]) == ("number_matches", "张伟")
    assert shown["flags"] == {"vip": True, "repeat": True, "overdue": True, "mood": None}
    assert [order["state"] for order in shown["orders"]] == ["in_process", "closed"]
    (task,) = shown["open_work_orders"]
    assert (task["unit"], task["overdue"], task["card"]) == ("city.network", True, "red")
    (promise,) = shown["promises"]
    assert (promise["text"], promise["overdue"]) == ("48 小时内上门检测并答复", True)
    assert shown["recordings"] == [{"id": "rec-2"}]
    assert (shown["queue"]["label"], shown["waited_ms"], shown["state"]) == ("投诉受理", 1000, "ringing")


async def test_a_shared_number_brings_every_candidate_with_the_orders(page: Page) -> None:
    shown = await page.show(page.caller("010-82100033"))
    assert (shown["identity"], shown["customer"]) == ("ambiguous", None)
    assert [each["name"] for each in shown["candidates"]] == ["刘洋", "刘建国"]


@pytest.mark.parametrize(("ani", "identity"), [("13711112222", "unknown"), ("anonymous", "withheld"), ("", "withheld")])
async def test_nobody_known_is_told_so(page: Page, ani: str, identity: str) -> None:
    shown = await page.show(page.caller(ani))
    assert (shown["identity"], shown["customer"], shown["orders"]) == (identity, None, [])


async def test_a_call_is_looked_up_once(page: Page, database: Database) -> None:
    """Prefetched at queue entry; offers, reloads and a second agent read what is remembered."""
    caller = page.caller()
    first = await page.board.prefetch(caller.id, DEMO_CALLER)
    statements: list[str] = []

    def count(*args: Any) -> None:
        statements.append(args[2])

    event.listen(Engine, "before_cursor_execute", count)
    try:
        assert await page.board.prefetch(caller.id, DEMO_CALLER) is first
        await page.show(caller)
        await page.show(caller, "1002", "en")
        await page.board.current("1001", "zh")
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert statements == []
    assert len(page.asked) == 1


@pytest.mark.req("TL-31")
async def test_a_reloaded_page_gets_the_pop_in_its_language_and_state(page: Page) -> None:
    caller = page.caller()
    assert await page.board.current("1001", "zh") is None
    shown = await page.show(caller)
    assert await page.board.current("1001", "zh") == shown
    other = await page.board.current("1001", "en")
    assert other is not None
    assert other["queue"]["label"] == "Complaints"
    assert await page.board.current("1002", "zh") is None
    page.board.answered("1001", caller.id, "o-1")
    talking = await page.board.current("1001", "zh")
    assert talking is not None
    assert (talking["state"], talking["order_id"]) == ("talking", "o-1")
    page.board.answered("1001", caller.id, None)
    assert (await page.board.current("1001", "zh") or {})["order_id"] == "o-1"


@pytest.mark.req("TL-31")
async def test_a_withdrawn_pop_is_gone_and_listed_as_missed(page: Page) -> None:
    caller = page.caller()
    await page.show(caller)
    page.board.retract("1001", "another-call", "answered_elsewhere")
    page.board.retract("1002", caller.id, "answered_elsewhere")
    assert await page.board.current("1001", "zh") is not None
    page.board.retract("1001", caller.id, "missed")
    page.board.retract("1001", caller.id, "missed")
    assert await page.board.current("1001", "zh") is None
    (missed,) = page.board.missed("1001")
    assert (missed.call_id, missed.name, missed.why) == (caller.id, "张伟", "missed")
    assert missed.offered_at == at(3)
    assert page.board.missed("1002") == []


async def test_missed_pops_are_the_newest_first_and_of_the_last_hours(page: Page) -> None:
    for number in (1, 2):
        caller = page.caller("13711112222", number)
        await page.board.show("1001", "zh", Standing(caller.id, at(number), at(number), "ringing"))
        page.board.retract("1001", caller.id, "missed")
    assert [each.offered_at for each in page.board.missed("1001")] == [at(2), at(1)]
    page.now = at(1.5) + MISSED_FOR
    assert [each.offered_at for each in page.board.missed("1001")] == [at(2)]
    page.now += timedelta(hours=1)
    assert page.board.missed("1001") == []


async def test_the_pop_stays_through_wrap_up_and_is_cleared_after_it(page: Page) -> None:
    caller = page.caller()
    await page.show(caller)
    page.board.clear("1001")
    page.board.answered("1001", caller.id, "o-1")
    page.board.clear("1001")
    assert await page.board.current("1001", "zh") is not None, "a call that goes on is not cleared"
    story = Caller()
    record = told([*story.asks(0), story.offered(3, "PJSIP/1001"), *story.talks(6, 60, "PJSIP/1001")])
    assert record.call_id == caller.id
    page.board.closed(record)
    page.floor.calls.clear()
    ended = await page.board.current("1001", "zh")
    assert ended is not None
    assert (ended["state"], ended["order_id"]) == ("ended", "o-1")
    assert page.board.record(caller.id) == record
    page.board.clear("1001")
    assert await page.board.current("1001", "zh") is None
    assert page.board.missed("1001") == []


async def test_a_call_that_nobody_knows_any_more_has_no_pop(page: Page) -> None:
    assert await page.board.show("1001", "zh", Standing("gone", at(3), at(3), "ringing")) is None
    assert page.board.record("gone") is None


async def test_memory_is_bounded(page: Page) -> None:
    """Looking up the 2,001st call forgets the first."""
    first = await page.board.prefetch("call-0", "withheld")
    page.board._known.update({f"call-{number}": first for number in range(1, 2000)})
    await page.board.prefetch("call-2000", "withheld")
    assert len(page.board._known) == 2000
    assert "call-0" not in page.board._known


async def test_a_phone_that_rings_while_the_caller_is_looked_up_waits_for_the_same_look_up(page: Page) -> None:
    """An idle agent's phone rings a millisecond after the join (TL-30)."""
    caller = page.caller()
    first, second = await asyncio.gather(
        page.board.prefetch(caller.id, DEMO_CALLER), page.board.prefetch(caller.id, DEMO_CALLER)
    )
    assert first is second
    assert len(page.asked) == 1


async def test_who_gives_up_waiting_does_not_end_the_look_up_of_another(page: Page) -> None:
    caller = page.caller()
    gives_up = asyncio.create_task(page.board.prefetch(caller.id, DEMO_CALLER))
    await asyncio.sleep(0)
    waits = asyncio.create_task(page.board.prefetch(caller.id, DEMO_CALLER))
    await asyncio.sleep(0)
    gives_up.cancel()
    assert (await waits).lookup.customer is not None
    assert len(page.asked) == 1
