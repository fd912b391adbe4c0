"""All SQL that reads staff, agents and the queues they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select, true, union
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.db import for_update
from ticketing.errors import NotFound
from ticketing.roles import Post
from ticketing.staff.model import OVERFLOW_PENALTY, SIGNED_IN, Agent, AgentState, Membership, PhoneKind, Staff, Team
from ticketing.staff.tables import agent_state, credential, post_queue, staff, staff_post, team, team_queue

# What a call asks again and again is built once: building a statement takes longer than carrying it out.
_PEOPLE: Final = select(staff, team.c.code, team.c.name.label("team_name")).select_from(staff.outerjoin(team))
_BY_NUMBER: Final = _PEOPLE.where(staff.c.number == bindparam("number"))
_BY_ID: Final = _PEOPLE.where(staff.c.id == bindparam("id"))
_POSTS: Final = select(staff_post).where(staff_post.c.staff_id.in_(bindparam("ids", expanding=True)))
_LANGUAGE: Final = select(staff.c.language).where(staff.c.number == bindparam("number"))
_QUEUES: Final = union(
    select(post_queue.c.queue).where(post_queue.c.post.in_(bindparam("posts", expanding=True))),
    select(team_queue.c.queue).where(team_queue.c.team_id == bindparam("team")),
)
_AGENTS: Final = select(agent_state, staff.c.number, staff.c.name, staff.c.phone_kind.label("own_phone")).join(staff)
_AGENT: Final = _AGENTS.where(staff.c.number == bindparam("number"))
_AGENT_LOCKED: Final = for_update(_AGENT)


async def by_number(conn: AsyncConnection, number: str) -> Staff:
    """The person with this 工号, active or not; raises NotFound."""
    return _one(await _people(conn, _BY_NUMBER, {"number": number}), number)


async def language_of(conn: AsyncConnection, number: str) -> str | None:
    """The language of his pages, by 工号; None for a phone that is nobody's."""
    found = await conn.scalar(_LANGUAGE, {"number": number})
    return None if found is None else str(found)


async def by_id(conn: AsyncConnection, staff_id: int) -> Staff:
    """The person by internal key; raises NotFound."""
    return _one(await _people(conn, _BY_ID, {"id": staff_id}), str(staff_id))


async def everyone(conn: AsyncConnection, *, active: bool = True) -> list[Staff]:
    """All staff by number; those who left only when `active` is False."""
    return await _find(conn, staff.c.active.is_(True) if active else true())


async def concerned(conn: AsyncConnection, holders: Iterable[str], posts: Iterable[Post]) -> list[Staff]:
    """Active staff whom a holder's name may mean — a person by 工号, a unit by its code — and everybody of these posts,
    by number: whom news are for, without the rest of the staff."""
    names, wanted = list(holders), [post.value for post in posts]
    of_posts = select(staff_post.c.staff_id).where(staff_post.c.post.in_(wanted))
    meant = or_(staff.c.number.in_(names), staff.c.unit.in_(names), staff.c.id.in_(of_posts))
    return await _find(conn, and_(staff.c.active.is_(True), meant))


async def teams(conn: AsyncConnection) -> list[Team]:
    """All teams by code."""
    rows = await conn.execute(select(team).order_by(team.c.code))
    return [Team(row.id, row.code, row.name) for row in rows]


async def with_password(conn: AsyncConnection) -> set[int]:
    """Keys of the staff who can sign in."""
    return set((await conn.execute(select(credential.c.staff_id))).scalars())


async def queues_of(conn: AsyncConnection, person: Staff) -> list[str]:
    """Queues the person joins when he signs in: of his posts and of his team."""
    given = {"posts": [post.value for post in person.posts], "team": person.team.id if person.team else None}
    return sorted((await conn.execute(_QUEUES, given)).scalars())


async def agent(conn: AsyncConnection, number: str, *, lock: bool = False) -> Agent:
    """An agent's state by number; raises NotFound for somebody who never signed in to a phone."""
    row = (await conn.execute(_AGENT_LOCKED if lock else _AGENT, {"number": number})).one_or_none()
    if row is None:
        raise NotFound("unknown_agent", number=number)
    return _agent(row)


