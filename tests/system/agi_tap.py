"""Stands between Asterisk and the service's menus and keeps what each call is told: a test knows where it is.

A call is known by the number it dialled, which tests give to one call each. The service listens at 127.0.0.1; Asterisk
is told `HOST` instead (the setting `agi_advertised`), where the tap listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import defaultdict
from types import TracebackType
from typing import Final, Self

HOST: Final = "127.0.0.2"

_DNIS: Final = re.compile(rb"^agi_dnid: (\d+)$", re.MULTILINE)
_STEP: Final = re.compile(rb"^agi_network_script: [^/\n]+/(\w+)$", re.MULTILINE)
_CALL_ID: Final = re.compile(rb"^200 result=1 \((\d{14}-\d{12})\)$")


class Tap:
    """`async with Tap(port) as tap:`; a connection begins with the line `step <name>`, then come the commands."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.lines: dict[str, list[str]] = defaultdict(list)
        #: our id of each call
        self.call_ids: dict[str, str] = {}
        self._news = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def until(self, dnis: str, what: str, start: int = 0, *, within_s: float = 90.0) -> int:
        """Waits until the call was told this, at line `start` or later; the place after that line."""
        told, looked = self.lines[dnis], start
        try:
            async with asyncio.timeout(within_s), self._news:
                while True:
                    for at in range(looked, len(told)):
                        if what in told[at]:
                            return at + 1
                    looked = max(looked, len(told))
                    await self._news.wait()
        except TimeoutError:
            last = [line for line in told[start:] if not line.startswith(("SET VARIABLE", "EXEC"))]
            raise AssertionError(f"{dnis} was not told {what} within {within_s:g} s, but {last}") from None

    async def _serve(self, asterisk: asyncio.StreamReader, to_asterisk: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            header = await asterisk.readuntil(b"\n\n")
            dnis, step = _DNIS.search(header), _STEP.search(header)
            assert dnis is not None, header
            assert step is not None, header
            service, to_service = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                to_service.write(header)
                await self._tell(dnis[1].decode(), f"step {step[1].decode()}")
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._answers(asterisk, to_service, dnis[1].decode()))
                    group.create_task(self._commands(service, to_asterisk, dnis[1].decode()))
            finally:
                to_service.close()
        to_asterisk.close()

    async def _answers(self, asterisk: asyncio.StreamReader, to_service: asyncio.StreamWriter, dnis: str) -> None:
        with contextlib.suppress(OSError):
            while line := await asterisk.readline():
                if (found := _CALL_ID.match(line.rstrip(b"\n"))) is not None:
                    self.call_ids.setdefault(dnis, found[1].decode())
                to_service.write(line)
                await to_service.drain()
            to_service.write_eof()

    async def _commands(self, service: asyncio.StreamReader, to_asterisk: asyncio.StreamWriter, dnis: str) -> None:
        with contextlib.suppress(OSError):
            while line := await service.readline():
                to_asterisk.write(line)
                await to_asterisk.drain()
                await self._tell(dnis, line.decode().rstrip("\n"))
            to_asterisk.write_eof()

    async def _tell(self, dnis: str, line: str) -> None:
        async with self._news:
            self.lines[dnis].append(line)
            self._news.notify_all()
