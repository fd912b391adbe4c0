"""Loader of a staff file: the sample operator's people, or a centre's own list."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.errors import Invalid
from ticketing.roles import SYSTEM, Actor, Post
from ticketing.staff import actions, store
from ticketing.staff.actions import AddStaff
from ticketing.staff.model import PhoneKind
from ticketing.staff.tables import post_queue

SAMPLE = Path(__file__).parent.parent / "data" / "staff.toml"

_FIELDS = {"number", "name", "posts", "team", "phone", "language", "vip_overflow", "unit"}


async def load(conn: AsyncConnection, text: str, now: datetime, actor: Actor = SYSTEM) -> int:
    """Adds the people, teams and queues of a file that are not there yet; returns how many people were added.

    What an administrator changed since is left alone. Raises Invalid naming the entry that is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("bad_staff_file", str(error)) from None
    known_teams = {team.code for team in await store.teams(conn)}
    known = {person.number for person in await store.everyone(conn, active=False)}
    for each in document.get("team", []):
        if each["code"] not in known_teams:
            await actions.add_team(conn, actor, each["code"], each["name"], now)
    added = [_person(each) for each in document.get("staff", [])]
    fresh = [person for person in added if person.number not in known]
    for person in fresh:
        await actions.add_staff(conn, actor, person, now)
    await _queues(conn, actor, document, now)
    return len(fresh)


async def load_queues(conn: AsyncConnection, text: str, now: datetime, actor: Actor = SYSTEM) -> None:
    """Which queues the holders of a post join, as the file says, unless the centre has said so itself."""
    await _queues(conn, actor, tomllib.loads(text), now)


async def _queues(conn: AsyncConnection, actor: Actor, document: dict[str, Any], now: datetime) -> None:
    if (await conn.execute(select(post_queue.c.post).limit(1))).first() is not None:
        return
    for post, queues in document.get("queues", {}).items():
        await actions.set_queues_of_post(conn, actor, Post(post), queues, now)


def _person(given: dict[str, Any]) -> AddStaff:
    number = str(given.get("number", "?"))
    if strange := sorted(set(given) - _FIELDS):
        raise Invalid("bad_staff_file", f"{number}: unknown field {strange[0]!r}")
    try:
        return AddStaff(
            number=number,
            name=given["name"],
            posts=frozenset(Post(post) for post in given["posts"]),
            team=given.get("team"),
            phone_kind=PhoneKind(given.get("phone", "browser")),
            language=given.get("language", "zh"),
            vip_overflow=given.get("vip_overflow", False),
            unit=given.get("unit"),
        )
    except (KeyError, ValueError) as error:
        raise Invalid("bad_staff_file", f"{number}: {error}") from None
