"""What one order is linked with, readable from one call: customer, workplaces, process, flow, earlier work (IN-10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from cti.screenpop import Labels
from cti.web.callviews import call_views
from cti.web.orderviews import order_view
from tests.orders.desk import Desk
from ticketing.classification import Cover
from ticketing.customers.actions import look_up
from ticketing.db import Database
from ticketing.orders import process, store
from ticketing.processes import actions as templates
from ticketing.processes import store as store_of_templates
from ticketing.processes.model import Content, Node
from ticketing.roles import Actor
from ticketing.sample import DEMO_CALLER, load_sample


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    opened = await Desk.open(database, now)
    async with database.write() as conn:
        await load_sample(conn, now)
    return opened


async def seen(desk: Desk, actor: Actor, order_id: str, language: str) -> dict[str, Any]:
    """The order as the interface gives it."""
    async with desk.database.read() as conn:
        found = await store.get(conn, actor, order_id, desk.now)
        return order_view(found, await call_views(conn, actor, [], Labels()), language).model_dump(mode="json")


@pytest.mark.req("IN-10")
@pytest.mark.parametrize("number", ["1001", "2001", "3001", "4001"])
async def test_one_call_shows_all_that_an_order_is_linked_with(desk: Desk, number: str) -> None:
    """Every post that works on the order sees the same set."""
    async with desk.database.read() as conn:
        lookup = await look_up(conn, DEMO_CALLER, desk.now)
    assert lookup.customer is not None
    overdue, earlier = lookup.last_orders
    order = await seen(desk, desk[number], overdue.id, "zh")
    assert (order["customer_id"], order["customer_name"]) == (lookup.customer.public_id, "张伟")
    assert order["process"] == {
        "code": "network-complaint",
        "name": "网络投诉处理",
        "version": 1,
        "nodes": [
            {
                "code": "test", "name": "现场检测", "unit": "city.network", "workplace": "网络监控工位",
                "after": [], "work_orders": ["1"],
            },
            {
                "code": "repair", "name": "上门修复", "unit": "city.installation", "workplace": "装维调度工位",
                "after": ["test"], "work_orders": [],
            },
        ],
    }  # fmt: skip
    assert [step["action"] for step in order["trail"]] == ["open", "edit", "submit", "dispatch"]
    assert [(work["number"], work["unit"]) for work in order["work_orders"]] == [("1", "city.network")]
    assert [each["serial"] for each in order["earlier_orders"]] == [earlier.serial]
    done = await seen(desk, desk[number], earlier.id, "zh")
    assert [(work["unit"], work["state"]) for work in done["work_orders"]] == [("city.billing", "done")]
    assert done["process"] is None
    assert (await seen(desk, desk[number], overdue.id, "en"))["process"]["name"] == "Network complaint"


@pytest.mark.req("IN-10")
async def test_an_order_keeps_the_version_it_began_with(desk: Desk) -> None:
    """Another template published later changes nothing about an order under way; a unit without a node has none."""
    async with desk.database.read() as conn:
        overdue = (await look_up(conn, DEMO_CALLER, desk.now)).last_orders[0]
    before = (await seen(desk, desk["2001"], overdue.id, "zh"))["process"]
    only = Node("only", "一步", "One step", "看一看", 3600, unit="city.network")
    async with desk.database.write() as conn:
        template = await store_of_templates.get(conn, "network-complaint")
        content = Content((Cover("network"),), (only,))
        written = await templates.write(conn, desk["9001"], template.code, template.version, content, desk.now)
        await templates.publish(conn, desk["9001"], template.code, written.version, None, desk.now)
        newest = (await store_of_templates.get(conn, template.code)).versions[0]
        assert await process.node_of(conn, newest.key, "city.network") is not None
        assert await process.node_of(conn, newest.key, "city.billing") is None
        assert await process.node_of(conn, None, "city.network") is None
    assert (await seen(desk, desk["2001"], overdue.id, "zh"))["process"] == before
