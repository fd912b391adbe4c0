"""Pages of other origins in a real browser in which somebody is signed in here: they read nothing, change nothing and
show nothing of ours (S11, S12)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest
from aiohttp import web
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page
from pytest_aiohttp.plugin import AiohttpServer
from sqlalchemy import select

from cti.web.catalogue import ROUTES
from cti.web.deps import WebDeps
from cti.web.policy import POLICY, Access
from cti.web.server import build_app
from tests.system.browser import chromium, program
from tests.web.fakes import PASSWORD, FakeTelephony
from tests.web.test_page_policy import DIST
from tests.web.test_phone import Exchange, exchange
from tests.web.test_policy import example_body, example_path
from ticketing.db import Database, metadata

__all__ = ["exchange"]

pytestmark = pytest.mark.system

#: what a browser calls the foreign page's host, and whether it counts as the same site: then our cookie is sent
ORIGINS: Final = {"localhost": True, "127.0.0.1": False, "hotline.localhost": False}

#: tries everything a page can without its visitor's help, and tells what gave it anything
_ATTACK: Final = """
async ({ victim, routes, script }) => {
    const gained = []
    const attempt = async (name, trying) => {
        try {
            const got = await trying
            if (got) gained.push(name)
        } catch { /* refused */ }
    }
    const body = (route) => route.body === null ? undefined : JSON.stringify(route.body)
    const loads = (tag, attributes) => new Promise((done) => {
        const element = Object.assign(document.createElement(tag), attributes)
        element.onload = element.onloadedmetadata = () => done(true)
        element.onerror = () => done(false)
        document.body.append(element)
    })
    for (const route of routes) {
        const address = victim + route.path, reads = route.method === 'GET'
        const plain = { method: reads ? 'GET' : 'POST', credentials: 'include', body: reads ? undefined : body(route) }
        await attempt(`blind ${route.name}`, fetch(address, { ...plain, mode: 'no-cors' }).then(async (answer) =>
            answer.type !== 'opaque' || (await answer.text()) !== ''))
        await attempt(`read ${route.name}`, fetch(address, { ...plain, mode: 'cors' }).then((answer) => answer.text()))
        if (reads) continue
        await attempt(`write ${route.name}`, fetch(address, {
            method: route.method, credentials: 'include', body: body(route),
            headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': 'guess' },
        }).then((answer) => answer.ok))
        navigator.sendBeacon(address, body(route))
    }
    await attempt('socket', new Promise((done) => {
        const socket = new WebSocket(victim.replace('http', 'ws') + '/sip', 'sip')
        socket.onopen = () => done(true)
        socket.onerror = socket.onclose = () => done(false)
    }))
    await attempt('stream', new Promise((done) => {
        const stream = new EventSource(victim + '/api/events', { withCredentials: true })
        stream.onopen = stream.onmessage = () => { stream.close(); done(true) }
        stream.onerror = () => { stream.close(); done(false) }
    }))
    await attempt('script', loads('script', { src: victim + script }))
    await attempt('json script', loads('script', { src: victim + '/api/session' }))
    await attempt('style', loads('link', { rel: 'stylesheet', href: victim + script.replace(/js$/, 'css') }))
    await attempt('image', loads('img', { src: victim + '/api/session' }))
    await attempt('sound', loads('audio', { src: victim + '/media/x.y' }))
    return gained
}
"""
#: the same from a page that has no origin of its own
_SANDBOX: Final = """
(given) => new Promise((done) => {
    addEventListener('message', (event) => done(event.data), { once: true })
    const frame = document.createElement('iframe')
    frame.sandbox = 'allow-scripts'
    frame.srcdoc = `<body><script>(ATTACK)(${JSON.stringify(given)}).then((it) => parent.postMessage(it, '*'))</script>`
    document.body.append(frame)
})
""".replace("ATTACK", _ATTACK.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${"))
#: forms that nobody pressed, each with its answer in a frame; resolves when every frame has its answer
_FORMS: Final = """
async ({ victim, routes }) => {
    await Promise.all(routes.map((route, place) => new Promise((done) => {
        const frame = document.createElement('iframe')
        frame.name = `frame-${place}`
        document.body.append(frame)
        const form = document.createElement('form')
        Object.assign(form, { method: 'post', action: victim + route.path, target: frame.name, enctype: 'text/plain' })
        const field = document.createElement('input')
        // the one equals sign of this encoding is part of a field's text
        const json = JSON.stringify({ ...route.body, x: '' }), cut = json.lastIndexOf('"')
        Object.assign(field, { type: 'hidden', name: json.slice(0, cut), value: json.slice(cut) })
        form.append(field)
        document.body.append(form)
        frame.onload = done
        form.submit()
    })))
}
"""
_FRAMES: Final = """
async (addresses) => {
    await Promise.all(addresses.flatMap((address) => ['iframe', 'object', 'embed'].map((tag) => new Promise((done) => {
        const element = document.createElement(tag)
        element[tag === 'object' ? 'data' : 'src'] = address
        element.onload = element.onerror = done
        document.body.append(element)
    }))))
}
"""


@dataclass
class Victim:
    """The application, a browser in which 1001 is signed in, and every request it was sent."""

    origin: str
    context: BrowserContext
    database: Database
    telephony: FakeTelephony
    #: (method, path, status, whether it came from another page, whether it brought the cookie, its origin)
    asked: list[tuple[str, str, int, bool, bool, str | None]] = field(default_factory=list)

    async def state(self) -> str:
        """A digest of every row, and what the telephone side was told."""
        digest = hashlib.sha256(repr(self.telephony.told).encode())
        async with self.database.read() as conn:
            for table in metadata.sorted_tables:
                digest.update(repr(sorted(map(repr, await conn.execute(select(table))))).encode())
        return digest.hexdigest()

    def record(self, request: web.Request, answer: web.StreamResponse) -> None:
        """One request and its answer."""
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        foreign = (origin is not None and origin != self.origin) or site in {"cross-site", "same-site"}
        self.asked.append((request.method, request.path, answer.status, foreign, "hotline" in request.cookies, origin))


@asynccontextmanager
async def visited(aiohttp_server: AiohttpServer, deps: WebDeps, telephony: FakeTelephony) -> AsyncIterator[Victim]:
    """1001 has signed in and closed the page; the cookie is still there."""
    program()
    app = build_app(replace(deps, desk=DIST))
    asked: list[Victim] = []

    async def record(request: web.Request, answer: web.StreamResponse) -> None:
        for victim in asked:
            victim.record(request, answer)

    app.on_response_prepare.append(record)
    server = await aiohttp_server(app)
    origin = f"http://localhost:{server.port}"
    async with chromium() as browser:
        context = await _signed_in(browser, origin)
        asked.append(Victim(origin, context, deps.database, telephony))
        yield asked[0]
        await context.close()


async def _signed_in(browser: Chromium, origin: str) -> BrowserContext:
    context = await browser.new_context()
    answer = await context.request.post(
        f"{origin}/api/session", data={"number": "1001", "password": PASSWORD}, headers={"Origin": origin}
    )
    assert answer.status == 200
    return context


async def _foreign(aiohttp_server: AiohttpServer, context: BrowserContext, name: str) -> Page:
    """A page of somebody else, without a policy of its own."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>x</title><body>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    server = await aiohttp_server(app)
    opened = await context.new_page()
    await opened.goto(f"http://{name}:{server.port}/")
    return opened


