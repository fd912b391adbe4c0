"""The service is killed while callers are in its menus: each hears a prompt, reaches a queue, and nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cti import store
from cti.asterisk.provision import Installation
from cti.calls.model import CallRecord
from ivr.flow import Phase, State
from ivr.model import Entry, Menu
from tests.ivr.fakes import shipped_tree
from tests.ivr.graph import ANI, World, places
from tests.system import sound
from tests.system.callers import Caller, Lines, NotHeard
from tests.system.house import ServiceHouse
from tests.system.sound import RATE, Pcm
from tests.system.stage import menus
from ticketing.db import Database

pytestmark = pytest.mark.system

#: where callers may stand and are asked for keys, and the keys that lead there, from the menus themselves
PLACES = {
    place.state.node: place.keys
    for place in reversed(list(places(World("a stranger", "entry", ANI, "1860"))))
    if isinstance(place.state, State) and place.state.phase in (Phase.MENU, Phase.ENTRY)
}
#: the same for what only passes by: what is said, and the key after which it is
PASSING = {"standard-repair": "0", "closed-hours": "2"}


def longest_silence(samples: Pcm) -> float:
    """Seconds of the longest stretch without a sound (under -50 dBFS in windows of 20 ms)."""
    window = RATE // 50
    windows = samples[: len(samples) // window * window].reshape(-1, window).astype(np.float64)
    longest = run = 0
    for quiet in np.sqrt(np.mean(np.square(windows), axis=1)) < 100:
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return longest / 50


class Walker:
    """A caller on his way to a place of the menus, which he reaches when he is told to."""

    def __init__(self, caller: Caller, keys: Sequence[str], said: str, language: str = "zh") -> None:
        self.caller, self._keys, self._said, self.language = caller, keys, said, language

    async def call(self) -> None:
        """Dials, and hears what comes before the last key."""
        dnis = {"zh": "1860", "en": "1861"}[self.language]
        await self.caller.dial(dnis)
        await self._hear(f"greeting-{dnis}")
        for count, key in enumerate(self._keys[:-1], start=1):
            await self.caller.press(key)
            (node,) = [name for name, way in PLACES.items() if way == list(self._keys[:count])]
            await self._hear(spoken(node))

    async def arrive(self) -> None:
        """Presses the last key and hears where it leads."""
        if self._keys:
            await self.caller.press(self._keys[-1])
        await self._hear(self._said)

    async def _hear(self, prompt: str) -> None:
        try:
            await self.caller.hears(prompt, within_s=40, language=self.language)
        except NotHeard as error:
            raise AssertionError(f"{self.caller.number} {self._keys}: {error}") from None


def spoken(node: str) -> str:
    """What is heard first at a place of the menus."""
    found = shipped_tree().nodes[node]
    assert isinstance(found, Menu | Entry)
    return found.prompts[0]


async def walk(lines: Lines, number: str, keys: str) -> Caller:
    """A caller who stands where these keys lead."""
    (node,) = [name for name, way in PLACES.items() if way == list(keys)]
    walker = Walker(await lines.caller(number), keys, spoken(node))
    await walker.call()
    await walker.arrive()
    return walker.caller


async def everywhere(lines: Lines) -> dict[str, Walker]:
    """Callers at every place at once: who is soon past his place arrives last."""
    made = {
        place: Walker(await lines.caller(f"139000011{number:02d}"), keys, spoken(place))
        for number, (place, keys) in enumerate(PLACES.items())
    }
    late = {
        place: made.pop(place) for place in list(made) if isinstance(shipped_tree().nodes[place], Entry)
    }  # one silence there, and the caller is taken on
    made["main (en)"] = Walker(await lines.caller("13900001190"), [], spoken("main"), "en")
    late |= {
        f"{said} is said": Walker(await lines.caller(f"139000012{number:02d}"), [key], said)
        for number, (said, key) in enumerate(PASSING.items())
    }
    greeted, notified = await lines.caller("13900001300"), await lines.caller("13900001301")
    await asyncio.gather(*(walker.call() for walker in made.values()))
    await asyncio.gather(*(walker.call() for walker in late.values()), greeted.dial("1860"))
    await greeted.hears("notice", within_s=40)
    await asyncio.gather(*(walker.arrive() for walker in made.values()))
    await notified.dial("1860")
    await asyncio.gather(
        *(walker.arrive() for walker in late.values()),
        notified.hears("notice", within_s=40),
        greeted.hears("greeting-1860", within_s=40),
    )
    return made | late | {"greeting": Walker(greeted, [], ""), "notice": Walker(notified, [], "")}


async def rescued(caller: Caller, killed_at: float, language: str = "zh") -> tuple[float, float]:
    """Seconds from the kill to the rescue prompt, and of the longest silence the caller has heard so far."""
    try:
        heard = await caller.hears("technical-hold", within_s=30, language=language)
    except NotHeard as error:
        raise AssertionError(f"{caller.number}: {error}") from None
    ear = caller.leg.ear
    return ear.arrived(heard.at_s) - killed_at, longest_silence(ear.samples)


def spoil(file: Path, old: str, new: str) -> None:
    """Changes a copy of a data file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_every_place_where_keys_are_asked_for_is_visited() -> None:
    """A menu that is added is visited too."""
    assert set(PLACES) == {name for name, node in shipped_tree().nodes.items() if isinstance(node, Menu | Entry)}
    assert len(PLACES) >= 11


