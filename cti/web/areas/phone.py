"""The browser phone: its short-lived secret, and its SIP over WebSocket relayed to Asterisk through our origin."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, ClientWebSocketResponse, WSMsgType, web

from cti.web.auth import still_valid
from cti.web.errors import BadRequest
from cti.web.route import Call, Route
from cti.web.schemas.agent import PhoneCredentials
from cti.web.sip import MESSAGE_CAP, acceptable
from ticketing.errors import Unavailable

__all__ = ["ROUTES", "SOCKETS", "Sockets", "sockets"]

log = structlog.get_logger(__name__)

#: sockets one agent may have: a page that reloads opens its second before the first is gone
PER_AGENT = 3
#: seconds between two looks at whether the sign-in still holds
LOOK = 15.0
#: seconds Asterisk may take to open its side
OPEN_DEADLINE = 3.0


class Sockets:
    """Phones connected now, by agent; they end with the sign-in they began with."""

    def __init__(self) -> None:
        self._open: dict[str, list[tuple[str, web.WebSocketResponse]]] = defaultdict(list)

    async def add(self, number: str, session: str, socket: web.WebSocketResponse) -> None:
        """One more; the oldest of too many is closed."""
        mine = self._open[number]
        mine.append((session, socket))
        if len(mine) > PER_AGENT:
            await mine.pop(0)[1].close(code=4001, message=b"replaced")

    def remove(self, number: str, socket: web.WebSocketResponse) -> None:
        """One less."""
        left = [entry for entry in self._open[number] if entry[1] is not socket]
        if left:
            self._open[number] = left
        else:
            self._open.pop(number, None)

    async def disconnect(self, session: str) -> None:
        """Close the phones of one sign-in (logout)."""
        for entries in list(self._open.values()):
            for owner, socket in list(entries):
                if owner == session:
                    await socket.close(code=4002, message=b"signed out")

    async def close(self) -> None:
        """Close all: the service stops."""
        for entries in list(self._open.values()):
            for _, socket in list(entries):
                await socket.close(code=1001, message=b"going away")


SOCKETS = web.AppKey("sockets", Sockets)
_CLIENT = web.AppKey("sip_client", ClientSession)


async def sockets(app: web.Application) -> AsyncIterator[None]:
    """The relay's own client, for as long as the application lives."""
    app[SOCKETS] = Sockets()
    async with ClientSession(timeout=ClientTimeout(total=None, connect=OPEN_DEADLINE)) as client:
        app[_CLIENT] = client
        yield


async def create(call: Call) -> PhoneCredentials:
    """A fresh secret for the signed-in agent's browser phone."""
    return await call.deps.telephony.phone_credentials(call.actor)


async def relay(call: Call) -> web.StreamResponse:
    """Carry SIP messages both ways between this agent's page and Asterisk."""
    request = call.request
    socket = web.WebSocketResponse(protocols=("sip",), max_msg_size=MESSAGE_CAP, heartbeat=20.0, compress=False)
    if not socket.can_prepare(request).ok:
        raise BadRequest
    backend = await connect(call)
    try:
        await socket.prepare(request)
        assert call.signed_in is not None
        await request.app[SOCKETS].add(call.actor.number, call.signed_in.session, socket)
        try:
            await carry(call, socket, backend)
        finally:
            request.app[SOCKETS].remove(call.actor.number, socket)
            await socket.close()
    finally:
        await backend.close()
    return socket


async def connect(call: Call) -> ClientWebSocketResponse:
    """Asterisk's side; raises Unavailable when it does not open."""
    address = call.deps.telephony.sip_address()
    try:
        async with asyncio.timeout(OPEN_DEADLINE):
            return await call.request.app[_CLIENT].ws_connect(
                address, protocols=("sip",), max_msg_size=4 * MESSAGE_CAP, compress=0
            )
    except (ClientError, OSError, TimeoutError):
        raise Unavailable from None


async def carry(call: Call, socket: web.WebSocketResponse, backend: ClientWebSocketResponse) -> None:
    """Relay until either side or the sign-in ends."""
    assert call.signed_in is not None
    tasks = [
        asyncio.create_task(upward(call.actor.number, socket, backend)),
        asyncio.create_task(downward(socket, backend)),
    ]
    try:
        while not (await asyncio.wait(tasks, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED))[0]:
            if not await still_valid(call.deps, call.signed_in, call.deps.clock()):
                break
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception) and not isinstance(error, (ConnectionError, ClientError)):
            raise error


async def upward(number: str, socket: web.WebSocketResponse, backend: ClientWebSocketResponse) -> None:
    """From the page: only what a phone of this number may say."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            await socket.close(code=1003, message=b"text only")
            return
        if not acceptable(message.data, number):
            log.warning("phone.refused", agent=number)
            await socket.close(code=1008, message=b"not allowed")
            return
        await backend.send_str(message.data)


async def downward(socket: web.WebSocketResponse, backend: ClientWebSocketResponse) -> None:
    """From Asterisk, as it comes."""
    async for message in backend:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)


ROUTES = (
    Route("phone.create", "POST", "/api/phone", create, "A fresh secret of my browser phone.", answer=PhoneCredentials),
    Route(
        "phone.socket",
        "GET",
        "/sip",
        relay,
        "SIP over WebSocket (sub-protocol `sip`) to the exchange.",
        media_type="application/sip",
        origin_demanded=True,
    ),
)
