"""The listening socket: caps on connections, deadlines for headers that never end and answers nobody reads (S23).

aiohttp's own default waits an hour for a half-sent header; its keep-alive clock, set short, is the deadline: a
connection without a complete request is closed `HEADER_DEADLINE` seconds after it opened or after its last answer. Of
an answer some 50 KiB must be taken in every `READ_DEADLINE`; a refused body is listened to for `UNWANTED` seconds.
"""

import asyncio
import socket
import ssl
from collections import Counter
from contextlib import suppress
from ipaddress import ip_address

import structlog
from aiohttp import web

__all__ = ["CONNECTIONS", "HEADER_DEADLINE", "PER_ADDRESS", "Listener", "is_loopback", "reached_by"]

log = structlog.get_logger(__name__)

HEADER_DEADLINE = 20.0
#: seconds a client may leave an answer lying
READ_DEADLINE = 30.0
#: seconds for which the rest of a refused body is read, so that its sender gets to see the answer
UNWANTED = 2.0
#: seconds a TLS handshake may take
HANDSHAKE_DEADLINE = 10.0
#: connections at once; and from one address (an office may share one)
CONNECTIONS = 4000
PER_ADDRESS = 2000


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def reached_by(host: str) -> str:
    """What a browser names the machine that listens at `host`: of all addresses, the one on the local network."""
    if is_loopback(host):
        return "localhost"
    if host not in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return host
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # chooses a route; nothing is sent
        return str(probe.getsockname()[0])
    return socket.gethostname()


class _Counted(asyncio.Protocol):
    """One connection in front of aiohttp's protocol: refused at once when there are too many."""

    def __init__(self, inner: asyncio.Protocol, listener: "Listener") -> None:
        self._inner = inner
        self._listener = listener
        self._address: str | None = None
        self._transport: asyncio.Transport | None = None
        self._left_lying: asyncio.TimerHandle | None = None
        self.data_received = inner.data_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, or end it."""
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        if self._listener.admit(address):
            self._address = address
            self._transport = transport
            self._inner.connection_made(transport)
        else:
            transport.abort()

    def pause_writing(self) -> None:
        """The client does not take what it asked for: it has so long."""
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            self._left_lying = loop.call_later(self._listener.read_deadline_s, self._transport.abort)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """It does."""
        self._forget_deadline()
        self._inner.resume_writing()

    def _forget_deadline(self) -> None:
        if self._left_lying is not None:
            self._left_lying.cancel()
            self._left_lying = None

    def eof_received(self) -> bool | None:
        """Pass on."""
        return self._inner.eof_received() if self._address is not None else None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._forget_deadline()
        if self._address is not None:
            self._listener.release(self._address)
            self._inner.connection_lost(exc)


class Listener:
    """One application on one address."""

    def __init__(
        self,
        app: web.Application,
        *,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        connections: int = CONNECTIONS,
        per_address: int = PER_ADDRESS,
        header_deadline_s: float = HEADER_DEADLINE,
        read_deadline_s: float = READ_DEADLINE,
    ) -> None:
        #: Seconds an answer may lie before its client is gone.
        self.read_deadline_s = read_deadline_s
        self._app = app
        self._host = host
        self._tls = tls
        self._caps = (connections, min(connections, per_address))
        self._open: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._runner = web.AppRunner(
            app, keepalive_timeout=header_deadline_s, access_log=None, shutdown_timeout=5.0, lingering_time=UNWANTED
        )
        #: The port it listens at; asked for as 0, the one the system chose.
        self.port = port
        #: Connections refused so far.
        self.refused = 0
        self._turns_away = False

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        await self._runner.setup()
        inner = self._runner.server
        assert inner is not None
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Counted(inner(), self),
                self._host,
                self.port,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_DEADLINE if self._tls is not None else None,
                backlog=512,
            )
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("web.listening", host=self._host, port=self.port, tls=self._tls is not None)

    async def stop(self) -> None:
        """Take no new connection, end streams, let requests in work finish for up to five seconds."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    @property
    def load(self) -> tuple[int, int, int]:
        """Connections that are open, that may be, and that were turned away so far."""
        return self._open.total(), self._caps[0], self.refused

    def admit(self, address: str) -> bool:
        """Whether one more connection from here is taken; the first that is not after a taken one is in the log."""
        total, each = self._caps
        if self._open.total() >= total or self._open[address] >= each:
            self.refused += 1
            if not self._turns_away:
                log.warning("web.full", open=self._open.total(), most=total, of_one_address=each)
            self._turns_away = True
            return False
        self._turns_away = False
        self._open[address] += 1
        return True

    def release(self, address: str) -> None:
        """One connection less."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]
