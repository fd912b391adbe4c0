"""The link is cut at event boundaries of calls of every kind: final rows equal the undisturbed service's (TL-70, F01).

One Asterisk, one real call at a time, and many services that listen to it (`tests.system.observers`), each cut after
another event; others get every byte as a segment of its own, every block twice, everything late, or a line that dies
without a word. Equal means equal, or marked in `unseen` with the precision of the journal that told it.

One part cuts every fifth boundary of five calls; with HOTLINE_TEST_LONG=1 there are five parts, so that each is
cut in one of them, and four more calls.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cti import store
from cti.asterisk.provision import Installation
from cti.calls.model import CallRecord, Outcome
from tests.absent import LONG
from tests.ami.faults import FaultProxy
from tests.dialer.booking import policy_file
from tests.proof.ledger import EXAMPLES
from tests.system import sound
from tests.system.callers import Caller, DeskPhone, Lines
from tests.system.house import Agent, House
from tests.system.observers import Observer, observers
from tests.system.stage import menus

pytestmark = pytest.mark.system

#: boundaries between two observers' cuts (one process is all of them), and events of the longest of the calls
STRIDE = 5
EVENTS = 60
PARTS = range(STRIDE) if os.environ.get(LONG) == "1" else range(1)
SPECIAL = ("calm", "bytes", "twice", "late", "frozen")

Recorder = Callable[[str, object], None]
Script = Callable[["Stage"], Coroutine[None, None, None]]


class Stage:
    """The people of the calls."""

    def __init__(self, house: House, lines: Lines, phones: dict[str, DeskPhone], agents: dict[str, Agent]) -> None:
        self.house, self.lines, self.phones, self.agents = house, lines, phones, agents
        self.numbers = iter(range(13800138011, 13800138099))

    async def begins(self, dnis: str = "1860", language: str = "zh") -> Caller:
        """A caller who hears the menu."""
        caller = await self.lines.caller(str(next(self.numbers)))
        await caller.dial(dnis)
        await caller.hears("please-hold", within_s=25, language=language)
        return caller

    async def rung(self, *but: str) -> str:
        """The agent whose phone rings first."""
        waiting = {asyncio.create_task(phone.rings(within_s=30)): n for n, phone in self.phones.items() if n not in but}
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        first = done.pop()
        await first
        return waiting[first]


async def answered_and_graded(stage: Stage) -> None:
    caller = await stage.begins()
    await caller.press("1")
    agent = await stage.rung()
    await stage.phones[agent].answer()
    await stage.agents[agent].state("talking")
    await stage.phones[agent].hang_up()
    await caller.hears("survey-ask", within_s=15)
    await caller.press("1")
    await caller.ended(within_s=20)


async def missed_then_answered(stage: Stage) -> None:
    caller = await stage.begins()
    await caller.press("1")
    first = await stage.rung()
    second = await stage.rung(first)
    await stage.phones[second].answer()
    await stage.agents[second].state("talking")
    await caller.hang_up()


async def abandoned_while_ringing(stage: Stage) -> None:
    caller = await stage.begins()
    await caller.press("1")
    await stage.rung()
    await caller.hang_up()


async def left_a_complaint(stage: Stage) -> None:
    for agent in stage.agents.values():
        await agent.post("/api/agent/pause", {"reason": "meal"})
    caller = await stage.begins()
    await caller.press("1")
    await caller.hears("overflow-offer", within_s=30)
    await caller.press("1")
    await caller.hears("beep", within_s=30)
    await caller.says(sound.tone(500, 4.0))
    await caller.press("#")
    await caller.hears("record-review", within_s=15)
    await caller.press("#")
    await caller.hears("record-saved", within_s=15)
    await caller.hang_up()


async def chose_nothing(stage: Stage) -> None:
    caller = await stage.begins()
    await caller.hang_up()


async def answered_in_english(stage: Stage) -> None:
    caller = await stage.begins("1861", "en")
    await caller.press("1")
    agent = await stage.rung()
    await stage.phones[agent].answer()
    await stage.agents[agent].state("talking")
    await stage.phones[agent].hang_up()
    await caller.ended(within_s=40)


async def walked_the_menu(stage: Stage) -> None:
    caller = await stage.begins()
    for key, prompt in (("4", "menu-standards"), ("5", "standard-answer"), ("*", "menu-standards"), ("*", "menu-main")):
        await caller.press(key)
        await caller.hears(prompt, within_s=20)
    await caller.hang_up()


async def all_rest(stage: Stage) -> Caller:
    """A caller who is offered something else while nobody takes calls."""
    for agent in stage.agents.values():
        if (await agent.get("/api/agent"))["state"] != "paused":
            await agent.post("/api/agent/pause", {"reason": "meal"})
    caller = await stage.begins()
    await caller.press("1")
    await caller.hears("overflow-offer", within_s=30)
    return caller


async def waited_and_gave_up(stage: Stage) -> None:
    caller = await all_rest(stage)
    await caller.press("3")
    async with asyncio.timeout(20):
        while "complaint has 1 calls" not in await stage.house.cli("queue show complaint"):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.1)
    await caller.hang_up()


async def booked_a_callback(stage: Stage) -> None:
    caller = await all_rest(stage)
    await caller.press("2")
    for prompt in ("callback-number-choice", "callback-when", "callback-confirm"):
        await caller.hears(prompt, within_s=30)
        await caller.press("1")
    await caller.hears("callback-saved", within_s=20)
    await caller.hang_up()


SCRIPTS: dict[str, tuple[Script, Outcome]] = {
    "answered and graded": (answered_and_graded, Outcome.ANSWERED),
    "missed, then answered": (missed_then_answered, Outcome.ANSWERED),
    "abandoned while ringing": (abandoned_while_ringing, Outcome.ABANDONED),
    "no order": (chose_nothing, Outcome.SERVED_BY_IVR),
    "left a complaint": (left_a_complaint, Outcome.LEFT_RECORDING),
}
#: who rests in one rests in those that follow
MORE: dict[str, tuple[Script, Outcome]] = {
    "answered in English": (answered_in_english, Outcome.ANSWERED),
    "walked the menu": (walked_the_menu, Outcome.SERVED_BY_IVR),
    "waited and gave up": (waited_and_gave_up, Outcome.ABANDONED),
    "booked a callback": (booked_a_callback, Outcome.BOOKED_CALLBACK),
}
CALLS: dict[str, dict[str, tuple[Script, Outcome]]] = {"five": SCRIPTS} | (
    {"more": MORE} if os.environ.get(LONG) == "1" else {}
)


def plain(record: CallRecord) -> dict[str, object]:
    """Everything in a row that is no time."""
    return {
        "outcome": record.outcome,
        "answered_by": record.answered_by,
        "end": (record.end_reason, record.end_step, record.left_status, record.refusal),
        "who": (record.ani, record.dnis, record.lang, record.notice, record.customer, record.match, record.vip),
        "routed": (record.queue, record.priority, record.reason, record.rescued),
        "recording": record.recording,
        "grade": record.grade,
        "path": [(step.node, step.key) for step in record.path],
        "offers": [(offer.agent, offer.queue, offer.result, offer.leg) for offer in record.offers],
        "stays": [(stay.queue, stay.status) for stay in record.stays],
        "breach": record.clocks.breach,
        "legs": [(leg.uniqueid, leg.cause) for leg in record.legs],
    }


def times(record: CallRecord) -> Iterator[tuple[str, datetime | None]]:
    """Every time of a row under the name that marks it."""
    yield "entered_at", record.entered_at
    yield "asked_at", record.asked_at
    yield "joined_at", record.joined_at
    yield "answered_at", record.answered_at
    yield "talk_ended_at", record.talk_ended_at
    yield "ended_at", record.ended_at
    yield from (("path", step.at) for step in record.path)
    yield from (("offered_at", offer.at) for offer in record.offers)
    yield from (("left_at", stay.left_at) for stay in record.stays)


def differences(calm: CallRecord, record: CallRecord) -> list[str]:
    """What is neither equal nor marked with a precision that covers it."""
    one, other = plain(calm), plain(record)
    found = [f"{name}: {other[name]} instead of {one[name]}" for name in one if one[name] != other[name]]
    marks = {
        name: int(said.removesuffix("ms")) for name, _, said in (mark.partition("~") for mark in record.unseen) if said
    }
    found += [f"{mark} is marked without a precision" for mark in record.unseen if mark != "events" and "~" not in mark]
    for (name, wanted), (_, at) in zip(times(calm), times(record), strict=False):
        if wanted != at and (
            wanted is None or at is None or abs(wanted - at) > timedelta(milliseconds=marks.get(name, 0))
        ):
            found.append(f"{name}: {at} instead of {wanted}, marked {marks.get(name)}")
    return found


def prepare(proxy: FaultProxy, number: int) -> None:
    """The observers that are never cut have their own faults."""
    name = SPECIAL[number] if number < len(SPECIAL) else ""
    proxy.portion = 1 if name == "bytes" else 0
    proxy.duplicate = name == "twice"
    proxy.delay_s = 0.2 if name == "late" else 0.0
    proxy.heals = True


async def newest(watcher: Observer) -> str:
    """Id of the call that entered last."""
    async with watcher.database.read() as conn:
        (record,) = await store.recent(conn, limit=1)
    return record.call_id


async def play(script: Script, stage: Stage, watchers: list[Observer], part: int) -> tuple[str, list[str]]:
    """One call under every fault: its id, and every difference between an observer's row and the undisturbed one's."""
    for number, watcher in enumerate(watchers[len(SPECIAL) :]):
        watcher.proxy.cut_after_events = watcher.proxy.events + 1 + part + number * STRIDE
    frozen = watchers[SPECIAL.index("frozen")].proxy
    before = [await watcher.orders() for watcher in watchers]
    calm, began = watchers[0], watchers[0].proxy.events
    call = asyncio.create_task(script(stage))
    while calm.proxy.events < began + 8 and not call.done():  # noqa: ASYNC110 - a proxy tells nobody
        await asyncio.sleep(0.05)
    frozen.swallow_down = True
    await call
    call_id = await newest(calm)
    rows = {watcher.name: await watcher.final(call_id) for watcher in watchers}
    found = [f"{name}: {difference}" for name, row in rows.items() for difference in differences(rows[calm.name], row)]
    for watcher, count in zip(watchers, before, strict=True):
        await watcher.settled()
        made = await watcher.orders() - count
        if made != (rows[calm.name].outcome is Outcome.ANSWERED):
            found.append(f"{watcher.name}: {made} orders")
        watcher.proxy.cut_after_events = None
    return call_id, found


@pytest.mark.req("TL-70", "F01", "F02", "F15", "N2")
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("scripts", CALLS)
async def test_rows_after_a_cut_equal_the_undisturbed_ones(
    short_tmp: Path, asterisk_installation: Installation, part: int, scripts: str, record_property: Recorder
) -> None:
    """One call after the other, each under every observer's fault."""
    short = menus(short_tmp, short=True)
    rules: dict[str, Any] = {
        "wrap_up_seconds": 0,
        "short_abandon_seconds": 0,
        "callback_policy": policy_file(short_tmp),
    }
    home = House(short_tmp / "var", ivr_data=short, overflow=True, survey=True, **rules)
    async with home as house, Lines(house) as lines:
        phones = {number: await lines.phone(number) for number in ("1001", "1002")}
        agents = {number: await house.sign_in(number) for number in phones}
        stage = Stage(house, lines, phones, agents)
        names = [*SPECIAL, *(f"cut-{1 + part + number * STRIDE}" for number in range(EVENTS // STRIDE))]
        async with observers(house, names, prepare=prepare) as watchers:
            found: dict[str, list[str]] = {}
            for name, (script, outcome) in CALLS[scripts].items():
                call_id, found[name] = await play(script, stage, watchers, part)
                became = (await watchers[0].final(call_id)).outcome
                found[name] += [] if became is outcome else [f"the call became {became}"]
            assert {name: said for name, said in found.items() if said} == {}
            cuts = [watcher.proxy.connections for watcher in watchers[len(SPECIAL) :]]
            assert cuts[0] == 1 + len(CALLS[scripts])
            assert watchers[SPECIAL.index("frozen")].proxy.connections > 1
            record_property(EXAMPLES, sum(cuts) - len(cuts))
            record_property("calls", len(CALLS[scripts]))
