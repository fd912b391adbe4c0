"""Whose turn it is on the floor, and what the exchange tells of a callback's attempt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from cti.ami.frames import Frame
from cti.calls import events as ev
from cti.calls.agents import idle_agents
from cti.calls.facts import facts
from cti.calls.figures import waiting
from cti.calls.model import IDLE_STATUSES, CallRecord, Floor, Member, OfferResult, Phase
from cti.calls.record import record_of
from ticketing.callbacks.model import KEPT, Dial, Fact, Mode, Outcome, Verb
from ticketing.callbacks.rules import Place

#: reason of the pause of an agent who is kept, and of the call he is kept for
REASON: Final = KEPT
#: the agent's half of an attempt has the attempt's channel id with this behind it
_AGENT_HALF: Final = "-a"
_ATTEMPT: Final = "cb-"
#: the endpoint customers are called over
_TRUNK: Final = "PJSIP/trunk-"

#: how a customer's phone was left, in the exchange's words; whatever else it says counts as no answer
_OUTCOMES: Final = {
    "BUSY": Outcome.BUSY,
    "NOANSWER": Outcome.NO_ANSWER,
    "CONGESTION": Outcome.CONGESTION,
    "CHANUNAVAIL": Outcome.UNREACHABLE,
    "CANCEL": Outcome.AGENT_LOST,
}


class What(Enum):
    """What was told of an attempt."""

    FIRST_HERE = "first_here"  #: who is called first has answered
    AGENT_GONE = "agent_gone"  #: his phone did not answer: the agent's, or the customer's who is called first
    CUSTOMER_HERE = "customer_here"
    CUSTOMER_MISSED = "customer_missed"
    OVER = "over"  #: the attempt's channel has ended


@dataclass(frozen=True, slots=True)
class Told:
    """One fact of the exchange about one attempt."""

    channel_id: str
    what: What
    at: datetime
    outcome: Outcome | None = None


def agent_half(channel_id: str) -> str:
    """Id of the channel that calls the agent."""
    return channel_id + _AGENT_HALF


def told(frame: Frame, received_at: datetime) -> Told | None:
    """What an event says of an attempt; None for every other call's."""
    uniqueid = frame.get("Uniqueid")
    if not uniqueid.startswith(_ATTEMPT):
        return None
    channel_id, at = uniqueid.removesuffix(_AGENT_HALF), frame.at or received_at
    status = frame.get("DialStatus")
    second = uniqueid == channel_id
    if frame.event == "Hangup" and second:
        return Told(channel_id, What.OVER, at)
    if frame.event != "DialEnd":
        return None
    if status == "ANSWER":
        return Told(channel_id, What.CUSTOMER_HERE if second else What.FIRST_HERE, at)
    gone = What.CUSTOMER_MISSED if second else What.AGENT_GONE
    return Told(channel_id, gone, at, _OUTCOMES.get(status, Outcome.NO_ANSWER))


def judged(attempts: Iterable[tuple[str, Mode]], ends: Mapping[str, str]) -> dict[str, Outcome]:
    """How attempts ended that nobody heard the end of, as far as the channel event log tells it, by channel id.

    `ends`: how each half's dialling ended, in the exchange's word. Where the customer answered nothing is concluded:
    what came of the talk only people can say. Agent first, the half with the attempt's own id dialled the customer, the
    other one the agent; customer first, the other one dialled the customer.
    """
    found = {}
    for channel_id, mode in attempts:
        first, second = ends.get(agent_half(channel_id), ""), ends.get(channel_id, "")
        if mode is Mode.CUSTOMER_FIRST:
            outcome = _OUTCOMES.get(first)
        elif second:
            outcome = _OUTCOMES.get(second)
        else:
            outcome = Outcome.AGENT_LOST if first in _OUTCOMES else None
        if outcome is not None:
            found[channel_id] = outcome
    return found


@dataclass(frozen=True, slots=True)
class Alive:
    """The exchange's channels at one moment."""

    #: names of all channels by their ids
    channels: Mapping[str, str]
    #: calls whose customer has answered
    talking: frozenset[str]


def alive(frames: Iterable[Frame]) -> Alive:
    """Reads an answer to CoreShowChannels."""
    seen = [frame for frame in frames if frame.event == "CoreShowChannel"]
    talking = (
        frame.call_id
        for frame in seen
        if frame.get("Channel").startswith(_TRUNK) and frame.get("ChannelStateDesc") == "Up"
    )
    return Alive({frame.get("Uniqueid"): frame.get("Channel") for frame in seen}, frozenset(talking))


def live_callers(floor: Floor) -> list[Place]:
    """Callers who hold the line and for whom no phone rings, by the moment each first joined his queue.

    Who has an agent's phone ringing has his agent; those who are being called back are not among them, until they have
    confirmed and wait in the queue themselves.
    """
    found = []
    for call in floor.calls.values():
        record = record_of(call, floor.settings)
        rings = any(offer.result is OfferResult.OFFERED for offer in record.offers)
        called = record.reason == REASON and not facts(call, ev.CallerJoined)
        if waiting(record) and not rings and not called:
            joined_at = next(stay.joined_at for stay in record.stays if stay.queue == record.queue)
            found.append(Place(record.call_id, joined_at, record.priority, queue=record.queue))
    return found


def queues_of(floor: Floor, agent: str) -> frozenset[str]:
    """Queues the agent is rung for; not those where he only helps out after a while (G14)."""
    return frozenset(member.queue for member in _seats(floor, agent))


