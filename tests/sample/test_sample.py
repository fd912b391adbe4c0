"""The sample operator's customers and orders are real data with clocks that really ran."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import func, select

from tests.orders.desk import Desk
from ticketing.contacts import store as contacts
from ticketing.customers.actions import look_up
from ticketing.customers.model import MatchKind
from ticketing.db import Database
from ticketing.errors import NotFound
from ticketing.orders import store
from ticketing.orders.tables import customer_order
from ticketing.orders.views import OrderFilter
from ticketing.sample import DEMO_CALLER, load_sample


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    opened = await Desk.open(database, now)
    async with database.write() as conn:
        assert await load_sample(conn, now) == 8
    return opened


async def test_loaded_twice_it_is_there_once(desk: Desk) -> None:
    async with desk.database.write() as conn:
        before = await conn.scalar(select(func.count()).select_from(customer_order))
        assert await load_sample(conn, desk.now) == 0
        assert await conn.scalar(select(func.count()).select_from(customer_order)) == before == 9


async def test_without_the_sample_staff_it_says_so(database: Database, now: datetime) -> None:
    with pytest.raises(NotFound):
        async with database.write() as conn:
            await load_sample(conn, now)


async def test_the_demo_caller_is_a_vip_with_two_earlier_complaints_one_overdue(desk: Desk) -> None:
    async with desk.database.read() as conn:
        found = await look_up(conn, DEMO_CALLER, desk.now)
        assert found.customer is not None
        assert (found.customer.name, found.vip_class, len(found.customer.numbers)) == ("张伟", "major", 2)
        assert [(order.state, order.overdue, order.card) for order in found.last_orders] == [
            ("in_process", True, "red"),
            ("closed", False, "none"),
        ]
        assert (found.open_count, found.overdue_repeat, found.repeat) == (1, True, True)
        tasks, promises = await store.around_orders(conn, [order.id for order in found.last_orders], desk.now)
        assert [(task.unit, task.state, task.overdue, task.urgent) for task in tasks] == [
            ("city.network", "working", True, True)
        ]
        assert [(promise.text, promise.overdue) for promise in promises] == [("48 小时内上门检测并答复", True)]
        order = await store.get(conn, desk["2001"], found.last_orders[0].id, desk.now)
        assert {clock.code: clock.card for clock in order.clocks if clock.stopped_at is None} == {
            "K9": "red", "K10": "red", "K10L": "none", "K11": "red"
        }  # fmt: skip
        assert [line.action for line in order.trail] == ["open", "edit", "submit", "dispatch"]
        assert len(await contacts.log(conn, found.customer.id)) == 2


@pytest.mark.req("RT-06")
async def test_a_shared_number_a_repeat_and_a_suggestion(desk: Desk) -> None:
    async with desk.database.read() as conn:
        shared = await look_up(conn, "010-82100033", desk.now)
        assert shared.match is MatchKind.SEVERAL
        assert [candidate.customer.name for candidate in shared.candidates] == ["刘洋", "刘建国"]
        repeat = (await look_up(conn, "13800138002", desk.now)).last_orders[0]
        assert (repeat.repeat_no, repeat.contact_no, repeat.overdue) == (1, 2, False)
        again = await store.get(conn, desk["1001"], repeat.id, desk.now)
        (closed,) = again.earlier_orders
        assert (again.repeat_of, closed.state) == (closed.serial, "closed")
        page = await store.search(conn, desk["5001"], OrderFilter(kind="suggestion"), desk.now)
        assert [(item.state, item.owner) for item in page.items] == [("at_archivist", "archivist")]
        told = await store.progress_by_number(conn, "+8613800138000", desk.now)
        assert [(each.state, each.next_step, each.overdue) for each in told] == [("in_process", "in_process", True)]
