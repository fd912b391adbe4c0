"""Order, duplicates and losses: the same facts give the same record, or one that is marked (F15)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.calls import events as ev
from cti.calls.effects import CompleteCall, CreateDraft, Effect, PopScreen
from cti.calls.model import CallRecord, Floor, OfferResult
from cti.calls.reducer import reduce
from tests.calls.stories import Caller, at, feed, finish, member, only, tick

A, B = "PJSIP/1001", "PJSIP/1002"


def stream() -> list[ev.CallEvent]:
    """Two interleaved calls: one missed by A and answered by B, one abandoned while A rings."""
    one, two = Caller(1), Caller(2)
    facts = [
        member(-60, A),
        member(-60, B),
        *one.asks(0),
        one.offered(2.01, A),
        member(2.02, A, status=6),
        *one.rings_out(10, A),
        member(10.002, A),
        one.offered(10.5, B),
        member(10.6, B, status=6),
        *one.talks(12, 40, B),
        member(12.1, B, status=2, in_call=True),
        member(40.1, B),
        *two.asks(8.5),
        two.offered(11.5, A),
        member(11.6, A, status=6),
        two.left(20),
        two.abandoned(20),
        two.hung_up(20.01, A),
        member(20.02, A),
        two.ended(20.03, "queue"),
        two.hung_up(20.04),
    ]
    return sorted(facts, key=lambda fact: fact.at)


def outcome_of(facts: list[ev.CallEvent]) -> tuple[dict[str, CallRecord], list[Effect]]:
    floor = Floor()
    effects = [*feed(floor, facts), *finish(floor, 200)]
    records = {effect.call_id: effect.record for effect in effects if isinstance(effect, CompleteCall)}
    return records, effects


STREAM = stream()
RECORDS, EFFECTS = outcome_of(STREAM)


def bare(records: dict[str, CallRecord]) -> dict[str, CallRecord]:
    """Records without the version, which counts arrivals."""
    return {call_id: replace(record, version=0) for call_id, record in records.items()}


def test_the_undisturbed_run() -> None:
    one, two = RECORDS[Caller(1).id], RECORDS[Caller(2).id]
    assert [offer.result for offer in one.offers] == [OfferResult.MISSED, OfferResult.ANSWERED]
    assert [offer.result for offer in two.offers] == [OfferResult.WITHDRAWN]
    assert one.clocks.ct02_ms == 10_000
    assert two.clocks.ct02_from == at(10.5)
    assert len(only(EFFECTS, CreateDraft)) == 1


@st.composite
def shuffled(draw: st.DrawFn) -> list[ev.CallEvent]:
    """The stream with every fact late by up to 300 ms of arrival, as threads of Asterisk and of ours may make it."""
    late = draw(st.lists(st.integers(0, 300), min_size=len(STREAM), max_size=len(STREAM)))
    order = sorted(range(len(STREAM)), key=lambda n: (STREAM[n].at.timestamp() * 1000 + late[n], n))
    return [STREAM[n] for n in order]


@pytest.mark.req("TL-70")
@settings(max_examples=150, deadline=None)
@given(shuffled())
def test_the_order_of_arrival_does_not_matter(facts: list[ev.CallEvent]) -> None:
    records, effects = outcome_of(facts)
    assert bare(records) == bare(RECORDS)
    assert only(effects, CreateDraft) == only(EFFECTS, CreateDraft)


@settings(max_examples=100, deadline=None)
@given(st.permutations([fact for fact in STREAM if fact.call_id == Caller(1).id or fact.uniqueid == Caller(1).channel]))
def test_facts_of_one_call_in_any_order_at_all(facts: list[ev.CallEvent]) -> None:
    """The ends that open no call must not come first; without members there is no idle clock to compare."""
    opening = next(n for n, fact in enumerate(facts) if isinstance(fact, ev.CallEntered))
    facts = [facts[opening], *facts[:opening], *facts[opening + 1 :]]
    records, _ = outcome_of(facts)
    calm, _ = outcome_of(sorted(facts, key=lambda fact: fact.at))
    assert bare(records) == bare(calm)


@pytest.mark.req("TL-70")
@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(STREAM) - 1), st.integers(0, len(STREAM))), max_size=40))
def test_duplicates_change_nothing_and_ask_for_nothing(copies: list[tuple[int, int]]) -> None:
    facts = list(STREAM)
    for source, place in sorted(copies, key=lambda copy: -copy[1]):
        if place > source:
            facts.insert(place, STREAM[source])
    records, effects = outcome_of(facts)
    assert records == RECORDS
    assert effects == EFFECTS


@pytest.mark.req("TL-70")
@settings(max_examples=150, deadline=None)
@given(st.sets(st.integers(0, len(STREAM) - 1), min_size=1, max_size=3))
def test_lost_facts_and_a_snapshot_give_the_same_record_or_a_marked_one(lost: set[int]) -> None:
    floor = Floor()
    effects: list[Effect] = []
    first = min(lost)
    for n, fact in enumerate(STREAM):
        if n == first:
            effects += reduce(floor, ev.LinkLost(at=fact.at, why="overflow"))
        if n not in lost:
            effects += reduce(floor, fact)
    effects += feed(floor, [tick(300), tick(301), ev.FloorSnapshot(at=at(302))])
    effects += finish(floor, 302)
    records = {effect.call_id: effect.record for effect in effects if isinstance(effect, CompleteCall)}
    assert floor.calls == {}
    assert set(records) <= set(RECORDS)
    for call_id, record in records.items():
        assert record.outcome is not None
        assert "events" in record.unseen or replace(record, version=0) == bare(RECORDS)[call_id]
    gone = {STREAM[n].call_id for n in lost}
    assert set(RECORDS) - set(records) <= gone


@settings(max_examples=60, deadline=None)
@given(shuffled())
def test_nobody_is_shown_a_pop_twice_for_one_ring(facts: list[ev.CallEvent]) -> None:
    _, effects = outcome_of(facts)
    pops = only(effects, PopScreen)
    assert len(set(pops)) == len(pops)


def test_the_stream_is_in_order_of_time() -> None:
    assert all(before.at <= after.at for before, after in pairwise(STREAM))