def _script() -> str:
    """A script of the built desk."""
    return "/" + str(next((DIST / "assets").glob("index-*.js")).relative_to(DIST))


def _given(victim: Victim) -> dict[str, Any]:
    """Every route of the interface with a body that its description shows."""
    routes = [
        {"name": route.name, "method": route.method, "path": example_path(route), "body": example_body(route)}
        for route in ROUTES
        if not route.hidden and route.name != "phone.socket"
    ]
    assert len(routes) > 150
    return {"victim": victim.origin, "routes": routes, "script": _script()}


@pytest.mark.req("S11", "S12")
@pytest.mark.parametrize("name", ORIGINS)
async def test_a_foreign_page_reads_and_changes_nothing(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, telephony: FakeTelephony, exchange: Exchange, name: str
) -> None:
    """The routes by fetch with the visitor's cookies, as a beacon and as a form, the stream, the phone's socket, our
    scripts and answers as scripts, pictures and sounds of its own; and the same from a page without an origin."""
    async with visited(aiohttp_server, deps, telephony) as victim:
        before, given = await victim.state(), _given(victim)
        given["routes"] = given["routes"][:: 1 if ORIGINS[name] else 4]
        page = await _foreign(aiohttp_server, victim.context, name)
        victim.asked.clear()
        gained = await page.evaluate(_ATTACK, given)
        assert gained == []
        assert await page.evaluate(_SANDBOX, given | {"routes": given["routes"][::10]}) == []
        writes = [route for route in given["routes"] if route["method"] != "GET"]
        await page.evaluate(_FORMS, given | {"routes": writes[::5]})
        assert _shown(page, victim.origin) == []
        assert await victim.state() == before
    assert exchange.sockets == []
    assert telephony.told == []
    public = {example_path(route) for route in ROUTES if POLICY[route.name] is Access.PUBLIC and not route.writes}
    came = [each for each in victim.asked if each[3] and not each[1].startswith("/assets/")]
    assert [each for each in came if each[2] < 400 and not (each[0] == "GET" and each[1] in public)] == []
    assert len({each[1] for each in came}) > len(given["routes"]) // 2
    assert {each[1] for each in came if each[5] == "null"}
    # from the same site the cookie comes along: there only the origin keeps the page out
    assert any(each[4] for each in came) is ORIGINS[name]


