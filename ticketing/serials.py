"""Order numbers as rows: each is drawn once and never given again (PX-03, IN-11)."""

from __future__ import annotations

import secrets

from sqlalchemy import Column, Integer, String, Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import id_column, metadata
from ticketing.errors import Invalid, Refused
from ticketing.serial_digits import serial_of, valid

__all__ = ["next_serial", "pass_over", "reserve_block", "serial_draw", "serial_key", "valid"]

serial_draw = Table(
    "serial_draw",
    metadata,
    id_column(),
    Column("purpose", String(64), nullable=False),
    sqlite_autoincrement=True,
)
"""One row per serial given out; its key is the counter. Drawing takes no lock that others wait for."""

serial_key = Table(
    "serial_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", String(64), nullable=False),
)
"""The permutation's key: one row, made at the first draw and never changed."""

_LARGEST_BLOCK = 10_000


async def next_serial(conn: AsyncConnection, purpose: str = "order") -> str:
    """The next nine-digit serial; recorded items and callbacks draw from the same space.

    Raises Refused when the space is used up.
    """
    return (await _draw(conn, purpose, 1))[0]


async def reserve_block(conn: AsyncConnection, holder: str, size: int) -> list[str]:
    """Serials set aside for a holder who works while the database is away (the rescue path keeps them on disk).

    They are his for good: what he does not use is never given to others. Raises Invalid for a silly size.
    """
    if not 1 <= size <= _LARGEST_BLOCK:
        raise Invalid("bad_size", f"1 to {_LARGEST_BLOCK} serials", field="size")
    return await _draw(conn, f"block:{holder}"[:64], size)


async def pass_over(conn: AsyncConnection, count: int) -> None:
    """Leaves out the next `count` numbers for good: a restored database does not know which of them callers were told
    after its backup."""
    newest = await conn.scalar(select(func.max(serial_draw.c.id))) or 0
    await conn.execute(insert(serial_draw).values(id=newest + count, purpose="passed over"))
    if conn.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(serial_draw.name, "id")
        await conn.execute(select(func.setval(sequence, newest + count)))


async def _draw(conn: AsyncConnection, purpose: str, count: int) -> list[str]:
    key = await _key(conn)
    rows = await conn.execute(
        insert(serial_draw).returning(serial_draw.c.id, sort_by_parameter_order=True),
        [{"purpose": purpose} for _ in range(count)],
    )
    try:
        return [serial_of(drawn - 1, key) for drawn in rows.scalars()]
    except OverflowError:
        raise Refused("serials_used_up", "every order number has been used") from None


async def _key(conn: AsyncConnection) -> bytes:
    found = (await conn.execute(select(serial_key.c.key))).scalar_one_or_none()
    if found is None:
        dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
        fresh = dialect.insert(serial_key).values(id=1, key=secrets.token_hex(32))
        await conn.execute(fresh.on_conflict_do_nothing())
        found = (await conn.execute(select(serial_key.c.key))).scalar_one()
    return bytes.fromhex(found)
