"""Messages leave after the commit, in order of their key, and none is lost to a failing receiver."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from ticketing import outbox
from ticketing.db import Database
from ticketing.outbox import Courier, Message, wait_before

SECOND = timedelta(seconds=1)


class Listener:
    """Keeps what it got; refuses the payloads it was told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, object]] = []
        self.refuses: set[object] = set()
        self.hangs: set[object] = set()

    async def deliver(self, message: Message) -> None:
        number = message.payload["n"]
        if number in self.hangs:
            await asyncio.Event().wait()
        if number in self.refuses:
            raise ConnectionError("refused")
        self.got.append((message.key, number))


def courier(database: Database, listener: Listener, name: str = "one") -> Courier:
    return Courier(database, {"sms": listener}, name=name, jitter=lambda: 0.0, timeout_s=0.05)


async def put(database: Database, now: datetime, *messages: tuple[str, int]) -> None:
    async with database.write() as conn:
        for key, number in messages:
            await outbox.put(conn, "sms", key, {"n": number}, now)


async def states(database: Database) -> list[str]:
    async with database.read() as conn:
        return list((await conn.execute(select(outbox.outbox.c.state).order_by(outbox.outbox.c.id))).scalars())


async def test_messages_of_a_key_arrive_in_order_and_once(database: Database, now: datetime) -> None:
    listener = Listener()
    await put(database, now, ("a", 1), ("b", 2), ("a", 3), ("a", 4))
    mail = courier(database, listener)
    assert [await mail.drain(now) for _ in range(4)] == [2, 1, 1, 0]
    assert [number for key, number in listener.got if key == "a"] == [1, 3, 4]
    assert await states(database) == ["sent"] * 4


async def test_a_rolled_back_change_sends_nothing(database: Database, now: datetime) -> None:
    async def fail() -> None:
        async with database.write() as conn:
            await outbox.put(conn, "sms", "a", {"n": 1}, now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await courier(database, Listener()).drain(now) == 0


async def test_a_failing_message_waits_and_holds_back_its_own_key_only(database: Database, now: datetime) -> None:
    listener = Listener()
    listener.refuses = {1}
    listener.hangs = {5}
    await put(database, now, ("a", 1), ("a", 2), ("b", 3), ("c", 5))
    mail = courier(database, listener)
    assert await mail.drain(now) == 3
    assert await mail.drain(now) == 0
    assert listener.got == [("b", 3)]
    listener.refuses, listener.hangs = set(), set()
    assert await mail.drain(now + SECOND) == 2
    assert await mail.drain(now + SECOND) == 1
    assert sorted(listener.got, key=str) == [("a", 1), ("a", 2), ("b", 3), ("c", 5)]


async def test_after_a_day_a_message_is_dead_and_the_next_goes_on(database: Database, now: datetime) -> None:
    listener = Listener()
    listener.refuses = {1}
    await put(database, now, ("a", 1), ("a", 2))
    mail = courier(database, listener)
    assert await mail.drain(now + timedelta(hours=25)) == 1
    assert await mail.drain(now + timedelta(hours=25)) == 1
    assert await states(database) == ["dead", "sent"]


async def test_a_crashed_courier_frees_its_claim(database: Database, now: datetime) -> None:
    listener = Listener()
    await put(database, now, ("a", 1))
    async with database.write() as conn:
        assert len(await courier(database, listener, "crashed")._claim(conn, now, 10)) == 1
    other = courier(database, listener, "other")
    assert await other.drain(now + 59 * SECOND) == 0
    assert await other.drain(now + 60 * SECOND) == 1


async def test_two_couriers_deliver_each_message_once(database: Database, now: datetime) -> None:
    listener = Listener()
    await put(database, now, *((f"k{each}", each) for each in range(40)))
    second = await Database.open(database.url, busy_ms=10_000)
    await asyncio.gather(courier(database, listener).drain(now), courier(second, listener, "two").drain(now))
    await second.close()
    assert len(listener.got) == 40


async def test_topics_without_receiver_wait(database: Database, now: datetime) -> None:
    await put(database, now, ("a", 1))
    assert await Courier(database, {}, name="none").drain(now) == 0
    assert await states(database) == ["pending"]


def test_waits_double_from_a_second_to_an_hour() -> None:
    assert [wait_before(attempt, 0.0).total_seconds() for attempt in (1, 2, 3, 12, 13, 60)] == [
        1,
        2,
        4,
        2048,
        3600,
        3600,
    ]
    assert wait_before(3, 1.0) == timedelta(seconds=2)
