"""Clocks: why each deadline of an order is when it is; working calendars and limits, changed by administrators."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.route import Call, Route
from cti.web.schemas.clocks import (
    AssignCalendar,
    CalendarList,
    CalendarView,
    ChangeLimit,
    ClockExplained,
    ClockLimit,
    ClockLimitList,
    OrderClocks,
    PublishCalendar,
    UnitCalendar,
)
from cti.web.schemas.common import Label
from ticketing import taxonomy
from ticketing.clocks import calendars, explanation, limits
from ticketing.clocks.model import Clock, Explanation
from ticketing.errors import Invalid, NotFound
from ticketing.orders import store

__all__ = ["ROUTES"]

_YEAR = timedelta(days=366)


async def explained(call: Call) -> OrderClocks:
    """Every clock of an order one may see, with the pieces that make its limit."""
    async with call.deps.database.read() as conn:
        id_ = await store.id_of(conn, call.actor, call.part("id"))
        channel = await store.channel_of(conn, id_)
        found = await explanation.of_order(conn, id_, call.now, channel)
    await call.looked_up("order.clocks_read", "order", call.part("id"), ids=[call.part("id")])
    return OrderClocks(items=[_explained(each) for each in found])


def _explained(found: Explanation) -> ClockExplained:
    view = found.view
    return ClockExplained.model_validate(
        {
            **{name: getattr(view, name) for name in _OF_VIEW},
            **{name: getattr(found, name) for name in _OF_EXPLANATION},
            "name": Label(zh=found.names[0], en=found.names[1]),
            "pieces": [
                {
                    **{name: getattr(piece, name) for name in ("started_at", "ended_at", "counted_s", "reason")},
                    "kind": piece.kind.value,
                    "stretches": [{"started_at": start, "ended_at": end} for start, end in piece.stretches],
                }
                for piece in found.pieces
            ],
            "changes": [{name: getattr(each, name) for name in type(each).__slots__} for each in found.changes],
            "cards": dict(found.cards),
            "unknown_years": list(found.unknown_years),
        }
    )


_OF_VIEW = ("code", "anchor", "graded", "started_at", "due_at", "stopped_at", "outcome", "card", "paused_s")
_OF_EXPLANATION = ("source", "warn_at", "target_s", "given_due_at", "counts_from", "lead_s", "calendar")


async def listed(call: Call) -> CalendarList:
    """Calendars as they are now, and who works by them."""
    async with call.deps.database.read() as conn:
        return await _calendars(call, conn)


async def _calendars(call: Call, conn: AsyncConnection) -> CalendarList:
    book = await calendars.read(conn)
    made = []
    for each in book.current():
        unknown = book.calendar(each.ref).unknown_years(call.now, call.now + _YEAR)
        values = {name: getattr(each, name) for name in ("code", "version", "published_at", "published_by")}
        made.append(CalendarView.model_validate({**values, "fields": dict(each.fields), "unknown_years": [*unknown]}))
    units = [UnitCalendar(unit=unit, calendar=code) for unit, code in sorted(book.units.items())]
    return CalendarList(items=made, units=units)


async def publish(call: Call) -> CalendarList:
    """A further version of a calendar."""
    given = call.input(PublishCalendar)
    fields: dict[str, Any] = {name: value for name, value in given.fields.model_dump().items() if value}
    async with call.deps.database.write() as conn:
        await calendars.publish(conn, call.actor, call.part("code"), fields, call.now, after=given.version)
        return await _calendars(call, conn)


async def assign(call: Call) -> CalendarList:
    """The calendar of a unit."""
    given, unit = call.input(AssignCalendar), call.part("unit")
    async with call.deps.database.write() as conn:
        known = await taxonomy.read(conn)
        if unit != calendars.EVERYBODY and known.find("unit", unit) is None:
            raise Invalid("unknown_code", "no such unit", field="unit", code_given=unit)
        await calendars.assign(conn, call.actor, unit, given.calendar, call.now)
        return await _calendars(call, conn)


async def figures(call: Call) -> ClockLimitList:
    """Limits and leads as the next clock takes them."""
    async with call.deps.database.read() as conn:
        found = await limits.table(conn)
    return ClockLimitList(items=[_limit(each) for each in found.values()])


async def change(call: Call) -> ClockLimit:
    """Another limit or lead."""
    given, code = call.input(ChangeLimit), call.part("code")
    if not re.fullmatch(r"K[0-9]{1,2}L?", code) or code not in {each.value for each in Clock}:
        raise NotFound(subject="clock", id=code)
    async with call.deps.database.write() as conn:
        made = await limits.change(
            conn, call.actor, Clock(code), call.now, target_s=given.target_s, lead_s=given.lead_s
        )
    return _limit(made)


def _limit(found: limits.Limit) -> ClockLimit:
    now, shipped = found.now, found.shipped
    return ClockLimit(
        code=now.code.value,
        name=Label(zh=now.name_zh, en=now.name_en),
        target_s=_seconds(now.target),
        lead_s=int(now.lead.total_seconds()),
        shipped_target_s=_seconds(shipped.target),
        shipped_lead_s=int(shipped.lead.total_seconds()),
        pauses=now.pauses,
        default=now.default,
        source=now.source,
        editable=found.editable,
        changed_at=found.changed_at,
        changed_by=found.changed_by,
    )


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


ROUTES = (
    Route(
        "orders.clocks",
        "GET",
        "/api/orders/{id:[A-Za-z0-9_-]{1,64}}/clocks",
        explained,
        "Why each deadline is when it is.",
        answer=OrderClocks,
    ),
    Route("calendars.list", "GET", "/api/calendars", listed, "Working calendars.", answer=CalendarList),
    Route(
        "calendars.publish",
        "PUT",
        "/api/calendars/{code:[a-z][a-z0-9_-]{0,29}}",
        publish,
        "A further version of a calendar.",
        body=PublishCalendar,
        answer=CalendarList,
    ),
    Route(
        "calendars.assign",
        "PUT",
        "/api/unit-calendars/{unit:[a-z0-9_.*-]{1,60}}",
        assign,
        "The calendar of a unit.",
        body=AssignCalendar,
        answer=CalendarList,
    ),
    Route("clock_limits.list", "GET", "/api/clock-limits", figures, "Limits and leads.", answer=ClockLimitList),
    Route(
        "clock_limits.change",
        "PUT",
        "/api/clock-limits/{code:[A-Za-z0-9-]{2,12}}",
        change,
        "Another limit or lead.",
        body=ChangeLimit,
        answer=ClockLimit,
    ),
)
