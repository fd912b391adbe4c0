"""All SQL of contacts: written once, joined to orders, moved when an order is merged."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.contacts.model import Contact, ContactKind, NewContact, Role
from ticketing.contacts.tables import contact, contact_order

# Built once: every call makes them.
_KNOWN: Final = select(contact.c.id).where(
    contact.c.kind == bindparam("kind"), contact.c.external_id == bindparam("external_id")
)
_NEW: Final = insert(contact).returning(contact.c.id)


async def record(conn: AsyncConnection, new: NewContact) -> int:
    """Writes a contact once: the same call or message again gives the row that is there."""
    if new.external_id is not None:
        found = await conn.scalar(_KNOWN, {"kind": new.kind.value, "external_id": new.external_id})
        if found is not None:
            return int(found)
    values = {**asdict(new), "kind": new.kind.value, "direction": new.direction.value}
    made = await conn.execute(_NEW, {"public_id": secrets.token_urlsafe(16), **values})
    return int(made.scalar_one())


async def join(conn: AsyncConnection, contact_id: int, order_id: int, role: Role, now: datetime) -> bool:
    """Says that a contact was about an order; False when that was known."""
    known = await conn.scalar(
        select(contact_order.c.role).where(
            contact_order.c.contact_id == contact_id, contact_order.c.order_id == order_id
        )
    )
    if known is not None:
        return False
    await conn.execute(
        insert(contact_order).values(contact_id=contact_id, order_id=order_id, role=role.value, joined_at=now)
    )
    return True


async def move(conn: AsyncConnection, from_order: int, to_order: int, now: datetime) -> int:
    """Moves every contact of a merged draft to the order it belongs to; returns how many moved (T38)."""
    rows = await conn.scalars(select(contact_order.c.contact_id).where(contact_order.c.order_id == from_order))
    ids = list(rows)
    for contact_id in ids:
        await join(conn, contact_id, to_order, Role.REPEAT, now)
    await conn.execute(delete(contact_order).where(contact_order.c.order_id == from_order))
    return len(ids)


async def assign(conn: AsyncConnection, external_id: str, *, staff_id: int | None, customer_id: int | None) -> None:
    """Says who took a call and whose it turned out to be."""
    await conn.execute(
        update(contact)
        .where(contact.c.kind == ContactKind.CALL.value, contact.c.external_id == external_id)
        .values(staff_id=staff_id, customer_id=customer_id)
    )


async def end(
    conn: AsyncConnection, external_id: str, ended_at: datetime, disposition: str | None = None, note: str | None = None
) -> bool:
    """Ends a call's contact; a disposition given later is added, an earlier one kept. False: no such contact."""
    values: dict[str, Any] = {"ended_at": ended_at}
    values |= {name: value for name, value in (("disposition", disposition), ("note", note)) if value is not None}
    done = await conn.execute(
        update(contact)
        .where(contact.c.kind == ContactKind.CALL.value, contact.c.external_id == external_id)
        .values(**values)
    )
    return done.rowcount > 0


async def of_order(conn: AsyncConnection, order_id: int) -> tuple[Contact, ...]:
    """Contacts of one order, oldest first."""
    rows = await conn.execute(
        select(contact, contact_order.c.role)
        .join(contact_order, contact_order.c.contact_id == contact.c.id)
        .where(contact_order.c.order_id == order_id)
        .order_by(contact.c.at, contact.c.id)
    )
    return tuple(_contact(row) for row in rows.mappings())


async def log(
    conn: AsyncConnection, customer_id: int | None, number: str | None = None, limit: int = 50
) -> tuple[Contact, ...]:
    """A customer's log, newest first, one line for each contact (IN-13); contacts of his number alone are in it."""
    whose = [contact.c.customer_id == customer_id] if customer_id is not None else []
    whose += [contact.c.number == number] if number is not None else []
    if not whose:
        return ()
    rows = await conn.execute(
        select(contact).where(or_(*whose)).order_by(contact.c.at.desc(), contact.c.id.desc()).limit(limit)
    )
    return tuple(_contact(row) for row in rows.mappings())


def _contact(row: RowMapping) -> Contact:
    names = Contact.__dataclass_fields__.keys()
    return Contact(**{name: row[name] for name in names if name in row})
