"""The service killed at every step of a callback: dialled at most once an attempt, and none forgotten (F19, N3)."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.dialer.booking import CUSTOMER, becomes, book
from tests.dialer.far_end import FarEnd
from tests.system.callers import DeskPhone, Lines
from tests.system.conftest import free_ports
from tests.system.house import ServiceHouse, environment
from ticketing.db import Database

pytestmark = pytest.mark.system


class DoomedHouse(ServiceHouse):
    """Its service dials, and dies at the step it is told."""

    #: step after which the next service kills itself
    doom = ""

    async def start(self) -> str | None:
        """As the service itself, by the module that has the dialler in it."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.dialer.service", "up"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment(self.settings), "COLUMNS": "200", "TERM": "dumb", "DOOM": self.doom},
        )
        assert self._process.stdout is not None
        self.printed = ""
        async with asyncio.timeout(60):
            while "Ctrl-C stops" not in self.printed:
                line = await self._process.stdout.readline()
                assert line, f"the service ended: {self.printed}"
                self.printed += line.decode()
        found = re.search(r"Set-up token [^:]*: (\S+)", self.printed)
        return found[1] if found else None


@pytest.fixture
async def far_end() -> AsyncIterator[FarEnd]:
    async with FarEnd(free_ports(1)[0]) as far:
        yield far


async def talk(phone: DeskPhone, far_end: FarEnd) -> None:
    """The agent picks up, and so does the customer."""
    await phone.rings()
    await phone.answer()
    far_end.answer(await far_end.rings())


async def until_killed(step: str, house: DoomedHouse, phone: DeskPhone, far_end: FarEnd) -> None:
    """Lives until that step; people go on with what they do, whoever is dead."""
    if step in {"claimed", "reserved", "committed", "asked"}:
        async with asyncio.timeout(20):
            await house.process.wait()
        if step == "asked":
            await talk(phone, far_end)
        return
    await phone.rings()
    if step == "agent rings":
        await house.kill()
    await phone.answer()
    invite = await far_end.rings()
    if step in {"customer rings", "gone meanwhile"}:
        await house.kill()
    far_end.answer(invite)
    if step == "talk":
        await phone.leg.ear.more()
        await house.kill()
    if step == "gone meanwhile":
        await phone.leg.ear.more()
        await phone.hang_up()
        await invite.over.wait()


@pytest.mark.req("TL-23", "F19", "N3")
@pytest.mark.parametrize(
    ("step", "state", "invites"),
    [
        ("claimed", "connected", 1),
        ("reserved", "connected", 1),
        ("committed", "unknown", 0),
        ("asked", "connected", 1),
        ("agent rings", "connected", 1),
        ("customer rings", "connected", 1),
        ("talk", "connected", 1),
        ("gone meanwhile", "unknown", 1),
    ],
)
async def test_a_killed_service_dials_an_attempt_once_and_forgets_none(  # noqa: PLR0917 - fixtures
    short_tmp: Path, asterisk_installation: Installation, far_end: FarEnd, step: str, state: str, invites: int
) -> None:
    house = DoomedHouse(short_tmp / "h", outbound=True, trunk_out=far_end.trunk)
    house.doom = step
    async with house, Lines(house) as lines:
        phone = await lines.phone("1002")
        await house.sign_in("1002")
        database = await Database.open(house.settings.database)
        try:
            booking = await book(database)
            await until_killed(step, house, phone, far_end)
            house.doom = ""
            await house.start()
            if step in {"claimed", "reserved"}:
                await talk(phone, far_end)
            row = await becomes(database, booking, lambda row: row.state in {"connected", "failed", "unknown"})
            assert (row.state, len(far_end.calls), row.attempts) == (state, invites, 1)
            assert all(invite.called == CUSTOMER for invite in far_end.calls.values())
        finally:
            await database.close()
