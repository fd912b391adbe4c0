"""Orders: list, one, entry of paper, edit of a draft, submit, end without order, merge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from cti import store as calls
from cti.web.callviews import call_views
from cti.web.orderviews import fields_of, order_view, renamed, summary_view
from cti.web.route import Call, Route
from cti.web.schemas.orderquery import OrderConditions, OrderQuery
from cti.web.schemas.orders import (
    CreateOrder,
    EditOrder,
    MergeOrder,
    NoOrder,
    Order,
    OrderPage,
    OrderTrack,
    Stay,
    SubmitOrder,
    UncoverOrder,
)
from ticketing.errors import HotlineError, Invalid, TookTooLong
from ticketing.orders import actions, query, sight, store, track
from ticketing.orders.inputs import EditDraft, EndWithoutOrder, Merge, NewDraft, Submit
from ticketing.orders.model import Channel

__all__ = ["ROUTES"]

_ONE = "/api/orders/{id:[A-Za-z0-9_-]{1,64}}"


async def search(call: Call) -> OrderPage:
    """Orders the person may see; a search that takes too long is told what to narrow."""
    asked = call.filters(OrderQuery)
    async with bounded(call, asked) as conn:
        page = await store.search(conn, call.actor, asked.wanted(), call.now, cursor=asked.cursor, limit=asked.limit)
    ids = [order.id for order in page.items]
    await call.looked_up("order.searched", "order", "list", conditions=asked.given(), ids=ids)
    return OrderPage(items=[summary_view(order) for order in page.items], next_cursor=page.next_cursor)


@asynccontextmanager
async def bounded(call: Call, asked: OrderConditions) -> AsyncIterator[AsyncConnection]:
    """A reading transaction for a free combination of conditions, which the database ends when it takes too long.

    Raises Invalid("too_broad") with what is most worth adding (AU-03).
    """
    try:
        async with call.deps.database.read(limit_s=call.deps.search_limit_s) as conn:
            yield conn
    except TookTooLong:
        narrow = query.narrowing(asked.given())
        raise Invalid("too_broad", limit_s=call.deps.search_limit_s, narrow=narrow) from None


async def show(call: Call) -> Order:
    """One order; somebody else's draft is not there."""
    async with call.deps.database.read() as conn:
        found = await read(call, conn, call.part("id"))
    await call.looked_up("order.read", "order", found.id, ids=[found.id])
    return found


async def create(call: Call) -> Order:
    """A draft from paper or a visitor."""
    given = call.input(CreateOrder)
    fields, coded = fields_of(given)
    async with named(call) as conn:
        new = NewDraft(Channel(given.channel), given.received_at, given.customer_id, given.external_id)
        fields.pop("customer", None)
        change = await actions.create_draft(conn, call.actor, new, call.now)
        changes = [change]
        if fields or coded:
            edit = EditDraft(change.subject_id, change.version, fields, coded)
            changes.append(await actions.edit_draft(conn, call.actor, edit, call.now))
        found = await read(call, conn, change.subject_id)
    call.changed(*changes)
    return found


async def edit(call: Call) -> Order:
    """Change fields of a draft."""
    given = call.input(EditOrder)
    fields, coded = fields_of(given)
    async with named(call) as conn:
        change = await actions.edit_draft(
            conn, call.actor, EditDraft(call.part("id"), given.version, fields, coded), call.now
        )
        found = await read(call, conn, call.part("id"))
    call.changed(change)
    return found


async def submit(call: Call) -> Order:
    """Draft to registered (T2)."""
    given = Submit(call.part("id"), call.input(SubmitOrder).version)
    async with named(call) as conn:
        change = await actions.submit(conn, call.actor, given, call.now)
        found = await read(call, conn, call.part("id"))
    call.changed(change)
    return found


