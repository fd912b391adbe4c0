"""N1: what a caller was told is kept, and what a page was told is saved, exists exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Select, String, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.calls.model import Outcome
from cti.calls.record import BOOKED, LEFT_RECORDING
from cti.tables import call
from cti.verify.model import Found, Place, Rule, Violation, rows
from cti.web.tables import idempotency
from ticketing.audit import audit
from ticketing.callbacks.tables import callback
from ticketing.customers.rules import normalise
from ticketing.errors import HotlineError
from ticketing.intake.spool import UNREADABLE, parse
from ticketing.intake.tables import intake_item
from ticketing.orders.tables import customer_order

#: a running service takes a message in within seconds
_TAKEN_IN: Final = timedelta(minutes=10)


async def check(place: Place) -> Found:
    """Messages, bookings, sidecars of the spool, numbers told, and answers kept for repeated requests."""
    async with place.database.read() as conn:
        async for found in _messages(conn, place):
            yield found
        async for found in _bookings(conn, place):
            yield found
        async for found in _numbers(conn):
            yield found
        async for found in _answers(conn, place):
            yield found
        for waiting in await asyncio.to_thread(_sidecars, place):
            # one that was taken in is removed by the next start
            if await conn.scalar(select(intake_item.c.id).where(intake_item.c.key == waiting.key)) is None:
                yield Violation(Rule.N1, f"message {waiting.name}", waiting.wrong, waiting.remedy)


async def _messages(conn: AsyncConnection, place: Place) -> Found:
    told = or_(
        call.c.outcome == Outcome.LEFT_RECORDING.value,
        and_(call.c.outcome.is_not(None), call.c.end_step.in_(sorted(LEFT_RECORDING))),
    )
    item = exists().where(intake_item.c.call_id == call.c.call_id)
    query = select(call.c.call_id).where(told, ~item, call.c.ended_at < place.settled).order_by(call.c.id)
    async for row in rows(conn, query):
        if place.spool is not None and any(place.spool.glob(f"{row.call_id}-msg-*.json*")):
            continue  # it waits there, and that is looked at by itself
        yield Violation(
            Rule.N1,
            f"call {row.call_id}",
            "the caller was told that his message is kept, and there is no item of it",
            f"look for {row.call_id}-msg-*.wav in the spool and the recordings, and take it in by hand",
        )


async def _bookings(conn: AsyncConnection, place: Place) -> Found:
    """A later call for the same number takes the booking over, so the audit rows know the earlier ones.

    Who had a booking and kept it was told so by a call that booked nothing.
    """
    told = or_(
        call.c.outcome == Outcome.BOOKED_CALLBACK.value,
        and_(call.c.outcome.is_not(None), call.c.end_step.in_(sorted(BOOKED))),
    )
    booked = exists().where(callback.c.call_id == call.c.call_id)
    columns = call.c.call_id, call.c.entered_at, call.c.ended_at, call.c.ani, call.c.path
    query = select(*columns).where(told, ~booked, call.c.ended_at < place.settled)
    for row in [row async for row in rows(conn, query.order_by(call.c.id))]:
        if await _audited(conn, row.call_id, row.entered_at, row.ended_at):
            continue
        if not (_kept(row.path) and await _was_open(conn, row.ani, row.entered_at, row.ended_at)):
            yield Violation(
                Rule.N1,
                f"call {row.call_id}",
                "the caller was told that he will be called back, and no callback was booked in this call",
                "call him back: the call's row has his number",
            )


def _kept(path: Sequence[Mapping[str, str]]) -> bool:
    """He was asked about the booking his number has, and said that it stays."""
    return any((step["node"], step["key"]) == ("callback", "kept") for step in path)


async def _was_open(conn: AsyncConnection, ani: str, start: datetime, end: datetime) -> bool:
    still = or_(callback.c.ended_at.is_(None), callback.c.ended_at >= start)
    query = select(callback.c.id).where(callback.c.number == normalise(ani).key, callback.c.booked_at <= end, still)
    return await conn.scalar(query.limit(1)) is not None


async def _audited(conn: AsyncConnection, call_id: str, start: datetime, end: datetime) -> bool:
    query = select(audit.c.payload).where(
        audit.c.subject_kind == "callback", audit.c.at >= start, audit.c.at <= end + timedelta(minutes=1)
    )
    async for row in rows(conn, query):
        if row.payload is None or row.payload.get("call_id") == call_id:  # erased by rule: nothing can be said
            return True
    return False


def _serials() -> Iterator[Select[tuple[str, str]]]:
    for kind, table in (("order", customer_order), ("item", intake_item), ("callback", callback)):
        yield select(literal(kind, String).label("kind"), table.c.serial.label("serial"))


async def _numbers(conn: AsyncConnection) -> Found:
    """A number read to a customer names one thing (PX-03)."""
    every = union_all(*_serials()).subquery()
    twice = select(every.c.serial, func.count().label("many")).group_by(every.c.serial).having(func.count() > 1)
    async for row in rows(conn, twice.order_by(every.c.serial)):
        yield Violation(
            Rule.N1,
            f"number {row.serial}",
            f"{row.many} orders, items or callbacks have this number",
            "find who was told it, and give the others fresh numbers",
        )


async def _answers(conn: AsyncConnection, place: Place) -> Found:
    """A key and its answer are written by one transaction."""
    query = select(idempotency.c.staff_id, idempotency.c.key, idempotency.c.route).where(
        idempotency.c.answer.is_(None), idempotency.c.created_at < place.settled
    )
    async for row in rows(conn, query):
        yield Violation(
            Rule.N1,
            f"request {row.key}",
            f"{row.route} of staff {row.staff_id} was begun and has no answer: repeated, it would be refused",
            "look in the audit rows whether it was done; the key is forgotten after a day",
        )


@dataclass(frozen=True, slots=True)
class _Sidecar:
    """One message that waits in the spool, as it lies there."""

    name: str
    #: key of its voice file; empty when it could not be read
    key: str
    wrong: str
    remedy: str


def _sidecars(place: Place) -> list[_Sidecar]:
    """What waits there is accepted: it must be readable, have its sound, and be taken in while a service runs."""
    if place.spool is None or not place.spool.is_dir():
        return []
    found = []
    for path in sorted(place.spool.glob("*-msg-*.json*")):
        if path.name.endswith((".json", UNREADABLE)) and path.is_file():
            written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            if written_at < place.settled:
                found.append(_sidecar(path, late=place.running and written_at < place.now - _TAKEN_IN))
    return [each for each in found if each.wrong]


def _sidecar(path: Path, *, late: bool) -> _Sidecar:
    name, by_hand = path.name.partition(".")[0], "listen to the sound beside it and take it in by hand"
    if path.name.endswith(UNREADABLE):
        return _Sidecar(name, "", f"{path.name} could not be read and was set aside", by_hand)
    try:
        file = parse(path.read_text(encoding="utf-8")).file
    except (OSError, ValueError, RecursionError, HotlineError) as error:
        return _Sidecar(name, "", f"{path.name} cannot be read: {error}", by_hand)
    key = file.rpartition(".")[0]
    if not (path.parent / file).is_file():
        return _Sidecar(name, key, f"its sound {file} is gone from the spool", "look for the file in the backup")
    log = "look for message_waits in the service's log"
    return _Sidecar(name, key, "the running service has not taken it in" if late else "", log)