async def agents(conn: AsyncConnection, *, signed_in: bool = True) -> list[Agent]:
    """States of all agents by number."""
    query = _AGENTS.order_by(staff.c.number)
    if signed_in:
        query = query.where(agent_state.c.state.in_([state.value for state in SIGNED_IN]))
    return [_agent(row) for row in await conn.execute(query)]


async def memberships(conn: AsyncConnection) -> list[Membership]:
    """What the queues should hold now: every signed-in agent in each of his queues, with his pause (G13).

    A junior marked for VIP overflow is in the seniors' queues too, with a penalty: he is rung last and late (G14).
    An agent in wrap-up is a paused member, so that no call is offered to him.
    """
    of_post = and_(post_queue.c.post == staff_post.c.post, staff_post.c.staff_id == staff.c.id)
    columns = (staff.c.number, staff.c.name, agent_state.c.state, agent_state.c.reason, agent_state.c.resume)
    signed_in = and_(
        agent_state.c.staff_id == staff.c.id,
        agent_state.c.state != AgentState.LOGGED_OUT.value,
        staff.c.active.is_(True),
    )
    by_post = select(*columns, post_queue.c.queue).where(signed_in, of_post)
    by_team = select(*columns, team_queue.c.queue).where(signed_in, team_queue.c.team_id == staff.c.team_id)
    seniors = and_(staff.c.vip_overflow.is_(True), post_queue.c.post == Post.SA.value)
    seated = staff.join(agent_state, agent_state.c.staff_id == staff.c.id)
    marked = select(*columns, post_queue.c.queue).select_from(seated.join(post_queue, seniors)).where(signed_in)
    found = [_membership(*row) for row in (await conn.execute(union(by_post, by_team))).all()]
    own = {(each.number, each.queue) for each in found}
    late = [_membership(*row) for row in (await conn.execute(marked)).all()]
    found += [replace(each, penalty=OVERFLOW_PENALTY) for each in late if (each.number, each.queue) not in own]
    return sorted(found, key=lambda each: (each.number, each.queue))


def _membership(number: str, name: str, state: str, reason: str | None, resume: str, queue: str) -> Membership:  # noqa: PLR0917 - a row
    if state == AgentState.WRAP_UP.value:
        return Membership(number, name, queue, True, "wrap_up")
    paused = AgentState.PAUSED.value in {state, resume if state != AgentState.READY.value else ""}
    return Membership(number, name, queue, paused, reason if paused else None)


async def _find(conn: AsyncConnection, condition: ColumnElement[bool]) -> list[Staff]:
    return await _people(conn, _PEOPLE.where(condition).order_by(staff.c.number), {})


async def _people(conn: AsyncConnection, query: Select[Any], given: Mapping[str, Any]) -> list[Staff]:
    rows = (await conn.execute(query, given)).all()
    posts = await _posts(conn, [row.id for row in rows])
    return [
        Staff(
            id=row.id,
            number=row.number,
            name=row.name,
            posts=posts[row.id],
            team=Team(row.team_id, row.code, row.team_name) if row.team_id is not None else None,
            phone_kind=PhoneKind(row.phone_kind),
            language=row.language,
            vip_overflow=row.vip_overflow,
            active=row.active,
            unit=row.unit,
            version=row.version,
        )
        for row in rows
    ]


async def _posts(conn: AsyncConnection, ids: Iterable[int]) -> defaultdict[int, frozenset[Post]]:
    held: defaultdict[int, frozenset[Post]] = defaultdict(frozenset)
    for row in await conn.execute(_POSTS, {"ids": list(ids)}):
        held[row.staff_id] |= {Post(row.post)}
    return held


def _one(found: Sequence[Staff], key: str) -> Staff:
    if not found:
        raise NotFound("unknown_staff", staff=key)
    return found[0]


def _agent(row: Row[Any]) -> Agent:
    return Agent(
        staff_id=row.staff_id,
        number=row.number,
        name=row.name,
        state=AgentState(row.state),
        since=row.since,
        reason=row.reason,
        call_id=row.call_id,
        resume=AgentState(row.resume),
        wrap_up_until=row.wrap_up_until,
        fact_at=row.fact_at,
        phone_kind=PhoneKind(row.phone_kind or row.own_phone),
        version=row.version,
    )
