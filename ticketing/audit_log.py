"""Reading who did what and who looked at what: pages by conditions, each reader within his post's scope (AU-01, AU-06).

Nothing here writes: no post can change a row (S28).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import pages
from ticketing.audit import audit, query_log
from ticketing.errors import Invalid
from ticketing.masking import Personal, mask, sees_customers
from ticketing.roles import Action, Actor, Post, may
from ticketing.sealing import audit_anchor, audit_head
from ticketing.staff.tables import staff
from ticketing.text import mask_digits

LOGS: Final[Mapping[str, Table]] = {"changes": audit, "queries": query_log}

#: personal facts among what a row says, by the name they stand under
_PERSONAL: Final[Mapping[str, Personal]] = {
    "number": Personal.NUMBER,
    "caller_number": Personal.NUMBER,
    "contact_number": Personal.NUMBER,
    "service_number": Personal.NUMBER,
    "contact_name": Personal.NAME,
    "customer_name": Personal.NAME,
    "contact_address": Personal.ADDRESS,
}
#: what is known by digits and is no telephone number
_OPEN: Final = frozenset({"serial", "into_serial", "work_serial", "ids", "order", "call_id", "version"})


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Conditions on a log; all that are given must hold."""

    log: str = "changes"
    #: 工号
    actor: str | None = None
    #: a verb, or its beginning up to the dot: `order.`
    verb: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row as it is shown."""

    id: int
    at: datetime
    actor: str
    actor_name: str | None
    verb: str
    subject_kind: str
    subject_id: str
    #: None once it was erased by rule
    said: Mapping[str, Any] | None
    #: place in the chain; None until it is sealed
    seal_seq: int | None


@dataclass(frozen=True, slots=True)
class ChainState:
    """How far a log is sealed."""

    log: str
    sealed: int
    sealed_at: datetime | None
    waiting: int
    #: days whose last link is kept apart
    anchors: int


async def page(
    conn: AsyncConnection, actor: Actor, wanted: LogFilter, *, cursor: str | None = None, limit: int = 50
) -> pages.Page[LogRow]:
    """Rows within the actor's scope, newest first; numbers and names covered where his post does not see them."""
    pages.check_limit(limit)
    if wanted.log not in LOGS:
        raise Invalid("unknown_code", "no such log", field="log", allowed=sorted(LOGS))
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise Invalid("empty_span", "the end must be after the beginning", field="until")
    table = LOGS[wanted.log]
    query = (
        select(table, staff.c.name.label("actor_name"))
        .outerjoin(staff, staff.c.id == table.c.actor_id)
        .where(scope(actor, table), *_conditions(table, wanted))
    )
    query = pages.ordered(query, table.c.at, table.c.id, cursor, newest_first=True).limit(limit + 1)
    rows = (await conn.execute(query)).mappings().all()
    covered = not sees_customers(actor)
    shown = [_row(dict(row), covered=covered) for row in rows[:limit]]
    more = pages.cursor_of(shown[-1].at, shown[-1].id) if len(rows) > limit else None
    return pages.Page(tuple(shown), more)


def scope(actor: Actor, table: Table) -> ColumnElement[bool]:
    """Condition on a log: inspectors and administrators read all, the heads of a post what their people did (a
    supervisor his team, a department's head his unit, a leader his subtree), everybody what he did himself (AU-06)."""
    if may(actor.posts, Action.READ_AUDIT):
        return true()
    mine = select(staff.c.unit).where(staff.c.id == actor.staff_id).scalar_subquery()
    people: list[ColumnElement[bool]] = []
    if Post.SU in actor.posts:
        people.append(staff.c.team_id == actor.team_id if actor.team_id is not None else staff.c.unit.is_(None))
    if Post.DH in actor.posts:
        people.append(staff.c.unit == mine)
    if Post.LD in actor.posts:
        whole = mine.is_(None)
        head = func.substr(staff.c.unit, 1, func.length(mine) + 1)
        below = and_(mine.is_not(None), or_(staff.c.unit == mine, head == mine.concat(".")))
        people.append(or_(whole, below))
    theirs = table.c.actor_id.in_(select(staff.c.id).where(or_(*people))) if people else false()
    return or_(table.c.actor_id == actor.staff_id, theirs)


async def chains(conn: AsyncConnection) -> list[ChainState]:
    """How far each log is sealed; `hotline audit verify` proves that nothing was changed since."""
    found = []
    for log, table in LOGS.items():
        head = (await conn.execute(select(audit_head).where(audit_head.c.chain == table.name))).one_or_none()
        waiting = await conn.scalar(select(func.count()).select_from(table).where(table.c.seal_seq.is_(None)))
        anchors = await conn.scalar(
            select(func.count()).select_from(audit_anchor).where(audit_anchor.c.chain == table.name)
        )
        found.append(ChainState(log, head.seq if head else 0, head.at if head else None, waiting or 0, anchors or 0))
    return found


def _conditions(table: Table, wanted: LogFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.actor is not None:
        yield table.c.actor_number == wanted.actor
    if wanted.verb is not None:
        whole = not wanted.verb.endswith(".")
        yield table.c.verb == wanted.verb if whole else table.c.verb.startswith(wanted.verb, autoescape=True)
    if wanted.subject_kind is not None:
        yield table.c.subject_kind == wanted.subject_kind
    if wanted.subject_id is not None:
        yield table.c.subject_id == wanted.subject_id
    if wanted.since is not None:
        yield table.c.at >= wanted.since
    if wanted.until is not None:
        yield table.c.at < wanted.until


def _row(row: Mapping[str, Any], *, covered: bool) -> LogRow:
    said = row["payload"]
    return LogRow(
        row["id"],
        row["at"],
        row["actor_number"],
        row["actor_name"],
        row["verb"],
        row["subject_kind"],
        row["subject_id"],
        cover(said) if covered and said is not None else said,
        row["seal_seq"],
    )


def cover(said: Any, name: str = "") -> Any:
    """What a row says, with customers' numbers, names and addresses covered. Pure."""
    if name in _OPEN:
        return said
    if isinstance(said, Mapping):
        customers = name == "conditions" and isinstance(said.get("name"), str)
        kinds = {"name": Personal.NAME} if customers else {}
        return {
            key: mask(kinds[key], value) if key in kinds and isinstance(value, str) else cover(value, key)
            for key, value in said.items()
        }
    if isinstance(said, list):
        return [cover(each, name) for each in said]
    if isinstance(said, str):
        return mask(_PERSONAL[name], said) if name in _PERSONAL else mask_digits(said)
    return said
