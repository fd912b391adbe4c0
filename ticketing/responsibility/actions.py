"""Use cases of administrators: a duty is given to a unit, goes to another one, ends. Never commit.

What becomes of work orders that are under way is decided in `ticketing.orders.reorganising`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.changes import Change
from ticketing.classification import Cover, check_cover
from ticketing.days import day_of
from ticketing.db import for_update
from ticketing.errors import Invalid, Refused, Stale
from ticketing.responsibility import store
from ticketing.responsibility.model import Line
from ticketing.responsibility.tables import responsibility
from ticketing.roles import Action, Actor, require
from ticketing.text import checked


@dataclass(frozen=True, slots=True)
class NewLine:
    """A duty given to a unit."""

    duty: str
    cover: Cover
    unit: str
    reason: str
    #: None = now
    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reassign:
    """A duty goes to another unit."""

    id: str
    version: int
    unit: str
    reason: str
    #: None = now
    valid_from: datetime | None = None


async def add(conn: AsyncConnection, actor: Actor, given: NewLine, now: datetime) -> Change:
    """Gives a duty to a unit. Raises Refused when another line says the same orders and is not over by then."""
    require(actor, Action.ADMINISTER_SYSTEM)
    words = await taxonomy.read(conn)
    words.check_leaf("duty", given.duty, day_of(now), field="duty")
    words.check_leaf("unit", given.unit, day_of(now), field="unit")
    check_cover(words, given.cover, field="cover")
    start = _start(given.valid_from, now)
    await _free(conn, given.duty, given.cover, start)
    line = await _insert(conn, actor, given, now, start=start, replaces=None)
    said = {**_said(given.duty, given.cover), "unit": given.unit, "from": start.isoformat(), "reason": given.reason}
    await audit.record(conn, actor, "responsibility.added", "responsibility", line, said, now)
    return Change("responsibility.added", line, 1, now, said)


async def reassign(conn: AsyncConnection, actor: Actor, given: Reassign, now: datetime) -> tuple[Change, Line, Line]:
    """The old line ends where a new one begins; returns both as they are now.

    Raises Refused for a line that is over by then, for the unit that has it already, and where the new line would meet
    another; Invalid for a moment that is past, or before the old line began.
    """
    old = await hold(conn, actor, given.id, given.version)
    words = await taxonomy.read(conn)
    words.check_leaf("unit", given.unit, day_of(now), field="unit")
    start = _start(given.valid_from, now)
    _lives(old, start)
    if given.unit == old.unit:
        raise Refused("same_unit", "this unit has the duty already", unit=given.unit)
    if start <= old.valid_from:
        began = old.valid_from.isoformat()
        raise Invalid("before_it_began", "the line begins later than that", field="valid_from", earliest=began)
    await _end(conn, old, start)
    await _free(conn, old.duty, old.cover, start, but=old.key)
    new = NewLine(old.duty, old.cover, given.unit, given.reason, start)
    made = await _insert(conn, actor, new, now, start=start, replaces=old.key)
    said = {**_said(old.duty, old.cover), "line": made, "from": old.unit, "to": given.unit}
    said |= {"at": start.isoformat(), "reason": given.reason}
    await audit.record(conn, actor, "responsibility.reassigned", "responsibility", old.id, said, now)
    change = Change("responsibility.reassigned", made, 1, now, said)
    return change, await store.get(conn, old.id), await store.get(conn, made)


async def end(  # noqa: PLR0917 - what ends when, and why
    conn: AsyncConnection,
    actor: Actor,
    public_id: str,
    version: int,
    at: datetime | None,
    reason: str,
    now: datetime,
) -> Change:
    """Nobody has this duty for these orders any more, unless a wider line says who.

    Raises Invalid for a moment that is past, Refused for a line that is over by then.
    """
    line = await hold(conn, actor, public_id, version)
    over = _start(at, now)
    _lives(line, over)
    if over <= line.valid_from:
        raise Invalid(
            "before_it_began", "it ends before it begins", field="valid_from", earliest=line.valid_from.isoformat()
        )
    await _end(conn, line, over)
    said = {**_said(line.duty, line.cover), "unit": line.unit, "until": over.isoformat(), "reason": _reason(reason)}
    await audit.record(conn, actor, "responsibility.ended", "responsibility", public_id, said, now)
    return Change("responsibility.ended", public_id, line.version + 1, now, said)


async def hold(conn: AsyncConnection, actor: Actor, public_id: str, version: int) -> Line:
    """Locks a line for a decision about it; raises Forbidden, NotFound, Stale."""
    require(actor, Action.ADMINISTER_SYSTEM)
    await conn.execute(for_update(select(responsibility.c.id).where(responsibility.c.public_id == public_id)))
    line = await store.get(conn, public_id)
    if line.version != version:
        raise Stale(subject="responsibility", id=public_id, version=line.version)
    return line


async def bump(conn: AsyncConnection, line: Line) -> int:
    """A decision about a line was taken; returns its version."""
    await conn.execute(update(responsibility).where(responsibility.c.id == line.key).values(version=line.version + 1))
    return line.version + 1


def _lives(line: Line, at: datetime) -> None:
    if line.valid_until is not None and line.valid_until <= at:
        raise Refused("ended", "this line is over by then", valid_until=line.valid_until.isoformat())


async def _end(conn: AsyncConnection, line: Line, at: datetime) -> None:
    one = responsibility.c.id == line.key
    await conn.execute(update(responsibility).where(one).values(valid_until=at, version=line.version + 1))


async def _free(conn: AsyncConnection, duty: str, cover: Cover, start: datetime, but: int | None = None) -> None:
    for line in await store.every(conn):
        if line.key != but and line.duty == duty and line.cover == cover and not line.over(start):
            raise Refused("covered", "another line says who has it", by=line.id, unit=line.unit)


async def _insert(
    conn: AsyncConnection, actor: Actor, given: NewLine, now: datetime, *, start: datetime, replaces: int | None
) -> str:
    public_id = secrets.token_urlsafe(16)
    await conn.execute(
        insert(responsibility).values(
            public_id=public_id,
            duty=given.duty,
            **given.cover.plain,
            unit=given.unit,
            valid_from=start,
            replaces_id=replaces,
            reason=_reason(given.reason),
            created_at=now,
            created_by=actor.number,
            version=1,
        )
    )
    return public_id


def _said(duty: str, cover: Cover) -> dict[str, Any]:
    return {"duty": duty, **cover.plain}


def _reason(text: str) -> str:
    found = checked("reason", text, 500, lines=True)
    if found is None:
        raise Invalid("missing", "say why", field="reason")
    return found


def _start(at: datetime | None, now: datetime) -> datetime:
    if at is not None and at < now:
        raise Invalid("in_the_past", "from now on", field="valid_from", earliest=now.isoformat())
    return at or now
