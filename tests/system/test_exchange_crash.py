"""Asterisk is killed with calls up: each has its record and recording, its caller is listed, the agents are back."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from cti.asterisk.process import Asterisk
from cti.asterisk.provision import Installation
from cti.asterisk.render import RunFolder
from cti.asterisk.secrets import Secrets
from cti.exchange import exchange_settings
from tests.system import sound
from tests.system.callers import Caller, Lines
from tests.system.house import Agent, House

pytestmark = pytest.mark.system

TALKS, WAITS, SPEAKS, CHOOSES = "13800138003", "13800138004", "13800138002", "13800138007"


async def crash(house: House, installation: Installation) -> Asterisk:
    """kill -9, and the same exchange again, as a supervisor would start it."""
    exchange = exchange_settings(house.settings)
    folder = RunFolder(
        house.settings.asterisk_run, installation, exchange, Secrets.load_or_create(house.settings.secrets_dir)
    )
    pid = int(folder.pid_file.read_text(encoding="ascii"))
    os.kill(pid, signal.SIGKILL)
    revived = Asterisk(folder)
    await revived.start()
    return revived


async def begins(lines: Lines, number: str) -> Caller:
    """A caller who has chosen nothing yet."""
    caller = await lines.caller(number)
    await caller.dial("1860")
    await caller.hears("greeting-1860", within_s=20)
    return caller


async def all_closed(person: Agent, count: int) -> dict[str, dict[str, Any]]:
    """So many calls by the end of their numbers, all closed."""
    calls: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(20):
            while len(calls) < count or any(call["outcome"] is None for call in calls):
                calls = (await person.get("/api/calls?mine=false&limit=50"))["items"]
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not closed: {calls}") from None
    return {call["number"][-4:]: call for call in calls}


@pytest.mark.req("F05", "F13", "G13", "N2", "N5", "TL-70")
async def test_a_crash_of_the_exchange_with_four_calls_up(short_tmp: Path, asterisk_installation: Installation) -> None:
    """One talks, one waits, one leaves a message, one is in the menu."""
    async with House(short_tmp, overflow=True) as house, Lines(house) as lines:
        agent, rests = await house.sign_in("1002"), await house.sign_in("2001")
        await rests.post("/api/agent/pause", {"reason": "meal"})
        supervisor = await house.person("3001")
        phone = await lines.phone("1002")

        talks = await begins(lines, TALKS)
        await talks.press("1")
        await phone.rings(within_s=20)
        await phone.answer()
        await agent.state("talking")
        waits, speaks = await asyncio.gather(begins(lines, WAITS), begins(lines, SPEAKS))
        for caller, key in ((waits, "3"), (speaks, "1")):
            await caller.press("1")
            await caller.hears("overflow-offer", within_s=30)
            await caller.press(key)
        await speaks.hears("beep", within_s=30)
        chooses = await lines.caller(CHOOSES)
        await chooses.dial("1860")
        await speaks.says(sound.tone(500, 9.0))  # the notice is over by then, the menu begun

        revived = await crash(house, asterisk_installation)
        try:
            await agent.event("alert", lambda alert: alert["code"] == "telephony_restored", within_s=20)
            began = time.monotonic()
            calls = await all_closed(supervisor, 4)
            assert time.monotonic() - began < 10
            assert {number: call["outcome"] for number, call in calls.items()} == {
                TALKS[-4:]: "answered",
                WAITS[-4:]: "failed",
                SPEAKS[-4:]: "left_recording",
                CHOOSES[-4:]: "failed",
            }
            assert calls[TALKS[-4:]]["order_id"] is not None
            # Asterisk had closed no file: the header is repaired, what was in its buffer is lost
            assert (await supervisor.recorded(calls[TALKS[-4:]]["call_id"]))["state"] == "partial"

            listed = {each["number"]: each for each in await proposals(supervisor, 3)}
            assert set(listed) == {f"+86{number}" for number in (TALKS, WAITS, CHOOSES)}
            assert {(each["state"], each["attempts"], each["owner"]) for each in listed.values()} == {
                ("failed", 0, "callbacks")
            }
            clerk = await house.person("6001")
            (item,) = await items(clerk)
            assert item["caller_number"] == f"+86{SPEAKS}"
            assert item["recording"]["state"] in {"partial", "ready"}

            for queue, number, word in (("complaint", "1002", "dynamic"), ("senior", "2001", "paused:meal")):
                await becomes(house, queue, number, word)
            view = await rests.get("/api/agent")
            assert (view["state"], view["reason"]) == ("paused", "meal")
        finally:
            await revived.stop()


async def proposals(person: Agent, count: int) -> list[dict[str, Any]]:
    """So many callbacks that wait for a person's word."""
    async with asyncio.timeout(10):
        while len(found := (await person.get("/api/callbacks?listed=true"))["items"]) < count:  # noqa: ASYNC110 - it comes by a page's look
            await asyncio.sleep(0.1)
    return list(found)


async def items(person: Agent) -> list[dict[str, Any]]:
    """The messages taken in, when there are any: one that was cut short is taken in after some time."""
    async with asyncio.timeout(40):
        while not (found := (await person.get("/api/items"))["items"]):  # noqa: ASYNC110 - the item comes by a page's look
            await asyncio.sleep(0.2)
    return list(found)


async def becomes(house: House, queue: str, number: str, word: str) -> None:
    """Waits until the member's line in Asterisk's own queue has this word."""
    line = ""
    try:
        async with asyncio.timeout(10):
            while word not in line:
                printed = await house.cli(f"queue show {queue}")
                line = next((line for line in printed.splitlines() if f"PJSIP/{number}" in line), "")
                await asyncio.sleep(0.05)  # the exchange tells only its manager
    except TimeoutError:
        raise AssertionError(f"{number} in {queue} is not {word!r}: {line!r}") from None
