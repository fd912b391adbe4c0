"""A service with eight people who write whenever there is one, to be killed and brought up again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.dialer.booking import policy_file
from tests.kills.checks import differences, violations
from tests.kills.life import Life, lives
from tests.kills.writers import Callers, Clerk, Notes, everybody
from tests.web.fakes import PASSWORD
from ticketing.db import Database
from ticketing.roles import SYSTEM
from ticketing.staff import actions, store
from ticketing.staff.passwords import Passwords

#: seconds a start takes, and how often it is not survived
_STARTS_S: Final = 0.4
_STILLBORN: Final = 0.2
#: a start has put right what the death before left
_HEALS_S: Final = 30.0
_CLERKS: Final = ("1001", "1002", "2001", "3001")


async def passwords(database: Database) -> None:
    """Everybody's, hashed cheaply."""
    pool = Passwords(memory_mib=1)
    made, now = await pool.hash(PASSWORD), datetime.now(UTC)
    pool.close()
    async with database.write() as conn:
        for person in await store.everyone(conn):
            await actions.set_password_hash(conn, SYSTEM, person.number, made, now)


async def healed(life: Life, *, wholly: bool = False) -> None:
    """Returns when nothing is left of the death before; `wholly`: also when nothing waits to be taken in."""
    late = time.monotonic() + _HEALS_S
    while found := await violations(life) or (wholly and sorted(path.name for path in life.spool.glob("*-msg-*.json"))):
        assert time.monotonic() < late, "\n".join(found)
        await asyncio.sleep(0.05)


@dataclass
class Run:
    """Everybody, and what they noted."""

    life: Life
    database: Database
    notes: Notes
    writers: Sequence[asyncio.Future[None]]
    chance: random.Random
    deaths: int = 0

    async def dies(self, within_s: float) -> None:
        """At some moment of so many seconds; what lies there afterwards is what was confirmed."""
        await asyncio.sleep(self.chance.uniform(0, within_s))
        await self.life.kill()
        self.deaths += 1
        for writer in self.writers:
            if writer.done():  # he has met something else than the death of the service
                writer.result()
        assert await differences(self.life, self.database, self.notes) == []

    async def rises(self) -> None:
        """To a service in which nothing is left of the death before; now and then it dies on the way."""
        await self.life.start()
        while self.chance.random() < _STILLBORN:
            await self.dies(_STARTS_S)
            await self.life.start()
        await self.life.ready()
        await healed(self.life)


@asynccontextmanager
async def at_work(home: Path, chance: random.Random, **changes: Any) -> AsyncIterator[Run]:
    """Eight who write whenever there is a service."""
    async with AsyncExitStack() as stack:
        life = await stack.enter_async_context(lives(home, callback_policy=policy_file(home), **changes))
        await life.start()
        await life.ready()
        database = await Database.open(life.settings.database)
        stack.push_async_callback(database.close)
        await passwords(database)
        notes = Notes()
        clerks = [await stack.enter_async_context(Clerk(life, notes, number)) for number in _CLERKS]
        callers = [Callers(life, notes, line) for line in range(4)]
        writers = [asyncio.ensure_future(work) for work in everybody(clerks, callers)]
        try:
            yield Run(life, database, notes, writers, chance)
        finally:
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)
