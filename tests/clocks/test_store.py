"""Clocks in the database: what is due is found by index, what stopped says how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from ticketing.clocks import store
from ticketing.clocks.model import Clock
from ticketing.db import Database
from ticketing.orders.tables import customer_order


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


async def _key(desk: Desk, public_id: str) -> int:
    async with desk.database.read() as conn:
        found = await conn.scalar(select(customer_order.c.id).where(customer_order.c.public_id == public_id))
    assert found is not None
    return int(found)


async def test_what_is_due_comes_in_the_order_of_its_limits(desk: Desk) -> None:
    order = await desk.registered()
    async with desk.database.read() as conn:
        found = await store.due_before(conn, desk.now + timedelta(days=16))
        assert [due.code for due in found] == [
            Clock.HANDOFF, Clock.DISPATCH, Clock.PROMISE, Clock.WHOLE, Clock.LEGAL
        ]  # fmt: skip
        assert {due.order_id for due in found} == {await _key(desk, order.subject_id)}
        assert await store.due_before(conn, desk.now + timedelta(seconds=299)) == []
        assert len(await store.due_before(conn, desk.now + timedelta(days=16), limit=2)) == 2


async def test_stopped_clocks_say_how_they_ended_and_are_due_no_more(desk: Desk) -> None:
    order = await _key(desk, (await desk.registered()).subject_id)
    late = desk.now + timedelta(minutes=30)
    async with desk.database.write() as conn:
        await store.stop(conn, order, late, "dispatch", codes=[Clock.HANDOFF, Clock.DISPATCH])
        await store.stop(conn, order, late, "dispatch", codes=[Clock.HANDOFF])
        views = {view.code: view for view in await store.of_order(conn, order, late + timedelta(days=1))}
        assert (views["K5"].outcome, views["K5"].card) == ("breached", "red")
        assert (views["K6"].outcome, views["K6"].card) == ("met", "none")
        assert [due.code for due in await store.due_before(conn, late)] == []
        (ran,) = await store.segments(conn, order, Clock.DISPATCH)
        assert (ran.started_at, ran.stopped_at, ran.start_reason, ran.stop_reason) == (
            desk.now, late, "open", "dispatch"
        )  # fmt: skip
        assert await store.nearest(conn, order) == (
            desk.now + timedelta(days=2), desk.now + timedelta(days=2, hours=-2)
        )  # fmt: skip
        await store.stop(conn, order, late, "end", counts=False)
        assert await store.nearest(conn, order) == (None, None)
        assert {view.outcome for view in await store.of_order(conn, order, late)} == {"breached", "met", "void"}


async def test_due_work_is_found_by_index(desk: Desk) -> None:
    if desk.database.dialect != "sqlite":
        return
    async with desk.database.read() as conn:
        wanted = "due_at <= '2026' AND due_at IS NOT NULL AND stopped_at IS NULL ORDER BY due_at"
        query = f"EXPLAIN QUERY PLAN SELECT id FROM clock WHERE {wanted}"
        plan = [str(row.detail) for row in await conn.exec_driver_sql(query)]
    assert any("ix_clock_due" in step for step in plan), plan
