"""A waiting caller hears his place and how long it will take; what he was told is held against the truth (TL-14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti import store
from cti.app import open_database
from cti.asterisk.provision import Installation
from cti.calls.model import CallRecord, Outcome
from tests.system.house import House
from tests.system.stage import LINA, PLAIN, menus, working

pytestmark = pytest.mark.system


def talked(number: int, now: datetime) -> CallRecord:
    """A talk of 115 seconds an hour ago; with five seconds of wrap-up it is two minutes of work."""
    at = now - timedelta(hours=1, minutes=3 * number)
    return CallRecord(
        call_id=f"{at:%Y%m%d%H%M%S}-{number:012d}",
        entered_at=at,
        asked_at=at,
        joined_at=at,
        queue="complaint",
        answered_at=at,
        answered_by="1002",
        talk_ended_at=at + timedelta(seconds=115),
        ended_at=at + timedelta(seconds=115),
        outcome=Outcome.ANSWERED,
    )


@pytest.mark.req("TL-14", "TL-20")
async def test_a_caller_hears_his_place_and_his_wait(short_tmp: Path, asterisk_installation: Installation) -> None:
    """One agent, who talks: two minutes, being next. He was answered sooner, and the supervisor sees by how much."""
    house = House(short_tmp / "v", ivr_data=menus(short_tmp, short=True), overflow=True, wrap_up_seconds=5)
    database = await open_database(house.settings)
    async with database.write() as conn:
        await store.save_calls(conn, [talked(number, datetime.now(UTC)) for number in range(5)])
    await database.close()
    async with house, working(house) as stage:
        supervisor = await stage.watch("3001")
        seat = await stage.seat("1002")
        first = await stage.caller(LINA)
        await seat.phone.rings()
        await seat.phone.answer()
        await seat.agent.state("talking")

        second = await stage.caller(PLAIN)
        await second.hears("queue-next", within_s=30)
        await second.hears("wait-2")
        await second.hears("overflow-offer")
        waiting = await stage.books.call(number=PLAIN, fits=lambda call: call.joined_at is not None)
        assert (waiting.forecast_s, waiting.forecast_place) == (120, 1)
        assert waiting.forecast_at is not None
        await first.hang_up()
        await seat.free()
        await seat.phone.rings(within_s=20)
        await seat.phone.answer()
        await seat.agent.state("talking")
        await second.hang_up()
        record = await stage.books.call(number=PLAIN)
        assert record.answered_at is not None
        assert record.forecast_at == waiting.forecast_at
        told = (await supervisor.get("/api/figures"))["calibration"]
        truth_ms = (record.answered_at - waiting.forecast_at).total_seconds() * 1000
        assert (told["told"], told["judged"]) == (1, 1)
        assert told["bias_ms"] == pytest.approx(120_000 - truth_ms, abs=1)
        assert told["within"]["whole"] == 1
