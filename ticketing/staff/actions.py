"""Use cases of administration: staff, posts, passwords' hashes, queues; none commits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit
from ticketing.changes import Change
from ticketing.errors import Invalid, Refused, Stale
from ticketing.roles import Action, Actor, Post, require
from ticketing.staff import sessions, store
from ticketing.staff.model import PhoneKind, Staff
from ticketing.staff.tables import credential, post_queue, staff, staff_post, team, team_queue
from ticketing.text import clean

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class AddStaff:
    """A new person."""

    number: str
    name: str
    posts: frozenset[Post]
    #: code of the team
    team: str | None = None
    phone_kind: PhoneKind = PhoneKind.BROWSER
    language: str = "zh"
    vip_overflow: bool = False
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePosts:
    """New posts for a person; his sessions end (S13)."""

    number: str
    posts: frozenset[Post] = field(default_factory=frozenset)
    version: int = 0


async def add_staff(conn: AsyncConnection, actor: Actor, given: AddStaff, now: datetime) -> Change:
    """Adds a person without password; raises Refused when the number is taken, Invalid for a wrong field."""
    require(actor, Action.ADMINISTER_STAFF)
    name = clean(given.name, limit=64)
    if not (given.number.isascii() and given.number.isdigit() and 3 <= len(given.number) <= 8):
        raise Invalid("bad_number", "3 to 8 digits", field="number")
    if not name:
        raise Invalid("missing", "a name", field="name")
    if not given.posts:
        raise Invalid("missing", "at least one post", field="posts")
    _check_language(given.language)
    values = {
        "number": given.number, "name": name, "team_id": await _team_id(conn, given.team), "unit": given.unit,
        "phone_kind": given.phone_kind.value, "language": given.language, "vip_overflow": given.vip_overflow,
        "active": True, "created_at": now, "version": 1,
    }  # fmt: skip
    try:
        async with conn.begin_nested():
            made = (await conn.execute(insert(staff).values(values).returning(staff.c.id))).scalar_one()
    except IntegrityError:
        raise Refused("number_taken", f"{given.number} belongs to somebody", number=given.number) from None
    await _write_posts(conn, made, given.posts)
    said = {"name": name, "posts": sorted(given.posts), "team": given.team}
    await audit.record(conn, actor, "staff.added", "staff", given.number, said, now)
    return Change("staff.added", given.number, 1, now)


async def add_team(conn: AsyncConnection, actor: Actor, code: str, name: str, now: datetime) -> int:
    """Adds a team, or renames the one with this code; returns its key."""
    require(actor, Action.ADMINISTER_STAFF)
    found = (await conn.execute(select(team.c.id).where(team.c.code == code))).scalar_one_or_none()
    if found is None:
        found = (await conn.execute(insert(team).values(code=code, name=name).returning(team.c.id))).scalar_one()
    else:
        await conn.execute(update(team).where(team.c.id == found).values(name=name))
    await audit.record(conn, actor, "team.set", "team", code, {"name": name}, now)
    return int(found)


async def change_posts(conn: AsyncConnection, actor: Actor, given: ChangePosts, now: datetime) -> Change:
    """Replaces the posts; the person signs in again to act under them."""
    require(actor, Action.ADMINISTER_STAFF)
    if not given.posts:
        raise Invalid("missing", "at least one post", field="posts")
    person = await _bump(conn, given.number, given.version)
    await conn.execute(delete(staff_post).where(staff_post.c.staff_id == person.id))
    await _write_posts(conn, person.id, given.posts)
    await sessions.revoke_all(conn, person.id, now)
    said = {"from": sorted(person.posts), "to": sorted(given.posts)}
    await audit.record(conn, actor, "staff.posts_changed", "staff", given.number, said, now)
    return Change("staff.changed", given.number, person.version + 1, now)


async def deactivate(conn: AsyncConnection, actor: Actor, number: str, version: int, now: datetime) -> Change:
    """The person leaves: cannot sign in, sessions end, the number is never given to another."""
    require(actor, Action.ADMINISTER_STAFF)
    person = await _bump(conn, number, version)
    await conn.execute(update(staff).where(staff.c.id == person.id).values(active=False))
    await sessions.revoke_all(conn, person.id, now)
    await audit.record(conn, actor, "staff.deactivated", "staff", number, {}, now)
    return Change("staff.changed", number, person.version + 1, now)


async def set_language(conn: AsyncConnection, actor: Actor, language: str, now: datetime) -> Change:
    """The actor's own choice of page language."""
    _check_language(language)
    await conn.execute(update(staff).where(staff.c.id == actor.staff_id).values(language=language))
    return Change("staff.language_set", actor.number, 0, now, {"language": language})


