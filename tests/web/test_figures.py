"""Figures of a time as the interface gives them, on both databases (TL-10, TL-12)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cti import store
from cti.calls.model import CallRecord, Outcome
from tests.calls.test_stats import CLOSED, OPEN, SERVED, answered, gone
from tests.calls.test_store import rich
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from ticketing.db import Database
from ticketing.roles import PERMISSIONS, Action


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.fixture
async def supervisor(open_browser: MakeBrowser) -> Browser:
    """3001 watches the floor."""
    return await open_browser("3001")


def day() -> list[CallRecord]:
    """A late call with a miss, four others, one that goes on; yesterday's is not of today."""
    calls = [rich(), answered(9_000, 8_000), gone(4_000, Outcome.SHORT_ABANDONED), SERVED, CLOSED, OPEN]
    calls = [replace(record, call_id=f"{n}", queue=record.queue or "senior") for n, record in enumerate(calls)]
    return [*calls, replace(SERVED, call_id="yesterday", entered_at=SERVED.entered_at - timedelta(hours=9, minutes=31))]


async def save(database: Database, *records: CallRecord) -> None:
    async with database.write() as conn:
        await store.save_calls(conn, records)


def by_code(figures: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {figure["code"]: figure for figure in figures}


@pytest.mark.req("TL-12", "TL-10", "TL-11")
async def test_the_day_so_far_in_the_operators_zone(supervisor: Browser, database: Database, clock: Clock) -> None:
    await save(database, *day())
    clock.advance(minutes=5)
    found = await (await supervisor.get("/api/figures")).json()
    assert (found["since"], found["until"]) == ("2026-03-09T16:00:00Z", "2026-03-10T01:35:00Z")
    assert (found["total"], found["still_open"], found["asked"], found["joined"], found["answered"]) == (5, 1, 4, 3, 2)
    outcomes = {one["code"]: one["count"] for one in found["outcomes"]}
    assert outcomes == {
        "answered": 2, "abandoned": 0, "short_abandoned": 1, "left_recording": 0, "booked_callback": 0,
        "refused": 1, "failed": 0, "served_by_ivr": 1,
    }  # fmt: skip
    assert sum(outcomes.values()) == found["total"]
    shares = by_code(found["shares"])
    rate = shares["fifteen_second_rate"]
    assert (rate["part"], rate["whole"], rate["value"]) == (1, 4, 0.25)
    assert rate["name"]["zh"] == "15秒人工接通率"
    levels = [name for name in shares if name.startswith("answered_")]
    assert len(levels) == 4
    assert len({shares[name]["formula"]["en"] for name in levels}) == 4
    assert (shares["answered_of_joined"]["part"], shares["answered_of_joined"]["whole"]) == (1, 3)
    assert shares["ended_at_announcement"]["value"] is None
    clocks = by_code(found["clocks"])
    assert (clocks["join_to_answer"]["count"], clocks["join_to_answer"]["longest_ms"]) == (2, 18_000)
    slow = by_code(found["breaches"])["idle_agent_slow"]
    assert [(one["agent"], one["count"]) for one in slow["agents"]] == [("1001", 1), ("1002", 1)]
    assert all(one["name"] for one in slow["agents"])
    assert [(one["agent"], one["count"]) for one in found["misses"]] == [("1001", 1)]
    assert by_code(found["abandons"])["short"]["count"] == 1


async def test_a_time_and_a_queue(supervisor: Browser, database: Database, clock: Clock) -> None:
    await save(database, *day())
    before = "/api/figures?from=2026-03-09T00:00:00%2B08:00&to=2026-03-10T00:00:00%2B08:00"
    assert (await (await supervisor.get(before)).json())["total"] == 1
    seniors = await (await supervisor.get("/api/figures?to=2026-03-10T01:31:00Z&queue=senior")).json()
    assert (seniors["queue"], seniors["total"]) == ("senior", 4)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z", "period_too_long"),
        ("?from=2026-03-10T01:31:00Z", "period_too_long"),
        ("?from=yesterday", "not_a_time"),
        ("?since=2026-03-09T00:00:00Z", "unknown_field"),
    ],
)
async def test_what_is_no_time_is_refused(supervisor: Browser, query: str, code: str) -> None:
    answer = await supervisor.get("/api/figures" + query)
    assert (answer.status, (await answer.json())["code"]) == (422, code)


async def test_whoever_watches_the_floor_or_reads_reports_may_see_them(agent: Browser) -> None:
    assert (await agent.get("/api/figures")).status == 403
    assert PERMISSIONS[Action.VIEW_FLOOR] <= PERMISSIONS[Action.VIEW_REPORTS]