@pytest.mark.req("S12")
@pytest.mark.parametrize("name", ORIGINS)
async def test_no_foreign_page_frames_ours_or_keeps_a_hand_on_its_window(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, telephony: FakeTelephony, name: str
) -> None:
    async with visited(aiohttp_server, deps, telephony) as victim:
        page = await _foreign(aiohttp_server, victim.context, name)
        addresses = [victim.origin + path for path in ("/", "/login", "/orders", "/api/health", _script())]
        await page.evaluate(_FRAMES, addresses)
        assert len(page.frames) > len(addresses)
        assert _shown(page, victim.origin) == []
        async with victim.context.expect_page() as opening:
            await page.evaluate("(address) => { window.theirs = open(address) }", victim.origin + "/")
        opened = await opening.value
        await opened.get_by_test_id("who").wait_for()
        assert await opened.evaluate("window.opener") is None
        assert await page.evaluate("window.theirs.closed")


async def test_our_own_page_can_do_all_that(
    aiohttp_server: AiohttpServer, deps: WebDeps, *, telephony: FakeTelephony, exchange: Exchange
) -> None:
    """The attack is one: from our own origin it reads, opens the stream and the socket, and frames are counted."""
    async with visited(aiohttp_server, deps, telephony) as victim:
        page = await victim.context.new_page()
        await page.goto(f"{victim.origin}{_script()}")
        given = _given(victim)
        few = [route for route in given["routes"] if route["name"] in {"session.show", "agent.show", "health"}]
        gained = await page.evaluate(_ATTACK, given | {"routes": few})
        assert {"read session.show", "socket", "stream"} <= set(gained)
        other = await _foreign(aiohttp_server, victim.context, "localhost")
        address = other.url
        await other.evaluate(_FRAMES, [address])
        assert len(_shown(other, address.rstrip("/"))) >= 1
    assert len(exchange.sockets) == 1


def _shown(page: Page, origin: str) -> list[str]:
    """Frames of this page that hold something of ours."""
    return [frame.url for frame in page.frames if frame != page.main_frame and frame.url.startswith(origin)]
