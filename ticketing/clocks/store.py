"""Clocks in the database: started, paused, stopped, listed; what is due is found by index."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks import calendars, limits, rules
from ticketing.clocks.calendars import Calendars
from ticketing.clocks.definitions import definitions, graded
from ticketing.clocks.model import Anchor, Card, Clock, ClockView, Definition, Segment
from ticketing.clocks.tables import clock, clock_card, clock_change, clock_segment
from ticketing.errors import Refused

#: why a stretch ended or began
PAUSE, RESUME = "pause", "resume"


@dataclass(frozen=True, slots=True)
class NewClock:
    """A clock about to run."""

    code: Clock
    started_at: datetime
    reason: str
    anchor: Anchor = Anchor.NONE
    #: absolute limit instead of the definition's span: a promise, a requested end
    given: datetime | None = None
    #: span instead of the definition's, counted by `calendar`: a stage's limit
    target: timedelta | None = None
    #: working calendar with its version; None: that of the definition, else every hour
    calendar: str | None = None
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


async def start(conn: AsyncConnection, order_id: int, clocks: Sequence[NewClock]) -> list[datetime | None]:
    """Starts clocks of an order, whose lock the caller holds; returns their limits, in the same order."""
    if not clocks:
        return []
    known = await limits.read(conn)
    by_calendar = any(new.calendar or known[new.code].calendar for new in clocks)
    book = await calendars.read(conn) if by_calendar else Calendars({}, {})
    rows = [_row(order_id, new, known[new.code], book) for new in clocks]
    made = await conn.execute(insert(clock).returning(clock.c.id, sort_by_parameter_order=True), rows)
    ids = made.scalars().all()
    await conn.execute(
        insert(clock_segment),
        [
            {"clock_id": id_, "started_at": new.started_at, "start_reason": new.reason}
            for id_, new in zip(ids, clocks, strict=True)
        ],
    )
    return [row["due_at"] for row in rows]


def _row(order_id: int, new: NewClock, definition: Definition, book: Calendars) -> dict[str, Any]:
    target = new.target or definition.target
    latest = book.latest(definition.calendar) if definition.calendar else None
    calendar = new.calendar or (latest.ref if latest else None)
    row = {
        "order_id": order_id,
        "work_order_id": new.work_order_id,
        "code": new.code.value,
        "anchor": new.anchor.value,
        "cycle": new.cycle,
        "target_s": None if target is None else int(target.total_seconds()),
        "given_due_at": new.given,
        "lead_s": int(definition.lead.total_seconds()),
        "calendar": calendar,
        "counts_from": None,
        "started_at": new.started_at,
        "paused_s": 0,
    }
    return row | _limits(row, [Segment(new.started_at, None, new.reason, None)], book, (), new.started_at)


def _limits(
    row: Mapping[str, Any], segments: Sequence[Segment], book: Calendars, given: Collection[Card], now: datetime
) -> dict[str, datetime | None]:
    """Limit, yellow time and next card of a clock, from its row, its stretches and the cards it was given."""
    due_at, warn_at = limit_of(row, segments, book)
    return {"due_at": due_at, "warn_at": warn_at, "next_card_at": rules.next_card(due_at, warn_at, given, now)}


def limit_of(
    row: RowMapping | Mapping[str, Any], segments: Sequence[Segment], book: Calendars
) -> tuple[datetime | None, datetime | None]:
    """What a clock's limit and yellow time must be: nothing but its row, its stretches and its calendar (N6)."""
    target = None if row["target_s"] is None else timedelta(seconds=row["target_s"])
    time, lead = book.working(row["calendar"]), timedelta(seconds=row["lead_s"])
    given, since = row["given_due_at"], row["counts_from"]
    return (
        rules.due(segments, target, given, time=time, since=since),
        rules.due(segments, target, given, time=time, since=since, ahead=lead),
    )


