"""Reading what was proposed, decided, answered and heard of an order, and a department's inbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.errors import Invalid, NotFound
from ticketing.orders import rework, surveying, work
from ticketing.orders.access import told
from ticketing.orders.model import LIVE_WORK, ReviewKind, WorkOrderState
from ticketing.orders.tables import (
    customer_order,
    order_reply,
    order_survey,
    review,
    survey_attempt,
    work_order,
    work_order_amendment,
)
from ticketing.orders.views import WorkOrderView, work_order_view
from ticketing.orders.workflow import Verb, allowed
from ticketing.roles import Action, Actor, Post, may
from ticketing.staff.tables import staff

_LARGEST_INBOX = 200


@dataclass(frozen=True, slots=True)
class Review:
    """A proposal and what a second person made of it (RV-02)."""

    id: str
    kind: str
    state: str
    #: 工号
    author: str | None
    created_at: datetime
    #: unit, task, limit_s of each work order
    tasks: tuple[Mapping[str, Any], ...]
    opinion: str
    reviewer: str | None
    decided_at: datetime | None
    decision: str | None
    checks: Mapping[str, bool]
    error_codes: tuple[str, ...]
    warning_document: str | None
    #: of a change of a work order: which one, and what changes
    work_order: str | None = None
    reason: str | None = None
    task: str | None = None
    limit_s: int | None = None
    #: of a later limit: why, as a code, the one asked for or given, and the one before (PX-05)
    code: str | None = None
    due_at: str | None = None
    old_due_at: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to the customer (RP-03)."""

    at: datetime
    by: str | None
    cycle: int
    on_the_spot: bool
    opinion: str
    result: str | None
    channel: str | None
    channel_reason: str | None
    satisfaction: str
    final: bool
    liability: str | None = None
    apology: bool | None = None
    #: what quality must look at (PR-18)
    quality_flag: str | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What the customer said when he was called back (SV-05, SV-10)."""

    at: datetime
    by: str | None
    cycle: int
    outcome: str
    grade: str | None
    opinion: str | None
    cause: str | None
    wanted: str | None
    source: str
    handled: str | None
    unit: str | None
    #: it counts: the surveyor's does, what centre and department heard stands beside it (G11)
    official: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call-back in vain."""

    at: datetime
    by: str | None
    cycle: int
    why: str
    note: str | None
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """Conditions of a department's inbox; all that are given must hold."""

    state: tuple[str, ...] = ()
    mine: bool = False
    overdue: bool = False


async def reviews(conn: AsyncConnection, order_id: int) -> tuple[Review, ...]:
    """Every proposal of an order, oldest first."""
    author, reviewer = staff.alias("author"), staff.alias("reviewer")
    rows = await conn.execute(
        select(
            review,
            author.c.number.label("author"),
            reviewer.c.number.label("reviewer"),
            work_order.c.public_id.label("changed_work"),
        )
        .outerjoin(work_order, work_order.c.id == review.c.work_order_id)
        .outerjoin(author, author.c.id == review.c.author_id)
        .outerjoin(reviewer, reviewer.c.id == review.c.reviewer_id)
        .where(review.c.order_id == order_id)
        .order_by(review.c.id)
    )
    return tuple(
        Review(
            id=row["public_id"],
            kind=row["kind"],
            state=row["state"],
            author=row["author"],
            created_at=row["created_at"],
            tasks=tuple(row["proposal"].get("tasks", ())),
            opinion=row["proposal"].get("opinion") or row["proposal"].get("evidence") or "",
            reviewer=row["reviewer"],
            decided_at=row["decided_at"],
            decision=row["opinion"],
            checks=row["checks"],
            error_codes=tuple(row["error_codes"]),
            warning_document=row["warning_document"],
            work_order=row["changed_work"],
            reason=row["proposal"].get("reason"),
            task=row["proposal"].get("task"),
            limit_s=row["proposal"].get("limit_s"),
            code=row["proposal"].get("code") or row["proposal"].get("reason_code"),
            due_at=row["proposal"].get("due_at"),
            old_due_at=row["proposal"].get("old_due_at"),
        )
        for row in rows.mappings()
    )


