"""The two logs for whoever answers for others: who changed what, who looked at what (AU-01, AU-06). Reading only."""

from dataclasses import asdict

from cti.web.route import Call, Route
from cti.web.schemas.audit import ChainState, LogPage, LogQuery, LogRow, LogState
from ticketing import audit_log
from ticketing.audit_log import LogFilter
from ticketing.errors import Invalid, TookTooLong

__all__ = ["ROUTES"]


async def read(call: Call) -> LogPage:
    """A page of a log within the reader's scope; that he read it is logged like every look-up."""
    asked = call.filters(LogQuery)
    wanted = LogFilter(
        asked.log, asked.actor, asked.verb, asked.subject_kind, asked.subject_id, asked.since, asked.until
    )
    try:
        async with call.deps.database.read(limit_s=call.deps.search_limit_s) as conn:
            page = await audit_log.page(conn, call.actor, wanted, cursor=asked.cursor, limit=asked.limit)
    except TookTooLong:
        narrow = [name for name in ("since", "until", "actor", "subject_id") if getattr(asked, name) is None]
        raise Invalid("too_broad", limit_s=call.deps.search_limit_s, narrow=narrow) from None
    said = asked.model_dump(mode="json", exclude_defaults=True, exclude={"cursor", "limit"})
    ids = [str(row.id) for row in page.items]
    await call.looked_up("audit.read", "audit", asked.log, conditions=said, ids=ids)
    return LogPage(items=[LogRow.model_validate(row) for row in page.items], next_cursor=page.next_cursor)


async def state(call: Call) -> LogState:
    """How far both logs are sealed."""
    async with call.deps.database.read() as conn:
        found = await audit_log.chains(conn)
    return LogState(chains=[ChainState.model_validate(asdict(chain)) for chain in found])


ROUTES = (
    Route("audit.list", "GET", "/api/audit", read, "Who did what, or looked at what.", query=LogQuery, answer=LogPage),
    Route("audit.state", "GET", "/api/audit/state", state, "How far the logs are sealed.", answer=LogState),
)