async def runs(conn: AsyncConnection, order_id: int, code: Clock, anchor: Anchor) -> bool:
    """True while this clock of the order, from this start, has not stopped."""
    found = await conn.scalar(
        select(clock.c.id)
        .where(
            clock.c.order_id == order_id,
            clock.c.code == code.value,
            clock.c.anchor == anchor.value,
            clock.c.stopped_at.is_(None),
        )
        .limit(1)
    )
    return found is not None


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


async def pause(conn: AsyncConnection, order_id: int, now: datetime) -> dict[int, datetime | None]:
    """Lets the clocks of an order stand still, but for those the customer or the law counts: the dispatch hour, the
    promise, the legal limit (MN-04, T26). Returns the limits of its work orders: none while it stands, one already hit
    stays hit.
    """
    standing = [code.value for code, definition in definitions().items() if definition.pauses]
    rows = await _running(conn, order_id)
    paused = [row for row in rows if row["code"] in standing and row["segments"][-1].stopped_at is None]
    if paused:
        await conn.execute(
            update(clock_segment)
            .where(clock_segment.c.clock_id.in_([row["id"] for row in paused]), clock_segment.c.stopped_at.is_(None))
            .values(stopped_at=now, stop_reason=PAUSE)
        )
    return await _recompute(conn, paused, now)


async def resume(conn: AsyncConnection, order_id: int, now: datetime) -> dict[int, datetime | None]:
    """Lets what stood still run on, each limit later by the time paused; returns the limits of the work orders."""
    rows = await _running(conn, order_id)
    resumed = [row for row in rows if row["segments"][-1].stopped_at is not None]
    if resumed:
        begun = {"started_at": now, "start_reason": RESUME}
        await conn.execute(insert(clock_segment), [{"clock_id": row["id"], **begun} for row in resumed])
    return await _recompute(conn, resumed, now)


async def _running(conn: AsyncConnection, order_id: int) -> list[dict[str, Any]]:
    """Running clocks of an order with their stretches under `segments`."""
    found = await conn.execute(select(clock).where(clock.c.order_id == order_id, clock.c.stopped_at.is_(None)))
    return await _with_segments(conn, [dict(row) for row in found.mappings()])


