"""A proxy between a client and AMI that delays, cuts, freezes, splits and repeats (F01, F02, F15)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FaultProxy:
    """Passes bytes on both ways until told otherwise; faults may be changed at any moment."""

    def __init__(self, host: str, port: int) -> None:
        self._peer = (host, port)
        self.port = 0
        #: swallow what goes to Asterisk, or what comes from it, and keep the connection open
        self.swallow_up = False
        self.swallow_down = False
        #: pass what comes from Asterisk on in portions of so many bytes; 0 = as it comes
        self.portion = 0
        #: send every whole block from Asterisk twice
        self.duplicate = False
        #: cut the connection after so many blocks from Asterisk; None = never
        self.cut_after: int | None = None
        #: cut it after so many events, answers to actions not counted; None = never
        self.cut_after_events: int | None = None
        #: actions that are answered here and never reach Asterisk: who only listens changes nothing
        self.kept: frozenset[bytes] = frozenset()
        #: refuse new connections
        self.refuse = False
        #: a new connection swallows nothing
        self.heals = False
        #: seconds that everything from Asterisk is late
        self.delay_s = 0.0
        #: connections so far, blocks and events passed down so far
        self.connections = 0
        self.blocks = 0
        self.events = 0
        #: blocks are passed one after the other
        self._whole = asyncio.Lock()
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything; returns when nothing of it runs."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection, both sides."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            self._serving.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.transport.abort()
            return
        self.connections += 1
        if self.heals:
            self.swallow_up = self.swallow_down = False
        up_reader, up_writer = await asyncio.open_connection(*self._peer)
        self._writers |= {writer, up_writer}
        ways = [
            asyncio.create_task(self._up(reader, up_writer, writer)),
            asyncio.create_task(self._down(up_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, up_writer):
                self._writers.discard(end)
                end.transport.abort()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        rest = b""
        while data := await reader.read(65536):
            if self.swallow_up:
                continue
            *actions, rest = (rest + data).split(b"\r\n\r\n")
            for action in actions:
                fields = dict(line.partition(b": ")[::2] for line in action.split(b"\r\n"))
                if fields.get(b"Action", b"").lower() in self.kept:
                    answer = b"Response: Success\r\nActionID: %b\r\n\r\n" % fields.get(b"ActionID", b"")
                    async with self._whole:
                        back.write(answer)
                else:
                    writer.write(action + b"\r\n\r\n")
            await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        while data := await reader.read(65536):
            if self.swallow_down:
                continue
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            *blocks, rest = (rest + data).split(b"\r\n\r\n")
            for block in blocks:
                if self.cut_after is not None and self.blocks >= self.cut_after:
                    self.cut_after = None
                    writer.close()
                    await writer.wait_closed()
                    return
                event = block.startswith(b"Event: ") and b"\r\nActionID: " not in block
                if event and self.cut_after_events is not None and self.events >= self.cut_after_events:
                    self.cut_after_events = None
                    writer.transport.abort()
                    return
                self.events += event
                self.blocks += 1
                await self._pass(block + b"\r\n\r\n", writer)

    async def _pass(self, block: bytes, writer: asyncio.StreamWriter) -> None:
        for _ in range(2 if self.duplicate else 1):
            portion = self.portion or len(block)
            async with self._whole:
                for start in range(0, len(block), portion):
                    writer.write(block[start : start + portion])
                    await writer.drain()
                    if self.portion:
                        # one turn of the loop a portion, so that each arrives as its own segment
                        await asyncio.sleep(0)


@asynccontextmanager
async def faulty(port: int, host: str = "127.0.0.1") -> AsyncIterator[FaultProxy]:
    """A proxy to a port, closed at the end."""
    proxy = FaultProxy(host, port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
