"""Cards: yellow before the limit, red at it, each once for each clock, whatever happens in between."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from ticketing.audit import audit
from ticketing.clocks.model import Card
from ticketing.clocks.tables import clock_card
from ticketing.db import Database
from ticketing.orders import cards, dispatching
from ticketing.orders.dispatching import CHECKS
from ticketing.orders.inputs import Dispatch, Propose, Task
from ticketing.outbox import outbox


async def given(desk: Desk, **after: float) -> list[tuple[str, str]]:
    """Cards given at a moment: clock and colour."""
    async with desk.database.write() as conn:
        return sorted((fired.code, fired.card.value) for fired in await cards.fire(conn, desk.now + timedelta(**after)))


@pytest.mark.req("MN-07", "MN-08")
async def test_each_card_is_given_once_at_both_levels(database: Database, now: datetime) -> None:
    desk = await Desk.open(database, now)
    change = await desk.registered()
    async with database.write() as conn:
        tasks = [Task("city.network", "上门", 24 * 3600)]
        proposed = await dispatching.propose(
            conn, desk["1001"], Propose(change.subject_id, change.version, tasks=tasks, opinion="x"), desk.now
        )
        said = Dispatch(change.subject_id, proposed.version, opinion="x", checks=dict.fromkeys(CHECKS, True))
        await dispatching.approve(conn, desk["2001"], said, desk.now)
    assert await given(desk, hours=21) == []
    assert await given(desk, hours=22) == [("K9", "yellow")]
    assert await given(desk, hours=22) == []
    assert await given(desk, hours=24) == [("K9", "red")]
    assert await given(desk, hours=47) == [("K11", "yellow")]
    assert await given(desk, days=4) == [("K10", "yellow"), ("K11", "red")], "the promise had its yellow card"
    assert await given(desk, days=16) == [("K10", "red"), ("K10L", "red")], "no late yellow beside a red"
    assert await given(desk, days=400) == []
    async with database.read() as conn:
        rows = (await conn.execute(select(clock_card.c.clock_id, clock_card.c.card))).all()
        told = (await conn.scalars(select(outbox.c.payload).where(outbox.c.topic == cards.TOPIC))).all()
        verbs = (await conn.scalars(select(audit.c.verb).where(audit.c.verb.like("clock.%")))).all()
    assert len(rows) == len(set(rows)) == 7
    stage = [news for news in told if news.get("clock") == "K9"]
    assert [(news["event"], news["owner"]) for news in stage] == [
        ("clock.yellow", "city.network"),
        ("clock.red", "city.network"),
    ]
    assert len(verbs) == 7


@pytest.mark.req("MN-07")
async def test_two_that_look_at_once_give_each_card_once(database: Database, now: datetime) -> None:
    desk = await Desk.open(database, now)
    await desk.registered()
    later = desk.now + timedelta(days=30)

    async def look() -> int:
        async with desk.database.write() as conn:
            return len(await cards.fire(conn, later))

    results = await asyncio.gather(*(look() for _ in range(4)), return_exceptions=True)
    counted = [result for result in results if isinstance(result, int)]
    async with desk.database.read() as conn:
        rows = (await conn.execute(select(clock_card.c.card))).all()
    assert sum(counted) == len(rows) == 5
    assert {row.card for row in rows} == {Card.RED.value}


@pytest.mark.req("MN-07")
async def test_the_keeper_gives_them_while_it_may_act(database: Database, now: datetime) -> None:
    desk = await Desk.open(database, now)
    await desk.registered()
    acts = False
    keeper = asyncio.create_task(cards.run(database, lambda: desk.now + timedelta(days=30), holds=lambda: acts))

    async def known() -> int:
        async with database.read() as conn:
            return len((await conn.execute(select(clock_card.c.card))).all())

    await asyncio.sleep(0)
    assert await known() == 0
    acts = True
    async with asyncio.timeout(10):
        while await known() == 0:  # noqa: ASYNC110 - another task gives them
            await asyncio.sleep(0.05)
    keeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeper
