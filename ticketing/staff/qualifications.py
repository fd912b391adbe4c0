"""What people are qualified for and skilled in: on record before a post is granted, or a reason is (AD-02, AD-04)."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Invalid, Refused
from ticketing.roles import SYSTEM, Action, Actor, Post, require
from ticketing.staff import store
from ticketing.staff.tables import staff, staff_post, staff_qualification, staff_skill
from ticketing.text import clean

SHIPPED = Path(__file__).parent.parent / "data" / "qualifications.toml"
#: lowest and highest level of a skill
LEVELS = (1, 5)


@dataclass(frozen=True, slots=True)
class Qualification:
    """One qualification of a person."""

    post: Post
    #: certificate, examination, training
    what: str
    obtained_on: date
    #: last day on which it counts; None = open
    valid_to: date | None = None


@cache
def demands(path: Path = SHIPPED) -> Mapping[Post, tuple[str, str]]:
    """What each post asks for, Chinese and English; a post that is not in the file asks for nothing."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return {Post(post): (words[0], words[1]) for post, words in document.items()}


async def record(conn: AsyncConnection, actor: Actor, number: str, given: Qualification, now: datetime) -> Change:
    """Puts a qualification on record. Raises Invalid for one that ends before it began or lies ahead."""
    require(actor, Action.ADMINISTER_STAFF)
    person = await store.by_number(conn, number)
    what = clean(given.what, limit=200)
    if not what:
        raise Invalid("missing", "what was obtained", field="what")
    if given.obtained_on > day_of(now):
        raise Invalid("in_the_future", "this has not been obtained yet", field="obtained_on")
    if given.valid_to is not None and given.valid_to < given.obtained_on:
        raise Invalid("empty_span", "it ends before it begins", field="valid_to")
    values = {"post": given.post.value, "what": what, "obtained_on": given.obtained_on, "valid_to": given.valid_to}
    await conn.execute(
        insert(staff_qualification).values(staff_id=person.id, **values, recorded_at=now, recorded_by=actor.number)
    )
    said = {"post": given.post.value, "what": what, "obtained_on": given.obtained_on.isoformat(),
            "valid_to": given.valid_to.isoformat() if given.valid_to else None}  # fmt: skip
    await audit.record(conn, actor, "staff.qualified", "staff", number, said, now)
    return Change("staff.changed", number, person.version, now)


async def missing(conn: AsyncConnection, staff_id: int, posts: Iterable[Post], day: date) -> frozenset[Post]:
    """Posts among these that ask for a qualification the person has not on record for that day."""
    wanted = frozenset(posts) & demands().keys()
    held = await conn.scalars(
        select(staff_qualification.c.post).where(
            staff_qualification.c.staff_id == staff_id,
            staff_qualification.c.obtained_on <= day,
            or_(staff_qualification.c.valid_to.is_(None), staff_qualification.c.valid_to >= day),
        )
    )
    return wanted - {Post(post) for post in held}


async def check(
    conn: AsyncConnection, actor: Actor, staff_id: int, posts: Collection[Post], now: datetime, *, override: str | None
) -> Mapping[str, object]:
    """What the audit row of a grant says about qualifications.

    Raises Refused("not_qualified") naming the posts, unless a reason to grant them all the same is given. The product
    itself (an installation's first people, the command line) is not asked for one; what is missing is written down.
    """
    lacking = sorted(post.value for post in await missing(conn, staff_id, posts, day_of(now)))
    if not lacking:
        return {}
    reason = clean(override or "", limit=500)
    if not reason and actor.staff_id != SYSTEM.staff_id:
        raise Refused("not_qualified", "no qualification on record", posts=lacking, field="override")
    return {"unqualified": lacking, "override": reason or None}


async def set_skills(
    conn: AsyncConnection, actor: Actor, number: str, skills: Mapping[str, int], now: datetime
) -> Change:
    """Replaces a person's skill profile: nodes of the business tree with a level (AD-02)."""
    require(actor, Action.ADMINISTER_STAFF)
    person = await store.by_number(conn, number)
    words = await taxonomy.read(conn)
    for code, level in skills.items():
        if words.find("business", code) is None:
            raise Invalid("unknown_code", f"{code!r} is not in business", field="skills", code_given=code)
        if not LEVELS[0] <= level <= LEVELS[1]:
            raise Invalid("bad_level", f"{LEVELS[0]} to {LEVELS[1]}", field="skills", allowed=list(LEVELS))
    await conn.execute(delete(staff_skill).where(staff_skill.c.staff_id == person.id))
    if skills:
        rows = [{"staff_id": person.id, "skill": code, "level": level} for code, level in sorted(skills.items())]
        await conn.execute(insert(staff_skill), rows)
    await audit.record(conn, actor, "staff.skills_set", "staff", number, {"skills": dict(skills)}, now)
    return Change("staff.changed", number, person.version, now)


async def skills_of(conn: AsyncConnection) -> Mapping[int, Mapping[str, int]]:
    """Everybody's skill profile by internal key."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for row in await conn.execute(select(staff_skill).order_by(staff_skill.c.skill)):
        found[row.staff_id][row.skill] = row.level
    return found


async def of_everyone(conn: AsyncConnection) -> Mapping[int, list[Qualification]]:
    """Everybody's qualifications by internal key, oldest first."""
    found: dict[int, list[Qualification]] = defaultdict(list)
    order = (staff_qualification.c.obtained_on, staff_qualification.c.id)
    for row in await conn.execute(select(staff_qualification).order_by(*order)):
        found[row.staff_id].append(Qualification(Post(row.post), row.what, row.obtained_on, row.valid_to))
    return found


async def skilled(conn: AsyncConnection, business: str, post: Post = Post.SA) -> list[str]:
    """工号 of who holds the post and knows this business, the ablest first; a skill covers everything below it."""
    parts = business.split(".")
    above = [".".join(parts[: depth + 1]) for depth in range(len(parts))]
    rows = await conn.execute(
        select(staff.c.number, staff_skill.c.level)
        .join(staff_skill, staff_skill.c.staff_id == staff.c.id)
        .join(staff_post, staff_post.c.staff_id == staff.c.id)
        .where(staff_skill.c.skill.in_(above), staff_post.c.post == post.value, staff.c.active.is_(True))
    )
    best: dict[str, int] = {}
    for row in rows:
        best[row.number] = max(best.get(row.number, 0), row.level)
    return sorted(best, key=lambda number: (-best[number], number))
