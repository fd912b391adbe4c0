"""`ivr.ports.Announcements` on ticketing.announcements: answered from memory: no caller waits for it (TL-26)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import structlog

from ticketing.announcements import rules, store
from ticketing.announcements.model import Announcement
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import HotlineError

log = structlog.get_logger(__name__)

_EVERY_S: Final = 1.0


class Announcements:
    """What is on and planned, read again each second; the times are looked at when a caller comes.

    While the database is away the last known ones go on, and end when they were to end.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._rows: Sequence[Announcement] = ()
        self._away = False
        self._changed = asyncio.Event()

    async def current(self, dnis: str) -> Sequence[str]:
        """Prompts for a caller of this number now."""
        return rules.current(self._rows, dnis, self._clock())

    async def refresh(self) -> None:
        """Reads what is on and planned; keeps what is known when the database does not answer."""
        try:
            now = self._clock()
            self._rows = await self._database.read_whole(lambda conn: store.coming(conn, now))
        except HotlineError as error:
            if not self._away:
                log.warning("announcements.not_read", why=error.code, known=len(self._rows))
            self._away = True
            return
        self._away = False

    async def run(self) -> None:
        """Reads at once when one was changed here, and each second for what was changed elsewhere, until cancelled."""
        while True:
            self._changed.clear()
            await self.refresh()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._changed.wait()

    def heed(self, changes: Sequence[Change]) -> None:
        """Committed changes of this service: the next caller hears what a supervisor has just switched on."""
        if any(change.kind.startswith("announcement.") for change in changes):
            self._changed.set()