async def replies(conn: AsyncConnection, order_id: int) -> tuple[Reply, ...]:
    """Every answer the customer had, oldest first."""
    rows = await conn.execute(
        select(order_reply, staff.c.number)
        .outerjoin(staff, staff.c.id == order_reply.c.staff_id)
        .where(order_reply.c.order_id == order_id)
        .order_by(order_reply.c.id)
    )
    return tuple(
        Reply(
            row.at,
            row.number,
            row.cycle,
            on_the_spot=row.on_the_spot,
            opinion=row.opinion,
            result=row.result,
            channel=row.channel,
            channel_reason=row.channel_reason,
            satisfaction=row.satisfaction,
            final=row.final,
            liability=row.liability,
            apology=row.apology,
            quality_flag=row.quality_flag,
        )
        for row in rows
    )


async def surveys(conn: AsyncConnection, order_id: int) -> tuple[Survey, ...]:
    """What the customer said to surveyors and departments, oldest first."""
    rows = await conn.execute(
        select(order_survey, staff.c.number, work_order.c.unit)
        .outerjoin(staff, staff.c.id == order_survey.c.staff_id)
        .outerjoin(work_order, work_order.c.id == order_survey.c.work_order_id)
        .where(order_survey.c.order_id == order_id)
        .order_by(order_survey.c.id)
    )
    return tuple(
        Survey(
            row.at,
            row.number,
            row.cycle,
            row.outcome,
            row.grade,
            row.opinion,
            row.cause,
            row.wanted,
            row.source,
            row.handled,
            row.unit,
            row.source == surveying.SURVEYOR,
        )
        for row in rows
    )


async def attempts(conn: AsyncConnection, order_id: int) -> tuple[Attempt, ...]:
    """Call-backs in vain, oldest first."""
    rows = await conn.execute(
        select(survey_attempt, staff.c.number)
        .outerjoin(staff, staff.c.id == survey_attempt.c.staff_id)
        .where(survey_attempt.c.order_id == order_id)
        .order_by(survey_attempt.c.id)
    )
    return tuple(Attempt(row.at, row.number, row.cycle, row.why, row.note, row.not_before) for row in rows)


async def inbox(
    conn: AsyncConnection, actor: Actor, wanted: WorkFilter, now: datetime, *, limit: int = 50
) -> tuple[WorkOrderView, ...]:
    """Work orders of the actor's unit, the nearest limit first; what is only proposed is not there (DP-11, PR-01)."""
    if not 1 <= limit <= _LARGEST_INBOX:
        raise Invalid("bad_limit", f"1 to {_LARGEST_INBOX}", field="limit", allowed=[1, _LARGEST_INBOX])
    known = {state.value for state in WorkOrderState}
    if strange := [state for state in wanted.state if state not in known]:
        raise Invalid("unknown_code", f"no such state: {strange[0]}", field="state", allowed=sorted(known))
    states = wanted.state or tuple(state.value for state in LIVE_WORK)
    where = [of_unit(actor), work_order.c.state.in_(states)]
    if wanted.mine:
        where.append(work_order.c.owner_id == actor.staff_id)
    if wanted.overdue:
        where += [work_order.c.due_at <= now, work_order.c.ended_at.is_(None)]
    query = _work_orders().where(*where).order_by(work_order.c.due_at, work_order.c.id).limit(limit)
    return tuple(work_order_view(row, now, actions_of(actor, row)) for row in (await conn.execute(query)).mappings())


async def of_order(conn: AsyncConnection, actor: Actor, order_id: int, now: datetime) -> tuple[WorkOrderView, ...]:
    """What departments were asked to do for an order the actor may see, with the steps he may take."""
    query = _work_orders().where(work_order.c.order_id == order_id, told(actor)).order_by(work_order.c.number)
    steps = (Action.DISPATCH, Action.PROPOSE_DISPATCH, Action.DECIDE_EXTENSION, Action.REASSIGN_WORK)
    mine = any(may(actor.posts, each) for each in steps)
    return tuple(
        work_order_view(row, now, actions_of(actor, row) if mine else ())
        for row in (await conn.execute(query)).mappings()
    )


