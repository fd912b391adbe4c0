"""The web application: every route behind one pipeline of checks, every answer with the same headers and errors."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from cti.web import errors
from cti.web.announce import announce
from cti.web.areas.exports import EXPORTS, Exports
from cti.web.areas.phone import SOCKETS, sockets
from cti.web.areas.pops import LATENCIES
from cti.web.auth import signed_in
from cti.web.body import BODY_CAP, parse, parse_query, read_body, read_upload
from cti.web.catalogue import ROUTES
from cti.web.deps import DEPS, WebDeps
from cti.web.idempotency import once
from cti.web.masking import covered, reader_of
from cti.web.messages import language_of
from cti.web.policy import POLICY, Access, allowed, check_complete
from cti.web.pop_latency import Latencies
from cti.web.route import Call, Reply, Route
from cti.web.security import CSRF_HEADER, check_origin, csrf_ok, harden
from ticketing.errors import Forbidden, HotlineError, Invalid, NotSignedIn

__all__ = ["build_app"]

log = structlog.get_logger(__name__)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_REQUEST_ID = web.RequestKey("request_id", str)
_ROUTE = web.RequestKey("route", str)
_NUMBER = web.RequestKey("number", str)


def build_app(deps: WebDeps) -> web.Application:
    """The application; raises LookupError when a route has no policy."""
    check_complete({route.name for route in ROUTES})
    app = web.Application(middlewares=[envelope], client_max_size=BODY_CAP)
    app[DEPS] = deps
    app[LATENCIES] = Latencies(deps.database)
    app[EXPORTS] = Exports()
    app.cleanup_ctx.append(sockets)
    for route in ROUTES:
        bound = bind(route)
        if route.method == "GET":
            app.router.add_get(route.path, bound, allow_head=route.hidden)
        else:
            app.router.add_route(route.method, route.path, bound)
    app.on_response_prepare.append(_harden)
    app.on_shutdown.append(_end_streams)
    return app


def bind(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route with everything that runs around its handler."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request[_ROUTE] = route.name
        call = Call(
            request,
            request.app[DEPS],
            request.app[DEPS].clock(),
            request[_REQUEST_ID],
            language_of(request.headers.get("Accept-Language", "")),
        )
        if not route.hidden:
            check_site(route, call)
            call.signed_in = await signed_in(call)
            authorise(route, call)
            await read(route, call)
        result = await (once(call, route) if route.idempotent else route.handler(call))
        if call.changes:
            await announce(call.deps, call.changes)
        return answer(route, result, call)

    return handle


def check_site(route: Route, call: Call) -> None:
    """Refuse a host that is not ours, and what pages of other sites send."""
    request, deps = call.request, call.deps
    name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    if deps.hosts and name.lower() not in deps.hosts | _LOOPBACK:
        raise errors.BadRequest
    if route.writes or route.origin_demanded or POLICY[route.name] is not Access.PUBLIC:
        check_origin(
            request.headers,
            host=request.host,
            secure=deps.secure,
            allowed=deps.origins,
            demanded=route.origin_demanded,
        )


def authorise(route: Route, call: Call) -> None:
    """Who may: the policy table, then the token of his page. Raises NotSignedIn or Forbidden."""
    needs = POLICY[route.name]
    who = call.signed_in
    if who is not None:
        call.request[_NUMBER] = who.actor.number
    if needs is Access.PUBLIC:
        return
    if who is None:
        raise NotSignedIn
    if not allowed(who.actor, needs):
        raise Forbidden
    if route.writes and not csrf_ok(who.csrf_token, call.request.headers.get(CSRF_HEADER)):
        raise Forbidden("bad_csrf", "This page is out of date; reload it and try again.")


async def read(route: Route, call: Call) -> None:
    """Body and query into their models; what a route does not take is refused."""
    request = call.request
    if route.body is not None:
        call.body = parse(await read_body(request), route.body)
    elif route.upload_cap:
        call.upload = await read_upload(request, route.upload_cap)
    if route.query is not None:
        call.query = parse_query(list(request.query.items()), route.query)
    elif request.query:
        raise Invalid("unknown_field", field=next(iter(request.query)))


def answer(route: Route, result: object, call: Call) -> web.StreamResponse:
    """A handler's value as a response, covered as its reader's post says."""
    if isinstance(result, web.StreamResponse):
        return result
    reply = result if isinstance(result, Reply) else Reply(result, route.status)
    if reply.value is None and route.answer is None:
        response = web.Response(status=204, headers=reply.headers)
    else:
        response = web.Response(
            status=reply.status,
            body=reply.value if isinstance(reply.value, bytes) else route.encode(covered(reply.value, reader_of(call))),
            content_type="application/json",
            charset="utf-8",
            headers=reply.headers,
        )
    reply.finish(response)
    return response


@web.middleware
async def envelope(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every request has an id, every error a body, every answer a line in the log (numbers and queries stay out)."""
    request_id = request[_REQUEST_ID] = secrets.token_hex(8)
    language = language_of(request.headers.get("Accept-Language", ""))
    clock = asyncio.get_running_loop().time
    started = clock()
    response: web.StreamResponse
    try:
        response = await handler(request)
    except HotlineError as error:
        response = errors.render(error, language, request_id)
    except web.HTTPException as error:
        response = errors.from_http(error, language, request_id)
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("web.broken", request_id=request_id, route=request.get(_ROUTE))
        response = errors.internal(language, request_id)
    log.info(
        "web.request",
        request_id=request_id,
        route=request.get(_ROUTE),
        method=request.method,
        status=response.status,
        by=request.get(_NUMBER),
        ms=round((clock() - started) * 1000, 1),
    )
    return response


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    harden(response.headers, secure=request.app[DEPS].secure)
    if _REQUEST_ID in request:
        response.headers["X-Request-Id"] = request[_REQUEST_ID]


async def _end_streams(app: web.Application) -> None:
    app[DEPS].hub.close()
    await app[SOCKETS].close()
