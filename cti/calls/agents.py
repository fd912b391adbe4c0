"""Members of queues and the agents behind them: who could be rung, since when, and what he is doing. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from cti.calls import events as ev
from cti.calls.clocks import first_idle
from cti.calls.effects import AgentPhase, Effect
from cti.calls.facts import facts
from cti.calls.model import Agent, Call, Floor, Idle, Member, Phase, Stay, agent_of

#: stretches of idleness kept per member; a wait longer than the oldest is judged by what it saw at each tick
_IDLE_KEPT = 256


def members_of(floor: Floor, queue: str) -> Collection[Member]:
    """Members of one queue."""
    return floor.members.of_queue(queue)


def agent_at(floor: Floor, number: str, at: datetime) -> Agent:
    """The agent of that number, made when first heard of; nothing before `at` is known about him."""
    agent = floor.agents.get(number)
    if agent is None:
        before = at - timedelta(microseconds=1)
        agent = floor.agents[number] = Agent(number=number, since=at, changed_at=before)
    return agent


def change_member(floor: Floor, event: ev.MemberChanged) -> None:
    """Takes a member's newest state; an older fact never overwrites a newer one (F15)."""
    key = (event.queue, event.interface)
    member = floor.members.get(key)
    newest = member.changed_at if member else floor.removed.get(key)
    if not event.queue or not event.interface or (newest is not None and event.at < newest):
        return
    if event.removed:
        floor.removed[key] = event.at
        floor.members.pop(key, None)
        return
    floor.removed.pop(key, None)
    if member is None:
        agent = agent_of(event.interface)
        agent_at(floor, agent, event.at)
        member = Member(queue=event.queue, interface=event.interface, agent=agent, changed_at=event.at)
        floor.members[key] = member
    _take(member, event)
    _turn(floor, member, event.at, "")


def _take(member: Member, event: ev.MemberChanged) -> None:
    """Fields the event does not tell stay as they were (P19)."""
    member.changed_at = event.at
    member.name = event.name or member.name
    member.state_interface = event.state_interface or member.state_interface
    member.membership = event.membership or member.membership
    if event.paused is not None:
        member.paused = event.paused
        member.reason = event.reason if event.paused else ""
    if event.status is not None:
        member.status = event.status
    if event.in_call is not None:
        member.in_call = event.in_call
    if event.penalty is not None:
        member.penalty = event.penalty


def set_phase(floor: Floor, number: str, phase: Phase, at: datetime, call_id: str = "") -> list[Effect]:
    """Moves an agent to a phase as of `at`; a fact not newer than the newest known is stale."""
    agent = agent_at(floor, number, at)
    if phase is Phase.RINGING:
        _claim(floor, number, at, call_id)
    if at <= agent.changed_at:
        return []
    agent.changed_at = at
    agent.wrap_up_until = None
    if phase is Phase.WRAP_UP:
        agent.wrap_up_until = at + timedelta(seconds=floor.settings.wrap_up_s)
    if (agent.phase, agent.call_id) == (phase, call_id):
        return []
    agent.phase, agent.call_id, agent.since = phase, call_id, at
    for member in floor.members.of_agent(number):
        _turn(floor, member, at, call_id)
    return [AgentPhase(agent=number, state=phase, call_id=call_id, at=at)]


def _claim(floor: Floor, number: str, at: datetime, call_id: str) -> None:
    """An offer ended the agent's idleness, though the phone's own state was heard of first."""
    for member in floor.members.of_agent(number):
        stretch = member.idle[-1] if member.idle else None
        if stretch and stretch.end and stretch.start <= at <= stretch.end and not stretch.taken_by:
            stretch.end, stretch.taken_by = at, call_id


def note_phase(floor: Floor, event: ev.PhaseNoted) -> list[Effect]:
    """What another call made of an agent; the end of its wrap-up is noted likewise and not waited for."""
    effects = set_phase(floor, event.agent, Phase(event.phase), event.at, event.call_id)
    if effects:
        floor.agents[event.agent].wrap_up_until = None
    return effects


def end_wrap_ups(floor: Floor, now: datetime) -> list[Effect]:
    """Agents whose wrap-up has run out are ready, as of the moment it ran out."""
    effects: list[Effect] = []
    for agent in list(floor.agents.values()):
        if agent.wrap_up_until is not None and agent.wrap_up_until <= now:
            effects += set_phase(floor, agent.number, Phase.READY, max(agent.wrap_up_until, _after(agent)))
    return effects


def _after(agent: Agent) -> datetime:
    return agent.changed_at + timedelta(microseconds=1)


def end_wrap_up(floor: Floor, event: ev.WrapUpEnded) -> list[Effect]:
    """The agent is ready before his time; of an agent who is not in wrap-up it means nothing."""
    agent = floor.agents.get(event.agent)
    if agent is None or agent.phase is not Phase.WRAP_UP:
        return []
    return set_phase(floor, event.agent, Phase.READY, max(event.at, _after(agent)))


def is_idle(floor: Floor, member: Member) -> bool:
    """True when a caller of this queue could be offered to this member now (TL-10).

    Who only helps out after a while (G14) is not eligible for the 15 seconds.
    """
    agent = floor.agents.get(member.agent)
    free = agent is None or agent.phase is Phase.READY
    return member.can_be_rung and free and member.penalty < floor.settings.overflow_penalty


def idle_agents(floor: Floor, queue: str) -> set[str]:
    """Numbers of the agents who could be rung for a caller of this queue now."""
    return {member.agent for member in members_of(floor, queue) if is_idle(floor, member)}


def note_idle(floor: Floor, call: Call, stays: tuple[Stay, ...], now: datetime | None) -> None:
    """Keeps with the call the first moment an eligible agent was idle for it, while members still remember (CT-02)."""
    answers = facts(call, ev.AgentAnswered)
    for stay in stays:
        if call.idle_from is not None and call.idle_from <= stay.joined_at:
            return
        until = stay.left_at or now
        if until is None or (answers and stay.joined_at > answers[0].at):
            continue
        found = first_idle(
            (stretch for member in members_of(floor, stay.queue) for stretch in since(member, stay.joined_at)),
            call_id=call.call_id,
            since=stay.joined_at,
            until=until,
            settle_ms=floor.settings.idle_settle_ms,
        )
        if found is not None and (call.idle_from is None or found < call.idle_from):
            call.idle_from = found


def since(member: Member, moment: datetime) -> Iterator[Idle]:
    """The member's stretches of idleness that had not ended by then, newest first: the older ones are not looked at."""
    for stretch in reversed(member.idle):
        if stretch.end is not None and stretch.end < moment:
            return
        yield stretch


def _turn(floor: Floor, member: Member, at: datetime, call_id: str) -> None:
    """Opens or ends the member's stretch of idleness."""
    current = member.idle[-1] if member.idle and member.idle[-1].end is None else None
    idle = is_idle(floor, member)
    if idle and current is None:
        start = max(at, member.idle[-1].end or at) if member.idle else at
        member.idle.append(Idle(start=start))
        del member.idle[:-_IDLE_KEPT]
    elif current is not None and not idle:
        current.end = max(at, current.start)
        current.taken_by = call_id
