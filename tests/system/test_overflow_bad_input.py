"""What callers should not do, and disks should not be, in the overflow dialogues of the whole product."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cti.asterisk.provision import Installation
from cti.calls.model import CallRecord, Outcome
from tests.system import sound
from tests.system.callers import Caller
from tests.system.house import House
from tests.system.offered_times import windows
from tests.system.small_disk import MIB, filled, small_disk
from tests.system.sound import RATE
from tests.system.stage import Stage, menus, working
from ticketing.callbacks import policy, reading
from ticketing.intake import store as items
from ticketing.intake.model import Item, ItemFilter, State
from ticketing.roles import SYSTEM

pytestmark = pytest.mark.system

COMPLAINT = sound.tone(500, 4.0)
MUSIC = sound.load(Path(__file__).resolve().parents[2] / "ivr" / "prompts" / "moh" / "soft-chords.wav")
#: seconds one message may last in this house
LIMIT_S = 10
GAVE_UP = {Outcome.ABANDONED, Outcome.SHORT_ABANDONED}


def busy_tone(seconds: float) -> sound.Pcm:
    """450 Hz, 0.35 s on and 0.35 s off: a line that was cut."""
    at = np.arange(int(0.35 * RATE)) / RATE
    beep = (8000 * np.sin(2 * np.pi * 450 * at)).astype(np.int16)
    return np.tile(np.concatenate((beep, 0 * beep)), int(seconds / 0.7))


async def offered(stage: Stage, number: str) -> Caller:
    """A caller who is offered something else than waiting."""
    caller = await stage.reaches(number)
    await caller.press("1")
    await caller.hears("overflow-offer", within_s=60)
    return caller


async def at_the_beep(stage: Stage, number: str) -> Caller:
    caller = await offered(stage, number)
    await caller.press("1")
    await caller.hears("beep", within_s=40)
    return caller


async def all_items(stage: Stage, record: CallRecord, count: int) -> list[Item]:
    """What was taken in of a call: exactly so many."""
    wanted = ItemFilter(state=tuple(each.value for each in State))
    found: list[Item] = []
    try:
        async with asyncio.timeout(40):  # a message that was cut short is settled after 20 s
            while True:
                async with stage.books.database.read() as conn:
                    page = await items.search(conn, SYSTEM, wanted, datetime.now(UTC), limit=200)
                found = [item for item in page.items if item.call_id == record.call_id]
                if len(found) >= count:
                    break
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{len(found)} of {count} messages of {record}") from None
    assert len(found) == count
    return found


async def closed(stage: Stage, caller: Caller, outcomes: set[Outcome]) -> CallRecord:
    """His call's row, closed with one of these."""
    fits = lambda record: not record.open and record.outcome in outcomes  # noqa: E731
    return await stage.books.call(number=caller.number, fits=fits, within_s=30)


def steps(record: CallRecord) -> list[tuple[str, str]]:
    return [(step.node, step.key) for step in record.path]


# -- what each does --------------------------------------------------------------------------------------------------


async def keys_too_late(stage: Stage) -> None:
    """He wants to record again when he already hears that it is accepted: it stays accepted, once."""
    caller = await at_the_beep(stage, "13700001001")
    await caller.says(COMPLAINT)
    await caller.press("#")
    await caller.hears("record-review", within_s=30)
    await caller.hears("record-saved", within_s=40)
    await caller.press("2")
    await caller.hears("goodbye", within_s=90)
    await caller.ended(within_s=30)
    record = await closed(stage, caller, {Outcome.LEFT_RECORDING})
    assert steps(record)[-2:] == [("record", ""), ("record", "kept")]
    (item,) = await all_items(stage, record, 1)
    assert (item.state, item.how) == ("new", "confirmed")


async def too_many_keys(stage: Stage) -> None:
    """Thirty digits and then some are no telephone number, and book nothing by accident."""
    caller = await offered(stage, "13700001002")
    await caller.press("2")
    await caller.hears("callback-number-choice", within_s=40)
    await caller.press("2")
    await caller.hears("callback-other-number", within_s=20)
    await caller.press("111111111122222222223333333333#")
    await caller.hears("callback-bad-number", within_s=40)
    await caller.hang_up()
    record = await closed(stage, caller, GAVE_UP)
    assert ("callback", "booked") not in steps(record)
    assert not re.search("1{5}|2{5}|3{5}", str(steps(record))), "what was keyed is told to nobody"
    await all_items(stage, record, 0)


async def over_the_limit(stage: Stage) -> None:
    """He speaks on when his time is over, and is told so; what he said until then is kept."""
    caller = await at_the_beep(stage, "13700001003")
    await caller.says(sound.tone(400, LIMIT_S + 3.0))
    await caller.hears("record-limit", within_s=40)
    await caller.hears("record-saved", within_s=60)
    await caller.hang_up()
    record = await closed(stage, caller, {Outcome.LEFT_RECORDING})
    (item,) = await all_items(stage, record, 1)
    assert (item.state, item.how) == ("new", "limit")
    assert item.seconds is not None
    assert LIMIT_S - 1 <= item.seconds <= LIMIT_S + 1


