"""Ordered lanes for effects: one after the other within a lane, lanes beside each other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Lanes(Generic[T]):
    """Carries items out; a lane exists only while it has work. An item that keeps failing is counted and left."""

    def __init__(
        self,
        perform: Callable[[T], Awaitable[None]],
        lane_of: Callable[[T], str],
        *,
        keep_trying: Callable[[T], bool] = lambda _: False,
        attempts: int = 6,
        pause_first_s: float = 0.2,
        timeout_s: float = 30.0,
    ) -> None:
        self._perform = perform
        self._lane_of = lane_of
        self._keep_trying = keep_trying
        self._attempts = attempts
        self._pause_first_s = pause_first_s
        self._timeout_s = timeout_s
        self._lanes: dict[str, deque[T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        #: items carried out, items given up
        self.done = self.failed = 0

    @property
    def waiting(self) -> int:
        """Items not yet carried out, those under way included."""
        return sum(len(lane) for lane in self._lanes.values())

    def put(self, item: T) -> None:
        """Add one item to its lane."""
        name = self._lane_of(item)
        lane = self._lanes.get(name)
        if lane is not None:
            lane.append(item)
            return
        self._lanes[name] = deque([item])
        self._idle.clear()
        if not self._closed:
            task = asyncio.create_task(self._work(name), name=f"lane {name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def put_all(self, items: Iterable[T]) -> None:
        """Add items in order."""
        for item in items:
            self.put(item)

    async def idle(self) -> None:
        """Wait until nothing is left to do."""
        await self._idle.wait()

    async def close(self, grace_s: float = 2.0) -> None:
        """Let what is under way end within the grace; then stop."""
        self._closed = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, name: str) -> None:
        lane = self._lanes[name]
        while lane:
            # the item stays in its place until it is done, so that `waiting` counts it
            if await self._carry_out(lane[0]):
                self.done += 1
            else:
                self.failed += 1
            lane.popleft()
        del self._lanes[name]
        if not self._lanes:
            self._idle.set()

    async def _carry_out(self, item: T) -> bool:
        attempts = self._attempts if self._keep_trying(item) else 1
        for attempt in range(attempts):
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._perform(item)
                return True
            except Exception:
                log.exception("effect_failed", effect=type(item).__name__, attempt=attempt + 1, of=attempts)
            if attempt + 1 < attempts:
                await asyncio.sleep(self._pause_first_s * 2**attempt)
        return False
