"""`hotline verify` is silent about what is right and finds each planted violation once, with its rule and subject."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cti.verify import accepted, calls, clocks, dialling, trail, voices
from cti.verify.check import check
from cti.verify.model import Place, Rule, Violation
from tests.verify.place import HOUR, Town, call_id, found_town, record
from tests.verify.plants import TABLE
from ticketing.db import Database

RULES = {
    Rule.N1: accepted.check,
    Rule.N2: calls.check,
    Rule.N3: dialling.check,
    Rule.N4: trail.check,
    Rule.N5: voices.check,
    Rule.N6: clocks.check,
}


@pytest.fixture
async def town(database: Database, tmp_path: Path, now: datetime) -> Town:
    return await found_town(database, tmp_path, now)


async def found_in(place: Place, rule: Rule | None = None) -> Counter[tuple[str, str, str]]:
    source = check(place) if rule is None else RULES[rule](place)
    violations = [one async for one in source]
    assert all(one.remedy for one in violations)
    return Counter((one.rule, one.subject, one.says) for one in violations)


@pytest.mark.req("N1", "N2", "N3", "N4", "N5", "N6")
async def test_every_planted_violation_is_found_once_and_nothing_else(town: Town) -> None:
    assert await found_in(town.place()) == {}
    town.running = True
    assert await found_in(town.place()) == {}
    town.running = False
    assert len(TABLE) >= 20
    assert {each.rule for each in TABLE} == set(Rule)
    before: dict[Rule, Counter[tuple[str, str, str]]] = {rule: Counter() for rule in Rule}
    expected = 0
    for each in TABLE:
        subject = await each.plant(town)
        found = await found_in(town.place(), each.rule)
        fresh = found - before[each.rule]
        assert [(rule, who) for rule, who, _ in fresh.elements()] == [(each.rule, subject)], each.plant.__name__
        (says,) = (says for _, _, says in fresh)
        assert each.says in says, each.plant.__name__
        assert not before[each.rule] - found, each.plant.__name__
        before[each.rule] = found
        expected += 1
    town.running = True
    whole = await found_in(town.place())
    assert whole.total() == expected, whole - sum(before.values(), Counter())


async def test_it_changes_nothing(town: Town) -> None:
    """Not a byte of the spool, the voices and the journals."""

    def digest() -> dict[str, str]:
        files = [path for path in town.home.rglob("*") if path.is_file() and "hotline.db" not in path.name]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = digest()
    assert before
    await found_in(town.place())
    assert digest() == before


async def test_a_call_whose_channel_lives_is_no_finding(town: Town) -> None:
    from cti import store
    from cti.calls.model import CallRecord, Leg

    living = CallRecord(
        call_id="20260310000000-000000000001",
        entered_at=town.now - timedelta(hours=1),
        legs=(Leg(uniqueid="live.1"),),
        version=1,
    )
    async with town.database.write() as conn:
        await store.save_calls(conn, [living])
    assert await found_in(town.place()) == {}


async def test_a_booking_that_its_customer_kept_is_no_finding(town: Town) -> None:
    """He called again while it was open, was told of it, and said that it stays."""
    from cti import store
    from cti.calls.model import Outcome, Step

    number = await town.number_of_an_open_booking()
    kept = Step(at=town.now - HOUR, node="callback", key="kept")
    again = record(call_id(903), town.now - HOUR, ani=number, outcome=Outcome.BOOKED_CALLBACK, path=(kept,))
    async with town.database.write() as conn:
        await store.save_calls(conn, [again])
    assert await found_in(town.place()) == {}


def test_what_a_violation_says_is_whole() -> None:
    one = Violation(Rule.N1, "call 1", "it is lost", "look for it")
    assert (one.rule, one.subject) == ("N1", "call 1")