@pytest.mark.req("TL-07", "TL-24", "TL-70")
async def test_callers_in_every_menu_step_are_rescued_when_the_service_is_killed(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """kill -9 with a caller in each step, all at once: a prompt within 3 s, each reaches a queue, a phone rings.

    One hears the notice, one each what passes by, one stands at each menu and each entry of the tree, one in English.
    """
    data = menus(short_tmp)
    spoil(data / "hours.toml", 'suggestion = "always"', 'suggestion = "never"')
    spoil(data / "hours.toml", "[calendar.always]", '[calendar.never]\nzone = "Asia/Shanghai"\n\n[calendar.always]')
    spoil(data / "routing.toml", 'say = "to-person"', 'say = "standard-repair"')  # long enough to be met in it
    async with ServiceHouse(short_tmp / "h", ivr_data=data) as house, Lines(house) as lines:
        await house.sign_in("1002")
        phone = await lines.phone("1002")
        walkers = await everywhere(lines)
        for walker in walkers.values():
            walker.caller.leg.forget()
        killed_at = time.monotonic()
        await house.kill()
        measured = await asyncio.gather(
            *(rescued(walker.caller, killed_at, walker.language) for walker in walkers.values())
        )
        told = dict(zip(walkers, measured, strict=True))
        assert max(silence for _, silence in measured) <= 3.0, told
        # the notice is the dialplan's own: it is heard to its end first
        assert max(prompt for place, (prompt, _) in told.items() if place != "notice") <= 3.0, told
        callers = [walker.caller for walker in walkers.values()]
        await phone.rings()
        await phone.answer()
        await callers[0].says(sound.tone(600, 1.0))

        began = time.monotonic()
        await house.start()
        assert time.monotonic() - began < 20
        assert "taken over" in house.printed
        for caller in callers:
            await caller.hang_up()
        again = await house.person("1002")
        assert (await again.get("/api/agent"))["state"] in {"talking", "wrap_up", "ready"}
        await _all_closed(house, len(walkers))
        records = await _records(house)
        assert len(records) == len(walkers)
        for record in records:
            assert record.joined_at is not None, f"{record.call_id} reached no queue"
            assert record.rescued or "events" in record.unseen, f"{record.call_id} hides the gap"
        (answered,) = (call for call in (await again.get("/api/calls"))["items"] if call["agent"] == "1002")
        assert answered["order_id"] is not None


class StallingHouse(ServiceHouse):
    """The same service, whose event loop stands still for a minute at SIGUSR1."""

    program = (
        "-c",
        "import signal, time\nsignal.signal(signal.SIGUSR1, lambda *_: time.sleep(60))\nimport cti.cli\ncti.cli.main()",
        "up",
    )


@pytest.mark.req("F07", "N8", "TL-24")
async def test_a_stalled_loop_ends_the_process_and_its_callers_go_on(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """The watchdog of a real service with a caller in its menu: exit 70, a prompt within 3 s, the queue."""
    async with StallingHouse(short_tmp) as house, Lines(house) as lines:
        caller = await walk(lines, "13900001101", "3")
        house.process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(20):
            assert await house.process.wait() == 70
        assert house.process.stdout is not None
        assert "event loop stalled" in (await house.process.stdout.read()).decode()
        assert (await rescued(caller, time.monotonic()))[1] <= 3.0
        async with asyncio.timeout(20):
            while "has 1 calls" not in await house.cli("queue show complaint"):  # noqa: ASYNC110 - no event of ours
                await asyncio.sleep(0.1)
        assert (await house.start()) is None
        assert "taken over" in house.printed
        await caller.hang_up()
        await _all_closed(house, 1)


async def _records(house: ServiceHouse) -> list[CallRecord]:
    """What the database holds of today's calls."""
    database = await Database.open(house.settings.database)
    try:
        async with database.read() as conn:
            return await store.recent(conn, limit=50)
    finally:
        await database.close()


async def _all_closed(house: ServiceHouse, count: int) -> None:
    """Every call has one record, closed, and says that it was rescued or what could not be seen (N2)."""
    supervisor = await house.person("3001")
    calls: list[dict[str, object]] = []
    try:
        async with asyncio.timeout(20):
            while len(calls) < count or not all(call["ended_at"] for call in calls):
                calls = (await supervisor.get("/api/calls?mine=false&limit=50"))["items"]
                await asyncio.sleep(0.2)
    except TimeoutError:
        left = [call for call in calls if not call["ended_at"]]
        channels = await house.cli("core show channels concise")
        raise AssertionError(f"{len(calls)} of {count} calls, not closed: {left}; channels: {channels}") from None
