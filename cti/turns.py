"""Whose turn it is: the one fair order of live callers and callbacks, held against an exchange that is always faster.

The exchange gives every agent who is ready to its first caller within milliseconds. So nobody is set ready without
being asked for here first (`Turns.before_ready`), and an agent to whom a callback falls stays paused for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cti import callbacks
from cti.ami.link import Link, Up
from cti.calls.events import CallEvent
from cti.calls.model import Floor
from cti.switchboard import Switchboard
from ticketing.callbacks import reading, store
from ticketing.callbacks.model import Mode
from ticketing.callbacks.policy import Policy
from ticketing.callbacks.reading import Candidate
from ticketing.callbacks.rules import Place, assign, caps, first_for, to_dial
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import HotlineError

log = structlog.get_logger(__name__)

#: how long an agent waits for the answer whether he is kept; then he is set ready, seconds
_PATIENCE_S: Final = 1.0
#: how long the events before an answer of the exchange may take to be on the floor, seconds
_SETTLES_S: Final = 0.2
#: so long an agent who was set ready counts as free though the floor has not heard of it, seconds
_TAKES_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What the dialler works with; the composition root gives it."""

    database: Database
    floor: Floor
    #: the link that takes snapshots: the dialler's own account may not
    bridge: Link
    switchboard: Switchboard
    policy: Policy
    clock: Callable[[], datetime]
    #: the pump's: facts that no event of the exchange tells
    put_event: Callable[[CallEvent], None]
    #: returns when every event that has arrived is on the floor
    reduced: Callable[[], Awaitable[None]]
    #: tells committed changes to the pages
    announce: Callable[[Sequence[Change]], Awaitable[None]]
    #: False while another process acts
    may_act: Callable[[], bool]
    #: this process, in leases
    holder: str
    #: CTI_TOKEN of the running exchange
    token: str
    #: number the customer sees
    caller_id: str
    #: what the exchange's journal tells of the ends of placed calls, by channel (`cti.ami.journals.ends`)
    ends: Callable[[], Awaitable[Mapping[str, str]]]

    async def settled(self) -> None:
        """Waits a moment for events that are on their way to the floor."""
        try:
            async with asyncio.timeout(_SETTLES_S):
                await self.reduced()
        except TimeoutError:
            log.debug("floor_is_late")


#: calls a customer before an agent is kept for him
CallFirst = Callable[[Candidate], Awaitable[None]]
#: begins a callback with an agent: True = under way; False = not with him now; None = it is no longer to be had
Begin = Callable[[Candidate, str], Awaitable[bool | None]]


@dataclass(frozen=True, slots=True)
class Line:
    """The one line at one moment."""

    #: bookings that may be dialled now and want an agent first, by serial
    bookings: Mapping[str, Candidate]
    #: these and the live callers
    places: Sequence[Place]
    #: bookings whose customer is called first
    customers: Sequence[Candidate]
    #: agents whom the database has kept for callbacks
    kept: frozenset[str]
    #: agents whose calls of this hour are made (S06): live callers go on coming to them
    spent: frozenset[str]


