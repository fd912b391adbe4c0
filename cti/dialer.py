"""Calls customers back, the agent first: claims by lease, keeps an agent, commits, dials once, and hears the end.

The attempt is in the database before the exchange is asked, and only facts of the exchange decide about it afterwards
(TL-23, F19). What a dead dialler left is looked after by `recover`: nothing is dialled twice, nothing is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cti import callbacks
from cti.ami import commands
from cti.ami.frames import Frame
from cti.ami.guard import Guard
from cti.ami.link import ActionIds, AmiAccount, Link, LinkState, Up
from cti.ami.session import ActionRefused, LinkDown, NoAnswer
from cti.callbacks import Alive, Told, What
from cti.calls.record import record_of
from cti.turns import Tools, Turns
from ticketing.callbacks import dialling, reading, recovery
from ticketing.callbacks.model import Claim, Dial, Fact, Mode, Outcome, Verb
from ticketing.callbacks.reading import Candidate
from ticketing.changes import Change
from ticketing.errors import HotlineError, Refused

log = structlog.get_logger(__name__)

#: how long the kept agent's phone rings, milliseconds (default)
_RING_MS: Final = 25_000
#: how long the customer's rings who is called first: longer than the dialplan lets it, milliseconds
_CUSTOMER_MS: Final = 60_000
#: how long the answer to an Originate may take beyond that, seconds
_LATE_S: Final = 10.0
#: seconds between two looks at the line, and between two looks at what was left
_PACE_S: Final = 0.5
_RECOVER_S: Final = 2.0


@dataclass(slots=True)
class Flight:
    """An attempt this dialler follows from before its end."""

    call_id: str
    queue: str
    #: kept for it; empty when the customer is called first
    agent: str
    mode: Mode = Mode.AGENT_FIRST
    talking: bool = False
    #: customer first: the last that was heard of his way
    heard: Verb | None = None
    #: the customer has called himself: nobody missed anything
    withdrawn: bool = False


class Dialer:
    """One task of the composition root, on an AMI link of its own."""

    def __init__(self, account: AmiAccount, tools: Tools, ids: ActionIds | None = None) -> None:
        self._tools = tools
        self._link = Link(account, self._on_frame, self._on_state, tools.clock, ids=ids)
        self._guard = Guard(tools.token)
        self._news: asyncio.Queue[Told] = asyncio.Queue()
        #: by channel id; only attempts of which nothing can have been missed
        self._flights: dict[str, Flight] = {}
        self.turns = Turns(tools, self._begin, self._call_first, lambda: isinstance(self._link.state, Up))
        #: requests to the exchange that are under way
        self._asking: set[asyncio.Task[None]] = set()
        self._recover_at = 0.0

    async def run(self) -> None:
        """Dials until cancelled; raises WrongSecret when the account is refused."""
        try:
            await self._link.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hear_all())
                while True:
                    await self._guarded(self._look(), "callbacks_look")
                    await self.turns.news(_PACE_S)
        finally:
            for asked in self._asking:
                asked.cancel()
            await self._link.stop()

    @property
    def connected(self) -> bool:
        """Whether its link is up."""
        return isinstance(self._link.state, Up)

    async def _guarded(self, work: Awaitable[None], name: str) -> None:
        """What fails is tried again at the next look, or decided by `recover`."""
        try:
            await work
        except (HotlineError, SQLAlchemyError) as error:
            log.warning(name, error=str(error))
        except Exception:  # a defect here must not end the hotline
            log.exception(name)

    # -- whose turn it is --------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        tools = self._tools
        if not tools.may_act() or not isinstance(tools.bridge.state, Up):
            return
        loop = asyncio.get_running_loop()
        if loop.time() >= self._recover_at:
            self._recover_at = loop.time() + _RECOVER_S
            await self._recover()
        for channel_id, flight in list(self._flights.items()):
            if flight.mode is Mode.CUSTOMER_FIRST:
                await self._follow(channel_id, flight)
        await self.turns.look()

    async def _begin(self, candidate: Candidate, agent: str) -> bool | None:
        """Calls a customer back with this agent; see `turns.Begin`."""
        claim = await self._claim(candidate)
        if claim is None:
            return None
        try:
            await self._keep(claim, agent)
            dial = await self._commit(claim)
        except HotlineError as error:
            log.info("callback_released", serial=claim.serial, why=error.code)
            await self._release(claim, agent, error.code)
            return False
        self._flights[dial.channel_id] = Flight(dial.call_id, dial.queue, agent)
        for event in callbacks.offered(dial, agent, self._tools.caller_id, self._tools.clock()):
            self._tools.put_event(event)
        self._ask(dial, _RING_MS, callbacks.agent_first(dial, agent))
        return True

    async def _call_first(self, candidate: Candidate) -> None:
        """Calls a customer before an agent is kept for him; he confirms by key and waits in his place (P34)."""
        claim = await self._claim(candidate)
        if claim is None:
            return
        try:
            dial = await self._commit(claim)
        except HotlineError as error:
            log.info("callback_released", serial=claim.serial, why=error.code)
            await self._release(claim, "", error.code)
            return
        self._flights[dial.channel_id] = Flight(dial.call_id, dial.queue, "", Mode.CUSTOMER_FIRST)
        for event in callbacks.entered(dial, self._tools.caller_id, self._tools.clock()):
            self._tools.put_event(event)
        self._ask(dial, _CUSTOMER_MS, callbacks.customer_first(dial))

    def _ask(self, dial: Dial, ring_ms: int, way: callbacks.Way) -> None:
        """Has the exchange asked, beside everything else."""
        asked = asyncio.create_task(self._guarded(self._originate(dial, ring_ms, way), "callback_originate"))
        self._asking.add(asked)
        asked.add_done_callback(self._asking.discard)

    async def _claim(self, candidate: Candidate) -> Claim | None:
        tools = self._tools
        async with tools.database.write() as conn:
            return await dialling.claim(conn, candidate.callback_id, tools.holder, tools.policy, tools.clock())

    async def _keep(self, claim: Claim, agent: str) -> None:
        """Keeps the agent out of the queues; raises Refused when a caller was faster (P36)."""
        tools = self._tools
        async with tools.database.write() as conn:
            change = await dialling.reserve(conn, claim, agent, tools.clock())
        await tools.announce([change])
        await tools.switchboard.pause(agent, True, callbacks.REASON)
        await tools.settled()
        if not callbacks.at_hand(tools.floor, agent):
            raise Refused("agent_taken", "a caller was faster")

    async def _commit(self, claim: Claim) -> Dial:
        """From the end of this transaction on the attempt counts, whatever happens (F19)."""
        tools = self._tools
        async with tools.database.write() as conn:
            return await dialling.dial(conn, claim, tools.policy, tools.clock())

    async def _release(self, claim: Claim, agent: str, why: str) -> None:
        tools = self._tools
        try:
            async with tools.database.write() as conn:
                change = await dialling.release(conn, claim, why, tools.clock())
            await tools.announce([change])
        finally:
            if agent:
                await self.turns.let_go(agent)

    async def _originate(self, dial: Dial, ring_ms: int, way: callbacks.Way) -> None:
        """Asks the exchange once. Without its answer nothing is concluded: events tell, or `recover` decides."""
        command = commands.originate(
            dial.channel_id,
            way.context,
            way.extension,
            caller_id=self._tools.caller_id,
            timeout_ms=ring_ms,
            variables=way.variables,
            channel_id=dial.channel_id,
            other_channel_id=callbacks.agent_half(dial.channel_id),
            fence=way.fence,
        )
        try:
            answer = (await self._link.send(command, ring_ms / 1000 + _LATE_S))[-1]
        except (LinkDown, NoAnswer) as error:
            log.warning("callback_unanswered", channel=dial.channel_id, why=error.code)
            return
        except ActionRefused:
            await self._miss(dial.channel_id, Outcome.REFUSED)
            return
        if answer.get("Response") == "Failure":
            # it comes beside the end of the first telephone's dial: whichever is first counts
            self._news.put_nowait(Told(dial.channel_id, What.AGENT_GONE, self._tools.clock()))

    # -- what became of it -------------------------------------------------------------------------------------------

    def _on_frame(self, raw: bytes, received_at: datetime) -> None:
        frame = Frame(raw)
        if self._guard.check(frame).accept and (news := callbacks.told(frame, received_at)) is not None:
            self._news.put_nowait(news)

    def _on_state(self, state: LinkState) -> None:
        """With the link events are lost: what flies is then judged by what the exchange still has."""
        if not isinstance(state, Up):
            self._guard.start_over()
            self.turns.kept -= {flight.agent for flight in self._flights.values() if flight.agent}
            self._flights.clear()

    async def _hear_all(self) -> None:
        while True:
            news = await self._news.get()
            await self._guarded(self._hear(news), "callback_hear")

    async def _hear(self, news: Told) -> None:
        flight = self._flights.get(news.channel_id) or await self._known(news.channel_id)
        if flight is not None and flight.mode is Mode.CUSTOMER_FIRST:
            await self._hear_first(news, flight)
            return
        ours = news.channel_id in self._flights
        match news.what:
            case What.CUSTOMER_HERE:
                await self._connect(news)
            case What.CUSTOMER_MISSED:
                await self._miss(news.channel_id, news.outcome or Outcome.NO_ANSWER)
            case What.AGENT_GONE:
                if ours and flight is not None and not flight.withdrawn:
                    self._tools.put_event(callbacks.missed(flight.call_id, flight.queue, flight.agent, news.at))
                await self._miss(news.channel_id, Outcome.AGENT_LOST)
            case What.OVER if ours and flight is not None and flight.talking:
                await self._hung_up(news, flight)
            case What.OVER if ours:
                await self._miss(news.channel_id, Outcome.AGENT_LOST)

    async def _known(self, channel_id: str) -> Flight | None:
        """An attempt that is not followed, as the database has it."""
        async with self._tools.database.read() as conn:
            found = await reading.under_way(conn, channel_id)
        return Flight(found[0].call_id, found[0].queue, found[0].agent, found[0].mode) if found else None

    async def _hear_first(self, news: Told, flight: Flight) -> None:
        """The customer is called first: his telephone is the attempt's first, and the queue finds him an agent."""
        match news.what:
            case What.FIRST_HERE:
                await self._step(Fact(news.channel_id, Verb.ANSWER, news.at), flight)
            case What.AGENT_GONE:
                await self._miss(news.channel_id, news.outcome or Outcome.NO_ANSWER)
            case What.OVER:
                await self._tools.settled()
                await self._follow(news.channel_id, flight)
                await self._miss(news.channel_id, None)  # of one who had an agent it means nothing any more

    async def _follow(self, channel_id: str, flight: Flight) -> None:
        """What the floor has seen of a customer who waits in the queue, or of his talk."""
        call = self._tools.floor.calls.get(flight.call_id)
        fact = None if call is None else callbacks.progress(channel_id, record_of(call, self._tools.floor.settings))
        if fact is not None:
            await self._step(fact, flight)

    async def _step(self, fact: Fact, flight: Flight) -> None:
        tools = self._tools
        if flight.heard is fact.what:
            return
        async with tools.database.write() as conn:
            changes = await dialling.hear(conn, fact, tools.policy, tools.clock())
        flight.heard = fact.what
        await tools.announce(changes)

    async def _connect(self, news: Told) -> None:
        tools = self._tools
        fact = Fact(news.channel_id, Verb.CONNECT, news.at)
        async with tools.database.write() as conn:
            changes = await dialling.hear(conn, fact, tools.policy, tools.clock())
        flight = self._flights.get(news.channel_id)
        if flight is not None and changes:
            flight.talking = True
            tools.put_event(callbacks.answered(flight.call_id, flight.queue, flight.agent, news.at))
        await tools.announce(changes)

    async def _miss(self, channel_id: str, outcome: Outcome | None) -> None:
        """Told by several events: the first counts."""
        tools = self._tools
        now = tools.clock()
        async with tools.database.write() as conn:
            changes = await dialling.hear(conn, Fact(channel_id, Verb.MISS, now, outcome=outcome), tools.policy, now)
        flight = self._flights.pop(channel_id, None)
        if flight is not None and not flight.talking:
            for event in callbacks.over(flight.call_id, flight.queue, flight.agent, channel_id, now, talked=False):
                tools.put_event(event)
            if flight.agent:
                await self.turns.set_free(flight.agent)
        await self._told(changes)

    async def _hung_up(self, news: Told, flight: Flight) -> None:
        """The talk is over; the wrap-up, if there is one, frees the agent at its end."""
        del self._flights[news.channel_id]
        for event in callbacks.over(flight.call_id, flight.queue, flight.agent, news.channel_id, news.at, talked=True):
            self._tools.put_event(event)
        if self._tools.floor.settings.wrap_up_s > 0:
            self.turns.kept.discard(flight.agent)
        else:
            await self.turns.set_free(flight.agent)

    async def _told(self, changes: Sequence[Change]) -> None:
        """Publishes changes, and frees agents whom nobody keeps any more."""
        for change in changes:
            agent = (change.payload or {}).get("agent")
            done = change.kind in {"callback.missed", "callback.lost", "callback.released"}
            if done and isinstance(agent, str) and agent not in self.turns.kept:
                await self.turns.set_free(agent)
        await self._tools.announce(changes)

    # -- what was left behind ----------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Decides about bookings whose dialler is gone, and takes over attempts that live (F19, TL-70)."""
        tools = self._tools
        async with tools.database.read() as conn:
            if not self._flights and not await reading.any_held(conn):
                return
        async with tools.database.read() as conn:
            flying = await reading.under_way(conn)
        seen = callbacks.alive(await tools.bridge.send(commands.core_show_channels()))
        gone = [(each.channel_id, each.mode) for each in flying if each.channel_id not in seen.channels]
        ended = callbacks.judged(gone, await tools.ends()) if gone else {}
        live, now = frozenset(seen.channels), tools.clock()
        async with tools.database.write() as conn:
            changes = await recovery.recover(conn, tools.holder, live, tools.policy, now, ended=ended)
        await self._told(changes)
        await self._adopt(seen)

    async def _adopt(self, seen: Alive) -> None:
        """Follows attempts that another dialler began, or during which the link was lost; ends those withdrawn."""
        tools = self._tools
        async with tools.database.read() as conn:
            flying = await reading.under_way(conn)
            withdrawn = await reading.withdrawn(conn, list(seen.channels))
        for channel_id in withdrawn:
            if (flight := self._flights.get(channel_id)) is not None:
                flight.withdrawn = True
            await tools.bridge.send(commands.hangup(seen.channels[channel_id]))
        for each in flying:
            if each.channel_id not in seen.channels or each.channel_id in self._flights:
                continue
            self._flights[each.channel_id] = Flight(each.call_id, each.queue, each.agent, each.mode)
            if each.agent:
                self.turns.kept.add(each.agent)
            if each.mode is Mode.AGENT_FIRST and each.call_id in seen.talking:
                await self._connect(Told(each.channel_id, What.CUSTOMER_HERE, tools.clock()))
