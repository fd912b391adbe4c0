"""Calls customers back, the agent first: claims by lease, keeps an agent, commits, dials once, and hears the end.

The attempt is in the database before the exchange is asked, and only facts of the exchange decide about it afterwards
(TL-23, F19). What a dead dialler left is looked after by `recover`: nothing is dialled twice, nothing is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from cti import callbacks
from cti.ami import commands
from cti.ami.frames import Frame
from cti.ami.guard import Guard
from cti.ami.link import ActionIds, AmiAccount, Link, LinkState, Up
from cti.ami.session import ActionRefused, LinkDown, NoAnswer
from cti.callbacks import Alive, Told, What
from cti.turns import Tools, Turns
from ticketing.callbacks import dialling, recovery
from ticketing.callbacks.model import HELD, Claim, Dial, Fact, Outcome, State, Verb
from ticketing.callbacks.reading import Candidate
from ticketing.callbacks.tables import callback, callback_attempt
from ticketing.changes import Change
from ticketing.errors import HotlineError, Refused

log = structlog.get_logger(__name__)

#: how long the kept agent's phone rings, milliseconds (default)
_RING_MS: Final = 25_000
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
    agent: str
    talking: bool = False
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
        self.turns = Turns(tools, self._begin, lambda: isinstance(self._link.state, Up))
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
        asked = asyncio.create_task(self._guarded(self._originate(dial, agent), "callback_originate"))
        self._asking.add(asked)
        asked.add_done_callback(self._asking.discard)
        return True

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
            await self.turns.let_go(agent)

    async def _originate(self, dial: Dial, agent: str) -> None:
        """Asks the exchange once. Without its answer nothing is concluded: events tell, or `recover` decides."""
        number = callbacks.national(dial.number)
        command = commands.originate(
            dial.channel_id,
            "cti-dial",
            number,
            caller_id=self._tools.caller_id,
            timeout_ms=_RING_MS,
            variables={"__CTI_CALL_ID": dial.call_id, "CTI_AGENT": agent, "CTI_ANI": number},
            channel_id=dial.channel_id,
            other_channel_id=callbacks.agent_half(dial.channel_id),
        )
        try:
            answer = (await self._link.send(command, _RING_MS / 1000 + _LATE_S))[-1]
        except (LinkDown, NoAnswer) as error:
            log.warning("callback_unanswered", channel=dial.channel_id, why=error.code)
            return
        except ActionRefused:
            await self._miss(dial.channel_id, Outcome.REFUSED)
            return
        if answer.get("Response") == "Failure":
            # it comes beside the end of the agent's dial: whichever is first counts
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
            self.turns.kept -= {flight.agent for flight in self._flights.values()}
            self._flights.clear()

    async def _hear_all(self) -> None:
        while True:
            news = await self._news.get()
            await self._guarded(self._hear(news), "callback_hear")

    async def _hear(self, news: Told) -> None:
        flight = self._flights.get(news.channel_id)
        match news.what:
            case What.CUSTOMER_HERE:
                await self._connect(news)
            case What.CUSTOMER_MISSED:
                await self._miss(news.channel_id, news.outcome or Outcome.NO_ANSWER)
            case What.AGENT_GONE:
                if flight is not None and not flight.withdrawn:
                    self._tools.put_event(callbacks.missed(flight.call_id, flight.queue, flight.agent, news.at))
                await self._miss(news.channel_id, Outcome.AGENT_LOST)
            case What.OVER if flight is not None and flight.talking:
                await self._hung_up(news, flight)
            case What.OVER if flight is not None:
                await self._miss(news.channel_id, Outcome.AGENT_LOST)

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

    async def _miss(self, channel_id: str, outcome: Outcome) -> None:
        """Told by several events: the first counts."""
        tools = self._tools
        now = tools.clock()
        async with tools.database.write() as conn:
            changes = await dialling.hear(conn, Fact(channel_id, Verb.MISS, now, outcome=outcome), tools.policy, now)
        flight = self._flights.pop(channel_id, None)
        if flight is not None and not flight.talking:
            for event in callbacks.over(flight.call_id, flight.queue, flight.agent, channel_id, now, talked=False):
                tools.put_event(event)
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
            if not self._flights and not await _any_held(conn):
                return
        seen = callbacks.alive(await tools.bridge.send(commands.core_show_channels()))
        async with tools.database.write() as conn:
            changes = await recovery.recover(conn, tools.holder, frozenset(seen.channels), tools.policy, tools.clock())
        await self._told(changes)
        await self._adopt(seen)

    async def _adopt(self, seen: Alive) -> None:
        """Follows attempts that another dialler began, or during which the link was lost; ends those withdrawn."""
        tools = self._tools
        async with tools.database.read() as conn:
            flying, withdrawn = await _flying(conn), await _withdrawn(conn, seen.channels)
        for channel_id in withdrawn:
            if (flight := self._flights.get(channel_id)) is not None:
                flight.withdrawn = True
            await tools.bridge.send(commands.hangup(seen.channels[channel_id]))
        for channel_id, flight in flying.items():
            if channel_id not in seen.channels or channel_id in self._flights:
                continue
            self._flights[channel_id] = flight
            self.turns.kept.add(flight.agent)
            if flight.call_id in seen.talking:
                await self._connect(Told(channel_id, What.CUSTOMER_HERE, tools.clock()))


async def _any_held(conn: AsyncConnection) -> bool:
    states = [state.value for state in HELD]
    found = await conn.scalar(select(callback.c.id).where(callback.c.state.in_(states)).limit(1))
    return found is not None


async def _withdrawn(conn: AsyncConnection, channels: Iterable[str]) -> list[str]:
    """Attempts that still ring though their customer called himself meanwhile (P37)."""
    withdrawn = callback_attempt.c.outcome == Outcome.WITHDRAWN.value
    found = await conn.scalars(
        select(callback_attempt.c.channel_id).where(callback_attempt.c.channel_id.in_(list(channels)), withdrawn)
    )
    return [str(channel_id) for channel_id in found]


async def _flying(conn: AsyncConnection) -> dict[str, Flight]:
    """Attempts under way, by channel id."""
    rows = await conn.execute(
        select(callback_attempt.c.channel_id, callback_attempt.c.call_id, callback_attempt.c.agent, callback.c.queue)
        .join(callback, callback.c.id == callback_attempt.c.callback_id)
        .where(callback_attempt.c.state == State.DIALLING.value, callback.c.state == State.DIALLING.value)
    )
    return {row.channel_id: Flight(row.call_id, row.queue, row.agent or "") for row in rows}
