"""Yellow and red cards: each limit that comes near or is hit is told once, also after a crash (MN-07, MN-08)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, outbox
from ticketing.clocks import store as clocks
from ticketing.clocks.model import Card
from ticketing.clocks.tables import clock
from ticketing.db import Database
from ticketing.errors import HotlineError
from ticketing.orders.tables import customer_order, work_order
from ticketing.roles import SYSTEM
from ticketing.staff.tables import staff

log = structlog.get_logger(__name__)

#: topic under which orders' news leave; the owner's page hears of a card there
TOPIC: Final = "order"
_EVERY_S: Final = 1.0
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Fired:
    """One card that was given."""

    order: str
    serial: str
    code: str
    card: Card
    due_at: datetime
    #: 工号, or the queue or unit it lies with
    owner: str | None


async def fire(conn: AsyncConnection, now: datetime) -> list[Fired]:
    """Gives every card that is due and was not given; a limit already hit gets its red card, no late yellow one.

    Both levels, whole process and stage, have their own clock and so their own cards. The card's row is the proof that
    it was given: with it stand audit and message, in the same transaction.
    """
    rows = (await conn.execute(due(now))).mappings().all()
    fired, entries, messages = [], [], []
    for row, card in await clocks.give_cards(conn, rows, now):
        given = Fired(row["order_public_id"], row["serial"], row["code"], card, row["due_at"], row["owner"])
        event = f"clock.{card.value}"
        told: dict[str, Any] = {"clock": given.code, "due_at": given.due_at.isoformat(), "owner": given.owner}
        head = {"event": event, "order": given.order, "serial": given.serial}
        fired.append(given)
        entries.append(audit.Entry(SYSTEM, event, "order", given.order, now, told))
        messages.append((given.serial, {**head, "version": row["version"], "state": row["state"], **told}))
    await audit.record_all(conn, entries)
    await outbox.put_all(conn, TOPIC, messages, now)
    return fired


def due(now: datetime) -> Select[Any]:
    """Running clocks whose next card is due, the longest waiting first, found by an index of their own."""
    owner, worker = staff.alias("owner"), staff.alias("worker")
    with_whom = func.coalesce(
        worker.c.number, work_order.c.owner_queue, owner.c.number, customer_order.c.owner_queue
    ).label("owner")
    return (
        select(
            clock.c.id,
            clock.c.code,
            clock.c.due_at,
            clock.c.warn_at,
            customer_order.c.public_id.label("order_public_id"),
            customer_order.c.serial,
            customer_order.c.state,
            customer_order.c.version,
            with_whom,
        )
        .join(customer_order, customer_order.c.id == clock.c.order_id)
        .outerjoin(work_order, work_order.c.id == clock.c.work_order_id)
        .outerjoin(worker, worker.c.id == work_order.c.owner_id)
        .outerjoin(owner, owner.c.id == customer_order.c.owner_id)
        .where(clock.c.stopped_at.is_(None), clock.c.next_card_at.is_not(None), clock.c.next_card_at <= now)
        .order_by(clock.c.next_card_at, clock.c.id)
        .limit(_AT_ONCE)
    )


async def run(database: Database, now: Callable[[], datetime], *, holds: Callable[[], bool]) -> None:
    """Gives cards each second while this process acts; a database that is away is tried again."""
    while True:
        try:
            if holds() and await _any(database, now()):
                at = now()
                for fired in await database.write_whole(partial(fire, now=at)):
                    log.info("card", card=fired.card.value, clock=fired.code, serial=fired.serial)
        except HotlineError as error:
            log.warning("cards", code=error.code, why=error.message)
        await asyncio.sleep(_EVERY_S)


async def _any(database: Database, at: datetime) -> bool:
    """Looks first without the writer's lock: most seconds there is nothing to give."""
    found = await database.read_whole(lambda conn: conn.execute(due(at).limit(1)))
    return found.first() is not None
