"""The FastAGI acceptor: deadline, caps and secret before a step runs, a closed socket after it, whatever happened.

Whenever a step does not end well `CTI_DONE` stays unset, and the dialplan's rescue path gives the caller a prompt.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Final, Protocol

import structlog

from ivr.agi import HEADER_LIMIT, AgiError, CallerHungUp, Header, HeaderError
from ivr.connection import AgiConnection, read_header

log = structlog.get_logger(__name__)

#: Seconds a peer has for its header (S08).
HEADER_DEADLINE_S: Final = 1.0
#: Seconds a closing socket may take before it is cut.
_CLOSE_DEADLINE_S: Final = 1.0


class Step(Protocol):
    """One step of a call, named by the last element of the address. Returns when it ended well."""

    async def __call__(self, line: AgiConnection) -> None: ...


class _Refused(Exception):
    """The connection is not one of our Asterisk's; the message is the counter it adds to."""


class FastAgiServer:
    """Listens for Asterisk on one port.

    `counts` says what became of the connections: done, hung_up, failed, and the refusals by reason.
    """

    def __init__(
        self,
        host: str,
        port: int,
        secret: str,
        steps: Mapping[str, Step],
        *,
        max_connections: int = 1000,
        header_deadline_s: float = HEADER_DEADLINE_S,
        header_limit: int = HEADER_LIMIT,
        on_refused: Callable[[str], None] = lambda why: None,
    ) -> None:
        """`on_refused` is told the reason of each refusal: wrong_secret, header_too_large, slow_header, ..."""
        self.counts: Counter[str] = Counter()
        self._host = host
        self._port = port
        self._secret = secret.encode()
        self._steps = dict(steps)
        self._max_connections = max_connections
        self._header_deadline_s = header_deadline_s
        self._header_limit = header_limit
        self._on_refused = on_refused
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def port(self) -> int:
        """The port that is listened on; the chosen one when 0 was asked for."""
        assert self._server is not None, "not started"
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def host(self) -> str:
        """The address that is listened at."""
        return self._host

    @property
    def listening(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None and self._server.is_serving()

    @property
    def connections(self) -> int:
        return len(self._sessions)

    async def idle(self) -> None:
        """Wait until no connection is open: a drained service may stop without a call noticing."""
        await self._idle.wait()

    async def start(self) -> None:
        """Listen; raises `OSError` when the port is taken."""
        self._server = await asyncio.start_server(self._accept, self._host, self._port, backlog=512)

    async def stop(self) -> None:
        """Stop listening and drop the steps that run: their callers are rescued by the dialplan."""
        if self._server is not None:
            self._server.close()
        running = tuple(self._sessions)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._sessions) >= self._max_connections:
            self._refuse("too_many")
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None, "runs as a task"
        self._sessions.add(task)
        self._idle.clear()
        try:
            await self._serve(reader, writer)
        finally:
            await _close(writer)
            self._sessions.discard(task)
            if not self._sessions:
                self._idle.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._header_deadline_s):
                header = await read_header(reader, self._header_limit)
            if header is None:
                self.counts["closed_early"] += 1
                return
            name = self._step_name(header)
            with closing(AgiConnection(reader, writer, header)) as line:
                await self._steps[name](line)
                await line.finish(name)
            self.counts["done"] += 1
        except TimeoutError:
            self._refuse("slow_header")
        except HeaderError as error:
            self._refuse(str(error))
        except _Refused as error:
            self._refuse(str(error))
        except (CallerHungUp, ConnectionError):
            self.counts["hung_up"] += 1
        except AgiError as error:
            self.counts["failed"] += 1
            log.error("ivr.step_failed", why=str(error))
        except Exception:
            self.counts["failed"] += 1
            log.exception("ivr.step_failed")

    def _refuse(self, why: str) -> None:
        self.counts[why] += 1
        log.warning("ivr.connection_refused", why=why)
        self._on_refused(why)

    def _step_name(self, header: Header) -> str:
        """The step asked for; the secret is compared in constant time and before the name is looked at."""
        secret, _, name = header.script.partition("/")
        if not hmac.compare_digest(secret.encode(), self._secret):
            raise _Refused("wrong_secret")
        if name not in self._steps:
            raise _Refused("unknown_step")
        return name


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        async with asyncio.timeout(_CLOSE_DEADLINE_S):
            await writer.wait_closed()
    except (TimeoutError, OSError):
        writer.transport.abort()
