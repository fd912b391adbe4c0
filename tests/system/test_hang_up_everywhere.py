"""Real callers hang up at each place of the dialogues, taken from the flows themselves (TL-07, F14).

Each walks to his place by keys, silence and speech, several at a time, and hangs up where he is asked, while he is
recorded, or when the dialogue is over for him or says its last words. Where he is the service itself says on its
connection to Asterisk (`tests.system.agi_tap`). Places at which nobody can be met, a look-up of milliseconds, are left
out; `tests/ivr` hangs up at every command.

By default there is one walk to each kind of place, by keys where a key and silence lead there alike; with
HOTLINE_TEST_LONG=1 to every place, by the nearest way.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from baresip import BaresipError
from sqlalchemy import select

from cti.asterisk.provision import Installation
from cti.calls.model import CallRecord, Outcome
from cti.exchange import exchange_settings
from cti.tables import call
from cti.wiring import OrderWords
from ivr import choice, flow, talk
from ivr.menus import load
from ivr.model import Tree
from ivr.ports import Progress
from ivr.prompts import load_manifest
from tests.absent import LONG
from tests.dialer.booking import book, policy_file
from tests.ivr.graph import ANI, ANNOUNCEMENT, MENUS, OTHER_NUMBER, OVERFLOWS, Cue, Place, World, heard, places
from tests.ivr.overflow_fakes import SILENCE
from tests.system import sound
from tests.system.agi_tap import HOST, Tap
from tests.system.callers import Caller, DeskPhone, Lines
from tests.system.house import ServiceHouse
from tests.system.stage import WANGFANG, Books, menus
from tests.system.test_outage import read_out
from ticketing.callbacks.tables import callback
from ticketing.db import Database
from ticketing.intake.tables import intake_item

pytestmark = pytest.mark.system

EVERY: Final = os.environ.get(LONG) == "1"
#: callers at a time
AT_ONCE: Final = 32
#: six tenths of a second more than a message needs to count; no prompt resembles it
COMPLAINT: Final = sound.tone(500, 2.6)
HUSH: Final = np.zeros(sound.RATE // 2, np.int16)
#: what the worlds differ in, by house
WORLDS: Final = {world.name: world for world in (*MENUS, *OVERFLOWS)}
HOUSES: Final = {
    "menus": ("a customer", "a stranger", "a withheld number", "announcements"),
    "busy": (
        *("all busy", "an open callback", "key 1", "key 2", "time over", "time over, an open callback"),
        *("a withheld number, time over", "says nothing", "the talk is over"),
    ),
    "closed": ("closed hours",),
}
#: first of the numbers that are dialled, by the language they greet in; others are on no list
FIRST: Final = {"zh": 50001, "en": 60001, "": 70001}


@dataclass
class Walk:
    """One caller: where he is to hang up, the number he dials, and the number he calls from."""

    place: Place
    dnis: str
    number: str

    @property
    def world(self) -> World:
        return self.place.world

    @property
    def speaks(self) -> bool:
        """Something is recorded of him."""
        return any(cue.speech for cue in self.place.cues) or isinstance(self.place.commands[-1], talk.Record)

    def keys(self, cue: Cue) -> str:
        """Each books for another number than the others."""
        return cue.keys.replace(OTHER_NUMBER, f"1370{self.dnis:0>7}")


def test_every_world_is_walked() -> None:
    """A beginning that is added to the graph is walked here too."""
    assert {name for names in HOUSES.values() for name in names} == set(WORLDS)


# -- who walks where -------------------------------------------------------------------------------------------------


def worlds(house: str, orders: Sequence[Progress]) -> list[World]:
    """As they are true in a real house: these are the open orders of the customer, strangers book callbacks."""
    found = []
    for name in HOUSES[house]:
        own = tuple(orders) if WORLDS[name].orders else ()
        world = replace(WORLDS[name], valid=orders[0].serial, order=orders[0], orders=own)
        world = world if name == "a customer" else replace(world, ani=world.ani and ANI)
        found.append(replace(world, windows=()) if world.closed else world)  # it never opens
    return found


def kind(place: Place) -> tuple[object, ...]:
    """Places with the same of this are of one kind, in whichever world of the house."""
    state, ends = place.state, getattr(place.commands[-1], "action", "over") if place.ended else ""
    match state:
        case flow.State():
            return state.phase, state.node, state.lang, bool(state.errors), place.world.announced, ends
        case choice.State():
            walked = state.origin, state.phase, bool(state.errors), bool(state.bad_takes), bool(state.open)
            return *walked, place.path[-1:], ends
    return bool(state.errors), ends


def chosen(house: Sequence[World], tree: Tree) -> list[Place]:
    """Where callers of a house hang up."""
    if EVERY:
        return [place for world in house for place in places(world, tree) if place.lasts]
    found: dict[tuple[object, ...], Place] = {}
    for world in house:
        for place in places(world, tree, quick=True):
            if place.lasts:
                found.setdefault(kind(place), place)
    return list(found.values())


def numbers(count: int) -> Iterator[str]:
    """The lists of dnis.toml, each number for one call."""
    for language, other in (("zh", "en"), ("en", "zh")):
        for at in range(count):
            yield (
                f'[line.{FIRST[language] + at}]\nzh = "热线"\nen = "Hotline"\ngreeting = "please-hold"\n'
                f'languages = ["{language}", "{other}"]\nmenu = "main"\n'
            )


def data_of(folder: Path, *, closed: bool) -> Path:
    """The shipped menus with short greetings, many numbers, and opening hours that may never come."""
    data = menus(folder, short=True)
    with (data / "dnis.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(numbers(700 if EVERY else 120)))
    if closed:
        hours = (data / "hours.toml").read_text(encoding="utf-8")
        hours = re.sub(r'= "always"', '= "never"', hours)
        hours = hours.replace("[calendar.office]", '[calendar.never]\nzone = "Asia/Shanghai"\n\n[calendar.office]')
        (data / "hours.toml").write_text(hours, encoding="utf-8")
    return data


class Switchboard:
    """Gives each walk its numbers."""

    def __init__(self) -> None:
        self._given = dict(FIRST)
        self._strangers = iter(range(13900000001, 13900009999))

    def walk(self, place: Place) -> Walk:
        """A number on the list of the world's language; none, to come straight to a person and into the queue."""
        world = place.world
        listed = {"1860": "zh", "1861": "en"}.get(world.dnis, "") if world.step == "entry" else ""
        self._given[listed] += 1
        number = "anonymous" if not world.ani else WANGFANG if world.known else str(next(self._strangers))
        return Walk(place, str(self._given[listed] - 1), number)


