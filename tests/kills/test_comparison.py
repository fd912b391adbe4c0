"""The comparison of notes with what is there finds each thing that may go wrong, by itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import text

from tests.kills.checks import differences
from tests.kills.run import at_work
from tests.kills.writers import Notes, Written

#: orders that two clerks have begun at least
_ENOUGH: Final = 3


def first(notes: Mapping[str, object]) -> str:
    """The one that was noted first."""
    return next(iter(notes))


def ahead(notes: Notes) -> None:
    """A version that nobody has seen was confirmed."""
    name = first(notes.orders)
    notes.orders[name] = replace(notes.orders[name], version=99)


#: how the comparison calls it, and what is done to the notes
_SPOILT: Final[dict[str, Callable[[Notes], object]]] = {
    "order 客户 0: lost": lambda notes: notes.orders.update({"客户 0": Written("x", "1", 1)}),
    "instead of Written": lambda notes: notes.orders.update({first(notes.orders): Written("x", "1", 1)}),
    "back at version": ahead,
    "words x: lost": lambda notes: notes.words.update({"x": "y"}),
    "at another order": lambda notes: notes.words.update({first(notes.words): "y"}),
    "booking 1: lost": lambda notes: notes.bookings.update({"1": ""}),
    "instead of 17": lambda notes: notes.bookings.update({first(notes.bookings): "17"}),
    "message c: lost": lambda notes: notes.messages.update({"c": ""}),
    "which was read to the caller": lambda notes: notes.messages.update({first(notes.messages): "x"}),
    "nobody asked for it": lambda notes: notes.bookings_asked.clear(),
}
_FIRST: Final = "(SELECT min(id) FROM customer_order WHERE contact_name LIKE '客户 %')"
#: the same, and what is done to the database
_PLANTED: Final = {
    "2 times": f"UPDATE customer_order SET contact_name = (SELECT contact_name FROM customer_order WHERE id = {_FIRST})"
    " WHERE id = (SELECT max(id) FROM customer_order WHERE contact_name LIKE '客户 %')",
    "audited": "DELETE FROM audit WHERE verb = 'order.submitted' AND subject_id ="
    f" (SELECT public_id FROM customer_order WHERE id = {_FIRST})",
    "has no audit row": "DELETE FROM audit WHERE subject_kind = 'item'",
}


async def test_each_thing_that_may_go_wrong_is_found(tmp_path: Path) -> None:
    """Spoilt in the notes of people who were not disturbed, or in what lies there."""
    async with at_work(tmp_path / "h", random.Random(0)) as run:
        run.life.up.set()
        notes, late = run.notes, time.monotonic() + 60
        while not (notes.words and notes.messages and notes.bookings and len(notes.orders) >= _ENOUGH):
            assert time.monotonic() < late, notes
            await asyncio.sleep(0.05)
        await run.dies(0)
        for says, spoil in _SPOILT.items():
            spoilt = deepcopy(notes)
            spoil(spoilt)
            found = await differences(run.life, run.database, spoilt)
            assert any(says in each for each in found), (says, found)
        for says, statement in _PLANTED.items():
            async with run.database.write() as conn:
                assert (await conn.execute(text(statement))).rowcount, says
            found = await differences(run.life, run.database, notes)
            assert any(says in each for each in found), (says, found)
