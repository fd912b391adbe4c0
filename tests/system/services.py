"""Stand-ins for our FastAGI service that behave, fall silent, break off or talk nonsense, for tests of the dialplan."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

Talk = Callable[["Session"], Awaitable[None]]


class Session:
    """One AGI connection, after its header was read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, header: dict[str, str]) -> None:
        self._reader, self._writer = reader, writer
        self.header = header

    async def command(self, line: str) -> str:
        """Sends one command and returns the line Asterisk answers."""
        self._writer.write(line.encode() + b"\n")
        await self._writer.drain()
        return (await self._reader.readline()).decode().strip()

    async def end_of_call(self) -> None:
        """Says nothing until Asterisk closes the connection."""
        await self._reader.read(-1)

    def reset(self) -> None:
        """Breaks the connection without a word."""
        self._writer.transport.abort()

    def send(self, data: bytes) -> None:
        """Raw bytes."""
        self._writer.write(data)


class ScriptedService:
    """A FastAGI server on a given port that runs `talk` for each connection.

    `headers` keeps what Asterisk sent; `over` is set when a connection has ended.
    """

    def __init__(self, port: int, talk: Talk) -> None:
        self._port, self._talk = port, talk
        self.headers: list[dict[str, str]] = []
        self.over = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        header: dict[str, str] = {}
        while (line := (await reader.readline()).decode().strip()) != "":
            key, _, value = line.partition(": ")
            header[key] = value
        self.headers.append(header)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._talk(Session(reader, writer, header))
        self._open.discard(writer)
        writer.close()
        self.over.set()


class HeaderSpoilt:
    """Stands between Asterisk and the service, and passes each connection's header on changed."""

    def __init__(self, port: int, service: int, spoil: Callable[[bytes], bytes]) -> None:
        self._port, self._service, self._spoil = port, service, spoil
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.close()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header = await reader.readuntil(b"\n\n")
        answers, service = await asyncio.open_connection("127.0.0.1", self._service)
        self._open |= {writer, service}
        with contextlib.suppress(ConnectionError):
            service.write(self._spoil(header))
            await service.drain()
            while data := await answers.read(65536):
                writer.write(data)
        for end in (service, writer):
            end.close()
            self._open.discard(end)


def routes(queue: str, *, steps: Sequence[str] = ("main:1",), lang: str = "zh", reason: str = "menu") -> Talk:
    """A service that routes the caller to a queue and tells the story by events, as the real one does."""

    async def talk(session: Session) -> None:
        await session.command('SET VARIABLE "TIMEOUT(absolute)" 20')
        await session.command('EXEC UserEvent "CtiCaller,Customer: ,Match: unknown,Vip: "')
        for step in steps:
            node, _, key = step.partition(":")
            await session.command(f'EXEC UserEvent "CtiStep,Node: {node},Key: {key}"')
        variables = {"QUEUE": queue, "PRIORITY": "5", "REASON": reason, "LANG": lang, "ACTION": "queue"}
        for name, value in variables.items():
            await session.command(f'SET VARIABLE CTI_{name} "{value}"')
        await session.command(f'EXEC UserEvent "CtiRouted,Queue: {queue},Priority: 5,Reason: {reason},Lang: {lang}"')
        await session.command('SET VARIABLE CTI_DONE "entry"')

    return talk


async def says_goodbye(session: Session) -> None:
    """A service that ends the call well."""
    await session.command('SET VARIABLE CTI_ACTION "hangup"')
    await session.command('SET VARIABLE CTI_DONE "entry"')


async def says_nothing(session: Session) -> None:
    """A service that accepts and stands still."""
    await session.end_of_call()


async def falls_silent(session: Session) -> None:
    """A service that stands still after its first command."""
    await session.command('SET VARIABLE CTI_ACTION "hangup"')
    await session.end_of_call()


async def breaks_off(session: Session) -> None:
    """A service that dies in mid-script: Asterisk calls this a success."""
    await session.command('SET VARIABLE CTI_ACTION "hangup"')


async def talks_nonsense(session: Session) -> None:
    """A service that sends garbage and closes."""
    session.send(b"\xff\xfe garbage\n\n\n")
