"""A centre of the first schema with many orders comes to this release: nothing is lost or changed (TL-63).

The orders are made by this release's own steps, laid into the tables of the first revision as far as those had their
columns, and multiplied there. HOTLINE_TEST_LONG=1 makes 100,000 of them (`make proof-migration`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Integer, MetaData, String, Table, func, insert, select
from sqlalchemy.schema import UniqueConstraint

from cti import migrations
from tests.absent import LONG
from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import Case, in_process
from ticketing.changes import Change
from ticketing.clocks.tables import clock
from ticketing.db import Database
from ticketing.orders import cards, store, work
from ticketing.orders.tables import customer_order

MANY: Final = 100_000 if os.environ.get(LONG) == "1" else 600
#: what hangs on an order, parents first
ORDER: Final = ("customer_order", "work_order", "order_trail", "review", "commitment", "clock", "clock_card")
#: apart from each other by so many keys
STEP: Final = 1000
_BATCH: Final = 200


async def _story(url: str, now: datetime) -> int:
    """Two orders as this release makes them: one registered, one with departments, a card given. How many orders."""
    await migrations.upgrade(url)
    database = await Database.open(url)
    desk = await Desk.open(database, now)
    await desk.customer()
    await desk.registered("c1")
    case = Case(desk, await desk.registered("c2", caller="13900139111"))
    await in_process(case)
    await case.on_work("city.network", "8001", work.accept)
    async with database.write() as conn:
        assert await cards.fire(conn, now + timedelta(hours=22))
        count = await conn.scalar(select(func.count()).select_from(customer_order))
    await database.close()
    return int(count or 0)


def _reflected(connection: Connection) -> MetaData:
    known = MetaData()
    known.reflect(connection)
    return known


def _rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [dict(row._mapping) for row in connection.execute(select(table))]
        for table in _reflected(connection).sorted_tables
        if table.name != "alembic_version"
    }


def _laid(old: Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row as the first revision had it; what it asked for and is gone since is empty."""
    given = {column.name: row[column.name] for column in old.columns if column.name in row}
    for column in old.columns:
        if column.name not in given and not column.nullable and column.server_default is None:
            given[column.name] = (
                0 if isinstance(column.type, Integer) else "" if isinstance(column.type, String) else {}
            )
    return given


def _copies(old: Table, rows: list[dict[str, Any]], copies: int) -> Iterator[list[dict[str, Any]]]:
    """Each row again and again: keys moved on, what must be unique told apart."""
    moved = {"id"} | {key.parent.name for key in old.foreign_keys if key.column.table.name in ORDER}
    single: list[Any] = [each for each in old.constraints if isinstance(each, UniqueConstraint)]
    single += [index for index in old.indexes if index.unique]
    names = [[column.name for column in each.columns] for each in single]
    unique = {each[0] for each in names if len(each) == 1 and isinstance(old.c[each[0]].type, String)}
    batch: list[dict[str, Any]] = []
    for number in range(copies):
        for row in rows:
            again = dict(row)
            for name in moved & row.keys():
                if again[name] is not None:
                    again[name] += STEP * number
            for name in unique & row.keys() if number else ():
                again[name] = None if again[name] is None else f"{number}.{again[name]}"[: old.c[name].type.length]
            batch.append(again)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    yield batch


def _filled(connection: Connection, rows: dict[str, list[dict[str, Any]]], copies: int) -> None:
    for old in _reflected(connection).sorted_tables:
        found = [_laid(old, row) for row in rows.get(old.name, ())]
        for batch in _copies(old, found, copies if old.name in ORDER else 1):
            if batch:
                connection.execute(insert(old), batch)
        if found and "id" in old.c and connection.dialect.name == "postgresql":  # keys go on after those
            newest = select(func.max(old.c.id)).scalar_subquery()
            connection.execute(select(func.setval(func.pg_get_serial_sequence(f'"{old.name}"', "id"), newest)))


def _counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in _reflected(connection).sorted_tables
        if table.name in ORDER
    }


@pytest.mark.req("N1", "MN-07", "N6")
async def test_the_first_schema_with_many_orders(
    empty_url: str, database_kind: str, *, tmp_path: Any, now: datetime, record_property: Callable[[str, object], None]
) -> None:
    source = f"sqlite:///{tmp_path / 'source.db'}"
    count = await _story(source, now)
    copies = MANY // count
    async with migrations.connect(source) as conn:
        rows = await conn.run_sync(_rows)
    await migrations.upgrade(empty_url, "0001")
    async with migrations.connect(empty_url) as conn:
        await conn.run_sync(lambda connection: _filled(connection, rows, copies))
        before = await conn.run_sync(_counts)
    assert before["customer_order"] == count * copies
    began = time.perf_counter()
    assert await migrations.upgrade(empty_url) == ("0001", migrations.head())
    took = time.perf_counter() - began
    record_property("examples", count * copies)
    print(f"{database_kind}: {count * copies} orders from 0001 to {migrations.head()} in {took:.1f} s")
    async with migrations.connect(empty_url) as conn:
        assert await conn.run_sync(_counts) == before
        first, last = await conn.run_sync(lambda connection: _ends(connection, copies))
        assert first == last, "the copies came through as the first did"
        runs = select(clock.c.id, clock.c.next_card_at).where(clock.c.stopped_at.is_(None), clock.c.id < STEP)
        found = {row.id: row.next_card_at and row.next_card_at.replace(tzinfo=None) for row in await conn.execute(runs)}
    assert len(found) > 5
    assert found == {row["id"]: row["next_card_at"] for row in rows["clock"] if row["stopped_at"] is None}
    await _works(empty_url, now)


def _ends(connection: Connection, copies: int) -> tuple[list[Any], list[Any]]:
    """What hangs on the first orders and on their last copies, keys and unique words left out."""
    told: tuple[list[Any], list[Any]] = ([], [])
    for table in _reflected(connection).sorted_tables:
        if table.name not in ORDER:
            continue
        own = {"id", "public_id", "serial", "call_id"} | {key.parent.name for key in table.foreign_keys}
        plain = [column for column in table.columns if column.name not in own]
        for side, at in zip(told, (0, STEP * (copies - 1)), strict=True):
            owner = (
                table.c.order_id if "order_id" in table.c else table.c.clock_id if "clock_id" in table.c else table.c.id
            )
            query = (
                select(*plain)
                .where(owner.between(at, at + STEP - 1))
                .order_by(table.c.id if "id" in table.c else owner)
            )
            side.append((table.name, [tuple(row) for row in connection.execute(query)]))
    return told


async def _works(url: str, now: datetime) -> None:
    """Departments go on with an old work order, and the clocks give the cards that are due."""
    database = await Database.open(url)
    try:
        await _on_the_last(database, now)
    finally:
        await database.close()


async def _on_the_last(database: Database, now: datetime) -> None:
    desk = await Desk.open(database, now)
    async with database.read() as conn:
        row = (await conn.execute(select(customer_order).order_by(customer_order.c.id.desc()).limit(1))).one()
        order = await store.get(conn, desk["2001"], row.public_id, now + timedelta(hours=23))
    assert order.state == "in_process"
    case = Case(desk, Change("", row.public_id, row.version, now, {}))
    case.at_h = 23
    await case.on_work("city.billing", "8002", work.accept)
    async with database.write() as conn:
        assert await cards.fire(conn, now + timedelta(hours=25))
