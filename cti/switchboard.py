"""What the database says about agents, carried out on Asterisk's queues, and put right after every reconnect (TL-40).

Only dynamic members named `PJSIP/<staff number>` are touched: those are the ones we add (G13).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from cti.ami import commands
from cti.ami.link import Link
from cti.ami.session import ActionRefused
from cti.calls.model import Floor, Member
from ticketing.callbacks.model import KEPT
from ticketing.staff.model import Membership

log = structlog.get_logger(__name__)

_PATIENCE_S = 2.0

#: asked before an agent is set ready; True = he is kept for somebody who has waited longer, and stays paused (TL-23)
BeforeReady = Callable[[str], Awaitable[bool]]


def interface_of(number: str) -> str:
    """The queue member interface of an agent."""
    return f"PJSIP/{number}"


@dataclass(frozen=True, slots=True)
class Correction:
    """One difference between what the database wants and what Asterisk has."""

    verb: str
    wanted: Membership


def differences(wanted: Iterable[Membership], members: Mapping[tuple[str, str], Member]) -> list[Correction]:
    """What must be added, removed, paused or unpaused so that Asterisk has what the database says. Pure.

    Static members and foreign interfaces are never removed; conflicts with them are shown elsewhere, not repaired.
    """
    goal = {(item.queue, interface_of(item.number)): item for item in wanted}
    found: list[Correction] = []
    for place, item in goal.items():
        member = members.get(place)
        if member is None:
            found.append(Correction("add", item))
        elif member.paused != item.paused:
            found.append(Correction("pause" if item.paused else "unpause", item))
    for (queue, interface), member in members.items():
        ours = member.membership == "dynamic" and interface.startswith("PJSIP/") and member.agent.isdigit()
        if ours and (queue, interface) not in goal:
            gone = Membership(member.agent, member.name, queue, paused=False, reason=None)
            found.append(Correction("remove", gone))
    return found


class Switchboard:
    """Queue membership and pauses on the one link that also brings the events, so that they stay ordered."""

    def __init__(self, link: Link, floor: Floor) -> None:
        self._link = link
        self._floor = floor
        #: the dialler's, when callbacks are dialled
        self.before_ready: BeforeReady | None = None

    async def add(self, member: Membership) -> None:
        """Adds the agent to a queue; harmless when he is there."""
        interface = interface_of(member.number)
        try:
            await self._link.send(
                commands.queue_add(
                    member.queue,
                    interface,
                    member_name=member.number,
                    state_interface=interface,
                    paused=member.paused,
                    penalty=member.penalty,
                ),
                _PATIENCE_S,
            )
        except ActionRefused as error:
            if "already" not in error.message.lower():
                raise
            await self.pause(member.number, member.paused, member.reason or "", member.queue)
        else:
            if member.paused and member.reason:
                await self.pause(member.number, True, member.reason, member.queue)

    async def remove(self, number: str, queue: str) -> None:
        """Takes the agent out of a queue; harmless when he is not there."""
        try:
            await self._link.send(commands.queue_remove(queue, interface_of(number)), _PATIENCE_S)
        except ActionRefused as error:
            if "not there" not in error.message.lower() and "no such" not in error.message.lower():
                raise

    async def pause(self, number: str, paused: bool, reason: str = "", queue: str = "") -> None:
        """Pauses or unpauses the agent in one queue or all; harmless when he is in none."""
        try:
            await self._link.send(commands.queue_pause(interface_of(number), paused, reason, queue), _PATIENCE_S)
        except ActionRefused as error:
            log.info("switchboard.pause_refused", agent=number, said=error.message)

    async def ready(self, number: str, queue: str = "") -> None:
        """Sets the agent ready in one queue or all, unless a callback has the first right to him (TL-23).

        The one way by which anybody becomes ready: the exchange offers him to a caller within milliseconds.
        """
        if self.before_ready is None or not await self.before_ready(number):
            await self.pause(number, False, queue=queue)

    async def sign_in(self, wanted: Iterable[Membership]) -> None:
        """Adds the agent to each of his queues; where callbacks are dialled he comes in paused, then is set ready."""
        places = list(wanted)
        asked = self.before_ready is not None and any(not member.paused for member in places)
        for member in places:
            await self.add(replace(member, paused=True, reason=KEPT) if asked and not member.paused else member)
        if asked:
            await self.ready(places[0].number)

    async def sign_out(self, number: str) -> None:
        """Takes the agent out of every queue we added him to."""
        interface = interface_of(number)
        queues = [
            queue
            for (queue, name), member in self._floor.members.items()
            if name == interface and member.membership != "static"
        ]
        for queue in queues:
            await self.remove(number, queue)

    async def reconcile(self, wanted: Iterable[Membership]) -> int:
        """After a reconnect: makes Asterisk's queues hold what the database says; how many corrections it took."""
        found = differences(wanted, self._floor.members)
        for correction in found:
            item = correction.wanted
            match correction.verb:
                case "add":
                    await self.sign_in([item])
                case "remove":
                    await self.remove(item.number, item.queue)
                case "unpause":
                    await self.ready(item.number, item.queue)
                case _:
                    await self.pause(item.number, True, item.reason or "", item.queue)
        if found:
            log.info("switchboard.reconciled", corrections=len(found))
        return len(found)
