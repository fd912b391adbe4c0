"""What happened on the floor: the facts the call reducer takes, one frozen value each. Pure.

Equal facts are equal values, so a duplicated frame is a duplicated value and is dropped (F15). `at` is the event's
own timestamp in microseconds, never the moment of receipt (P14).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

#: whose clock was set
OUR_CLOCK: Final = "service"
THEIR_CLOCK: Final = "asterisk"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """The part every fact has; a fact of no call (a member, a tick) leaves the ids empty."""

    #: when it happened, aware UTC, from the event itself
    at: datetime
    #: our own id of the call, `CTI_CALL_ID`; empty when the channel did not carry it
    call_id: str = ""
    #: the channel the event is about (the caller's, for queue events)
    uniqueid: str = ""
    #: the group the channel belongs to; may change (P8)
    linkedid: str = ""
    #: 0 = `at` is the event's own stamp; else a journal told it, and it happened within so many milliseconds of `at`
    within_ms: int = 0


# -- told by the dialplan and the menus (UserEvent) ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEntered(CallEvent):
    """The caller reached the entry of the dialplan."""

    dnis: str = ""
    #: filtered caller number; empty = withheld
    ani: str = ""
    lang: str = ""
    #: prompt id and version of the recording notice that was played, `notice@3` (TL-01)
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused(CallEvent):
    """The call was turned away: `full`, `closed`, `empty` or another word of the dialplan."""

    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IvrStepped(CallEvent):
    """The caller reached a node of the menu; `key` is what was pressed there, empty for none."""

    node: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIdentified(CallEvent):
    """The number was looked up: public id of the customer, how sure, VIP class."""

    customer: str = ""
    match: str = ""
    vip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRouted(CallEvent):
    """The caller asked for a person (the *ask* of TL-10) and got a queue, a priority and a reason."""

    queue: str
    priority: int = 0
    reason: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastTold(CallEvent):
    """The caller was told how long he will wait (TL-14)."""

    #: seconds
    wait_s: int
    #: 1 = next; 0 = not known
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RescueTaken(CallEvent):
    """The dialplan went on without our service."""

    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingMarked(CallEvent):
    """The recording on the caller's channel changed: `started`, `stopped`, or a word of the dialplan."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeft(CallEvent):
    """`Queue()` returned to the dialplan with QUEUESTATUS: the only proof of why a caller left (P13)."""

    queue: str = ""
    #: TIMEOUT FULL JOINEMPTY LEAVEEMPTY JOINUNAVAIL LEAVEUNAVAIL CONTINUE WITHDRAW, or empty
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded(CallEvent):
    """The caller gave a grade by key (TL-08)."""

    grade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(CallEvent):
    """The dialplan says at which step it let the call go; the record closes on the last leg, not on this."""

    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDisconnected(CallEvent):
    """A supervisor ends the call (PX-04); put in by the desk before Asterisk is asked, never by Asterisk."""

    by: str


# -- told by app_queue ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerJoined(CallEvent):
    """The caller entered a queue."""

    queue: str
    position: int = 0
    #: caller's number as the channel had it
    ani: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerLeft(CallEvent):
    """The caller is no longer waiting in this queue, answered or not."""

    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerAbandoned(CallEvent):
    """`QueueCallerAbandon`: left the queue unanswered. It does **not** mean hung up (P13)."""

    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOffered(CallEvent):
    """An agent's phone starts to ring for this caller."""

    queue: str
    #: the member's interface, by which agents are told apart (P9)
    interface: str
    #: the agent's number (工号), taken from the interface
    agent: str
    #: uniqueid of the agent's leg
    leg: str = ""
    #: channel name of the agent's leg
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMissed(CallEvent):
    """The offer ended unanswered by the agent."""

    queue: str
    interface: str
    agent: str
    leg: str = ""
    #: as Asterisk says, milliseconds; whole seconds in truth (P14): never a clock of ours
    ring_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAnswered(CallEvent):
    """The agent and the caller are connected."""

    queue: str
    interface: str
    agent: str
    leg: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCompleted(CallEvent):
    """The talk with this agent is over; `reason` is `agent`, `caller` or `transfer`."""

    queue: str
    interface: str
    agent: str
    leg: str = ""
    reason: str = ""


