"""What lives has an owner who is here, or a queue; what lost its owner is found, and goes to its queue (IN-23)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.handover.test_handover import hand_over, hanging, loaded
from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import Case, in_process
from ticketing.audit import audit as audit_log
from ticketing.callbacks.tables import callback
from ticketing.db import Database
from ticketing.handover import adopting
from ticketing.intake.tables import intake_item
from ticketing.orders import holders, work
from ticketing.orders.model import State
from ticketing.orders.tables import customer_order, work_order
from ticketing.papers.tables import paper
from ticketing.roles import SYSTEM, Post
from ticketing.staff.tables import staff

OWNED: tuple[Table, ...] = (customer_order, work_order, callback, intake_item, paper)


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    """A desk on each database."""
    return await Desk.open(database, now)


async def owners(conn: AsyncConnection, table: Table) -> list[tuple[Any, Any]]:
    """Owner and queue of each that lives."""
    rows = await conn.execute(select(table.c.owner_id, table.c.owner_queue).where(table.c.ended_at.is_(None)))
    return [(row.owner_id, row.owner_queue) for row in rows]


async def unchecked(database: Database, table: Table) -> None:
    """Lets the table take what its constraints refuse: what a restored dump or a hand at the prompt leaves."""
    async with database.write() as conn:
        if database.dialect == "sqlite":
            await conn.execute(text("PRAGMA ignore_check_constraints=ON"))
        else:
            await conn.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT ck_{table.name}_one_owner"))


@pytest.mark.req("IN-23")
async def test_everything_of_somebody_who_left_goes_to_its_queue_with_an_audit_row(desk: Desk) -> None:
    await loaded(desk)
    case = Case(desk, await desk.registered("w1", caller="13900139005"))
    await in_process(case)
    await case.on_work("city.network", "8001", work.accept)
    gone = [desk["2001"].staff_id, desk["8001"].staff_id]
    async with desk.database.write() as conn:
        assert await adopting.adopt(conn, desk.now) == (), "there is nothing to do"
        await conn.execute(update(staff).where(staff.c.id.in_(gone)).values(active=False))
    async with desk.database.write() as conn:
        adopted = await adopting.adopt(conn, desk.now + timedelta(hours=1))
        assert await adopting.adopt(conn, desk.now + timedelta(hours=1)) == ()
    assert sorted(each.kind for each in adopted) == [
        *("callback", "item", "order", "order", "order", "paper", "work order"),
    ]
    async with desk.database.read() as conn:
        for table in OWNED:
            found = await owners(conn, table)
            assert found
            assert all((owner is None) is not (queue is None) for owner, queue in found), table.name
            assert not [owner for owner, _ in found if owner in gone], table.name
        rows = await conn.execute(select(audit_log.c.actor_number, audit_log.c.payload).where(audit_log.c.id > 0))
        told = [row for row in rows if row.payload.get("reason") == adopting.GONE]
    assert {row.actor_number for row in told} == {SYSTEM.number}
    assert {row.payload["was"] for row in told} >= {"2001", "8001"}


@pytest.mark.req("IN-23")
@pytest.mark.parametrize("table", OWNED, ids=lambda table: str(table.name))
async def test_what_a_hand_at_the_prompt_left_without_an_owner_gets_its_queue(desk: Desk, table: Table) -> None:
    await loaded(desk)
    case = Case(desk, await desk.registered("w1", caller="13900139005"))
    await in_process(case)
    await unchecked(desk.database, table)
    async with desk.database.write() as conn:
        await conn.execute(update(table).values(owner_id=None, owner_queue=None))
    async with desk.database.write() as conn:
        adopted = await adopting.adopt(conn, desk.now)
    assert adopted
    async with desk.database.read() as conn:
        found = await owners(conn, table)
    assert found
    assert all(owner is None and queue for owner, queue in found)


@pytest.mark.req("IN-23")
async def test_the_constraint_of_each_table_refuses_what_has_no_owner(desk: Desk) -> None:
    await loaded(desk)
    await in_process(Case(desk, await desk.registered("w1", caller="13900139005")))
    for table in OWNED:
        with pytest.raises(Exception, match="one_owner"):
            async with desk.database.write() as conn:
                await conn.execute(update(table).values(owner_id=None, owner_queue=None))
    await hand_over(desk, "2001", None)
    assert await hanging(desk, "2001") == ()


#: which post looks at which queue
READERS = {
    **{"senior": Post.SA, "survey": Post.SV, "archivist": Post.DM, "manager": Post.MH, "leader": Post.LD},
    "complaint": Post.JA,
}


@pytest.mark.req("IN-23")
@pytest.mark.parametrize("state", [State.DRAFT, *holders.HOLDERS])
def test_the_queue_of_each_state_is_read_by_somebody_who_can_go_on(state: State) -> None:
    assert holders.may_hold(frozenset({READERS[holders.queue_of(state)]}), state)
    assert not holders.may_hold(frozenset({Post.QC}), state)