def _seats(floor: Floor, agent: str) -> list[Member]:
    late = floor.settings.overflow_penalty
    return [member for member in floor.members.of_agent(agent) if member.penalty < late]


def at_hand(floor: Floor, agent: str) -> bool:
    """Whether the agent's phone could ring for a callback now, were he set ready: it is idle and he is in no call."""
    seats = _seats(floor, agent)
    phase = floor.agents[agent].phase if agent in floor.agents else Phase.READY
    quiet = phase in {Phase.READY, Phase.WRAP_UP}
    return quiet and any(seat.status in IDLE_STATUSES and not seat.in_call for seat in seats)


def free_agents(floor: Floor, but: Iterable[str]) -> dict[str, frozenset[str]]:
    """Agents the exchange may offer callers to now, with their queues, the longest idle first."""
    idle: set[str] = set()
    for queue in {queue for queue, _ in floor.members}:
        idle |= idle_agents(floor, queue)
    free = sorted(idle - set(but), key=lambda number: (floor.agents[number].since, number))
    return {number: queues_of(floor, number) for number in free}


def talking(floor: Floor) -> list[str]:
    """Agents in a call whom the exchange may offer the next caller to as soon as it ends."""
    free = {member.agent for member in floor.members.values() if not member.paused}
    return sorted(number for number, agent in floor.agents.items() if number in free and agent.phase is Phase.TALKING)


def paused_otherwise(floor: Floor, agent: str) -> bool:
    """Whether he is paused for another reason than a callback, or has left his queues: then he is not ours to keep."""
    seats = floor.members.of_agent(agent)
    return not seats or any(seat.paused and seat.reason not in {"", REASON} for seat in seats)


def national(number: str) -> str:
    """An E.164 number of mainland China as it is dialled there: 13800138000, 01082100033."""
    digits = number.removeprefix("+86")
    return digits if len(digits) == 11 and digits.startswith("1") else f"0{digits}"


@dataclass(frozen=True, slots=True)
class Way:
    """How the exchange is asked for an attempt: what it calls first, and where that goes on."""

    #: `number@context` to call through; empty = the attempt's own, `cti-out`
    fence: str
    context: str
    extension: str
    variables: Mapping[str, str]


def agent_first(dial: Dial, agent: str) -> Way:
    """The kept agent's phone, then the customer's."""
    number = national(dial.number)
    variables = {"__CTI_CALL_ID": dial.call_id, "CTI_AGENT": agent, "CTI_ANI": number}
    return Way("", "cti-dial", number, variables)


def customer_first(dial: Dial) -> Way:
    """The customer's telephone, then the question whether he takes the call, then the queue."""
    number = national(dial.number)
    variables = {
        "__CTI_CALL_ID": dial.call_id,
        "CTI_ANI": number,
        "CTI_LANG": dial.language,
        "CTI_QUEUE": dial.queue,
        "CTI_PRIORITY": str(dial.priority),
        "CTI_REASON": REASON,
        "CTI_JOINED": str(int(dial.joined_at.timestamp())),
    }
    return Way(f"{number}@cti-dial", "cti-confirm", "s", variables)


def entered(dial: Dial, hotline: str, at: datetime) -> list[ev.CallEvent]:
    """The attempt as a call of the floor."""
    call_id = dial.call_id
    return [
        ev.CallEntered(
            at=at,
            call_id=call_id,
            uniqueid=dial.channel_id,
            dnis=hotline,
            ani=national(dial.number),
            lang=dial.language,
        ),
        ev.CallRouted(
            at=at, call_id=call_id, queue=dial.queue, priority=dial.priority, reason=REASON, lang=dial.language
        ),
    ]


def offered(dial: Dial, agent: str, hotline: str, at: datetime) -> list[ev.CallEvent]:
    """The same with an agent kept for it: his page shows the customer, and he is ringing."""
    interface = f"PJSIP/{agent}"
    offer = ev.AgentOffered(at=at, call_id=dial.call_id, queue=dial.queue, interface=interface, agent=agent)
    return [*entered(dial, hotline, at), offer]


def progress(channel_id: str, record: CallRecord) -> Fact | None:
    """How far a customer has come who was called first and confirmed: he waits in the queue, or has an agent."""
    if record.answered_at is not None:
        return Fact(channel_id, Verb.CONNECT, record.answered_at, agent=record.answered_by)
    return Fact(channel_id, Verb.QUEUE, record.stays[-1].joined_at) if waiting(record) else None


def missed(call_id: str, queue: str, agent: str, at: datetime) -> ev.CallEvent:
    """The agent's phone was not answered."""
    return ev.AgentMissed(at=at, call_id=call_id, queue=queue, interface=f"PJSIP/{agent}", agent=agent)


def answered(call_id: str, queue: str, agent: str, at: datetime) -> ev.CallEvent:
    """Agent and customer have each other on the line."""
    return ev.AgentAnswered(at=at, call_id=call_id, queue=queue, interface=f"PJSIP/{agent}", agent=agent)


def over(call_id: str, queue: str, agent: str, channel_id: str, at: datetime, *, talked: bool) -> list[ev.CallEvent]:
    """The attempt has ended; also when its channel was never seen."""
    end = ev.ChannelEnded(at=at, call_id=call_id, uniqueid=channel_id)
    if not talked:
        return [end]
    interface = f"PJSIP/{agent}"
    done = ev.AgentCompleted(at=at, call_id=call_id, queue=queue, interface=interface, agent=agent, reason="hung_up")
    return [done, end]
