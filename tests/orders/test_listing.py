"""Pages of lists that are found in several ways, and what a page costs however many orders there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import and_, func, select, update

from tests.benchmarks import _centre
from tests.orders.desk import Desk
from ticketing.db import Database
from ticketing.orders import listing, store
from ticketing.orders.tables import customer_order
from ticketing.orders.views import OrderFilter
from ticketing.roles import Actor, Post
from ticketing.staff import store as people

O = customer_order.c  # noqa: E741 - as in the module under test


async def several(desk: Desk) -> None:
    """Orders of a senior, of her queue, drafts somebody left in it, another's, and an ended one; some urgent, some with
    limits, and pairs of them made at the same moment."""
    places: list[dict[str, Any]] = [
        {"owner_id": desk["2001"].staff_id, "owner_queue": None},
        {"owner_id": None, "owner_queue": "senior"},
        {"owner_id": None, "owner_queue": "senior", "state": "draft"},
        {"owner_id": desk["1002"].staff_id, "owner_queue": None},
    ]
    for at in range(16):
        made = await desk.registered(f"c{at}", "1001", f"1390000{at:04}")
        values = {
            **places[at % 4],
            "created_at": desk.now - timedelta(minutes=at // 2),
            "urgent": at % 5 == 0,
            "due_at": None if at % 3 == 0 else desk.now + timedelta(hours=at % 4),
        }
        async with desk.database.write() as conn:
            await conn.execute(update(customer_order).where(O.public_id == made.subject_id).values(values))
    ended = await desk.registered("ended", "1001", "13900009999")
    async with desk.database.write() as conn:
        over = {"owner_id": None, "owner_queue": "senior", "ended_at": desk.now, "state": "cancelled"}
        await conn.execute(update(customer_order).where(O.public_id == ended.subject_id).values(over))


@pytest.mark.req("AU-03", "DP-07")
@pytest.mark.parametrize("sort", listing.SORTS)
async def test_what_is_found_in_several_ways_is_listed_once_and_in_order(desk: Desk, sort: str) -> None:
    """Pages of what waits for a senior, and of a queue, join to what all of them are when they are sorted."""
    await several(desk)
    far = desk.now + timedelta(days=9999)
    by: dict[str, Any] = {
        "newest": lambda row: (-row.created_at.timestamp(), -row.id),
        "oldest": lambda row: (row.created_at, row.id),
        "due": lambda row: (row.due_at or far, row.id),
        "urgent": lambda row: (not row.urgent, -row.created_at.timestamp(), -row.id),
    }
    async with desk.database.read() as conn:
        rows = (await conn.execute(select(customer_order).where(O.ended_at.is_(None)))).all()
    queue = [row for row in rows if row.owner_queue == "senior"]
    for wanted, expected in (
        (OrderFilter(sort=sort, for_me=True), [*queue, *(r for r in rows if r.owner_id == desk["2001"].staff_id)]),
        (OrderFilter(sort=sort, owner="senior", flags={"live": True}), queue),
        (OrderFilter(sort=sort, owner="1002"), [row for row in rows if row.owner_id == desk["1002"].staff_id]),
        (OrderFilter(sort=sort, owner="senior", for_me=True), queue),
    ):
        seen: list[str] = []
        cursor = None
        while True:
            async with desk.database.read() as conn:
                later = desk.now + timedelta(days=1)
                page = await store.search(conn, desk["2001"], wanted, later, cursor=cursor, limit=3)
            seen += [item.serial for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == [row.serial for row in sorted(expected, key=by[sort])]
        assert len(seen) >= 4


#: since then their limits are near
NEAR = _centre.NOW - timedelta(hours=2)

LISTS = {
    "newest": OrderFilter(),
    "nearest limit": OrderFilter(sort="due"),
    "urgent first": OrderFilter(sort="urgent"),
    "closed": OrderFilter(state=("closed",)),
    "for me": OrderFilter(for_me=True),
    "of a queue": OrderFilter(owner="senior"),
    "overdue": OrderFilter(overdue=True),
    "a yellow card": OrderFilter(card="yellow"),
    "complaints": OrderFilter(kind="complaint"),
    "of a month": OrderFilter(times={"created": (_centre.NOW - timedelta(days=60), _centre.NOW - timedelta(days=30))}),
}


#: these are sorted: they cost what is open, not what has ended
SORTED = {
    "open, nearest limit": OrderFilter(sort="due", flags={"live": True}),
    "for me, nearest limit": OrderFilter(sort="due", for_me=True),
    "a queue, nearest limit": OrderFilter(sort="due", owner="senior", flags={"live": True}),
}


async def opened(database: Database, most: int) -> None:
    """Of the first orders a tenth is overdue, another tenth near its limit, a few have none; all are in the seniors'
    queue."""
    over = {"ended_at": _centre.NOW, "owner_queue": None, "due_at": None, "warn_at": None, "state": "closed"}
    async with database.write() as conn:
        await conn.execute(update(customer_order).values(over))
        first = await conn.scalar(select(func.min(O.id)))
        for every, hours in ((10, -1), (10, 1), (400, None)):
            due_at = None if hours is None else _centre.NOW + timedelta(hours=hours)
            live = {"ended_at": None, "state": "at_senior", "owner_queue": "senior", "due_at": due_at}
            place = 1 if hours is None else hours + 5
            which = and_(O.id % every == place, O.id < (first or 0) + most)
            await conn.execute(update(customer_order).where(which).values({**live, "warn_at": NEAR}))


#: virtual machine steps of SQLite between two counts
_COUNTED = 20


async def steps(database: Database, actor: Actor, wanted: OrderFilter, now: datetime) -> tuple[int, int]:
    """What SQLite does for a page of ten and for the one after it, in units of its own machine."""
    found, cursor = [], None
    async with database.read() as conn:
        driver: Any = (await conn.get_raw_connection()).driver_connection
        for _ in range(2):
            counted = [0]

            def count(counted: list[int] = counted) -> int:
                counted[0] += 1
                return 0

            await driver.set_progress_handler(count, _COUNTED)
            page = await store.search(conn, actor, wanted, now, cursor=cursor, limit=10)
            await driver.set_progress_handler(None, _COUNTED)
            assert len(page.items) == 10, wanted
            found.append(counted[0])
            cursor = page.next_cursor
    return found[0], found[1]


async def costs(orders: int, most: int, lists: Mapping[str, OrderFilter]) -> dict[str, tuple[int, int]]:
    """What a page and the next one of each list cost beside so many orders, a fifth of the first `most` being open."""
    async with _centre.sqlite(_centre.Size(100, orders)) as url:
        database = await Database.open(url)
        await opened(database, most)
        async with database.read() as conn:
            actor = (await people.by_number(conn, "2001")).actor
        assert Post.SA in actor.posts
        found = {name: await steps(database, actor, each, _centre.NOW) for name, each in lists.items()}
        await database.close()
    return found


@pytest.mark.req("AU-03")
@pytest.mark.parametrize(("lists", "most"), [(LISTS, 12_000), (SORTED, 1_200)])
async def test_a_page_costs_the_same_however_many_orders_there_are(lists: dict[str, OrderFilter], most: int) -> None:
    """Ten times the orders, and ten times those in the list: a page and the next one are found with the same work. What
    is sorted costs the same beside ten times as many that have ended."""
    few, many = await costs(1_200, 1_200, lists), await costs(12_000, most, lists)
    assert {name: cost for name, cost in many.items() if max(cost) > 1.5 * max(few[name])} == {}