# -- channels and bridges -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOpened(CallEvent):
    """A channel exists."""

    channel: str = ""
    exten: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEnded(CallEvent):
    """A channel is gone; it never comes back under the same uniqueid."""

    channel: str = ""
    #: hang-up cause (Q.850)
    cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeEntered(CallEvent):
    """The channel entered a bridge."""

    bridge: str
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLeft(CallEvent):
    """The channel left a bridge."""

    bridge: str
    channel: str = ""


# -- members ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged(CallEvent):
    """A queue member was added, removed, paused or changed state; `None` = the event does not say (P19)."""

    queue: str
    interface: str
    name: str = ""
    state_interface: str = ""
    #: `dynamic`, `static`, `realtime`; empty = the event does not say
    membership: str = ""
    paused: bool | None = None
    reason: str = ""
    #: device state 0..8: 0 unknown, 1 not in use, 2 in use, 3 busy, 4 invalid, 5 unavailable, 6 ringing, 7, 8 on hold
    status: int | None = None
    in_call: bool | None = None
    penalty: int | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpEnded(CallEvent):
    """The agent said he is ready before the wrap-up ran out; put in by the desk, never by Asterisk."""

    agent: str


# -- the link and time -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(CallEvent):
    """One second went by: alerts, ends of wrap-up and closings are decided here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepped(CallEvent):
    """A wall clock was set, as the monotonic one shows; `at` is our clock after it (F20, P15)."""

    #: `service` or `asterisk`
    whose: str
    #: milliseconds, negative = back
    by_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StampsMoved(CallEvent):
    """From here on so much is added to the stamps of Asterisk's events to have them on our clock."""

    by_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLost(CallEvent):
    """Events are missing from here on: the link broke, or our own queue overflowed."""

    why: str = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp(CallEvent):
    """Events flow again; a `FloorSnapshot` follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRead(CallEvent):
    """What Asterisk's journals tell of the time in which nobody listened, oldest first (TL-70)."""

    facts: tuple[CallEvent, ...] = ()
    #: how far they were read for it: name, inode, bytes
    read_to: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSeen(CallEvent):
    """One line of `CoreShowChannels`."""

    channel: str = ""
    #: Asterisk's word: Up, Ring, Ringing, ...
    state: str = ""
    ani: str = ""
    dnis: str = ""
    bridge: str = ""
    #: age of the channel, whole seconds
    age_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSeen(CallEvent):
    """One `QueueEntry` of `QueueStatus`; carries no call id, the uniqueid finds it."""

    queue: str
    position: int = 0
    #: whole seconds
    wait_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSeen(CallEvent):
    """One `QueueParams` of `QueueStatus`: settings and Asterisk's own counters (TL-13)."""

    queue: str
    strategy: str = ""
    calls: int = 0
    completed: int = 0
    #: counts every caller moved to another place as abandoned (P13)
    abandoned: int = 0
    service_level_s: int = 0
    #: ServicelevelPerf: answered within the level, percent of the completed; None = not said
    level_percent: float | None = None
    weight: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorSnapshot(CallEvent):
    """The floor as it is: what Asterisk said on one session when asked at `at` (the moment of asking)."""

    channels: tuple[ChannelSeen, ...] = ()
    waiting: tuple[CallerSeen, ...] = ()
    members: tuple[MemberChanged, ...] = ()
    queues: tuple[QueueSeen, ...] = ()
    #: start of this Asterisk, whole seconds; None = not known, as when nothing tells the zone it runs in
    pbx_started_at: datetime | None = None
    #: the same in its own words: another word is another Asterisk, whatever its zone; empty = not told
    pbx_start: str = ""
    #: False: what it said of members is told by facts of their own before it, as the flight recorder writes it
    lists_members: bool = True


# -- what only the flight recorder tells -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStarted(CallEvent):
    """A service began with an empty floor and the open calls of the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorKept(CallEvent):
    """What a floor in the middle of its work remembers that no other fact tells."""

    #: start of a gap in the events that no snapshot has closed yet
    gap_from: datetime | None = None
    #: start of the Asterisk that the last snapshot saw, and the same in its own words
    pbx_started_at: datetime | None = None
    pbx_start: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseNoted(CallEvent):
    """An agent's part in calls changed because of a call whose own facts need not be known (`call_id`)."""

    agent: str
    #: `ready`, `ringing`, `talking`, `wrap_up`
    phase: str