# -- how they walk ---------------------------------------------------------------------------------------------------


@dataclass
class Scene:
    """A house, the people outside, and what the service says to Asterisk."""

    house: ServiceHouse
    lines: Lines
    tap: Tap
    database: Database
    #: calls that have come into a queue
    _joined: set[str] = field(default_factory=set)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def watch(self) -> None:
        """Sees who has come into a queue, until cancelled; a database of another process has no event."""
        while True:
            async with self.database.read() as conn:
                rows = await conn.execute(select(call.c.call_id).where(call.c.joined_at.is_not(None)))
                found = {str(row.call_id) for row in rows}
            async with self._news:
                self._joined = found
                self._news.notify_all()
            await asyncio.sleep(0.2)

    async def joined(self, one: Walk) -> None:
        """Waits until he is in the queue."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: self.tap.call_ids.get(one.dnis) in self._joined)

    async def walk(self, one: Walk, phone: DeskPhone | None = None) -> None:
        """He calls, walks to his place, and hangs up there."""
        if one.world.existing:
            await book(self.database, one.number)
        caller = await self.lines.caller(one.number)
        await caller.dial(one.dnis, within_s=60)
        at = await self._way_in(one, caller, phone)
        for cue in one.place.cues:
            at = await self.tap.until(one.dnis, wire(cue.prompt, cue.speech), at)
            if cue.speech:
                await speak(caller, cue.speech)
                await caller.press("#")
            elif cue.keys:
                await caller.press(one.keys(cue))
            else:
                at = await self.tap.until(one.dnis, "GET DATA", at - 1)
        last = one.place.commands[-1]
        if isinstance(last, talk.Ask):
            await self.tap.until(one.dnis, wire(heard(one.place.state, last)), at)
        elif isinstance(last, talk.Record):
            await self.tap.until(one.dnis, wire("beep", one.world.says), at)
            await speak(caller, one.world.says)
        else:
            await self.tap.until(one.dnis, last_words(one.place), at)
        await caller.hang_up()

    async def _way_in(self, one: Walk, caller: Caller, phone: DeskPhone | None) -> int:
        """To the beginning of his world; the place in what he is told."""
        world, at = one.world, 0
        if world.step == "survey":
            assert phone is not None, "somebody has to talk to him first"
            await phone.rings(within_s=60)
            await phone.answer()
            await phone.hang_up()
        elif world.step == "overflow":
            if world.existing:
                at = await self.tap.until(one.dnis, wire("callback-exists"))
                await caller.press("0")
            at = await self.tap.until(one.dnis, '"CTI_DONE"', at)
            if world.key:
                await self.joined(one)
                await caller.press(world.key)
        return await self.tap.until(one.dnis, f"step {world.step}", at)


def wire(prompt: str, speech: str = "") -> str:
    """How a question, or the beginning of a recording, shows on the connection to Asterisk."""
    if speech:
        return "RECORD FILE"
    return "-msg-" if prompt == talk.TAKE else f'"hotline/{prompt}"'


def last_words(place: Place) -> str:
    """The end of a dialogue: where it ends the call, one walk in the short run does not hear it out."""
    said = [each for each in place.commands if isinstance(each, talk.Say)]
    goes_on = getattr(place.commands[-1], "action", "") == "queue"
    return '"CTI_DONE"' if EVERY or goes_on or not said else wire(said[-1].prompts[0])


async def speak(caller: Caller, speech: str) -> None:
    """A complaint, or a telephone that is held and sends silence."""
    await caller.says(HUSH if speech == SILENCE else COMPLAINT)


@asynccontextmanager
async def opened(house: ServiceHouse) -> AsyncIterator[Scene]:
    """Callers for this house, and whoever watches its queues."""
    database = await Database.open(house.settings.database)
    try:
        async with Tap(house.settings.agi_port) as tap, Lines(house) as lines, read_out(house):
            scene = Scene(house, lines, tap, database)
            watching = asyncio.create_task(scene.watch())
            try:
                yield scene
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
    finally:
        await database.close()


async def at_once(walks: Sequence[Walk], does: Callable[[Walk], Awaitable[None]]) -> None:
    """All of them, some at a time; every one that does not come to his place is named."""
    door = asyncio.Semaphore(AT_ONCE)
    lost: list[str] = []

    async def one(walk: Walk) -> None:
        async with door:
            try:
                await does(walk)
            except (AssertionError, BaresipError, TimeoutError) as error:
                lost.append(f"{walk.world.name} {walk.place.cues}: {error!r}")

    await asyncio.gather(*(one(walk) for walk in walks))
    assert not lost, f"{len(lost)} of {len(walks)}\n" + "\n".join(lost)


# -- what is left of them --------------------------------------------------------------------------------------------


async def checked(scene: Scene, walks: Sequence[Walk], started: datetime) -> None:
    """Each has his record with his way, what was said is an item, what was confirmed is booked, and nothing is open."""
    records = await Books(scene.database).day(started, len(walks), within_s=60)
    by_call = {record.call_id: record for record in records}
    spool = exchange_settings(scene.house.settings).spool
    async with asyncio.timeout(15):  # sooner than what is cut short is swept up: he who is gone is dealt with at once
        while [*spool.glob("*-msg-*.open"), *spool.glob("*-msg-*.json")]:  # noqa: ASYNC110 - nor does a folder
            await asyncio.sleep(0.1)
        while await scene.house.cli("core show channels concise"):  # noqa: ASYNC110 - nor Asterisk
            await asyncio.sleep(0.1)
    async with scene.database.read() as conn:
        messages = (await conn.execute(select(intake_item.c.call_id, intake_item.c.sorted_out))).all()
        booked = {str(row.call_id) for row in await conn.execute(select(callback.c.call_id))}
    wrong = []
    for walk in walks:
        record = by_call.pop(scene.tap.call_ids[walk.dnis])
        left = [row.sorted_out for row in messages if row.call_id == record.call_id]
        said = "; ".join(differences(walk, record, left, record.call_id in booked))
        wrong += [f"{walk.world.name} {walk.place.cues}: {said}"] if said else []
    assert not wrong, "\n".join(wrong)
    assert not by_call
    log = (scene.house.settings.home / "log" / "hotline.jsonl").read_text(encoding="utf-8")
    told = [json.loads(line) for line in log.splitlines()]
    assert not [each for each in told if each["level"] in {"error", "critical"} or "exception" in each]


def differences(walk: Walk, record: CallRecord, left: Sequence[str | None], booked: bool) -> Iterator[str]:
    """What should not be so."""
    path = [(step.node, step.key) for step in record.path]
    way = list(walk.place.path)
    if (path if walk.world.step == "entry" else path[len(path) - len(way) :]) != way:
        yield f"path {path} instead of {way}"
    if len(left) != walk.speaks:
        yield f"{len(left)} messages"
    silent = walk.world.says == SILENCE
    if set(left) - {"silence" if silent else None}:
        yield f"sorted out: {left}"
    confirmed = ("callback", "booked") in way
    if booked != confirmed:
        yield f"booked: {booked}"
    outcome = Outcome.BOOKED_CALLBACK if confirmed else Outcome.LEFT_RECORDING if left and not silent else None
    if outcome not in {record.outcome, None} or record.outcome in {Outcome.FAILED, None}:
        yield f"outcome {record.outcome}"


async def prepared(scene: Scene, house: str, tree: Tree) -> list[Walk]:
    """The walks of a house, with the open orders of the customer who calls."""
    words = OrderWords(scene.database, lambda: datetime.now(UTC), scene.house.settings.area_code)
    orders = await words.by_number(WANGFANG)
    numbers = Switchboard()
    found = sorted(chosen(worlds(house, orders), tree), key=lambda place: -len(place.cues))  # the longest begin first
    return [numbers.walk(place) for place in found]


async def announce(house: ServiceHouse, walks: Sequence[Walk]) -> None:
    """What callers of these numbers hear before the menu."""
    dnis = [walk.dnis for walk in walks if walk.world.announced]
    if dnis:
        supervisor = await house.person("3001")
        ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        await supervisor.post("/api/announcements", {"prompt": ANNOUNCEMENT, "dnis": dnis, "ends_at": ends_at})


@pytest.mark.req("TL-07", "F14", "N1", "N2")
@pytest.mark.parametrize("where", HOUSES)
async def test_a_hang_up_at_each_place(short_tmp: Path, asterisk_installation: Installation, where: str) -> None:
    """Menus and announcements; nobody is free, and the grade after a talk; nobody is there."""
    data = data_of(short_tmp, closed=where == "closed")
    tree = load(load_manifest(), data).tree
    assert tree is not None
    settings: dict[str, Any] = {"ivr_data": data, "agi_advertised": HOST, "overflow": where != "menus"}
    settings |= {"survey": where == "busy", "queue_seconds": 6, "callback_policy": policy_file(short_tmp)}
    settings |= {"wrap_up_seconds": 0}
    house = ServiceHouse(short_tmp / "h", verified=not EVERY, **settings)
    async with house, opened(house) as scene:
        started = datetime.now(UTC)
        walks = await prepared(scene, where, tree)
        await announce(house, walks)
        await at_once([walk for walk in walks if walk.world.step != "survey"], scene.walk)
        if where == "busy":
            phone = await scene.lines.phone("1002")
            agent = await house.sign_in("1002")
            await agent.state("ready")
            for walk in walks:
                if walk.world.step == "survey":
                    await scene.walk(walk, phone)
        await checked(scene, walks, started)
