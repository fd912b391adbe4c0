"""The operator's day begins at his midnight, whatever UTC says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from ticketing import days


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The zone of all other tests comes back."""
    yield
    days.use(ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Asia/Shanghai", date(2026, 11, 30)), ("UTC", date(2026, 11, 29)), ("America/New_York", date(2026, 11, 29))],
)
def test_two_in_the_morning_in_shanghai(zone: str, day: date) -> None:
    days.use(ZoneInfo(zone))
    assert days.day_of(datetime(2026, 11, 29, 18, 5, tzinfo=UTC)) == day
