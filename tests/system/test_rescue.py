"""The service is killed while callers are in its menus: each hears a prompt, reaches a queue, and nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from cti import store
from cti.asterisk.provision import Installation
from cti.calls.model import CallRecord
from tests.system import sound
from tests.system.callers import Caller, Lines
from tests.system.house import ServiceHouse
from tests.system.sound import RATE, Pcm
from ticketing.db import Database

pytestmark = pytest.mark.system

#: keys that lead to each place in the menus
STEPS = {
    "greeting": "",
    "main menu": "#",
    "progress menu": "3",
    "order number asked": "31",
    "standards menu": "4",
    "one standard": "42",
}


def longest_silence(samples: Pcm) -> float:
    """Seconds of the longest stretch without a sound (under -50 dBFS in windows of 20 ms)."""
    window = RATE // 50
    windows = samples[: len(samples) // window * window].reshape(-1, window).astype(np.float64)
    longest = run = 0
    for quiet in np.sqrt(np.mean(np.square(windows), axis=1)) < 100:
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return longest / 50


async def walk(lines: Lines, number: str, keys: str) -> Caller:
    """A caller who has pressed these keys after the greeting began."""
    caller = await lines.caller(number)
    await caller.dial("1860")
    await caller.hears("greeting-1860", within_s=15)
    for key in keys:
        await caller.press(key)
        await asyncio.sleep(1.0)  # a person's pace between two keys
    return caller


async def rescued(caller: Caller) -> float:
    """Waits for the rescue prompt and returns the longest silence the caller has heard so far, in seconds."""
    await caller.hears("technical-hold", within_s=25)
    return longest_silence(caller.leg.ear.samples)


@pytest.mark.req("TL-07", "TL-24", "TL-70")
async def test_callers_in_every_menu_step_are_rescued_when_the_service_is_killed(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """kill -9 with a caller in each step: a prompt, never more than 3 s of silence, an agent's phone rings."""
    async with ServiceHouse(short_tmp) as house, Lines(house) as lines:
        await house.sign_in("1002")
        phone = await lines.phone("1002")
        callers = await asyncio.gather(
            *(walk(lines, f"139000011{number:02d}", keys) for number, keys in enumerate(STEPS.values()))
        )
        await house.kill()
        silences = dict(zip(STEPS, await asyncio.gather(*(rescued(caller) for caller in callers)), strict=True))
        assert max(silences.values()) <= 3.0, silences
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
        await _all_closed(house, len(STEPS))
        records = await _records(house)
        assert len(records) == len(STEPS)
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
        assert await rescued(caller) <= 3.0
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
        raise AssertionError(f"not closed: {calls}") from None
