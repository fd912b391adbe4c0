"""Follow-ups of bad grades: the surveyors' queue, claim, give back, done with the customer's opinion (SV-05)."""

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.route import Call, Route
from cti.web.schemas.surveys import ClaimFollowUp, FinishFollowUp, FollowUpPage, FollowUpQuery, FollowUpView
from ticketing.surveys import actions, rules, store
from ticketing.surveys.model import FollowUpFilter

__all__ = ["ROUTES"]

_ONE = "/api/follow-ups/{id:[A-Za-z0-9_-]{1,64}}"


async def search(call: Call) -> FollowUpPage:
    """Follow-ups by remaining time, the shortest first."""
    asked = call.filters(FollowUpQuery)
    wanted = FollowUpFilter(
        state=tuple(asked.state.split(",")) if asked.state else (), mine=asked.mine, overdue=asked.overdue
    )
    async with call.deps.database.read() as conn:
        page = await store.search(conn, call.actor, wanted, call.now, cursor=asked.cursor, limit=asked.limit)
    views = [FollowUpView.model_validate(found) for found in page.items]
    said, ids = asked.model_dump(exclude_defaults=True), [view.id for view in views]
    await call.looked_up("follow_up.searched", "follow_up", "list", conditions=said, ids=ids)
    return FollowUpPage(items=views, next_cursor=page.next_cursor)


async def claim(call: Call) -> FollowUpView:
    """Take it."""
    given = call.input(ClaimFollowUp)
    async with call.deps.database.write() as conn:
        change = await actions.claim(conn, call.actor, call.part("id"), given.version, call.now)
        view = await read(call, conn)
    call.changed(change)
    return view


async def release(call: Call) -> FollowUpView:
    """Give it back to the queue."""
    given = call.input(ClaimFollowUp)
    async with call.deps.database.write() as conn:
        change = await actions.release(conn, call.actor, call.part("id"), given.version, rules.shipped(), call.now)
        view = await read(call, conn)
    call.changed(change)
    return view


async def finish(call: Call) -> FollowUpView:
    """Done: what the customer said."""
    given = call.input(FinishFollowUp)
    async with call.deps.database.write() as conn:
        change = await actions.finish(
            conn,
            call.actor,
            call.part("id"),
            given.version,
            given.opinion,
            given.final_grade,
            rules.shipped(),
            call.now,
        )
        view = await read(call, conn)
    call.changed(change)
    return view


async def read(call: Call, conn: AsyncConnection) -> FollowUpView:
    """The follow-up of the address."""
    return FollowUpView.model_validate(await store.get(conn, call.part("id"), call.now))


ROUTES = (
    Route(
        "follow_ups.list",
        "GET",
        "/api/follow-ups",
        search,
        "Follow-ups of bad grades.",
        query=FollowUpQuery,
        answer=FollowUpPage,
    ),
    Route("follow_ups.claim", "POST", f"{_ONE}/claim", claim, "Take it.", body=ClaimFollowUp, answer=FollowUpView),
    Route(
        "follow_ups.release",
        "POST",
        f"{_ONE}/release",
        release,
        "Give it back.",
        body=ClaimFollowUp,
        answer=FollowUpView,
    ),
    Route("follow_ups.done", "POST", f"{_ONE}/done", finish, "Done.", body=FinishFollowUp, answer=FollowUpView),
)
