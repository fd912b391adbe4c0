"""All SQL of messages: written once for each fact and address, read for the order's page. Never commit."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import outbox
from ticketing.notices.model import Means, Notice, NoticeKind, NoticeState
from ticketing.notices.tables import notice

#: topic of the outbox by which the courier of messages finds its work; the key is the address
TOPIC: Final = "notice"


@dataclass(frozen=True, slots=True)
class NewNotice:
    """One message to be made."""

    source: str
    kind: NoticeKind
    means: Means
    address: str
    text: str
    order_id: int | None = None


async def add(conn: AsyncConnection, given: NewNotice, now: datetime) -> bool:
    """Writes the message and hands it to the courier in one transaction; False when the fact was told before."""
    same = (notice.c.source == given.source, notice.c.address == given.address)
    if await conn.scalar(select(notice.c.id).where(*same)) is not None:
        return False
    public_id = secrets.token_urlsafe(16)
    await conn.execute(
        insert(notice).values(
            public_id=public_id,
            source=given.source,
            order_id=given.order_id,
            kind=given.kind.value,
            means=given.means.value,
            address=given.address,
            text=given.text,
            state=NoticeState.WAITING.value,
            created_at=now,
            attempts=0,
        )
    )
    await outbox.put(conn, TOPIC, given.address[:80], {"notice": public_id}, now)
    return True


async def find(conn: AsyncConnection, public_id: str) -> RowMapping | None:
    """The row of a message; None for one that is gone with its order."""
    return (await conn.execute(select(notice).where(notice.c.public_id == public_id))).mappings().first()


async def note(conn: AsyncConnection, public_id: str, state: NoticeState, **values: Any) -> None:
    """Writes down how an attempt went; what has ended stays as it ended."""
    mine = (notice.c.public_id == public_id, notice.c.state == NoticeState.WAITING.value)
    changed = {"state": state.value, "attempts": notice.c.attempts + 1, **values}
    await conn.execute(update(notice).where(*mine).values(changed))


async def of_order(conn: AsyncConnection, order_id: int) -> tuple[Notice, ...]:
    """Messages about an order, oldest first."""
    rows = await conn.execute(select(notice).where(notice.c.order_id == order_id).order_by(notice.c.id))
    return tuple(
        Notice(
            id=row.public_id,
            kind=row.kind,
            means=row.means,
            to=row.address,
            text=row.text,
            state=row.state,
            created_at=row.created_at,
            attempts=row.attempts,
            ended_at=row.ended_at,
            last_error=row.last_error,
        )
        for row in rows
    )
