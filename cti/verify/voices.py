"""N5: every order from a call shows its voice file as ready, partial or missing; file, row and call agree."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.tables import call
from cti.verify.model import Found, Place, Rule, Violation, rows
from ivr.variables import CALL_ID_PATTERN
from recordings import access
from recordings.model import RecordingState
from recordings.rules import RESCANS, TOLERANCE_S
from recordings.tables import recording
from ticketing.errors import NotFound
from ticketing.intake.tables import intake_item
from ticketing.orders.tables import customer_order

_PORTION: Final = 1 << 20
_CALL_ID: Final = re.compile(CALL_ID_PATTERN)
#: a row's length is rounded to milliseconds
_ROUNDED_S: Final = 0.002
_EVERY: Final = 200


async def check(place: Place) -> Found:
    """Orders and messages against their recording's row, rows against themselves, and each file against its row."""
    async with place.database.read() as conn:
        async for found in _orders(conn, place):
            yield found
        async for found in _messages(conn, place):
            yield found
        count = 0
        async for row in rows(conn, select(recording).order_by(recording.c.id)):
            count += 1
            if count % _EVERY == 0:
                place.progress("recordings", count)
            wrong = _row(row, place) or await asyncio.to_thread(_file, row, place.recordings)
            if wrong is not None:
                yield Violation(Rule.N5, f"recording {row.call_id}", *wrong)


async def _orders(conn: AsyncConnection, place: Place) -> Found:
    """An order names the call it was begun in; those of the sample operator come from no telephone."""
    known = exists().where(recording.c.call_id == customer_order.c.call_id)
    running = exists().where(
        call.c.call_id == customer_order.c.call_id, or_(call.c.open, call.c.ended_at > place.settled)
    )
    query = select(customer_order.c.serial, customer_order.c.call_id).where(
        customer_order.c.call_id.is_not(None), ~known, ~running, customer_order.c.created_at < place.settled
    )
    async for row in rows(conn, query.order_by(customer_order.c.id)):
        if _CALL_ID.match(row.call_id):
            yield Violation(
                Rule.N5,
                f"order {row.serial}",
                f"nothing says what became of the recording of its call {row.call_id}",
                "look for the call's files in the spool; the service takes them in at its next start",
            )


async def _messages(conn: AsyncConnection, place: Place) -> Found:
    known = exists().where(recording.c.call_id == intake_item.c.key)
    query = select(intake_item.c.serial, intake_item.c.key).where(~known, intake_item.c.taken_at < place.settled)
    async for row in rows(conn, query.order_by(intake_item.c.id)):
        yield Violation(
            Rule.N5,
            f"item {row.serial}",
            "nothing says what became of its voice file",
            f"look for {row.key}.wav in the spool; the service takes it in at its next start",
        )


def _row(row: Row[Any], place: Place) -> tuple[str, str] | None:
    """What a row says must be possible: the state never blank, an alarm for all that is not ready."""
    state = RecordingState(row.state)
    if state is RecordingState.EXPECTED and row.alarm is None:
        late = row.scans > 0 or row.created_at < place.now - RESCANS[-1]
        if late and row.next_scan_at is None and not _may_run(row, place):
            return (
                "it is expected and nobody looks for it any more",
                "start the service: it looks for files left behind",
            )
        return None
    ready, listen = state is RecordingState.READY, "listen to it, or look for its file in the backup"
    off = 0.0 if None in {row.seconds, row.expected_seconds} else row.seconds - row.expected_seconds
    longer = "longer" if off > 0 else "shorter"
    wrong = (
        (ready and row.path is None, "it is ready and has no file"),
        (ready and row.alarm is not None, f"it is ready with the alarm {row.alarm}"),
        (not ready and row.alarm is None, f"it is {state.value} without an alarm"),
        (ready and abs(off) > TOLERANCE_S, f"it is {abs(off):.1f} s {longer} than its call, without an alarm"),
    )
    return next(((says, listen) for is_so, says in wrong if is_so), None)


def _may_run(row: Row[Any], place: Place) -> bool:
    """Its call may go on: nothing is looked for before it is over."""
    return row.scans == 0 and place.running


@dataclass(frozen=True, slots=True)
class _Measured:
    size: int
    sha256: str
    seconds: float | None


def _file(row: Row[Any], root: Path) -> tuple[str, str] | None:
    if row.path is None:
        return None
    backup = "restore the file from a backup"
    try:
        found = _measure(root, row.path)
    except (NotFound, OSError):
        return f"its file {row.path} is not there", backup
    if found.size != row.size:
        return f"its file has {found.size} bytes and must have {row.size}", backup
    if found.sha256 != row.sha256:
        return "its file was changed: the digest differs", backup
    if found.seconds is None or row.seconds is None or abs(found.seconds - row.seconds) > _ROUNDED_S:
        return f"its file lasts {found.seconds} s and its row says {row.seconds}", backup
    return None


def _measure(root: Path, path: str) -> _Measured:
    """Size, digest and length of a file below the root, in bounded memory."""
    with os.fdopen(access.open_inside(root, path), "rb") as file:
        digest, size = hashlib.sha256(), 0
        for portion in _portions(file):
            digest.update(portion)
            size += len(portion)
        file.seek(0)
        try:
            with wave.open(file) as sound:
                seconds: float | None = sound.getnframes() / sound.getframerate()
        except (wave.Error, EOFError, ZeroDivisionError):
            seconds = None
    return _Measured(size, digest.hexdigest(), seconds)


def _portions(file: Any) -> Iterator[bytes]:
    while portion := file.read(_PORTION):
        yield portion
