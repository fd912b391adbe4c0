"""Which orders in the seniors' queue are first of all for those who know their business (AD-02)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, true
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.clocks import limits
from ticketing.clocks.model import Clock
from ticketing.orders.access import QUEUES
from ticketing.orders.tables import customer_order
from ticketing.roles import Actor, Post
from ticketing.staff.tables import staff, staff_post, staff_skill


async def routed(conn: AsyncConnection, actor: Actor, now: datetime) -> ColumnElement[bool]:
    """Condition on `customer_order` for the list of what waits for a senior.

    An order in the seniors' queue whose business is somebody's specialty stands with those who have it for half the
    limit of a review after its last change, then with every senior: nothing waits for who is away (IN-23). What is
    nobody's specialty is everybody's.
    """
    if Post.SA not in actor.posts:
        return true()
    review = (await limits.read(conn))[Clock.REVIEW].target
    if review is None:
        return true()
    mine = _knows(actor.staff_id)
    waits = customer_order.c.owner_queue == QUEUES[Post.SA]
    fresh = customer_order.c.changed_at > now - review / 2
    return not_(and_(func.coalesce(waits, False), fresh, _knows(), not_(mine)))


def _knows(key: int | None = None) -> ColumnElement[bool]:
    """This active senior, or any, has a skill that is the order's business or a branch above it."""
    skilled, person = staff_skill.alias(), staff.alias()  # the list joins the owner's row of `staff`
    skill, business = skilled.c.skill, customer_order.c.business
    below = func.substr(business, 1, func.length(skill) + 1) == skill.concat(".")
    return exists().where(
        true() if key is None else skilled.c.staff_id == key,
        or_(business == skill, below),
        person.c.id == skilled.c.staff_id,
        person.c.active,
        staff_post.c.staff_id == person.c.id,
        staff_post.c.post == Post.SA.value,
    )
