"""Why a deadline is when it is: the pieces that make it, so that anybody can add them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.calendar import WorkingCalendar
from ticketing.clocks import calendars, rules, store
from ticketing.clocks.calendars import Calendars
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Changed, Clock, Explanation, Piece, PieceKind, Segment
from ticketing.clocks.rules import EVERY_HOUR, WorkingTime
from ticketing.clocks.tables import clock_card, clock_change


async def of_order(conn: AsyncConnection, order_id: int, now: datetime, channel: str) -> tuple[Explanation, ...]:
    """Every clock of an order, oldest first, each with its pieces, changed limits and cards."""
    rows = await store.with_segments(conn, order_id)
    ids = [row["id"] for row in rows]
    book = await calendars.read(conn)
    changes: dict[int, list[Changed]] = {id_: [] for id_ in ids}
    cards: dict[int, list[tuple[str, datetime]]] = {id_: [] for id_ in ids}
    for each in await conn.execute(
        select(clock_change).where(clock_change.c.clock_id.in_(ids)).order_by(clock_change.c.id)
    ):
        changes[each.clock_id].append(Changed(each.at, each.old_due_at, each.new_due_at, each.reason, each.actor))
    for given in await conn.execute(
        select(clock_card).where(clock_card.c.clock_id.in_(ids)).order_by(clock_card.c.fired_at)
    ):
        cards[given.clock_id].append((given.card, given.fired_at))
    return tuple(
        _explanation(row, book, now, channel, changes=changes[row["id"]], cards=cards[row["id"]]) for row in rows
    )


def _explanation(
    row: Mapping[str, Any],
    book: Calendars,
    now: datetime,
    channel: str,
    *,
    changes: Sequence[Changed],
    cards: Sequence[tuple[str, datetime]],
) -> Explanation:
    definition = definitions()[Clock(row["code"])]
    time = book.working(row["calendar"])
    made = pieces(row["segments"], row["due_at"], time, since=row["counts_from"])
    unknown: tuple[int, ...] = ()
    if isinstance(time, WorkingCalendar):
        unknown = time.unknown_years(row["counts_from"] or row["started_at"], row["due_at"] or now)
    return Explanation(
        view=store.view(row, now, channel),
        names=(definition.name_zh, definition.name_en),
        source=definition.source,
        target_s=row["target_s"],
        given_due_at=row["given_due_at"],
        counts_from=row["counts_from"],
        lead_s=row["lead_s"],
        warn_at=row["warn_at"],
        calendar=row["calendar"],
        pieces=made,
        changes=tuple(changes),
        cards=tuple(cards),
        unknown_years=unknown,
    )


def pieces(
    segments: Sequence[Segment],
    due_at: datetime | None,
    time: WorkingTime = EVERY_HOUR,
    *,
    since: datetime | None = None,
) -> tuple[Piece, ...]:
    """The stretches that count up to the limit, and the pauses between them, without a gap; pure.

    Where the limit is a span, the counted seconds together are that span. A clock that stopped early shows what ran,
    and what was left of its limit then.
    """
    ran = rules.counted(segments, since)
    made: list[Piece] = []
    for place, segment in enumerate(ran):
        if due_at is not None and segment.started_at >= due_at and place:
            break  # the limit was hit before: what follows is no part of it
        made += _one(segment, due_at, time, last=place == len(ran) - 1)
        if place + 1 < len(ran) and segment.stopped_at is not None:
            after = ran[place + 1].started_at
            if due_at is None or due_at > segment.stopped_at:
                made.append(Piece(PieceKind.PAUSED, segment.stopped_at, after, 0.0, segment.stop_reason or ""))
    if ran and ran[-1].stop_reason == store.PAUSE and (due_at is None or due_at > (ran[-1].stopped_at or due_at)):
        at = ran[-1].stopped_at
        assert at is not None
        made.append(Piece(PieceKind.PAUSED, at, None, 0.0, store.PAUSE))
    return tuple(made)


def _one(segment: Segment, due_at: datetime | None, time: WorkingTime, *, last: bool) -> list[Piece]:
    """A stretch up to the limit, and for the last one what is left until it."""
    stopped = segment.stopped_at
    if stopped is None:
        if due_at is None:
            return [Piece(PieceKind.RAN, segment.started_at, None, 0.0, segment.start_reason)]
        return [_piece(PieceKind.LEFT, segment.started_at, due_at, time, segment.start_reason)]
    if due_at is not None and due_at < stopped:
        return [_piece(PieceKind.RAN, segment.started_at, due_at, time, segment.start_reason)]
    made = [_piece(PieceKind.RAN, segment.started_at, stopped, time, segment.start_reason)]
    if last and due_at is not None and due_at > stopped:
        made.append(_piece(PieceKind.LEFT, stopped, due_at, time, segment.stop_reason or ""))
    return made


def _piece(kind: PieceKind, start: datetime, end: datetime, time: WorkingTime, reason: str) -> Piece:
    shifts = time.stretches(start, end) if isinstance(time, WorkingCalendar) else ()
    return Piece(kind, start, end, time.elapsed(start, end).total_seconds(), reason, shifts)
