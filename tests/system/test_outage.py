"""The service, or its database, is away while ten people call: all are heard, everything is taken in, once (TL-24)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from cti.asterisk.provision import Installation
from ivr.reserve import FILE
from tests.absent import LONG
from tests.system import sound
from tests.system.callers import Caller, Lines
from tests.system.house import ServiceHouse
from tests.system.sound import RATE

pytestmark = pytest.mark.system

COMPLAINT = sound.tone(500, 5.0)
#: seconds a caller hears nothing at most (N8)
MOST_SILENCE = 3.0
ANSWERED, LEAVING, CUT, WAITING = 2, 4, 2, 2
#: so many come in at a time; a door for each exchange, since each test has its own loop
AT_THE_DOOR = 3
DOORS: WeakKeyDictionary[Lines, asyncio.Semaphore] = WeakKeyDictionary()


@dataclass
class Person:
    """One caller and what became of him."""

    caller: Caller
    number: str
    #: longest silence until he was asked to speak, was answered, or hung up; seconds
    silence: float = 0.0
    #: the number that was read to him, when his recording was accepted
    serial: str = ""

    def listened(self, until_s: float = math.inf) -> None:
        self.silence = self.caller.leg.ear.longest_silence(until_s)


# -- outages ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def stopped(house: ServiceHouse) -> AsyncIterator[None]:
    """kill -9, and started again."""
    await house.kill()
    yield
    await house.start()


@asynccontextmanager
async def frozen(house: ServiceHouse) -> AsyncIterator[None]:
    """It stands still with all its sockets open."""
    house.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        house.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def locked(house: ServiceHouse) -> AsyncIterator[None]:
    """Somebody else holds the database's only write lock."""
    other = sqlite3.connect(house.settings.home / "hotline.db", isolation_level=None, timeout=10)
    try:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


@asynccontextmanager
async def read_out(house: ServiceHouse) -> AsyncIterator[None]:
    """Somebody reads what the service prints: a full pipe would hold it up, and this outage makes it talk a lot."""

    async def read() -> None:
        assert house.process.stdout is not None
        while await house.process.stdout.read(4096):
            pass

    reading = asyncio.create_task(read())
    try:
        yield
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


Outage = Callable[[ServiceHouse], contextlib.AbstractAsyncContextManager[None]]
OUTAGES: dict[str, Outage] = {"stopped": stopped, "locked": locked}
if os.environ.get(LONG) == "1":
    OUTAGES["frozen"] = frozen


# -- people ----------------------------------------------------------------------------------------------------------


async def arrives(lines: Lines, number: int, *, served: bool) -> Person:
    """Somebody who asks for a person: by the menu, or the dialplan's rescue does it for him.

    A few come in at a time: one process listens for them all.
    """
    async with DOORS.setdefault(lines, asyncio.Semaphore(AT_THE_DOOR)):
        caller = await lines.caller(f"1390000{number:04d}")
        await caller.dial("1860")
        if served:
            await caller.hears("greeting-1860", within_s=60)
            await caller.press("1")
        else:
            await caller.hears("technical-hold", within_s=60)
    return Person(caller, f"+861390000{number:04d}")


async def asked_to_speak(person: Person, *, key: bool) -> None:
    """As far as the beep: by the key of the offer when there is one, else after two waits."""
    if key:
        await person.caller.hears("overflow-offer", within_s=60)
        await person.caller.press("1")
    await person.caller.hears("record-intro", within_s=60)
    beep = await person.caller.hears("beep", within_s=20)
    person.listened(beep.at_s)


async def leaves(lines: Lines, number: int, spool: Path, *, served: bool, key: bool) -> Person:
    """He says all he wants; he is told a number, and the one on the disk is his.

    `record-saved` is only said before a number; which one is read is shown where nobody else makes the machine busy.
    """
    person = await arrives(lines, number, served=served)
    await asked_to_speak(person, key=key)
    await person.caller.says(COMPLAINT)
    await person.caller.press("#")
    if served:
        await person.caller.hears("record-review", within_s=20)
        await person.caller.press("#")
    await person.caller.hears("record-saved", within_s=20)
    (about,) = (told for told in sidecars(spool) if told["ani"] == person.caller.number)
    await person.caller.ended(within_s=120)  # the number is read, and the exchange hangs up
    person.serial = about["serial"]
    return person


async def hangs_up_mid_word(lines: Lines, number: int, *, served: bool, key: bool) -> Person:
    """He has said three seconds of it."""
    person = await arrives(lines, number, served=served)
    await asked_to_speak(person, key=key)
    await person.caller.says(COMPLAINT[: 3 * RATE])
    await person.caller.hang_up()
    return person


async def waits_in_vain(lines: Lines, number: int, *, served: bool) -> Person:
    """He hears that all are busy, or the music, and hangs up."""
    person = await arrives(lines, number, served=served)
    if served:
        await person.caller.hears("overflow-offer", within_s=60)
    person.listened()
    await person.caller.hang_up()
    return person


