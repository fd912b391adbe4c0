"""Calls, offers, clocks, members and the floor they stand on. Pure.

`Call` and `Floor` are the reducer's mutable working state; `CallRecord` is what the rest of the product sees.
"""

from __future__ import annotations

from collections import OrderedDict, UserDict, deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cti.calls.events import CallEvent, ClockStepped, QueueSeen


class Outcome(StrEnum):
    """How a call ended; disjoint (TL-12). Who asked for a person has one of the first seven, else `served_by_ivr`."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    SHORT_ABANDONED = "short_abandoned"
    LEFT_RECORDING = "left_recording"
    BOOKED_CALLBACK = "booked_callback"
    REFUSED = "refused"
    FAILED = "failed"
    #: ended in the menu without asking for a person: progress, standards, or a hang-up before choosing
    SERVED_BY_IVR = "served_by_ivr"


class OfferResult(StrEnum):
    """How one offer of a caller to an agent ended."""

    OFFERED = "offered"
    MISSED = "missed"
    ANSWERED = "answered"
    #: another agent answered, or the caller left, before the agent's time was up: nobody's fault
    WITHDRAWN = "withdrawn"


class Breach(StrEnum):
    """Why a caller waited longer than the target (CT-02)."""

    #: agents were rung and did not answer in time; they are named
    IDLE_AGENT_SLOW = "idle_agent_slow"
    #: an eligible agent was idle, yet nobody was rung for most of the time
    NOT_OFFERED = "not_offered"
    #: no eligible agent was idle for that long: counted, but no breach of the agents
    NOBODY_IDLE = "nobody_idle"


class Phase(StrEnum):
    """An agent's part in calls (TL-40); pause and sign-in are kept by the database."""

    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


#: Device states in which app_queue rings a member: unknown, not in use.
IDLE_STATUSES: Final = frozenset({0, 1})

_MS: Final = timedelta(milliseconds=1)


