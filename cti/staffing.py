"""Staff added at the command line, with the token by which the new colleague's password is set."""

from __future__ import annotations

from collections.abc import Sequence

from cti.app import clock, open_database
from cti.settings import Settings
from ivr.menus import Menus
from ivr.prompts import load_manifest
from ticketing.errors import Invalid
from ticketing.roles import SYSTEM, Post
from ticketing.staff import actions, sessions, store
from ticketing.staff.actions import AddStaff
from ticketing.staff.model import PhoneKind


async def add_person(
    settings: Settings, *, number: str, name: str, posts: Sequence[str], team: str | None, phone: str
) -> str:
    """Adds one person and returns a one-time set-up token for his password alone.

    Raises Invalid naming what is wrong and what is allowed.
    """
    if phone not in {kind.value for kind in PhoneKind}:
        raise Invalid("bad_phone", f"--phone is browser or desk, not {phone}", field="phone")
    unknown = sorted(set(posts) - {post.value for post in Post})
    if unknown:
        raise Invalid("unknown_post", f"unknown post {unknown[0]}: {', '.join(Post)}", field="post")
    given = AddStaff(
        number=number,
        name=name,
        posts=frozenset(Post(post) for post in posts),
        team=team,
        phone_kind=PhoneKind(phone),
    )
    if number in Menus(load_manifest(), settings.ivr_data).tree.lines:
        raise Invalid("bad_number", f"callers dial {number}: choose another number for {name}", field="number")
    database = await open_database(settings)
    try:
        now = clock()
        async with database.write() as conn:
            await actions.add_staff(conn, SYSTEM, given, now)
            person = await store.by_number(conn, number)
            return await sessions.new_setup_token(conn, now, person.id)
    finally:
        await database.close()
