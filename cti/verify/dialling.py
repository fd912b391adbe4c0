"""N3: attempts are numbered without gaps and dialled at most once each; no callback is forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.ami.journals import cel_row
from cti.verify.model import SETTLES, Found, Place, Rule, Violation, rows, scratch
from ticketing.callbacks.model import HELD, IN_FLIGHT, LISTED, State
from ticketing.callbacks.tables import callback, callback_attempt
from ticketing.staff.tables import staff

_ATTEMPT: Final = "cb-"
_AGENT_HALF: Final = "-a"


async def check(place: Place) -> Found:
    """Attempts against their booking, bookings against their lease and owner, and what Asterisk says it dialled."""
    async with place.database.read() as conn:
        async for found in _attempts(conn):
            yield found
        async for found in _bookings(conn, place):
            yield found
        if place.channel_logs:
            with scratch("CREATE TABLE attempt (channel TEXT PRIMARY KEY, born INTEGER) WITHOUT ROWID") as index:
                async for row in rows(conn, select(callback_attempt.c.channel_id)):
                    index.execute("INSERT INTO attempt VALUES (?, 0)", (row.channel_id,))
                for found in _dialled(place, index):
                    yield found


def _violation(serial: str, says: str, remedy: str) -> Violation:
    return Violation(Rule.N3, f"callback {serial}", says, remedy)


async def _attempts(conn: AsyncConnection) -> Found:
    columns = (callback.c.id, callback.c.serial, callback.c.state, callback.c.attempts)
    tried = (callback_attempt.c.n, callback_attempt.c.state.label("tried"), callback_attempt.c.ended_at)
    query = select(*columns, *tried).outerjoin(callback_attempt, callback_attempt.c.callback_id == callback.c.id)
    booking: list[Row[Any]] = []
    async for row in rows(conn, query.order_by(callback.c.id, callback_attempt.c.n)):
        if booking and booking[0].id != row.id:
            for found in _of_one(booking):
                yield found
            booking = []
        booking.append(row)
    for found in _of_one(booking):
        yield found


def _of_one(booking: list[Row[Any]]) -> Iterator[Violation]:
    """One booking with its attempts, in order of their numbers."""
    if not booking:
        return
    serial, state, counted = booking[0].serial, State(booking[0].state), booking[0].attempts
    tries = [row for row in booking if row.n is not None]
    numbers = [row.n for row in tries]
    if numbers != list(range(1, counted + 1)):
        told = ", ".join(map(str, numbers)) or "none"
        yield _violation(
            serial,
            f"it counts {counted} attempts and has these: {told}",
            "look in its audit rows what was dialled; do not dial it again before",
        )
        return
    for row in tries:
        going_on = state in IN_FLIGHT and row.n == counted
        if row.ended_at is None and not going_on:
            yield _violation(
                serial,
                f"attempt {row.n} has no end, and the callback is {state.value}",
                "start the service: it looks what became of the attempt, or ask the customer",
            )
    if state is State.CONNECTED and [row.tried for row in tries].count(State.CONNECTED.value) != 1:
        yield _violation(
            serial, "it is connected, and not exactly one of its attempts is", "look in its audit rows who was reached"
        )


async def _bookings(conn: AsyncConnection, place: Place) -> Found:
    query = select(callback, staff.c.number.label("who"), staff.c.active).outerjoin(
        staff, staff.c.id == callback.c.owner_id
    )
    async for row in rows(conn, query.where(callback.c.ended_at.is_(None)).order_by(callback.c.id)):
        state = State(row.state)
        if state in HELD and (row.lease_until is None or row.lease_until < place.settled):
            since = f"{row.changed_at:%Y-%m-%d %H:%M:%S} UTC"
            yield _violation(
                row.serial,
                f"it is {state.value} since {since} and no dialler holds it",
                "start the service with callbacks on: it decides what became of it",
            )
        if state is State.PENDING and (row.lease_until is not None or row.agent is not None):
            yield _violation(
                row.serial,
                "it is pending, and still held for a dialler or an agent",
                "restart the service; it frees the agent",
            )
        if state in LISTED and row.owner_id is None and not row.owner_queue:
            yield _violation(row.serial, f"it is {state.value} and nobody answers for it", "reassign it on the page")
        elif state in LISTED and row.owner_id is not None and not row.active:
            yield _violation(
                row.serial,
                f"it is {state.value} and its owner {row.who} works here no more",
                "reassign it on the page",
            )


def _dialled(place: Place, index: sqlite3.Connection) -> Iterator[Violation]:
    """Channels to customers that Asterisk opened: each belongs to an attempt that was committed first (F19)."""
    count = 0
    for path in place.channel_logs:
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                count += 1
                if count % 100_000 == 0:
                    place.progress("channel events", count)
                if f'"{_ATTEMPT}' not in text and f",{_ATTEMPT}" not in text:
                    continue
                row = cel_row(text.rstrip("\n"))
                if row is None or row.kind != "CHAN_START" or not row.uniqueid.startswith(_ATTEMPT):
                    continue
                if row.uniqueid.endswith(_AGENT_HALF) or row.at > place.now - SETTLES:
                    continue
                yield from _born(index, row.uniqueid)


def _born(index: sqlite3.Connection, channel: str) -> Iterator[Violation]:
    known = index.execute("SELECT born FROM attempt WHERE channel = ?", (channel,)).fetchone()
    if known is None:
        index.execute("INSERT INTO attempt VALUES (?, 1)", (channel,))
        yield Violation(
            Rule.N3, f"channel {channel}", "Asterisk dialled it, and no attempt was written down", "ask who was called"
        )
    elif known[0] == 1:
        yield Violation(
            Rule.N3, f"channel {channel}", "Asterisk dialled this attempt more than once", "apologise to the customer"
        )
    index.execute("UPDATE attempt SET born = born + 1 WHERE channel = ?", (channel,))
