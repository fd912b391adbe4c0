"""Callbacks booked and watched by tests of real calls."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final

from ticketing.callbacks import actions, reading
from ticketing.callbacks.model import Callback, Mode, NewBooking
from ticketing.callbacks.policy import Policy, parse
from ticketing.db import Database
from ticketing.roles import SYSTEM

#: a customer of the sample operator
CUSTOMER: Final = "13800138006"


def policy_file(folder: Path) -> Path:
    """A centre that calls at any hour, a minute between two attempts, and gives up what is lost after seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "callbacks.toml"
    file.write_text(_text(), encoding="utf-8")
    return file


def policy() -> Policy:
    """What that file says."""
    return parse(_text())


def _text() -> str:
    text = files("ticketing.callbacks").joinpath("data/callbacks.toml").read_text(encoding="utf-8")
    for field, value in (("spacing_min", "[1]"), ("lease_s", "4"), ("settle_s", "4"), ("per_agent", "1200")):
        text = re.sub(rf"^{field} = .*$", f"{field} = {value}", text, flags=re.MULTILINE)
    return re.sub(r'"0[89]:00-21:00"', '"00:00-24:00"', text)


async def book(
    database: Database,
    number: str = CUSTOMER,
    *,
    joined_ago: timedelta = timedelta(minutes=1),
    mode: Mode = Mode.AGENT_FIRST,
) -> str:
    """Books a callback for as soon as possible, as a service with this `callback_mode` would; its public id."""
    now = datetime.now(UTC)
    given = NewBooking(number, "complaint", "asap", "zh", 0, now - joined_ago, dnis="1860")
    async with database.write() as conn:
        return (await actions.book(conn, SYSTEM, given, replace(policy(), mode=mode), now)).subject_id


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
