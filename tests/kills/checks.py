"""What was confirmed against what is there: nothing lost, nothing twice, nothing without its audit rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import func, select

from cti.verify.check import check, installation
from cti.verify.model import SETTLES
from tests.kills.life import Life
from tests.kills.writers import Notes
from ticketing.audit import audit
from ticketing.callbacks.tables import callback
from ticketing.db import Database
from ticketing.intake.spool import parse
from ticketing.intake.tables import intake_item
from ticketing.orders.tables import customer_order, order_trail


async def violations(life: Life) -> list[str]:
    """What `hotline verify` says, as if a minute had gone by, so that nothing counts as under way."""
    async with installation(life.settings, lambda: datetime.now(UTC) + SETTLES) as place:
        return [f"{one.rule} {one.subject}: {one.says}" async for one in check(place)]


async def differences(life: Life, database: Database, notes: Notes) -> list[str]:
    """Everything that is not as its writer was told, in the database and the spool as they lie there."""
    async with database.read() as conn:
        order, item = customer_order, intake_item
        orders = (
            await conn.execute(
                select(order.c.contact_name, order.c.public_id, order.c.serial, order.c.version).where(
                    order.c.contact_name.like("客户 %")
                )
            )
        ).all()
        words = (
            await conn.execute(
                select(order_trail.c.note, order.c.public_id)
                .join(order, order.c.id == order_trail.c.order_id)
                .where(order_trail.c.action == "customer_adds")
            )
        ).all()
        bookings = (await conn.execute(select(callback.c.number, callback.c.serial, callback.c.public_id))).all()
        items = (await conn.execute(select(item.c.call_id, item.c.serial, item.c.public_id))).all()
        audited: dict[str, int] = {
            row.subject_id: row.many
            for row in await conn.execute(
                select(audit.c.subject_id, func.count().label("many"))
                .where(audit.c.subject_kind.in_(("order", "callback", "item")), audit.c.verb.not_like("clock.%"))
                .group_by(audit.c.subject_id)
            )
        }
    found = [
        *_once("order", notes.orders_asked, notes.orders, [row.contact_name for row in orders]),
        *_once("words", notes.words_asked, notes.words, [row.note for row in words]),
        *_once("booking", notes.bookings_asked, notes.bookings, [row.number.removeprefix("+86") for row in bookings]),
    ]
    for order_row in orders:
        told = notes.orders.get(order_row.contact_name)
        if told is not None and (order_row.public_id, order_row.serial) != (told.id, told.serial):
            found.append(f"order {order_row.contact_name}: {order_row} instead of {told}")
        if told is not None and order_row.version < told.version:
            found.append(f"order {told.serial}: back at version {order_row.version}, {told.version} was confirmed")
    found += [f"order {row.serial}: audited {audited.get(row.public_id)} of {row.version}" for row in orders
              if audited.get(row.public_id) != row.version]  # fmt: skip
    found += [f"words {row.note}: at another order" for row in words
              if notes.words.get(row.note, row.public_id) != row.public_id]  # fmt: skip
    found += [f"{row.serial} has no audit row" for row in (*bookings, *items) if not audited.get(row.public_id)]
    for row in bookings:
        told_serial = notes.bookings.get(row.number.removeprefix("+86"))
        if told_serial and told_serial != row.serial:
            found.append(f"booking {row.number}: {row.serial} instead of {told_serial}")
    return [*found, *_messages(life, notes, {(row.call_id, row.serial) for row in items}, len(items))]


def _once(kind: str, asked: set[str], told: Iterable[str], there: list[str]) -> list[str]:
    """Each at most once, what was confirmed exactly once, and nothing nobody asked for."""
    counted = Counter(there)
    found = [f"{kind} {each}: lost" for each in told if not counted[each]]
    found += [f"{kind} {each}: {many} times" for each, many in counted.items() if many > 1]
    return found + [f"{kind} {each}: nobody asked for it" for each in counted if each not in asked]


def _messages(life: Life, notes: Notes, items: set[tuple[str, str]], rows: int) -> list[str]:
    """A message is an item, or waits in the spool to become one; one that is both is removed at the next start."""
    waiting = {
        (message.call_id, message.serial or "")
        for message in (parse(path.read_text(encoding="utf-8")) for path in sorted(life.spool.glob("*-msg-*.json")))
    }
    taken = dict(items)
    there = {call: serial for call, serial in waiting if call not in taken} | taken
    found = _once("message", notes.messages_asked, notes.messages, list(there))
    if rows != len(taken):
        found.append(f"{rows} items of {len(taken)} calls")
    for call, read in notes.messages.items():
        if not there.get(call, read).startswith(read):
            found.append(f"message {call}: {there[call]} and not {read}, which was read to the caller")
    for call, serial in waiting:
        if serial and taken.get(call, serial) != serial:
            found.append(f"message {call}: waits as {serial} and is taken in as {taken[call]}")
    return found
