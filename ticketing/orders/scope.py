"""Whether somebody may answer or propose for this kind of business (RT-01)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.errors import Refused
from ticketing.orders.ledger import Held
from ticketing.roles import Actor, Post
from ticketing.staff import scope

_EVERYTHING = frozenset({Post.SA, Post.MH})


async def check(conn: AsyncConnection, actor: Actor, held: Held) -> None:
    """Raises Refused for business outside a junior's scope: it goes to the seniors (RT-01, RT-02)."""
    if actor.posts & _EVERYTHING:
        return
    branches = await scope.of(conn, actor.staff_id)
    business = str(held.row["business"] or "")
    if branches and not scope.covers(branches, business):
        raise Refused(
            "out_of_scope", "not your business: hand it to the seniors", business=business, allowed=list(branches)
        )
