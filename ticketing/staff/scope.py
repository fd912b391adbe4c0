"""For which business a person may answer and propose: the specialties of his skill profile; none means all (RT-01)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.staff.tables import staff_skill


async def of(conn: AsyncConnection, staff_id: int) -> tuple[str, ...]:
    """Nodes of taxonomy `business` a person is limited to; empty: no limit."""
    mine = select(staff_skill.c.skill).where(staff_skill.c.staff_id == staff_id).order_by(staff_skill.c.skill)
    return tuple((await conn.scalars(mine)).all())


def covers(branches: Iterable[str], business: str) -> bool:
    """True when a leaf lies on or under one of the branches."""
    return any(business == branch or business.startswith(f"{branch}.") for branch in branches)
