"""All SQL of customers: stored, changed, found by id or number."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.customers.model import Customer, CustomerNumber, NewCustomer, ProfileField
from ticketing.customers.tables import customer, customer_number, customer_profile
from ticketing.errors import Stale


async def get(conn: AsyncConnection, public_id: str) -> Customer | None:
    """A customer with numbers and profile."""
    found = await _read(conn, select(customer).where(customer.c.public_id == public_id))
    return found[0] if found else None


async def by_external(conn: AsyncConnection, source: str, external_id: str) -> Customer | None:
    """A customer by the operator's own number."""
    which = select(customer).where(customer.c.source == source, customer.c.external_id == external_id)
    found = await _read(conn, which)
    return found[0] if found else None


async def with_number(conn: AsyncConnection, number: str, limit: int = 20) -> list[Customer]:
    """Everybody who has this number now."""
    ids = select(customer_number.c.customer_id).where(
        customer_number.c.e164 == number, customer_number.c.ended_at.is_(None)
    )
    return await _read(conn, select(customer).where(customer.c.id.in_(ids)).order_by(customer.c.id).limit(limit))


async def only_with(conn: AsyncConnection, number: str) -> Customer | None:
    """The customer who has this number when no other has it."""
    found = await with_number(conn, number, limit=2)
    return found[0] if len(found) == 1 else None


async def add(conn: AsyncConnection, new: NewCustomer, now: datetime) -> Customer:
    """Stores a customer; his first number is the main one."""
    public_id = secrets.token_urlsafe(16)
    made = await conn.execute(
        insert(customer)
        .values(
            public_id=public_id,
            name=new.name,
            vip_class=new.vip_class,
            complainant_type=new.complainant_type,
            address=new.address,
            language=new.language,
            source=new.source,
            external_id=new.external_id,
            version=1,
            created_at=now,
            updated_at=now,
        )
        .returning(customer.c.id)
    )
    id_ = int(made.scalar_one())
    if new.numbers:
        await conn.execute(
            insert(customer_number),
            [
                {
                    "customer_id": id_,
                    "e164": n.e164,
                    "kind": n.kind,
                    "service": n.service,
                    "main": at == 0,
                    "added_at": now,
                }
                for at, n in enumerate(new.numbers)
            ],
        )
    await note_profile(conn, id_, new.profile, new.source, now)
    stored = await get(conn, public_id)
    assert stored is not None  # written above in the same transaction
    return stored


async def note_profile(
    conn: AsyncConnection, customer_id: int, facts: Mapping[str, str], source: str, now: datetime
) -> None:
    """Writes profile facts with source and date; a newer one takes the older one's place (SV-06)."""
    if not facts:
        return
    await conn.execute(
        delete(customer_profile).where(
            customer_profile.c.customer_id == customer_id, customer_profile.c.field.in_(list(facts))
        )
    )
    await conn.execute(
        insert(customer_profile),
        [
            {"customer_id": customer_id, "field": name, "value": value, "source": source, "noted_at": now}
            for name, value in facts.items()
        ],
    )


async def version_of(conn: AsyncConnection, customer_id: int) -> int:
    """The version of a customer that is there."""
    found = await conn.execute(select(customer.c.version).where(customer.c.id == customer_id))
    return int(found.scalar_one())


async def change(conn: AsyncConnection, public_id: str, version: int, values: Mapping[str, Any], now: datetime) -> None:
    """Changes a customer's own columns; raises Stale when somebody was faster."""
    done = await conn.execute(
        update(customer)
        .where(customer.c.public_id == public_id, customer.c.version == version)
        .values(**values, version=version + 1, updated_at=now)
    )
    if done.rowcount != 1:
        raise Stale(subject="customer", id=public_id)


async def _read(conn: AsyncConnection, which: Any) -> list[Customer]:
    rows = (await conn.execute(which)).mappings().all()
    ids = [row["id"] for row in rows]
    if not ids:
        return []
    numbers = await conn.execute(
        select(customer_number)
        .where(customer_number.c.customer_id.in_(ids), customer_number.c.ended_at.is_(None))
        .order_by(customer_number.c.main.desc(), customer_number.c.id)
    )
    profile = await conn.execute(
        select(customer_profile).where(customer_profile.c.customer_id.in_(ids)).order_by(customer_profile.c.field)
    )
    return _joined(rows, numbers.mappings().all(), profile.mappings().all())


def _joined(rows: Sequence[RowMapping], numbers: Sequence[RowMapping], profile: Sequence[RowMapping]) -> list[Customer]:
    return [
        Customer(
            id=row["id"],
            public_id=row["public_id"],
            name=row["name"],
            vip_class=row["vip_class"],
            complainant_type=row["complainant_type"],
            address=row["address"],
            language=row["language"],
            numbers=tuple(
                CustomerNumber(n["e164"], n["kind"], n["service"]) for n in numbers if n["customer_id"] == row["id"]
            ),
            profile=tuple(
                ProfileField(p["field"], p["value"], p["source"], p["noted_at"])
                for p in profile
                if p["customer_id"] == row["id"]
            ),
        )
        for row in rows
    ]
