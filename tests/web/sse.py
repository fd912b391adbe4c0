"""Reading a stream of server-sent events as the page does."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse


@dataclass(frozen=True)
class Event:
    """One event as received."""

    id: str
    name: str
    data: Any


class Stream:
    """One open response."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer

    async def block(self) -> str:
        """The next block of lines: an event or a comment."""
        async with asyncio.timeout(5):
            return (await self.answer.content.readuntil(b"\n\n")).decode()

    async def event(self) -> Event:
        """The next event; comments are skipped."""
        while True:
            block = await self.block()
            fields = dict(line.split(": ", 1) for line in block.strip().split("\n") if not line.startswith(":"))
            if "data" in fields:
                return Event(fields["id"], fields["event"], json.loads(fields["data"]))

    async def ended(self) -> bool:
        """Whether the server ends the stream."""
        async with asyncio.timeout(5):
            try:
                return await self.answer.content.read() == b""
            except Exception as error:
                return isinstance(error, (ConnectionError, asyncio.IncompleteReadError)) or bool(str(error))