class Turns:
    """Decides about one agent after the other: two decisions at once would give one callback two agents."""

    def __init__(self, tools: Tools, begin: Begin, call_first: CallFirst, in_reach: Callable[[], bool]) -> None:
        self._tools = tools
        self._begin = begin
        self._call_first = call_first
        self._in_reach = in_reach
        #: agents who were chosen for a callback and are not free yet
        self.kept: set[str] = set()
        #: agents paused so that the exchange does not take them before we are asked; nothing is claimed for them
        self._held: set[str] = set()
        #: agents just set ready, and when (loop time): callers ahead get them, whether the floor knows or not
        self._released: dict[str, float] = {}
        self._deciding = asyncio.Lock()
        self._wake = asyncio.Event()
        self._awaited = False

    async def news(self, within_s: float) -> None:
        """Returns when somebody's phone changed what he does while callbacks are waiting, or after so long."""
        self._wake.clear()
        try:
            async with asyncio.timeout(within_s):
                await self._wake.wait()
        except TimeoutError:
            return

    def changed(self) -> None:
        """Somebody's phone does something else now."""
        if self._awaited:
            self._wake.set()

    async def look(self) -> None:
        """Begins every callback whose turn it is."""
        async with self._deciding:
            await self._serve(None)
            await self._call_customers()

    async def before_ready(self, agent: str) -> bool:
        """Whether this agent, who is about to be set ready, is kept for a callback instead (TL-23, P36).

        False when that cannot be found out in time: an agent is never kept by a fault.
        """
        if not self._acts():
            return False
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._deciding.acquire()
        except TimeoutError:
            return False
        try:
            await self._tools.settled()
            return await self._serve(agent)
        except (HotlineError, SQLAlchemyError) as error:
            log.warning("callbacks_not_asked", agent=agent, error=str(error))
        except Exception:  # a defect here must not keep anybody from the phone
            log.exception("callbacks_not_asked")
        finally:
            self._deciding.release()
        return agent in self.kept

    async def let_go(self, agent: str) -> None:
        """Back to what the database says of him, without asking for another callback."""
        await self._free(agent, self._unpause)

    async def set_free(self, agent: str) -> None:
        """Back to what the database says of him; the next callback may have the first right to him."""
        self.kept.discard(agent)
        await self._free(agent, self._tools.switchboard.ready)

    async def _free(self, agent: str, make_ready: Callable[[str], Awaitable[None]]) -> None:
        tools = self._tools
        try:
            async with tools.database.read() as conn:
                wanted = [each for each in await reading.memberships(conn) if each.number == agent]
        finally:
            self.kept.discard(agent)
            self._held.discard(agent)
        for member in wanted:
            if member.paused:
                await tools.switchboard.pause(agent, True, member.reason or "", member.queue)
        if any(not member.paused for member in wanted):
            await make_ready(agent)

    async def _unpause(self, agent: str) -> None:
        self._released[agent] = asyncio.get_running_loop().time()
        await self._tools.switchboard.pause(agent, False)

    # -- one decision --------------------------------------------------------------------------------------------------

    def _acts(self) -> bool:
        return self._tools.may_act() and isinstance(self._tools.bridge.state, Up) and self._in_reach()

    async def _line(self) -> Line:
        """Nobody is in it whom nobody could call now."""
        tools = self._tools
        now = tools.clock()
        live = callbacks.live_callers(tools.floor)
        async with tools.database.read() as conn:
            found = await reading.line(conn, None, now)
            kept = await reading.kept_agents(conn)
            begun = await store.begun(conn, tools.policy.per_hour) if found else []
            taken = await reading.places_of(conn, [place.key for place in live]) if found else {}
        room, spent = caps(begun, tools.policy, now)
        if not (room and self._acts() and tools.policy.calling.is_open(now)):
            found = []
        bookings = {each.place.key: each for each in found if each.mode is Mode.AGENT_FIRST}
        callers = [replace(place, joined_at=taken.get(place.key, place.joined_at)) for place in live]
        places = [*(each.place for each in bookings.values()), *callers]
        customers = [each for each in found if each.mode is Mode.CUSTOMER_FIRST]
        return Line(bookings, places, customers, frozenset(kept), spent)

    async def _call_customers(self) -> None:
        """Customer first: as many are called as agents are free beyond the callers ahead and those under way (P36)."""
        line = await self._line()
        free = callbacks.free_agents(self._tools.floor, line.kept | self.kept)
        for queue in sorted({each.queue for each in line.customers}):
            found = {each.place.key: each for each in line.customers if each.queue == queue}
            async with self._tools.database.read() as conn:
                flying = await reading.in_flight(conn, queue, Mode.CUSTOMER_FIRST)
            idle = sum(queue in queues for queues in free.values())
            live = [place for place in line.places if not place.callback and place.queue == queue]
            for place in to_dial([each.place for each in found.values()], live, idle, flying):
                await self._call_first(found[place.key])

    async def _serve(self, me: str | None) -> bool:
        """Begins what can be begun; True when `me`, who is about to be set ready, is not to be."""
        gone: set[str] = set()
        tried: set[str] = set()
        while True:
            line = await self._line()
            self._awaited = bool(line.bookings)
            if me in line.kept | self.kept:
                return True
            free = self._at_hand(me, line.kept | line.spent | tried)
            waiting = [place for place in line.places if place.key not in gone]
            turns = assign(waiting, free)
            turn = next(((agent, place) for agent, place in turns.items() if place.callback), None)
            if turn is None:
                break
            agent, place = turn
            self.kept.add(agent)
            begun: bool | None = False
            try:
                begun = await self._begin(line.bookings[place.key], agent)
            finally:
                if not begun:
                    self.kept.discard(agent)
            if begun:
                self._held.discard(agent)
            elif begun is None:
                gone.add(place.key)
            else:
                tried.add(agent)
        served = {place.key for place in turns.values()}
        rest = [place for place in waiting if place.key not in served]
        return await self._hold(me, line.kept | line.spent | tried, rest)

    def _at_hand(self, me: str | None, but: set[str] | frozenset[str]) -> dict[str, frozenset[str]]:
        """Agents who can take somebody now, with their queues: those the exchange has, then those we hold."""
        floor, now = self._tools.floor, asyncio.get_running_loop().time()
        self._released = {agent: at for agent, at in self._released.items() if now - at < _TAKES_S}
        busy = but | self.kept
        free = callbacks.free_agents(floor, busy)
        for agent in (*self._released, *sorted(self._held), *([] if me is None else [me])):
            if agent not in busy and callbacks.at_hand(floor, agent):
                free.setdefault(agent, callbacks.queues_of(floor, agent))
        return free

    async def _hold(self, me: str | None, but: Collection[str], rest: Sequence[Place]) -> bool:
        """Keeps those out of the queues to whom a callback falls once their phone is idle; lets the others go.

        These are agents whose phone is not there yet, and, without a wrap-up, agents who talk: in the moment their talk
        ends the exchange would be faster. `rest`: who waits and has no agent yet. True when `me` is kept so.
        """
        floor = self._tools.floor
        self._held = {agent for agent in self._held if not callbacks.paused_otherwise(floor, agent)}
        asked = self._held | ({me} if me is not None else set())
        if floor.settings.wrap_up_s == 0:
            asked |= set(callbacks.talking(floor))
        for agent in sorted(asked - self.kept):
            first = first_for(callbacks.queues_of(floor, agent), rest)
            falls = first is not None and first.callback and agent not in but
            if falls and not callbacks.at_hand(floor, agent):
                if agent not in self._held:
                    self._held.add(agent)
                    await self._tools.switchboard.pause(agent, True, callbacks.REASON)
            elif agent == me:
                self._held.discard(agent)
            elif agent in self._held:
                await self.let_go(agent)
        if me is None or me in self._held:
            return me is not None
        self._released[me] = asyncio.get_running_loop().time()
        return False
