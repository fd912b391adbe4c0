"""A grade by key after a real talk: on the call, on the order, and a bad one with the surveyors (TL-08, SV-05)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from tests.system.house import House
from tests.system.stage import LINA, PLAIN, Seat, Stage, draft_of, menus, working

pytestmark = pytest.mark.system


async def talk(stage: Stage, seat: Seat, number: str, grade: str) -> tuple[str, str]:
    """Caller and agent talk, the agent hangs up, the caller presses a grade or nothing; call and order."""
    caller = await stage.caller(number)
    await seat.phone.rings(within_s=20)
    pop = await seat.agent.event("pop")
    await seat.phone.answer()
    order = await draft_of(seat, pop["call_id"])
    await seat.phone.hang_up()
    await caller.hears("survey-ask", within_s=20)
    if grade:
        await caller.press(grade)
        await caller.ended(within_s=20)
    else:
        await caller.hang_up()
    await stage.books.call(call_id=pop["call_id"])
    await seat.free()
    return pop["call_id"], order["id"]


@pytest.mark.req("TL-08", "SV-05")
async def test_a_bad_grade_reaches_the_order_and_the_surveyors_and_silence_is_none(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    menu = menus(short_tmp, short=True)
    async with House(short_tmp / "v", ivr_data=menu, survey=True) as house, working(house) as stage:
        supervisor = await stage.watch("3001")
        seat = await stage.seat("1002")
        graded, order_id = await talk(stage, seat, LINA, "5")
        silent, other_id = await talk(stage, seat, PLAIN, "")
        items: list[dict[str, object]] = []
        async with asyncio.timeout(15):
            while not items:  # the record is saved first, its effects follow
                items = (await supervisor.get("/api/follow-ups"))["items"]
                await asyncio.sleep(0.1)
        (item,) = items
        assert (item["call_id"], item["grade"], item["agent"]) == (graded, "5", "1002")
        assert (item["order_id"], item["owner"], item["state"]) == (order_id, "survey", "new")
        assert (await supervisor.get(f"/api/calls/{graded}"))["grade"] == "5"
        assert (await supervisor.get(f"/api/calls/{silent}"))["grade"] is None
        (of_order,) = (await seat.agent.get(f"/api/orders/{order_id}"))["calls"]
        assert of_order["grade"] == "5"
        (of_other,) = (await seat.agent.get(f"/api/orders/{other_id}"))["calls"]
        assert of_other["grade"] is None
        satisfaction = (await supervisor.get("/api/figures"))["satisfaction"]
        assert (satisfaction["graded"]["part"], satisfaction["graded"]["whole"]) == (1, 2)
        assert satisfaction["mean_score"] == 1.0