async def _with_segments(conn: AsyncConnection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [row["id"] for row in rows]
    found = await conn.execute(
        select(clock_segment)
        .where(clock_segment.c.clock_id.in_(ids))
        .order_by(clock_segment.c.started_at, clock_segment.c.id)
    )
    by_clock: dict[int, list[Segment]] = {id_: [] for id_ in ids}
    for each in found:
        by_clock[each.clock_id].append(Segment(each.started_at, each.stopped_at, each.start_reason, each.stop_reason))
    return [{**row, "segments": by_clock[row["id"]]} for row in rows]


async def _recompute(
    conn: AsyncConnection, rows: Sequence[Mapping[str, Any]], now: datetime
) -> dict[int, datetime | None]:
    """Writes limit, yellow time and time paused of clocks whose stretches have just changed."""
    if not rows:
        return {}
    fresh = await _with_segments(conn, [dict(row) for row in rows])
    book, given = await calendars.read(conn), await cards_given(conn, [row["id"] for row in fresh])
    of_work: dict[int, datetime | None] = {}
    for row in fresh:
        values: dict[str, Any] = _limits(row, row["segments"], book, given[row["id"]], now)
        values["paused_s"] = int(rules.paused(row["segments"]).total_seconds())
        await conn.execute(update(clock).where(clock.c.id == row["id"]).values(**values))
        if row["work_order_id"] is not None:
            of_work[row["work_order_id"]] = values["due_at"]
    return of_work


async def move(
    conn: AsyncConnection,
    work_order_id: int,
    now: datetime,
    *,
    target: timedelta | None = None,
    given: datetime | None = None,
    reason: str,
    actor: str,
) -> datetime | None:
    """Gives the running stage clock of a work order another limit: a span from now by its calendar, or a moment; the
    old one is kept, its cards may come anew. Returns the new limit; raises Refused when its clock does not run.
    """
    found = await conn.execute(
        select(clock).where(
            clock.c.work_order_id == work_order_id,
            clock.c.code == Clock.STAGE.value,
            clock.c.stopped_at.is_(None),
        )
    )
    row = found.mappings().first()
    if row is None:
        raise Refused("no_clock", "no limit runs for this work order")
    target_s = None if target is None else int(target.total_seconds())
    changed = {**row, "target_s": target_s, "given_due_at": given, "counts_from": now}
    (fresh,) = await _with_segments(conn, [changed])
    values = _limits(fresh, fresh["segments"], await calendars.read(conn), (), now)
    kept = {"clock_id": row["id"], "at": now, "old_due_at": row["due_at"], "new_due_at": values["due_at"]}
    await conn.execute(insert(clock_change).values(**kept, reason=reason, actor=actor))
    await conn.execute(delete(clock_card).where(clock_card.c.clock_id == row["id"]))
    moved = {name: changed[name] for name in ("target_s", "given_due_at", "counts_from")}
    await conn.execute(update(clock).where(clock.c.id == row["id"]).values(**moved, **values))
    return values["due_at"]


async def cards_given(conn: AsyncConnection, clock_ids: Sequence[int]) -> dict[int, set[Card]]:
    """The cards each of these clocks was given."""
    given: dict[int, set[Card]] = {id_: set() for id_ in clock_ids}
    found = select(clock_card.c.clock_id, clock_card.c.card).where(clock_card.c.clock_id.in_(clock_ids))
    for row in await conn.execute(found):
        given[row.clock_id].add(Card(row.card))
    return given


async def give_cards(conn: AsyncConnection, rows: Sequence[RowMapping], now: datetime) -> list[tuple[RowMapping, Card]]:
    """Gives each of these clocks the card that is due and was not given, and writes when its next one is due."""
    before = await cards_given(conn, [row["id"] for row in rows])
    given: list[tuple[RowMapping, Card]] = []
    following = []
    for row in rows:
        card, had = rules.card(row["due_at"], row["warn_at"], now), before[row["id"]]
        if card is not Card.NONE and card not in had:
            given.append((row, card))
            had.add(card)
        following.append({"clock": row["id"], "at": rules.next_card(row["due_at"], row["warn_at"], had, now)})
    if given:
        cards = [{"clock_id": row["id"], "card": card.value, "fired_at": now} for row, card in given]
        await conn.execute(insert(clock_card), cards)
    if following:
        written = update(clock).where(clock.c.id == bindparam("clock")).values(next_card_at=bindparam("at"))
        await conn.execute(written, following)
    return given


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


async def of_order(conn: AsyncConnection, order_id: int, now: datetime, channel: str = "") -> tuple[ClockView, ...]:
    """Every clock of an order, oldest first; by the request's channel one start of the dispatch hour is judged."""
    rows = await conn.execute(
        select(clock).where(clock.c.order_id == order_id).order_by(clock.c.started_at, clock.c.id)
    )
    return tuple(view(row, now, channel) for row in rows.mappings())


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
    """The stretches in which a clock of the order ran."""
    rows = await conn.execute(
        select(clock_segment)
        .join(clock, clock.c.id == clock_segment.c.clock_id)
        .where(clock.c.order_id == order_id, clock.c.code == code.value)
        .order_by(clock_segment.c.started_at, clock_segment.c.id)
    )
    return [Segment(row.started_at, row.stopped_at, row.start_reason, row.stop_reason) for row in rows]


async def with_segments(conn: AsyncConnection, order_id: int) -> list[dict[str, Any]]:
    """Rows of every clock of an order, oldest first, with their stretches under `segments`."""
    found = await conn.execute(
        select(clock).where(clock.c.order_id == order_id).order_by(clock.c.started_at, clock.c.id)
    )
    return await _with_segments(conn, [dict(row) for row in found.mappings()])


def view(row: RowMapping | Mapping[str, Any], now: datetime, channel: str = "") -> ClockView:
    """A clock's row as the page shows it."""
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
        graded=graded(row["code"], row["anchor"], channel),
    )
