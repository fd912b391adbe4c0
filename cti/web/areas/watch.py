"""For machines that watch us: whether we live, whether callers can be served from here, and everything as numbers.

These addresses are outside the described interface: a load balancer or Prometheus names any host and has no cookie.
"""

import hmac
from ipaddress import ip_address

from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from cti.web.areas.pops import LATENCIES
from cti.web.route import Call, Route
from ticketing.errors import Forbidden

__all__ = ["ROUTES", "may_read"]

#: what a proxy adds: behind one, everybody comes from this machine
_PROXIED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")


async def live(call: Call) -> web.Response:
    """200 while this process answers at all; nothing is looked at."""
    return web.Response(text="live\n")


async def ready(call: Call) -> web.Response:
    """200 while callers can be served from here (link up, menus listening, ours to act), else 503; from memory."""
    good = call.deps.telephony.serving
    return web.Response(text="ready\n" if good else "not ready\n", status=200 if good else 503)


async def metrics(call: Call) -> web.Response:
    """Everything as numbers (Prometheus, text format); for this machine, or for who has the token."""
    request = call.request
    proxied = any(name in request.headers for name in _PROXIED)
    if not may_read(request.headers.get("Authorization"), call.deps.metrics_token, request.remote, proxied=proxied):
        raise Forbidden
    told = await call.deps.telephony.metrics(await request.app[LATENCIES].values())
    return web.Response(body=told, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


def may_read(authorization: str | None, token: str, remote: str | None, *, proxied: bool) -> bool:
    """With a token: who sends it. Without one: this machine only, and nothing that a proxy passed on. Pure."""
    if token:
        kind, _, sent = (authorization or "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(sent.encode(), token.encode())
    try:
        return not proxied and remote is not None and ip_address(remote).is_loopback
    except ValueError:
        return False


ROUTES = (
    Route("live", "GET", "/live", live, "Whether this process answers.", hidden=True),
    Route("ready", "GET", "/ready", ready, "Whether callers can be served from here.", hidden=True),
    Route("metrics", "GET", "/metrics", metrics, "Everything as numbers.", hidden=True),
)
