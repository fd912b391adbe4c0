"""The service with a dialler that kills it: `python -m tests.dialer.service up`.

Everything the dialler does to the world is counted: each transaction before it begins, before its commit and after it,
each action of the exchange before it is asked, once it has been written and when it was answered, each fact it puts or
hears. At the n-th, `DOOM` in the environment, the process ends as by kill -9.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cti import app as composition
from cti import dialer
from cti.ami.commands import Command
from cti.ami.frames import Frame
from cti.ami.link import ActionIds, AmiAccount, Link
from cti.callbacks import Told
from cti.calls.events import CallEvent
from cti.dialer import Dialer
from cti.switchboard import Switchboard
from cti.turns import Tools
from ticketing.db import Database


class Doom:
    """The step at which the process ends; 0 = never."""

    def __init__(self, at: int) -> None:
        self._left = at

    def step(self) -> None:
        """One more thing was done."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """Something of the dialler's with a few of its verbs counted; the rest is passed on."""

    def __init__(self, inner: Any, doom: Doom) -> None:
        self._inner, self._doom = inner, doom

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class WatchedDatabase(Watched):
    """Its transactions."""

    _inner: Database

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        self._doom.step()
        async with self._inner.write() as conn:
            yield conn
            self._doom.step()
        self._doom.step()


class WatchedQueues(Watched):
    """Its pauses."""

    _inner: Switchboard

    async def pause(self, number: str, paused: bool, reason: str = "", queue: str = "") -> None:
        self._doom.step()
        await self._inner.pause(number, paused, reason, queue)
        self._doom.step()


class WatchedLink(Watched):
    """Its actions."""

    _inner: Link

    async def send(self, command: Command, timeout_s: float) -> list[Frame]:
        self._doom.step()
        asked = asyncio.ensure_future(self._inner.send(command, timeout_s))
        await asyncio.sleep(0)  # it has been written, nobody has answered
        self._doom.step()
        answer = await asked
        self._doom.step()
        return answer


class Doomed(Dialer):
    """Dies at the step that DOOM names."""

    def __init__(self, account: AmiAccount, tools: Tools, ids: ActionIds | None = None) -> None:
        doom = self._doom = Doom(int(os.environ.get("DOOM", "0")))

        def put_event(event: CallEvent) -> None:
            tools.put_event(event)
            doom.step()

        watched: dict[str, Any] = {
            "database": WatchedDatabase(tools.database, doom),
            "switchboard": WatchedQueues(tools.switchboard, doom),
            "put_event": put_event,
        }
        super().__init__(account, replace(tools, **watched), ids)
        link: Any = WatchedLink(self._link, doom)
        self._link = link

    async def _hear(self, news: Told) -> None:
        self._doom.step()
        await super()._hear(news)
        self._doom.step()


def install() -> None:
    """From now on the dialler of this process is doomed; an agent's phone rings for three seconds."""
    vars(composition)["Dialer"] = Doomed
    vars(dialer)["_RING_MS"] = 3000


if __name__ == "__main__":
    from cti.cli import main

    install()
    main()
