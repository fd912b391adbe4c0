"""The desk as a fixture."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.orders.desk import Desk
from ticketing.db import Database


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    """A desk with the sample operator's people and words, on each database."""
    return await Desk.open(database, now)
