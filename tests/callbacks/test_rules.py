"""The one fair order, when to dial, quiet hours, spacing and windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.calendar import parse as calendars
from ticketing.callbacks import policy as policies
from ticketing.callbacks import rules, workflow
from ticketing.callbacks.model import IN_FLIGHT, OPEN, Mode, OnUnknown, State, Verb
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.rules import Place
from ticketing.clocks.definitions import definitions
from ticketing.clocks.model import Clock
from ticketing.errors import Invalid, Refused

START = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def places(callback: bool) -> st.SearchStrategy[list[Place]]:
    one = st.builds(
        lambda key, minute, priority, ready: Place(
            f"{'b' if callback else 'c'}{key}", START + minute * MINUTE, priority, callback, ready or not callback
        ),
        st.integers(0, 999), st.integers(0, 9), st.integers(0, 2), st.booleans(),
    )  # fmt: skip
    return st.lists(one, max_size=6, unique_by=lambda place: place.key)


@given(places(True), places(False))
def test_the_line_is_by_priority_then_by_joining_whoever_waits(bookings: list[Place], live: list[Place]) -> None:
    line = rules.order(bookings, live)
    assert set(line) == {*live, *(booking for booking in bookings if booking.ready)}
    for before, after in pairwise(line):
        assert (-before.priority, before.joined_at) <= (-after.priority, after.joined_at)
    assert line == rules.order(bookings[::-1], live[::-1])


@given(places(True), places(False), st.integers(0, 6), st.integers(0, 6))
def test_never_more_in_flight_than_free_agents_minus_callers_ahead(
    bookings: list[Place], live: list[Place], free: int, in_flight: int
) -> None:
    line = rules.order(bookings, live)
    chosen = rules.to_dial(bookings, live, free, in_flight)
    assert chosen == [place for place in line[: max(free - in_flight, 0)] if place.callback]
    for number, place in enumerate(chosen):
        ahead = sum(not other.callback for other in line[: line.index(place)])
        assert rules.may_dial(free, ahead, in_flight + number)
    assert len(chosen) + in_flight <= max(free, in_flight)


@dataclass
class Guest:
    """Somebody who waits in the simulated centre."""

    place: Place
    served_at: int | None = None


@pytest.mark.req("TL-23")
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 1)), min_size=1, max_size=20),
    st.lists(st.integers(0, 60), max_size=40),
)
def test_nobody_is_overtaken_by_one_who_joined_later(arrivals: list[tuple[bool, int, int]], freed: list[int]) -> None:
    """Agents become free one after the other; each takes who is first. Whoever is served before another of his
    priority had joined before him, caller or callback alike."""
    guests = [
        Guest(Place(f"g{key:02}", START + minute * MINUTE, priority, callback))
        for key, (callback, minute, priority) in enumerate(arrivals)
    ]
    for tick in sorted(freed):
        waiting = [g for g in guests if g.served_at is None and g.place.joined_at <= START + tick * MINUTE]
        bookings = [g.place for g in waiting if g.place.callback]
        live = [g.place for g in waiting if not g.place.callback]
        chosen = rules.to_dial(bookings, live, free_agents=1, in_flight=0)
        first = chosen[0] if chosen else next(iter(rules.order([], live)), None)
        for guest in waiting:
            if first is not None and guest.place.key == first.key:
                guest.served_at = tick
    for one in guests:
        for other in guests:
            same = one.place.priority == other.place.priority
            earlier = one.place.joined_at < other.place.joined_at
            if same and earlier and other.served_at is not None:
                assert one.served_at is not None
                assert one.served_at <= other.served_at


def test_a_booking_for_a_window_joins_when_it_opens() -> None:
    assert rules.place_from(START, None) == START
    assert rules.place_from(START, START + MINUTE) == START + MINUTE
    assert rules.place_from(START, START - MINUTE) == START


@pytest.mark.req("TL-22")
@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("010-66668888", "+861066668888"),
        ("66668888", "+861066668888"),
        ("anonymous", None), ("", None), ("10086", None), ("4008001234", None), ("8008101234", None),
        ("0044 20 7946 0958", None), ("12345", None), ("1380013800", None), ("9" * 70, None), ("000", None),
    ],
)  # fmt: skip
def test_only_numbers_that_can_be_called_back_at_home_rates(raw: str, number: str | None) -> None:
    assert rules.dialable(raw, policies.shipped(), "010") == number


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """March 2026 in Beijing; the 9th is a Monday."""
    return datetime(2026, 3, day, hour - 8, minute, tzinfo=UTC) if hour >= 8 else datetime(
        2026, 3, day - 1, hour + 16, minute, tzinfo=UTC
    )  # fmt: skip


@pytest.mark.req("TL-23")
def test_quiet_hours_spacing_and_cap() -> None:
    policy = policies.shipped()
    assert rules.next_call(policy, local(10, 9)) == local(10, 9)
    assert rules.next_call(policy, local(10, 21)) == local(11, 8)
    assert rules.next_call(policy, local(13, 22)) == local(14, 9)  # Saturday begins later
    assert rules.retry_at(policy, 1, None, local(10, 9)) == local(10, 9, 10)
    assert rules.retry_at(policy, 2, None, local(10, 9)) == local(10, 10)
    assert rules.retry_at(policy, 1, None, local(10, 20, 55)) == local(11, 8)
    assert rules.retry_at(policy, 3, None, local(10, 9)) is None
    assert rules.retry_at(policy, 1, local(10, 12), local(10, 11, 49)) == local(10, 11, 59)
    assert rules.retry_at(policy, 1, local(10, 12), local(10, 11, 50)) is None
    assert [rules.spacing(policy, used) for used in (0, 1, 2, 9)] == [timedelta(minutes=m) for m in (10, 10, 60, 60)]


@pytest.mark.req("K17")
def test_the_limit_is_the_window_s_end_or_thirty_minutes_of_calling_time() -> None:
    policy, definition = policies.shipped(), definitions()[Clock.CALLBACK]
    assert rules.due(definition, policy, local(10, 9), None) == local(10, 9, 30)
    assert rules.due(definition, policy, local(10, 20, 50), None) == local(11, 8, 20)
    assert rules.due(definition, policy, local(10, 9), local(11, 12)) == local(11, 12)


def ids(policy: Policy, at: datetime, office: bool = False) -> list[tuple[str, str]]:
    opening = calendars(
        '[calendar.office]\nzone = "Asia/Shanghai"\nmakeup = []\nholidays = ["2026-03-12"]\n'
        + "".join(f'{day} = ["08:30-12:00", "13:30-18:00"]\n' for day in ("mon", "tue", "wed", "thu", "fri"))
    )["office"]
    return [(w.id, w.spoken) for w in rules.windows(policy, opening if office else None, at)]


@pytest.mark.req("TL-22", "TL-06")
def test_windows_are_what_is_open_not_quiet_and_not_almost_over() -> None:
    policy = policies.shipped()
    assert ids(policy, local(10, 9, 30)) == [
        ("asap", "asap"), ("2026-03-10-morning", "today-morning"), ("2026-03-10-afternoon", "today-afternoon"),
        ("2026-03-10-evening", "today-evening"), ("2026-03-11-morning", "tomorrow-morning"),
        ("2026-03-11-afternoon", "tomorrow-afternoon"), ("2026-03-11-evening", "tomorrow-evening"),
    ]  # fmt: skip
    assert ("2026-03-10-morning", "today-morning") not in ids(policy, local(10, 11, 31))
    # closed: no "as soon as possible", the next opening instead; nobody is there in the evening
    assert ids(policy, local(10, 19), office=True)[0] == ("2026-03-11-morning", "tomorrow-morning")
    assert not any("evening" in spoken for _, spoken in ids(policy, local(10, 9), office=True))
    # the 12th is a holiday of the office, the 14th and 15th a weekend
    assert ids(policy, local(11, 17, 45), office=True) == [
        ("asap", "asap"), ("2026-03-13-morning", "next-workday-morning"),
        ("2026-03-13-afternoon", "next-workday-afternoon"),
    ]  # fmt: skip
    friday = ids(policy, local(13, 17), office=True)
    assert ("2026-03-16-morning", "next-workday-morning") in friday
    assert not any("tomorrow" in spoken for _, spoken in friday)
    night = ids(policy, local(10, 23))
    assert night[0] == ("2026-03-11-morning", "tomorrow-morning")
    for window in rules.windows(policy, None, local(10, 9, 30))[1:]:
        assert window.starts_at < window.ends_at
        assert policy.calling.is_open(window.starts_at)
        assert window.starts_at >= local(10, 9, 30)


def test_a_booked_window_is_said_as_it_is_today() -> None:
    policy = policies.shipped()
    assert rules.spoken(policy, "asap", local(10, 9)) == "asap"
    assert rules.spoken(policy, "2026-03-11-morning", local(10, 9)) == "tomorrow-morning"
    assert rules.spoken(policy, "2026-03-11-morning", local(11, 8)) == "today-morning"
    assert rules.spoken(policy, "2026-03-16-evening", local(13, 9)) == "next-workday-evening"


@pytest.mark.parametrize(
    "change",
    [
        ("[dialling]", '[dialling]\nmode = "robot_first"'), ("attempts = 3", "attempts = 0"),
        ("spacing_min = [10, 60]", "spacing_min = []"), ("spacing_min = [10, 60]", "spacing_min = [0]"),
        ("settle_s = 15", "settle_s = 0"), ('prefixes = ["+86"]', "prefixes = []"), ("lease_s = 30", "leases = 30"),
        ('evening = "18:00-21:00"', 'evening = "21:00-18:00"'), ("[calendar.calling]", "[calendar.other]"),
        ("per_hour = 1200", "per_hour = 59"), ("per_agent = 60", "per_agent = 0"),
        ("per_hour = 1200", 'per_hour = "x"'),
        ("least_min = 30", 'least_min = "x"'), ('on_unknown = "ask"', ""),
    ],
)  # fmt: skip
def test_a_wrong_policy_is_refused(change: tuple[str, str]) -> None:
    text = (files("ticketing.callbacks") / "data/callbacks.toml").read_text(encoding="utf-8")
    assert change[0] in text
    assert policies.parse(text) == policies.shipped()
    with pytest.raises(Invalid):
        policies.parse(text.replace(change[0], change[1]))


def test_every_open_state_leads_to_an_end_and_no_ended_one_leads_on() -> None:
    for mode in Mode:
        ends = {State.CONNECTED, State.CANCELLED}
        reached = set(ends)
        while True:
            more = {
                source
                for (source, _, of), row in workflow.TRANSITIONS.items()
                if of is mode and source is not None and set(row.targets) & reached
            }
            if more <= reached:
                break
            reached |= more
        assert reached >= OPEN
        assert not any(source in ends for source, _, of in workflow.TRANSITIONS if of is mode)


@pytest.mark.req("TL-23")
def test_nothing_is_dialled_from_pending_and_a_doubt_goes_to_a_person() -> None:
    for (source, verb, mode), row in workflow.TRANSITIONS.items():
        if State.DIALLING in row.targets:
            assert (verb, source) == (
                Verb.DIAL, State.AGENT_RESERVED if mode is Mode.AGENT_FIRST else State.CLAIMED
            )  # fmt: skip
    doubt = workflow.Situation(State.DIALLING, Mode.AGENT_FIRST, may_retry=True)
    assert workflow.advance(doubt, Verb.LOSE) is State.UNKNOWN
    assert workflow.advance(replace(doubt, on_unknown=OnUnknown.RETRY), Verb.LOSE) is State.PENDING
    assert workflow.advance(replace(doubt, on_unknown=OnUnknown.RETRY, may_retry=False), Verb.LOSE) is State.UNKNOWN
    assert workflow.advance(doubt, Verb.MISS) is State.PENDING
    assert workflow.advance(replace(doubt, may_retry=False), Verb.MISS) is State.FAILED
    for state in IN_FLIGHT:
        with pytest.raises(Refused, match="not_from_here"):
            workflow.advance(workflow.Situation(state, Mode.CUSTOMER_FIRST), Verb.CANCEL)
    with pytest.raises(ValueError, match="two rows"):
        workflow.table((*workflow.ROWS, workflow.ROWS[0]))
