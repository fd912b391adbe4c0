"""Real callers for whom nobody is free: what they are offered, what they say, the place they keep."""

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
from ivr.sound import measure
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
from tests.system.callers import Caller, DeskPhone, Lines, NotHeard
from tests.system.conftest import QUICK, Pbx, exchange
from ticketing.intake.spool import parse

pytestmark = pytest.mark.system

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


@pytest.mark.req("TL-14", "TL-20")
async def test_the_offer_at_arrival_tells_place_and_wait_and_silence_waits(
    lines: Lines, busy: Pbx, house: Desk
) -> None:
    phone = await lines.phone("1002")
    caller = await dialled(lines)
    await caller.hears("queue-ahead-1", within_s=20)
    await caller.hears("wait-3")
    await caller.hears("overflow-offer")
    await busy.add_member("1002")
    await phone.rings()
    await phone.answer()
    assert house.server.counts["done"] == 1


@pytest.mark.req("TL-20", "TL-21", "N1")
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_complaint_is_recorded_heard_again_and_confirmed(lines: Lines, house: Desk, language: str) -> None:
    caller = await offered(lines, language)
    await caller.press("1")
    await speak(caller, language)
    await caller.hears("record-review", language=language)
    await caller.press("1")
    await caller.hears(COMPLAINT)
    await caller.hears("record-review", language=language)
    await caller.press("#")
    await caller.hears("record-saved", language=language)
    for digit in "260310017" if language == "zh" else "":
        await caller.hears(f"digit-{digit}")
    await caller.hears("order-number-repeat", language=language)
    await caller.hears("goodbye", language=language, within_s=40)
    await caller.ended()
    file, about = only_message(house)
    assert about["how"] == "confirmed"
    assert about["lang"] == language
    assert sound.find(sound.load(house.folder / file), sound.snippet(COMPLAINT)[0]) is not None
    seconds = about["seconds"]
    assert isinstance(seconds, float)
    assert abs(seconds - measure(house.folder / file).seconds) < 0.1
    assert not list(house.folder.glob("*-msg-*.json"))


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


@pytest.mark.req("TL-20")
@pytest.mark.parametrize("away", ["2", "1"])
async def test_who_steps_out_and_waits_on_is_answered_in_his_turn(
    lines: Lines, busy: Pbx, house: Desk, away: str
) -> None:
    """The second of three presses a key, changes his mind, and is back: the order of answering is unchanged.

    The floor knows no place here, so that the dialplan's own memory of it counts; the other way is the next test's.
    """
    house.floor.busy, house.floor.stands = False, None
    house.disk.free = away == "2"
    phone = await lines.phone("1002")
    callers = []
    for at in range(3):
        callers.append(await dialled(lines, f"1380000000{at}"))
        await waiting(busy, at + 1)
    await callers[1].press(away)
    await callers[1].hears("callback-read-back" if away == "2" else "record-unavailable", within_s=20)
    await waiting(busy, 2)
    await callers[1].press("*")
    await callers[1].hears("place-kept")
    await waiting(busy, 3)
    await busy.add_member("1002")
    turns = [await answered(busy, phone) for _ in range(3)]
    assert [number[-12:] for number in turns] == [number[-12:] for number in sorted(turns)]


@pytest.mark.req("TL-20")
async def test_the_place_moves_up_while_its_holder_is_away(lines: Lines, busy: Pbx, house: Desk) -> None:
    """The first is answered meanwhile: the second, when back, is before the third, by the place the floor tells."""
    house.floor.busy, house.floor.stands = False, 1
    phone = await lines.phone("1002")
    callers = []
    for at in range(2):
        callers.append(await dialled(lines, f"1380000000{at}"))
        await waiting(busy, at + 1)
    await callers[1].press("2")
    await callers[1].hears("callback-read-back", within_s=20)
    await busy.add_member("1002")
    assert "13800000000" in await answered(busy, phone)
    await busy.clear_members()
    callers.append(await dialled(lines, "13800000002"))
    await waiting(busy, 1)
    await callers[1].press("*")
    await callers[1].hears("place-kept")
    await waiting(busy, 2)
    await busy.add_member("1002")
    assert "13800000001" in await answered(busy, phone)


@pytest.mark.req("TL-20")
async def test_after_the_set_wait_the_menu_and_its_third_key(lines: Lines, busy: Pbx, house: Desk) -> None:
    """Twelve seconds in the queue, the menu; 3 keeps the place, and so does silence after the next twelve."""
    caller = await offered(lines)
    await caller.hears("overflow-menu", within_s=25)
    await caller.press("3")
    await caller.hears("place-kept")
    await waiting(busy, 1)
    await caller.hears("overflow-menu", within_s=25)
    await caller.hears("place-kept", within_s=25)
    await waiting(busy, 1)
    phone = await lines.phone("1002")
    await busy.add_member("1002")
    await phone.rings()


@pytest.mark.req("TL-20")
async def test_with_somebody_idle_the_set_wait_passes_unheard(lines: Lines, busy: Pbx, house: Desk) -> None:
    house.floor.busy = False
    caller = await dialled(lines)
    await waiting(busy, 1)
    with pytest.raises(NotHeard):
        await caller.hears("overflow-menu", within_s=16)
    await waiting(busy, 1)


@pytest.mark.req("TL-07", "TL-21")
async def test_a_hang_up_keeps_what_was_said(lines: Lines, house: Desk) -> None:
    caller = await offered(lines)
    await caller.press("1")
    await caller.hears("record-intro")
    await caller.hears("beep", within_s=12)
    await caller.says(COMPLAINT[: 4 * 8000])
    await caller.hang_up()
    await house.server.idle()
    file, about = only_message(house)
    assert about["how"] == "hung_up"
    assert about["silent"] is False
    assert sound.find(sound.load(house.folder / file), sound.snippet(COMPLAINT)[0]) is not None


@pytest.mark.req("TL-21", "N1", "F09")
async def test_with_the_database_away_the_message_waits_in_the_spool(lines: Lines, house: Desk) -> None:
    house.sink.error = OSError("locked")
    caller = await offered(lines)
    await caller.press("1")
    await speak(caller)
    await caller.hears("record-review")
    await caller.press("#")
    await caller.hears("record-saved-plain")
    await caller.hears("goodbye")
    (path,) = house.folder.glob("*-msg-*.json")
    assert parse(path.read_text()).how == "confirmed"
    path.unlink()


@pytest.mark.req("TL-21")
async def test_silent_and_short_ones_are_asked_for_again(lines: Lines, house: Desk) -> None:
    caller = await offered(lines)
    await caller.press("1")
    await caller.hears("beep", within_s=20)
    await caller.press("#")
    await caller.hears("record-silent")
    await caller.hears("beep")
    await caller.says(COMPLAINT[: 8000 * 1])
    await caller.press("#")
    await caller.hears("record-too-short")
    await caller.hang_up()
    await house.server.idle()
