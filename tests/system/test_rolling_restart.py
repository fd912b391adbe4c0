"""The service is replaced again and again while people call: nobody is cut off, nobody is missing afterwards (F26).

Its Asterisk is one that runs by itself, as in an installation where the two are units of their own.
HOTLINE_TEST_LONG=1 restarts every 60 s for ten minutes (`make proof-restart`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from cti.asterisk.provision import Installation
from tests.absent import LONG
from tests.system.callers import DeskPhone, Lines, NotHeard
from tests.system.conftest import Pbx, exchange
from tests.system.house import ServiceHouse
from tests.system.stage import Books
from tests.system.test_rescue import longest_silence
from ticketing.db import Database

pytestmark = pytest.mark.system

RESTARTS, EVERY_S = (10, 60.0) if os.environ.get(LONG) == "1" else (2, 8.0)
SEATS: Final = ("1001", "1002")
CALLERS: Final = 3
#: what an agent says, and a caller listens for
REPLY: Final = Path(__file__).resolve().parents[2] / "ivr" / "prompts" / "demo" / "agent-reply.wav"


class Beside(ServiceHouse):
    """A service as a process of its own beside an Asterisk that runs by itself."""

    def __init__(self, home: Path, pbx: Pbx) -> None:
        super().__init__(
            home,
            verified=True,
            asterisk="remote",
            ami_host=pbx.settings.ami_host,
            ami_port=pbx.settings.ami_port,
            agi_port=pbx.settings.agi_port,
            sip_port=pbx.settings.sip_port,
            spool=pbx.folder.voice,
            asterisk_log=pbx.folder.log,
            ami_secret_file=pbx.secrets.folder / "ami-bridge",
            agi_secret_file=pbx.secrets.folder / "agi",
            event_token_file=pbx.secrets.folder / "token",
        )

    async def replaced(self) -> None:
        """An orderly end and a start, as a unit is restarted."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            out, _ = await self.process.communicate()
        assert self.process.returncode == 0, out.decode()
        await self.start()


async def serve(phone: DeskPhone, served: list[str]) -> None:
    """Takes each call, speaks, and hangs up."""
    while True:
        leg = await phone.rings(within_s=900)
        await phone.answer()
        await leg.says(REPLY)
        served.append(leg.call.peer or "")
        await phone.hang_up()


async def call(lines: Lines, numbers: itertools.count[int], over: asyncio.Event) -> list[float]:
    """Calls again and again; the longest silence of each call. Whoever was answered is spoken to by a person."""
    silences = []
    while not over.is_set():
        caller = await lines.caller(f"1371000{next(numbers):04d}")
        await caller.dial("1860")
        with contextlib.suppress(NotHeard):  # with nobody at the menu another greeting says that somebody comes
            await caller.hears("please-hold", within_s=6)
        await caller.press(
            "1"
        )  # in the menu his choice; with nobody at the menu he waits already, and it means nothing
        await caller.hears(REPLY, within_s=240, again=True)
        await caller.ended()
        silences.append(longest_silence(caller.leg.ear.samples))
    return silences


@pytest.mark.req("F26", "N2", "N5", "N8")
async def test_nobody_is_cut_off_by_restarts(
    short_tmp: Path, asterisk_installation: Installation, record_property: Callable[[str, object], None]
) -> None:
    since, served, over = datetime.now(UTC), list[str](), asyncio.Event()
    numbers = itertools.count(1)
    async with exchange(asterisk_installation) as pbx, Beside(short_tmp / "h", pbx) as house, Lines(pbx) as lines:
        phones = [await lines.phone(number) for number in SEATS]
        for number in SEATS:
            await (await house.sign_in(number)).close()
        async with asyncio.TaskGroup() as people:
            agents = [people.create_task(serve(phone, served)) for phone in phones]
            callers = [people.create_task(call(lines, numbers, over)) for _ in range(CALLERS)]
            for _ in range(RESTARTS):
                await asyncio.sleep(EVERY_S)
                await house.replaced()
            over.set()
            silences = [silence for caller in callers for silence in await caller]
            for agent in agents:
                agent.cancel()
        database = await Database.open(house.settings.database)
        day = await Books(database).day(since, len(silences))
        await database.close()
    assert len(served) == len(silences)
    assert [record.ani for record in day if record.answered_by not in SEATS] == [], "each was answered by a person"
    assert max(silences) <= 3.0, silences
    record_property("examples", len(silences))
    print(f"{RESTARTS} restarts under {len(silences)} calls: longest silence {max(silences):.1f} s")
