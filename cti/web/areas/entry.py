"""How right and how timely papers and recordings are entered (CL-02)."""

from dataclasses import asdict
from datetime import timedelta

from cti.web.route import Call, Route
from cti.web.schemas.entry import EntryFiguresView, EntryPerson, EntryQuery
from ticketing.orders import entry

__all__ = ["ROUTES"]

#: the time of the figures when none is asked for
USUAL = timedelta(days=30)


async def figures(call: Call) -> EntryFiguresView:
    """By person, what was entered in this time."""
    asked = call.filters(EntryQuery)
    until = asked.until or call.now
    since = asked.since or until - USUAL
    async with call.deps.database.read() as conn:
        found = await entry.read(conn, call.actor, since, until)
    await call.looked_up("entry_figures.read", "order", "entry figures", ids=[each.number for each in found])
    people = [EntryPerson.model_validate(asdict(each)) for each in found]
    return EntryFiguresView(since=since, until=until, people=people)


ROUTES = (
    Route(
        "entry_figures",
        "GET",
        "/api/entry-figures",
        figures,
        "How papers and recordings are entered.",
        query=EntryQuery,
        answer=EntryFiguresView,
    ),
)