def milliseconds(start: datetime, end: datetime) -> int:
    """Whole milliseconds from `start` to `end`, never negative: stamps of two threads may cross by microseconds."""
    return max(0, (end - start) // _MS)


def agent_of(interface: str) -> str:
    """The agent's number in a member interface: `PJSIP/1001` and `Local/1001@agents/n` are 1001 (P9)."""
    _, _, rest = interface.partition("/")
    return rest.partition("@")[0].partition("/")[0]


def agent_of_channel(channel: str) -> str:
    """The agent's number in a channel name: `PJSIP/1001-0000000a` is 1001."""
    return agent_of(channel.rpartition("-")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorSettings:
    """Limits the reducer works with; every default is ours unless a source is named."""

    #: CT-02: milliseconds an idle agent has to answer
    target_ms: int = 15_000
    #: misses in a row after which an agent is paused (TL-11)
    max_misses: int = 3
    #: a caller who gives up sooner than this after asking is a short abandon (TL-12)
    short_abandon_ms: int = 5_000
    #: seconds of wrap-up after a talk; queues.conf has `wrapuptime = 0`, the pause that goes with it is the service's
    wrap_up_s: int = 30
    #: an agent idle for less than this, then taken by another caller, was not idle for this one
    idle_settle_ms: int = 1_000
    #: members with this penalty or more are rung only when the queue's own agents could not for some time (G14)
    overflow_penalty: int = 10
    #: ticks between the last leg's end and the closing: late events still find the call open
    close_ticks: int = 2
    #: the same for a talk whose end the queue has not told yet
    owed_ticks: int = 10
    #: closed calls remembered, so that stale events cannot reopen them (F15)
    closed_kept: int = 20_000
    #: channels whose call is not known yet, and events kept for each
    parked_ids: int = 2_000
    parked_events: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A share with both its numbers; no share of nothing."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """0..1, or None when the whole is nothing."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Since when Asterisk's counters of one queue are compared with ours, and what they showed then (TL-13)."""

    since: datetime
    completed: int = 0
    abandoned: int = 0


@dataclass(slots=True, kw_only=True)
class DoneSoFar:
    """What became of the calls that closed on this floor, each counted once."""

    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    #: who asked for a person; of them, answered within the target, answered at all, and what that took together
    asked: int = 0
    in_time: int = 0
    answers: int = 0
    answer_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node of the menu the caller walked through."""

    node: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One ring of one agent's phone for this caller."""

    agent: str
    interface: str
    queue: str
    at: datetime
    answered_at: datetime | None = None
    #: end of the ring when missed or withdrawn, end of the talk when answered
    ended_at: datetime | None = None
    result: OfferResult = OfferResult.OFFERED
    #: uniqueid of the agent's leg
    leg: str = ""

    @property
    def ring_ms(self) -> int | None:
        """Milliseconds the phone rang: offer to answer, or to the end of the ring; None while it rings."""
        end = self.answered_at or self.ended_at
        return None if end is None else milliseconds(self.at, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay of the caller in one queue."""

    queue: str
    joined_at: datetime
    left_at: datetime | None = None
    #: QUEUESTATUS, `ANSWERED`, or empty when unknown or still waiting
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One channel of the call."""

    uniqueid: str
    channel: str = ""
    ended_at: datetime | None = None
    cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The clocks of TL-10 in milliseconds; offer to answer is `Offer.ring_ms`."""

    ask_to_answer_ms: int | None = None
    join_to_answer_ms: int | None = None
    #: joining, or the first moment an eligible agent was idle if that is later; None = nobody was
    ct02_from: datetime | None = None
    #: from there to a person's answer; unanswered: to leaving the queue; None while waiting, or nobody was idle
    ct02_ms: int | None = None
    #: reason, when the wait was longer than the target
    breach: Breach | None = None
    #: every agent who let it ring, in the order of ringing; empty for `nobody_idle`
    breach_agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """Everything known about one call; derived from the facts, so equal facts give an equal record (F15)."""

    call_id: str
    entered_at: datetime
    dnis: str = ""
    ani: str = ""
    lang: str = ""
    notice: str = ""
    #: public id of the customer
    customer: str = ""
    match: str = ""
    vip: str = ""
    path: tuple[Step, ...] = ()
    queue: str = ""
    priority: int = 0
    reason: str = ""
    asked_at: datetime | None = None
    joined_at: datetime | None = None
    stays: tuple[Stay, ...] = ()
    offers: tuple[Offer, ...] = ()
    answered_at: datetime | None = None
    answered_by: str = ""
    talk_ended_at: datetime | None = None
    #: QUEUESTATUS of the last stay, `ANSWERED`, or empty
    left_status: str = ""
    ended_at: datetime | None = None
    #: None while the call is open
    outcome: Outcome | None = None
    #: of `refused`: full, closed, empty, or the dialplan's word
    refusal: str = ""
    #: `caller`, `agent`, `transfer`, `hung_up`, `unseen`, `pbx-crash`; empty while open
    end_reason: str = ""
    end_step: str = ""
    clocks: Clocks = Clocks()
    rescued: bool = False
    rescue_why: str = ""
    #: last word about the recording on the caller's channel; empty = never started
    recording: str = ""
    grade: str = ""
    #: expected wait he was told first, seconds; when, and at which place (TL-14)
    forecast_s: int | None = None
    forecast_at: datetime | None = None
    forecast_place: int | None = None
    legs: tuple[Leg, ...] = ()
    #: facts that could not be seen, by name (TL-70): `events`, `joined_at`, `answered_at`, `ended_at`, …;
    #: `joined_at~100ms` was told by a journal and is known to so many milliseconds
    unseen: tuple[str, ...] = ()
    #: grows with every fact; the store never replaces a newer version by an older one
    version: int = 0

    @property
    def open(self) -> bool:
        """True until the call has its outcome."""
        return self.outcome is None

    @property
    def wait_ms(self) -> int | None:
        """Milliseconds from asking (or joining) to the answer, or to the end for who was not answered."""
        start = self.asked_at or self.joined_at
        end = self.answered_at or self.ended_at
        return None if start is None or end is None else milliseconds(start, end)

    @property
    def talk_ms(self) -> int | None:
        """Milliseconds of talk; None when there was none or it goes on."""
        if self.answered_at is None or self.talk_ended_at is None:
            return None
        return milliseconds(self.answered_at, self.talk_ended_at)


@dataclass(slots=True, kw_only=True)
class Call:
    """An open call: its facts by kind, in order of their own time, and what was already done about it."""

    call_id: str
    facts: dict[type[CallEvent], list[CallEvent]] = field(default_factory=dict)
    seen: set[CallEvent] = field(default_factory=set)
    #: facts of a journal that were heard as well, and as which
    twins: dict[CallEvent, CallEvent] = field(default_factory=dict)
    #: True once a fact came from a journal
    read: bool = False
    legs: dict[str, Leg] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    #: first moment an eligible agent was idle for this caller while waiting
    idle_from: datetime | None = None
    #: every uniqueid and linkedid that belongs to the call
    ids: set[str] = field(default_factory=set)
    #: misses already counted against their agents: interface and time of the ring
    missed: set[tuple[str, datetime]] = field(default_factory=set)
    #: answers already counted: interface and time of the answer
    answered: set[tuple[str, datetime]] = field(default_factory=set)
    #: agents who have the pop on their page
    popped: set[str] = field(default_factory=set)
    #: agents for whom a draft was asked
    drafted: set[str] = field(default_factory=set)
    prefetched: bool = False
    alerted: bool = False
    #: ticks since the last leg ended
    ticks: int = 0
    #: set by a snapshot that did not find the call: `unseen` or `pbx-crash`
    lost: str = ""
    lost_at: datetime | None = None
    version: int = 0


@dataclass(slots=True, kw_only=True)
class Idle:
    """A stretch of time in which a member could have been rung."""

    start: datetime
    end: datetime | None = None
    #: the call whose offer ended it
    taken_by: str = ""


@dataclass(slots=True, kw_only=True)
class Member:
    """One interface in one queue."""

    queue: str
    interface: str
    agent: str
    name: str = ""
    state_interface: str = ""
    membership: str = ""
    paused: bool = False
    reason: str = ""
    status: int = 0
    in_call: bool = False
    penalty: int = 0
    #: time of the newest fact applied; older ones are stale
    changed_at: datetime
    idle: list[Idle] = field(default_factory=list)

    @property
    def can_be_rung(self) -> bool:
        """True when app_queue would ring the member, wrap-up aside."""
        return self.status in IDLE_STATUSES and not self.paused and not self.in_call


class Members(UserDict[tuple[str, str], Member]):
    """Members by queue and interface; those of one queue or agent are found without looking at all others, which in a
    centre of 500 seats would be done for every event of every call."""

    def __init__(self) -> None:
        self._by_queue: dict[str, dict[str, Member]] = {}
        self._by_agent: dict[str, dict[tuple[str, str], Member]] = {}
        super().__init__()

    def __setitem__(self, key: tuple[str, str], member: Member) -> None:
        self.pop(key, None)
        super().__setitem__(key, member)
        self._by_queue.setdefault(member.queue, {})[member.interface] = member
        self._by_agent.setdefault(member.agent, {})[key] = member

    def __delitem__(self, key: tuple[str, str]) -> None:
        member = self[key]
        super().__delitem__(key)
        del self._by_queue[member.queue][member.interface]
        del self._by_agent[member.agent][key]

    def of_queue(self, queue: str) -> Collection[Member]:
        """Members of one queue."""
        return self._by_queue.get(queue, {}).values()

    def of_agent(self, number: str) -> Collection[Member]:
        """One agent's places in all queues."""
        return self._by_agent.get(number, {}).values()


@dataclass(slots=True, kw_only=True)
class Agent:
    """One agent's part in calls."""

    number: str
    phase: Phase = Phase.READY
    since: datetime
    #: time of the newest fact applied; older ones are stale
    changed_at: datetime
    call_id: str = ""
    wrap_up_until: datetime | None = None
    #: offers missed in a row
    misses: int = 0


@dataclass(slots=True, kw_only=True)
class Floor:
    """The mutable index the reducer works on: open calls, channels, members, agents."""

    settings: FloorSettings = field(default_factory=FloorSettings)
    calls: dict[str, Call] = field(default_factory=dict)
    #: uniqueid and linkedid -> call id: the union of all ids seen (P8)
    ids: dict[str, str] = field(default_factory=dict)
    #: ids of closed calls, oldest first
    closed: OrderedDict[str, None] = field(default_factory=OrderedDict)
    #: events of channels whose call is not known yet, by uniqueid or linkedid, oldest first
    parked: OrderedDict[str, list[CallEvent]] = field(default_factory=OrderedDict)
    #: by queue and interface
    members: Members = field(default_factory=Members)
    #: members that were removed, and when: an older fact does not bring them back
    removed: dict[tuple[str, str], datetime] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    queues: dict[str, QueueSeen] = field(default_factory=dict)
    #: since when the counters of each queue are compared with ours (TL-13)
    counters: dict[str, Counters] = field(default_factory=dict)
    #: milliseconds of the last talks of each queue, oldest first (TL-14)
    talks: dict[str, deque[int]] = field(default_factory=dict)
    done_so_far: DoneSoFar = field(default_factory=DoneSoFar)
    #: calls changed since the pump last took them, for the batch save
    dirty: set[str] = field(default_factory=set)
    #: final records of calls closed since the pump last took them
    done: list[CallRecord] = field(default_factory=list)
    #: start of a gap in the events that no snapshot has closed yet
    gap_from: datetime | None = None
    #: start of the Asterisk that the last snapshot saw, and that start in its own words
    pbx_started_at: datetime | None = None
    pbx_start: str = ""
    #: how far the journals were read for what is on the floor: name to inode and bytes
    read_to: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: times a clock was set, oldest first
    steps: list[ClockStepped] = field(default_factory=list)
    #: milliseconds that are added to the stamps of events
    stamps_moved_ms: int = 0
    #: facts that came after their call was closed
    stale: int = 0
    #: newest time seen in any fact
    latest_at: datetime | None = None
