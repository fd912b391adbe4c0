"""All SQL that changes callbacks: rows locked, changed with their version, attempts written down."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.callbacks.model import HELD, IN_FLIGHT, Claim, Mode, State
from ticketing.callbacks.rules import Begun
from ticketing.callbacks.tables import callback, callback_attempt
from ticketing.changes import Change
from ticketing.db import for_update
from ticketing.errors import NotFound, Stale
from ticketing.roles import SYSTEM, Actor


@dataclass(frozen=True, slots=True)
class Held:
    """A booking's row under its lock."""

    id: int
    public_id: str
    serial: str
    version: int
    state: State
    mode: Mode
    #: every column
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt's row."""

    id: int
    callback_id: int
    n: int
    channel_id: str
    call_id: str
    agent: str | None
    #: dialling, answered, confirmed, queued, connected, failed or unknown
    state: State
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What one action did to a booking."""

    #: past fact: callback.booked
    fact: str
    to: State
    values: Mapping[str, Any]
    #: JSON-ready, for audit and listeners
    payload: Mapping[str, Any] | None = None


async def hold(conn: AsyncConnection, public_id: str, version: int | None = None) -> Held:
    """Locks a booking; raises NotFound, and Stale saying who was faster (F18)."""
    held = await _hold(conn, callback.c.public_id == public_id)
    if held is None:
        raise NotFound(subject="callback", id=public_id)
    if version is not None and held.version != version:
        raise _stale(held)
    return held


async def hold_open(conn: AsyncConnection, number: str) -> Held | None:
    """Locks the open booking of a number; there is at most one."""
    return await _hold(conn, and_(callback.c.number == number, callback.c.ended_at.is_(None)))


async def of_call(conn: AsyncConnection, call_id: str) -> bool:
    """Whether a booking came of this call, open or not."""
    return await conn.scalar(select(callback.c.id).where(callback.c.call_id == call_id).limit(1)) is not None


async def hold_claimed(conn: AsyncConnection, claim: Claim, now: datetime) -> Held:
    """Locks a booking the claim is still good for; raises Stale when another dialler has it, or the lease ran out."""
    held = await _hold(conn, callback.c.id == claim.callback_id)
    if held is None:
        raise NotFound(subject="callback", serial=claim.serial)
    row = held.row
    mine = (row["lease_holder"], row["lease_epoch"]) == (claim.holder, claim.epoch)
    if not mine or held.state not in HELD or row["lease_until"] is None or row["lease_until"] <= now:
        raise Stale("lost_lease", "another dialler answers for this callback now", serial=held.serial)
    return held


async def hold_channel(conn: AsyncConnection, channel_id: str) -> tuple[Held, Try] | None:
    """Locks a booking by the channel of one of its attempts."""
    of = select(callback_attempt.c.callback_id).where(callback_attempt.c.channel_id == channel_id)
    held = await _hold(conn, callback.c.id == of.scalar_subquery())
    if held is None:
        return None
    return held, (await _tries(conn, callback_attempt.c.channel_id == channel_id))[0]


async def last_try(conn: AsyncConnection, held: Held) -> Try | None:
    """The newest attempt of a booking."""
    newest = and_(callback_attempt.c.callback_id == held.id, callback_attempt.c.n == held.row["attempts"])
    found = await _tries(conn, newest)
    return found[0] if found else None


async def open_id(conn: AsyncConnection, number: str) -> int | None:
    """Internal key of the open booking of a number."""
    found = await conn.scalar(select(callback.c.id).where(callback.c.number == number, callback.c.ended_at.is_(None)))
    return None if found is None else int(found)


async def add(conn: AsyncConnection, values: Mapping[str, Any]) -> Held | None:
    """Inserts a booking; None when its number has an open one, also one somebody is just committing."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(callback).values(public_id=secrets.token_urlsafe(16), version=1, **values)
    made = await conn.execute(fresh.on_conflict_do_nothing().returning(callback))
    row = made.mappings().first()
    return None if row is None else _held(row)


