"""Audit rows, their chain, and what a tamperer cannot hide."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from ticketing import audit
from ticketing.db import Database
from ticketing.roles import Actor, Post
from ticketing.sealing import Anchor, Sealer, Verdict, audit_head, read_anchors, verify

KEY = b"k" * 32
LIN = Actor(1, "1001", "林晓梅", frozenset({Post.JA}))


async def write(database: Database, now: datetime, count: int = 5) -> None:
    async with database.write() as conn:
        for each in range(count):
            await audit.record(conn, LIN, "order.edited", "order", f"o{each}", {"姓名": "张伟", "n": each}, now)


async def check(database: Database, anchors: list[Anchor] | None = None) -> Verdict:
    async with database.read() as conn:
        return await verify(conn, KEY, anchors or [])


@pytest.fixture
async def sealed(database: Database, now: datetime) -> Database:
    await write(database, now)
    await Sealer(KEY).seal_now(database, now)
    return database


@pytest.mark.req("S28")
async def test_rows_are_unsealed_until_the_sealer_chains_them(database: Database, now: datetime) -> None:
    await write(database, now)
    before = await check(database)
    assert (before.sealed, before.unsealed, before.intact) == (0, 5, True)
    assert await Sealer(KEY).seal_now(database, now) == 5
    assert await Sealer(KEY).seal_now(database, now) == 0
    after = await check(database)
    assert (after.sealed, after.unsealed, after.intact) == (5, 0, True)


@pytest.mark.req("S28", "F20")
async def test_a_day_that_comes_twice_has_one_anchor(database: Database, now: datetime, tmp_path: Path) -> None:
    """The machine's clock is set a day back and reaches the day again: the sealer goes on, the chain is whole."""
    file = tmp_path / "anchors"
    for day in (0, 1, 0, 1, 2):
        await write(database, now)
        assert await Sealer(KEY, file).seal_now(database, now + timedelta(days=day)) == 5
    kept = read_anchors(file)
    assert [(each.day, each.seq) for each in kept] == [
        ((now + timedelta(days=1)).date().isoformat(), 5),
        ((now + timedelta(days=2)).date().isoformat(), 20),
    ]
    assert (await check(database, kept)).intact


async def test_a_change_that_rolls_back_leaves_no_row(database: Database, now: datetime) -> None:
    async def fail() -> None:
        async with database.write() as conn:
            await audit.record(conn, LIN, "order.edited", "order", "o1", {}, now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await check(database) == Verdict(0, 0, 0, ())


@pytest.mark.req("S28")
@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("payload", {"姓名": "张伟", "n": 999}, "payload"),
        ("verb", "order.editee", "seal"),
        ("actor_number", "1002", "seal"),
        ("subject_id", "o9", "seal"),
        ("digest", "0" * 64, "seal"),
        ("seal", "0" * 64, "seal"),
    ],
)
async def test_one_changed_byte_is_found(sealed: Database, column: str, value: object, what: str) -> None:
    async with sealed.write() as conn:
        await conn.execute(update(audit.audit).where(audit.audit.c.seal_seq == 3).values({column: value}))
    assert ("audit", 3, what) in {(fault.chain, fault.seq, fault.what) for fault in (await check(sealed)).faults}


@pytest.mark.req("S28")
async def test_a_changed_time_is_found(sealed: Database, now: datetime) -> None:
    async with sealed.write() as conn:
        later = now + timedelta(microseconds=1)
        await conn.execute(update(audit.audit).where(audit.audit.c.seal_seq == 1).values(at=later))
    assert [fault.what for fault in (await check(sealed)).faults] == ["seal"]


@pytest.mark.req("S28")
@pytest.mark.parametrize(("seq", "what"), [(1, "missing"), (3, "missing"), (5, "tail")])
async def test_a_deleted_row_is_found(sealed: Database, seq: int, what: str) -> None:
    async with sealed.write() as conn:
        await conn.execute(delete(audit.audit).where(audit.audit.c.seal_seq == seq))
    assert what in {fault.what for fault in (await check(sealed)).faults}


