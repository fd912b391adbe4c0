"""One trip to the driver's thread for each statement, and nothing else is different."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import Database

THING = Table("thing", MetaData(), Column("id", Integer, primary_key=True), Column("name", String, unique=True))


@pytest.fixture
async def conn(database: Database) -> Any:
    """A transaction on a table of its own."""
    async with database.write() as conn:
        await conn.run_sync(THING.metadata.create_all)
        yield conn


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def test_a_statement_is_one_trip(conn: AsyncConnection) -> None:
    """Counted where the driver hands its work to its thread."""
    driver: Any = (await conn.get_raw_connection()).driver_connection
    trips = []
    before = driver._execute

    async def counted(function: Any, *given: Any, **named: Any) -> Any:
        trips.append(function)
        return await before(function, *given, **named)

    driver._execute = counted
    try:
        made = await conn.execute(insert(THING).values(name="一").returning(THING.c.id, THING.c.name))
        assert made.all() == [(1, "一")]
        await conn.execute(insert(THING), [{"name": "二"}, {"name": "三"}])
        assert (await conn.execute(update(THING).values(name=THING.c.name + "x"))).rowcount == 3
        assert (await conn.scalars(select(THING.c.name).order_by(THING.c.id))).all() == ["一x", "二x", "三x"]
        assert (await conn.execute(select(THING).where(THING.c.id == 9))).first() is None
        assert (await conn.execute(insert(THING).values(name="四"))).inserted_primary_key == (4,)
    finally:
        driver._execute = before
    assert len(trips) == 6


async def test_many_rows_with_what_they_were_given(conn: AsyncConnection) -> None:
    rows = [{"name": f"n{at}"} for at in range(1500)]
    made = await conn.execute(insert(THING).returning(THING.c.id, sort_by_parameter_order=True), rows)
    assert made.scalars().all() == list(range(1, 1501))
    found = await conn.execute(select(THING.c.id).order_by(THING.c.id))
    assert [row.id for row in found.fetchmany(3)] == [1, 2, 3]
    one = found.fetchone()
    assert one is not None
    assert one.id == 4
    assert len(found.all()) == 1496
    async with conn.stream(select(THING.c.id).order_by(THING.c.id)) as streamed:
        assert [row.id async for row in streamed] == list(range(1, 1501))


async def test_an_error_is_told_and_the_transaction_goes_on(conn: AsyncConnection) -> None:
    await conn.execute(insert(THING).values(name="一"))
    for _ in range(3):
        with pytest.raises(IntegrityError):
            async with conn.begin_nested():
                await conn.execute(insert(THING).values(name="一"))
    with pytest.raises(IntegrityError):
        async with conn.begin_nested():
            await conn.execute(insert(THING), [{"name": "二"}, {"name": "一"}])
    assert (await conn.scalars(select(THING.c.name))).all() == ["一"]


async def test_who_is_cancelled_leaves_a_database_that_works(database: Database) -> None:
    """The statement ends in its thread; the connection is not used again half-way."""
    slow = text(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000) SELECT max(x) FROM n"
    )

    async def looks() -> None:
        async with database.read() as conn:
            await conn.execute(slow)

    for _ in range(3):
        looking = asyncio.create_task(looks())
        await asyncio.sleep(0.01)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
    async with database.write() as conn:
        await conn.run_sync(THING.metadata.create_all)
        await conn.execute(insert(THING).values(name="一"))
    async with database.read() as conn:
        assert (await conn.scalars(select(THING.c.name))).all() == ["一"]


async def test_a_look_is_two_trips(database: Database) -> None:
    """The beginning goes with the statement; of what has been ended nothing is rolled back."""
    async with database.write() as conn:
        await conn.run_sync(THING.metadata.create_all)
    async with database.read() as conn:
        driver: Any = (await conn.get_raw_connection()).driver_connection
        await conn.execute(select(THING))
        assert driver.in_transaction
    trips = []
    before = driver._execute

    async def counted(function: Any, *given: Any, **named: Any) -> Any:
        trips.append(function)
        return await before(function, *given, **named)

    driver._execute = counted
    try:
        async with database.read() as conn:
            again: Any = (await conn.get_raw_connection()).driver_connection
            assert again is driver
            assert (await conn.execute(select(THING))).all() == []
        async with database.read() as conn:
            pass  # nothing was asked: nothing happens
    finally:
        driver._execute = before
    assert len(trips) == 2
    assert not driver.in_transaction


async def test_a_view_stays_as_it_was_at_its_first_look(database: Database) -> None:
    async with database.write() as conn:
        await conn.run_sync(THING.metadata.create_all)
    async with database.read() as looking:
        assert (await looking.execute(select(THING))).all() == []
        async with database.write() as conn:
            await conn.execute(insert(THING).values(name="一"))
        assert (await looking.execute(select(THING))).all() == []
        async with looking.stream(select(THING.c.id)) as streamed:
            assert [row async for row in streamed] == []
    async with database.read() as looking, looking.stream(select(THING.c.name)) as streamed:
        assert [row.name async for row in streamed] == ["一"]
