"""Who may act, and whether this process lives: a lease is kept, and a stalled event loop ends the process (F07)."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog

from cti.lease import Held, claim, release
from ticketing.db import Database
from ticketing.errors import Unavailable

log = structlog.get_logger(__name__)

_STDERR: Final = 2


class Lease:
    """Keeps one lease: tries to have it, prolongs it, and knows without asking when it has run out."""

    def __init__(
        self,
        database: Database,
        name: str,
        clock: Callable[[], datetime],
        *,
        term_s: float = 6.0,
        every_s: float = 2.0,
        holder: str | None = None,
        on_change: Callable[[bool], None] | None = None,
    ) -> None:
        self._database = database
        self._name = name
        self._clock = clock
        self._term = timedelta(seconds=term_s)
        self._every_s = every_s
        self.holder = holder or secrets.token_hex(8)
        self._on_change = on_change
        self._held: Held | None = None
        #: on the monotonic clock, so that a step of the wall clock cannot lengthen the term (F20)
        self._until = 0.0
        self._told = False
        self._gained = asyncio.Event()

    @property
    def holds(self) -> bool:
        """True while this process may act; false on its own a term after the last success (fence for every effect)."""
        return self._held is not None and monotonic() < self._until

    @property
    def held(self) -> Held | None:
        """The proof with its epoch, for writes that check it in their own transaction."""
        return self._held if self.holds else None

    async def gained(self) -> None:
        """Wait until this process may act."""
        await self._gained.wait()

    async def once(self) -> bool:
        """Claim or prolong now."""
        asked = monotonic()
        try:
            now = self._clock()
            self._held = await self._database.write_whole(
                lambda conn: claim(conn, self._name, self.holder, self._term, now)
            )
        except Unavailable as error:
            log.warning("lease_not_reached", lease=self._name, error=str(error))
        else:
            self._until = asked + self._term.total_seconds()
        self._tell()
        return self.holds

    async def run(self) -> None:
        """Keep it until cancelled; then give it back."""
        try:
            while True:
                await self.once()
                await asyncio.sleep(self._every_s)
        finally:
            await asyncio.shield(self.give_back())

    async def give_back(self) -> None:
        """Stop acting, and let a successor begin at once."""
        held, self._held = self._held, None
        self._tell()
        if held is not None:
            try:
                async with self._database.write() as conn:
                    await release(conn, held, self._clock())
            except Unavailable as error:
                log.warning("lease_not_released", lease=self._name, error=str(error))

    def _tell(self) -> None:
        holds = self.holds
        if holds == self._told:
            return
        self._told = holds
        log.info("lease", lease=self._name, holds=holds, epoch=self._held.epoch if self._held else None)
        if holds:
            self._gained.set()
        else:
            self._gained.clear()
        if self._on_change is not None:
            self._on_change(holds)


def abort_process(stalled_s: float) -> None:
    """Print every thread's stack and end the process without clean-up: closing its sockets frees the callers.

    Past Python's own streams, which a thread that waits for the console may hold, and without waiting for it (F22).
    """
    with contextlib.suppress(OSError, ValueError):
        os.set_blocking(_STDERR, False)
        os.write(_STDERR, f"event loop stalled for {stalled_s:.1f} s: ending the process\n".encode())
        faulthandler.dump_traceback(file=_STDERR, all_threads=True)
    os._exit(70)


class Watchdog:
    """A thread that watches the event loop's pulse."""

    def __init__(
        self,
        *,
        limit_s: float = 1.5,
        pulse_s: float = 0.1,
        action: Callable[[float], None] = abort_process,
    ) -> None:
        self._limit_s = limit_s
        self._pulse_s = pulse_s
        self._action = action
        self._beat_at = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        #: longest stall seen, seconds (F30)
        self.worst_s = 0.0

    def start(self) -> None:
        """Begin; call it in the running loop."""
        self._beat()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; call it in the running loop."""
        self._stopping.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join()

    def _beat(self) -> None:
        now = monotonic()
        if self._beat_at:
            self.worst_s = max(self.worst_s, now - self._beat_at - self._pulse_s)
        self._beat_at = now
        self._timer = asyncio.get_running_loop().call_later(self._pulse_s, self._beat)

    def _watch(self) -> None:
        looked_at = monotonic()
        while not self._stopping.wait(self._pulse_s):
            now = monotonic()
            # a stop of the whole process (SIGSTOP, a suspended machine) stops this thread too: that time does not count
            if now - looked_at > self._pulse_s + self._limit_s / 2:
                self._beat_at = max(self._beat_at, now - self._pulse_s)
            looked_at = now
            stalled = now - self._beat_at
            if stalled > self._limit_s:
                self._action(stalled)
                return
