"""The browser phone's socket: relayed both ways, for its owner's number only, for as long as he is signed in (S11)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web
from pytest_aiohttp.plugin import AiohttpServer

from cti.web.areas import phone
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock, FakeTelephony

REGISTER = (
    "REGISTER sip:hotline SIP/2.0\r\nFrom: <sip:{number}@hotline>;tag=a\r\nTo: <sip:{number}@hotline>\r\n"
    "Call-ID: x\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)
INVITE = "INVITE sip:1001@x SIP/2.0\r\nFrom: <sip:13800138000@h>\r\nTo: <sip:1001@h>\r\n\r\n"


class Exchange:
    """Asterisk's WebSocket as far as this matters."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.sockets: list[web.WebSocketResponse] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            await self.heard.put(message.data)
            await socket.send_str(INVITE)
        return socket


@pytest.fixture
async def exchange(aiohttp_server: AiohttpServer, telephony: FakeTelephony) -> AsyncIterator[Exchange]:
    """An exchange that answers every message with a call."""
    made = Exchange()
    app = web.Application()
    app.router.add_get("/ws", made.serve)
    server = await aiohttp_server(app)
    telephony.backend = f"ws://{server.host}:{server.port}/ws"
    yield made
    for socket in made.sockets:
        await socket.close()


async def dial(browser: Browser, origin: str | None = None) -> ClientWebSocketResponse:
    """Open the socket as JsSIP does."""
    return await browser.client.ws_connect("/sip", protocols=("sip",), origin=origin or browser.origin)


async def closed_with(socket: ClientWebSocketResponse) -> int | None:
    """The code the server closes with."""
    async with asyncio.timeout(5):
        while (await socket.receive()).type not in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR}:
            pass
    return socket.close_code


async def test_messages_pass_both_ways(agent: Browser, exchange: Exchange) -> None:
    socket = await dial(agent)
    assert socket.protocol == "sip"
    await socket.send_str(REGISTER.format(number="1001"))
    async with asyncio.timeout(5):
        assert await exchange.heard.get() == REGISTER.format(number="1001")
        assert (await socket.receive()).data == INVITE
    await socket.close()


@pytest.mark.parametrize("message", [REGISTER.format(number="1002"), "GET / HTTP/1.1\r\n\r\n", "x" * 100])
async def test_another_number_never_reaches_the_exchange(agent: Browser, exchange: Exchange, message: str) -> None:
    socket = await dial(agent)
    await socket.send_str(message)
    assert await closed_with(socket) == 1008
    assert exchange.heard.empty()


async def test_too_long_a_message_closes_the_socket(agent: Browser, exchange: Exchange) -> None:
    socket = await dial(agent)
    await socket.send_str(REGISTER.format(number="1001") + "x" * 40_000)
    assert await closed_with(socket) == 1009
    assert exchange.heard.empty()


async def test_bytes_are_no_sip_here(agent: Browser, exchange: Exchange) -> None:
    socket = await dial(agent)
    await socket.send_bytes(b"\x00")
    assert await closed_with(socket) == 1003


@pytest.mark.req("S11")
async def test_only_our_page_and_only_who_takes_calls(
    agent: Browser, visitor: Browser, open_browser: MakeBrowser, exchange: Exchange
) -> None:
    supervisor = await open_browser("3001")
    for browser, origin, status in (
        (agent, "http://evil.example", 403), (visitor, None, 401), (supervisor, None, 403),
    ):  # fmt: skip
        with pytest.raises(WSServerHandshakeError) as refused:
            await dial(browser, origin)
        assert refused.value.status == status
    no_origin = await agent.get("/sip", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert no_origin.status == 403
    assert (await agent.get("/sip", headers={"Origin": agent.origin})).status == 400


async def test_a_silent_exchange_is_said(agent: Browser, telephony: FakeTelephony) -> None:
    for address in ("", "ws://127.0.0.1:9/ws"):
        telephony.backend = address
        with pytest.raises(WSServerHandshakeError) as refused:
            await dial(agent)
        assert refused.value.status == 503


async def test_signing_out_hangs_up_the_socket(agent: Browser, exchange: Exchange) -> None:
    socket = await dial(agent)
    await agent.send("DELETE", "/api/session")
    assert await closed_with(socket) == 4002


async def test_an_ended_session_hangs_up_the_socket(
    agent: Browser, exchange: Exchange, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "LOOK", 0.02)
    socket = await dial(agent)
    clock.advance(hours=13)
    assert await closed_with(socket) == 1000


async def test_when_the_exchange_goes_the_socket_goes(agent: Browser, exchange: Exchange) -> None:
    socket = await dial(agent)
    await socket.send_str("\r\n\r\n")
    async with asyncio.timeout(5):
        await exchange.heard.get()
    await exchange.sockets[0].close()
    assert await closed_with(socket) == 1000


async def test_the_oldest_of_too_many_sockets_goes(agent: Browser, exchange: Exchange) -> None:
    sockets = [await dial(agent) for _ in range(phone.PER_AGENT + 1)]
    assert await closed_with(sockets[0]) == 4001
    await sockets[-1].send_str("\r\n\r\n")
    async with asyncio.timeout(5):
        await exchange.heard.get()
