"""What the flight recorder writes beside the events of Asterisk, so that a replay gives the live record (TL-71).

A segment of the journal begins with the settings in force and the floor as it stands. Then come, between the events as
they were received: facts that no event tells (links, snapshots, callbacks, ends of wrap-ups), ticks while a call is
open, and what each call made of its agents, so that one call can be replayed without the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from cti.ami import factblocks
from cti.ami.frames import Frame
from cti.calls import events as ev
from cti.calls.effects import AgentPhase, Effect
from cti.calls.model import Floor, Member
from cti.calls.replay import Told
from cti.journal import Journal

#: line of a block that belongs so many blocks before its place: an effect is known after its batch was written
BACK: Final = b"back"
#: line of a block that a segment begins with: `fresh` of a floor that is new, `kept` of one in the middle of its work
OPENING: Final = b"opening"
#: a `PhaseNoted` as `factblocks.blocks` writes it, without its detours: there are several a call
_PHASE: Final = b"Event: CtiFact\r\nFact: PhaseNoted\r\nat: %b\r\ncall_id: %b\r\nagent: %b\r\nphase: %b\r\n%b: %d"


class Recorder:
    """The journal of one floor; the pump tells it everything in order."""

    def __init__(self, journal: Journal, floor: Floor, clock: Callable[[], datetime]) -> None:
        self._journal = journal
        self._floor = floor
        self._clock = clock
        self._fresh = True
        #: members told of in this batch: what the floor says of them is old
        self._touched: set[tuple[str, str]] = set()
        journal.opening = self._opening

    def frame(self, frame: Frame, received_at: datetime) -> int:
        """Write a believed event; returns its mark."""
        self._journal.append(frame, received_at)
        return self._journal.added

    def told(self, event: ev.CallEvent) -> None:
        """An event of Asterisk told this fact."""
        if type(event) is ev.MemberChanged:
            self._touched.add((event.queue, event.interface))

    def fact(self, event: ev.CallEvent, *, alone: bool) -> int:
        """Write a fact that no event tells, unless it changes no record; returns its mark.

        `alone`: nothing else is in the batch, so a tick on an empty floor is one in which nothing happens.
        """
        for one in self._worth(event, alone):
            for block in factblocks.blocks(one, self._journal.hide):
                self._journal.add(block)
        return self._journal.added

    def effects(self, effects: Sequence[Effect], mark: int) -> None:
        """Write what the fact with this mark made of agents."""
        for effect in effects:
            if type(effect) is AgentPhase:
                at, back = effect.at.isoformat(), self._journal.added - mark
                said = (at.encode(), effect.call_id.encode(), effect.agent.encode(), effect.state.encode(), BACK, back)
                self._journal.add(_PHASE % said)

    def flush(self) -> None:
        """Hand the batch to the operating system."""
        self._journal.flush()
        self._touched.clear()

    def _worth(self, event: ev.CallEvent, alone: bool) -> Iterator[ev.CallEvent]:
        match event:
            case ev.Tick() if alone and not self._floor.calls:
                return
            case ev.QueueSeen():
                return
            case ev.MemberChanged() if not self._news(event):
                return
            case ev.FloorSnapshot():
                yield from self._members(event)
                yield replace(event, members=(), queues=(), lists_members=False)
                return
        self.told(event)
        yield event

    def _members(self, snap: ev.FloorSnapshot) -> Iterator[ev.CallEvent]:
        """What a snapshot says of members that the floor does not know, as `reconcile` takes it."""
        listed = {(member.queue, member.interface) for member in snap.members}
        known = set(self._floor.members) | self._touched
        yield from (member for member in snap.members if self._news(member))
        for queue, interface in sorted(known - listed):
            yield ev.MemberChanged(at=snap.at, queue=queue, interface=interface, removed=True)

    def _news(self, event: ev.MemberChanged) -> bool:
        """Whether the floor's member differs, or may by the time this fact is taken."""
        key = (event.queue, event.interface)
        member = self._floor.members.get(key)
        if member is None or event.removed or key in self._touched:
            return True
        said = ((event.paused, member.paused), (event.status, member.status), (event.in_call, member.in_call))
        return any(new is not None and new != old for new, old in (*said, (event.penalty, member.penalty)))

    def _opening(self) -> Iterator[bytes]:
        mark, at = (b"fresh" if self._fresh else b"kept"), self._clock()
        if self._fresh:
            (block,) = factblocks.blocks(ev.ServiceStarted(at=at))
            yield marked(block, mark)
        self._fresh = False
        for block in opening(self._floor, at, self._journal.hide):
            yield marked(block, mark)


def marked(block: bytes, opening_kind: bytes) -> bytes:
    """A block that a segment begins with."""
    return b"%b\r\n%b: %b" % (block, OPENING, opening_kind)


def opening(floor: Floor, at: datetime, hide: factblocks.Hide | None = None) -> Iterator[bytes]:
    """The settings in force and the floor as it stands, calls aside."""
    told: list[Told] = [
        floor.settings,
        ev.FloorKept(at=at, gap_from=floor.gap_from, pbx_started_at=floor.pbx_started_at, pbx_start=floor.pbx_start),
    ]
    if floor.stamps_moved_ms:
        told.append(ev.StampsMoved(at=at, by_ms=floor.stamps_moved_ms))
    for agent in floor.agents.values():
        told.append(
            ev.PhaseNoted(at=agent.changed_at, call_id=agent.call_id, agent=agent.number, phase=agent.phase.value)
        )
    told += map(_changed, floor.members.values())
    for one in told:
        yield from factblocks.blocks(one, hide)


def _changed(member: Member) -> ev.MemberChanged:
    return ev.MemberChanged(
        at=member.changed_at,
        queue=member.queue,
        interface=member.interface,
        name=member.name,
        state_interface=member.state_interface,
        membership=member.membership,
        paused=member.paused,
        reason=member.reason,
        status=member.status,
        in_call=member.in_call,
        penalty=member.penalty,
    )
