"""What must be looked after again and again beside the calls: wrap-ups, voice files, phones, the picture itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti import store
from cti.calls.effects import CreateDraft
from cti.floor import FloorKeeper
from cti.reminders import Overdue
from ivr.spool import Spool
from recordings.library import Library
from ticketing import taxonomy
from ticketing.changes import Change
from ticketing.contacts.model import ContactKind
from ticketing.contacts.tables import contact, contact_order
from ticketing.db import Database
from ticketing.errors import HotlineError
from ticketing.staff import sessions, sign_in

log = structlog.get_logger(__name__)

_EVERY_S: Final = 1.0
_SWEEP: Final = timedelta(hours=1)
#: how often the picture is compared with Asterisk's own (default)
_LOOK: Final = timedelta(minutes=1)
#: how far back answered calls without an order are looked for after a crash
_UNORDERED: Final = timedelta(days=1)


class Upkeep:
    """One task; a database that is away is tried again in the next round."""

    def __init__(
        self, keeper: FloorKeeper, database: Database, library: Library, spool: Spool, clock: Callable[[], datetime]
    ) -> None:
        self._keeper = keeper
        self._database = database
        self._library = library
        self._spool = spool
        self._clock = clock
        self._overdue = Overdue(database, keeper.hub, clock)
        self._registered: dict[str, bool] = {}

    async def run(self) -> None:
        """Each second: wrap-ups that are over, messages, voice files to take in, phones that came or went, late work.

        At start also what a killed service left: voice files in the spool, answered calls without a draft.
        """
        swept_at: datetime | None = None
        looked_at = self._clock()
        while True:
            try:
                if self._clock() - looked_at > _LOOK:
                    looked_at = self._clock()
                    self._keeper.compare()
                if swept_at is None or self._clock() - swept_at > _SWEEP:
                    swept_at = self._clock()
                    await self._sweep()
                await self._keeper.performer.end_wrap_ups()
                await self._keeper.messages.import_spool(self._spool)
                await self._keeper.messages.fill_reserve(self._spool.folder)
                for change in await self._library.rescan(self._clock()):
                    await self._keeper.tell_recording(change)
                await self._tell_phones()
                await self._overdue.look()
                await self._reword()
            except HotlineError as error:
                log.warning("upkeep", code=error.code, why=error.message)
            except Exception:
                # one unreadable file must not end the care for everything else
                log.exception("upkeep_failed")
            await asyncio.sleep(_EVERY_S)

    async def _sweep(self) -> None:
        """Each hour: voice files without a row; events, sessions and attempts to sign in that are long over."""
        now = self._clock()
        self._keeper.forget_events(now)
        for change in await self._library.sweep(now, running=frozenset(self._keeper.floor.calls)):
            await self._keeper.tell_recording(change)
        await self._draft_what_was_answered(now)
        async with self._database.write() as conn:
            await sessions.sweep(conn, now)
            await sign_in.sweep(conn, now)

    async def _draft_what_was_answered(self, now: datetime) -> None:
        """A crash between saving a call and drafting its order leaves an answered call without one (TL-32)."""
        async with self._database.read() as conn:
            answered = [record for record in await store.between(conn, now - _UNORDERED, now) if record.answered_at]
            drafted = await self._ordered(conn, [record.call_id for record in answered])
        for record in answered:
            if record.call_id not in drafted and record.answered_at is not None:
                log.warning("draft_made_late", call_id=record.call_id)
                await self._keeper.performer.perform(
                    CreateDraft(call_id=record.call_id, agent=record.answered_by, answered_at=record.answered_at)
                )

    async def _ordered(self, conn: AsyncConnection, calls: Sequence[str]) -> set[str]:
        rows = await conn.scalars(
            select(contact.c.external_id)
            .join(contact_order, contact_order.c.contact_id == contact.c.id)
            .where(contact.c.kind == ContactKind.CALL.value, contact.c.external_id.in_(calls))
        )
        return {str(call) for call in rows}

    async def _reword(self) -> None:
        """Takes the vocabularies up as an administrator has changed them."""
        if self._keeper.labels.stale:
            async with self._database.read() as conn:
                self._keeper.labels.reword(await taxonomy.read(conn))

    async def _tell_phones(self) -> None:
        """Tells an agent's page when Asterisk begins or ceases to reach his phone."""
        now = {
            member.agent: self._keeper.telephony.registered(member.agent)
            for member in self._keeper.floor.members.values()
        }
        changed = [agent for agent, reachable in now.items() if self._registered.get(agent, False) != reachable]
        self._registered = now
        if changed:
            at = self._clock()
            await self._keeper.tell([Change("agent.changed", agent, 0, at, {}) for agent in changed if agent.isdigit()])
