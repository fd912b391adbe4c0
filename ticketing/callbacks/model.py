"""Words of a callback: states, outcomes of an attempt, windows, and the form pages read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

#: owner of a callback nobody in person answers for
QUEUE = "callbacks"


#: reason of the pause of an agent who is kept for a callback
KEPT = "callback"


class Mode(StrEnum):
    """Who is called first."""

    AGENT_FIRST = "agent_first"  #: an agent is reserved, then the customer is called: nobody meets a robot
    CUSTOMER_FIRST = "customer_first"  #: the customer is called, presses 1 and waits in the queue


class State(StrEnum):
    """Where a booking stands."""

    PENDING = "pending"  #: 待回呼
    CLAIMED = "claimed"  #: a dialler has it by lease
    AGENT_RESERVED = "agent_reserved"  #: 已预留坐席
    DIALLING = "dialling"  #: 拨号中: committed before anything is asked of the exchange
    ANSWERED = "answered"  #: 客户已接
    CONFIRMED = "confirmed"  #: 客户已按 1
    QUEUED = "queued"  #: 排队中
    CONNECTED = "connected"  #: 已接通
    FAILED = "failed"  #: 未接通: every attempt used; on its owner's list
    UNKNOWN = "unknown"  #: 结果不明: what became of the attempt cannot be known; a person decides
    CANCELLED = "cancelled"  #: 已取消


ENDED = frozenset({State.CONNECTED, State.CANCELLED})
OPEN = frozenset(State) - ENDED
"""At most one of these for a number (TL-22)."""

IN_FLIGHT = frozenset({State.DIALLING, State.ANSWERED, State.CONFIRMED, State.QUEUED})
"""An attempt is under way."""

HELD = IN_FLIGHT | {State.CLAIMED, State.AGENT_RESERVED}
"""A dialler answers for it."""

LISTED = frozenset({State.FAILED, State.UNKNOWN})
"""On its owner's list: a person must decide."""


class Verb(StrEnum):
    """What is done to a booking, or told of it."""

    BOOK = "book"
    PROPOSE = "propose"
    RENEW = "renew"
    CLAIM = "claim"
    RESERVE = "reserve"
    RELEASE = "release"
    DIAL = "dial"
    ANSWER = "answer"
    CONFIRM = "confirm"
    QUEUE = "queue"
    CONNECT = "connect"
    MISS = "miss"
    LOSE = "lose"
    CALL_NOW = "call_now"
    SNOOZE = "snooze"
    REASSIGN = "reassign"
    DECLINE = "decline"
    CANCEL = "cancel"
    TAKE_OVER = "take_over"


class Outcome(StrEnum):
    """How an attempt ended."""

    CONNECTED = "connected"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"
    NOT_CONFIRMED = "not_confirmed"  #: no "1": voicemail, or somebody else
    ABANDONED = "abandoned"  #: hung up before an agent was there
    AGENT_LOST = "agent_lost"  #: the reserved agent was gone
    REFUSED = "refused"  #: the exchange would not dial
    WITHDRAWN = "withdrawn"  #: the customer called himself meanwhile
    UNKNOWN = "unknown"


class OnUnknown(StrEnum):
    """What is done about an attempt whose fate cannot be known."""

    ASK = "ask"  #: a person decides
    RETRY = "retry"  #: another attempt, if one is left


class Again(StrEnum):
    """What a caller chooses who has an open callback (P37)."""

    TAKE_OVER = "take_over"  #: waits himself, in its place
    CANCEL = "cancel"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which the customer wants to be called."""

    #: `asap`, or day and part of it: `2026-03-11-morning`
    id: str
    #: as said today: `asap`, `today-morning`, `tomorrow-evening`, `next-workday-morning`
    spoken: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class NewBooking:
    """A callback to be booked."""

    #: where the customer wants to be called, in any form he may key
    number: str
    queue: str
    #: id of one of the windows offered
    window: str
    lang: str
    #: of the queue, higher first, as the exchange counts
    priority: int
    #: when he joined the queue: his place in the one line
    joined_at: datetime
    #: call it was booked in; the same call books once
    call_id: str | None = None
    dnis: str = ""
    #: public id, when one customer is known
    customer: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One dialler's right to act on a booking; void as soon as the epoch in the row is another."""

    callback_id: int
    serial: str
    holder: str
    epoch: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Dial:
    """What to dial: its attempt is committed before anything is asked of the exchange (F19)."""

    callback_id: int
    serial: str
    #: number of the attempt, counted over the booking's whole life
    n: int
    number: str
    #: id of the channel that calls the customer; the exchange refuses a second one that lives
    channel_id: str
    #: id of the outbound call, as the dialplan carries it
    call_id: str
    mode: str
    queue: str
    language: str
    priority: int
    joined_at: datetime
    agent: str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """What became of an attempt, told by the exchange or a person."""

    channel_id: str
    what: Verb
    at: datetime
    #: CONNECT: 工号 of the agent who has the customer
    agent: str | None = None
    #: MISS: how it ended
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as pages read it."""

    n: int
    state: str
    outcome: str | None
    agent: str | None
    call_id: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Callback:
    """One booking as pages read it; field names are those of the JSON."""

    id: str
    serial: str
    state: str
    mode: str
    number: str
    customer_id: str | None
    customer_name: str | None
    vip_class: str | None
    language: str
    queue: str
    priority: int
    call_id: str | None
    window: str
    window_start: datetime | None
    window_end: datetime | None
    joined_at: datetime
    booked_at: datetime
    #: earliest moment of the next attempt
    next_at: datetime
    #: K17: end of the window, or 30 minutes of calling time
    due_at: datetime
    card: str
    overdue: bool
    #: attempts made, and how many are left before it goes to its owner's list
    attempts: int
    attempts_left: int
    #: how often the number asked (F28)
    requests: int
    owner: str | None
    agent: str | None
    #: serial of the order it led to
    order: str | None
    order_id: str | None
    end_reason: str | None
    note: str | None
    ended_at: datetime | None
    version: int
    tries: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """Conditions of a list; all that are given must hold. Without `state`: what is open."""

    state: tuple[str, ...] = ()
    number: str | None = None
    serial: str | None = None
    queue: str | None = None
    mine: bool = False
    overdue: bool = False
    #: failed or unknown: waits for a person
    listed: bool = False
