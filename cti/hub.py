"""Live events for browsers: one bounded log per agent, any number of streams reading it, resume by event id.

A stream is a position in its agent's log, so a slow browser costs nothing; one that falls too far behind is dropped
and resumes from the last id it kept, or with a fresh snapshot. One event loop only; nothing here waits for a network.
"""

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Dropped", "Hub", "HubEvent", "Subscription", "frame"]

#: Data of an event: a mapping, or JSON text that a model already wrote.
Body = Mapping[str, Any] | str | bytes


class Dropped(Exception):
    """This stream is over: it fell behind, its session ended, or the service stops."""


@dataclass(frozen=True, slots=True)
class HubEvent:
    """One event of one agent."""

    seq: int
    name: str
    #: JSON in UTF-8, one line.
    body: bytes
    #: What goes on the wire.
    frame: bytes


def encode(data: Body) -> bytes:
    """One line of JSON in UTF-8; Chinese stays readable."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode()
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def frame(event_id: str, name: str, body: bytes) -> bytes:
    """One server-sent event; `body` must be one line, which JSON written by us always is."""
    if b"\n" in body or b"\r" in body:
        body = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id.encode(), name.encode(), body)


class _Log:
    """The last events of one agent and the streams that read them."""

    __slots__ = ("events", "seq", "subscriptions")

    def __init__(self, keep: int, seq: int) -> None:
        self.seq = seq
        self.events: deque[HubEvent] = deque(maxlen=keep)
        self.subscriptions: list[Subscription] = []

    def after(self, seq: int) -> list[HubEvent] | None:
        """Events that follow `seq`, or None when some of them are gone."""
        if seq == self.seq:
            return []
        first = self.events[0].seq if self.events else self.seq + 1
        if seq > self.seq or seq < first - 1:
            return None
        return list(self.events)[seq - first + 1 :]


class Subscription:
    """One stream: what it has been given, and a bell that rings when there is more."""

    __slots__ = ("_bell", "_closed", "_hub", "_log", "_on_drop", "_seq", "agent", "fresh", "session")

    def __init__(
        self, hub: "Hub", log: _Log, agent: str, *, last: int | None, session: str, on_drop: Callable[[], None]
    ) -> None:
        self._hub = hub
        self._log = log
        self._on_drop = on_drop
        self._bell = asyncio.Event()
        self._closed = False
        self.agent = agent
        #: Whose sign-in it belongs to; `Hub.disconnect` ends it by this name.
        self.session = session
        #: True when the page must be given a snapshot first: nothing to resume from, or too old.
        self.fresh = last is None
        self._seq = log.seq if last is None else last
        if self._seq != log.seq:
            self._bell.set()

    @property
    def position(self) -> str:
        """Id of the last event given; a snapshot made after subscribing carries it."""
        return self._hub.event_id(self._seq)

    async def next(self, patience_s: float) -> bytes | None:
        """Everything new, joined for one write; None when nothing came in `patience_s` seconds.

        Raises Dropped when the stream is over.
        """
        try:
            async with asyncio.timeout(patience_s):
                await self._bell.wait()
        except TimeoutError:
            return None
        self._bell.clear()
        events = None if self._closed else self._log.after(self._seq)
        if events is None:
            raise Dropped
        self._seq = self._log.seq
        return b"".join(event.frame for event in events)

    def ring(self, lag: int) -> None:
        """There is more; a stream more than `lag` events behind is dropped."""
        if self._log.seq - self._seq > lag:
            self.drop()
        else:
            self._bell.set()

    def drop(self) -> None:
        """End the stream, also when its writer waits for a browser that does not read."""
        if not self._closed:
            self.close()
            self._bell.set()
            self._on_drop()

    def close(self) -> None:
        """Forget the stream; closing twice is harmless."""
        self._closed = True
        if self in self._log.subscriptions:
            self._log.subscriptions.remove(self)


class Hub:
    """Events by agent number (工号)."""

    def __init__(self, epoch: str, *, keep: int = 512, lag: int = 128, agents: int = 5000, streams: int = 8) -> None:
        """`epoch` names this run (hex): ids of another run never resume here.

        `keep` events are held per agent, a stream may be `lag` events behind, `agents` logs are held (the least used
        without a stream goes first), one agent may have `streams` streams (the oldest goes).
        """
        self.epoch = epoch
        self.dropped = 0
        #: Events of all agents: a log made anew starts here, above every id its predecessor gave.
        self._published = 0
        self._keep = keep
        self._lag = lag
        self._agents = agents
        self._streams = streams
        self._logs: OrderedDict[str, _Log] = OrderedDict()

    def event_id(self, seq: int) -> str:
        """The id as it stands on the stream: `epoch-seq`."""
        return f"{self.epoch}-{seq}"

    def publish(self, agent: str, name: str, data: Body) -> str:
        """Append one event to the agent's log and wake his streams; returns its id. Never waits."""
        return self._append(agent, name, encode(data))

    def broadcast(self, name: str, data: Body, agents: Iterable[str] | None = None) -> int:
        """The same event to the agents named, or to everyone with a stream; returns how many."""
        body = encode(data)
        if agents is None:
            agents = [agent for agent, log in self._logs.items() if log.subscriptions]
        count = 0
        for agent in agents:
            self._append(agent, name, body)
            count += 1
        return count

    def subscribe(
        self, agent: str, last: str | None, *, session: str = "", on_drop: Callable[[], None] = lambda: None
    ) -> Subscription:
        """A stream of the agent's events after the id `last`; see `Subscription.fresh`."""
        log = self._log(agent)
        seq = self._resume(log, last)
        subscription = Subscription(self, log, agent, last=seq, session=session, on_drop=on_drop)
        log.subscriptions.append(subscription)
        while len(log.subscriptions) > self._streams:
            self._drop(log.subscriptions[0])
        return subscription

    def disconnect(self, session: str) -> int:
        """End every stream of one sign-in (logout, revocation); returns how many."""
        ended = [s for log in self._logs.values() for s in log.subscriptions if s.session == session]
        for subscription in ended:
            subscription.drop()
        return len(ended)

    def close(self) -> None:
        """End every stream: the service stops, pages resume at its successor."""
        for log in self._logs.values():
            for subscription in list(log.subscriptions):
                subscription.drop()

    def find(self, agent: str, event_id: str) -> HubEvent | None:
        """The event with this id if the agent's log still holds it."""
        log = self._logs.get(agent)
        seq = self._seq_of(event_id)
        if log is None or seq is None or not log.events or not log.events[0].seq <= seq <= log.seq:
            return None
        return log.events[seq - log.events[0].seq]

    @property
    def streams(self) -> int:
        """Streams open now."""
        return sum(len(log.subscriptions) for log in self._logs.values())

    def _append(self, agent: str, name: str, body: bytes) -> str:
        log = self._log(agent)
        self._published += 1
        log.seq += 1
        event_id = self.event_id(log.seq)
        log.events.append(HubEvent(log.seq, name, body, frame(event_id, name, body)))
        for subscription in list(log.subscriptions):
            subscription.ring(self._lag)
            if subscription not in log.subscriptions:
                self.dropped += 1
        return event_id

    def _drop(self, subscription: Subscription) -> None:
        self.dropped += 1
        subscription.drop()

    def _log(self, agent: str) -> _Log:
        log = self._logs.get(agent)
        if log is None:
            log = self._logs[agent] = _Log(self._keep, self._published)
            self._shed()
        self._logs.move_to_end(agent)
        return log

    def _shed(self) -> None:
        """Keep at most `agents` logs; one that is being read is never shed."""
        if len(self._logs) > self._agents:
            idle = next((name for name, log in self._logs.items() if not log.subscriptions), None)
            if idle is not None:
                del self._logs[idle]

    def _resume(self, log: _Log, last: str | None) -> int | None:
        seq = None if last is None else self._seq_of(last)
        return None if seq is None or log.after(seq) is None else seq

    def _seq_of(self, event_id: str) -> int | None:
        epoch, dash, digits = event_id.partition("-")
        if epoch != self.epoch or not dash or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            return None
        return int(digits)