@pytest.mark.req("S28")
async def test_an_end_cut_off_with_its_head_is_found_by_the_anchor_outside(
    sealed: Database, now: datetime, tmp_path: Path
) -> None:
    file = tmp_path / "anchors"
    tomorrow = now + timedelta(days=1)
    await write(sealed, tomorrow, 2)
    await Sealer(KEY, file).seal_now(sealed, tomorrow)
    anchors = read_anchors(file)
    assert [(anchor.chain, anchor.day, anchor.seq) for anchor in anchors] == [("audit", "2026-03-11", 5)]
    assert (await check(sealed, anchors)).intact
    async with sealed.write() as conn:
        third = (await conn.execute(select(audit.audit.c.seal).where(audit.audit.c.seal_seq == 3))).scalar_one()
        await conn.execute(delete(audit.audit).where(audit.audit.c.seal_seq > 3))
        await conn.execute(update(audit_head).values(seq=3, seal=third))
    assert {fault.what for fault in (await check(sealed, anchors)).faults} == {"missing"}


async def test_another_key_verifies_nothing(sealed: Database) -> None:
    async with sealed.read() as conn:
        assert not (await verify(conn, b"x" * 32)).intact
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"short")


async def test_an_erasure_keeps_the_chain(sealed: Database) -> None:
    async with sealed.write() as conn:
        assert await audit.erase_payload(conn, audit.audit, "order", "o2") == 1
    verdict = await check(sealed)
    assert (verdict.intact, verdict.erased) == (True, 1)


async def test_anything_json_holds_verifies_on_both_databases(database: Database, now: datetime) -> None:
    payloads: list[dict[str, object]] = [
        {"q": "a\x00b", "half": "\ud83d", "emoji": "😀", "\x00": 1},
        {
            "big": 1e16,
            "tiny": 5e-324,
            "pi": 3.141592653589793,
            "ulp": 0.1 + 0.2,
            "whole": 10.0,
            "negative": -0.0,
            "inf": float("inf"),
            "int": 2**53 + 1,
            "no": None,
        },
        {"b": [1, {"a": (True, False)}], "a": {"z": 1, "é": 2}, "post": Post.JA},
        {},
    ]
    async with database.write() as conn:
        for payload in payloads:
            await audit.record(conn, LIN, "order.edited", "order", "x\x00" * 60, payload, now)
    await Sealer(KEY).seal_now(database, now)
    verdict = await check(database)
    assert (verdict.sealed, verdict.faults) == (4, ())
    with pytest.raises(TypeError):
        async with database.write() as conn:
            await audit.record(conn, LIN, "order.edited", "order", "o", {"at": now}, now)


async def test_two_sealers_do_not_fork_the_chain(database: Database, now: datetime) -> None:
    await write(database, now, 40)
    other = await Database.open(database.url, busy_ms=10_000)
    await asyncio.gather(Sealer(KEY).seal_now(database, now), Sealer(KEY).seal_now(other, now))
    await other.close()
    verdict = await check(database)
    assert (verdict.sealed, verdict.unsealed, verdict.intact) == (40, 0, True)


@pytest.mark.req("AU-01")
async def test_queries_share_commits_and_return_when_written(database: Database, now: datetime) -> None:
    queries = audit.QueryLog(database)
    entries = [
        audit.Entry(LIN, "order.searched", "order", "", now, {"conditions": {"number": "138"}, "count": n, "ids": []})
        for n in range(30)
    ]
    await asyncio.gather(*(queries.log(entry) for entry in entries))
    async with database.read() as conn:
        assert (await conn.execute(select(func.count()).select_from(audit.query_log))).scalar_one() == 30
    await Sealer(KEY).seal_now(database, now)
    assert (await check(database)).sealed == 30


@pytest.mark.req("AU-01")
async def test_a_query_that_cannot_be_logged_fails(database: Database, now: datetime) -> None:
    async with database.write() as conn:
        await conn.run_sync(audit.query_log.drop)
    with pytest.raises(Exception, match="query_log"):
        await audit.QueryLog(database).log(audit.Entry(LIN, "order.searched", "order", "", now))
