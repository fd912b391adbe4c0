"""A scriptable AMI server for tests that need no Asterisk: answers what it is asked, says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

SECRET = "s3cret"

Answerer = Callable[[dict[str, str]], str | None]


def _denied(_action: dict[str, str]) -> str:
    return "Response: Error\r\nMessage: Permission denied"


class FakeAmi:
    """Accepts logins, records every action, answers by a table that a test may change."""

    def __init__(self, version: str = "22.10.1~dfsg", secret: str = SECRET) -> None:
        self.secret = secret
        self.version = version
        self.started = "02:13:28"
        #: every action received, in order, over all connections
        self.actions: list[dict[str, str]] = []
        #: action name to the answer's text without ActionID; None = silence
        self.answers: dict[str, Answerer] = {
            "Ping": lambda _: "Response: Success\r\nPing: Pong",
            "Logoff": lambda _: "Response: Goodbye\r\nMessage: Thanks for all the fish.",
            "CoreSettings": lambda _: f"Response: Success\r\nAsteriskVersion: {self.version}",
            "CoreStatus": lambda _: (
                f"Response: Success\r\nCoreStartupDate: 2026-11-23\r\nCoreStartupTime: {self.started}"
            ),
        }
        self.logins = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self.writers: list[asyncio.StreamWriter] = []
        self._heard = asyncio.Condition()

    async def start(self) -> None:
        """Listen on the same port as before, or a free one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    def say(self, *blocks: str | bytes) -> None:
        """Send blocks to every session."""
        for writer in self.writers:
            for block in blocks:
                writer.write((block.encode() if isinstance(block, str) else block) + b"\r\n\r\n")

    async def heard(self, action: str, count: int = 1) -> list[dict[str, str]]:
        """Wait until an action was received `count` times."""
        async with self._heard, asyncio.timeout(10):
            await self._heard.wait_for(lambda: len(self.got(action)) >= count)
        return self.got(action)

    def got(self, action: str) -> list[dict[str, str]]:
        """Actions of this name so far."""
        return [one for one in self.actions if one["Action"] == action]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                await self._act(dict(line.split(": ", 1) for line in text.splitlines() if line), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            with suppress(ValueError):
                self.writers.remove(writer)
            writer.close()

    async def _act(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        answer = self._login(action) if action["Action"] == "Login" else None
        if answer is None:
            answer = self.answers.get(action["Action"], _denied)(action)
        if answer is not None:
            for block in answer.split("\r\n\r\n"):
                first, *rest = block.split("\r\n")
                writer.write("\r\n".join([first, f"ActionID: {action['ActionID']}", *rest, "\r\n"]).encode())
        async with self._heard:
            self.actions.append(action)
            self._heard.notify_all()

    def _login(self, action: dict[str, str]) -> str:
        self.logins += 1
        if "Login" in self.answers:
            return self.answers["Login"](action) or ""
        if action.get("Secret") == self.secret:
            return "Response: Success\r\nMessage: Authentication accepted"
        return "Response: Error\r\nMessage: Authentication failed"


@asynccontextmanager
async def serving(server: FakeAmi) -> AsyncIterator[FakeAmi]:
    """Start, and stop at the end."""
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
