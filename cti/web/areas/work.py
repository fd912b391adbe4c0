"""How many recorded complaints, papers and callbacks wait: the figures on the page's links (TL-21, TL-23)."""

from cti.web.route import Call, Route
from cti.web.schemas.work import WorkCounts
from ticketing.callbacks import reading
from ticketing.intake import store as items
from ticketing.papers import store as papers
from ticketing.roles import Action, may

__all__ = ["ROUTES"]


async def counts(call: Call) -> WorkCounts:
    """What waits, as far as this person may see it."""
    posts = call.actor.posts
    new = late = listed = overdue = paper = paper_late = handed = None
    async with call.deps.database.read() as conn:
        if may(posts, Action.VIEW_ITEMS):
            new, late = await items.waiting(conn, call.now)
        if may(posts, Action.VIEW_PAPERS):
            paper, paper_late, handed = await papers.waiting(conn, call.now)
        if may(posts, Action.VIEW_CALLBACKS):
            listed, overdue = await reading.waiting(conn, call.now)
    return WorkCounts(
        items_new=new,
        items_overdue=late,
        papers_new=paper,
        papers_overdue=paper_late,
        originals_handed=handed,
        callbacks_listed=listed,
        callbacks_overdue=overdue,
    )


ROUTES = (Route("work.counts", "GET", "/api/work-counts", counts, "How much waits.", answer=WorkCounts),)
