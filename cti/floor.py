"""The telephone side as one thing that is restored, connected, kept right and taken down."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from cti import store
from cti.ami import commands
from cti.ami.decode import booted_at, decode, needs, snapshot
from cti.ami.frames import Frame
from cti.ami.link import AmiAccount, Link, LinkState, Up
from cti.announcements import Announcements
from cti.asterisk import conf
from cti.asterisk.phones import Phones
from cti.asterisk.settings import AsteriskSettings
from cti.backfill import Backfill
from cti.calls import forecast
from cti.calls.events import OUR_CLOCK, ClockStepped, LinkLost, LinkUp
from cti.calls.model import CallRecord, Floor, FloorSettings
from cti.calls.reducer import reduce, take_changed
from cti.calls.restore import restore
from cti.hub import Hub
from cti.journal import Journal
from cti.labels import LabelBook
from cti.overflow import Bookings, Called, LiveFloor, Messages, SpoolDisk, staffed
from cti.pops import PopBoard
from cti.pump import Pump
from cti.settings import Settings
from cti.switchboard import Switchboard
from cti.telephony import LiveTelephony, Wires
from cti.vitals import Organs, Vitals
from cti.web.announce import announce
from cti.web.callviews import call_views
from cti.web.deps import WebDeps
from cti.web.recordingviews import recording_refs
from cti.wiring import Directory, OrderWords, Performer, Tools
from ivr.hours import TreeHours
from ivr.menus import Menus
from ivr.model import Tree
from ivr.overwalk import OverflowPorts
from ivr.prompts import Manifest
from ivr.server import FastAgiServer
from ivr.session import Ports
from ivr.spool import Spool
from recordings.library import Library
from ticketing.callbacks import actions as callbacks
from ticketing.callbacks import policy, reading
from ticketing.callbacks.model import Mode, NewBooking
from ticketing.callbacks.rules import ASAP
from ticketing.changes import Change
from ticketing.contacts.tables import contact, contact_order
from ticketing.db import Database
from ticketing.errors import HotlineError
from ticketing.orders.tables import customer_order
from ticketing.roles import SYSTEM
from ticketing.taxonomy import Taxonomies

log = structlog.get_logger(__name__)

_POP_RECORDINGS: Final = 5
#: newest talks of all queues that the expected wait begins with
_TALKS: Final = 200
#: marks of a record whose length is not known: its ends were guessed
_VAGUE: Final = frozenset({"entered_at", "answered_at", "ended_at", "legs"})


class FloorKeeper:
    """Owns the floor, the link and the pump; the composition root starts it and hands it to the web."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        menus: Menus,
        words: Taxonomies,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        #: how callbacks are offered and dialled
        self.policy = policy.read(settings.callback_policy, Mode(settings.callback_mode.replace("-", "_")))
        self.floor = Floor(
            settings=FloorSettings(
                target_ms=round(settings.answer_target_seconds * 1000),
                max_misses=settings.misses_before_pause,
                short_abandon_ms=round(settings.short_abandon_seconds * 1000),
                wrap_up_s=round(settings.wrap_up_seconds),
            )
        )
        self.hub = Hub(secrets.token_hex(4))
        self.labels = LabelBook(lambda: menus.tree, words)
        self.announcements = Announcements(database, clock)
        self._directory = Directory(database, clock, settings.area_code)
        self._progress = OrderWords(database, clock, settings.area_code)
        self._board = PopBoard(
            database,
            self.floor,
            self.labels,
            clock,
            area_code=settings.area_code,
            recordings_of=recordings_of,
        )
        self._announce: Callable[[Sequence[Change]], Awaitable[None]] = _nobody
        self._resyncing: asyncio.Task[None] | None = None
        #: pages were told that the picture is not whole, and not yet that it is again
        self._degraded = False
        self._journals = Backfill(database, self.floor, settings.journals)
        #: the journals could not be read after a gap: they are at the next look
        self._owed = False
        self._booted_at: datetime | None = None

    def ports(self, tree: Callable[[], Tree], overflow: OverflowPorts | None) -> Ports:
        """What the menus ask (ivr.ports)."""
        return Ports(
            self._directory, self._progress, TreeHours(tree), self._clock, self.announcements, overflow=overflow
        )

    def receive(self, library: Library) -> None:
        """Recorded messages are taken in, whatever is offered: the dialplan's own script leaves some (TL-24)."""
        self.messages = Messages(
            self._database,
            library,
            announce=self.tell,
            put_event=lambda event: self.pump.put_event(event),  # noqa: PLW0108 - the pump is made later
            clock=self._clock,
            area_code=self._settings.area_code,
        )

    def overflow(self, spool: Spool, tree: Callable[[], Tree]) -> OverflowPorts:
        """What the overflow dialogues ask (ivr.overwalk)."""
        settings, clock = self._settings, self._clock
        opening = staffed(settings.ivr_data, tree)
        return OverflowPorts(
            self.messages,
            Bookings(
                self._database,
                policy=self.policy,
                opening=opening,
                announce=self.tell,
                clock=clock,
                area_code=settings.area_code,
            ),
            LiveFloor(self.floor, clock),
            SpoolDisk(spool.folder, settings.disk_floor_mib * 2**20),
            spool,
            clock,
        )

    def called(self) -> Called:
        """What a customer who is called first says of his callback (ivr.ports.CalledBack)."""
        return Called(self._database, policy=self.policy, announce=self.tell, clock=self._clock)

    async def restore(self) -> None:
        """Puts open calls of the database back on the floor (TL-70), the last talks (TL-14), what is announced."""
        async with self._database.read() as conn:
            restore(self.floor, await store.open_calls(conn))
            talks = await store.last_talks(conn, self._clock() - forecast.FRESH, _TALKS)
        for queue, talk_ms in talks:
            forecast.note_talk(self.floor, queue, talk_ms)
        await self.announcements.refresh()

    def wire(
        self,
        account: AmiAccount,
        *,
        token: str,
        library: Library,
        agi: FastAgiServer,
        phones: Phones | None,
        exchange: AsteriskSettings,
        manifest: Manifest,
        journal_key: bytes,
        may_act: Callable[[], bool],
    ) -> LiveTelephony:
        """Makes link, pump and effects; nothing is connected yet."""
        self._library = library
        self._rescue_queue = exchange.rescue_queue
        self._notice_s = max((manifest.prompt("notice", lang).seconds for lang in ("zh", "en")), default=0.0)
        self.link = Link(
            account,
            self._on_frame,
            self._on_state,
            self._clock,
            on_refused=lambda why, detail: self.pump.put_security(f"ami_{why}", detail),
            on_pong=lambda *read: self.pump.put_pong(*read),  # noqa: PLW0108 - the pump is made later
        )
        self._switchboard = Switchboard(self.link, self.floor)
        self.performer = Performer(
            Tools(
                database=self._database,
                hub=self.hub,
                board=self._board,
                switchboard=self._switchboard,
                clock=self._clock,
                wrap_up=timedelta(seconds=self._settings.wrap_up_seconds),
                announce=self.tell,
                expect_recording=self._expect_recording,
                register_recording=self._register_recording,
                propose=self._propose,
                call_view=self._call_view,
            )
        )
        self.journal = Journal(self._settings.journal_dir, journal_key, max_bytes=self._settings.journal_bytes)
        self.pump = Pump(
            self.floor,
            token=token,
            decode=decode,
            needs=needs,
            reduce=reduce,
            take_changed=take_changed,
            save=self._save,
            perform=self.performer.perform,
            clock=self._clock,
            journal=self.journal,
            may_act=may_act,
            on_gap=lambda why: self._resync(),
            on_step=self._on_step,
        )
        self.vitals = Vitals(
            Organs(
                link=lambda: self.link.state,
                floor=self.floor,
                pump=self.pump,
                agi=agi,
                journal=self.journal,
                spool=exchange.spool,
                disks=(self._settings.home, exchange.spool),
                floor_bytes=self._settings.disk_floor_mib * 2**20,
                holds=may_act,
                clock=self._clock,
            )
        )
        self.vitals.journals = lambda: self._journals.health
        self.telephony = LiveTelephony(
            Wires(
                database=self._database,
                link=self.link,
                floor=self.floor,
                pump=self.pump,
                board=self._board,
                switchboard=self._switchboard,
                labels=self.labels,
                vitals=self.vitals,
                clock=self._clock,
                phones=phones,
                ring_seconds=lambda queue: ring_seconds(exchange, queue),
                sip_socket=f"ws://{exchange.bind}:{exchange.http_port}/ws",
            )
        )
        return self.telephony

    def serve(self, deps: WebDeps) -> None:
        """From now on committed changes are told to pages."""
        self._announce = lambda changes: announce(deps, changes)

    @property
    def switchboard(self) -> Switchboard:
        """Queue membership and pauses."""
        return self._switchboard

    @property
    def asterisk_version(self) -> str:
        """What Asterisk says it is; empty while it is not connected."""
        return self.link.state.core.version if isinstance(self.link.state, Up) else ""

    async def connect(self) -> None:
        """Returns when the link is up; raises WrongSecret or AsteriskTooOld, which no retry can mend."""
        await self.link.start()

    async def disconnect(self) -> None:
        """Takes the link down."""
        if self._resyncing is not None:
            self._resyncing.cancel()
        await self.link.stop()

    async def run(self) -> None:
        """Pumps until cancelled."""
        await self.pump.run()

    async def tell(self, changes: Sequence[Change]) -> None:
        """Tells committed changes to the pages they concern."""
        await self._announce(changes)

    def compare(self) -> None:
        """Compares the picture with Asterisk's own; nothing to do while it is being rebuilt or the link is down."""
        if isinstance(self.link.state, Up) and (self._resyncing is None or self._resyncing.done()):
            self._resync(after_gap=False)

    def forget_events(self, now: datetime) -> None:
        """Erases raw events older than the setting `journal_days` says (TL-71)."""
        self.journal.erase_before(now - timedelta(days=self._settings.journal_days))

    # -- the link --------------------------------------------------------------------------------------------------

    def _on_frame(self, raw: bytes, received_at: datetime) -> None:
        """Every event goes to the pump; a reload of Asterisk's files may have changed queues and static members."""
        if raw.startswith(b"Event: FullyBooted\r\n"):
            self._booted_at = booted_at(Frame(raw), received_at) or self._booted_at
        if self.vitals.filtered and raw.startswith(commands.PROBE):
            self.vitals.filtered = False
            log.error("event_filter_open", remedy="look at the eventfilter lines of manager.conf: `hotline doctor`")
        self.pump.put_nowait(raw, received_at)
        if raw.startswith(b"Event: Reload\r\n"):
            self._resync()

    def _on_state(self, state: LinkState) -> None:
        if isinstance(state, Up):
            self._resync()
        else:
            self._journals.gap()
            self.pump.put_event(LinkLost(at=self._clock(), why="link"))
            if not self._degraded:
                self.hub.broadcast("alert", {"code": "telephony_degraded", "text": "telephony_degraded"})
            self._degraded = True

    def _on_step(self, stepped: ClockStepped) -> None:
        """A picture that was asked for before our clock was set is of another time: it is asked for anew (F20)."""
        if stepped.whose == OUR_CLOCK and self._resyncing is not None and not self._resyncing.done():
            self._resync(after_gap=self._owed)

    def _resync(self, *, after_gap: bool = True) -> None:
        """Begins to rebuild the picture; one that was under way on a lost link is given up."""
        if after_gap:
            self._journals.gap()
        if self._resyncing is not None:
            self._resyncing.cancel()
        self._resyncing = asyncio.create_task(self._rebuild(after_gap=after_gap), name="resync")
        self._resyncing.add_done_callback(_note)

    async def _check_filter(self) -> None:
        """A misspelt filter of manager.conf fails open without a word: provokes an event that must not come (S01).

        It may come later than the answer; whenever one comes, the filter is known to be open.
        """
        self.vitals.filtered = True
        await self.link.send(commands.probe_filter())

    async def _rebuild(self, *, after_gap: bool) -> None:
        """The floor from the journals and from live state, then the queues from the database (TL-70, TL-40).

        Without a gap it changes nothing on an undisturbed floor, and finds an event that was lost unseen (N2).
        """
        self._owed |= after_gap
        self.pump.resync_done()
        if after_gap:
            await self._check_filter()
        asked_at = self._clock()
        frames = [
            *await self.link.send(commands.core_status()),
            *await self.link.send(commands.core_show_channels()),
            *await self.link.send(commands.queue_status()),
        ]
        if after_gap:
            self.pump.put_event(LinkUp(at=asked_at))
        await self._read_journals()
        zone = UTC if self._settings.asterisk == "sandbox" else None  # our own runs in it
        self.pump.put_event(snapshot(frames, asked_at, zone, self._booted_at))
        await self.pump.drained()
        await self._save(())
        async with self._database.read() as conn:
            wanted = await reading.memberships(conn)
        await self._switchboard.reconcile(wanted)
        if self._degraded:
            self._degraded = False
            self.hub.broadcast("alert", {"code": "telephony_restored", "text": "telephony_restored"})

    async def _read_journals(self) -> None:
        """After the answers and before they are taken in: what ended unheard is then known, not guessed (F01)."""
        if not self._owed:
            await self._journals.keep_up()
            return
        try:
            async for page in self._journals.pages(self._clock()):
                self.pump.put_event(page)
        except (OSError, SQLAlchemyError, HotlineError) as error:
            self._journals.failed(error)
        else:
            self._owed = False

    # -- what effects ask --------------------------------------------------------------------------------------------

    async def _save(self, records: Sequence[CallRecord]) -> None:
        """Records, and in the same transaction how far the journals were read for them."""
        read_to = self._journals.unsaved()
        if not records and not read_to:
            return
        now = self._clock()

        async def save(conn: AsyncConnection) -> None:
            await store.save_calls(conn, records)
            await store.set_offsets(conn, read_to, now)

        await self._database.write_whole(save)
        self._journals.saved(read_to)

    async def _expect_recording(self, conn: AsyncConnection, call_id: str) -> object:
        return await self._library.expect(conn, call_id, self._clock())

    async def _register_recording(self, record: CallRecord) -> None:
        """The length a whole recording would have: from the end of the notice to the end of the call (TL-50)."""
        expected = None
        called_back = record.reason == "callback"  # recorded from the customer's answer on, without a notice
        start = record.answered_at if called_back else record.entered_at
        if record.ended_at is not None and start is not None and not _VAGUE & set(record.unseen):
            notice_s = 0.0 if called_back else self._notice_s
            expected = max(0.0, (record.ended_at - start).total_seconds() - notice_s)
        change = await self._library.register(
            record.call_id,
            expected_seconds=expected,
            now=self._clock(),
            crashed=record.end_reason == "pbx-crash",
        )
        if change is not None:
            await self.tell_recording(change, record)

    async def tell_recording(self, change: Change, record: CallRecord | None = None) -> None:
        """Tells the pages of who talked in a call, which the teller may know, that its recording changed."""
        record = record or self._board.record(change.subject_id)
        if record is None:
            record = await self._database.read_whole(lambda conn: store.get(conn, change.subject_id))
        told = {key: change.payload.get(key) for key in ("call_id", "state", "id")}
        for agent in sorted({offer.agent for offer in record.offers if offer.answered_at} if record else ()):
            self.hub.publish(agent, "recording", told)

    async def _propose(self, record: CallRecord) -> None:
        """Who was cut off by a crash is called back when a person says so; who was called back is the dialler's."""
        if record.reason == "callback":
            return
        wish = NewBooking(
            number=record.ani,
            queue=record.queue or self._rescue_queue,
            window=ASAP,
            lang=record.lang or "zh",
            priority=record.priority,
            joined_at=record.joined_at or record.entered_at,
            call_id=record.call_id,
            dnis=record.dnis,
            customer=record.customer or None,
            note="通话因交换机故障中断 (pbx-crash)",
        )
        async with self._database.write() as conn:
            area_code = self._settings.area_code
            change = await callbacks.propose(conn, wish, self.policy, self._clock(), area_code=area_code)
        if change is not None:
            await self.tell([change])

    async def _call_view(self, record: CallRecord, language: str) -> dict[str, Any]:
        labels = self.labels(language)
        (view,) = await self._database.read_whole(lambda conn: call_views(conn, SYSTEM, [record], labels))
        return view.model_dump(mode="json")


