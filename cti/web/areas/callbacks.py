"""Callbacks: list, one, booking by an agent, cancel, put off, hand over, call now (TL-22, TL-23)."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.route import Call, Route
from cti.web.schemas.callbacks import (
    BookCallback,
    CallbackPage,
    CallbackQuery,
    CallbackView,
    CallNow,
    CancelCallback,
    ReassignCallback,
    SnoozeCallback,
    WindowList,
    WindowQuery,
    WindowView,
)
from ticketing.callbacks import actions, reading, rules
from ticketing.callbacks.model import Callback, CallbackFilter, NewBooking
from ticketing.intake import store as items

__all__ = ["ROUTES"]

_ONE = "/api/callbacks/{id:[A-Za-z0-9_-]{1,64}}"


async def search(call: Call) -> CallbackPage:
    """Callbacks by remaining time, the shortest first."""
    asked = call.filters(CallbackQuery)
    wanted = CallbackFilter(
        state=tuple(asked.state.split(",")) if asked.state else (),
        number=asked.number,
        serial=asked.serial,
        queue=asked.queue,
        mine=asked.mine,
        overdue=asked.overdue,
        listed=asked.listed,
    )
    async with call.deps.database.read() as conn:
        page = await reading.search(
            conn, call.actor, wanted, call.deps.policy, call.now, cursor=asked.cursor, limit=asked.limit
        )
        views = await callback_views(conn, page.items)
    said, ids = asked.model_dump(exclude_defaults=True), [view.id for view in views]
    await call.looked_up("callback.searched", "callback", "list", conditions=said, ids=ids)
    return CallbackPage(items=views, next_cursor=page.next_cursor)


async def show(call: Call) -> CallbackView:
    """One callback with its attempts."""
    async with call.deps.database.read() as conn:
        view = await read(call, conn, call.part("id"))
    await call.looked_up("callback.read", "callback", view.id, ids=[view.id])
    return view


async def windows(call: Call) -> WindowList:
    """What can be booked now for a queue: nothing while nobody would be there to call (TL-22)."""
    queue = call.filters(WindowQuery).queue
    offered = rules.windows(call.deps.policy, call.deps.opening(queue), call.now)
    return WindowList(items=[WindowView.model_validate(asdict(window)) for window in offered])


async def book(call: Call) -> CallbackView:
    """Book for a customer."""
    given = call.input(BookCallback)
    new = NewBooking(
        number=given.number,
        queue=given.queue,
        window=given.window,
        lang=given.language,
        priority=0,
        joined_at=call.now,
        call_id=given.call_id,
        customer=given.customer_id,
        note=given.note,
    )
    async with call.write() as conn:
        change = await actions.book(
            conn,
            call.actor,
            new,
            call.deps.policy,
            call.now,
            opening=call.deps.opening(new.queue),
            area_code=call.deps.area_code,
        )
        view = await read(call, conn, change.subject_id)
    call.changed(change)
    return view


async def cancel(call: Call) -> CallbackView:
    """Cancel, saying why."""
    given = call.input(CancelCallback)
    async with call.deps.database.write() as conn:
        change = await actions.cancel(conn, call.actor, call.part("id"), given.version, given.note, call.now)
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def snooze(call: Call) -> CallbackView:
    """Put off."""
    given = call.input(SnoozeCallback)
    async with call.deps.database.write() as conn:
        change = await actions.snooze(
            conn, call.actor, call.part("id"), given.version, given.until, call.deps.policy, call.now
        )
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def reassign(call: Call) -> CallbackView:
    """Make another person answer for it."""
    given = call.input(ReassignCallback)
    async with call.deps.database.write() as conn:
        change = await actions.reassign(
            conn,
            call.actor,
            call.part("id"),
            given.version,
            given.number,
            call.now,
            reason=given.reason,
            note=given.note,
        )
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def call_now(call: Call) -> CallbackView:
    """Due at once."""
    given = call.input(CallNow)
    async with call.deps.database.write() as conn:
        change = await actions.call_now(conn, call.actor, call.part("id"), given.version, call.deps.policy, call.now)
        view = await read(call, conn, call.part("id"))
    call.changed(change)
    return view


async def read(call: Call, conn: AsyncConnection, public_id: str) -> CallbackView:
    """One callback as the page shows it."""
    return (await callback_views(conn, [await reading.get(conn, public_id, call.deps.policy, call.now)]))[0]


async def callback_views(conn: AsyncConnection, found: Sequence[Callback]) -> list[CallbackView]:
    """Callbacks with the messages merged with them."""
    messages = await items.serials_of_callbacks(conn, [each.serial for each in found])
    views = []
    for each in found:
        said = asdict(each)
        said |= {"tries": list(said["tries"]), "messages": messages.get(each.serial, [])}
        views.append(CallbackView.model_validate(said))
    return views


ROUTES = (
    Route("callbacks.list", "GET", "/api/callbacks", search, "Callbacks.", query=CallbackQuery, answer=CallbackPage),
    Route(
        "callbacks.windows",
        "GET",
        "/api/callback-windows",
        windows,
        "Times to book.",
        query=WindowQuery,
        answer=WindowList,
    ),
    Route(
        "callbacks.create",
        "POST",
        "/api/callbacks",
        book,
        "Book a callback for a customer.",
        body=BookCallback,
        answer=CallbackView,
        status=201,
        idempotent=True,
    ),
    Route("callbacks.show", "GET", _ONE, show, "One callback.", answer=CallbackView),
    Route("callbacks.cancel", "POST", f"{_ONE}/cancel", cancel, "Cancel.", body=CancelCallback, answer=CallbackView),
    Route("callbacks.snooze", "POST", f"{_ONE}/snooze", snooze, "Put off.", body=SnoozeCallback, answer=CallbackView),
    Route(
        "callbacks.reassign",
        "POST",
        f"{_ONE}/reassign",
        reassign,
        "Hand on.",
        body=ReassignCallback,
        answer=CallbackView,
    ),
    Route(
        "callbacks.call_now", "POST", f"{_ONE}/call-now", call_now, "Due at once.", body=CallNow, answer=CallbackView
    ),
)
