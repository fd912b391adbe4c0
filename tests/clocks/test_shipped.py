"""Limits as they are shipped: which the papers give, which are ours and flagged so, and that each can be changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, TWO, Case
from ticketing.clocks import limits
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Clock
from ticketing.db import Database
from ticketing.orders import dispatching
from ticketing.orders.inputs import Dispatch, HandToSenior, Solve

#: limits the papers name: two hours of text (001:42, 001:46), the dispatch hour (001:56), the legal fifteen days
GIVEN = {"K3": 7200, "K4": 7200, "K6": 3600, "K10L": 15 * 86400}
MINUTE = 1 / 60


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


@pytest.mark.req("G10")
async def test_what_no_paper_gives_is_flagged_and_every_limit_can_be_changed(desk: Desk) -> None:
    shipped = definitions()
    seconds = {code: None if each.target is None else each.target.total_seconds() for code, each in shipped.items()}
    assert {code.value: seconds[code] for code, each in shipped.items() if not each.default} == GIVEN
    ours = {code.value for code, each in shipped.items() if each.default}
    assert {"K8", "K9", "K10", "K12", "K13"} <= ours, "limits of review, work, the whole, reply and call-back"
    assert all(each.source for each in shipped.values())
    mine = {code: int(wanted) + 600 for code, wanted in seconds.items() if wanted and code not in limits.FIXED}
    assert set(seconds) - set(mine) == {code for code, wanted in seconds.items() if wanted is None} | limits.FIXED
    async with desk.database.write() as conn:
        for code, wanted in mine.items():
            changed = await limits.change(conn, desk["9001"], code, desk.now, target_s=wanted, lead_s=60)
            told = (changed.now.target, changed.now.lead, changed.now.default)
            assert told == (timedelta(seconds=wanted), timedelta(seconds=60), shipped[code].default), code


@pytest.mark.req("K7", "DP-06")
@pytest.mark.parametrize(("after_min", "outcome"), [(5, "met"), (5.02, "breached")])
async def test_what_is_urgent_is_dispatched_at_once_five_minutes_from_the_answer(
    desk: Desk, after_min: float, outcome: str
) -> None:
    case = Case(desk, await desk.registered(urgent=True))
    assert (await case.running())["K7A"] == pytest.approx(5 * MINUTE)
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, reason="加急")
    case.at_h = after_min * MINUTE
    await case.act("2001", dispatching.dispatch, Dispatch, opinion="加急", checks=ALL_WELL, tasks=TWO)
    told = {clock.code + clock.anchor: clock for clock in (await case.read()).clocks}
    assert (told["K7A"].outcome, told["K7A"].due_at) == (outcome, desk.now + timedelta(minutes=5))
    assert told["K6A"].outcome == "met", "the hour is another clock"


@pytest.mark.req("K7")
async def test_what_is_not_urgent_has_no_such_clock_and_a_solution_stops_it_as_well(desk: Desk) -> None:
    usual = Case(desk, await desk.registered())
    assert "K7A" not in await usual.running()
    solved = Case(desk, await desk.registered("c2", urgent=True, caller="13900000002"))
    await solved.act("1001", dispatching.hand_to_senior, HandToSenior, reason="加急")
    await solved.act("2001", dispatching.solve, Solve, opinion="远程已恢复", cause="none")
    (urgent,) = [clock for clock in (await solved.read()).clocks if clock.code == Clock.URGENT]
    assert (urgent.outcome, urgent.stopped_at) == ("met", desk.now)
