"""Calls: one's own recent ones, and one call."""

from pydantic import Field

from cti import store
from cti.web.callviews import call_views, order_of_call
from cti.web.route import Call, Route
from cti.web.schemas.calls import CallList, CallView, Disconnect
from cti.web.schemas.common import Input
from ticketing import audit, taxonomy
from ticketing.days import day_of
from ticketing.errors import Forbidden, NotFound
from ticketing.roles import Action, may

__all__ = ["ROUTES"]

_ONE = "/api/calls/{call_id:[A-Za-z0-9_.-]{1,80}}"


class CallQuery(Input):
    """Whose calls."""

    mine: bool = True
    limit: int = Field(default=20, ge=1, le=200)


async def recent(call: Call) -> CallList:
    """Calls this person answered, newest first; `mine=false` gives everybody's to who may see them."""
    asked = call.filters(CallQuery)
    if not asked.mine and not may(call.actor.posts, Action.VIEW_ALL_CALLS):
        raise Forbidden
    async with call.deps.database.read() as conn:
        records = await store.recent(conn, agent=call.actor.number if asked.mine else None, limit=asked.limit)
        views = await call_views(conn, call.actor, records, call.deps.telephony.labels(call.language))
    ids = [view.call_id for view in views]
    await call.looked_up("call.listed", "call", "list", conditions=asked.model_dump(), ids=ids)
    return CallList(items=views)


async def show(call: Call) -> CallView:
    """One call: one's own, one of an order one may see, or any for who may see all."""
    call_id, actor = call.part("call_id"), call.actor
    async with call.deps.database.read() as conn:
        record = await store.get(conn, call_id)
        if record is None:
            raise NotFound
        mine = actor.number in {record.answered_by, *(offer.agent for offer in record.offers)}
        if not mine and not may(actor.posts, Action.VIEW_ALL_CALLS) and not await order_of_call(conn, actor, call_id):
            raise NotFound
        view = (await call_views(conn, actor, [record], call.deps.telephony.labels(call.language)))[0]
    await call.looked_up("call.read", "call", call_id, ids=[call_id])
    return view


async def disconnect(call: Call) -> None:
    """End a call that is up, for a coded reason (强拆, PX-04): who did it and why is written before it is done."""
    given, call_id = call.input(Disconnect), call.part("call_id")
    call.deps.telephony.require_up(call_id)
    async with call.deps.database.write() as conn:
        await taxonomy.leaf(conn, "disconnect_reason", given.reason, day_of(call.now), field="reason")
        said = {"reason": given.reason, "note": given.note}
        await audit.record(conn, call.actor, "call.disconnected", "call", call_id, said, call.now)
    await call.deps.telephony.disconnect(call_id, call.actor.number)


ROUTES = (
    Route("calls.list", "GET", "/api/calls", recent, "Recent calls.", query=CallQuery, answer=CallList),
    Route("calls.show", "GET", _ONE, show, "One call.", answer=CallView),
    Route("calls.disconnect", "POST", f"{_ONE}/disconnect", disconnect, "End a call.", body=Disconnect, status=204),
)
