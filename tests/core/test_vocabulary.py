"""Vocabularies changed by an administrator: dated, checked, kept by the data file, and old orders stay readable."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import select

from ticketing import taxonomy, vocabulary
from ticketing.audit import audit
from ticketing.db import Database
from ticketing.errors import Forbidden, HotlineError, Invalid, NotFound, Refused, Stale
from ticketing.roles import Actor, Post
from ticketing.taxonomy import SAMPLE, Taxonomies, parse
from ticketing.vocabulary import Entry, NewEntry

TODAY = date(2026, 3, 10)
ADMIN = Actor(9, "9001", "系统管理员", frozenset({Post.AD}))
NODES = parse(SAMPLE.read_text(encoding="utf-8"))


@pytest.fixture
async def loaded(database: Database, now: datetime) -> Database:
    async with database.write() as conn:
        await taxonomy.load(conn, NODES, now, today=TODAY)
    return database


async def one(database: Database, kind: str, code: str) -> Entry:
    async with database.read() as conn:
        return next(each for each in await vocabulary.entries(conn, kind) if each.code == code)


async def words(database: Database) -> Taxonomies:
    async with database.read() as conn:
        return await taxonomy.read(conn)


@pytest.mark.req("IN-03", "G12")
async def test_an_entry_is_added_and_survives_the_next_start(loaded: Database, now: datetime) -> None:
    async with loaded.write() as conn:
        new = NewEntry("business", "fiber", "光纤入户", "Fibre", "data", TODAY + timedelta(days=5))
        change = await vocabulary.add(conn, ADMIN, new, now, today=TODAY)
    assert (change.kind, change.subject_id) == ("taxonomy.added", "business.data.fiber")
    known = await words(loaded)
    with pytest.raises(Invalid) as early:
        known.check_leaf("business", "data.fiber", TODAY)
    assert early.value.code == "retired_code"
    assert known.check_leaf("business", "data.fiber", TODAY + timedelta(days=5)).zh == "光纤入户"
    async with loaded.write() as conn:
        below = NewEntry("business", "gpon", "GPON", "GPON", "data.broadband")
        await vocabulary.add(conn, ADMIN, below, now, today=TODAY)
        assert await taxonomy.load(conn, NODES, now, today=TODAY) == (0, 0)
    known = await words(loaded)
    with pytest.raises(Invalid) as branch:
        known.check_leaf("business", "data.broadband", TODAY)
    assert (branch.value.code, branch.value.details["allowed"]) == ("not_a_leaf", ["data.broadband.gpon"])


async def test_a_closed_entry_stays_readable_and_takes_what_hangs_on_it(loaded: Database, now: datetime) -> None:
    first = TODAY + timedelta(days=1)
    async with loaded.write() as conn:
        await vocabulary.close(conn, ADMIN, "business", "data", 1, first, now, today=TODAY)
    known = await words(loaded)
    assert known.check_leaf("business", "data.broadband", TODAY).zh == "宽带"
    with pytest.raises(Invalid) as gone:
        known.check_leaf("business", "data.broadband", first, field="business")
    assert gone.value.code == "retired_code"
    allowed = cast(list[str], gone.value.details["allowed"])
    assert "mobile.voice" in allowed
    assert "data.iptv" not in allowed
    assert known.label("business", "data.broadband") == "宽带"
    assert known.closed(first)["business"]["data.broadband"] == {"zh": "宽带", "en": "Broadband"}
    assert known.closed(TODAY) == {}
    assert "data" not in {each["code"] for each in known.tree("business", first)}
    async with loaded.write() as conn:
        assert await taxonomy.load(conn, NODES, now, today=TODAY) == (0, 0)
        await vocabulary.close(conn, ADMIN, "business", "data", 2, None, now, today=TODAY)
    assert (await words(loaded)).check_leaf("business", "data.broadband", first).leaf


async def test_words_change_and_codes_stay(loaded: Database, now: datetime) -> None:
    async with loaded.write() as conn:
        await vocabulary.rename(conn, ADMIN, "channel", "walk_in", 1, "营业厅来访", "At the counter", now)
        await taxonomy.load(conn, NODES, now, today=TODAY)
    found = await one(loaded, "channel", "walk_in")
    assert (found.zh, found.en, found.edited, found.kept, found.version) == (
        "营业厅来访", "At the counter", True, True, 2,
    )  # fmt: skip
    async with loaded.read() as conn:
        payload = await conn.scalar(select(audit.c.payload).where(audit.c.verb == "taxonomy.renamed"))
    assert payload is not None
    assert payload["before"] == {"zh": "来访", "en": "Walk-in"}


async def test_an_entry_moves_with_what_is_below_it(loaded: Database, now: datetime) -> None:
    async with loaded.write() as conn:
        await vocabulary.move(conn, ADMIN, "business", "data", 1, "other", None, now)
    known = await words(loaded)
    assert [node.code for node in known.way("business", "data.iptv")] == ["data.iptv", "data", "other"]
    assert "data.iptv" in known.below("business", "other")
    with pytest.raises(Invalid):  # `other` was a leaf
        known.check_leaf("business", "other", TODAY)
    async with loaded.write() as conn:
        await vocabulary.move(conn, ADMIN, "business", "data", 2, None, 0, now)
    known = await words(loaded)
    assert known.check_leaf("business", "other", TODAY).leaf
    assert next(iter(known.tree("business", TODAY)))["code"] in {"data", "fixed"}


@pytest.mark.req("IN-03")
async def test_what_cannot_be_is_refused_and_says_why(loaded: Database, now: datetime) -> None:
    def new(**changes: object) -> NewEntry:
        given = {"kind": "business", "name": "x", "zh": "甲", "en": "A"} | changes
        return NewEntry(**given)  # type: ignore[arg-type]

    wrong: list[tuple[NewEntry, type[HotlineError], str]] = [
        (new(kind="colour"), NotFound, "not_found"),
        (new(kind="channel"), Refused, "fixed_vocabulary"),
        (new(name="Ä"), Invalid, "bad_entry_code"),
        (new(name="data"), Refused, "code_is_there"),
        (new(parent="nowhere"), Invalid, "unknown_code"),
        (new(zh=" "), Invalid, "missing"),
        (new(en="a\u202eb"), Invalid, "control_character"),
        (new(zh="长" * 65), Invalid, "too_long"),
        (new(valid_from=TODAY - timedelta(days=1)), Invalid, "in_the_past"),
        (new(parent="data.broadband", name="y" * 30), Invalid, "too_long"),
    ]
    for given, kind, code in wrong:
        async with loaded.write() as conn:
            with pytest.raises(kind) as refusal:
                await vocabulary.add(conn, ADMIN, given, now, today=TODAY)
        assert refusal.value.code == code, given
    async with loaded.write() as conn:
        with pytest.raises(Refused, match="below"):
            await vocabulary.move(conn, ADMIN, "business", "data", 1, "data.iptv", None, now)
        with pytest.raises(Refused):
            await vocabulary.close(conn, ADMIN, "pause_reason", "missed", 1, TODAY, now, today=TODAY)
        with pytest.raises(Invalid):
            await vocabulary.close(conn, ADMIN, "business", "data", 1, TODAY - timedelta(days=1), now, today=TODAY)
        with pytest.raises(Stale):
            await vocabulary.rename(conn, ADMIN, "business", "data", 7, "甲", "A", now)
        with pytest.raises(NotFound):
            await vocabulary.rename(conn, ADMIN, "business", "none", 1, "甲", "A", now)
        clerk = Actor(1, "1001", "x", frozenset({Post.JA}))
        with pytest.raises(Forbidden):
            await vocabulary.rename(conn, clerk, "business", "data", 1, "甲", "A", now)
    parent = None
    async with loaded.write() as conn:
        for level in ("a", "b", "c", "d", "e"):
            await vocabulary.add(conn, ADMIN, new(kind="cause", name=level, parent=parent), now, today=TODAY)
            parent = f"{parent}.{level}" if parent else level
        with pytest.raises(Invalid) as deep:
            await vocabulary.add(conn, ADMIN, new(kind="cause", name="f", parent=parent), now, today=TODAY)
    assert deep.value.code == "too_deep"
