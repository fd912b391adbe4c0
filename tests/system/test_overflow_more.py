"""Real callers: the callback, closed hours, announcements, the grade, and messages when the service is dead."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ivr.sound import measure
from tests.ivr.overflow_fakes import BOOKED_BEFORE
from tests.system import sound
from tests.system.ami import Ami
from tests.system.callers import Caller, Lines
from tests.system.conftest import QUICK, Pbx
from tests.system.overflow_house import (
    ANI,
    COMPLAINT,
    Desk,
    busy,
    dialled,
    house,
    lines,
    now,
    offered,
    waiting,
)
from tests.system.services import ScriptedService, says_nothing
from ticketing.intake.spool import parse

__all__ = ["busy", "house", "lines"]

pytestmark = pytest.mark.system


async def walk(caller: Caller, *steps: tuple[str, str]) -> None:
    """Press, and wait for what is heard then."""
    for keys, prompt in steps:
        await caller.press(keys)
        await caller.hears(prompt, within_s=20)


# -- the callback (TL-22) --------------------------------------------------------------------------------------------


@pytest.mark.req("TL-22")
async def test_a_callback_to_another_number_in_a_window(lines: Lines, house: Desk) -> None:
    caller = await offered(lines)
    await walk(caller, ("2", "callback-number-choice"), ("2", "callback-other-number"), ("110#", "callback-bad-number"))
    await walk(caller, ("02588880001#", "callback-number-choice"), ("1", "callback-when"), ("2", "press-2"))
    await walk(caller, ("3", "callback-window-tomorrow-morning"), ("1", "callback-saved"))
    await caller.hears("callback-window-tomorrow-morning")
    await caller.hears("goodbye")
    await caller.ended()
    (booked,) = house.book.booked
    assert (booked["number"], booked["window"], booked["queue"]) == ("02588880001", "w2", "complaint")


@pytest.mark.req("TL-22")
async def test_a_callback_by_the_key_in_the_queue_keeps_the_time_of_joining(
    lines: Lines, busy: Pbx, house: Desk
) -> None:
    """English, the calling number read back, as soon as possible."""
    house.floor.busy = False
    caller = await dialled(lines, dnis="1861")
    await caller.hears("greeting-1861", within_s=20, language="en")
    await caller.press("1")
    await waiting(busy, 1)
    joined = now()
    await caller.press("2")
    await caller.hears("callback-number-choice", within_s=25, language="en")
    for prompt in ("callback-when", "callback-confirm"):
        await caller.press("1")
        await caller.hears(prompt, within_s=25, language="en")
    await caller.press("1")
    await caller.ended(within_s=40)
    await caller.hears("callback-saved", language="en", again=True)
    (booked,) = house.book.booked
    assert (booked["number"], booked["window"], booked["lang"]) == (ANI, "asap", "en")
    assert abs(booked["joined_at"] - joined) < timedelta(seconds=3)  # type: ignore[operator]


@pytest.mark.req("TL-22")
@pytest.mark.parametrize("key", ["1", "2", "3"])
async def test_who_calls_again_takes_over_cancels_or_keeps(lines: Lines, busy: Pbx, house: Desk, key: str) -> None:
    house.book.open[ANI] = BOOKED_BEFORE
    house.floor.busy = False
    caller = await dialled(lines)
    await caller.hears("callback-exists", within_s=20)
    await caller.press(key)
    await caller.hears({"1": "callback-taken-over", "2": "callback-cancelled", "3": "callback-kept"}[key])
    if key == "3":
        await caller.ended()
    else:
        await waiting(busy, 1)
    assert (len(house.book.taken_over), len(house.book.cancelled)) == (int(key == "1"), int(key == "2"))


# -- closed hours, announcements, grade ------------------------------------------------------------------------------


@pytest.mark.req("TL-06")
async def test_closed_hours_offer_message_callback_and_progress(lines: Lines, house: Desk) -> None:
    house.hours.closed = frozenset({"complaint"})
    caller = await dialled(lines, dnis="1860")
    await caller.hears("greeting-1860", within_s=20)
    await walk(caller, ("1", "closed-hours"), ("3", "menu-progress"), ("0", "closed-menu"), ("1", "record-intro"))
    await caller.hears("beep", within_s=12)
    await caller.says(COMPLAINT)
    await walk(caller, ("#", "record-review"), ("#", "record-saved"))
    await caller.ended(within_s=40)
    assert len(house.sink.taken) == 1


@pytest.mark.req("TL-26")
async def test_an_announcement_comes_before_the_menu(lines: Lines, house: Desk) -> None:
    house.news.prompts = ("announcement-outage",)
    caller = await dialled(lines, dnis="1860")
    for prompt in ("greeting-1860", "announcement-intro", "announcement-outage", "announcement-end", "menu-main"):
        await caller.hears(prompt, within_s=20)


@pytest.mark.req("TL-08")
@pytest.mark.parametrize("key", ["4", ""])
async def test_after_the_agent_hangs_up_a_grade(lines: Lines, busy: Pbx, house: Desk, key: str) -> None:
    house.floor.busy = False
    phone = await lines.phone("1002")
    await busy.add_member("1002")
    async with Ami(busy) as ami:
        caller = await dialled(lines)
        await phone.rings(within_s=20)
        await phone.answer()
        await phone.hang_up()
        await caller.hears("survey-ask")
        if key:
            await caller.press(key)
            assert (await ami.event("CtiGrade"))["Grade"] == key
        await caller.hears("survey-sorry" if key else "goodbye", within_s=25)
        await caller.ended()
        await ami.event("CtiEnd")
        assert len(ami.seen("CtiGrade")) == (1 if key else 0)


# -- without the service (TL-24) -------------------------------------------------------------------------------------


def sidecars(busy: Pbx) -> list[str]:
    return sorted(path.name for path in busy.settings.spool.glob("*-msg-*.json"))


@pytest.mark.req("TL-24", "F06", "N1")
async def test_without_the_service_a_key_in_the_queue_leaves_a_message(lines: Lines, busy: Pbx) -> None:
    caller = await dialled(lines)
    await caller.hears("technical-hold", within_s=20)
    await waiting(busy, 1)
    await caller.press("1")
    await caller.hears("record-intro")
    await caller.hears("beep", within_s=12)
    await caller.says(COMPLAINT)
    await caller.press("#")
    await caller.hears("record-saved-plain")
    (path,) = busy.settings.spool.glob("*-msg-*.json")
    message = parse(path.read_text())
    assert (message.how, message.ani, message.dnis, message.queue) == ("rescue", ANI, QUICK, "complaint")
    wav = busy.settings.spool / message.file
    assert message.seconds == pytest.approx(measure(wav).seconds, abs=0.01)
    assert sound.find(sound.load(wav), sound.snippet(COMPLAINT)[0]) is not None
    await caller.hears("goodbye")
    await caller.ended()
    path.unlink()


@pytest.mark.req("TL-24", "F14")
async def test_without_the_service_a_hang_up_keeps_what_was_said(lines: Lines, busy: Pbx) -> None:
    """And two waits without an answer lead to the same dialogue."""
    async with Ami(busy) as ami:
        caller = await dialled(lines)
        await caller.hears("all-busy", within_s=40)
        await caller.hears("record-intro", within_s=40)
        await caller.hears("beep", within_s=12)
        await caller.says(COMPLAINT[: 4 * 8000])
        await caller.hang_up()
        assert (await ami.event("CtiEnd"))["Step"] == "recorded"
    (path,) = busy.settings.spool.glob("*-msg-*.json")
    assert parse(path.read_text()).how == "hung_up"
    assert json.loads(path.read_text())["seconds"] > 3
    assert not list(busy.settings.spool.glob("*-msg-*.open"))
    path.unlink()


@pytest.mark.req("TL-24", "F07", "N8")
async def test_a_service_that_stands_still_costs_two_seconds(lines: Lines, busy: Pbx) -> None:
    """It accepts the overflow step and says nothing: the dead-man's timer, then a word, then the local dialogue."""
    async with ScriptedService(busy.settings.agi_port, says_nothing):
        caller = await dialled(lines)
        await caller.hears("technical-hold", within_s=20)
        await waiting(busy, 1)
        await caller.press("2")
        await caller.hears("please-hold", within_s=4)
        await caller.hears("record-intro", within_s=10)
