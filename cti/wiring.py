"""Effects of the call reducer carried out, and the menus' questions answered; every effect may be carried out twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from cti import store as calls
from cti.ami.guard import Why
from cti.calls import effects as ef
from cti.calls.events import OUR_CLOCK
from cti.calls.model import CallRecord, Outcome, Phase
from cti.hub import Hub
from cti.pops import PopBoard, Standing
from cti.screenpop import instant
from cti.switchboard import Switchboard
from cti.tables import CLOCK_STEP
from ivr import ports
from ticketing import audit, serials
from ticketing.changes import Change
from ticketing.contacts import store as contacts
from ticketing.contacts.model import ContactKind, NewContact
from ticketing.customers import actions as customers
from ticketing.customers.model import Lookup
from ticketing.customers.rules import normalise
from ticketing.db import Database
from ticketing.errors import HotlineError, NotFound
from ticketing.nuisance import store as nuisance
from ticketing.orders import actions as orders
from ticketing.orders import store as order_store
from ticketing.orders.inputs import DraftFromCall
from ticketing.orders.views import Progress
from ticketing.roles import SYSTEM, Post
from ticketing.staff import agents, store
from ticketing.staff.model import AgentState, Staff
from ticketing.surveys import actions as surveys
from ticketing.surveys import rules as grades
from ticketing.surveys.model import NewGrade

log = structlog.get_logger(__name__)

#: open orders looked up for a caller: the menu reads out five and says "more"
_SPOKEN: Final = 6
#: the dialplan's word for a caller whose number is none: no honest exchange sends such a call (S03)
_HOSTILE: Final = "caller_number"
#: of a phone that is nobody's
_LANGUAGE: Final = "zh"
#: outcomes of a call that a crash of the exchange ended, which leave the caller with nothing
_CUT_OFF: Final = frozenset({Outcome.ANSWERED, Outcome.FAILED})


class Directory:
    """`ivr.ports.CallerDirectory` on our own customer table (TL-34)."""

    def __init__(self, database: Database, clock: Callable[[], datetime], area_code: str) -> None:
        self._database = database
        self._clock = clock
        self._area_code = area_code

    async def look_up(self, ani: str, dnis: str) -> ports.CallerContext:
        """Who may be behind a calling number; `dnis` does not matter to our own table."""
        now, number = self._clock(), normalise(ani, area_code=self._area_code).key

        async def asked(conn: AsyncConnection) -> ports.CallerContext:
            found = await customers.look_up(conn, ani, now, self._area_code)
            listed = number is not None and await nuisance.is_listed(conn, number, now)
            return replace(_context(found), nuisance=listed)

        return await self._database.read_whole(asked)

    async def identify(self, service_number: str) -> ports.CallerContext:
        """Who is behind a service number that was keyed in."""
        now = self._clock()
        found = await self._database.read_whole(
            lambda conn: customers.identify(conn, service_number, now, self._area_code)
        )
        return _context(found)


def _context(found: Lookup) -> ports.CallerContext:
    customer = found.customer
    return ports.CallerContext(
        match=found.match.value,
        customer=customer.public_id if customer else None,
        vip_class=found.vip_class,
        repeat=found.repeat,
        overdue_repeat=found.overdue_repeat,
        open_orders=found.open_count,
        language=customer.language if customer else None,
    )


class OrderWords:
    """`ivr.ports.OrderProgress`: what may be said of an order by voice, and nothing more (TL-02)."""

    def __init__(self, database: Database, clock: Callable[[], datetime], area_code: str) -> None:
        self._database = database
        self._clock = clock
        self._area_code = area_code

    async def by_serial(self, serial: str) -> ports.Progress | None:
        """State and next step of one order."""
        async with self._database.read() as conn:
            found = await order_store.progress_by_serial(conn, serial, self._clock())
        return None if found is None else _words(found)

    async def by_number(self, ani: str) -> Sequence[ports.Progress]:
        """Open orders of a calling number, newest first."""
        key = normalise(ani, area_code=self._area_code).key
        if key is None:
            return ()
        async with self._database.read() as conn:
            return [_words(found) for found in await order_store.progress_by_number(conn, key, self._clock(), _SPOKEN)]

    def valid_serial(self, serial: str) -> bool:
        """Whether the check digit is right (PX-03)."""
        return serials.valid(serial)


def _words(found: Progress) -> ports.Progress:
    state = "PAUSED" if found.paused else found.state.upper()
    return ports.Progress(
        serial=found.serial,
        state=state,
        next_step=state if found.next_step is not None else None,
        overdue=found.overdue,
        contact_last4=found.contact_last4,
    )


@dataclass(frozen=True, slots=True)
class Tools:
    """What carrying out an effect needs."""

    database: Database
    hub: Hub
    board: PopBoard
    switchboard: Switchboard
    clock: Callable[[], datetime]
    wrap_up: timedelta
    #: tells committed changes to the pages
    announce: Callable[[Sequence[Change]], Awaitable[None]]
    #: says that a recording of this call is under way, in the transaction of its draft
    expect_recording: Callable[[AsyncConnection, str], Awaitable[object]]
    #: finds, checks and joins the voice file of a closed call
    register_recording: Callable[[CallRecord], Awaitable[None]]
    #: puts the caller of a call that a crash of the exchange cut off on the list of those to be called back (F05)
    propose: Callable[[CallRecord], Awaitable[None]]
    #: one call as the page lists it, in a language
    call_view: Callable[[CallRecord, str], Awaitable[dict[str, Any]]]


class Performer:
    """Carries out effects; the pump keeps those of one call or one agent in order."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        #: told whenever somebody's phone changes what he does: the dialler's, when callbacks are dialled
        self.on_phase: Callable[[], None] = lambda: None

    async def perform(self, effect: ef.Effect) -> None:
        """Does one effect; raises what the database or Asterisk raise, so that the pump can count and log it."""
        match effect:
            case ef.PrefetchCustomer():
                await self._tools.board.prefetch(effect.call_id, effect.ani, effect.customer)
            case ef.PopScreen():
                await self._pop(effect)
            case ef.RetractPop():
                self._tools.board.retract(effect.agent, effect.call_id, effect.why)
                self._tools.hub.publish(effect.agent, "retract", {"call_id": effect.call_id, "why": effect.why})
            case ef.CreateDraft():
                await self._draft(effect)
            case ef.AgentPhase():
                await self._phase(effect)
            case ef.PauseAgent():
                await self._pause(effect)
            case ef.AlertLate():
                await self._alert(effect)
            case ef.RegisterRecording():
                record = await self._record(effect.call_id)
                if record is not None:
                    await self._tools.register_recording(record)
            case ef.CompleteCall():
                await self._complete(effect.record)
            case ef.NoteClockStep():
                await self._clock_step(effect)
            case ef.SecurityEvent():
                await self.security(effect.why, effect.detail)

    async def security(self, why: Why | str, detail: str) -> None:
        """Writes a security event; the detail was made harmless by who found it."""
        log.warning("security", why=str(why), detail=detail)
        async with self._tools.database.write() as conn:
            await audit.record(conn, SYSTEM, "security.event", "telephony", str(why), {"detail": detail}, self._now())

    async def _clock_step(self, effect: ef.NoteClockStep) -> None:
        """Written where the doctor looks; what agents do goes on, and lasts as long as it should (F20)."""
        by = timedelta(milliseconds=effect.by_ms)
        async with self._tools.database.write() as conn:
            given = {"whose": effect.whose, "by_ms": effect.by_ms}
            await audit.record(conn, SYSTEM, CLOCK_STEP, "telephony", effect.whose, given, effect.at)
            if effect.whose == OUR_CLOCK:
                await agents.move_states(conn, effect.at, by)

    def _now(self) -> datetime:
        return self._tools.clock()

    async def _record(self, call_id: str) -> CallRecord | None:
        """The call as it was saved."""
        return await self._tools.database.read_whole(lambda conn: calls.get(conn, call_id))

    async def _language(self, number: str) -> str:
        """Of the pages of whoever the phone is."""
        found = await self._tools.database.read_whole(lambda conn: store.language_of(conn, number))
        return found or _LANGUAGE

    async def _pop(self, effect: ef.PopScreen) -> None:
        language = await self._language(effect.agent)
        standing = Standing(effect.call_id, effect.offered_at, effect.event_at, "ringing")
        pop = await self._tools.board.show(effect.agent, language, standing)
        if pop is not None:
            self._tools.hub.publish(effect.agent, "pop", pop)

    async def _draft(self, effect: ef.CreateDraft) -> None:
        """The draft exists before anybody is told of it (TL-32)."""
        record = self._tools.board.record(effect.call_id) or await self._record(effect.call_id)
        if record is None:
            return
        number = (await self._tools.board.prefetch(record.call_id, record.ani, record.customer)).lookup.number
        given = DraftFromCall(
            call_id=effect.call_id,
            agent_number=effect.agent,
            caller_number=number.key or record.ani,
            dnis=record.dnis,
            answered_at=effect.answered_at,
            customer=record.customer or None,
            queue=record.queue or None,
        )
        now = self._now()

        async def draft(conn: AsyncConnection) -> Change:
            person = await _person(conn, effect.agent)
            change = await orders.draft_at_answer(conn, person.actor if person else SYSTEM, given, now)
            await self._tools.expect_recording(conn, effect.call_id)
            return change

        change = await self._tools.database.write_whole(draft)
        self._tools.board.answered(effect.agent, effect.call_id, change.subject_id)
        told = {"call_id": effect.call_id, "order_id": change.subject_id, "serial": change.payload.get("serial")}
        self._tools.hub.publish(effect.agent, "draft", told)
        await self._tools.announce([change])

    async def _phase(self, effect: ef.AgentPhase) -> None:
        """The database follows the telephone; the queues follow the wrap-up."""
        state, call_id = AgentState(effect.state.value), effect.call_id or None
        change = await self._tools.database.write_whole(
            lambda conn: agents.follow_phone(conn, effect.agent, state, call_id, effect.at, wrap_up=self._tools.wrap_up)
        )
        if effect.state is Phase.TALKING:
            self._tools.board.answered(effect.agent, effect.call_id, None)
        self.on_phase()
        if change is None:
            return
        if effect.state is Phase.WRAP_UP:  # at once: until then the exchange may ring him
            await self._tools.switchboard.pause(effect.agent, True, "wrap_up")
        await self._tools.announce([change])

    async def end_wrap_ups(self) -> None:
        """Ends every wrap-up whose time is over, here and in the queues (PX-01)."""
        now = self._now()
        changes = await self._tools.database.write_whole(lambda conn: agents.end_wrap_ups(conn, now))
        for change in changes:
            if change.payload.get("state") == AgentState.READY.value:
                await self._tools.switchboard.ready(change.subject_id)
            self._tools.board.clear(change.subject_id)
        if changes:
            await self._tools.announce(changes)

    async def _pause(self, effect: ef.PauseAgent) -> None:
        """An agent who lets calls ring is paused, and told why (TL-11)."""
        try:
            async with self._tools.database.write() as conn:
                change = await agents.pause(conn, SYSTEM, effect.reason, self._now(), number=effect.agent)
        except HotlineError as error:
            log.info("agent.not_paused", agent=effect.agent, why=error.code)
            return
        await self._tools.switchboard.pause(effect.agent, True, effect.reason)
        await self._tools.announce([change])

    async def _alert(self, effect: ef.AlertLate) -> None:
        """A caller waits too long beside an idle agent: the supervisors hear of it (TL-11)."""
        async with self._tools.database.read() as conn:
            supervisors = [person.number for person in await store.everyone(conn) if Post.SU in person.posts]
        alert = {
            "code": "late_answer",
            "text": "caller_waits",
            "call_id": effect.call_id,
            "at": instant(self._now()),
            "details": {"waited_ms": effect.waited_ms, "idle_agents": list(effect.idle_agents)},
        }
        self._tools.hub.broadcast("alert", alert, supervisors)

    async def _grade(self, conn: AsyncConnection, record: CallRecord) -> Sequence[Change]:
        """The caller's grade goes to its call, agent and order, a bad one to the surveyors (TL-08); silence is none."""
        if not record.grade:
            return ()
        at = record.ended_at or record.entered_at
        given = NewGrade(call_id=record.call_id, grade=record.grade, agent=record.answered_by, at=at)
        return await surveys.take_grade(conn, SYSTEM, given, grades.shipped(), self._now())

    async def _complete(self, record: CallRecord) -> None:
        """The customer's log gets its line, also for a call nobody answered (IN-13)."""
        self._tools.board.closed(record)
        outcome = record.outcome.value if record.outcome else None
        found = (await self._tools.board.prefetch(record.call_id, record.ani, record.customer)).lookup
        new = NewContact(
            kind=ContactKind.CALL,
            at=record.entered_at,
            external_id=record.call_id,
            customer_id=found.customer.id if found.customer else None,
            number=found.number.key,
            queue=record.queue or None,
        )

        async def log_call(conn: AsyncConnection) -> Sequence[Change]:
            await contacts.record(conn, new)
            if record.ended_at is not None:
                await contacts.end(conn, record.call_id, record.ended_at, outcome)
            return await self._grade(conn, record)

        graded = await self._tools.database.write_whole(log_call)
        if graded:
            await self._tools.announce(graded)
        if record.end_reason == "pbx-crash" and record.outcome in _CUT_OFF:
            await self._tools.propose(record)
        if record.refusal == _HOSTILE:
            await self.security(_HOSTILE, f"call {record.call_id}")
        for agent in sorted({offer.agent for offer in record.offers if offer.answered_at is not None}):
            view = await self._tools.call_view(record, await self._language(agent))
            self._tools.hub.publish(agent, "call", view)


async def _person(conn: AsyncConnection, number: str) -> Staff | None:
    """The member of staff behind a phone; None for a phone that is nobody's."""
    try:
        return await store.by_number(conn, number)
    except NotFound:
        return None
