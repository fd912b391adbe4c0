"""What was heard and what a journal tells are one story, however it is split between them (TL-70, F01, F15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.calls import events as ev
from cti.calls.effects import CompleteCall, CreateDraft, PauseAgent, PopScreen
from cti.calls.model import CallRecord, Floor, FloorSettings
from cti.calls.reducer import close_all, reduce, take_changed
from cti.calls.restore import restore
from tests.calls.stories import Caller, at, feed, only

A, B = "PJSIP/1001", "PJSIP/1002"
WITHIN = 100


def answered() -> list[ev.CallEvent]:
    one = Caller()
    return [
        *(one.entered(0.1), one.stepped(1), one.routed(2), one.joined(2.5), one.offered(3, A), one.missed(11, A)),
        *(one.hung_up(11.01, A), one.offered(12.5, B), one.left(15), one.answered(15, B), one.completed(60, B)),
        *(one.returned(60.01, "CONTINUE"), one.hung_up(60.02, B), one.hung_up(60.3)),
    ]


def abandoned() -> list[ev.CallEvent]:
    one = Caller()
    return [
        *(one.entered(0.1), one.stepped(1), one.routed(2), one.joined(2.5), one.offered(3, A), one.left(9)),
        *(one.abandoned(9), one.hung_up(9.01, A), one.hung_up(9.02)),
    ]


STORIES = {"answered": answered(), "abandoned": abandoned()}


def told(fact: ev.CallEvent, off_ms: int = -10) -> ev.CallEvent:
    """The fact as a journal has it: with a stamp of its own."""
    return replace(fact, at=fact.at + timedelta(milliseconds=off_ms), within_ms=WITHIN)


def final(events: list[ev.CallEvent]) -> CallRecord:
    floor = Floor()
    feed(floor, events)
    (done,) = only(close_all(floor), CompleteCall)
    assert isinstance(done, CompleteCall)
    return done.record


def times(record: CallRecord) -> dict[str, list[datetime | None]]:
    """The times of a record under the names that mark them."""
    return {
        "entered_at": [record.entered_at],
        "asked_at": [record.asked_at],
        "joined_at": [record.joined_at],
        "path": [step.at for step in record.path],
        "answered_at": [record.answered_at],
        "talk_ended_at": [record.talk_ended_at],
        "ended_at": [record.ended_at],
        "left_at": [stay.left_at for stay in record.stays],
        "offered_at": [offer.at for offer in record.offers],
    }


def plain(record: CallRecord) -> tuple[object, ...]:
    """Everything in a record that is no time."""
    offers = [(offer.agent, offer.queue, offer.result, offer.leg) for offer in record.offers]
    stays = [(stay.queue, stay.status) for stay in record.stays]
    path = [(step.node, step.key) for step in record.path]
    legs = [(leg.uniqueid, leg.cause) for leg in record.legs]
    said = (record.outcome, record.answered_by, record.end_reason, record.end_step, record.left_status, record.queue)
    return (*said, record.ani, record.lang, record.priority, record.reason, offers, stays, path, legs)


@pytest.mark.req("TL-70", "F01", "F15")
@given(data=st.data(), story=st.sampled_from(sorted(STORIES)))
def test_any_split_between_link_and_journal_gives_the_same_record(data: st.DataObject, story: str) -> None:
    """Each fact is heard, read, or both, in any order and twice: nothing doubles, and what is not exact is marked."""
    facts = STORIES[story]
    calm = final(facts)
    mixed: list[ev.CallEvent] = []
    for fact in facts:
        ways = data.draw(st.sampled_from(["heard", "read", "both"]))
        read = ev.JournalRead(at=fact.at, facts=(told(fact, data.draw(st.integers(-60, 40))),))
        mixed += [fact] * (ways != "read") + [read] * (ways != "heard")
    # what proves a living call comes before what tells of an end, as on the link and in a journal (F15)
    record = final([mixed[0], *data.draw(st.permutations(mixed[1:] + mixed[:4]))])
    assert plain(record) == plain(calm)
    marked = {name.partition("~")[0] for name in record.unseen}
    for (name, found), wanted in zip(times(record).items(), times(calm).values(), strict=True):
        assert len(found) == len(wanted)
        assert found == wanted or name in marked, name
        for one, another in zip(found, wanted, strict=True):
            assert one is another or (one and another and abs(one - another) <= timedelta(milliseconds=WITHIN))


@pytest.mark.req("TL-70")
@pytest.mark.parametrize("story", sorted(STORIES))
def test_what_was_heard_is_better_than_what_is_read(story: str) -> None:
    """Heard and read, in either order, is as heard: no mark of a precision."""
    facts = STORIES[story]
    page = ev.JournalRead(at=at(100), facts=tuple(map(told, facts)))
    before, after = final([page, *facts]), final([*facts, page, page])
    for record in (before, after):
        assert [name for name in record.unseen if "~" in name] == []
        assert times(record) == times(final(facts))


@pytest.mark.req("TL-70")
def test_a_time_that_hangs_on_a_fact_that_was_read_is_marked() -> None:
    """The caller's end was read, the phone's heard: which was last is not certain. So with the end of the wait."""
    one = Caller()
    begun = [*one.asks(0), one.offered(3, A)]
    over = [one.left(9), one.abandoned(9), one.hung_up(9.01, A)]
    page = ev.JournalRead(at=at(20), facts=(told(one.hung_up(9.015)),))
    assert "ended_at~100ms" in final([*begun, *over, page]).unseen
    answer = ev.JournalRead(at=at(20), facts=(told(one.answered(9, A)),))
    record = final([*begun, one.left(9), answer, one.completed(20, A), one.hung_up(20, A), one.hung_up(20.1)])
    assert {"answered_at~100ms", "left_at~100ms"} <= set(record.unseen)
    assert "ended_at~100ms" not in record.unseen


def test_the_same_key_twice_within_a_moment_is_two_steps() -> None:
    one = Caller()
    steps = [one.stepped(1), one.stepped(1.8)]
    for heard, read in ((steps[:1], steps), (steps, steps), ([], steps)):
        record = final([*heard, ev.JournalRead(at=at(9), facts=tuple(map(told, read))), one.entered(0), one.hung_up(5)])
        assert len(record.path) == 2


@pytest.mark.req("TL-31", "TL-32")
def test_a_call_that_is_over_pops_nowhere_and_is_drafted_once() -> None:
    floor = Floor()
    page = ev.JournalRead(at=at(100), facts=tuple(map(told, STORIES["answered"])))
    effects = reduce(floor, page)
    assert only(effects, PopScreen) == []
    assert len(only(effects, CreateDraft)) == 1
    assert reduce(floor, page) == []


@pytest.mark.req("TL-11")
def test_a_miss_that_is_read_and_then_heard_counts_once() -> None:
    one, floor = Caller(), Floor(settings=FloorSettings(max_misses=2))
    ring, miss = one.offered(3, A), one.missed(11, A)
    effects = reduce(floor, ev.JournalRead(at=at(12), facts=(told(one.joined(2)), told(ring), told(miss))))
    effects += feed(floor, [ring, miss])
    assert only(effects, PauseAgent) == []
    assert floor.agents["1001"].misses == 1


@pytest.mark.req("TL-70", "N2")
def test_a_closed_call_stays_closed_and_a_restored_one_is_completed() -> None:
    facts = STORIES["answered"]
    floor = Floor()
    feed(floor, facts)
    close_all(floor)
    reduce(floor, ev.JournalRead(at=at(100), facts=tuple(map(told, facts))))
    assert floor.calls == {}
    half, again = Floor(), Floor()
    feed(half, facts[:8])
    restore(again, [replace(record, outcome=None) for record in _open(half)])
    reduce(again, ev.JournalRead(at=at(100), facts=tuple(map(told, facts))))
    (done,) = only(close_all(again), CompleteCall)
    assert isinstance(done, CompleteCall)
    assert plain(done.record) == plain(final(facts))
    assert done.record.joined_at == at(2.5)


def _open(floor: Floor) -> list[CallRecord]:
    return take_changed(floor)


def test_how_far_was_read_is_kept_for_the_save() -> None:
    floor = Floor()
    reduce(floor, ev.JournalRead(at=at(1), read_to=(("cel", 7, 100), ("queue_log", 8, 50))))
    reduce(floor, ev.JournalRead(at=at(1), read_to=(("cel", 7, 200),)))
    assert floor.read_to == {"cel": (7, 200), "queue_log": (8, 50)}
