"""What the world is told to do because of a fact: imperatives, carried out by the pump's queues. Pure.

Every effect is idempotent by its ids: carrying it out twice does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cti.calls.model import CallRecord, Phase

RetractReason = Literal["answered_elsewhere", "missed", "withdrawn", "abandoned", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefetchCustomer:
    """Look the caller up now: an offer is near (TL-30). At the first join, once."""

    call_id: str
    ani: str
    dnis: str
    #: public id of the customer if the menu knew him, else empty
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PopScreen:
    """This agent's phone rings for this caller: show him, and nobody else, the caller (TL-30)."""

    call_id: str
    agent: str
    #: when the phone began to ring
    offered_at: datetime
    #: timestamp of the event that caused the pop: start of the TL-33 measurement
    event_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetractPop:
    """Take the pop back from this agent (TL-31); never sent to the one who answered."""

    call_id: str
    agent: str
    why: RetractReason


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDraft:
    """A draft order must exist for this call and belong to this agent (TL-32)."""

    call_id: str
    agent: str
    answered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLate:
    """A caller waits past the target while these agents are idle or let it ring (TL-11). Once a call."""

    call_id: str
    #: milliseconds since joining
    waited_ms: int
    idle_agents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseAgent:
    """Pause this agent in all his queues with this reason (`missed`, TL-11)."""

    agent: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPhase:
    """The agent's part in calls changed; pauses and sign-in are not in it."""

    agent: str
    state: Phase
    #: the call it is about; empty for ready
    call_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRecording:
    """The call is over: its voice file is to be found and joined to it."""

    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteCall:
    """The call is closed; the record is final."""

    call_id: str
    record: CallRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteClockStep:
    """A clock was set by `by_ms`: written down, and limits that are moments of ours are moved (F20)."""

    #: our clock after it
    at: datetime
    #: `service` or `asterisk`
    whose: str
    by_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvent:
    """Something that should not happen on an honest floor."""

    why: str
    detail: str


Effect = (
    PrefetchCustomer
    | PopScreen
    | RetractPop
    | CreateDraft
    | AlertLate
    | PauseAgent
    | AgentPhase
    | RegisterRecording
    | CompleteCall
    | NoteClockStep
    | SecurityEvent
)