async def music(stage: Stage) -> None:
    """He was put on hold elsewhere: a person must hear what it is."""
    caller = await at_the_beep(stage, "13700001004")
    await caller.says(MUSIC[: 6 * RATE])
    await caller.press("#")
    await caller.hears("record-review", within_s=30)
    await caller.hang_up()
    record = await closed(stage, caller, {Outcome.LEFT_RECORDING})
    (item,) = await all_items(stage, record, 1)
    assert (item.state, item.sorted_out, item.how) == ("new", None, "hung_up")


async def only_a_tone(stage: Stage) -> None:
    """A line that was cut sends its tone into every try: asked for again, then put aside with the reason."""
    caller = await at_the_beep(stage, "13700001005")
    for again in ("record-silent", "record-silent", "record-failed"):
        await caller.says(busy_tone(4.0))
        await caller.press("#")
        await caller.hears(again, within_s=40)
        if again == "record-silent":
            await caller.hears("beep", within_s=40)
    await caller.hang_up()
    record = await closed(stage, caller, GAVE_UP)
    assert steps(record)[-3:] == [("record", "silent")] * 3
    (item,) = await all_items(stage, record, 1)
    assert (item.state, item.sorted_out) == ("sorted_out", "tone")


async def hangs_up_while_confirming(stage: Stage) -> None:
    """The booking was read back and never confirmed: there is none."""
    caller = await offered(stage, "13700001006")
    await caller.press("2")
    await caller.hears("callback-number-choice", within_s=40)
    await caller.press("1")
    soon = windows()[0].prompt == "callback-window-asap"
    await caller.hears("callback-when" if soon else "press-1", within_s=40)
    await caller.press("1")
    await caller.hears("callback-confirm", within_s=40)
    await caller.hang_up()
    record = await closed(stage, caller, GAVE_UP)
    assert steps(record)[-1] == ("callback", "")
    async with stage.books.database.read() as conn:
        assert await reading.open_of(conn, caller.number, policy.shipped(), datetime.now(UTC)) is None
    await all_items(stage, record, 0)


@pytest.mark.req("TL-21", "TL-22", "TL-07", "F14")
async def test_callers_who_do_what_they_should_not(short_tmp: Path, asterisk_installation: Installation) -> None:
    """Six of them at a time: each hears a prompt for it, and has his row and his item or none."""
    data = menus(short_tmp, short=True)
    terms = (data / "overflow.toml").read_text(encoding="utf-8")
    (data / "overflow.toml").write_text(
        terms.replace("limit_s = 180", f"limit_s = {LIMIT_S}").replace("silence_s = 5", "silence_s = 3"),
        encoding="utf-8",
    )
    async with House(short_tmp, overflow=True, ivr_data=data) as house, working(house) as stage:
        each = (keys_too_late, too_many_keys, over_the_limit, music, only_a_tone, hangs_up_while_confirming)
        await asyncio.gather(*(does(stage) for does in each))


@pytest.mark.req("TL-20", "TL-21", "F12", "F13", "N1")
async def test_a_disk_that_is_full(short_tmp: Path, asterisk_installation: Installation) -> None:
    """Before he would speak only the callback is offered; while he speaks he hears it failed, and it is not lost."""
    data = menus(short_tmp, short=True)
    with small_disk(short_tmp / "spool", 8) as spool:
        house = House(short_tmp / "home", overflow=True, ivr_data=data, spool=spool, disk_floor_mib=1)
        async with house, working(house) as stage:
            early = await stage.reaches("13700002001")
            with filled(spool, but=MIB // 2):
                await early.press("1")
                await early.hears("record-unavailable", within_s=60)
                await early.hang_up()
            record = await closed(stage, early, GAVE_UP)
            assert ("record", "") not in steps(record)
            await all_items(stage, record, 0)

            late = await at_the_beep(stage, "13700002002")
            await late.says(COMPLAINT)
            with filled(spool):
                await late.press("#")
                await late.hears("record-review", within_s=30)
                await late.press("#")
                await late.hears("record-failed", within_s=30)
                await late.hears("record-unavailable", within_s=30)
            await late.hang_up()
            record = await closed(stage, late, {Outcome.LEFT_RECORDING, *GAVE_UP})
            assert ("record", "failed") in steps(record)
            (item,) = await all_items(stage, record, 1)
            assert (item.state, item.sorted_out) == ("new", None)
            assert item.seconds is not None
            assert item.seconds >= 3
            assert not list(spool.glob("*-msg-*.open"))
