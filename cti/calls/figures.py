"""The floor as the queues page shows it: who waits, who could answer, what each member does. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cti.calls import events as ev
from cti.calls.agents import is_idle, members_of
from cti.calls.facts import facts
from cti.calls.model import CallRecord, Floor, Member, OfferResult, Phase, milliseconds
from cti.calls.record import record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """One member of a queue."""

    interface: str
    agent: str
    #: `paused`, `unavailable`, `idle`, `ringing`, `talking`, `wrap_up` or `busy` (the phone is in another call)
    state: str
    since: datetime
    paused: bool
    reason: str
    dynamic: bool
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    """One caller who waits."""

    call_id: str
    ani: str
    vip: str
    priority: int
    joined_at: datetime
    waited_ms: int
    #: agents whose phone rings for him now
    ringing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """One queue, with Asterisk's own counters beside ours (TL-13)."""

    queue: str
    strategy: str
    service_level_s: int
    members: tuple[MemberView, ...]
    #: first joined first
    waiting: tuple[WaitingView, ...]
    talking: int
    idle: int
    #: of app_queue since its start; `pbx_abandoned` counts callers who were moved elsewhere too (P13)
    pbx_completed: int
    pbx_abandoned: int


#: every state of a member, the strongest first
STATES: Final = ("talking", "ringing", "wrap_up", "busy", "idle", "paused", "unavailable")

#: device states in which a phone cannot be reached: invalid, unavailable
_UNREACHABLE = frozenset({4, 5})


def queue_views(floor: Floor, now: datetime) -> tuple[QueueView, ...]:
    """Every queue that was ever heard of, by name."""
    records = [record_of(call, floor.settings) for call in floor.calls.values() if _queued(floor, call.call_id)]
    names = set(floor.queues) | {queue for queue, _ in floor.members} | {record.queue for record in records}
    return tuple(_view(floor, name, records, now) for name in sorted(names - {""}))


def agent_states(views: Iterable[QueueView]) -> dict[str, str]:
    """What each agent does, by number: the strongest of his states in his queues."""
    found: dict[str, str] = {}
    for member in (member for view in views for member in view.members):
        known = found.get(member.agent, member.state)
        found[member.agent] = min(known, member.state, key=STATES.index)
    return found


def waiting(record: CallRecord) -> bool:
    """True while the caller stands in a queue."""
    return record.open and bool(record.stays) and record.stays[-1].left_at is None and record.answered_at is None


def _queued(floor: Floor, call_id: str) -> bool:
    call = floor.calls[call_id]
    return any(facts(call, kind) for kind in (ev.CallerJoined, ev.AgentOffered, ev.AgentAnswered))


def _view(floor: Floor, name: str, records: list[CallRecord], now: datetime) -> QueueView:
    seen = floor.queues.get(name, ev.QueueSeen(at=now, queue=name))
    members = sorted(members_of(floor, name), key=lambda member: member.interface)
    callers = [record for record in records if record.queue == name and waiting(record)]
    talks = [record for record in records if record.queue == name and record.answered_at and not record.talk_ended_at]
    return QueueView(
        queue=name,
        strategy=seen.strategy,
        service_level_s=seen.service_level_s,
        members=tuple(_member_view(floor, member) for member in members),
        waiting=tuple(_waiting_view(record, now) for record in sorted(callers, key=_joined)),
        talking=len(talks),
        idle=sum(is_idle(floor, member) for member in members),
        pbx_completed=seen.completed,
        pbx_abandoned=seen.abandoned,
    )


def _joined(record: CallRecord) -> datetime:
    return record.stays[-1].joined_at


def _waiting_view(record: CallRecord, now: datetime) -> WaitingView:
    return WaitingView(
        call_id=record.call_id,
        ani=record.ani,
        vip=record.vip,
        priority=record.priority,
        joined_at=_joined(record),
        waited_ms=milliseconds(_joined(record), now),
        ringing=tuple(offer.agent for offer in record.offers if offer.result is OfferResult.OFFERED),
    )


def _member_view(floor: Floor, member: Member) -> MemberView:
    agent = floor.agents[member.agent]
    return MemberView(
        interface=member.interface,
        agent=member.agent,
        state=_state(floor, member, agent.phase),
        since=max(agent.since, member.changed_at) if agent.phase is Phase.READY else agent.since,
        paused=member.paused,
        reason=member.reason,
        dynamic=member.membership == "dynamic",
        call_id=agent.call_id,
    )


def _state(floor: Floor, member: Member, phase: Phase) -> str:
    """What the member does, the strongest word first: a call, wrap-up, pause, an unreachable phone, idle."""
    if phase is not Phase.READY:
        return phase.value
    if member.paused:
        return "paused"
    if member.status in _UNREACHABLE:
        return "unavailable"
    return "idle" if is_idle(floor, member) else "busy"
