"""What is announced when: moments, numbers, order; times that are refused; who is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.calls.announced import NODE, Heard, Walk, count
from cti.calls.model import Outcome
from ticketing.announcements import rules
from ticketing.announcements.model import Announcement, State
from ticketing.errors import Invalid

OUTAGE = "announcement-outage"
WORKS = "announcement-maintenance"
HOUR = timedelta(hours=1)


@pytest.fixture
def one(now: datetime) -> Announcement:
    """An outage at every number, from now on for an hour."""
    return Announcement("a", OUTAGE, (), now, now + HOUR, None, None, now, "3001", "3001", 1)


@pytest.mark.req("TL-26")
def test_the_first_moment_is_announced_and_the_last_is_not(one: Announcement, now: datetime) -> None:
    tick = timedelta(microseconds=1)
    heard = [rules.current([one], "1860", at) for at in (now - tick, now, now + HOUR - tick, now + HOUR)]
    assert heard == [(), (OUTAGE,), (OUTAGE,), ()]
    states = [rules.state(one, at) for at in (now - tick, now, now + HOUR)]
    assert states == [State.PLANNED, State.ON, State.OVER]


@pytest.mark.req("TL-26")
def test_only_callers_of_its_numbers_hear_it(one: Announcement, now: datetime) -> None:
    local = replace(one, dnis=("1861", "10010"))
    assert [rules.current([local], dnis, now) for dnis in ("1861", "10010", "1860", "")] == [
        (OUTAGE,), (OUTAGE,), (), ()
    ]  # fmt: skip


@pytest.mark.req("TL-26")
def test_one_that_was_switched_off_is_over_also_before_it_began(one: Announcement, now: datetime) -> None:
    off = replace(one, off_at=now + HOUR / 2)
    assert rules.current([off], "1860", now + HOUR / 2) == ()
    never = replace(one, starts_at=now + HOUR, ends_at=now + 2 * HOUR, off_at=now)
    assert (rules.state(never, now), rules.current([never], "1860", now + HOUR)) == (State.OVER, ())


def test_the_same_words_are_said_once_and_the_newest_are_kept(one: Announcement, now: datetime) -> None:
    rows = [
        replace(one, id=str(n), prompt=prompt, starts_at=now - n * HOUR)
        for n, prompt in enumerate((OUTAGE, WORKS, OUTAGE, "announcement-c", "announcement-d"))
    ]
    assert rules.current(rows, "1860", now) == ("announcement-c", OUTAGE, WORKS)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 50), st.sampled_from("abcde")), max_size=12))
def test_what_is_heard_is_on_no_more_than_three_and_none_twice(spans: Sequence[tuple[int, int, str]]) -> None:
    now = datetime.fromisoformat("2026-03-10T01:30:00+00:00")
    rows = [
        Announcement(
            str(n), prompt, (), now + start * HOUR, now + (start + length) * HOUR, None, None, now, "1", "1", 1
        )
        for n, (start, length, prompt) in enumerate(spans)
    ]
    heard = rules.current(rows, "1860", now)
    on = {row.prompt for row in rows if row.starts_at <= now < row.ends_at}
    assert set(heard) <= on
    assert len(heard) == len(set(heard)) == min(len(on), rules.MOST)


@pytest.mark.parametrize(
    ("start", "end", "code", "field"),
    [
        (-2, -1, "in_the_past", "ends_at"), (-1, 0, "in_the_past", "ends_at"), (2, 1, "end_before_start", "ends_at"),
        (1, 1, "end_before_start", "ends_at"), (24 * 31, 24 * 31 + 1, "out_of_range", "starts_at"),
        (0, 24 * 7 + 1, "too_long_announced", "ends_at"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_meant_are_refused(now: datetime, start: int, end: int, code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check_times(now + start * HOUR, now + end * HOUR, now)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_one_that_runs_is_prolonged_by_a_week_from_now_at_most(now: datetime) -> None:
    rules.check_times(now - timedelta(days=6), now + timedelta(days=7), now)
    with pytest.raises(Invalid, match="too_long_announced"):
        rules.check_times(now - timedelta(days=6), now + timedelta(days=7, seconds=1), now)


@pytest.mark.req("TL-26")
def test_who_hangs_up_at_it_is_counted_and_who_goes_on_is_not(now: datetime) -> None:
    played, on = (NODE, OUTAGE), (NODE, "heard")
    ivr = Outcome.SERVED_BY_IVR
    walks = [
        Walk(now, ivr, [played]),  # hung up during it
        Walk(now, ivr, [played, (NODE, WORKS)]),  # heard two
        Walk(now, ivr, [played, on, ("main", "3"), ("standards", "1")]),  # went on and chose
        Walk(now, Outcome.ANSWERED, [played, on]),  # asked for a person
        Walk(now, ivr, [(NODE, WORKS)]),  # heard another
        Walk(now + HOUR, ivr, [played]),  # came after its end
        Walk(now, None, [played]),  # is still there
        Walk(now, ivr, []),
    ]
    assert count(walks, OUTAGE, now, now + HOUR) == Heard(heard=5, ended=2)
    assert count(walks, WORKS, now, now + HOUR) == Heard(heard=2, ended=2)
