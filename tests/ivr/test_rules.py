"""Routing rules and opening hours as tables (TL-05, TL-06, G14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow import begin, step
from ivr.hours import TreeHours, is_open
from ivr.model import INTENTS
from ivr.ports import CallerContext, Match
from ivr.routing import route
from ivr.talk import Ask, Keyed, Open, Started
from tests.ivr.fakes import shipped_tree

SHANGHAI = ZoneInfo("Asia/Shanghai")
MATCHES: tuple[Match, ...] = ("one", "several", "unknown", "withheld")


def callers() -> list[CallerContext | None]:
    vip = (None, "major", "important", "dedicated_line", "a-class-nobody-knows")
    made = [CallerContext(m, None, v, r, o) for m, v, r, o in product(MATCHES, vip, (False, True), (False, True))]
    return [None, *made]


@pytest.mark.req("G14")
@pytest.mark.parametrize("manager_routing", [False, True])
def test_every_caller_has_a_queue_and_vip_always_the_senior(manager_routing: bool) -> None:
    routing = replace(shipped_tree().routing, manager_routing=manager_routing)
    for intent, caller in product(INTENTS, callers()):
        rule = route(routing, intent, caller)
        if caller is not None and caller.vip_class:
            assert rule.queue == "senior"
        elif caller is not None and caller.overdue_repeat and intent not in {"suggestion", "unknown-line"}:
            assert rule.queue == ("manager" if manager_routing else "complaint")
            assert rule.priority == 10
        else:
            assert rule.queue == ("suggestion" if intent == "suggestion" else "complaint")


def test_a_repeat_goes_before_a_first_complaint_and_an_overdue_one_before_both() -> None:
    routing = shipped_tree().routing
    first, repeat, overdue = (
        route(routing, "complaint", CallerContext("one", "c", None, r, o)).priority
        for r, o in ((False, False), (True, False), (True, True))
    )
    assert first < repeat < overdue


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-03-10T08:29:59", False),
        ("2026-03-10T08:30:00", True),
        ("2026-03-10T11:59:59", True),
        ("2026-03-10T12:00:00", False),
        ("2026-03-10T13:30:00", True),
        ("2026-03-10T18:00:00", False),
        ("2026-03-14T10:00:00", False),  # Saturday
        ("2026-02-14T10:00:00", True),  # make-up Saturday
        ("2026-02-28T10:00:00", True),  # make-up Saturday
        ("2026-02-14T20:00:00", False),
        ("2026-02-15T10:00:00", False),  # first day of the Spring Festival
        ("2026-02-23T10:00:00", False),  # last day, a Monday
        ("2026-02-24T10:00:00", True),
        ("2026-10-01T10:00:00", False),
    ],
)
def test_office_hours(local: str, expected: bool) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)
    office = shipped_tree().calendars["office"]
    assert is_open(office, at) is expected
    assert is_open(office, at.astimezone(UTC)) is expected


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))  # noqa: DTZ001  # made aware below
def test_round_the_clock_is_never_closed(at: datetime) -> None:
    assert is_open(shipped_tree().calendars["always"], at.replace(tzinfo=UTC))


async def test_hours_follow_the_newest_tree() -> None:
    tree = shipped_tree()
    hours = TreeHours(lambda: tree)
    night = datetime(2026, 3, 10, 18, 0, tzinfo=UTC)
    assert await hours.is_open("complaint", night)
    tree = replace(tree, queue_calendar={"complaint": "office"})
    assert not await hours.is_open("complaint", night)
    assert await hours.is_open("complaint", night + timedelta(hours=8))
    assert await hours.is_open("a-queue-not-in-the-file", night)


def test_who_walks_in_circles_gets_a_person() -> None:
    state, commands = step(begin(shipped_tree(), "1", "1860"), Started())
    asked = 0
    while isinstance(commands[-1], Ask):
        asked += 1
        state, commands = step(state, Keyed("#"))
    assert asked == shipped_tree().settings.max_asks
    assert state.intent == "errors"


def test_an_input_nobody_asked_for_is_an_error() -> None:
    state, _ = step(begin(shipped_tree(), "1", "1860"), Started())
    with pytest.raises(LookupError):
        step(state, Open(True))
