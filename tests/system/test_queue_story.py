"""Waiting for a person: whose phone rings, who lets it ring, the clocks, who gives up, what the supervisor hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from cti.asterisk.provision import Installation
from cti.calls.model import Breach, CallRecord, Outcome, milliseconds
from cti.calls.stats import figures
from tests.system import sound
from tests.system.house import House
from tests.system.raw_sip import RawCall
from tests.system.stage import LINA, PLAIN, Stage, first_to_ring, menus, short_folder, working

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

#: what two ends of a call on a busy machine may see apart
TOLERANCE = timedelta(seconds=1)
RING_MS = 8000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(asterisk_installation: Installation) -> AsyncIterator[House]:
    """One house for the stories of this file."""
    with short_folder() as home:
        async with House(home / "var", ivr_data=menus(home, short=True), short_abandon_seconds=2.0) as made:
            yield made


def near(seen: datetime | None, at: datetime) -> bool:
    """What the call record says is what the SIP end saw."""
    return seen is not None and abs(seen - at) <= TOLERANCE


@pytest.mark.req("TL-10", "TL-11", "TL-30", "TL-31", "CT-02")
async def test_one_phone_rings_out_and_the_other_is_answered(house: House) -> None:
    """The pop follows the ringing phone, the miss is one agent's, and every clock is what the SIP ends measured."""
    async with working(house) as stage:
        seats = [await stage.seat("1001"), await stage.seat("1002")]
        caller = await stage.caller(PLAIN)
        slow = await first_to_ring(seats)
        rang_at = datetime.now(UTC)
        quick = next(seat for seat in seats if seat is not slow)
        pop = await slow.agent.event("pop")
        assert quick.agent.saw("pop") == []
        await slow.phone.ended(within_s=12)
        gone_at = datetime.now(UTC)
        retract = await slow.agent.event("retract")
        assert retract == {"call_id": pop["call_id"], "why": "missed"}
        await quick.phone.rings(within_s=4)
        second_at = datetime.now(UTC)
        assert (await quick.agent.event("pop"))["call_id"] == pop["call_id"]
        await quick.phone.answer()
        answered_at = datetime.now(UTC)
        await quick.agent.state("talking")
        await caller.says(sound.tone(600, 0.5))
        await quick.phone.hang_up()
        await caller.ended()
        record = await stage.books.call(call_id=pop["call_id"])
        _the_clocks_agree(record, slow.number, quick.number)
        missed, answered = record.offers
        assert near(missed.at, rang_at)
        assert near(missed.ended_at, gone_at)
        assert near(answered.at, second_at)
        assert near(record.answered_at, answered_at)
        assert await stage.books.misses(stage.started) == {slow.number: 1}
        assert (await slow.agent.get("/api/agent"))["state"] == "ready"
        assert len(slow.agent.saw("pop")) == len(quick.agent.saw("pop")) == 1
        assert quick.agent.saw("retract") == []


def _the_clocks_agree(record: CallRecord, slow: str, quick: str) -> None:
    """The four clocks are differences of the record's own moments, and nobody is blamed within 15 s."""
    missed, answered = record.offers
    assert [(offer.agent, offer.result.value) for offer in record.offers] == [(slow, "missed"), (quick, "answered")]
    assert abs((missed.ring_ms or 0) - RING_MS) < 1000
    assert record.answered_by == quick
    assert record.outcome is Outcome.ANSWERED
    assert record.asked_at
    assert record.joined_at
    assert record.answered_at
    assert record.entered_at < record.asked_at < record.joined_at < missed.at < answered.at < record.answered_at
    clocks = record.clocks
    assert clocks.ask_to_answer_ms == milliseconds(record.asked_at, record.answered_at)
    assert clocks.join_to_answer_ms == milliseconds(record.joined_at, record.answered_at)
    assert answered.ring_ms == milliseconds(answered.at, record.answered_at)
    assert clocks.ct02_from == record.joined_at
    assert clocks.ct02_ms == clocks.join_to_answer_ms
    assert RING_MS < clocks.ct02_ms < 15_000
    assert (clocks.breach, clocks.breach_agents) == (None, ())
    assert record.unseen == ()


