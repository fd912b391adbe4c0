"""The board over live orders and departments (MN-01, MN-10)."""

from dataclasses import asdict

from cti.web.route import Call, Route
from cti.web.schemas.board import BoardView, DeviationList, DeviationView
from ticketing.orders import board, deviations

__all__ = ["ROUTES"]


async def show(call: Call) -> BoardView:
    """How many orders stand where, what each department has, and the nearest limits."""
    async with call.deps.database.read() as conn:
        found = await board.read(conn, call.actor, call.now)
    await call.looked_up("board.read", "order", "board", ids=[each.id for each in found.cards])
    said = asdict(found)
    return BoardView.model_validate(said | {name: list(said[name]) for name in ("states", "units", "cards")})


async def deviating(call: Call) -> DeviationList:
    """Limits that differ from the policy, each with its reason."""
    async with call.deps.database.read() as conn:
        found = await deviations.read(conn, call.actor)
    await call.looked_up("limit.deviations_read", "order", "limits", ids=[each.order_id for each in found])
    return DeviationList(items=[DeviationView.model_validate(asdict(each)) for each in found])


ROUTES = (
    Route("board.show", "GET", "/api/board", show, "Live orders and departments.", answer=BoardView),
    Route(
        "board.deviations",
        "GET",
        "/api/limit-deviations",
        deviating,
        "Limits that differ from the policy.",
        answer=DeviationList,
    ),
)
