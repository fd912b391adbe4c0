"""The sample operator's desk, the shipped policy, and bookings as callers make them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.orders.desk import Desk
from ticketing.callbacks.model import NewBooking
from ticketing.callbacks.policy import Policy, shipped
from ticketing.db import Database

Wish = Callable[..., NewBooking]


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


@pytest.fixture
def policy() -> Policy:
    return shipped()


@pytest.fixture
def wish(now: datetime) -> Wish:
    """As soon as possible for 13800138000, who joined a minute ago; with changes."""

    def make(**changes: Any) -> NewBooking:
        said: dict[str, Any] = {
            "number": "13800138000", "queue": "complaint", "window": "asap", "lang": "zh", "priority": 0,
            "joined_at": now - timedelta(minutes=1), "call_id": "20260310012900-000001000001", "dnis": "1860",
        }  # fmt: skip
        return NewBooking(**said | changes)

    return make