async def no_order(call: Call) -> Order:
    """The call needs no order (T37)."""
    body = call.input(NoOrder)
    given = EndWithoutOrder(call.part("id"), body.version, body.reason, body.note)
    async with named(call) as conn:
        change = await actions.end_without_order(conn, call.actor, given, call.now)
        found = await read(call, conn, call.part("id"))
    call.changed(change)
    return found


async def merge(call: Call) -> Order:
    """The call belongs to an open order, which is the answer (T38)."""
    body = call.input(MergeOrder)
    given = Merge(call.part("id"), body.version, body.into_serial)
    async with named(call) as conn:
        gone, grown = await actions.merge(conn, call.actor, given, call.now)
        found = await read(call, conn, grown.subject_id)
    call.changed(gone, grown)
    return found


@asynccontextmanager
async def named(call: Call) -> AsyncIterator[AsyncConnection]:
    """One transaction whose refusals name fields as this interface does."""
    try:
        async with call.write() as conn:
            yield conn
    except HotlineError as error:
        raise renamed(error) from error.__cause__


async def trail(call: Call) -> OrderTrack:
    """Where an order and its work orders lay, with nine fields each (AU-05)."""
    async with call.deps.database.read() as conn:
        id_ = await store.id_of(conn, call.actor, call.part("id"))
        stays = (await track.of_orders(conn, [id_]))[id_]
        covered = await sight.is_covered(conn, call.actor, call.part("id"))
    await call.looked_up("order.trail_read", "order", call.part("id"), ids=[call.part("id")])
    return OrderTrack(masked=covered, items=[Stay.model_validate(stay) for stay in stays])


async def uncover(call: Call) -> Order:
    """One order in full, for a reason that is kept; the next reading covers it again (AU-02)."""
    given = call.input(UncoverOrder)
    async with named(call) as conn:
        await sight.uncover(conn, call.actor, call.part("id"), given.reason, call.now)
        return await read(call, conn, call.part("id"), covered=False)


async def read(call: Call, conn: AsyncConnection, public_id: str, *, covered: bool | None = None) -> Order:
    """The whole order as the person may see it, with its calls; covered as his post says unless told otherwise."""
    if covered is None:
        covered = await sight.is_covered(conn, call.actor, public_id)
    order = await store.get(conn, call.actor, public_id, call.now)
    records = [record for call_id in order.call_ids if (record := await calls.get(conn, call_id)) is not None]
    labels = call.deps.telephony.labels(call.language)
    seen = order_view(order, await call_views(conn, call.actor, records, labels), call.language)
    return seen.model_copy(update={"masked": covered})


ROUTES = (
    Route("orders.list", "GET", "/api/orders", search, "Search orders.", query=OrderQuery, answer=OrderPage),
    Route("orders.show", "GET", _ONE, show, "One order.", answer=Order),
    Route("orders.trail", "GET", f"{_ONE}/trail", trail, "Its track, nine fields a node.", answer=OrderTrack),
    Route(
        "personal.uncover",
        "POST",
        f"{_ONE}/uncover",
        uncover,
        "One order in full, for a reason.",
        body=UncoverOrder,
        answer=Order,
    ),
    Route(
        "orders.create",
        "POST",
        "/api/orders",
        create,
        "A draft from paper or a visitor.",
        body=CreateOrder,
        answer=Order,
        status=201,
        idempotent=True,
    ),
    Route("orders.edit", "PATCH", _ONE, edit, "Change fields of a draft.", body=EditOrder, answer=Order),
    Route(
        "orders.submit",
        "POST",
        f"{_ONE}/submit",
        submit,
        "Submit a draft.",
        body=SubmitOrder,
        answer=Order,
        idempotent=True,
    ),
    Route(
        "orders.no_order",
        "POST",
        f"{_ONE}/no-order",
        no_order,
        "End without order.",
        body=NoOrder,
        answer=Order,
        idempotent=True,
    ),
    Route(
        "orders.merge",
        "POST",
        f"{_ONE}/merge",
        merge,
        "Merge into an open order.",
        body=MergeOrder,
        answer=Order,
        idempotent=True,
    ),
)
