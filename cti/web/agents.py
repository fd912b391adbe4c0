"""One agent as his page shows him: the state from the database, the phone from the exchange (TL-40)."""

from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.deps import WebDeps
from cti.web.schemas.agent import AgentPhone, AgentView, QueueName
from ticketing.errors import NotFound
from ticketing.staff import store
from ticketing.staff.model import Agent, AgentState, Staff

__all__ = ["agent_view"]


async def agent_view(deps: WebDeps, number: str) -> AgentView:
    """The agent with this 工号; somebody who never signed in to a phone is logged out. Raises NotFound."""
    person, queues, agent = await deps.database.read_whole(lambda conn: _read(conn, number))
    state = AgentState.LOGGED_OUT if agent is None else agent.state
    kind = person.phone_kind if agent is None or state is AgentState.LOGGED_OUT else agent.phone_kind
    serves = [] if state is AgentState.LOGGED_OUT else queues
    return AgentView(
        state=state.value,
        since=agent.since if agent else None,
        reason=agent.reason if agent else None,
        phone=AgentPhone(kind=kind.value, number=number, registered=deps.telephony.registered(number)),
        queues=[QueueName(name=name, label=deps.telephony.queue_label(name, person.language)) for name in serves],
        call_id=agent.call_id if agent else None,
        wrap_up_until=agent.wrap_up_until if agent else None,
    )


async def _read(conn: AsyncConnection, number: str) -> tuple[Staff, list[str], Agent | None]:
    person = await store.by_number(conn, number)
    queues = await store.queues_of(conn, person)
    try:
        return person, queues, await store.agent(conn, number)
    except NotFound:
        return person, queues, None
