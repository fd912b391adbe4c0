"""Reading the files of an order's work orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.attachments.tables import work_order_file
from ticketing.errors import NotFound
from ticketing.orders.tables import work_order


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file; field names are those of the JSON."""

    id: str
    #: of the order, the work order it was put to
    work_order: int
    name: str
    media_type: str
    size: int
    sha256: str
    added_at: datetime
    added_by: str


async def of_order(conn: AsyncConnection, order_id: int) -> tuple[Attachment, ...]:
    """Files of every work order of an order the caller has found to be the reader's to see, oldest first."""
    rows = await conn.execute(_files().where(work_order_file.c.order_id == order_id).order_by(work_order_file.c.id))
    return tuple(_attachment(row) for row in rows)


async def one(conn: AsyncConnection, order_id: int, file_id: str) -> tuple[Attachment, str]:
    """A file of an order and its key in the store; raises NotFound."""
    mine = (work_order_file.c.order_id == order_id, work_order_file.c.public_id == file_id)
    row = (await conn.execute(_files().where(*mine))).first()
    if row is None:
        raise NotFound("unknown_document", "there is no such file", subject="file", id=file_id)
    return _attachment(row), row.key


async def known_files(conn: AsyncConnection) -> list[tuple[str, str, int]]:
    """Key, SHA-256 and size of every file, to compare with the store (CL-02)."""
    rows = await conn.execute(select(work_order_file.c.key, work_order_file.c.sha256, work_order_file.c.size))
    return [(row.key, row.sha256, row.size) for row in rows]


def _files() -> Select[Any]:
    return select(work_order_file, work_order.c.number).join(
        work_order, work_order.c.id == work_order_file.c.work_order_id
    )


def _attachment(row: Any) -> Attachment:
    return Attachment(
        row.public_id, row.number, row.name, row.media_type, row.size, row.sha256, row.added_at, row.added_by
    )
