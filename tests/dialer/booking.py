"""Callbacks booked and watched by tests of real calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.dialer.service import policy
from ticketing.callbacks import actions, reading
from ticketing.callbacks.model import Callback, NewBooking
from ticketing.db import Database
from ticketing.roles import SYSTEM

#: a customer of the sample operator
CUSTOMER: Final = "13800138006"


async def book(database: Database, number: str = CUSTOMER) -> str:
    """Books a callback for as soon as possible; its public id."""
    now = datetime.now(UTC)
    given = NewBooking(number, "complaint", "asap", "zh", 0, now - timedelta(minutes=1), dnis="1860")
    async with database.write() as conn:
        return (await actions.book(conn, SYSTEM, given, policy(), now)).subject_id


async def becomes(
    database: Database, booking: str, fits: Callable[[Callback], bool], *, within_s: float = 30.0
) -> Callback:
    """The booking once it is so."""
    found: Callback | None = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                async with database.read() as conn:
                    found = await reading.get(conn, booking, policy(), datetime.now(UTC))
                if fits(found):
                    return found
                await asyncio.sleep(0.05)  # a database of another process has no event
    except TimeoutError:
        raise AssertionError(f"the callback did not come so far: {found}") from None
