"""Nuisance callers: who is listed, why and until when (PX-02)."""

from dataclasses import asdict

from cti.web.route import Call, Route
from cti.web.schemas.nuisance import ChangeEnd, ListNumber, NuisanceList, NuisanceQuery, NuisanceView, StrikeOff
from ticketing.nuisance import actions, store

__all__ = ["ROUTES"]

_ALL = "/api/nuisance-numbers"
_ONE = f"{_ALL}/{{id:[A-Za-z0-9_-]{{1,64}}}}"


async def listed(call: Call) -> NuisanceList:
    """What runs, the next to end first; or what is over."""
    async with call.deps.database.read() as conn:
        found = await store.entries(conn, call.now, over=call.filters(NuisanceQuery).over)
    await call.looked_up("nuisance.read", "nuisance_number", "list", ids=[each.id for each in found])
    return NuisanceList(items=[_view(each) for each in found])


async def put_on(call: Call) -> NuisanceView:
    """List a number."""
    given = call.input(ListNumber)
    async with call.write() as conn:
        change = await actions.put_on(
            conn, call.actor, given.number, given.reason, given.ends_at, call.now, area_code=call.deps.area_code
        )
        found = await store.get(conn, change.subject_id)
    call.changed(change)
    return _view(found)


async def change_end(call: Call) -> NuisanceView:
    """Another end."""
    given = call.input(ChangeEnd)
    async with call.write() as conn:
        change = await actions.change_end(conn, call.actor, call.part("id"), given.version, given.ends_at, now=call.now)
        found = await store.get(conn, change.subject_id)
    call.changed(change)
    return _view(found)


async def strike_off(call: Call) -> NuisanceView:
    """Off the list."""
    given = call.input(StrikeOff)
    async with call.write() as conn:
        change = await actions.strike_off(conn, call.actor, call.part("id"), given.version, call.now)
        found = await store.get(conn, change.subject_id)
    call.changed(change)
    return _view(found)


def _view(found: store.Listed) -> NuisanceView:
    return NuisanceView.model_validate(asdict(found))


ROUTES = (
    Route("nuisance.list", "GET", _ALL, listed, "Nuisance callers.", query=NuisanceQuery, answer=NuisanceList),
    Route(
        "nuisance.add",
        "POST",
        _ALL,
        put_on,
        "List a number.",
        body=ListNumber,
        answer=NuisanceView,
        status=201,
        idempotent=True,
    ),
    Route(
        "nuisance.end",
        "POST",
        f"{_ONE}/end",
        change_end,
        "Another end.",
        body=ChangeEnd,
        answer=NuisanceView,
        idempotent=True,
    ),
    Route(
        "nuisance.off",
        "POST",
        f"{_ONE}/off",
        strike_off,
        "Off the list.",
        body=StrikeOff,
        answer=NuisanceView,
        idempotent=True,
    ),
)
