"""The signed-in agent's own state: the database first, then the exchange (TL-40)."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from cti.web.agents import agent_view
from cti.web.route import Call, Route
from cti.web.schemas.agent import AgentView, PauseAgent, SignInToQueues
from ticketing.errors import HotlineError, Refused, Unavailable
from ticketing.handover import actions as handover
from ticketing.staff import agents
from ticketing.staff.model import PhoneKind

__all__ = ["ROUTES"]

log = structlog.get_logger(__name__)

#: the exchange is not there, or takes its time
_SILENT: Final = frozenset({"link_down", "no_answer"})


async def show(call: Call) -> AgentView:
    """My state now."""
    return await agent_view(call.deps, call.actor.number)


async def sign_in(call: Call) -> AgentView:
    """Take calls at this phone."""
    phone = call.input(SignInToQueues).phone
    async with call.deps.database.write() as conn:
        change = await agents.sign_in(conn, call.actor, PhoneKind(phone), call.now)
    call.changed(change)
    try:
        return await told(call, lambda: call.deps.telephony.sign_in(call.actor, phone))
    except HotlineError:
        await undo(call)
        raise


async def undo(call: Call) -> None:
    """Nobody is ready at a phone that the exchange refused; what it did take is put right by the next comparison."""
    with suppress(Refused):  # a phone that rings already is there
        async with call.deps.database.write() as conn:
            change = await agents.sign_out(conn, call.actor, call.now)
        call.changed(change)


async def sign_out(call: Call) -> AgentView:
    """Take no more calls; refused with the list while something hangs on him alone (TL-44)."""
    async with call.deps.database.write() as conn:
        await handover.free_to_go(conn, call.actor)
        change = await agents.sign_out(conn, call.actor, call.now)
    call.changed(change)
    return await told(call, lambda: call.deps.telephony.sign_out(call.actor))


async def pause(call: Call) -> AgentView:
    """Pause for a coded reason."""
    reason = call.input(PauseAgent).reason
    async with call.deps.database.write() as conn:
        change = await agents.pause(conn, call.actor, reason, call.now)
    call.changed(change)
    return await told(call, lambda: call.deps.telephony.pause(call.actor, reason))


async def ready(call: Call) -> AgentView:
    """End pause or wrap-up."""
    async with call.deps.database.write() as conn:
        change = await agents.ready(conn, call.actor, call.now)
    call.changed(change)
    return await told(call, lambda: call.deps.telephony.ready(call.actor))


async def told(call: Call, tell: Callable[[], Awaitable[None]]) -> AgentView:
    """The exchange follows the database; when it does not answer now, it is reconciled after the reconnect.

    Anything else that is wrong there goes to the page: it would not mend by itself.
    """
    try:
        await tell()
    except Unavailable as error:
        if error.code not in _SILENT:
            raise
        log.warning("agent.exchange_silent", agent=call.actor.number, why=error.code)
    return await agent_view(call.deps, call.actor.number)


ROUTES = (
    Route("agent.show", "GET", "/api/agent", show, "My state.", answer=AgentView),
    Route(
        "agent.sign_in",
        "POST",
        "/api/agent/sign-in",
        sign_in,
        "Take calls at this phone.",
        body=SignInToQueues,
        answer=AgentView,
    ),
    Route("agent.sign_out", "POST", "/api/agent/sign-out", sign_out, "Take no more calls.", answer=AgentView),
    Route("agent.pause", "POST", "/api/agent/pause", pause, "Pause for a reason.", body=PauseAgent, answer=AgentView),
    Route("agent.ready", "POST", "/api/agent/ready", ready, "Ready for the next call.", answer=AgentView),
)
