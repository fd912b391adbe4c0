"""Use cases of administration: staff, posts, passwords' hashes, queues; none commits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Invalid, Refused, Stale
from ticketing.roles import Action, Actor, Post, require
from ticketing.staff import qualifications, sessions, store
from ticketing.staff.model import PhoneKind, Staff
from ticketing.staff.qualifications import Qualification
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
    #: on record from the first day (AD-04)
    qualifications: tuple[Qualification, ...] = ()
    #: why a post is granted without its qualification
    override: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePosts:
    """New posts for a person; his sessions end (S13)."""

    number: str
    posts: frozenset[Post] = field(default_factory=frozenset)
    version: int = 0
    #: why a post is granted without its qualification (AD-04)
    override: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePerson:
    """Facts about a person that an administrator keeps; what is None stays, an empty team or unit is taken away."""

    number: str
    version: int
    name: str | None = None
    team: str | None = None
    unit: str | None = None
    phone_kind: PhoneKind | None = None
    vip_overflow: bool | None = None


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
    for each in given.qualifications:
        await qualifications.record(conn, actor, given.number, each, now)
    qualified = await qualifications.check(conn, actor, made, given.posts, now, override=given.override)
    await _write_posts(conn, made, given.posts)
    said = {"name": name, "posts": sorted(given.posts), "team": given.team, **qualified}
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
    new = given.posts - person.posts
    qualified = await qualifications.check(conn, actor, person.id, new, now, override=given.override)
    if Post.AD in person.posts and Post.AD not in given.posts:
        await _another_administrator(conn, person)
    await conn.execute(delete(staff_post).where(staff_post.c.staff_id == person.id))
    await _write_posts(conn, person.id, given.posts)
    await sessions.revoke_all(conn, person.id, now)
    said = {"from": sorted(person.posts), "to": sorted(given.posts), **qualified}
    await audit.record(conn, actor, "staff.posts_changed", "staff", given.number, said, now)
    return Change("staff.changed", given.number, person.version + 1, now)


async def change_person(conn: AsyncConnection, actor: Actor, given: ChangePerson, now: datetime) -> Change:
    """Changes name, team, unit, phone or VIP overflow; raises Invalid for a team or unit nobody knows."""
    require(actor, Action.ADMINISTER_STAFF)
    values: dict[str, object] = {}
    if given.name is not None:
        values["name"] = clean(given.name, limit=64)
        if not values["name"]:
            raise Invalid("missing", "a name", field="name")
    if given.team is not None:
        values["team_id"] = await _team_id(conn, given.team or None)
    if given.unit is not None:
        if given.unit:
            await taxonomy.leaf(conn, "unit", given.unit, day_of(now), field="unit")
        values["unit"] = given.unit or None
    if given.phone_kind is not None:
        values["phone_kind"] = given.phone_kind.value
    if given.vip_overflow is not None:
        values["vip_overflow"] = given.vip_overflow
    person = await _bump(conn, given.number, given.version)
    if values:
        await conn.execute(update(staff).where(staff.c.id == person.id).values(**values))
    said = {name: value for name, value in values.items() if name != "team_id"} | {"team": given.team}
    await audit.record(conn, actor, "staff.changed", "staff", given.number, said, now)
    return Change("staff.changed", given.number, person.version + 1, now)


async def reactivate(conn: AsyncConnection, actor: Actor, number: str, version: int, now: datetime) -> Change:
    """The person may sign in again, with the password he had."""
    require(actor, Action.ADMINISTER_STAFF)
    person = await _bump(conn, number, version)
    await conn.execute(update(staff).where(staff.c.id == person.id).values(active=True))
    await audit.record(conn, actor, "staff.reactivated", "staff", number, {}, now)
    return Change("staff.changed", number, person.version + 1, now)


async def reset_password(conn: AsyncConnection, actor: Actor, number: str, now: datetime) -> str:
    """Voids the password and ends the sessions; returns a one-time token, to be handed over, that sets a new one."""
    require(actor, Action.ADMINISTER_STAFF)
    person = await store.by_number(conn, number)
    if not person.active:
        raise Refused("not_active", "this person is locked", number=number)
    await conn.execute(delete(credential).where(credential.c.staff_id == person.id))
    await sessions.revoke_all(conn, person.id, now)
    await audit.record(conn, actor, "staff.password_reset", "staff", number, {}, now)
    return await sessions.new_setup_token(conn, now, person.id)


async def deactivate(conn: AsyncConnection, actor: Actor, number: str, version: int, now: datetime) -> Change:
    """The person leaves or is locked: cannot sign in, sessions end, the number is never given to another.

    Raises Refused for the last administrator who can sign in: nobody could let him in again.
    """
    require(actor, Action.ADMINISTER_STAFF)
    person = await _bump(conn, number, version)
    if Post.AD in person.posts:
        await _another_administrator(conn, person)
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


async def _another_administrator(conn: AsyncConnection, person: Staff) -> None:
    others = (
        select(staff.c.id)
        .join(staff_post, staff_post.c.staff_id == staff.c.id)
        .where(staff_post.c.post == Post.AD.value, staff.c.active.is_(True), staff.c.id != person.id)
        .limit(1)
    )
    if (await conn.execute(others)).first() is None:
        raise Refused("last_administrator", "nobody else could administer this centre", number=person.number)


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
