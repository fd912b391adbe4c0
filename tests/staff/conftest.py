"""The sample operator's staff, and hashing cheap enough for tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest

from ticketing import taxonomy
from ticketing.db import Database
from ticketing.staff import sample
from ticketing.staff.passwords import Passwords
from ticketing.staff.sign_in import Door


@pytest.fixture
async def centre(database: Database, now: datetime) -> Database:
    async with database.write() as conn:
        await sample.load(conn, sample.SAMPLE.read_text(encoding="utf-8"), now)
        nodes = taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8"))
        await taxonomy.load(conn, nodes, now, today=date(2026, 3, 10))
    return database


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    pool = Passwords(memory_mib=1, waiting=1000)
    yield pool
    pool.close()


@pytest.fixture
def door(centre: Database, passwords: Passwords) -> Door:
    return Door(centre, passwords)