async def set_password_hash(conn: AsyncConnection, actor: Actor, number: str, made: str, now: datetime) -> Change:
    """Stores a hash made by `Passwords.hash` of a password that passed `rules.check_password`; other sessions end."""
    if number != actor.number:
        require(actor, Action.ADMINISTER_STAFF)
    person = await store.by_number(conn, number)
    await store_hash(conn, person.id, made, now)
    await sessions.revoke_all(conn, person.id, now)
    await audit.record(conn, actor, "staff.password_set", "staff", number, {}, now)
    return Change("staff.password_set", number, 0, now)


async def store_hash(conn: AsyncConnection, staff_id: int, made: str, now: datetime) -> None:
    """Writes or replaces the credential."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    put = dialect.insert(credential).values(staff_id=staff_id, hash=made, set_at=now)
    await conn.execute(
        put.on_conflict_do_update(index_elements=[credential.c.staff_id], set_={"hash": made, "set_at": now})
    )


async def set_queues_of_post(
    conn: AsyncConnection, actor: Actor, post: Post, queues: Iterable[str], now: datetime
) -> None:
    """Queues that holders of the post join at sign-in; replaces the earlier list."""
    require(actor, Action.ADMINISTER_STAFF)
    wanted = sorted(set(queues))
    await conn.execute(delete(post_queue).where(post_queue.c.post == post.value))
    if wanted:
        await conn.execute(insert(post_queue), [{"post": post.value, "queue": queue} for queue in wanted])
    await audit.record(conn, actor, "post.queues_set", "post", post.value, {"queues": wanted}, now)


async def set_queues_of_team(
    conn: AsyncConnection, actor: Actor, code: str, queues: Iterable[str], now: datetime
) -> None:
    """Queues that members of the team join at sign-in; replaces the earlier list."""
    require(actor, Action.ADMINISTER_STAFF)
    wanted, key = sorted(set(queues)), await _team_id(conn, code)
    await conn.execute(delete(team_queue).where(team_queue.c.team_id == key))
    if wanted:
        await conn.execute(insert(team_queue), [{"team_id": key, "queue": queue} for queue in wanted])
    await audit.record(conn, actor, "team.queues_set", "team", code, {"queues": wanted}, now)


async def _bump(conn: AsyncConnection, number: str, version: int) -> Staff:
    person = await store.by_number(conn, number)
    done = await conn.execute(
        update(staff).where(staff.c.id == person.id, staff.c.version == version).values(version=version + 1)
    )
    if done.rowcount == 0:
        raise Stale(version=person.version)
    return person


async def _write_posts(conn: AsyncConnection, staff_id: int, posts: Iterable[Post]) -> None:
    rows = [{"staff_id": staff_id, "post": post.value} for post in sorted(posts)]
    await conn.execute(insert(staff_post), rows)


async def _team_id(conn: AsyncConnection, code: str | None) -> int | None:
    if code is None:
        return None
    found = (await conn.execute(select(team.c.id).where(team.c.code == code))).scalar_one_or_none()
    if found is None:
        raise Invalid("unknown_team", f"there is no team {code!r}", field="team")
    return int(found)


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise Invalid("unknown_language", f"one of {', '.join(LANGUAGES)}", field="language")
