"""Who may see which order, as a condition inside the query: what is not yours is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.orders.model import LIVE_WORK, State, WorkOrderState
from ticketing.orders.tables import customer_order, work_order
from ticketing.roles import SYSTEM, Action, Actor, Post, may
from ticketing.staff.tables import staff

_DEPARTMENT = frozenset({Post.DS, Post.DH, Post.FS})


def visible(actor: Actor) -> ColumnElement[bool]:
    """Condition on `customer_order` for this person (N4, DP-11, PR-01).

    A draft is its owner's; drafts of a queue are for those who edit drafts; a supervisor sees his team's (one without
    a team every team's), an administrator all. The centre's posts see every order; a department sees orders it has a
    sent work order of.
    """
    if actor.staff_id == SYSTEM.staff_id:
        return true()
    draft = customer_order.c.state == State.DRAFT.value
    clauses: list[ColumnElement[bool]] = [and_(draft, customer_order.c.owner_id == actor.staff_id)]
    if may(actor.posts, Action.EDIT_DRAFT):
        clauses.append(and_(draft, customer_order.c.owner_queue.is_not(None)))
    if Post.AD in actor.posts:
        clauses.append(draft)
    elif may(actor.posts, Action.VIEW_DRAFTS_OF_OTHERS):
        team = select(staff.c.id).where(staff.c.team_id == actor.team_id)
        clauses.append(and_(draft, customer_order.c.owner_id.in_(team)) if actor.team_id is not None else draft)
    if may(actor.posts, Action.VIEW_ALL_ORDERS):
        clauses.append(customer_order.c.state != State.DRAFT.value)
    elif actor.posts & _DEPARTMENT:
        clauses.append(_of_department(actor))
    return or_(*clauses) if actor.posts else false()


#: a department that was sent no more work orders finds its orders by them; of more the newest orders are asked
FEW = 2_000


async def few_seen(conn: AsyncConnection, actor: Actor) -> ColumnElement[bool] | None:
    """Condition on `customer_order` that names all somebody of a department may see, by their keys, while his unit and
    he were sent few work orders; None for whom so many, or drafts of others, are there to be seen."""
    others = (Action.VIEW_ALL_ORDERS, Action.VIEW_DRAFTS_OF_OTHERS, Action.EDIT_DRAFT)
    if not actor.posts & _DEPARTMENT or Post.AD in actor.posts or any(may(actor.posts, each) for each in others):
        return None
    sent = select(work_order.c.order_id).where(work_order.c.state.in_(_SENT), _his(actor))
    many = await conn.scalar(select(func.count()).select_from(sent.limit(FEW + 1).subquery()))
    if int(many or 0) > FEW:
        return None
    own = customer_order.alias()
    drafts = select(own.c.id).where(own.c.state == State.DRAFT.value, own.c.owner_id == actor.staff_id)
    return customer_order.c.id.in_(union_all(sent, drafts))


def works_on(actor: Actor) -> ColumnElement[bool]:
    """Condition on `customer_order`: the actor, or his unit, holds a live work order of it."""
    return _of_department(actor, [state.value for state in LIVE_WORK])


QUEUES: Mapping[Post, str] = {
    Post.SA: "senior",
    Post.SV: "survey",
    Post.DM: "archivist",
    Post.MH: "manager",
    Post.LD: "leader",
}
"""Queues in which orders wait for a post."""


def ways_to_wait(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Conditions on `customer_order`, one of which holds for what waits for this person: his own, what waits in a queue
    of his posts, drafts that somebody left, and for the archivist what is to be filed."""
    live, order = customer_order.c.ended_at.is_(None), customer_order.c
    ways = [and_(live, order.owner_id == actor.staff_id)]
    ways += [and_(live, order.owner_queue == queue) for post, queue in QUEUES.items() if post in actor.posts]
    if may(actor.posts, Action.EDIT_DRAFT):
        ways.append(and_(live, order.state == State.DRAFT.value, order.owner_queue.is_not(None)))
    if Post.DM in actor.posts:
        ways.append(order.state == State.CLOSED.value)
    return tuple(ways)


_SENT = [state.value for state in WorkOrderState if state is not WorkOrderState.PROPOSED]


def _of_department(actor: Actor, states: Sequence[str] = _SENT) -> ColumnElement[bool]:
    """The unit's live and ended work orders, of somebody at the place his own; what is only proposed does not exist
    for them."""
    sent = (work_order.c.order_id == customer_order.c.id, work_order.c.state.in_(states))
    return exists().where(*sent, _his(actor))


def _his(actor: Actor) -> ColumnElement[bool]:
    """Condition on `work_order`: the unit's, of somebody at the place his own."""
    own = work_order.c.owner_id == actor.staff_id
    if not actor.posts & {Post.DS, Post.DH}:
        return own
    unit = select(staff.c.unit).where(staff.c.id == actor.staff_id).scalar_subquery()
    return or_(work_order.c.unit == unit, own)


def told(actor: Actor) -> ColumnElement[bool]:
    """Condition on `work_order`: what is planned and not sent yet is the centre's own business (DP-11)."""
    centre = may(actor.posts, Action.VIEW_ALL_ORDERS)
    return true() if centre else work_order.c.state != WorkOrderState.PROPOSED.value
