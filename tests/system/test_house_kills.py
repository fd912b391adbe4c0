"""Service, exchange and database killed in turn with twenty calls up: N1 to N6 hold, and nobody hears nothing (N8).

One house lives through several deaths, each in the middle of the work that puts right the one before. `make test` kills
the service and the exchange once each on SQLite; HOTLINE_TEST_LONG=1 has parts of nine deaths, on PostgreSQL where the
database server dies too.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func, select

from cti.app import clock
from cti.asterisk.process import Asterisk
from cti.asterisk.provision import Installation
from cti.asterisk.render import RunFolder
from cti.asterisk.secrets import Secrets
from cti.exchange import exchange_settings
from cti.tables import call
from cti.verify.check import check, installation
from cti.verify.model import SETTLES
from tests.absent import LONG, SEARCH
from tests.dialer.booking import policy_file
from tests.postgresql import Cluster
from tests.proof.ledger import EXAMPLES
from tests.system import hygiene, proof
from tests.system.callers import DeskPhone, Lines
from tests.system.crowd import Crowd
from tests.system.house import ServiceHouse
from tests.system.stage import menus
from ticketing.callbacks.tables import callback
from ticketing.db import Database
from ticketing.errors import Unavailable
from ticketing.intake.tables import intake_item

pytestmark = pytest.mark.system

Recorder = Callable[[str, object], None]

_LONG: Final = os.environ.get(LONG) == "1"
_STANDING, _LISTENING = (15, 5) if _LONG else (8, 4)
#: calls that enter after a death before the next one, and how long they may take to come
_GOES_ON: Final = 4
_GOES_ON_S: Final = 90.0
#: seconds in which one of them may have left a message or booked
_SPEAKS_S: Final = 20.0
#: seconds a caller hears nothing at most (N8)
_SILENCE_S: Final = 3.0
_PARTS: Final = [("sqlite", part) for part in range(4)] + [("postgresql", part) for part in range(8)]
_DEATHS: Final = {"sqlite": ("service", "exchange"), "postgresql": ("service", "exchange", "database")}


@dataclass
class Besieged:
    """A house whose parts die."""

    house: ServiceHouse
    crowd: Crowd
    database: Database
    installation: Installation
    cluster: Cluster | None
    chance: random.Random
    exchange: Asterisk | None = None

    async def dies(self, what: str) -> None:
        """kill -9, and started again after a while."""
        dead_s = self.chance.uniform(0, 2.0)
        if what == "service":
            await self.house.kill()
            await asyncio.sleep(dead_s)
            await self.house.start()
        elif what == "exchange":
            await self._exchange(dead_s)
        else:
            assert self.cluster is not None
            await asyncio.to_thread(self.cluster.crash)
            await asyncio.sleep(dead_s)
            await asyncio.to_thread(self.cluster.again)

    async def _exchange(self, dead_s: float) -> None:
        settings = self.house.settings
        folder = RunFolder(
            settings.asterisk_run,
            self.installation,
            exchange_settings(settings),
            Secrets.load_or_create(settings.secrets_dir),
        )
        os.kill(int(folder.pid_file.read_text(encoding="ascii")), signal.SIGKILL)
        if self.exchange is not None:
            await self.exchange.stop()  # it was ours: its process is waited for
        await self.crowd.cut()
        await asyncio.sleep(dead_s)
        self.exchange = Asterisk(folder)
        await self.exchange.start()
        for phone in self.crowd.phones:
            await phone.register()

    async def goes_on(self, since: datetime) -> None:
        """Until calls that came after a death stand in the database; for a while also until somebody left something."""
        entered, told, patience = 0, self.crowd.told, time.monotonic() + _SPEAKS_S
        try:
            async with asyncio.timeout(_GOES_ON_S):
                while entered < _GOES_ON or (self.crowd.told <= told and time.monotonic() < patience):
                    await asyncio.sleep(0.2)
                    self.crowd.broken()
                    try:
                        async with self.database.read() as conn:
                            query = select(func.count()).select_from(call).where(call.c.entered_at > since)
                            entered = await conn.scalar(query) or 0
                    except Unavailable:
                        continue
        except TimeoutError:
            raise AssertionError(f"{entered} calls came in {_GOES_ON_S:g} s after a death") from None


@asynccontextmanager
async def besieged(
    home: Path, found: Installation, chance: random.Random, cluster: Cluster | None, url: str | None
) -> AsyncIterator[Besieged]:
    """With two agents and everybody who calls."""
    async with AsyncExitStack() as stack:
        made = ServiceHouse(
            home / "h",
            ivr_data=menus(home, short=True),
            overflow=True,
            queue_seconds=60,
            wrap_up_seconds=0.5,
            misses_before_pause=1000,
            callback_policy=policy_file(home),
            **({"database_url": url} if url else {}),
        )
        house = await stack.enter_async_context(made)
        lines = await stack.enter_async_context(Lines(house))
        phones: list[DeskPhone] = []
        for number in ("1001", "1002"):
            phones.append(await lines.phone(number))
            await (await house.sign_in(number)).close()
        database = await Database.open(house.settings.database)
        stack.push_async_callback(database.close)
        crowd = Crowd(lines, phones, chance)
        under = Besieged(house, crowd, database, found, cluster, chance)
        yield under
        if under.exchange is not None:
            stack.push_async_callback(under.exchange.stop)


async def proved(under: Besieged) -> None:
    """Of the house as it lies there, its service ended: N1 to N6, what callers were told, and clean logs."""
    async with installation(under.house.settings, lambda: clock() + SETTLES) as place:
        found = [f"{one.rule} {one.subject}: {one.says}" async for one in check(place)]
        async with place.database.read() as conn:
            items = (await conn.scalars(select(intake_item.c.caller_number))).all()
            booked = (await conn.scalars(select(callback.c.number))).all()
    found += [f"message of {number}: {items.count(f'+86{number}')} times" for number in under.crowd.spoke
              if items.count(f"+86{number}") != 1]  # fmt: skip
    found += [f"booking of {number}: lost" for number in under.crowd.booked if f"+86{number}" not in booked]
    assert not found, "\n".join(found)
    assert not (leaks := hygiene.leaks(under.house.settings)), "\n".join(leaks)


@pytest.mark.req("N1", "N2", "N3", "N4", "N5", "N6", "N8", "F05", "F08", "F09", "TL-70")
@pytest.mark.parametrize("place", _PARTS if _LONG else _PARTS[:1], ids=lambda place: f"{place[0]}-{place[1]}")
async def test_what_dies_in_turn_leaves_nothing_behind(
    short_tmp: Path,
    asterisk_installation: Installation,
    place: tuple[str, int],
    request: pytest.FixtureRequest,
    record_property: Recorder,
) -> None:
    """So many deaths with calls up; then all hang up, the service ends, and what lies there is proved."""
    database_kind, part = place
    chance = random.Random(None if os.environ.get(SEARCH) == "1" else part)
    deaths = [*_DEATHS[database_kind]] * (9 // len(_DEATHS[database_kind]) if _LONG else 1)
    async with AsyncExitStack() as stack:
        cluster, url = None, None
        if database_kind == "postgresql":
            cluster = request.getfixturevalue("cluster")
            url = stack.enter_context(cluster.fresh(template=None))
        async with besieged(short_tmp, asterisk_installation, chance, cluster, url) as under:
            began = datetime.now(UTC)
            under.crowd.begin(standing=_STANDING, listening=_LISTENING)
            await under.goes_on(began)
            for what in deaths:
                died = datetime.now(UTC)
                await under.dies(what)
                await under.goes_on(died)
            await under.crowd.end()
            await proof.settled(under.house.settings)
        await proved(under)
        silences = under.crowd.silences
        assert max(silences.values()) <= _SILENCE_S, silences
        record_property(EXAMPLES, len(deaths))
        record_property("calls", under.crowd.calls)
        record_property("answered", under.crowd.answered)
        record_property("messages and bookings confirmed", under.crowd.told)
        record_property("silence_s", max(silences.values()))
