"""What the web asks of the telephone side, answered by the link, the floor and the sandboxed Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from cti.ami import commands
from cti.ami.decode import snapshot
from cti.ami.link import Link, Up
from cti.ami.session import ActionRefused
from cti.asterisk.errors import AsteriskError
from cti.asterisk.phones import Phones
from cti.asterisk.settings import Phone
from cti.calls import figures
from cti.calls.beside import REASONS, Side
from cti.calls.events import CallDisconnected, MemberChanged, WrapUpEnded
from cti.calls.model import Floor
from cti.counters import CounterBook
from cti.labels import LabelBook
from cti.pops import PopBoard
from cti.pump import Pump
from cti.screenpop import Labels
from cti.switchboard import Switchboard, interface_of
from cti.vitals import Vitals
from cti.web.schemas.agent import PhoneCredentials, PhoneKind, QueueCall, QueueMember, QueueView
from cti.web.schemas.common import Label
from cti.web.schemas.figures import CounterPair, CountersView, ReasonCount
from cti.web.schemas.pop import MissedPop, Pop
from cti.web.schemas.reference import HealthPart
from ticketing.callbacks import reading
from ticketing.db import Database
from ticketing.errors import HotlineError, NotFound, Unavailable
from ticketing.roles import Actor
from ticketing.staff import store as staff
from ticketing.text import mask_number

log = structlog.get_logger(__name__)

#: device states of a phone that Asterisk cannot reach: invalid, unavailable
_UNREACHABLE: Final = frozenset({4, 5})
#: life of a browser phone's secret; a new one is given at every registration (S24) (default)
_SECRET_LIVES: Final = timedelta(hours=12)
#: how long an answer of Asterisk about its queues is new enough for a page (default)
_FRESH: Final = timedelta(seconds=2)
#: how long a page waits for the picture to be complete, seconds (default)
_SETTLES_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Wires:
    """The parts of the telephone side that already exist."""

    database: Database
    link: Link
    floor: Floor
    pump: Pump
    board: PopBoard
    switchboard: Switchboard
    labels: LabelBook
    vitals: Vitals
    clock: Callable[[], datetime]
    #: the phones of our own Asterisk; None when it is run elsewhere
    phones: Phones | None
    sip_socket: str
    #: ring time of a queue in seconds, from queues.conf
    ring_seconds: Callable[[str], int]


class LiveTelephony:
    """`cti.web.ports.Telephony` on a real Asterisk."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self._looked_at: datetime | None = None
        self._counters = CounterBook(wires.database, wires.floor)

    async def sign_in(self, actor: Actor, phone: PhoneKind) -> None:
        """Adds the agent to his queues."""
        if self._wires.phones is not None:
            try:
                await self._wires.phones.become(Phone(number=actor.number, kind=phone))
            except (AsteriskError, OSError) as error:
                raise Unavailable("phone_refused", str(error)) from error
        async with self._wires.database.read() as conn:
            wanted = [item for item in await reading.memberships(conn) if item.number == actor.number]
        await self._wires.switchboard.sign_in(wanted)

    async def sign_out(self, actor: Actor) -> None:
        """Takes the agent out of the queues he was added to; the secret of his browser phone ends (S24)."""
        try:
            await self._wires.switchboard.sign_out(actor.number)
        finally:
            await self._expire(actor.number)

    async def _expire(self, number: str) -> None:
        """Failure is no reason to keep anybody signed in: the secret is renewed at his next registration anyway."""
        if self._wires.phones is None:
            return
        try:
            await self._wires.phones.expire(number)
        except (AsteriskError, OSError) as error:
            log.warning("phone.secret_kept", agent=number, why=str(error))

    async def pause(self, actor: Actor, reason: str) -> None:
        """Pauses the agent in every queue."""
        await self._wires.switchboard.pause(actor.number, True, reason)

    async def ready(self, actor: Actor) -> None:
        """Ends pause and wrap-up."""
        self._wires.pump.put_event(WrapUpEnded(at=self._wires.clock(), agent=actor.number))
        self._wires.board.clear(actor.number)
        await self._wires.switchboard.ready(actor.number)

    async def phone_credentials(self, actor: Actor) -> PhoneCredentials:
        """A fresh secret for the browser phone; raises Unavailable when Asterisk is run elsewhere."""
        if self._wires.phones is None:
            raise Unavailable("no_browser_phones", "Browser phones need the Asterisk that this service starts itself.")
        try:
            await self._wires.phones.become(Phone(number=actor.number, kind="browser"))
            secret = await self._wires.phones.rotate(actor.number)
        except (AsteriskError, OSError) as error:
            raise Unavailable("phone_refused", str(error)) from error
        return PhoneCredentials(
            uri=f"sip:{actor.number}@hotline",
            username=actor.number,
            password=secret,
            realm="hotline",
            expires_at=self._wires.clock() + _SECRET_LIVES,
            display_name=actor.name,
        )

    def require_up(self, call_id: str) -> None:
        """Whether the call can be ended now."""
        if not isinstance(self._wires.link.state, Up):
            raise Unavailable("telephony_down", "Asterisk does not answer; the call was not ended.")
        call = self._wires.floor.calls.get(call_id)
        if call is None or all(leg.ended_at is not None for leg in call.legs.values()):
            raise NotFound("call_over", call=call_id)

    async def disconnect(self, call_id: str, by: str) -> None:
        """Ends every channel of the call; one that is gone already is no fault."""
        self.require_up(call_id)
        call = self._wires.floor.calls[call_id]
        self._wires.pump.put_event(CallDisconnected(at=self._wires.clock(), call_id=call_id, by=by))
        for channel in [leg.channel for leg in call.legs.values() if leg.ended_at is None and leg.channel]:
            with suppress(ActionRefused):
                await self._wires.link.send(commands.hangup(channel))

    def registered(self, number: str) -> bool:
        """Whether Asterisk can reach the agent's phone, as its queues last said."""
        interface = interface_of(number)
        places = self._wires.floor.members.of_agent(number)
        states = [member.status for member in places if member.interface == interface]
        return bool(states) and all(state not in _UNREACHABLE for state in states)

    def queue_label(self, name: str, language: str) -> str:
        """What people call a queue."""
        return self._wires.labels.queue(name, language)

    def labels(self, language: str) -> Labels:
        """What people call the codes of a call."""
        return self._wires.labels(language)

    async def queues(self, language: str) -> Sequence[QueueView]:
        """Every queue as Asterisk has it; raises Unavailable while the link is down."""
        if not isinstance(self._wires.link.state, Up):
            raise Unavailable("telephony_down", "Asterisk does not answer; the queues are not known now.")
        with suppress(HotlineError, TimeoutError):
            await self._look()
        return [self._queue(view, language) for view in figures.queue_views(self._wires.floor, self._wires.clock())]

    async def counters(self, language: str) -> Sequence[CountersView]:
        """Asterisk's own counters beside ours (TL-13); raises Unavailable while the link is down."""
        if not isinstance(self._wires.link.state, Up):
            raise Unavailable("telephony_down", "Asterisk does not answer; its counters are not known now.")
        with suppress(HotlineError, TimeoutError):
            await self._look()
        return [
            CountersView(
                queue=found.queue,
                label=self.queue_label(found.queue, language),
                since=found.since,
                at=found.at,
                answered=_pair(found.answered),
                abandoned=_pair(found.abandoned),
                service_level_s=found.service_level_s,
                level_percent=found.level_percent,
                our_level_percent=round(100 * found.in_time / found.answered.ours, 1) if found.answered.ours else None,
            )
            for found in await self._counters.compared()
        ]

    async def _look(self) -> None:
        """Takes in settings, counters and static members as they are: `queue reload` tells nobody (TL-60)."""
        asked_at = self._wires.clock()
        if self._looked_at is not None and asked_at - self._looked_at < _FRESH:
            return
        self._looked_at = asked_at
        seen = snapshot(await self._wires.link.send(commands.queue_status()), asked_at)
        listed = {(member.queue, member.interface) for member in seen.members}
        gone = [place for place in self._wires.floor.members if place not in listed]
        for fact in (*seen.queues, *seen.members):
            self._wires.pump.put_event(fact)
        for queue, interface in gone:
            self._wires.pump.put_event(MemberChanged(at=asked_at, queue=queue, interface=interface, removed=True))
        async with asyncio.timeout(_SETTLES_S):
            await self._wires.pump.drained()

    def _queue(self, view: figures.QueueView, language: str) -> QueueView:
        members = [
            QueueMember(
                interface=member.interface,
                agent=member.agent,
                state=member.state,
                since=member.since,
                reason=member.reason or None if member.paused else None,
                paused=member.paused,
                dynamic=member.dynamic,
                call_id=member.call_id or None,
            )
            for member in view.members
        ]
        calls = [
            QueueCall(
                call_id=caller.call_id,
                number=mask_number(caller.ani),
                position=place,
                joined_at=caller.joined_at,
                priority=caller.priority,
                vip=bool(caller.vip),
            )
            for place, caller in enumerate(view.waiting, start=1)
        ]
        return QueueView(
            name=view.queue,
            label=self.queue_label(view.queue, language),
            strategy=view.strategy,
            service_level_s=view.service_level_s,
            ring_s=self._wires.ring_seconds(view.queue),
            members=members,
            waiting=len(calls),
            calls=calls,
        )

    async def current_pop(self, number: str) -> Pop | None:
        """The pop for a page that starts afresh."""
        pop = await self._wires.board.current(number, await self._language(number))
        return None if pop is None else Pop.model_validate(pop)

    async def missed_pops(self, number: str) -> Sequence[MissedPop]:
        """Pops that were withdrawn before this agent answered."""
        return [
            MissedPop(
                call_id=item.call_id,
                offered_at=item.offered_at,
                number_display=item.number,
                customer_name=item.name,
                why=item.why,
            )
            for item in self._wires.board.missed(number)
        ]

    async def health(self) -> Sequence[HealthPart]:
        """Every part that may be degraded, a line each."""
        return await self._wires.vitals.parts()

    @property
    def serving(self) -> bool:
        """Whether callers can be served from here."""
        return self._wires.vitals.serving

    async def metrics(self, pops_ms: Sequence[float]) -> bytes:
        """Everything as numbers."""
        return await self._wires.vitals.metrics(pops_ms)

    def sip_address(self) -> str:
        """Where `/sip` is relayed to."""
        return self._wires.sip_socket

    async def _language(self, number: str) -> str:
        return (await self._wires.database.read_whole(lambda conn: staff.by_number(conn, number))).language


def _pair(side: Side) -> CounterPair:
    return CounterPair(
        theirs=side.theirs,
        ours=side.ours,
        difference=side.theirs - side.ours,
        reasons=[
            ReasonCount(
                code=code,
                name=Label(zh=REASONS[code].name_zh, en=REASONS[code].name_en),
                text=Label(zh=REASONS[code].text_zh, en=REASONS[code].text_en),
                count=count,
            )
            for code, count in side.reasons.items()
        ],
    )
