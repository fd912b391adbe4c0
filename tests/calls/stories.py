"""Hand-made streams of facts: callers and agents told in one line each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cti.calls import events as ev
from cti.calls.effects import CompleteCall, Effect
from cti.calls.model import CallRecord, Floor, FloorSettings, agent_of
from cti.calls.reducer import reduce

START = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after the story began, to the microsecond."""
    return START + timedelta(microseconds=round(seconds * 1_000_000))


def call_id(number: int = 1) -> str:
    """Our id of the story's n-th call."""
    return f"20260310013000-{number:012d}"


@dataclass
class Caller:
    """One caller; every method is one fact about him."""

    number: int = 1
    queue: str = "complaint"
    rings: int = 0
    #: newest leg of each interface, and its channel
    legs: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return call_id(self.number)

    @property
    def channel(self) -> str:
        return f"1773106200.{self.number * 100}"

    def opened(self, seconds: float) -> ev.CallEvent:
        return ev.ChannelOpened(
            at=at(seconds),
            uniqueid=self.channel,
            linkedid=self.channel,
            channel=f"PJSIP/trunk-{self.number:08x}",
            exten="1860",
        )

    def entered(self, seconds: float, ani: str = "13800001111") -> ev.CallEvent:
        return ev.CallEntered(
            at=at(seconds),
            call_id=self.id,
            uniqueid=self.channel,
            linkedid=self.channel,
            dnis="1860",
            ani=ani,
            lang="zh",
            notice="notice",
        )

    def stepped(self, seconds: float, node: str = "main", key: str = "1") -> ev.CallEvent:
        return ev.IvrStepped(at=at(seconds), call_id=self.id, uniqueid=self.channel, node=node, key=key)

    def identified(self, seconds: float) -> ev.CallEvent:
        return ev.CallerIdentified(
            at=at(seconds), call_id=self.id, uniqueid=self.channel, customer="c-7", match="one", vip="major"
        )

    def routed(self, seconds: float) -> ev.CallEvent:
        return ev.CallRouted(
            at=at(seconds),
            call_id=self.id,
            uniqueid=self.channel,
            queue=self.queue,
            priority=5,
            reason="menu",
            lang="zh",
        )

    def joined(self, seconds: float) -> ev.CallEvent:
        return ev.CallerJoined(
            at=at(seconds),
            call_id=self.id,
            uniqueid=self.channel,
            linkedid=self.channel,
            queue=self.queue,
            position=1,
            ani="13800001111",
        )

    def offered(self, seconds: float, interface: str) -> ev.CallEvent:
        self.rings += 1
        self.legs[interface] = f"1773106200.{self.number * 100 + self.rings}"
        self.channels[interface] = f"{interface}-{self.rings:08x}"
        return ev.AgentOffered(
            at=at(seconds),
            call_id=self.id,
            uniqueid=self.channel,
            linkedid=self.channel,
            queue=self.queue,
            interface=interface,
            agent=agent_of(interface),
            leg=self.legs[interface],
            channel=self.channels[interface],
        )

    def missed(self, seconds: float, interface: str, ring_ms: int = 8000) -> ev.CallEvent:
        return ev.AgentMissed(
            at=at(seconds),
            call_id=self.id,
            uniqueid=self.channel,
            queue=self.queue,
            interface=interface,
            agent=agent_of(interface),
            leg=self.legs.get(interface, ""),
            ring_ms=ring_ms,
        )

    def rings_out(self, seconds: float, interface: str) -> list[ev.CallEvent]:
        """The miss and, 1 ms later, the end of the phone's leg."""
        return [self.missed(seconds, interface), self.hung_up(seconds + 0.001, interface)]

    def answered(self, seconds: float, interface: str) -> ev.CallEvent:
        return ev.AgentAnswered(
            at=at(seconds),
            call_id=self.id,
            uniqueid=self.channel,
            queue=self.queue,
            interface=interface,
            agent=agent_of(interface),
            leg=self.legs.get(interface, ""),
        )

    def completed(self, seconds: float, interface: str, reason: str = "agent") -> ev.CallEvent:
        return ev.AgentCompleted(
            at=at(seconds),
            call_id=self.id,
            uniqueid=self.channel,
            queue=self.queue,
            interface=interface,
            agent=agent_of(interface),
            leg=self.legs.get(interface, ""),
            reason=reason,
        )

    def left(self, seconds: float) -> ev.CallEvent:
        return ev.CallerLeft(at=at(seconds), call_id=self.id, uniqueid=self.channel, queue=self.queue)

    def abandoned(self, seconds: float) -> ev.CallEvent:
        return ev.CallerAbandoned(at=at(seconds), call_id=self.id, uniqueid=self.channel, queue=self.queue)

    def returned(self, seconds: float, status: str) -> ev.CallEvent:
        return ev.QueueLeft(at=at(seconds), call_id=self.id, uniqueid=self.channel, queue=self.queue, status=status)

    def refused(self, seconds: float, why: str = "caller_number") -> ev.CallEvent:
        return ev.CallRefused(at=at(seconds), call_id=self.id, uniqueid=self.channel, why=why)

    def recording(self, seconds: float, state: str = "started") -> ev.CallEvent:
        return ev.RecordingMarked(at=at(seconds), call_id=self.id, uniqueid=self.channel, state=state)

    def rescued(self, seconds: float) -> ev.CallEvent:
        return ev.RescueTaken(at=at(seconds), call_id=self.id, uniqueid=self.channel, why="no_service")

    def ended(self, seconds: float, step: str) -> ev.CallEvent:
        return ev.CallEnded(at=at(seconds), call_id=self.id, uniqueid=self.channel, step=step)

    def hung_up(self, seconds: float, interface: str = "", cause: int = 16) -> ev.CallEvent:
        return ev.ChannelEnded(
            at=at(seconds),
            call_id=self.id,
            uniqueid=self.legs[interface] if interface else self.channel,
            linkedid=self.channel,
            channel=self.channels[interface] if interface else f"PJSIP/trunk-{self.number:08x}",
            cause=cause,
        )

    def asks(self, seconds: float) -> list[ev.CallEvent]:
        """From the trunk to the queue; routed 1 s and joined 2 s after `seconds`."""
        return [
            self.opened(seconds - 0.001),
            self.entered(seconds),
            self.recording(seconds + 0.2),
            self.stepped(seconds + 0.5),
            self.identified(seconds + 0.6),
            self.routed(seconds + 1),
            self.joined(seconds + 2),
        ]

    def talks(self, start: float, end: float, interface: str) -> list[ev.CallEvent]:
        """From the answer to the last hang-up, 10 ms after `end`."""
        others = [self.hung_up(start, other) for other in self.legs if other != interface]
        return [
            self.left(start - 0.0001),
            self.answered(start, interface),
            *others,
            self.completed(end, interface),
            self.hung_up(end + 0.005, interface),
            self.ended(end + 0.006, "talked"),
            self.hung_up(end + 0.01),
        ]


