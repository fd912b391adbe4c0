"""Asterisk's counters beside the calls in the database, on both kinds (TL-13)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti import store
from cti.calls.beside import look
from cti.calls.model import CallRecord, Floor
from cti.counters import CounterBook
from tests.calls.stories import Caller, at, told
from tests.calls.test_beside import seen
from tests.calls.test_outcomes import abandoned, answered, booked
from ticketing.db import Database


async def save(database: Database, *records: CallRecord) -> None:
    async with database.write() as conn:
        await store.save_calls(conn, records)


@pytest.mark.req("TL-13")
async def test_calls_that_are_over_are_read_once_and_new_ones_are_added(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = Floor(pbx_started_at=at(-100))
    book = CounterBook(database, floor)
    read: list[int] = []
    material = store.material

    async def counted(*given: object, **named: object) -> list[CallRecord]:
        found = await material(*given, **named)  # type: ignore[arg-type]
        read.append(len(found))
        return found

    monkeypatch.setattr(store, "material", counted)
    talking = told(answered(Caller(3)))
    going_on = replace(talking, outcome=None, ended_at=None, talk_ended_at=None, version=1, entered_at=at(50))
    await save(database, told(booked(Caller(1))), told(abandoned(Caller(2))), going_on)
    look(floor, seen(100, abandoned=2))
    (first,) = await book.compared()
    assert (first.abandoned.ours, first.abandoned.reasons) == (1, {"moved": 1})
    assert first.answered.reasons == {"still_talking": -1}

    later = replace(told(abandoned(Caller(4))), entered_at=at(120))
    await save(database, replace(talking, entered_at=at(50)), later)
    look(floor, seen(700, abandoned=3, completed=1))
    for _ in range(2):
        (second,) = await book.compared()
        assert (second.abandoned.theirs, second.abandoned.ours) == (3, 2)
        assert second.abandoned.reasons == {"moved": 1}
        assert (second.answered.ours, second.answered.reasons) == (1, {})
    assert read == [3, 2, 0]

    look(floor, seen(800, abandoned=0))
    (reset,) = await book.compared()
    assert (reset.since, reset.abandoned.theirs, reset.abandoned.ours) == (at(800), 0, 0)
