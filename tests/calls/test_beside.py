"""Asterisk's counters beside ours: every difference has its reason (TL-13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.calls import events as ev
from cti.calls.beside import LONGEST, REASONS, Compared, Tally, compare, final, follow, tally
from cti.calls.events import FloorSnapshot, QueueSeen
from cti.calls.model import CallRecord, Counters, Floor, Outcome, Stay
from cti.calls.reducer import reduce
from tests.calls.stories import Caller, at, told
from tests.calls.test_outcomes import abandoned, answered, booked, full, gone_after_timeout, menu, refused, short

QUEUE = "complaint"
BEFORE = at(-10)


def seen(seconds: float = 600, **counts: int) -> QueueSeen:
    return QueueSeen(at=at(seconds), queue=QUEUE, service_level_s=15, **counts)  # type: ignore[arg-type]


def beside(*records: CallRecord, since: datetime = BEFORE, theirs: QueueSeen) -> Compared:
    total = Tally()
    for record in records:
        total = total + tally(record, QUEUE, since, theirs.at, theirs.service_level_s)
    return compare(total, theirs, Counters(since=since))


@pytest.mark.req("TL-13")
def test_an_overflowed_caller_is_abandoned_to_asterisk_and_not_to_us() -> None:
    found = beside(told(booked(Caller())), theirs=seen(abandoned=1))
    assert (found.abandoned.theirs, found.abandoned.ours) == (1, 0)
    assert found.abandoned.reasons == {"moved": 1}
    assert found.answered.reasons == {}


@pytest.mark.req("TL-13")
def test_a_mixed_day_is_explained_to_the_last_call() -> None:
    stories = [abandoned, short, booked, gone_after_timeout, answered, full, refused, menu]
    day = [told(story(Caller(number))) for number, story in enumerate(stories, 1)]
    by_key, hasty = Caller(20), Caller(21)
    recorded = told([*by_key.asks(0), *keyed(by_key, 40)])
    never = told([hasty.opened(0), hasty.entered(0.1), hasty.routed(1), hasty.hung_up(9)])
    assert never.outcome is Outcome.ABANDONED
    found = beside(*day, recorded, never, theirs=seen(completed=1, abandoned=4))
    # theirs: the two who hung up and the two who were moved; ours: those who hung up, one of them later, one never in
    assert (found.abandoned.theirs, found.abandoned.ours) == (4, 4)
    assert found.abandoned.reasons == {"moved": 2, "gave_up_later": -1, "never_joined": -1}
    assert (found.answered.theirs, found.answered.ours, found.answered.reasons) == (1, 1, {})
    assert found.in_time == 1
    assert set(found.abandoned.reasons) <= set(REASONS)


def keyed(caller: Caller, seconds: float) -> list[ev.CallEvent]:
    return [
        *(caller.left(seconds), caller.abandoned(seconds), caller.returned(seconds, "KEY")),
        *(caller.recording(60, "recorded"), caller.hung_up(61)),
    ]


@pytest.mark.req("TL-13")
def test_a_talk_that_goes_on_counts_with_us_first() -> None:
    record = told(answered(Caller()))
    during = beside(record, theirs=seen(30))
    assert (during.answered.theirs, during.answered.ours, during.answered.reasons) == (0, 1, {"still_talking": -1})
    after = beside(record, theirs=seen(90, completed=1))
    assert after.answered.reasons == {}


@pytest.mark.req("TL-13")
def test_who_joined_before_the_counters_began_and_who_was_not_seen() -> None:
    waited, talked = told(abandoned(Caller(1))), told(answered(Caller(2)))
    found = beside(waited, talked, since=at(4), theirs=seen(completed=2, abandoned=1))
    assert (found.abandoned.ours, found.abandoned.reasons) == (0, {"joined_before": 1})
    assert (found.answered.ours, found.answered.reasons) == (0, {"joined_before": 1, "unseen": 1})


def test_what_ended_otherwise_while_waiting() -> None:
    lost = replace(told(abandoned(Caller())), outcome=Outcome.FAILED)
    assert beside(lost, theirs=seen(abandoned=1)).abandoned.reasons == {"ended_otherwise": 1}


def test_another_queues_calls_and_callbacks_count_nothing() -> None:
    other = told(abandoned(Caller(queue="senior")))
    called = replace(told(abandoned(Caller())), reason="callback")
    found = beside(other, called, theirs=seen())
    assert (found.abandoned.ours, found.abandoned.reasons) == (0, {})


STAYS = st.lists(
    st.tuples(st.sampled_from(["TIMEOUT", "KEY", "LEAVEEMPTY", "ABANDONED", "ANSWERED"]), st.integers(1, 40)),
    max_size=3,
)


@pytest.mark.req("TL-13")
@given(day=st.lists(st.tuples(STAYS, st.sampled_from(list(Outcome))), max_size=8))
def test_the_reasons_always_add_up_and_what_app_queue_counts_is_explained(
    day: list[tuple[list[tuple[str, int]], Outcome]],
) -> None:
    """app_queue counts an unanswered stay once unless a key ended it: with that number nothing is left unseen."""
    records, theirs = [], 0
    for number, (stays, outcome) in enumerate(day):
        clock, made = number * 200.0, []
        for status, length in stays:
            made.append(Stay(queue=QUEUE, joined_at=at(clock), left_at=at(clock + length), status=status))
            clock += length + 1
            theirs += status not in {"ANSWERED", "KEY"}
        end = at(clock + 1)
        records.append(
            CallRecord(
                call_id=str(number), entered_at=at(number * 200.0), queue=QUEUE, stays=tuple(made), outcome=outcome,
                asked_at=at(number * 200.0), ended_at=end, talk_ended_at=end,
            )
        )  # fmt: skip
    found = beside(*records, theirs=seen(5000, abandoned=theirs))
    assert found.abandoned.theirs - found.abandoned.ours == sum(found.abandoned.reasons.values())
    assert "unseen" not in found.abandoned.reasons


@pytest.mark.req("TL-13")
def test_since_when_the_counters_count() -> None:
    first = seen(100, completed=7, abandoned=3)
    assert follow(None, None, first, at(-50)) == Counters(since=at(-50))
    here = Counters(since=at(100), completed=7, abandoned=3)
    assert follow(None, None, first, None) == here
    assert follow(None, None, first, at(101)) == here
    assert follow(None, None, first, at(100) - LONGEST - timedelta(seconds=1)) == here
    later = seen(200, completed=8, abandoned=3)
    assert follow(here, first, later, None) == here
    assert follow(here, first, later, at(150)) == Counters(since=at(150))
    reset = seen(300, completed=0, abandoned=1)
    assert follow(here, later, reset, None) == Counters(since=at(300), completed=0, abandoned=1)
    old = replace(later, at=at(201) + LONGEST)
    assert follow(here, later, old, None).since == old.at


def test_a_snapshot_is_a_look_and_a_queue_that_is_gone_is_forgotten() -> None:
    floor = Floor()
    senior = QueueSeen(at=at(5), queue="senior", abandoned=2)
    reduce(floor, FloorSnapshot(at=at(5), queues=(seen(5, abandoned=1), senior), pbx_started_at=at(-9)))
    assert floor.counters == {QUEUE: Counters(since=at(-9)), "senior": Counters(since=at(-9))}
    reduce(floor, seen(6))
    assert floor.counters[QUEUE] == Counters(since=at(6))
    reduce(floor, FloorSnapshot(at=at(7), queues=(seen(7),), pbx_started_at=at(-9)))
    assert set(floor.counters) == set(floor.queues) == {QUEUE}


def test_what_is_final_is_read_once() -> None:
    done, talking = told(abandoned(Caller(1))), told(answered(Caller(2)))
    going_on = replace(talking, outcome=None, ended_at=None, entered_at=at(7))
    assert final([done], at(600)) == at(600)
    assert final([done, going_on], at(600)) == at(7)
    assert final([done, talking], at(30)) == talking.entered_at


def stayed(*stays: tuple[str, float, float], done: float | None = None, **more: Any) -> CallRecord:
    """A call by its stays: status, joined, left."""
    made = tuple(Stay(queue=QUEUE, joined_at=at(joined), left_at=at(left), status=s) for s, joined, left in stays)
    said: dict[str, Any] = {"entered_at": at(0), "queue": QUEUE, "outcome": Outcome.ABANDONED, "ended_at": at(500)}
    talk = None if done is None else at(done)
    return CallRecord(call_id="c", stays=made, talk_ended_at=talk, **said | more)


@pytest.mark.req("TL-13")
@pytest.mark.parametrize(
    ("stay", "done", "answered", "in_time", "reasons"),
    [
        (("ANSWERED", 100, 115), 200, 1, 1, {}),  # within the level to the second
        (("ANSWERED", 100, 115.001), 200, 1, 0, {}),
        (("ANSWERED", 10, 20), 600, 1, 1, {}),  # joined as the counters began, done as they were read
        (("ANSWERED", 10, 20), 600.001, 1, 1, {"still_talking": -1}),
        (("ANSWERED", 10, 600), 700, 1, 0, {"still_talking": -1}),
        (("ANSWERED", 10, 600.001), 700, 0, 0, {}),  # not yet answered when they were read
        (("ANSWERED", 9.999, 20), 10, 0, 0, {"joined_before": 1}),  # done as they began
        (("ANSWERED", 9.999, 20), 600, 0, 0, {"joined_before": 1}),
        (("ANSWERED", 5, 8), 9.999, 0, 0, {}),  # over before
        (("ANSWERED", 5, 8), 600.001, 0, 0, {}),
        (("ANSWERED", 5, 8), None, 0, 0, {}),
    ],
)
def test_the_moments_at_which_an_answered_stay_counts(
    *, stay: tuple[str, float, float], done: float | None, answered: int, in_time: int, reasons: dict[str, int]
) -> None:
    found = tally(stayed(stay, done=done, outcome=Outcome.ANSWERED), QUEUE, at(10), at(600), 15)
    assert (found.answered, found.in_time) == (answered, in_time)
    assert {code: count for code, count in found.answered_reasons.items() if count} == reasons


@pytest.mark.req("TL-13")
@pytest.mark.parametrize(
    ("stay", "more", "abandoned", "reasons"),
    [
        (("ABANDONED", 10, 600), {}, 1, {}),
        (("ABANDONED", 10, 600.001), {}, 0, {}),
        (("ABANDONED", 9.999, 10), {}, 0, {"joined_before": 1}),
        (("ABANDONED", 5, 9.999), {}, 0, {}),
        (("TIMEOUT", 10, 20), {"outcome": Outcome.LEFT_RECORDING}, 0, {"moved": 1}),
        (("TIMEOUT", 10, 20), {"entered_at": at(10), "ended_at": at(600)}, 1, {"moved": 1, "gave_up_later": -1}),
        (("TIMEOUT", 10, 20), {"entered_at": at(10), "ended_at": at(600.001)}, 0, {"moved": 1}),
        (("TIMEOUT", 10, 20), {"entered_at": at(10), "ended_at": at(10)}, 1, {"moved": 1, "gave_up_later": -1}),
        (("TIMEOUT", 10, 20), {"entered_at": at(9.999), "ended_at": at(300)}, 0, {"moved": 1}),
        (("TIMEOUT", 10, 20), {"entered_at": at(10), "ended_at": None}, 0, {"moved": 1}),
        (("KEY", 10, 20), {"outcome": Outcome.LEFT_RECORDING}, 0, {}),
    ],
)
def test_the_moments_at_which_an_unanswered_stay_counts(
    *, stay: tuple[str, float, float], more: dict[str, Any], abandoned: int, reasons: dict[str, int]
) -> None:
    found = tally(stayed(stay, **more), QUEUE, at(10), at(600), 15)
    assert (found.abandoned, dict(found.abandoned_reasons)) == (abandoned, reasons)


@pytest.mark.req("TL-13")
def test_the_stays_of_one_call_add_up_and_calls_do() -> None:
    """Whoever was passed on waits twice; what each call adds stands beside what the others did."""
    twice = stayed(("ANSWERED", 10, 20), ("ANSWERED", 30, 40), done=50, outcome=Outcome.ANSWERED)
    moved = stayed(("TIMEOUT", 10, 20), ("TIMEOUT", 21, 30), ("ABANDONED", 31, 40))
    found = tally(twice, QUEUE, at(0), at(600), 15) + tally(moved, QUEUE, at(0), at(600), 15)
    assert (found.answered, found.in_time, found.abandoned) == (2, 2, 1)
    assert found.abandoned_reasons == {"moved": 2}
    before = tally(stayed(("ABANDONED", 1, 20), ("ABANDONED", 2, 30)), QUEUE, at(3), at(600), 15)
    assert (found + before).abandoned_reasons == {"moved": 2, "joined_before": 2}
    late = tally(stayed(("ANSWERED", 1, 20), ("ANSWERED", 2, 30), done=50), QUEUE, at(3), at(600), 15)
    assert (late + found).answered_reasons["joined_before"] == 2


@pytest.mark.req("TL-13")
def test_what_is_shown_beside_each_other() -> None:
    theirs = replace(seen(600, completed=9, abandoned=5), level_percent=88.5)
    found = compare(Tally(answered=2, in_time=1), theirs, Counters(since=at(3), completed=4, abandoned=1))
    assert (found.queue, found.since, found.at) == (QUEUE, at(3), at(600))
    assert (found.answered.theirs, found.answered.reasons) == (5, {"unseen": 3})
    assert (found.abandoned.theirs, found.abandoned.ours) == (4, 0)
    assert (found.service_level_s, found.level_percent, found.in_time) == (15, 88.5, 1)
