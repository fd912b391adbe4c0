"""Staff, teams and agent states as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ticketing.roles import Actor, Post


class PhoneKind(StrEnum):
    """What rings for an agent."""

    DESK = "desk"
    BROWSER = "browser"


class AgentState(StrEnum):
    """States of an agent (TL-40)."""

    LOGGED_OUT = "logged_out"
    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    PAUSED = "paused"


#: states in which the agent belongs to his queues
SIGNED_IN = frozenset(AgentState) - {AgentState.LOGGED_OUT}


@dataclass(frozen=True, slots=True)
class Team:
    """A team (班)."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Staff:
    """One person of the centre or of a department."""

    id: int
    #: 工号, also the name of his phone's endpoint
    number: str
    name: str
    posts: frozenset[Post]
    team: Team | None
    phone_kind: PhoneKind
    language: str
    #: takes VIP calls when the senior queue overflows
    vip_overflow: bool
    active: bool
    #: department, leaf of taxonomy `unit`
    unit: str | None
    version: int

    @property
    def actor(self) -> Actor:
        """Who acts, for every use case."""
        return Actor(
            self.id, self.number, self.name, self.posts, self.team.id if self.team else None, language=self.language
        )


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent's state now; the database is the truth and the telephone is told (TL-40)."""

    staff_id: int
    number: str
    name: str
    state: AgentState
    #: since when in this state
    since: datetime
    #: why paused, leaf of taxonomy `pause_reason`
    reason: str | None
    call_id: str | None
    #: where he goes after a call: ready, or paused again
    resume: AgentState
    wrap_up_until: datetime | None
    fact_at: datetime | None
    phone_kind: PhoneKind
    version: int


#: app_queue rings members of this penalty only after the seconds of queuerules.conf
OVERFLOW_PENALTY = 10


@dataclass(frozen=True, slots=True)
class Membership:
    """What Asterisk's queues should hold for one agent and queue; reconciled after every reconnect."""

    number: str
    name: str
    queue: str
    paused: bool
    reason: str | None
    #: 0, or OVERFLOW_PENALTY for a junior who takes VIP calls only when no senior could for some time (G14)
    penalty: int = 0
