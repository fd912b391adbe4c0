"""A link with eyes: records what it passes on and lets a test wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cti.ami.guard import Why
from cti.ami.link import ActionIds, AmiAccount, Down, Link, LinkState, Timing, Up
from tests.ami.fake_server import SECRET

QUICK = Timing(connect_s=2.0, answer_s=2.0, ping_s=0.05, retry_first_s=0.01, retry_most_s=0.05)
#: pings too rare to matter
CALM = Timing(connect_s=2.0, answer_s=2.0, ping_s=60.0, retry_first_s=0.01, retry_most_s=0.05)


class Watched:
    """A link and everything it said."""

    def __init__(
        self,
        port: int,
        *,
        secret: str = SECRET,
        username: str = "bridge",
        timing: Timing = CALM,
        ids: ActionIds | None = None,
        reporting: bool = True,
    ) -> None:
        self.frames: list[bytes] = []
        self.states: list[LinkState] = []
        self.refused: list[tuple[Why, str]] = []
        self._news = asyncio.Event()
        self.link = Link(
            AmiAccount("127.0.0.1", port, username, secret, reporting=reporting),
            self._frame,
            self._state,
            lambda: datetime.now(UTC),
            on_refused=self._refused,
            ids=ids,
            timing=timing,
        )

    def _frame(self, raw: bytes, at: datetime) -> None:
        assert at.tzinfo is UTC
        self.frames.append(raw)
        self._news.set()

    def _state(self, state: LinkState) -> None:
        self.states.append(state)
        self._news.set()

    def _refused(self, why: Why, detail: str) -> None:
        self.refused.append((why, detail))
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that some news makes true."""
        async with asyncio.timeout(10):
            while not condition():
                self._news.clear()
                await self._news.wait()

    @property
    def ups(self) -> int:
        """How often the link came up."""
        return sum(isinstance(state, Up) for state in self.states)

    @property
    def downs(self) -> list[str]:
        """Why the link was down, each time."""
        return [state.reason for state in self.states if isinstance(state, Down)]


@asynccontextmanager
async def up(watched: Watched) -> AsyncIterator[Watched]:
    """Start, and stop at the end."""
    try:
        await watched.link.start()
        yield watched
    finally:
        await watched.link.stop()