# -- what is there afterwards ----------------------------------------------------------------------------------------


async def until(ready: Callable[[], Any], what: str, *, within_s: float = 40.0) -> Any:
    """The first true answer; another process's database and files have no event."""
    found: Any = None
    try:
        async with asyncio.timeout(within_s):
            while not (found := ready()):  # noqa: ASYNC110 - another process has no event for us
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"{what} did not come within {within_s:g} s") from None
    return found


def rows(house: ServiceHouse, query: str) -> list[dict[str, Any]]:
    """What the database holds, read past the service."""
    with contextlib.closing(sqlite3.connect(house.settings.home / "hotline.db", timeout=10)) as read:
        read.row_factory = sqlite3.Row
        return [dict(row) for row in read.execute(query)]


@pytest.mark.req("TL-24", "TL-07", "F06", "F07", "F08", "F09", "F14", "N1", "N8")
@pytest.mark.parametrize("outage", OUTAGES)
async def test_ten_callers_in_an_outage(short_tmp: Path, asterisk_installation: Installation, outage: str) -> None:
    """Two reach an agent, four leave a message, two hang up while they speak, two while they wait.

    With the offer switched off (the first) two short waits lead to the message, with it on the announced key does.
    """
    served, key = outage == "locked", outage != "stopped"
    async with ServiceHouse(short_tmp, overflow=key, queue_seconds=120 if key else 10) as house, Lines(house) as lines:
        spool = house.settings.asterisk_run / "voice"
        await until((spool / FILE).exists, "the reserve")
        phones = [await lines.phone(number) for number in ("1001", "1002")]
        for number in ("1001", "1002"):
            await house.sign_in(number)
        async with read_out(house), OUTAGES[outage](house):
            talking = await asyncio.gather(*(arrives(lines, each, served=served) for each in range(ANSWERED)))
            for phone in phones:
                await phone.rings(within_s=20)
                await phone.answer()
            for person in talking:
                person.listened()
            jobs = [leaves(lines, 10 + each, spool, served=served, key=key) for each in range(LEAVING)]
            jobs += [hangs_up_mid_word(lines, 20 + each, served=served, key=key) for each in range(CUT)]
            jobs += [waits_in_vain(lines, 30 + each, served=served) for each in range(WAITING)]
            people = [*talking, *await asyncio.gather(*jobs)]
            waiting = await until(lambda: _waiting(spool, LEAVING + CUT), "every sidecar")
            assert rows(house, "SELECT 1 FROM intake_item") == [], "nothing can have been taken in meanwhile"
        silences = {person.number: person.silence for person in people}
        assert max(silences.values()) <= MOST_SILENCE, silences

        items = await until(lambda: _items(house, LEAVING + CUT), "every item")
        assert [item["key"] for item in items] == sorted((item["key"] for item in items), key=waiting.index)
        assert [item["received_at"] for item in items] == sorted(item["received_at"] for item in items)
        of = {item["caller_number"]: item for item in items}
        assert len(of) == len(items) == LEAVING + CUT
        for person in people:
            if person.serial:
                assert of[person.number]["serial"] == person.serial
                assert of[person.number]["how"] == ("confirmed" if served else "rescue")
        assert [item["how"] for item in items].count("hung_up") == CUT
        assert sum(bool(person.serial) for person in people) == LEAVING
        assert {item["state"] for item in items} == {"new"}
        await until(lambda: not _left(spool), "the end of every sidecar")

        for person in talking:
            await person.caller.hang_up()
        await until(lambda: _closed(house, len(people) if served else ANSWERED), "every closed row", within_s=60)


def sidecars(spool: Path) -> list[dict[str, Any]]:
    """Every message that waits."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in spool.glob("*-msg-*.json")]


def _waiting(spool: Path, count: int) -> list[str] | None:
    """Keys of the messages that wait, in the order of speaking; None until there are so many and none is open."""
    found = sidecars(spool)
    if len(found) < count or list(spool.glob("*-msg-*.open")):
        return None
    return [told["file"].removesuffix(".wav") for told in sorted(found, key=lambda told: (told["at"], told["file"]))]


def _left(spool: Path) -> list[str]:
    """Sidecars that are still there: each goes once its item is committed."""
    return [path.name for path in spool.glob("*-msg-*") if path.suffix in {".json", ".open"}]


def _items(house: ServiceHouse, count: int) -> list[dict[str, Any]] | None:
    found = rows(house, "SELECT * FROM intake_item ORDER BY id")
    return found if len(found) >= count else None


def _closed(house: ServiceHouse, count: int) -> bool:
    """So many rows at least, each of another call, and none open."""
    found = rows(house, "SELECT call_id, ended_at FROM call")
    assert len({row["call_id"] for row in found}) == len(found)
    return len(found) >= count and all(row["ended_at"] for row in found)
