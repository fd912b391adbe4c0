"""Committed changes told to the pages that show them; nothing is announced before its commit."""

from collections.abc import Sequence

import structlog

from cti import reminders
from cti.web.agents import agent_view
from cti.web.deps import WebDeps
from ticketing.changes import Change
from ticketing.errors import HotlineError

__all__ = ["announce"]

log = structlog.get_logger(__name__)


async def announce(deps: WebDeps, changes: Sequence[Change]) -> None:
    """Publish each change: an agent's new state goes to that agent, work that waits to all who may see it; the
    composition root hears of all.

    The change is committed, so nothing that fails here may fail the request.
    """
    for number in dict.fromkeys(change.subject_id for change in changes if change.kind == "agent.changed"):
        try:
            view = await agent_view(deps, number)
        except HotlineError as error:
            log.warning("announce.failed", agent=number, why=error.code)
            continue
        deps.hub.publish(number, "agent", view.model_dump_json())
    await reminders.tell(deps.database, deps.hub, changes)
    try:
        deps.on_change(changes)
    except Exception:
        log.exception("announce.broken")