def member(seconds: float, interface: str, queue: str = "complaint", **changes: object) -> ev.MemberChanged:
    """A member in his queue; idle unless the changes say otherwise."""
    fields: dict[str, object] = {"status": 1, "paused": False, "in_call": False, "membership": "dynamic"}
    return ev.MemberChanged(at=at(seconds), queue=queue, interface=interface, **(fields | changes))  # type: ignore[arg-type]


def tick(seconds: float) -> ev.Tick:
    """One tick."""
    return ev.Tick(at=at(seconds))


def feed(floor: Floor, facts: Iterable[ev.CallEvent]) -> list[Effect]:
    """All effects of a stream."""
    return [effect for fact in facts for effect in reduce(floor, fact)]


def finish(floor: Floor, seconds: float) -> list[Effect]:
    """The ticks that close what has ended, also what lacks the end of a talk."""
    return feed(floor, [tick(seconds + count) for count in range(1, FloorSettings().owed_ticks + 1)])


def told(facts: Iterable[ev.CallEvent], settings: FloorSettings | None = None, until: float = 600) -> CallRecord:
    """The record of a story with one call, closed."""
    floor = Floor(settings=settings or FloorSettings())
    effects = [*feed(floor, facts), *finish(floor, until)]
    records = [effect.record for effect in effects if isinstance(effect, CompleteCall)]
    assert len(records) == 1, f"{len(records)} calls closed"
    return records[0]


def only(effects: Iterable[Effect], kind: type[Effect]) -> list[Effect]:
    """The effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]
