"""Use cases of the list of nuisance callers: a number is listed, given another end, struck off. Never commit."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.changes import Change
from ticketing.customers.model import NumberKind
from ticketing.customers.rules import normalise
from ticketing.errors import Invalid, Refused
from ticketing.nuisance import store
from ticketing.roles import Action, Actor, require
from ticketing.text import checked

#: nobody is held back longer than this without a person saying so again
LONGEST = timedelta(days=366)


async def put_on(  # noqa: PLR0917 - what the page says
    conn: AsyncConnection, actor: Actor, number: str, reason: str, ends_at: datetime, now: datetime, *, area_code: str
) -> Change:
    """Lists a number from now until an end, for a reason (PX-02).

    Raises Invalid for what is no number, no reason or no such end, Refused for a number that is listed already.
    """
    require(actor, Action.RESTRICT_CALLERS)
    found = normalise(number, area_code=area_code)
    if found.key is None or found.kind in {NumberKind.INVALID, NumberKind.WITHHELD}:
        told = "not a telephone number; write it with its area code"
        raise Invalid("not_a_number", told, field="number", allowed="+, digits, area code")
    why = checked("reason", reason, 500)
    if why is None:
        raise Invalid("missing", "why it is listed", field="reason", missing=["reason"])
    _check_end(ends_at, now)
    there = await store.running(conn, found.key, now)
    if there is not None:
        raise Refused("already_listed", "this number is listed already", field="number", id=there.id)
    values = {"number": found.key, "reason": why, "starts_at": now, "ends_at": ends_at}
    return await store.add(conn, actor, values, now)


async def change_end(
    conn: AsyncConnection, actor: Actor, public_id: str, version: int, ends_at: datetime, *, now: datetime
) -> Change:
    """Gives the entry another end. Raises Refused when it is over."""
    require(actor, Action.RESTRICT_CALLERS)
    held = await _running(conn, public_id, version, now)
    _check_end(ends_at, now)
    return await store.write(conn, actor, held, "nuisance.end_changed", {"ends_at": ends_at}, now=now)


async def strike_off(conn: AsyncConnection, actor: Actor, public_id: str, version: int, now: datetime) -> Change:
    """The number's next call is like any other; the entry stays on record. Raises Refused when it is over already."""
    require(actor, Action.RESTRICT_CALLERS)
    held = await _running(conn, public_id, version, now)
    return await store.write(conn, actor, held, "nuisance.struck_off", {"off_at": now}, now=now)


async def _running(conn: AsyncConnection, public_id: str, version: int, now: datetime) -> store.Listed:
    held = await store.hold(conn, public_id, version)
    if not held.on(now):
        raise Refused("listing_over", "this entry is over")
    return held


def _check_end(ends_at: datetime, now: datetime) -> None:
    allowed = [now.isoformat(), (now + LONGEST).isoformat()]
    if ends_at <= now:
        raise Invalid("in_the_past", "the end has passed", field="ends_at", earliest=now.isoformat())
    if ends_at > now + LONGEST:
        raise Invalid("out_of_range", "within a year", field="ends_at", allowed=allowed)
