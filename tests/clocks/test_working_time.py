"""A department's limit by its own working calendar, in its version; every deadline says how it came about."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Select, text

from tests.orders.desk import Desk
from tests.orders.test_pausing import Case
from ticketing.clocks import calendars, explanation, limits
from ticketing.clocks.model import Clock, Explanation, PieceKind
from ticketing.db import Database
from ticketing.errors import Forbidden, Invalid, NotFound, Stale
from ticketing.orders import cards, dispatching, rework, store
from ticketing.orders.inputs import HandToSenior, Supplement
from ticketing.roles import Actor, Post

HOUR = timedelta(hours=1)
ADMIN = Actor(1, "9001", "管理员", frozenset({Post.AD}))
OFFICE = {"zone": "Asia/Shanghai", "mon": ["09:00-17:00"], "wed": ["09:00-17:00"], "years": [2026]}


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """March 2026 in Beijing; the tenth is a Tuesday."""
    return datetime.fromisoformat(f"2026-03-{day:02d}T{hour:02d}:{minute:02d}:00+08:00")


async def loaded(database: Database, now: datetime) -> None:
    async with database.write() as conn:
        await calendars.load(conn, calendars.shipped(), now)


async def explained(case: Case, at: datetime, code: str) -> Explanation:
    async with case.desk.database.read() as conn:
        key = await store.id_of(conn, case.desk["2001"], case.order.subject_id)
        found = await explanation.of_order(conn, key, at, "telephone")
    return next(each for each in found if each.view.code == code)


@pytest.mark.req("K9", "DP-04", "DP-08", "N6")
async def test_a_limit_of_working_hours_ends_in_working_hours(database: Database, now: datetime) -> None:
    """24 working hours of a department, from Tuesday 09:30; each figure is counted by hand."""
    await loaded(database, now)
    case = await Case.dispatched(database, local(10, 9, 30), working_time=True)
    order = await case.read()
    # Tuesday 09:30-12:00 and 13:30-18:00 = 7, Wednesday 8, Thursday 8, Friday 08:30-09:30 = 1
    assert order.work_orders[0].due_at == local(13, 9, 30)
    told = await explained(case, local(10, 9, 30), "K9")
    assert (told.calendar, told.target_s, told.unknown_years) == ("office@1", 24 * 3600, ())
    (left,) = told.pieces
    assert (left.kind, left.counted_s) == (PieceKind.LEFT, 24 * 3600)
    assert [(a.hour * 60 + a.minute, b.hour * 60 + b.minute) for a, b in
            ((s.astimezone(local(10, 0).tzinfo), e.astimezone(local(10, 0).tzinfo)) for s, e in left.stretches)] == [
        (570, 720), (810, 1080), (510, 720), (810, 1080), (510, 720), (810, 1080), (510, 570)
    ]  # fmt: skip
    assert told.warn_at == local(12, 17), "two working hours before the limit, not at half past seven"

    # paused from 16:30 on Tuesday to Wednesday 10:00: 5.5 h are spent, 18.5 remain
    await case.pause(7)
    await case.resume(24.5)
    assert (await case.read()).work_orders[0].due_at == local(13, 14)
    told = await explained(case, local(11, 10), "K9")
    assert [(each.kind, each.counted_s / 3600) for each in told.pieces] == [
        (PieceKind.RAN, 5.5), (PieceKind.PAUSED, 0), (PieceKind.LEFT, 18.5)
    ]  # fmt: skip

    # 追单 on Wednesday 11:00: four working hours from there
    sent = (await case.read()).work_orders[0]
    async with database.write() as conn:
        asked = Supplement(sent.id, sent.version, reason="客户催", limit_s=4 * 3600)
        await rework.supplement(conn, case.desk["2001"], asked, local(11, 11))
    told = await explained(case, local(11, 11), "K9")
    assert (told.view.due_at, told.counts_from, told.target_s) == (local(11, 16, 30), local(11, 11), 4 * 3600)
    (changed,) = told.changes
    assert (changed.old_due_at, changed.new_due_at, changed.reason, changed.by) == (
        local(13, 14), local(11, 16, 30), "客户催", "2001"
    )  # fmt: skip
    assert sum(each.counted_s for each in told.pieces) == 4 * 3600


@pytest.mark.req("K9", "N6")
async def test_a_further_version_of_a_calendar_moves_no_running_limit(database: Database, now: datetime) -> None:
    await loaded(database, now)
    case = await Case.dispatched(database, local(10, 9, 30), working_time=True)
    async with database.write() as conn:
        with pytest.raises(Forbidden):
            await calendars.publish(conn, case.desk["2001"], "office", OFFICE, now, after=1)
        with pytest.raises(Stale) as late:
            await calendars.publish(conn, ADMIN, "office", OFFICE, now, after=0)
        assert late.value.details["version"] == 1
        made = await calendars.publish(conn, ADMIN, "office", OFFICE, now, after=1)
    assert made.ref == "office@2"
    await case.pause(1)
    await case.resume(1.5)
    assert (await explained(case, now, "K9")).calendar == "office@1"
    assert (await case.read()).work_orders[0].due_at == local(13, 10), "half an hour later, by the old calendar"
    async with database.read() as conn:
        book = await calendars.read(conn)
    assert book.of_unit("city.network") == "office@2"
    later = book.calendar("office@2").advance(local(10, 9, 30), 9 * HOUR)
    assert later == local(16, 10), "Wednesday's eight hours and one on Monday"


async def test_a_unit_works_by_its_own_calendar_its_branch_or_everybodys(database: Database, now: datetime) -> None:
    await loaded(database, now)
    async with database.write() as conn:
        assert await calendars.load(conn, calendars.shipped(), now) == 0, "nothing is new"
        book = await calendars.read(conn)
        assert [each.ref for each in book.current()] == ["always@1", "field@1", "office@1"]
        assert book.of_unit("city.installation") == "field@1"
        assert book.of_unit("city.billing") == book.of_unit("partner.agent") == "office@1"
        await calendars.assign(conn, ADMIN, "city", "always", now)
        await calendars.assign(conn, ADMIN, "city.installation", None, now)
        await calendars.assign(conn, ADMIN, "hotline", "field", now)
        with pytest.raises(NotFound):
            await calendars.assign(conn, ADMIN, "county", "nights", now)
        with pytest.raises(Invalid):
            await calendars.assign(conn, ADMIN, "*", None, now)
        book = await calendars.read(conn)
        assert book.of_unit("city.installation") == book.of_unit("city.billing") == "always@1"
        assert await calendars.load(conn, calendars.shipped(), now) == 1, "the row that was taken away"
        assert (await calendars.read(conn)).units["hotline"] == "field", "an administrator's choice stays"
        with pytest.raises(Invalid, match="calendar_never_opens"):
            await calendars.publish(conn, ADMIN, "never", {"zone": "UTC"}, now, after=0)
        with pytest.raises(NotFound):
            book.working("office@9")


@pytest.mark.req("MN-08")
async def test_a_changed_lead_is_for_clocks_that_start_later(database: Database, now: datetime) -> None:
    case = await Case.dispatched(database, now)
    async with database.write() as conn:
        await limits.change(conn, ADMIN, Clock.STAGE, now, target_s=None, lead_s=3600)
        await limits.change(conn, ADMIN, Clock.WHOLE, now, target_s=10 * 86400, lead_s=86400)
        for wrong in ({"target_s": 60, "lead_s": None}, {"target_s": None, "lead_s": -1}):
            with pytest.raises(Invalid):
                await limits.change(conn, ADMIN, Clock.STAGE, now, **wrong)
        with pytest.raises(Invalid) as late:
            await limits.change(conn, ADMIN, Clock.REVIEW, now, target_s=300, lead_s=None)
        assert (late.value.code, late.value.details["field"]) == ("bad_lead", "lead_s")
        with pytest.raises(Invalid, match="fixed_clock"):
            await limits.change(conn, ADMIN, Clock.CALLBACK, now, target_s=60, lead_s=1)
        with pytest.raises(Forbidden):
            await limits.change(conn, case.desk["2001"], Clock.STAGE, now, target_s=None, lead_s=60)
    assert [each.lead_s for each in [await explained(case, now, "K9"), await explained(case, now, "K10")]] == [
        7200, 86400
    ]  # fmt: skip
    again = Case(case.desk)
    again.order = await case.desk.registered("c2")
    assert (await again.limits())["K10"] == 240
    async with database.write() as conn:
        shipped = await limits.change(conn, ADMIN, Clock.WHOLE, now, target_s=None, lead_s=None)
    assert (shipped.now, shipped.changed_by) == (shipped.shipped, None)


@pytest.mark.req("G4", "K6", "DP-05")
async def test_both_starts_of_the_dispatch_hour_are_told_and_one_is_judged(database: Database, now: datetime) -> None:
    case = Case(await Desk.open(database, now))
    case.order = await case.desk.registered()
    await case.act("1001", dispatching.hand_to_senior, HandToSenior, 0.5, reason="超出范围")
    found = {clock.anchor: clock for clock in (await case.read()).clocks if clock.code == "K6"}
    assert {anchor: (each.due_at, each.graded) for anchor, each in found.items()} == {
        "A": (now + HOUR, True), "B": (now + 1.5 * HOUR, False)
    }  # fmt: skip


async def test_due_cards_are_found_by_an_index(desk: Desk) -> None:
    """The very query that gives cards, on either database, never walks through what is open, or long overdue."""
    await desk.registered()
    query = cards.due(desk.now)
    plan = await _plan(desk.database, query)
    assert "ix_clock_next_card" in plan, plan
    assert "SCAN clock\n" not in plan
    assert "Seq Scan on clock " not in plan


async def _plan(database: Database, query: Select[tuple[object, ...]]) -> str:
    async with database.read() as conn:
        if database.dialect == "postgresql":  # a table of five rows would be read whole: ask what it would do with many
            await conn.execute(text("SET LOCAL enable_seqscan = off"))
        words = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
        made = query.compile(conn.sync_connection, compile_kwargs={"literal_binds": True})
        rows = (await conn.exec_driver_sql(f"{words} {made}")).all()
    return "\n".join(str(row[-1]) for row in rows) + "\n"


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)
