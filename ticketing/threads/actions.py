"""Use cases of the threads of units: somebody says something, somebody has read it. Never commit."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, outbox
from ticketing.changes import Change
from ticketing.errors import Invalid
from ticketing.roles import Action, Actor, require
from ticketing.text import checked
from ticketing.threads import store

#: topic of the outbox by which the pages concerned are told; the key is the unit
TOPIC: Final = "thread"
#: characters of one message
LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Say:
    """A message for a unit's thread."""

    unit: str
    text: str
    #: number of the order it is about, and of one of the unit's work orders of it
    serial: str | None = None
    number: int | None = None


async def say(conn: AsyncConnection, actor: Actor, given: Say, now: datetime) -> Change:
    """Writes a message in a unit's thread and tells whom it concerns (MN-10).

    Raises NotFound for another unit's thread and for an order or work order the unit has nothing to do with, Invalid
    for words that cannot be.
    """
    require(actor, Action.MESSAGE_UNITS)
    await store.check(conn, actor, given.unit)
    text = checked("text", given.text, LONGEST, lines=True)
    if text is None:
        raise Invalid("missing", "there is nothing to send", field="text", missing=["text"])
    if given.number is not None and given.serial is None:
        raise Invalid("missing", "which order the work order is of", field="serial", missing=["serial"])
    about = None
    if given.serial is not None:
        about = await store.about(conn, actor, given.unit, given.serial, given.number)
    public_id, from_unit = secrets.token_urlsafe(16), not actor.posts & store.CENTRE
    values: dict[str, Any] = {
        "public_id": public_id,
        "unit": given.unit,
        "at": now,
        "staff_id": actor.staff_id,
        "author_number": actor.number,
        "author_name": actor.name,
        "from_unit": from_unit,
        "text": text,
        "order_id": about.order_id if about else None,
        "work_order_id": about.work_order_id if about else None,
    }
    await store.add(conn, values)
    told = {"unit": given.unit, "message": public_id, "by": actor.number, "order": about.order if about else None}
    await audit.record(conn, actor, "thread.said", "thread", given.unit, told, now)
    await outbox.put(conn, TOPIC, given.unit, told, now)
    return Change("thread.said", public_id, 1, now, told)


async def read(conn: AsyncConnection, actor: Actor, unit: str, message: str, now: datetime) -> None:
    """He has read the thread up to this message. Raises NotFound for another unit's thread or message."""
    require(actor, Action.MESSAGE_UNITS)
    key, _ = await store.one(conn, actor, unit, message)
    await store.read_to(conn, actor, unit, key, now)
