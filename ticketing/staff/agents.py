"""Use cases of an agent's state: his wishes, and what his telephone tells (TL-40); none commits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.changes import Change
from ticketing.days import day_of
from ticketing.errors import Forbidden, NotFound
from ticketing.roles import Action, Actor, require
from ticketing.staff import store
from ticketing.staff.model import Agent, AgentState, PhoneKind
from ticketing.staff.rules import Step, next_state
from ticketing.staff.tables import agent_state, agent_state_log, staff

#: default; the centre's own limit is a setting
WRAP_UP = timedelta(seconds=30)

_PHASES = {
    AgentState.RINGING: Step.RING,
    AgentState.TALKING: Step.ANSWER,
    AgentState.WRAP_UP: Step.HANG_UP,
}
_IN_CALL = frozenset({AgentState.RINGING, AgentState.TALKING})
# Built once: each call moves its agent four times.
_OVER: Final = (
    select(staff.c.number)
    .join(agent_state, agent_state.c.staff_id == staff.c.id)
    .where(agent_state.c.wrap_up_until <= bindparam("now"), agent_state.c.state == AgentState.WRAP_UP.value)
)
_MOVE: Final = update(agent_state).where(agent_state.c.staff_id == bindparam("of"))
_END_LINE: Final = update(agent_state_log).where(
    agent_state_log.c.staff_id == bindparam("of"), agent_state_log.c.ended_at.is_(None)
)
_NEW_LINE: Final = insert(agent_state_log)
#: what a quiet phone means in a state whose end was not seen
_QUIET = {AgentState.RINGING: Step.WITHDRAW, AgentState.TALKING: Step.HANG_UP}


async def sign_in(conn: AsyncConnection, actor: Actor, phone: PhoneKind, now: datetime) -> Change:
    """Takes a seat with this phone and becomes ready; raises Refused when he already has one."""
    require(actor, Action.TAKE_CALLS)
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    first = dialect.insert(agent_state).values(
        staff_id=actor.staff_id, state=AgentState.LOGGED_OUT.value, since=now, resume=AgentState.READY.value, version=0
    )
    await conn.execute(first.on_conflict_do_nothing())
    agent = replace(await store.agent(conn, actor.number, lock=True), phone_kind=phone, resume=AgentState.READY)
    return await _wish(conn, actor, agent, Step.SIGN_IN, None, now)


async def sign_out(conn: AsyncConnection, actor: Actor, now: datetime, *, number: str | None = None) -> Change:
    """Leaves all queues; not in a call. With `number` a supervisor signs another out."""
    return await _wish(conn, actor, await _mine(conn, actor, number), Step.SIGN_OUT, None, now)


async def pause(
    conn: AsyncConnection, actor: Actor, reason: str, now: datetime, *, number: str | None = None
) -> Change:
    """Stops offers, with a coded reason; asked in a call, it begins after the wrap-up. The system and supervisors may
    pause another (TL-11, TL-42)."""
    await taxonomy.leaf(conn, "pause_reason", reason, _day(now), field="reason")
    return await _wish(conn, actor, await _mine(conn, actor, number), Step.PAUSE, reason, now)


async def ready(conn: AsyncConnection, actor: Actor, now: datetime, *, number: str | None = None) -> Change:
    """Ready for the next call: ends a pause or the wrap-up."""
    return await _wish(conn, actor, await _mine(conn, actor, number), Step.READY, None, now)


async def follow_phone(
    conn: AsyncConnection,
    number: str,
    phase: AgentState,
    call_id: str | None,
    at: datetime,
    *,
    wrap_up: timedelta = WRAP_UP,
) -> Change | None:
    """Takes over what the telephone says: ringing, talking, wrap-up, or ready (nothing rings any more).

    None when it changes nothing: an unknown or signed-out agent, an older fact than the last, another call's end, a
    quiet phone in wrap-up.
    """
    try:
        agent = await store.agent(conn, number, lock=True)
    except NotFound:
        return None
    if agent.fact_at is not None and at < agent.fact_at:
        return None
    if agent.state is AgentState.WRAP_UP and phase is AgentState.READY:
        return None  # a wrap-up ends by its limit or by his word, both of which also end his pause in the queues
    ends = phase in {AgentState.WRAP_UP, AgentState.READY}
    if ends and call_id and agent.call_id and call_id != agent.call_id:
        return None
    before, step = agent, _PHASES.get(phase, _QUIET.get(agent.state, Step.END_WRAP_UP))
    state = next_state(agent.state, step, agent.resume)
    if state is None or (state is agent.state and call_id == agent.call_id):
        return None
    if agent.state in {AgentState.READY, AgentState.PAUSED}:
        agent = replace(agent, resume=agent.state)
    until = at + wrap_up if state is AgentState.WRAP_UP else None
    kept = state not in {AgentState.READY, AgentState.PAUSED}
    moved = replace(agent, state=state, since=at, call_id=(call_id or agent.call_id) if kept else None,
                    wrap_up_until=until, fact_at=at)  # fmt: skip
    return await _write(conn, before, moved)


async def end_wrap_ups(conn: AsyncConnection, now: datetime) -> list[Change]:
    """Ends every wrap-up whose limit has passed: ready again, or paused if he was."""
    changes = []
    for number in (await conn.execute(_OVER, {"now": now})).scalars().all():
        agent = await store.agent(conn, number, lock=True)
        state = next_state(agent.state, Step.END_WRAP_UP, agent.resume)
        if state is not None:
            moved = replace(agent, state=state, since=now, call_id=None, wrap_up_until=None)
            changes.append(await _write(conn, agent, moved))
    return changes


async def move_states(conn: AsyncConnection, at: datetime, by: timedelta) -> None:
    """The clock was set by so much and shows `at`: states that began before have begun as long ago as they had (F20).

    A state of the time after it that was written already is told by its beginning, and left alone.
    """
    before = agent_state.c.since > at if by < timedelta(0) else agent_state.c.since <= at - by
    for row in (await conn.execute(select(agent_state).where(before))).all():
        moments = ("since", "wrap_up_until", "fact_at")
        moved = {name: getattr(row, name) + by for name in moments if getattr(row, name) is not None}
        await conn.execute(update(agent_state).where(agent_state.c.staff_id == row.staff_id).values(**moved))
        log = agent_state_log.c
        same = (log.staff_id == row.staff_id, log.started_at == row.since, log.ended_at.is_(None))
        await conn.execute(update(agent_state_log).where(*same).values(started_at=row.since + by))


async def _mine(conn: AsyncConnection, actor: Actor, number: str | None) -> Agent:
    if number is not None and number != actor.number:
        require(actor, Action.CONTROL_AGENTS)
        other = await store.by_number(conn, number)
        if actor.team_id is not None and other.team is not None and other.team.id != actor.team_id:
            raise Forbidden("other_team", "only agents of your own team", number=number)
    return await store.agent(conn, number or actor.number, lock=True)


async def _wish(  # noqa: PLR0917 - a use case's own five and its reason
    conn: AsyncConnection, actor: Actor, agent: Agent, step: Step, reason: str | None, now: datetime
) -> Change:
    state = next_state(agent.state, step, agent.resume)
    assert state is not None  # a wish is granted or refused
    resume = AgentState.PAUSED if step is Step.PAUSE else AgentState.READY
    if (state, reason, resume) == (agent.state, agent.reason, agent.resume):
        return _told(agent)
    if state in _IN_CALL:
        moved = replace(agent, reason=reason, resume=resume)
    else:
        moved = replace(agent, state=state, since=now, reason=reason, resume=resume, call_id=None, wrap_up_until=None)
    said = {"from": agent.state.value, "to": resume.value if state in _IN_CALL else state.value, "reason": reason}
    await audit.record(conn, actor, f"agent.{step.value}", "agent", agent.number, said, now)
    return await _write(conn, agent, moved)


async def _write(conn: AsyncConnection, before: Agent, after: Agent) -> Change:
    """Writes the state and its line in the log; the row was locked when it was read."""
    agent = replace(after, version=after.version + 1)
    values: dict[str, Any] = {
        "state": agent.state.value, "since": agent.since, "reason": agent.reason, "call_id": agent.call_id,
        "resume": agent.resume.value, "wrap_up_until": agent.wrap_up_until, "fact_at": agent.fact_at,
        "phone_kind": agent.phone_kind.value, "version": agent.version,
    }  # fmt: skip
    await conn.execute(_MOVE, {"of": agent.staff_id, **values})
    if (agent.state, agent.since) == (before.state, before.since):  # only what comes after the call has changed
        return _told(agent)
    await conn.execute(_END_LINE, {"of": agent.staff_id, "ended_at": agent.since})
    if agent.state is not AgentState.LOGGED_OUT:
        line = {"staff_id": agent.staff_id, "state": agent.state.value, "reason": agent.reason,
                "call_id": agent.call_id, "started_at": agent.since}  # fmt: skip
        await conn.execute(_NEW_LINE, line)
    return _told(agent)


def _told(agent: Agent) -> Change:
    payload = {
        "staff_id": agent.staff_id, "state": agent.state.value, "reason": agent.reason, "call_id": agent.call_id,
        "since": agent.since.isoformat(), "phone": agent.phone_kind.value,
        "wrap_up_until": agent.wrap_up_until.isoformat() if agent.wrap_up_until else None,
        "resume": agent.resume.value,
    }  # fmt: skip
    return Change("agent.changed", agent.number, agent.version, agent.since, payload)


def _day(now: datetime) -> date:
    return day_of(now)
