"""A transaction in one trip keeps every promise of one that comes back between its statements, on both databases."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, CursorResult, Integer, MetaData, String, Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import Database, for_update
from ticketing.errors import Unavailable
from ticketing.whole import drive

own = MetaData()
thing = Table(
    "thing_w", own, Column("id", Integer, primary_key=True), Column("name", String, unique=True), Column("n", Integer)
)


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.write() as conn:
        await conn.run_sync(own.create_all)
        await conn.execute(insert(thing).values(name="一", n=0))
    return database


async def names(db: Database) -> list[str]:
    """What is committed."""
    return await db.read_whole(_names)


async def _names(conn: AsyncConnection) -> list[str]:
    return [str(name) for name in await conn.scalars(select(thing.c.name).order_by(thing.c.id))]


async def _add_one(conn: AsyncConnection) -> None:
    value = (await conn.execute(for_update(select(thing.c.n).where(thing.c.id == 1)))).scalar_one()
    await conn.execute(update(thing).where(thing.c.id == 1).values(n=value + 1))


async def test_what_it_returns_and_writes(db: Database) -> None:
    async def add(conn: AsyncConnection) -> int:
        made = await conn.execute(insert(thing).values(name="二", n=2).returning(thing.c.id))
        await conn.execute(insert(thing), [{"name": "三", "n": 3}, {"name": "四", "n": 4}])
        return int(made.scalar_one())

    assert await db.write_whole(add) == 2
    assert await names(db) == ["一", "二", "三", "四"]


async def test_rows_are_as_they_were_when_they_were_asked_for(db: Database) -> None:
    """Also when others are written between them, and when they are read after the transaction."""

    async def copy(conn: AsyncConnection) -> CursorResult[Any]:
        for row in await conn.execute(select(thing.c.id)):
            await conn.execute(insert(thing), [{"name": f"{row.id}.{each}"} for each in range(300)])
        return await conn.execute(select(thing.c.name).order_by(thing.c.id))

    found = await db.write_whole(copy)
    await db.write_whole(lambda conn: conn.execute(delete(thing)))
    assert [row.name for row in found][:2] == ["一", "1.0"]
    assert await names(db) == []


async def test_an_error_rolls_back(db: Database) -> None:
    async def fail(conn: AsyncConnection) -> None:
        await conn.execute(insert(thing).values(name="二"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.write_whole(fail)
    assert await names(db) == ["一"]


async def test_a_part_is_rolled_back_alone(db: Database) -> None:
    async def twice(conn: AsyncConnection) -> None:
        await conn.execute(insert(thing).values(name="二"))
        with pytest.raises(IntegrityError):
            async with conn.begin_nested():
                await conn.execute(insert(thing).values(name="一"))

    await db.write_whole(twice)
    assert await names(db) == ["一", "二"]


async def test_writers_of_both_kinds_lose_no_update(db: Database) -> None:
    async def in_parts() -> None:
        for _ in range(25):
            async with db.write() as conn:
                await _add_one(conn)

    async def whole() -> None:
        for _ in range(25):
            await db.write_whole(_add_one)

    await asyncio.gather(in_parts(), whole(), in_parts(), whole())
    async with db.read() as conn:
        assert await conn.scalar(select(thing.c.n)) == 100


async def test_a_reader_cannot_write(db: Database) -> None:
    with pytest.raises(DBAPIError):
        await db.read_whole(_add_one)


async def test_a_held_lock_is_waited_for_within_a_bound(db: Database) -> None:
    other = await Database.open(db.url, busy_ms=50)
    async with db.write() as conn:
        await _add_one(conn)
        with pytest.raises(Unavailable) as caught:
            await other.write_whole(_add_one)
    assert caught.value.code == "database_busy"
    await other.close()


async def test_a_write_inside_a_write_is_told_instead_of_waiting_for_itself(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/a.db")
    async with database.write():
        with pytest.raises(RuntimeError, match="hand its connection on"):
            await database.write_whole(_names)
    await database.close()


async def test_who_waits_for_anything_else_is_told(tmp_path: Path) -> None:
    """It would wait in a thread that has no event loop."""
    database = await Database.open(f"sqlite:///{tmp_path}/a.db")
    async with database.write() as conn:
        await conn.run_sync(own.create_all)

    async def dawdles(conn: AsyncConnection) -> None:
        await conn.execute(insert(thing).values(name="一"))
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="nothing but its connection"):
        await database.write_whole(dawdles)
    assert await names(database) == []
    await database.close()


async def test_it_runs_in_one_thread_and_the_loop_goes_on(tmp_path: Path) -> None:
    """While a statement is at work everything else has its turn."""
    database = await Database.open(f"sqlite:///{tmp_path}/a.db")
    begun, may_end = threading.Event(), threading.Event()

    async def slow(conn: AsyncConnection) -> str:
        await conn.execute(text("SELECT 1"))
        begun.set()
        assert may_end.wait(30)
        return threading.current_thread().name

    waiting = asyncio.create_task(database.read_whole(slow))
    assert await asyncio.to_thread(begun.wait, 30)
    may_end.set()
    assert (await waiting).startswith("whole")
    await database.close()


async def test_who_is_cancelled_leaves_nothing_and_frees_the_turn(tmp_path: Path) -> None:
    """The turn is free when the thread is through, not before."""
    database = await Database.open(f"sqlite:///{tmp_path}/a.db")
    async with database.write() as conn:
        await conn.run_sync(own.create_all)
    begun, may_end = threading.Event(), threading.Event()
    unheard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(str(told)))

    async def slow(conn: AsyncConnection) -> None:
        await conn.execute(insert(thing).values(name="一"))
        begun.set()
        assert may_end.wait(30)

    waiting = asyncio.create_task(database.write_whole(slow))
    assert await asyncio.to_thread(begun.wait, 30)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting  # at once: the caller has a limit of his own
    next_one = asyncio.create_task(database.write_whole(lambda conn: conn.execute(insert(thing).values(name="二"))))
    await asyncio.sleep(0)
    assert not next_one.done()
    may_end.set()
    await next_one
    assert await names(database) == ["二"]
    await database.close()
    gc.collect()
    assert unheard == []


def test_a_coroutine_that_waits_for_nothing_has_its_result() -> None:
    async def seven() -> int:
        return 7

    assert drive(seven()) == 7