@pytest.mark.req("TL-11", "TL-10", "TL-40", "CT-02")
async def test_an_agent_who_lets_it_ring_alerts_the_supervisor_and_is_paused(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """Past 15 s the supervisor hears of it; after the second miss the agent is paused, here and in the queue."""
    menu = menus(short_tmp, short=True)
    async with House(short_tmp / "var", ivr_data=menu, misses_before_pause=2) as house, working(house) as stage:
        supervisor = await stage.watch("3001")
        asleep = await stage.seat("1001")
        caller = await stage.caller(PLAIN)
        await asleep.phone.rings()
        pop = await asleep.agent.event("pop")
        await asleep.phone.ended(within_s=12)
        await asleep.phone.rings(within_s=4)
        alert = await supervisor.event("alert", within_s=12)
        assert alert["code"] == "late_answer"
        assert alert["call_id"] == pop["call_id"]
        assert alert["details"]["idle_agents"] == ["1001"]
        assert 15_000 < alert["details"]["waited_ms"] < 18_000
        await asleep.phone.ended(within_s=12)
        view = await asleep.agent.state("paused")
        assert view["reason"] == "missed"
        await _shown_paused(stage, "1001")
        assert asleep.agent.saw("alert") == []
        helper = await stage.seat("1002")
        await helper.phone.rings()
        await helper.phone.answer()
        await helper.agent.state("talking")
        await caller.hang_up()
        record = await stage.books.call(call_id=pop["call_id"])
        assert [offer.result.value for offer in record.offers] == ["missed", "missed", "answered"]
        assert record.clocks.breach is Breach.IDLE_AGENT_SLOW
        assert "1001" in record.clocks.breach_agents
        assert len([data for data in supervisor.saw("alert") if data["code"] == "late_answer"]) == 1
        await asleep.agent.post("/api/agent/ready")
        assert "paused" not in _line(await house.cli("queue show complaint"), "1001")


async def _shown_paused(stage: Stage, number: str) -> None:
    """Asterisk's own queue has him paused for the reason."""
    async with asyncio.timeout(5):
        while "paused:missed" not in (line := _line(await stage.house.cli("queue show complaint"), number)):
            assert number in line
            await asyncio.sleep(0.05)


def _line(printed: str, number: str) -> str:
    return next((line for line in printed.splitlines() if f"PJSIP/{number}" in line), "")


@pytest.mark.req("TL-12", "TL-31", "TL-10", "TL-07")
async def test_outcomes_of_a_mixed_day_are_disjoint_and_add_up(house: House) -> None:
    """One is served by the menu, one gives up at once, one while it rings, one is refused, one is answered."""
    async with working(house) as stage:
        served, hasty, patient, answered = await asyncio.gather(
            *(stage.reaches(number) for number in ("13900002001", "13900002002", PLAIN, LINA))
        )
        refused = await RawCall.invite(house.sip, from_user="139%0d%0aX")
        await refused.final()
        await served.press("4")
        await hasty.press("0")
        await stage.books.call(number="13900002002", fits=lambda call: call.asked_at is not None)
        await hasty.hang_up()
        await served.hears("menu-standards")
        await served.hang_up()
        await refused.ended()
        refused.close()

        seat = await stage.seat("1002")
        await patient.press("1")
        await seat.phone.rings()
        pop = await seat.agent.event("pop")
        await asyncio.sleep(2.5)  # the caller's patience
        await patient.hang_up()
        assert await seat.agent.event("retract") == {"call_id": pop["call_id"], "why": "abandoned"}
        await seat.phone.ended()
        await seat.agent.state("ready")

        await answered.press("1")
        await seat.phone.rings()
        await seat.phone.answer()
        await seat.agent.state("talking")
        await answered.hang_up()
        await stage.books.call(number=LINA)
        day = await stage.books.day(stage.started, 5)
        assert {call.ani: call.outcome for call in day} == {
            "13900002001": Outcome.SERVED_BY_IVR,
            "13900002002": Outcome.SHORT_ABANDONED,
            PLAIN: Outcome.ABANDONED,
            LINA: Outcome.ANSWERED,
            "": Outcome.REFUSED,
        }
        counted = figures(day)
        assert counted.adds_up
        assert counted.total == 5
        assert counted.asked == 3
        assert (counted.fifteen_second_rate.part, counted.fifteen_second_rate.whole) == (1, 3)
        assert counted.misses == {}
        assert len(seat.agent.saw("retract")) == 1
        by_menu = next(call for call in day if call.ani == "13900002001")
        assert [(step.node, step.key) for step in by_menu.path] == [("main", "4")]
        left = next(call for call in day if call.ani == PLAIN)
        assert [(step.node, step.key) for step in left.path] == [("main", "1")]
        assert left.end_reason == "caller"
        assert [offer.result.value for offer in left.offers] == ["withdrawn"]
        log = await stage.books.log("+86" + PLAIN, left.call_id)
        assert [line.external_id for line in log].count(left.call_id) == 1
