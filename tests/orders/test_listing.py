"""Pages of lists that are found in several ways, and what a page costs however many orders there are."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.benchmarks import _centre
from tests.orders.desk import Desk
from ticketing.db import Database
from ticketing.orders import history, listing, store
from ticketing.orders.tables import customer_order, work_order
from ticketing.orders.views import OrderFilter
from ticketing.roles import Actor, Post
from ticketing.staff import store as people

Asked = TypeVar("Asked")
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


async def counted(conn: AsyncConnection, what: Awaitable[Asked]) -> tuple[int, Asked]:
    """What SQLite does for it, in units of its own machine, and what came of it."""
    driver: Any = (await conn.get_raw_connection()).driver_connection
    done = [0]

    def count() -> int:
        done[0] += 1
        return 0

    await driver.set_progress_handler(count, _COUNTED)
    found = await what
    await driver.set_progress_handler(None, _COUNTED)
    return done[0], found


async def steps(database: Database, actor: Actor, wanted: OrderFilter, now: datetime) -> tuple[int, int]:
    """What a page of ten costs, and the one after it."""
    found, cursor = [], None
    async with database.read() as conn:
        for _ in range(2):
            asked = store.search(conn, actor, wanted, now, cursor=cursor, limit=10)
            cost, page = await counted(conn, asked)
            assert len(page.items) == 10, wanted
            found.append(cost)
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


@pytest.mark.req("AU-03")
async def test_what_a_key_finds_is_not_sought_by_another_condition() -> None:
    """An order number, and the dozen orders of a telephone number, beside conditions that nearly all orders fulfil."""
    since = {"created": (NEAR - _centre.YEARS, None)}
    most = OrderFilter(state=("closed",), kind="complaint", times=since)
    found: list[dict[str, int]] = []
    for orders in (1_200, 12_000):
        size = _centre.Size(orders // 12, orders)
        async with _centre.sqlite(size) as url:
            database = await Database.open(url)
            async with database.read() as conn:
                actor = (await people.by_number(conn, "2001")).actor
                one = {
                    "serial": replace(most, serial=_centre.serial(orders // 2)),
                    "number": replace(most, number=_centre.number(7)),
                }
                costs = {}
                for name, wanted in one.items():
                    costs[name], page = await counted(conn, store.search(conn, actor, wanted, _centre.NOW))
                    assert 1 <= len(page.items) <= 30, name
            await database.close()
        found.append(costs)
    few, many = found
    assert {name: cost for name, cost in many.items() if cost > 3 * few[name]} == {}


async def sent_away(database: Database) -> None:
    """Every order had a work order of one unit, long done; thirty of the first were sent to another."""
    async with database.write() as conn:
        await conn.execute(delete(work_order))
        ids = sorted(await conn.scalars(select(O.id)))
        same = {"number": 1, "version": 1, "cycle": 1, "kind": "work", "control": "run", "dispatch_opinion": "请处理"}
        same |= {"urgent": False, "created_at": _centre.NOW, "changed_at": _centre.NOW, "form": {}}
        rows: list[dict[str, Any]] = [
            {**same, "public_id": f"w{id_}", "order_id": id_, "unit": "net.field", "state": "done", "ended_at": NEAR,
             "owner_queue": None, "due_at": None}
            for id_ in ids
        ]  # fmt: skip
        mine = {"unit": "city.network", "state": "sent", "owner_queue": "city.network", "ended_at": None}
        for row in rows[:30]:
            row.update(mine, due_at=_centre.NOW + timedelta(minutes=row["order_id"] % 100))
        await conn.execute(insert(work_order), rows)


@pytest.mark.req("PR-01", "AU-03")
async def test_a_department_is_not_slowed_by_the_work_of_others() -> None:
    """Ten times the orders, whose work other units have done: its inbox and its orders are found with the same work."""
    found: list[dict[str, int]] = []
    for orders in (1_200, 12_000):
        async with _centre.sqlite(_centre.Size(100, orders)) as url:
            database = await Database.open(url)
            await sent_away(database)
            async with database.read() as conn:
                actor = (await people.by_number(conn, "8001")).actor
                cost, inbox = await counted(
                    conn, history.inbox(conn, actor, history.WorkFilter(), _centre.NOW, limit=10)
                )
                assert [each.due_at for each in inbox] == sorted(each.due_at for each in inbox if each.due_at)
                assert len(inbox) == 10
            newest = await steps(database, actor, OrderFilter(), _centre.NOW)
            closed = await steps(database, actor, OrderFilter(state=("closed",), sort="due"), _centre.NOW)
            found.append({"inbox": cost, "orders": max(newest), "closed, nearest limit": max(closed)})
            await database.close()
    few, many = found
    assert {name: cost for name, cost in many.items() if cost > 1.5 * few[name]} == {}
