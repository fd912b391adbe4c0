"""The disk of the database is full: the page says so, the phone goes on from its reserve, and nothing breaks (F10)."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from ivr.reserve import FILE
from tests.kills.checks import differences
from tests.kills.life import lives
from tests.kills.run import healed, passwords
from tests.kills.writers import Callers, Clerk, Notes
from tests.system.small_disk import filled, small_disk
from tests.web.test_orders import complaint
from ticketing.db import Database

_DISK_MIB: Final = 16
#: orders until a database has used up the room it had made for itself
_MOST: Final = 200
_CALLERS: Final = 20


async def enter(clerk: Clerk, number: int) -> tuple[int, Any]:
    """A complaint from a letter."""
    now = datetime.now(UTC)
    letter = {"channel": "letter", "received_at": now.isoformat(), **complaint(now), "contact_name": f"客户 {number}"}
    return await clerk.ask("/api/orders", letter)


@pytest.mark.req("F10", "N1", "TL-24")
async def test_on_a_full_disk_pages_are_refused_and_callers_are_not(tmp_path: Path) -> None:
    """Twenty leave a message meanwhile, each is told a number; with room again everything is taken in under it."""
    with small_disk(tmp_path / "disk", _DISK_MIB) as disk:
        file = disk / "hotline.db"
        async with lives(tmp_path / "h", database_url=f"sqlite:///{file}") as life:
            await life.start()
            await life.ready()
            life.up.set()
            database = await Database.open(life.settings.database)
            await passwords(database)
            notes = Notes()
            callers = [Callers(life, notes, line) for line in range(4)]
            async with Clerk(life, notes, "1001") as clerk:
                assert (await enter(clerk, 0))[0] == 201
                late = time.monotonic() + 30
                while not (life.spool / FILE).exists():
                    assert time.monotonic() < late, "no numbers were set aside"
                    await asyncio.sleep(0.05)
                with filled(disk):
                    entered = 0
                    while (answer := await enter(clerk, entered + 1))[0] == 201:
                        entered += 1
                        assert entered < _MOST, "the disk is never full"
                    status, said = answer
                    assert (status, said["code"]) == (503, "database_full")
                    assert said["message"]
                    for _ in range(_CALLERS // len(callers)):
                        assert all(await asyncio.gather(*(each.message() for each in callers)))
                    assert len(set(notes.messages.values())) == _CALLERS, "each was told a number of his own"
                    assert all(len(read) == 9 for read in notes.messages.values())
                    assert len(list(life.spool.glob("*-msg-*.json"))) == _CALLERS
                    assert (await enter(clerk, _MOST))[0] == 503
                assert (await enter(clerk, _MOST))[0] == 201, "with room again it goes on, without a start"
                await healed(life, wholly=True)
                notes.orders_asked = {f"客户 {number}" for number in (*range(entered + 1), _MOST)}
                assert await differences(life, database, notes) == []
            await database.close()
        with closing(sqlite3.connect(file)) as read:
            assert read.execute("PRAGMA integrity_check").fetchone() == ("ok",)
