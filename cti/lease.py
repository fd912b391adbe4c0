"""One row that says which process acts, with an epoch that grows at every change of holder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Column, String, Table, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import UtcDateTime, metadata

lease: Final = Table(
    "lease",
    metadata,
    #: what is leased: `bridge`
    Column("name", String(32), primary_key=True),
    #: process that holds it, an id made up at its start; empty = given back
    Column("holder", String(64), nullable=False),
    #: grows by one with every new holder; whoever acts with an older one is late
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Held:
    """Proof of holding the lease until it expires."""

    name: str
    holder: str
    epoch: int
    expires_at: datetime


async def claim(conn: AsyncConnection, name: str, holder: str, term: timedelta, now: datetime) -> Held | None:
    """Take the lease, or prolong it for who has it; None while another holds it.

    One statement decides, so two processes never both win. A holder whose term ran out takes it as a new one.
    """
    expires_at = now + term
    mine = (
        update(lease)
        .where(lease.c.name == name, lease.c.holder == holder, lease.c.expires_at > now)
        .values(expires_at=expires_at)
        .returning(lease.c.epoch)
    )
    free = (
        update(lease)
        .where(lease.c.name == name, (lease.c.expires_at <= now) | (lease.c.holder == ""))
        .values(holder=holder, epoch=lease.c.epoch + 1, expires_at=expires_at)
        .returning(lease.c.epoch)
    )
    for statement in (mine, free):
        epoch = (await conn.execute(statement)).scalar_one_or_none()
        if epoch is not None:
            return Held(name, holder, epoch, expires_at)
    if (await conn.execute(select(lease.c.epoch).where(lease.c.name == name))).scalar_one_or_none() is not None:
        return None
    try:
        async with conn.begin_nested():
            await conn.execute(insert(lease).values(name=name, holder=holder, epoch=1, expires_at=expires_at))
    except IntegrityError:
        return None
    return Held(name, holder, 1, expires_at)


async def release(conn: AsyncConnection, held: Held, now: datetime) -> None:
    """Give the lease back before its end, so that a successor need not wait; nothing if it was lost already."""
    await conn.execute(
        update(lease)
        .where(lease.c.name == held.name, lease.c.holder == held.holder, lease.c.epoch == held.epoch)
        .values(holder="", expires_at=now)
    )


async def still_holds(conn: AsyncConnection, held: Held, now: datetime) -> bool:
    """Fence for a write: True when this epoch is still the latest and has not expired."""
    row = (await conn.execute(select(lease).where(lease.c.name == held.name))).one_or_none()
    return row is not None and (row.holder, row.epoch) == (held.holder, held.epoch) and row.expires_at > now
