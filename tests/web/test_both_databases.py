"""What the web keeps for itself behaves alike on SQLite and PostgreSQL."""

import asyncio
from datetime import datetime, timedelta

import pytest

from cti.web.idempotency import Kept, Key, claim, keep, read_key
from cti.web.pop_latency import Latencies, Painting
from ticketing.db import Database
from ticketing.errors import Invalid


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


KEY = Key(1, "k1", "orders.create", "d" * 64)


async def test_a_key_is_claimed_by_one_of_many(database: Database, now: datetime) -> None:
    async def create(number: int) -> str | None:
        async with database.write() as conn:
            kept = await claim(conn, KEY, now)
            if kept is not None:
                return kept.answer
            await keep(conn, KEY, 201, f"made by {number}".encode())
            return None

    answers = await asyncio.gather(*(create(number) for number in range(10)))
    assert answers.count(None) == 1
    assert {answer for answer in answers if answer} == {f"made by {answers.index(None)}"}


async def test_a_key_rolled_back_is_free_and_an_old_one_too(database: Database, now: datetime) -> None:
    async def fail() -> None:
        async with database.write() as conn:
            assert await claim(conn, KEY, now) is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.write() as conn:
        assert await claim(conn, KEY, now) is None
        await keep(conn, KEY, 201, b"first")
    async with database.write() as conn:
        assert await claim(conn, KEY, now + timedelta(hours=23)) == Kept(201, "first")
        assert await claim(conn, KEY, now + timedelta(hours=25)) is None


async def test_a_key_answers_only_its_own_request(database: Database, now: datetime) -> None:
    first = read_key("k2", staff_id=1, route="orders.create", raw=b"{}")
    other = read_key("k2", staff_id=1, route="orders.create", raw=b"{ }")
    anothers = read_key("k2", staff_id=2, route="orders.create", raw=b"{ }")
    async with database.write() as conn:
        assert await claim(conn, first, now) is None
        await keep(conn, first, 201, b"x")
        assert await claim(conn, anothers, now) is None
    async with database.write() as conn:
        with pytest.raises(Invalid):
            await claim(conn, other, now)
    async with database.write() as conn:
        assert await claim(conn, None, now) is None


async def test_the_first_painting_of_a_pop_counts(database: Database, now: datetime) -> None:
    latencies = Latencies(database)
    assert list(await latencies.values()) == []
    for took in (5.0, 7.0):
        await latencies.add(Painting("c1", "1001", now, now, took, "page"))
    await latencies.add(Painting("c1", "1002", now, now, 9.0, "page"))
    assert list(await latencies.values()) == [5.0, 9.0]
    assert list(await Latencies(database).values()) == [5.0, 9.0]
