"""N6: due times are what the stretches a clock ran in, its limit and its calendar give; nothing else moved them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Label, Row, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.verify.model import Found, Place, Rule, Violation, rows
from ticketing.audit import audit
from ticketing.callbacks import rules as callbacks
from ticketing.callbacks.tables import callback
from ticketing.clocks import calendars, rules, store
from ticketing.clocks.calendars import Calendars
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Card, Clock, Outcome, Segment
from ticketing.clocks.tables import clock, clock_card, clock_segment
from ticketing.intake import rules as items
from ticketing.intake.model import State as ItemState
from ticketing.intake.tables import intake_item
from ticketing.orders.model import State as OrderState
from ticketing.orders.tables import customer_order

_REMEDY: Final = "find who wrote to the database beside the service; the audit rows say what was promised"
#: clocks whose nearest limit an order shows in lists
_SHOWN: Final = frozenset({Clock.WHOLE.value, Clock.PROMISE.value})
_NONE: Final = (None, None)


async def check(place: Place) -> Found:
    """Clocks of orders, the limits lists show, messages and callbacks."""
    async with place.database.read() as conn:
        async for found in _orders(conn, place):
            yield found
        async for found in _items(conn):
            yield found
        async for found in _callbacks(conn, place):
            yield found


async def _orders(conn: AsyncConnection, place: Place) -> Found:
    order = customer_order
    kept = (order.c.serial, order.c.state.label("order_state"), order.c.due_at.label("shown_due"))
    query = (
        select(clock, *kept, order.c.warn_at.label("shown_warn"), clock_segment.c.id.label("segment_id"))
        .add_columns(
            clock_segment.c.started_at.label("from_at"),
            clock_segment.c.stopped_at.label("to_at"),
            clock_segment.c.start_reason,
            clock_segment.c.stop_reason,
        )
        .add_columns(_given(Card.YELLOW), _given(Card.RED))
        .join(order, order.c.id == clock.c.order_id)
        .outerjoin(clock_segment, clock_segment.c.clock_id == clock.c.id)
        .order_by(clock.c.order_id, clock.c.id, clock_segment.c.started_at, clock_segment.c.id)
    )
    book = await calendars.read(conn)
    one: list[Row[Any]] = []
    count = 0
    async for row in rows(conn, query):
        if one and one[0].order_id != row.order_id:
            for found in _of_order(one, book, place.now):
                yield found
            one = []
            count += 1
            if count % 1000 == 0:
                place.progress("orders", count)
        one.append(row)
    for found in _of_order(one, book, place.now):
        yield found


def _given(card: Card) -> Label[bool]:
    return exists().where(clock_card.c.clock_id == clock.c.id, clock_card.c.card == card.value).label(card.value)


def _of_order(found: list[Row[Any]], book: Calendars, now: datetime) -> Iterator[Violation]:
    """One order: each of its clocks, then the limit its lists show."""
    if not found:
        return
    clocks: dict[int, list[Row[Any]]] = {}
    for row in found:
        clocks.setdefault(row.id, []).append(row)
    for segments in clocks.values():
        wrong = _clock(segments, book, now)
        if wrong is not None:
            first = segments[0]
            yield Violation(Rule.N6, f"order {first.serial}", f"clock {first.code}: {wrong}", _REMEDY)
    head = found[0]
    if head.order_state == OrderState.DRAFT.value:
        return  # nothing is promised before it is submitted
    running = (segments[0] for segments in clocks.values())
    limits = [(row.due_at, row.warn_at) for row in running if row.code in _SHOWN and row.stopped_at is None]
    nearest = min((limit for limit in limits if limit[0] is not None), default=_NONE)
    if (head.shown_due, head.shown_warn) != nearest:
        says = f"lists show {_at(head.shown_due)} as its limit, and its clocks give {_at(nearest[0])}"
        yield Violation(Rule.N6, f"order {head.serial}", says, _REMEDY)


def _clock(found: list[Row[Any]], book: Calendars, now: datetime) -> str | None:
    row = found[0]
    segments = [
        Segment(each.from_at, each.to_at, each.start_reason, each.stop_reason)
        for each in found
        if each.segment_id is not None
    ]
    if not segments:
        return "it has no stretch in which it ran"
    if row.calendar is not None and row.calendar not in book.versions:
        return f"it counts by calendar {row.calendar}, which nobody published"
    return _ends(row, segments) or _limit(row, segments, book, now)


def _ends(row: Row[Any], segments: list[Segment]) -> str | None:
    """Its stretches begin and end where it does; one that ended while it stood still ran no longer."""
    if segments[0].started_at != row.started_at:
        return f"it began at {_at(row.started_at)}, and its first stretch at {_at(segments[0].started_at)}"
    if row.stopped_at is not None and segments[-1].stopped_at != row.stopped_at and not _stood_still(segments):
        return f"it stopped at {_at(row.stopped_at)}, and its last stretch at {_at(segments[-1].stopped_at)}"
    return None


def _limit(row: Row[Any], segments: list[Segment], book: Calendars, now: datetime) -> str | None:
    ran = segments
    if row.stopped_at is not None and not _stood_still(segments):  # the limit it had when it stopped stays with it
        ran = [*segments[:-1], replace(segments[-1], stopped_at=None)]
    due_at, warn_at = store.limit_of(row._mapping, ran, book)
    if (row.due_at, row.warn_at) != (due_at, warn_at):
        return f"its limit is {_at(row.due_at)} (yellow {_at(row.warn_at)}), and must be {_at(due_at)} ({_at(warn_at)})"
    if row.stopped_at is None:
        given = {card for card in (Card.YELLOW, Card.RED) if getattr(row, card.value)}
        due = rules.next_card(row.due_at, row.warn_at, given, now)
        if due is not None and (row.next_card_at is None or row.next_card_at > due):
            return f"its next card is due at {_at(due)}, and would be given at {_at(row.next_card_at)}"
    if row.stopped_at is not None and row.outcome not in {Outcome.VOID, rules.outcome(due_at, row.stopped_at)}:
        return f"it ended as {row.outcome}, and stopped at {_at(row.stopped_at)} with its limit at {_at(due_at)}"
    return None


def _stood_still(segments: list[Segment]) -> bool:
    return segments[-1].stop_reason == store.PAUSE


async def _items(conn: AsyncConnection) -> Found:
    definition = definitions()[Clock.ENTRY]
    item = intake_item
    columns = (item.c.serial, item.c.state, item.c.received_at, item.c.due_at, item.c.warn_at, item.c.ended_at)
    async for row in rows(conn, select(*columns, item.c.outcome).order_by(item.c.id)):
        due_at, warn_at = items.limit(definition, row.received_at)
        says = None
        if (row.due_at, row.warn_at) != (due_at, warn_at):
            says = f"its limit is {_at(row.due_at)}, and must be {_at(due_at)}"
        elif row.ended_at is not None and row.outcome != items.outcome(ItemState(row.state), due_at, row.ended_at):
            says = f"it ended as {row.outcome} at {_at(row.ended_at)} with its limit at {_at(due_at)}"
        if says is not None:
            yield Violation(Rule.N6, f"item {row.serial}", says, _REMEDY)


async def _callbacks(conn: AsyncConnection, place: Place) -> Found:
    """Those that live: their calling hours are the ones in force. Counted from what the audit says was promised."""
    for row in [row async for row in rows(conn, select(callback).where(callback.c.ended_at.is_(None)))]:
        counts_from = await _promised(conn, row.public_id)
        if counts_from is None and row.window_end is None:
            continue  # booked before the audit said so, or erased by rule
        definition = definitions()[Clock.CALLBACK]
        due_at = callbacks.due(definition, place.policy, counts_from or row.booked_at, row.window_end)
        if (row.due_at, row.warn_at) != (due_at, due_at - definition.lead):
            says = f"its limit is {_at(row.due_at)}, and must be {_at(due_at)}"
            yield Violation(Rule.N6, f"callback {row.serial}", says, _REMEDY)


async def _promised(conn: AsyncConnection, public_id: str) -> datetime | None:
    """The moment the newest promise counts from; asking again for the same thing does not move it."""
    found = None
    query = select(audit.c.payload).where(audit.c.subject_kind == "callback", audit.c.subject_id == public_id)
    async for row in rows(conn, query.order_by(audit.c.id)):
        said = (row.payload or {}).get("counts_from")
        found = datetime.fromisoformat(said) if said else found
    return found


def _at(at: datetime | None) -> str:
    return "none" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
