"""A contact is written once, joined to many orders, and ended when the call is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.orders.desk import VIP, Desk
from ticketing.contacts import store
from ticketing.contacts.model import ContactKind, NewContact, Role
from ticketing.db import Database
from ticketing.orders.tables import customer_order


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


@pytest.mark.req("IN-13")
async def test_one_line_for_each_contact_of_a_customer(desk: Desk) -> None:
    known = await desk.customer()
    await desk.registered()
    await desk.call("c2", after_s=60)
    async with desk.database.read() as conn:
        lines = await store.log(conn, known.id)
        assert [(line.external_id, line.kind, line.number) for line in lines] == [
            ("c2", "call", f"+86{VIP}"), ("c1", "call", f"+86{VIP}")
        ]  # fmt: skip
        assert await store.log(conn, None) == ()
        assert len(await store.log(conn, None, f"+86{VIP}")) == 2


async def test_the_same_message_is_one_contact_and_may_be_about_two_orders(desk: Desk) -> None:
    draft, other = await desk.read(await desk.call()), await desk.read(await desk.call("c2"))
    new = NewContact(ContactKind.EMAIL, desk.now, external_id="m-1")
    async with desk.database.write() as conn:
        first = await store.record(conn, new)
        assert await store.record(conn, new) == first
        ids = [await _key(conn, order.id) for order in (draft, other)]
        assert [await store.join(conn, first, id_, Role.REPLY, desk.now) for id_ in (*ids, ids[0])] == [
            True,
            True,
            False,
        ]
        for id_ in ids:
            assert first in {contact.id for contact in await store.of_order(conn, id_)}


async def _key(conn: AsyncConnection, public_id: str) -> int:
    found = await conn.scalar(select(customer_order.c.id).where(customer_order.c.public_id == public_id))
    assert found is not None
    return int(found)


async def test_a_call_ends_with_its_disposition(desk: Desk) -> None:
    draft = await desk.call()
    over = desk.now + timedelta(minutes=3)
    async with desk.database.write() as conn:
        assert await store.end(conn, "c1", over)
        assert await store.end(conn, "c1", over, "registered", "客户着急")
        assert await store.end(conn, "c1", over)
        assert not await store.end(conn, "nobody", over)
    contact = (await desk.read(draft)).contacts[0]
    assert (contact.ended_at, contact.disposition, contact.note, contact.role) == (
        over,
        "registered",
        "客户着急",
        "first",
    )
