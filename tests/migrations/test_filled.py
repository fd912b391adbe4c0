"""Revisions that fill what is new from the rows there are."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import select

from cti import migrations
from cti.migrations import revisions
from tests.orders.desk import Desk
from ticketing.clocks.tables import clock
from ticketing.db import Database
from ticketing.orders import cards


@pytest.mark.req("MN-07")
@pytest.mark.parametrize("after", [timedelta(0), timedelta(minutes=58), timedelta(hours=2), timedelta(days=400)])
async def test_the_next_card_of_running_clocks_is_found(empty_url: str, now: datetime, after: timedelta) -> None:
    """Before any card, after yellow, some red, all red ones: what the revision reckons is what was kept."""
    await migrations.upgrade(empty_url)
    database = await Database.open(empty_url)
    desk = await Desk.open(database, now)
    await desk.registered()
    async with database.write() as conn:
        await cards.fire(conn, now + after)
        kept = (await conn.execute(select(clock.c.id, clock.c.next_card_at).order_by(clock.c.id))).all()
    await database.close()
    async with migrations.connect(empty_url) as conn:
        await conn.run_sync(revisions.with_connection(revisions.config(), lambda made: command.downgrade(made, "0014")))
    await migrations.upgrade(empty_url)
    async with migrations.connect(empty_url) as conn:
        found = (await conn.execute(select(clock.c.id, clock.c.next_card_at).order_by(clock.c.id))).all()
    assert found == kept
    assert len(found) > 3
