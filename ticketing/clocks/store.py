"""Clocks in the database: started, stopped, listed; what is due is found by index."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks import rules
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Anchor, Clock, ClockView, Segment
from ticketing.clocks.tables import clock, clock_card, clock_change, clock_segment


@dataclass(frozen=True, slots=True)
class NewClock:
    """A clock about to run."""

    code: Clock
    started_at: datetime
    reason: str
    anchor: Anchor = Anchor.NONE
    #: absolute limit instead of the definition's span: a promise, a requested end
    given: datetime | None = None
    work_order_id: int | None = None
    cycle: int = 1


@dataclass(frozen=True, slots=True)
class Due:
    """A limit that is hit."""

    clock_id: int
    order_id: int
    work_order_id: int | None
    code: Clock
    due_at: datetime


async def start(conn: AsyncConnection, order_id: int, clocks: Sequence[NewClock]) -> None:
    """Starts clocks of an order; the caller holds the order's lock."""
    if not clocks:
        return
    made = await conn.execute(
        insert(clock).returning(clock.c.id, sort_by_parameter_order=True), [_row(order_id, new) for new in clocks]
    )
    ids = made.scalars().all()
    await conn.execute(
        insert(clock_segment),
        [
            {"clock_id": id_, "started_at": new.started_at, "start_reason": new.reason}
            for id_, new in zip(ids, clocks, strict=True)
        ],
    )


def _row(order_id: int, new: NewClock) -> dict[str, Any]:
    definition = definitions()[new.code]
    running = [Segment(new.started_at, None, new.reason, None)]
    due_at = rules.due(running, definition.target, new.given)
    return {
        "order_id": order_id,
        "work_order_id": new.work_order_id,
        "code": new.code.value,
        "anchor": new.anchor.value,
        "cycle": new.cycle,
        "target_s": None if definition.target is None else int(definition.target.total_seconds()),
        "given_due_at": new.given,
        "lead_s": int(definition.lead.total_seconds()),
        "calendar": definition.calendar,
        "started_at": new.started_at,
        "paused_s": 0,
        "due_at": due_at,
        "warn_at": rules.warn(due_at, definition.lead),
    }


async def stop(
    conn: AsyncConnection,
    order_id: int,
    now: datetime,
    reason: str,
    *,
    codes: Collection[Clock] | None = None,
    work_order_id: int | None = None,
    counts: bool = True,
) -> None:
    """Stops the running clocks of an order (all of them, those named, those of one work order) and says how each ended.

    `counts` False: they never counted, whatever the time (G16).
    """
    running = select(clock.c.id, clock.c.due_at).where(clock.c.order_id == order_id, clock.c.stopped_at.is_(None))
    if codes is not None:
        running = running.where(clock.c.code.in_([code.value for code in codes]))
    if work_order_id is not None:
        running = running.where(clock.c.work_order_id == work_order_id)
    rows = (await conn.execute(running)).all()
    if not rows:
        return
    await conn.execute(
        update(clock).where(clock.c.id == bindparam("clock")).values(stopped_at=now, outcome=bindparam("result")),
        [{"clock": row.id, "result": rules.outcome(row.due_at, now, counts).value} for row in rows],
    )
    await conn.execute(
        update(clock_segment)
        .where(clock_segment.c.clock_id.in_([row.id for row in rows]), clock_segment.c.stopped_at.is_(None))
        .values(stopped_at=now, stop_reason=reason)
    )


async def move(
    conn: AsyncConnection, work_order_id: int, due_at: datetime, now: datetime, *, reason: str, actor: str
) -> None:
    """Gives the running stage clock of a work order another limit; the old one is kept, its cards may come anew."""
    found = await conn.execute(
        select(clock.c.id, clock.c.due_at, clock.c.lead_s).where(
            clock.c.work_order_id == work_order_id,
            clock.c.code == Clock.STAGE.value,
            clock.c.stopped_at.is_(None),
        )
    )
    for row in found.all():
        changed = {"clock_id": row.id, "at": now, "old_due_at": row.due_at, "new_due_at": due_at}
        await conn.execute(insert(clock_change).values(**changed, reason=reason, actor=actor))
        await conn.execute(delete(clock_card).where(clock_card.c.clock_id == row.id))
        moved = {"given_due_at": due_at, "due_at": due_at, "warn_at": rules.warn(due_at, timedelta(seconds=row.lead_s))}
        await conn.execute(update(clock).where(clock.c.id == row.id).values(**moved))


async def nearest(conn: AsyncConnection, order_id: int) -> tuple[datetime | None, datetime | None]:
    """Limit and yellow time of the clock the customer would feel first: whole process or promise."""
    found = await conn.execute(
        select(clock.c.due_at, clock.c.warn_at)
        .where(
            clock.c.order_id == order_id,
            clock.c.code.in_([Clock.WHOLE.value, Clock.PROMISE.value]),
            clock.c.stopped_at.is_(None),
            clock.c.due_at.is_not(None),
        )
        .order_by(clock.c.due_at)
        .limit(1)
    )
    row = found.first()
    return (None, None) if row is None else (row.due_at, row.warn_at)


async def of_order(conn: AsyncConnection, order_id: int, now: datetime) -> tuple[ClockView, ...]:
    """Every clock of an order, oldest first."""
    rows = await conn.execute(
        select(clock).where(clock.c.order_id == order_id).order_by(clock.c.started_at, clock.c.id)
    )
    return tuple(_view(row, now) for row in rows.mappings())


async def due_before(conn: AsyncConnection, at: datetime, limit: int = 200) -> list[Due]:
    """Running clocks whose limit has come, the longest overdue first."""
    rows = await conn.execute(
        select(clock.c.id, clock.c.order_id, clock.c.work_order_id, clock.c.code, clock.c.due_at)
        .where(clock.c.due_at <= at, clock.c.due_at.is_not(None), clock.c.stopped_at.is_(None))
        .order_by(clock.c.due_at)
        .limit(limit)
    )
    return [Due(row.id, row.order_id, row.work_order_id, Clock(row.code), row.due_at) for row in rows]


async def segments(conn: AsyncConnection, order_id: int, code: Clock) -> list[Segment]:
    """The stretches in which a clock of the order ran, for the explanation of a deadline."""
    rows = await conn.execute(
        select(clock_segment)
        .join(clock, clock.c.id == clock_segment.c.clock_id)
        .where(clock.c.order_id == order_id, clock.c.code == code.value)
        .order_by(clock_segment.c.started_at, clock_segment.c.id)
    )
    return [Segment(row.started_at, row.stopped_at, row.start_reason, row.stop_reason) for row in rows]


def _view(row: RowMapping, now: datetime) -> ClockView:
    return ClockView(
        code=row["code"],
        anchor=row["anchor"],
        started_at=row["started_at"],
        due_at=row["due_at"],
        stopped_at=row["stopped_at"],
        card=rules.card(row["due_at"], row["warn_at"], row["stopped_at"] or now).value,
        outcome=row["outcome"],
        work_order_id=row["work_order_id"],
        paused_s=row["paused_s"],
    )
