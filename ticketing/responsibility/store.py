"""The responsibility map as it is stored, and who is responsible for an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import taxonomy
from ticketing.classification import Cover, ways
from ticketing.errors import NotFound
from ticketing.responsibility import rules
from ticketing.responsibility.model import Line
from ticketing.responsibility.tables import responsibility


async def every(conn: AsyncConnection) -> tuple[Line, ...]:
    """Every line, closed ones too: by duty, then the latest first."""
    return await _lines(conn, responsibility.c.id.is_not(None))


async def get(conn: AsyncConnection, public_id: str) -> Line:
    """One line; raises NotFound."""
    found = await _lines(conn, responsibility.c.public_id == public_id)
    if not found:
        raise NotFound(subject="responsibility", id=public_id)
    return found[0]


async def _lines(conn: AsyncConnection, which: ColumnElement[bool]) -> tuple[Line, ...]:
    order = (responsibility.c.duty, responsibility.c.valid_from.desc(), responsibility.c.id.desc())
    rows = await conn.execute(select(responsibility).where(which).order_by(*order))
    return tuple(
        Line(
            key=row.id,
            id=row.public_id,
            duty=row.duty,
            cover=Cover(row.complaint_type, row.business, row.nature),
            unit=row.unit,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            reason=row.reason,
            created_at=row.created_at,
            created_by=row.created_by,
            version=row.version,
            replaces_key=row.replaces_id,
        )
        for row in rows
    )


async def units(
    conn: AsyncConnection, duties: Sequence[str], order: Mapping[str, Any] | Cover, at: datetime
) -> dict[str, str]:
    """Which unit has each of these duties for an order at a moment; a duty nobody has is not in the answer."""
    if not duties:
        return {}
    lines = await every(conn)
    where = ways(await taxonomy.read(conn), order)
    found = {duty: rules.responsible(lines, duty, where, at) for duty in duties}
    return {duty: line.unit for duty, line in found.items() if line is not None}
