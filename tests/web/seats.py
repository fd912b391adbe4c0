"""One person of every post, who owns nothing here, and the cookies that no longer open anything."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tests.web.fakes import PASSWORD
from ticketing.db import Database
from ticketing.roles import SYSTEM, Post
from ticketing.staff import actions
from ticketing.staff.actions import AddStaff
from ticketing.staff.passwords import Passwords

__all__ = ["SEATS", "STRANGERS", "add_strangers"]

#: who holds which post and no other; in the departments: in one that has no part in anything
SEATS: Final = {
    "JA": "1002", "TE": "6102", "RX": "6002", "SA": "2002", "SV": "7002", "DM": "5001", "QC": "7101", "MH": "4001",
    "DS": "8002", "DH": "8102", "FS": "8202", "LD": "9101", "FU": "7201", "SU": "3001", "AD": "9001",
}  # fmt: skip
#: those the sample does not have: number -> post
STRANGERS: Final = {"6102": "TE", "6002": "RX", "2002": "SA", "7002": "SV", "7101": "QC", "8202": "FS", "7201": "FU"}

assert set(SEATS) == {post.value for post in Post}


async def add_strangers(database: Database, passwords: Passwords, now: datetime) -> None:
    """Writes them into the staff list, with everybody's password."""
    made = await passwords.hash(PASSWORD)
    async with database.write() as conn:
        for number, post in STRANGERS.items():
            unit = "city.billing" if post == "FS" else None
            person = AddStaff(number, f"{post}员", frozenset({Post(post)}), unit=unit, override="test")
            await actions.add_staff(conn, SYSTEM, person, now)
            await actions.set_password_hash(conn, SYSTEM, number, made, now)
