"""Recorded complaints: the clerk's queue, one message, claim, give back, order, discard (TL-21, IN-27, IN-28)."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.areas import orders
from cti.web.recordingviews import recording_refs
from cti.web.route import Call, Route
from cti.web.schemas.intake import (
    ClaimItem,
    DiscardItem,
    ItemOrdered,
    ItemPage,
    ItemQuery,
    ItemView,
    ReassignItem,
)
from ticketing.intake import actions, store
from ticketing.intake.model import Item, ItemFilter

__all__ = ["ROUTES"]

_ONE = "/api/items/{id:[A-Za-z0-9_-]{1,64}}"


async def search(call: Call) -> ItemPage:
    """Messages by remaining time, the shortest first."""
    asked = call.filters(ItemQuery)
    wanted = ItemFilter(
        state=tuple(asked.state.split(",")) if asked.state else (),
        number=asked.number,
        serial=asked.serial,
        mine=asked.mine,
        overdue=asked.overdue,
    )
    async with call.deps.database.read() as conn:
        page = await store.search(conn, call.actor, wanted, call.now, cursor=asked.cursor, limit=asked.limit)
        views = await item_views(conn, page.items)
    ids = [view.id for view in views]
    await call.looked_up("item.searched", "item", "list", conditions=asked.model_dump(exclude_defaults=True), ids=ids)
    return ItemPage(items=views, next_cursor=page.next_cursor)


async def show(call: Call) -> ItemView:
    """One message with its voice file and what became of it."""
    async with call.deps.database.read() as conn:
        view = await read(call, conn)
    await call.looked_up("item.read", "item", view.id, ids=[view.id])
    return view


async def claim(call: Call) -> ItemView:
    """Take it, to hear it."""
    given = call.input(ClaimItem)
    async with call.deps.database.write() as conn:
        change = await actions.claim(conn, call.actor, call.part("id"), given.version, call.now)
        view = await read(call, conn)
    call.changed(change)
    return view


async def release(call: Call) -> ItemView:
    """Give it back to the queue."""
    given = call.input(ClaimItem)
    async with call.deps.database.write() as conn:
        change = await actions.release(conn, call.actor, call.part("id"), given.version, call.now)
        view = await read(call, conn)
    call.changed(change)
    return view


async def reassign(call: Call) -> ItemView:
    """Hand it to another clerk."""
    given = call.input(ReassignItem)
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
        view = await read(call, conn)
    call.changed(change)
    return view


async def to_order(call: Call) -> ItemOrdered:
    """Make a draft of it; once more for a second complaint in the same message."""
    given = call.input(ClaimItem)
    async with orders.named(call) as conn:
        made = await actions.to_order(conn, call.actor, call.part("id"), given.version, call.now)
        answer = ItemOrdered(item=await read(call, conn), order=await orders.read(call, conn, made.order.subject_id))
    call.changed(*made.changes)
    return answer


async def discard(call: Call) -> ItemView:
    """Put it away with a coded reason."""
    given = call.input(DiscardItem)
    async with call.deps.database.write() as conn:
        change = await actions.discard(
            conn, call.actor, call.part("id"), given.version, given.reason, given.note, call.now
        )
        view = await read(call, conn)
    call.changed(change)
    return view


async def read(call: Call, conn: AsyncConnection) -> ItemView:
    """The message of the address."""
    return (await item_views(conn, [await store.get(conn, call.part("id"), call.now)]))[0]


async def item_views(conn: AsyncConnection, found: Sequence[Item]) -> list[ItemView]:
    """Messages with the state of their voice files."""
    sounds = await recording_refs(conn, [item.key for item in found])
    views = []
    for item in found:
        said = asdict(item)
        key = said.pop("key")
        views.append(ItemView.model_validate(said | {"orders": list(said["orders"]), "recording": sounds.get(key)}))
    return views


ROUTES = (
    Route("items.list", "GET", "/api/items", search, "Recorded complaints.", query=ItemQuery, answer=ItemPage),
    Route("items.show", "GET", _ONE, show, "One recorded complaint.", answer=ItemView),
    Route("items.claim", "POST", f"{_ONE}/claim", claim, "Take a message.", body=ClaimItem, answer=ItemView),
    Route("items.release", "POST", f"{_ONE}/release", release, "Give it back.", body=ClaimItem, answer=ItemView),
    Route("items.reassign", "POST", f"{_ONE}/reassign", reassign, "Hand it on.", body=ReassignItem, answer=ItemView),
    Route(
        "items.to_order",
        "POST",
        f"{_ONE}/to-order",
        to_order,
        "Make an order of it.",
        body=ClaimItem,
        answer=ItemOrdered,
        idempotent=True,
    ),
    Route("items.discard", "POST", f"{_ONE}/discard", discard, "Put it away.", body=DiscardItem, answer=ItemView),
)
