"""`/api/events`: the agent's events as server-sent events, resumed after the last id or begun with a snapshot."""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web
from pydantic import Field

from cti.hub import Dropped, Subscription, frame
from cti.web.agents import agent_view
from cti.web.auth import still_valid
from cti.web.route import Call, Route
from cti.web.schemas.common import Input
from cti.web.schemas.pop import Snapshot

__all__ = ["HEARTBEAT", "ROUTES"]

log = structlog.get_logger(__name__)

#: seconds of silence after which a comment is sent, so that both ends know the line is alive
HEARTBEAT = 15.0
#: seconds one write may take before the browser counts as gone
WRITE_DEADLINE = 10.0


class EventsQuery(Input):
    """Where to go on."""

    #: the last id the page kept
    last: str | None = Field(default=None, max_length=64)


async def stream(call: Call) -> web.StreamResponse:
    """Send what the agent must see until the browser, the sign-in or the service ends."""
    assert call.signed_in is not None
    last = call.filters(EventsQuery).last or call.request.headers.get("Last-Event-ID")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    transport = call.request.transport
    abort: Callable[[], None] = transport.abort if transport is not None else lambda: None
    subscription = call.deps.hub.subscribe(call.actor.number, last, session=call.signed_in.session, on_drop=abort)
    try:
        first = await snapshot(call, subscription) if subscription.fresh else b": resumed\n\n"
        await response.prepare(call.request)
        await _write(response, first)
        while True:
            chunk = await subscription.next(HEARTBEAT)
            if chunk is None and not await still_valid(call.deps, call.signed_in, call.deps.clock()):
                break
            await _write(response, chunk or b": \n\n")
    except (Dropped, ConnectionError, TimeoutError):
        log.debug("stream.ended", agent=call.actor.number)
    finally:
        subscription.close()
    return response


async def snapshot(call: Call, subscription: Subscription) -> bytes:
    """Everything a page needs to draw itself; taken after subscribing, so that nothing falls between."""
    number, telephony = call.actor.number, call.deps.telephony
    position = subscription.position
    data = Snapshot(
        agent=await agent_view(call.deps, number),
        pop=await telephony.current_pop(number),
        missed_pops=list(await telephony.missed_pops(number)),
    )
    return frame(position, "snapshot", data.model_dump_json().encode())


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_DEADLINE):
        await response.write(data)


ROUTES = (
    Route(
        "events",
        "GET",
        "/api/events",
        stream,
        "The signed-in person's live events.",
        query=EventsQuery,
        media_type="text/event-stream",
    ),
)
