"""An exchange with overflow on, the service's steps on hand-made ports, and what callers do there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from ivr.overwalk import OverflowPorts
from ivr.server import FastAgiServer, Step
from ivr.session import EntryStep, Ports
from ivr.spool import Spool
from ivr.steps import OverflowStep, SurveyStep
from tests.ivr.fakes import KNOWN, FakeDirectory, FakeHours, FakeOrders, shipped_tree
from tests.ivr.overflow_fakes import (
    FakeAnnouncements,
    FakeBook,
    FakeDisk,
    FakeFloor,
    FakeSink,
)
from tests.system import sound
from tests.system.callers import Caller, DeskPhone, Lines
from tests.system.conftest import QUICK, Pbx, exchange

ANI = "13800001111"
#: The caller's complaint: six seconds of a rising tone, which no prompt resembles.
COMPLAINT = sound.tone(500, 6.0)


@dataclass
class Desk:
    """What the service would be, made by hand."""

    folder: Path
    sink: FakeSink = field(default_factory=FakeSink)
    book: FakeBook = field(default_factory=FakeBook)
    floor: FakeFloor = field(default_factory=FakeFloor)
    disk: FakeDisk = field(default_factory=FakeDisk)
    hours: FakeHours = field(default_factory=FakeHours)
    news: FakeAnnouncements = field(default_factory=FakeAnnouncements)

    server: FastAgiServer = field(init=False)

    @property
    def overflow(self) -> OverflowPorts:
        return OverflowPorts(self.sink, self.book, self.floor, self.disk, Spool(self.folder), now)

    @property
    def ports(self) -> Ports:
        return Ports(FakeDirectory({ANI: KNOWN}), FakeOrders(), self.hours, now, self.news, self.overflow)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def busy(asterisk_installation: Installation) -> Iterator[Pbx]:
    """An exchange whose settings offer overflow and survey; twelve seconds in the queue, then the menu."""
    with asyncio.Runner() as runner:
        made = exchange(asterisk_installation, queue_seconds=12, overflow=True, survey=True)
        try:
            yield runner.run(made.__aenter__())
        finally:
            runner.run(made.__aexit__(None, None, None))


@pytest.fixture
async def lines(busy: Pbx) -> AsyncIterator[Lines]:
    async with Lines(busy) as made:
        yield made
    await busy.clear_members()


@pytest.fixture
async def house(busy: Pbx) -> AsyncIterator[Desk]:
    """The service's steps on hand-made ports, at the address the exchange asks."""
    desk = Desk(busy.settings.spool)
    steps: dict[str, Step] = {
        "entry": EntryStep(shipped_tree, desk.ports),
        "overflow": OverflowStep(shipped_tree, desk.overflow),
        "survey": SurveyStep(shipped_tree),
    }
    server = FastAgiServer(busy.settings.agi_host, busy.settings.agi_port, busy.secrets.agi, steps)
    await server.start()
    desk.server = server
    yield desk
    await server.stop()


async def dialled(lines: Lines, number: str = ANI, dnis: str = QUICK) -> Caller:
    """A caller past the notice; the number of the tests has no menu and leads to a person."""
    caller = await lines.caller(number)
    await caller.dial(dnis)
    return caller


async def offered(lines: Lines, language: str = "zh") -> Caller:
    """A caller who asks for a person while all are busy, and hears the short offer."""
    caller = await dialled(lines, dnis="1861" if language == "en" else QUICK)
    if language == "en":
        await caller.hears("greeting-1861", language="en", within_s=20)
        await caller.press("1")
    await caller.hears("overflow-offer", language=language, within_s=20)
    return caller


async def speak(caller: Caller, language: str = "zh") -> None:
    """Wait for the beep, complain, press #."""
    await caller.hears("record-intro", language=language)
    await caller.hears("beep", within_s=12)
    await caller.says(COMPLAINT)
    await caller.press("#")


def only_message(desk: Desk) -> tuple[str, dict[str, object]]:
    ((file, about),) = desk.sink.taken.items()
    return file, about


async def answered(busy: Pbx, phone: DeskPhone) -> str:
    """The agent takes the next caller, whose number is returned, and hangs up at once."""
    leg = await phone.rings(within_s=20)
    number = str(leg.call.peer)
    await phone.answer()
    await phone.hang_up()
    return number


async def waiting(busy: Pbx, count: int) -> None:
    """Until so many callers are in the queue."""
    async with asyncio.timeout(20):
        while f"complaint has {count} calls" not in await busy.cli("queue show complaint"):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.1)
