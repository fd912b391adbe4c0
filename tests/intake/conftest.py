"""The sample operator's desk, and messages as callers leave them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.orders.desk import Desk
from ticketing.db import Database
from ticketing.intake.model import NewMessage

Leave = Callable[..., NewMessage]


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


@pytest.fixture
def leave(now: datetime) -> Leave:
    """A message of 12 seconds by 13800138000, with changes."""

    def make(n: int = 1, **changes: Any) -> NewMessage:
        call_id = changes.pop("call_id", "20260310013000-000001123456")
        said: dict[str, Any] = {
            "call_id": call_id, "file": f"{call_id}-msg-{n}.wav", "ani": "13800138000", "dnis": "1860", "lang": "zh",
            "queue": "complaint", "seconds": 12.0, "how": "confirmed", "at": now,
        }  # fmt: skip
        return NewMessage(**said | changes)

    return make