async def recordings_of(conn: AsyncConnection, orders: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Voice files of the calls these orders came from, newest first."""
    if not orders:
        return ()
    rows = await conn.execute(
        select(contact.c.external_id)
        .join(contact_order, contact_order.c.contact_id == contact.c.id)
        .join(customer_order, customer_order.c.id == contact_order.c.order_id)
        .where(customer_order.c.public_id.in_(orders), contact.c.external_id.is_not(None))
        .order_by(contact.c.at.desc())
        .limit(_POP_RECORDINGS)
    )
    calls = [row.external_id for row in rows]
    found = await recording_refs(conn, calls)
    return [found[call].model_dump(mode="json") for call in calls if call in found]


def ring_seconds(exchange: AsteriskSettings, queue: str) -> int:
    """How long a phone rings for a caller of this queue, as the queues.conf that Asterisk reads says (TL-60)."""
    running = exchange.run_dir / "etc"
    folder = running if running.is_dir() else exchange.conf_dir
    try:
        entry = conf.read("queues.conf", conf.folder_reader(folder)).options(queue).get("timeout")
    except conf.ConfError:
        return 0
    return int(entry.value) if entry is not None and entry.value.isdigit() else 0


async def _nobody(changes: Sequence[Change]) -> None:
    """Before the web is there nobody listens."""


def _note(done: asyncio.Task[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("resync_failed", error=str(error))