async def one(conn: AsyncConnection, actor: Actor, public_id: str, now: datetime) -> tuple[WorkOrderView, str]:
    """A work order of the actor's unit and its order's public id; raises NotFound for another unit's."""
    found = await conn.execute(_work_orders().where(of_unit(actor), work_order.c.public_id == public_id))
    row = found.mappings().first()
    if row is None:
        raise NotFound(subject="work_order", id=public_id)
    return work_order_view(row, now, actions_of(actor, row)), row["order_public_id"]


def of_unit(actor: Actor) -> ColumnElement[bool]:
    """Condition on `work_order`: what this person reaches (PR-01)."""
    return work.reach(actor)


_FIELD = frozenset({Verb.ACCEPT, Verb.BEGIN, Verb.FIELD_REPORT, Verb.NOTE, Verb.ACKNOWLEDGE})
_RETURNED = frozenset({Verb.SEND_ON, Verb.DROP})
_DECISIONS = frozenset({Verb.APPROVE_CHANGE, Verb.REFUSE_CHANGE})
_PROPOSALS = frozenset({Verb.PROPOSE_SUPPLEMENT, Verb.PROPOSE_RECALL})
_LIMITS = frozenset({Verb.GRANT_EXTENSION, Verb.REFUSE_EXTENSION})


def actions_of(actor: Actor, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Steps this reader may take on the work order."""
    verbs = set(allowed(WorkOrderState(row["state"]), actor.posts))
    verbs &= _FIELD if row["kind"] == work.FIELD else set(Verb) - {Verb.FIELD_REPORT}
    others = row["kind"] == work.FIELD and row["owner_id"] != actor.staff_id
    if others or not actor.posts & {Post.DS, Post.DH, Post.FS}:
        verbs -= {Verb.ACCEPT, Verb.BEGIN, Verb.FIELD_REPORT, Verb.ACKNOWLEDGE}
    if work.followed_up(row["form"]):
        verbs -= _RETURNED
    verbs -= _PROPOSALS if row["proposed"] else _DECISIONS
    verbs -= {Verb.ASK_EXTENSION} if row["extending"] or row["kind"] == work.FIELD else _LIMITS
    if not row["unread"]:
        verbs -= {Verb.ACKNOWLEDGE}
    return tuple(verb.value for verb in Verb if verb in verbs)


def _work_orders() -> Select[Any]:
    amended = work_order_amendment.c.work_order_id == work_order.c.id
    waits = work_order_amendment.c.acknowledged_at.is_(None)
    chase = (amended, work_order_amendment.c.kind == "chase")
    newest = select(work_order_amendment.c.reason).where(*chase, waits).order_by(work_order_amendment.c.id.desc())
    chases = select(func.count()).select_from(work_order_amendment).where(*chase)
    unread = select(func.aggregate_strings(work_order_amendment.c.kind, " ")).where(amended, waits).scalar_subquery()
    proposed = exists().where(
        review.c.work_order_id == work_order.c.id, review.c.state == "open", review.c.kind.in_(rework.CHANGES)
    )
    extending = exists().where(
        review.c.work_order_id == work_order.c.id,
        review.c.state == "open",
        review.c.kind == ReviewKind.EXTENSION.value,
    )
    parent = work_order.alias("parent")
    return (
        select(
            work_order,
            unread.label("unread"),
            newest.limit(1).scalar_subquery().label("chased"),
            chases.scalar_subquery().label("chases"),
            proposed.label("proposed"),
            extending.label("extending"),
            parent.c.number.label("parent_number"),
            customer_order.c.serial.label("order_serial"),
            customer_order.c.public_id.label("order_public_id"),
            staff.c.number.label("owner_number"),
        )
        .join(customer_order, customer_order.c.id == work_order.c.order_id)
        .outerjoin(staff, staff.c.id == work_order.c.owner_id)
        .outerjoin(parent, parent.c.id == work_order.c.parent_id)
    )