async def claim(conn: AsyncConnection, callback_id: int, holder: str, now: datetime, until: datetime) -> Held | None:
    """Takes a pending booking that is due, by one statement; None when another was faster or it is not due (P35)."""
    made = await conn.execute(
        update(callback)
        .where(callback.c.id == callback_id, callback.c.state == State.PENDING.value, callback.c.next_at <= now)
        .values(
            state=State.CLAIMED.value,
            lease_holder=holder,
            lease_until=until,
            lease_epoch=callback.c.lease_epoch + 1,
            version=callback.c.version + 1,
            changed_at=now,
            changed_by=SYSTEM.number,
        )
        .returning(callback)
    )
    row = made.mappings().first()
    return None if row is None else _held(row)


async def extend(conn: AsyncConnection, held: Held, until: datetime) -> None:
    """Moves the end of a lease; nothing else changes, so no version and no audit."""
    await conn.execute(update(callback).where(callback.c.id == held.id).values(lease_until=until))


async def write(conn: AsyncConnection, actor: Actor, held: Held, step: Step, now: datetime) -> Change:
    """Changes the locked booking: columns, version and audit row, or nothing of it."""
    version = held.version + 1
    done = await conn.execute(
        update(callback)
        .where(callback.c.id == held.id, callback.c.version == held.version)
        .values(**step.values, state=step.to.value, version=version, changed_at=now, changed_by=actor.number)
    )
    if done.rowcount != 1:
        raise _stale(held)
    return await tell(conn, actor, held, step, version, now)


async def tell(  # noqa: PLR0917 - who did what to which, as in the audit
    conn: AsyncConnection, actor: Actor, held: Held, step: Step, version: int, now: datetime
) -> Change:
    """Audits one step and says it in the form the edge publishes."""
    payload = {"serial": held.serial, "state": step.to.value, "version": version, **(step.payload or {})}
    await audit.record(conn, actor, step.fact, "callback", held.public_id, payload, now)
    return Change(step.fact, held.public_id, version, now, payload)


async def add_try(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Writes an attempt down; its number and its channel are unique, so the same one is never begun twice."""
    await conn.execute(insert(callback_attempt).values(**values))


async def begun(conn: AsyncConnection, limit: int) -> list[Begun]:
    """The newest attempts of all bookings; by the key, so that it costs what is asked for and not what there is."""
    tries = select(callback_attempt.c.started_at, callback_attempt.c.agent)
    rows = await conn.execute(tries.order_by(callback_attempt.c.id.desc()).limit(limit))
    return [Begun(row.started_at, row.agent) for row in rows]


async def write_try(conn: AsyncConnection, attempt: Try, values: Mapping[str, Any]) -> None:
    """Changes an attempt."""
    await conn.execute(update(callback_attempt).where(callback_attempt.c.id == attempt.id).values(**values))


async def hold_stranded(conn: AsyncConnection, holder: str, now: datetime) -> list[Held]:
    """Locks bookings a dialler had and that may need care: lease run out, or an attempt of this holder under way."""
    mine = and_(callback.c.lease_holder == holder, callback.c.state.in_(_values(IN_FLIGHT)))
    late = and_(callback.c.lease_until <= now, callback.c.state.in_(_values(HELD)))
    rows = await conn.execute(
        for_update(select(callback).where(callback.c.lease_until.is_not(None), or_(mine, late)).order_by(callback.c.id))
    )
    return [_held(row) for row in rows.mappings()]


def _values(states: Collection[State]) -> list[str]:
    return sorted(state.value for state in states)


def _stale(held: Held) -> Stale:
    by, at = held.row["changed_by"], held.row["changed_at"].isoformat()
    return Stale(subject="callback", id=held.public_id, version=held.version, by=by, at=at)


async def _hold(conn: AsyncConnection, which: ColumnElement[bool]) -> Held | None:
    row = (await conn.execute(for_update(select(callback).where(which)))).mappings().first()
    return None if row is None else _held(row)


def _held(row: RowMapping) -> Held:
    return Held(
        row["id"], row["public_id"], row["serial"], row["version"], State(row["state"]), Mode(row["mode"]), dict(row)
    )


async def _tries(conn: AsyncConnection, which: ColumnElement[bool]) -> list[Try]:
    rows = await conn.execute(select(callback_attempt).where(which).order_by(callback_attempt.c.n))
    return [
        Try(row.id, row.callback_id, row.n, row.channel_id, row.call_id, row.agent, State(row.state), row.started_at)
        for row in rows
    ]
