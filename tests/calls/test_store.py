"""Calls in the database, on both kinds (TL-70)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti import store
from cti.calls.model import CallRecord, Outcome
from tests.calls.stories import Caller, at, member, told
from tests.calls.test_outcomes import OUTCOMES
from ticketing.db import Database
from ticketing.errors import Invalid

A, B = "PJSIP/1001", "PJSIP/1002"


def rich() -> CallRecord:
    """A late call with a miss, two offers, everything filled."""
    caller = Caller()
    record = told(
        [
            member(-60, A),
            *caller.asks(0),
            caller.rescued(0.8),
            caller.offered(2, A),
            *caller.rings_out(10, A),
            caller.offered(11, B),
            *caller.talks(20, 60, B),
        ]
    )
    return replace(record, grade="1", unseen=("events", "legs"), refusal="")


def opened(record: CallRecord, version: int) -> CallRecord:
    return replace(record, outcome=None, ended_at=None, version=version)


async def saved(database: Database, *records: CallRecord) -> None:
    async with database.write() as conn:
        await store.save_calls(conn, records)


async def got(database: Database, call_id: str) -> CallRecord | None:
    async with database.read() as conn:
        return await store.get(conn, call_id)


@pytest.mark.req("TL-70")
async def test_every_kind_of_record_comes_back_as_it_was(database: Database) -> None:
    records = [rich(), *(told(story(Caller(number))) for number, (story, *_) in enumerate(OUTCOMES, 2))]
    await saved(database, *records)
    for record in records:
        assert await got(database, record.call_id) == record
    assert await got(database, "nobody") is None


@pytest.mark.req("TL-70")
async def test_saving_again_replaces_and_never_goes_back(database: Database) -> None:
    last = replace(rich(), version=9)
    await saved(database, opened(last, 5))
    await saved(database, opened(last, 7))
    await saved(database, replace(opened(last, 6), queue="old"))
    assert await got(database, last.call_id) == opened(last, 7)
    await saved(database, last)
    await saved(database, opened(last, 12))
    assert await got(database, last.call_id) == last
    await saved(database, replace(last, version=10, grade="3"))
    kept = await got(database, last.call_id)
    assert kept is not None
    assert (kept.grade, kept.version) == ("3", 10)


async def test_one_batch_may_hold_several_pictures_of_a_call(database: Database) -> None:
    last = replace(rich(), version=9)
    await saved(database, last, opened(last, 5), opened(last, 11))
    assert await got(database, last.call_id) == last
    await saved(database)


async def test_recent_calls_newest_first(database: Database) -> None:
    calls = [
        replace(rich(), call_id=f"c{n}", entered_at=at(n * 100), answered_by=f"100{n % 2}", ani=f"1380000000{n % 3}")
        for n in range(6)
    ]
    await saved(database, *calls)
    async with database.read() as conn:
        everything = await store.recent(conn)
        page = await store.recent(conn, limit=2, before=at(400))
        of_agent = await store.recent(conn, agent="1001")
        of_number = await store.recent(conn, ani="13800000002", agent="1001")
        day = await store.between(conn, at(100), at(300))
    assert [record.call_id for record in everything] == ["c5", "c4", "c3", "c2", "c1", "c0"]
    assert [record.call_id for record in page] == ["c3", "c2"]
    assert [record.call_id for record in of_agent] == ["c5", "c3", "c1"]
    assert [record.call_id for record in of_number] == ["c5"]
    assert [record.call_id for record in day] == ["c1", "c2"]


@pytest.mark.req("TL-12")
async def test_the_material_of_figures_is_bounded_and_read_by_index(database: Database) -> None:
    calls = [replace(rich(), call_id=f"c{n}", entered_at=at(n), queue="senior" if n % 2 else "q") for n in range(250)]
    await saved(database, *calls)
    async with database.read() as conn:
        everything = await store.material(conn, at(10), at(240), limit=230)
        seniors = await store.material(conn, at(0), at(9), queue="senior", limit=4)
        with pytest.raises(Invalid, match="too_many_calls"):
            await store.material(conn, at(10), at(240), limit=229)
        if conn.dialect.name == "sqlite":
            plan = await conn.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT * FROM call WHERE entered_at >= 'a' AND entered_at < 'b' ORDER BY entered_at"
            )
            (step,) = plan.all()
            assert "USING INDEX ix_call_entered_at" in step.detail
    assert [record.call_id for record in everything] == [f"c{n}" for n in range(10, 240)]
    assert [record.call_id for record in seniors] == ["c1", "c3", "c5", "c7"]


@pytest.mark.req("TL-70")
async def test_open_calls_are_found_for_a_restart(database: Database) -> None:
    one, two, done = (replace(rich(), call_id=name, entered_at=at(n)) for n, name in enumerate(("two", "one", "done")))
    await saved(database, opened(two, 3), opened(one, 4), done)
    async with database.read() as conn:
        found = await store.open_calls(conn)
    assert found == [opened(one, 4), opened(two, 3)]


@pytest.mark.req("TL-11")
async def test_misses_by_agent_are_counted_once(database: Database) -> None:
    record = rich()
    await saved(database, opened(record, 1))
    async with database.read() as conn:
        assert await store.misses(conn, at(0), at(100)) == {}
    await saved(database, record)
    await saved(database, replace(record, version=record.version + 1))
    async with database.read() as conn:
        assert await store.misses(conn, at(2), at(2.1)) == {"1001": 1}
        assert await store.misses(conn, at(2.1), at(100)) == {}
        assert await store.misses(conn, at(0), at(2)) == {}


async def test_how_far_journals_were_read(database: Database) -> None:
    async with database.write() as conn:
        assert await store.offsets(conn) == {}
        await store.set_offsets(conn, {"queue_log": (2**40, 5_000_000_000), "cel": (1, 7)}, at(0))
        await store.set_offsets(conn, {"queue_log": (8, 0)}, at(1))
    async with database.read() as conn:
        assert await store.offsets(conn) == {"queue_log": (8, 0), "cel": (1, 7)}


@pytest.mark.req("N2", "F15")
async def test_calls_with_a_final_record_are_told_from_the_others(database: Database) -> None:
    record = rich()
    await saved(database, record, opened(replace(record, call_id="open"), 1))
    async with database.read() as conn:
        found = await store.closed_among(conn, {record.call_id, "open", *(f"never-{n}" for n in range(1200))})
    assert found == {record.call_id}


def test_the_rich_record_is_rich() -> None:
    record = rich()
    assert record.outcome is Outcome.ANSWERED
    assert record.clocks.breach_agents == ("1001", "1002")
    assert record.rescued
    assert record.path
