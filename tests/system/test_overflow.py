"""Real callers for whom nobody is free: what they are offered, what they say, the place they keep."""

from __future__ import annotations

import pytest

from ivr.sound import measure
from tests.system import sound
from tests.system.callers import Lines, NotHeard
from tests.system.conftest import Pbx
from tests.system.overflow_house import (
    COMPLAINT,
    Desk,
    answered,
    busy,
    dialled,
    house,
    lines,
    offered,
    only_message,
    speak,
    waiting,
)
from ticketing.intake.spool import parse

__all__ = ["busy", "house", "lines"]

pytestmark = pytest.mark.system


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
    assert about["sorted_out"] is None
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
