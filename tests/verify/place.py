"""A whole installation after some days of calls, made by the product's own actions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti import store
from cti.app import load_basics
from cti.calls.model import CallRecord, Leg, Outcome
from cti.tables import call
from cti.verify.model import Place
from recordings.library import Library
from tests.recordings.conftest import Spool, tone, wav_file
from ticketing import audit
from ticketing.callbacks import actions as callbacks
from ticketing.callbacks import dialling, policy
from ticketing.callbacks.model import Fact, NewBooking, Verb
from ticketing.callbacks.model import Outcome as Tried
from ticketing.callbacks.tables import callback
from ticketing.clocks.tables import clock
from ticketing.db import Database
from ticketing.intake import actions as intake
from ticketing.intake.model import NewMessage
from ticketing.intake.tables import intake_item
from ticketing.orders import actions as orders
from ticketing.orders import cards
from ticketing.orders.inputs import DraftFromCall
from ticketing.orders.tables import customer_order
from ticketing.roles import SYSTEM
from ticketing.sealing import Sealer

KEY: Final = b"a" * 32
#: orders, items and bookings made: every planted violation has a subject of its own
MANY: Final = 13
HOUR: Final = timedelta(hours=1)


@dataclass
class Town:
    """The installation, and who is still untouched in it."""

    database: Database
    home: Path
    now: datetime
    running: bool = False
    #: by kind: what a planted violation may be done to
    free: dict[str, Iterator[Any]] = field(default_factory=dict)

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    @property
    def voices(self) -> Path:
        return self.home / "recordings"

    @property
    def queue_log(self) -> Path:
        return self.home / "queue_log"

    @property
    def channel_log(self) -> Path:
        return self.home / "hotline.csv"

    @property
    def anchors(self) -> Path:
        return self.home / "audit-anchors.txt"

    def place(self) -> Place:
        """What the checker is given."""
        return Place(
            database=self.database,
            spool=self.spool,
            recordings=self.voices,
            queue_logs=(self.queue_log,),
            channel_logs=(self.channel_log,),
            audit_key=KEY,
            anchors=self.anchors,
            policy=policy.shipped(),
            now=self.now,
            live=frozenset({"live.1"}),
            running=self.running,
        )

    def next(self, kind: str) -> Any:
        """One that nothing was done to."""
        return next(self.free[kind])

    async def number_of_an_open_booking(self) -> str:
        """As the network tells it."""
        async with self.database.read() as conn:
            found = await conn.scalar(select(callback.c.number).where(callback.c.ended_at.is_(None)).limit(1))
        return str(found).removeprefix("+86")

    async def set(self, table: Table, where: Any, **values: Any) -> None:
        """Changes rows past the product."""
        async with self.database.write() as conn:
            done = await conn.execute(update(table).where(where).values(**values))
            assert done.rowcount == 1, f"{table.name}: {done.rowcount} rows"

    async def drop(self, table: Table, where: Any) -> None:
        """Removes a row past the product."""
        async with self.database.write() as conn:
            done = await conn.execute(table.delete().where(where))
            assert done.rowcount == 1, f"{table.name}: {done.rowcount} rows"

    async def add(self, table: Table, **values: Any) -> None:
        """Writes a row past the product."""
        async with self.database.write() as conn:
            await conn.execute(insert(table).values(**values))

    async def unchecked(self, table: Table) -> None:
        """Lets the table take what its constraints refuse: what a restored dump or a hand at the prompt leaves."""
        async with self.database.write() as conn:
            if self.database.dialect == "sqlite":
                await conn.execute(text("PRAGMA ignore_check_constraints=ON"))
                return
            names = await conn.scalars(
                text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = CAST(:name AS regclass)"),
                {"name": table.name},
            )
            for name in names.all():
                await conn.execute(text(f'ALTER TABLE {table.name} DROP CONSTRAINT "{name}"'))

    def sidecar(self, name: str, said: str, *, sound: bool = True) -> None:
        """Something that waits in the spool since a while."""
        path = self.spool / name
        path.write_text(said, encoding="utf-8")
        if sound:
            path.with_name(name.partition(".")[0] + ".wav").write_bytes(wav_file(tone(3.0)))
        old = (self.now - HOUR).timestamp()
        os.utime(path, (old, old))


def call_id(number: int) -> str:
    """Id of a call of that town."""
    return f"20260309080000-{number:012d}"


async def found_town(database: Database, home: Path, now: datetime) -> Town:
    """Founds it: sample operator, orders from calls with voices, messages, callbacks with attempts, a sealed log."""
    town = Town(database, home, now)
    for folder in (town.spool, town.voices):
        folder.mkdir()
    await load_basics(database, sample=True, now=now)
    library = Library(database, town.spool, town.voices, b"k" * 32, audit.QueryLog(database))
    start = now - timedelta(days=1)
    for number in range(MANY):
        await _answered(town, library, call_id(number), start)
        await _left_message(town, library, call_id(100 + number), start)
    for number in range(MANY):
        await _called_back(town, number, start)
    async with database.write() as conn:
        assert await cards.fire(conn, now)  # of the sample's overdue orders: told, and no change of them
    await _sealed(town)
    town.queue_log.write_text(
        f"{start.timestamp():.0f}|NONE|NONE|NONE|QUEUESTART|\n"
        + "".join(f"{start.timestamp():.0f}|{call_id(n)}.1|complaint|NONE|ENTERQUEUE||1380|1\n" for n in range(MANY))
    )
    town.channel_log.write_text("")
    async with database.read() as conn:
        await _list(town, conn)
    return town


async def _list(town: Town, conn: AsyncConnection) -> None:
    async def of(table: Table, *where: Any) -> Iterator[Any]:
        return iter((await conn.execute(select(table).where(*where).order_by(table.c.id))).all())

    town.free = {
        "order": await of(customer_order, customer_order.c.call_id.like("2026%")),
        "item": await of(intake_item),
        "callback": await of(callback, callback.c.state == "pending"),
        "connected": await of(callback, callback.c.state == "connected"),
        "call": await of(call, call.c.answered_at.is_not(None)),
        "clock": await of(clock, clock.c.stopped_at.is_(None), clock.c.code == "K6"),
        "carded": await of(
            clock, clock.c.next_card_at.is_not(None), clock.c.stopped_at.is_(None), clock.c.code == "K10"
        ),
        "limit": await of(customer_order, customer_order.c.due_at.is_not(None)),
        "stopped": await of(clock, clock.c.outcome == "met"),
    }


def record(number: str, start: datetime, **changes: Any) -> CallRecord:
    """A closed call."""
    said: dict[str, Any] = {
        "entered_at": start, "ended_at": start + timedelta(seconds=30), "end_reason": "caller", "end_step": "talked",
        "legs": (Leg(uniqueid=f"{number}.1", ended_at=start + timedelta(seconds=30)),), "version": 9,
    }  # fmt: skip
    return CallRecord(call_id=number, **said | changes)


async def _answered(town: Town, library: Library, number: str, start: datetime) -> None:
    given = DraftFromCall(
        call_id=number, agent_number="1001", caller_number="+8613800138000", dnis="1860", answered_at=start
    )
    answered = record(number, start, outcome=Outcome.ANSWERED, answered_at=start, answered_by="1001")
    async with town.database.write() as conn:
        await store.save_calls(conn, [answered])
        await orders.draft_at_answer(conn, SYSTEM, given, start)
    Spool(town.spool).call(3.0, number)
    await library.register(number, expected_seconds=3.0, now=start, patience_s=0)


async def _left_message(town: Town, library: Library, number: str, start: datetime) -> None:
    key = f"{number}-msg-1"
    (town.spool / f"{key}.wav").write_bytes(wav_file(tone(3.0)))
    said = NewMessage(number, f"{key}.wav", "13900139000", "1860", "zh", "complaint", 3.0, "confirmed", start)
    left = record(number, start, outcome=Outcome.LEFT_RECORDING, end_step="recorded")
    async with town.database.write() as conn:
        await store.save_calls(conn, [left])
        await intake.take(conn, SYSTEM, said, start)
    await library.register(key, expected_seconds=3.0, now=start, patience_s=0)


async def _called_back(town: Town, number: int, start: datetime) -> None:
    """Booked in a call, tried once in vain; each fifth is reached by a second attempt."""
    rules, booked_in = policy.shipped(), call_id(200 + number)
    wish = NewBooking(f"137{number:08d}", "complaint", "asap", "zh", 0, start, booked_in, "1860")
    asked = record(booked_in, start, outcome=Outcome.BOOKED_CALLBACK, end_step="booked")
    async with town.database.write() as conn:
        await store.save_calls(conn, [asked])
        public_id = (await callbacks.book(conn, SYSTEM, wish, rules, start)).subject_id
        key = await conn.scalar(select(callback.c.id).where(callback.c.public_id == public_id))
    assert key is not None
    for at, what in ((start, Verb.MISS), (start + HOUR, Verb.CONNECT))[: 2 if number % 5 == 4 else 1]:
        async with town.database.write() as conn:
            claim = await dialling.claim(conn, key, "dialler", rules, at)
            assert claim is not None
            await dialling.reserve(conn, claim, "1001", at)
            dial = await dialling.dial(conn, claim, rules, at)
            outcome = Tried.BUSY if what is Verb.MISS else None
            fact = Fact(dial.channel_id, what, at, agent="1001", outcome=outcome)
            assert await dialling.hear(conn, fact, rules, at)
            if what is Verb.CONNECT:
                reached = record(dial.call_id, at, outcome=Outcome.ANSWERED, answered_at=at, reason="callback")
                await store.save_calls(conn, [reached])
        if what is Verb.CONNECT:
            Spool(town.spool).call(3.0, dial.call_id)
            library = Library(town.database, town.spool, town.voices, b"k" * 32, audit.QueryLog(town.database))
            await library.register(dial.call_id, expected_seconds=3.0, now=at, patience_s=0)


async def _sealed(town: Town) -> None:
    """Sealed on two days, so that there is an anchor outside, and rows of persons at the end of the log."""
    sealer = Sealer(KEY, town.anchors)
    await sealer.seal_now(town.database, town.now - 2 * HOUR - timedelta(days=1))
    async with town.database.write() as conn:
        for number in range(6):
            await audit.record(conn, SYSTEM, "staff.signed_in", "staff", f"100{number}", {}, town.now - HOUR)
    await sealer.seal_now(town.database, town.now - HOUR)
