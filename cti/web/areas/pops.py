"""How fast pops are painted: reported by every page, shown to the supervisor (TL-33)."""

from aiohttp import web

from cti.web.pop_latency import Latencies, measure, percentile
from cti.web.route import Call, Route
from cti.web.schemas.pop import Painted, PopLatency

__all__ = ["LATENCIES", "ROUTES"]

LATENCIES = web.AppKey("latencies", Latencies)


async def painted(call: Call) -> None:
    """The page has painted a pop; what is not in the log any more, or is no pop of this call, is not counted."""
    given = call.input(Painted)
    number = call.actor.number
    event = call.deps.hub.find(number, given.event_id)
    if event is None:
        return
    painting = measure(
        event, agent=number, call_id=call.part("call_id"), painted_at=given.painted_at, received_at=call.now
    )
    if painting is not None:
        await call.request.app[LATENCIES].add(painting)


async def latency(call: Call) -> PopLatency:
    """Figures over the last pops."""
    values = await call.request.app[LATENCIES].values()
    p50, p95, p99 = (percentile(values, share) for share in (0.50, 0.95, 0.99))
    return PopLatency(count=len(values), p50_ms=p50, p95_ms=p95, p99_ms=p99)


ROUTES = (
    Route(
        "pops.painted",
        "POST",
        "/api/pops/{call_id:[A-Za-z0-9_.-]{1,80}}/painted",
        painted,
        "The pop of this call is painted.",
        body=Painted,
    ),
    Route("pops.latency", "GET", "/api/pop-latency", latency, "How fast pops are painted.", answer=PopLatency),
)
