"""The write path's contract, the same on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.pool import AsyncAdaptedQueuePool

from tests.absent import missing
from tests.postgresql import Cluster, NoServer
from ticketing.db import Database, Json, UtcDateTime, async_url, for_update
from ticketing.errors import Invalid, Unavailable

own = MetaData()
counter = Table("counter_t", own, Column("id", Integer, primary_key=True), Column("value", Integer, nullable=False))
moment = Table("moment_t", own, Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("doc", Json))


@pytest.fixture
async def db(database: Database) -> Database:
    async with database.write() as conn:
        await conn.run_sync(own.create_all)
        await conn.execute(insert(counter).values(id=1, value=0))
    return database


async def test_read_then_write_by_four_tasks_loses_no_update(db: Database) -> None:
    async def add_fifty() -> None:
        for _ in range(50):
            async with db.write() as conn:
                value = (await conn.execute(for_update(select(counter.c.value)))).scalar_one()
                await asyncio.sleep(0)
                await conn.execute(update(counter).values(value=value + 1))

    await asyncio.gather(*(add_fifty() for _ in range(4)))
    async with db.read() as conn:
        assert (await conn.execute(select(counter.c.value))).scalar_one() == 200


async def test_two_processes_lose_no_update(db: Database) -> None:
    other = await Database.open(db.url, busy_ms=20_000)
    mine = await Database.open(db.url, busy_ms=20_000)

    async def add(database: Database) -> None:
        for _ in range(25):
            async with database.write() as conn:
                value = (await conn.execute(for_update(select(counter.c.value)))).scalar_one()
                await asyncio.sleep(0)
                await conn.execute(update(counter).values(value=value + 1))

    await asyncio.gather(add(mine), add(other))
    await other.close()
    await mine.close()
    async with db.read() as conn:
        assert (await conn.execute(select(counter.c.value))).scalar_one() == 50


async def test_an_error_in_the_block_rolls_back(db: Database) -> None:
    async def fail() -> None:
        async with db.write() as conn:
            await conn.execute(update(counter).values(value=9))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with db.read() as conn:
        assert (await conn.execute(select(counter.c.value))).scalar_one() == 0


async def test_cancelled_writer_leaves_nothing_and_frees_the_turn(db: Database) -> None:
    entered = asyncio.Event()

    async def hang() -> None:
        async with db.write() as conn:
            await conn.execute(update(counter).values(value=9))
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db.write() as conn:
        assert (await conn.execute(select(counter.c.value))).scalar_one() == 0


async def test_a_write_inside_a_write_is_told_instead_of_waiting_for_itself(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/a.db")
    async with database.write():
        with pytest.raises(RuntimeError, match="hand its connection on"):
            async with database.write():
                pass
    async with database.write():
        pass
    await database.close()


async def test_readers_do_not_wait_for_a_writer_and_see_what_is_committed(db: Database) -> None:
    async with db.write() as conn:
        await conn.execute(update(counter).values(value=5))
        async with db.read() as reader:
            assert (await reader.execute(select(counter.c.value))).scalar_one() == 0
    async with db.read() as reader:
        assert (await reader.execute(select(counter.c.value))).scalar_one() == 5


async def test_a_reader_cannot_write(db: Database) -> None:
    with pytest.raises(DBAPIError):
        async with db.read() as conn:
            await conn.execute(update(counter).values(value=5))


async def test_a_held_lock_is_waited_for_within_a_bound(db: Database) -> None:
    other = await Database.open(db.url, busy_ms=50)
    async with db.write() as conn:
        await conn.execute(for_update(select(counter.c.value)))
        with pytest.raises(Unavailable) as caught:
            async with other.write() as late:
                await late.execute(update(counter).values(value=5))
    assert caught.value.code == "database_busy"
    await other.close()


async def test_times_come_back_aware_in_utc_with_microseconds(db: Database) -> None:
    beijing = datetime(2026, 3, 10, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    async with db.write() as conn:
        await conn.execute(insert(moment).values(id=1, at=beijing, doc={"姓名": "张伟"}))
        row = (await conn.execute(select(moment))).one()
    assert row.at == beijing
    assert row.at.tzinfo is UTC
    assert row.doc == {"姓名": "张伟"}


async def test_naive_time_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        async with db.write() as conn:
            await conn.execute(insert(moment).values(id=1, at=datetime(2026, 3, 10)))  # noqa: DTZ001 - the bad input


async def test_foreign_keys_hold(db: Database) -> None:
    async with db.write() as conn:
        await conn.execute(text("CREATE TABLE child_t (of integer REFERENCES counter_t(id))"))
    with pytest.raises(IntegrityError):
        async with db.write() as conn:
            await conn.execute(text("INSERT INTO child_t VALUES (77)"))


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://h/d", "::", "postgresq1://x"])
def test_bad_addresses_are_named(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        async_url(url)
    assert caught.value.code == "bad_database_url"


async def test_no_server_is_unavailable() -> None:
    with pytest.raises(Unavailable) as caught:
        await Database.open("postgresql://hotline@127.0.0.1:1/none")
    assert caught.value.code == "database_down"


async def test_a_server_whose_socket_is_gone_is_unavailable(tmp_path: Path) -> None:
    """A server that has died takes its socket away with it: that is the same as a refused connection (F09)."""
    with pytest.raises(Unavailable) as caught:
        await Database.open(f"postgresql://hotline@/none?host={tmp_path}")
    assert caught.value.code == "database_down"


@pytest.mark.postgresql
@pytest.mark.req("F09")
async def test_a_server_that_dies_and_comes_back_is_unavailable_meanwhile() -> None:
    """Its sessions, its socket, and its time of recovery: nothing but Unavailable, and then it works again."""
    with own_cluster() as cluster, cluster.fresh(template=None) as url:
        database = await Database.open(url)
        await asyncio.to_thread(cluster.crash)
        for use in (database.read, database.write):
            with pytest.raises(Unavailable) as caught:
                async with use() as conn:
                    await conn.execute(text("SELECT 1"))
            assert caught.value.code == "database_down"
        await asyncio.to_thread(cluster.again)
        async with database.write() as conn:
            assert (await conn.execute(text("SELECT 1"))).scalar_one() == 1
        await database.close()


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """A server that this test may kill."""
    try:
        with Cluster.start() as running:
            yield running
    except NoServer as reason:
        missing(str(reason))


async def test_sqlite_is_durable_by_settings(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/a.db")
    async with database.write() as conn:
        found = [
            (await conn.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    await database.close()
    assert found == ["wal", 2, 1, 1000]


async def test_a_full_disk_is_named_and_leaves_what_was(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/a.db")
    async with database.write() as conn:
        await conn.run_sync(own.create_all)
        await conn.exec_driver_sql("PRAGMA max_page_count=8")
    with pytest.raises(Unavailable) as caught:
        async with database.write() as conn:
            await conn.execute(insert(moment), [{"id": each, "doc": "x" * 4000} for each in range(20)])
    assert caught.value.code == "database_full"
    async with database.write() as conn:
        await conn.execute(insert(counter).values(id=1, value=0))
        assert (await conn.execute(select(moment))).first() is None
    await database.close()


@pytest.mark.postgresql
@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_lost_connection_is_unavailable_and_the_next_write_works(db: Database) -> None:
    other = await Database.open(db.url)

    async def lose() -> None:
        async with db.write() as conn:
            mine = (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with other.write() as killer:
                await killer.execute(text(f"SELECT pg_terminate_backend({mine})"))
            await conn.execute(update(counter).values(value=9))

    with pytest.raises(Unavailable) as caught:
        await lose()
    assert caught.value.code == "database_down"
    await other.close()
    async with db.write() as conn:
        assert (await conn.execute(select(counter.c.value))).scalar_one() == 0


@pytest.mark.postgresql
@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_server_that_lets_nobody_in_is_unavailable(db: Database) -> None:
    """No such database, and no connection left: what lives beside it waits and does not end."""
    with pytest.raises(Unavailable) as caught:
        await Database.open(make_url(db.url).set(database="none").render_as_string())
    assert caught.value.code == "database_down"
    assert "does not exist" in str(caught.value.details["cause"])
    async with AsyncExitStack() as held:
        with pytest.raises(Unavailable) as caught:
            await _crowd(db.url, held)
    assert caught.value.code == "database_down"
    assert "too many" in str(caught.value.details["cause"])
    async with db.read() as conn:
        assert (await conn.execute(select(counter.c.value))).scalar_one() == 0


async def _crowd(url: str, held: AsyncExitStack) -> None:
    """Takes more connections than the server has."""
    for _ in range(7):
        other = await Database.open(url)
        held.push_async_callback(other.close)
        for _ in range(10):
            await held.enter_async_context(other.read())


async def test_a_pool_without_a_free_connection_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/a.db")
    pool = database._reader.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    monkeypatch.setattr(pool, "_timeout", 0.05)
    async with AsyncExitStack() as held:
        for _ in range(pool.size()):
            await held.enter_async_context(database.read())
        with pytest.raises(Unavailable) as caught:
            async with database.read():
                pass
    assert caught.value.code == "database_busy"
    await database.close()
