"""A callback whose last attempt was in vain, made by the same use cases as the dialler's: it stands on a list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from ticketing.callbacks import actions, dialling, store
from ticketing.callbacks.model import NewBooking, Outcome
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.tables import callback
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.roles import SYSTEM


async def in_vain(
    database: Database, policy: Policy, now: datetime, number: str = "13900139000"
) -> tuple[Change, Change]:
    """The booking, and the miss that was its last attempt."""
    wish = NewBooking(number, "complaint", "asap", "zh", 0, now, call_id="20260310013000-000000000001")
    async with database.write() as conn:
        booked = await actions.book(conn, SYSTEM, wish, policy, now)
        before = policy.cap - 1
        which = callback.c.public_id == booked.subject_id
        await conn.execute(update(callback).where(which).values(used=before, attempts=before))
        held = await store.hold(conn, booked.subject_id)
        claim = await dialling.claim(conn, held.id, "test", policy, now)
        assert claim is not None
        await dialling.reserve(conn, claim, "1001", now)
        await dialling.dial(conn, claim, policy, now)
        held = await store.hold(conn, booked.subject_id)
        attempt = await store.last_try(conn, held)
        assert attempt is not None
        return booked, await dialling.miss(conn, held, attempt, Outcome.NO_ANSWER, policy, now)
