"""What hangs on the person signed in, and handing all of it over before he signs off (TL-44)."""

from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.route import Call, Route
from cti.web.schemas.handover import GiveOver, HangingList, HangingView
from ticketing.handover import actions, store
from ticketing.handover.model import HandOver

__all__ = ["ROUTES"]


async def show(call: Call) -> HangingList:
    """What is mine alone."""
    async with call.deps.database.read() as conn:
        found = await _list(call, conn)
    await call.looked_up("handover.read", "staff", call.actor.number, ids=[each.id for each in found.items])
    return found


async def create(call: Call) -> HangingList:
    """Hand all of it over in one step; answers what is left, which is nothing."""
    given = HandOver(call.input(GiveOver).person)
    async with call.write() as conn:
        changes = await actions.hand_over(conn, call.actor, given, call.now)
        left = await _list(call, conn)
    call.changed(*changes)
    return left


async def _list(call: Call, conn: AsyncConnection) -> HangingList:
    found = await store.hanging(conn, call.actor.staff_id)
    return HangingList(items=[HangingView.model_validate(asdict(each)) for each in found])


ROUTES = (
    Route("handover.show", "GET", "/api/handover", show, "What is mine alone.", answer=HangingList),
    Route(
        "handover.create",
        "POST",
        "/api/handover",
        create,
        "Hand all of it over.",
        body=GiveOver,
        answer=HangingList,
        idempotent=True,
    ),
)
