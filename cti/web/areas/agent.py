"""The signed-in agent's own state: the database first, then the exchange (TL-40)."""

from collections.abc import Awaitable, Callable

import structlog

from cti.web.agents import agent_view
from cti.web.route import Call, Route
from cti.web.schemas.agent import AgentView, PauseAgent, SignInToQueues
from ticketing.errors import Unavailable
from ticketing.staff import agents
from ticketing.staff.model import PhoneKind

__all__ = ["ROUTES"]

log = structlog.get_logger(__name__)


async def show(call: Call) -> AgentView:
    """My state now."""
    return await agent_view(call.deps, call.actor.number)


async def sign_in(call: Call) -> AgentView:
    """Take calls at this phone."""
    phone = call.input(SignInToQueues).phone
    async with call.deps.database.write() as conn:
        change = await agents.sign_in(conn, call.actor, PhoneKind(phone), call.now)
    call.changed(change)
    return await told(call, lambda: call.deps.telephony.sign_in(call.actor, phone))


async def sign_out(call: Call) -> AgentView:
    """Take no more calls."""
    async with call.deps.database.write() as conn:
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
    """The exchange follows the database; when it does not answer now, it is reconciled after the reconnect."""
    try:
        await tell()
    except Unavailable as error:
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
