"""What the overflow dialogues ask, answered: messages taken in, callbacks booked, the live floor, the disk (TL-20)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from cti.calls import figures, forecast
from cti.calls.agents import members_of
from cti.calls.events import CallEvent, RecordingMarked
from cti.calls.model import Floor, Phase
from cti.calls.record import record_of
from ivr import ports
from ivr.model import Tree
from ivr.reserve import Reserve
from ivr.sound import judge, measure
from ivr.spool import Spool
from recordings.library import Library
from ticketing import calendar, serials
from ticketing.calendar import WorkingCalendar
from ticketing.callbacks import actions as callbacks
from ticketing.callbacks import dialling, reading, rules
from ticketing.callbacks.model import Again, Fact, NewBooking, Outcome, Verb
from ticketing.callbacks.policy import Policy
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import Refused
from ticketing.intake import actions as intake
from ticketing.intake.model import NewMessage, Sorted, State
from ticketing.intake.spool import import_spool
from ticketing.roles import SYSTEM

#: Order numbers that wait in the spool for messages kept while the database is away: filled up below the first.
RESERVE_LEAST: Final = 100
RESERVE_MOST: Final = 200

Announce = Callable[[Sequence[Change]], Awaitable[None]]


class Messages:
    """`ivr.ports.MessageSink` on the items of ticketing.intake, and the spool's sidecars taken in afterwards."""

    def __init__(
        self,
        database: Database,
        library: Library,
        *,
        announce: Announce,
        put_event: Callable[[CallEvent], None],
        clock: Callable[[], datetime],
        area_code: str,
    ) -> None:
        self._database = database
        self._put_event = put_event
        self._library = library
        self._announce = announce
        self._clock = clock
        self._area_code = area_code

    async def take(
        self,
        call_id: str,
        *,
        ani: str,
        dnis: str,
        lang: str,
        queue: str,
        file: str,
        seconds: float,
        how: ports.HowRecorded,
        sorted_out: ports.SortedOut | None,
        serial: str | None,
    ) -> str:
        """The item's serial, after its commit (N1): the given one if it is free; the same file gives the same one."""
        now = self._clock()
        message = NewMessage(
            call_id=call_id,
            file=file,
            ani=ani,
            dnis=dnis,
            lang=lang,
            queue=queue,
            seconds=seconds,
            how=how,
            at=now,
            sorted_out=Sorted(sorted_out) if sorted_out else None,
            serial=serial,
        )
        async with self._database.write() as conn:
            change = await intake.take(conn, SYSTEM, message, now, area_code=self._area_code)
        await self._taken(message, change)
        await self._announce([change])
        said_something = change.payload["state"] != State.SORTED_OUT.value
        if how == "hung_up" and said_something:  # the dialplan can say nothing more of a caller who is gone (TL-12)
            self._put_event(RecordingMarked(at=now, call_id=call_id, state="left_recording"))
        return str(change.payload["serial"])

    async def import_spool(self, spool: Spool) -> None:
        """Takes in what was recorded while we, or the database, were away: once, in order (TL-24, F09)."""
        await asyncio.to_thread(spool.settle, self._clock())
        changes = await import_spool(
            self._database, spool.folder, self._clock(), self._taken, area_code=self._area_code, hear=_hear
        )
        if changes:
            await self._announce(changes)

    async def fill_reserve(self, spool: Path) -> None:
        """Sets order numbers aside in the spool, so that callers are told one while the database is away (F09).

        A crash between the commit and the file loses the numbers of one filling, and gives none twice.
        """
        reserve = Reserve(spool)
        left = await asyncio.to_thread(reserve.left)
        if left >= RESERVE_LEAST:
            return
        async with self._database.write() as conn:
            numbers = await serials.reserve_block(conn, "spool", RESERVE_MOST - left)
        await asyncio.to_thread(reserve.fill, numbers)

    async def _taken(self, message: NewMessage, change: Change) -> None:
        """The voice file of a message that is in the database is taken over into the library."""
        key = message.file.rpartition(".")[0]
        await self._library.register(key, expected_seconds=message.seconds, now=self._clock(), patience_s=0)


def _hear(wav: Path) -> Sorted | None:
    found = judge(measure(wav)) if wav.exists() else None
    return None if found is None else Sorted(found)


class Bookings:
    """`ivr.ports.CallbackBook` on ticketing.callbacks."""

    def __init__(
        self,
        database: Database,
        *,
        policy: Policy,
        opening: Callable[[str], WorkingCalendar | None],
        announce: Announce,
        clock: Callable[[], datetime],
        area_code: str,
    ) -> None:
        self._database = database
        self._policy = policy
        self._opening = opening
        self._announce = announce
        self._clock = clock
        self._area_code = area_code

    async def open_for(self, number: str) -> ports.OpenCallback | None:
        """The open callback of a calling number."""
        now = self._clock()
        found = await self._database.read_whole(lambda conn: reading.open_of(conn, number, self._policy, now))
        if found is None:
            return None
        return ports.OpenCallback(
            id=found.id,
            queue=found.queue,
            joined_at=found.joined_at,
            window=prompt_of(rules.spoken(self._policy, found.window, now)),
            priority=found.priority,
        )

    def may_dial(self, number: str) -> bool:
        """Whether a number may be called back, by its form alone: a mainland number, never a short or foreign one."""
        return rules.dialable(number, self._policy, self._area_code) is not None

    async def windows(self, queue: str, at: datetime) -> Sequence[ports.Window]:
        """What can be booked now, soonest first."""
        found = rules.windows(self._policy, self._opening(queue), at)
        return [ports.Window(each.id, prompt_of(each.spoken), each.starts_at, each.ends_at) for each in found]

    async def book(
        self,
        call_id: str,
        *,
        number: str,
        queue: str,
        window: str,
        lang: str,
        priority: int,
        joined_at: datetime,
    ) -> ports.Booked:
        """Books after its commit; the same call books once."""
        now = self._clock()
        given = NewBooking(
            number=number,
            queue=queue,
            window=window,
            lang=lang,
            priority=priority,
            joined_at=joined_at,
            call_id=call_id,
        )
        async with self._database.write() as conn:
            change = await callbacks.book(
                conn, SYSTEM, given, self._policy, now, opening=self._opening(queue), area_code=self._area_code
            )
        await self._announce([change])
        said = rules.spoken(self._policy, str(change.payload.get("window", window)), now)
        return ports.Booked(str(change.payload["serial"]), prompt_of(said))

    async def cancel(self, callback_id: str) -> bool:
        """The caller no longer wants it."""
        return await self._again(callback_id, Again.CANCEL, "")

    async def take_over(self, callback_id: str, call_id: str) -> bool:
        """The caller waits himself, in its place."""
        return await self._again(callback_id, Again.TAKE_OVER, call_id)

    async def _again(self, callback_id: str, choice: Again, call_id: str) -> bool:
        try:
            async with self._database.write() as conn:
                done = await callbacks.again(conn, SYSTEM, callback_id, choice, self._clock(), call_id=call_id)
        except Refused:
            return False
        await self._announce([done if isinstance(done, Change) else done.change])
        return True


class Called:
    """`ivr.ports.CalledBack` on ticketing.callbacks."""

    def __init__(
        self, database: Database, *, policy: Policy, announce: Announce, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._policy = policy
        self._announce = announce
        self._clock = clock

    async def confirm(self, call_id: str) -> bool:
        """The customer pressed 1."""
        return await self._hear(call_id, Verb.CONFIRM, None)

    async def postpone(self, call_id: str) -> bool:
        """The attempt is over; without another time it is made again after the spacing."""
        return await self._hear(call_id, Verb.MISS, Outcome.NOT_CONFIRMED)

    async def decline(self, call_id: str) -> bool:
        """The customer cancels."""
        async with self._database.write() as conn:
            channel_id = await dialling.channel_of(conn, call_id)
            changes = [] if channel_id is None else await dialling.decline(conn, channel_id, self._clock())
        await self._announce(changes)
        return bool(changes)

    async def _hear(self, call_id: str, what: Verb, outcome: Outcome | None) -> bool:
        now = self._clock()
        async with self._database.write() as conn:
            channel_id = await dialling.channel_of(conn, call_id)
            if channel_id is None:
                return False
            fact = Fact(channel_id, what, now, outcome=outcome)
            changes = await dialling.hear(conn, fact, self._policy, now)
        await self._announce(changes)
        return bool(changes)


def prompt_of(spoken: str) -> str:
    """The prompt that names a window: `callback-window-tomorrow-morning`."""
    return f"callback-window-{spoken}"


class LiveFloor:
    """`ivr.ports.BusyFloor` on the reducer's floor: answers at once, from memory."""

    def __init__(self, floor: Floor, clock: Callable[[], datetime]) -> None:
        self._floor = floor
        self._clock = clock

    def all_busy(self, queue: str) -> bool:
        """No signed-in member, helpers included, is idle; wrap-up and pause are busy, nobody signed in is busy."""
        for member in members_of(self._floor, queue):
            agent = self._floor.agents.get(member.agent)
            if member.can_be_rung and (agent is None or agent.phase is Phase.READY):
                return False
        return True

    def place(self, queue: str, call_id: str) -> int | None:
        """The caller's place by his first join, 1 = next; also while he has stepped out to choose."""
        call = self._floor.calls.get(call_id)
        if call is None:
            return None
        record = record_of(call, self._floor.settings)
        since = next((stay.joined_at for stay in record.stays if stay.queue == queue), record.asked_at)
        return None if since is None else self.place_since(queue, since, record.priority, but=call_id)

    def place_since(self, queue: str, since: datetime, priority: int, *, but: str = "") -> int | None:
        """The place of somebody who waits since then: behind a higher priority, and behind who came earlier."""
        ahead = 0
        for view in figures.queue_views(self._floor, self._clock()):
            if view.queue == queue:
                ahead += sum(
                    caller.call_id != but and (-caller.priority, caller.joined_at) < (-priority, since)
                    for caller in view.waiting
                )
        return ahead + 1

    def expected_wait_s(self, queue: str, place: int | None) -> int | None:
        """Forecast from the queue's last talks and the agents who serve it (TL-14); None while there is too little."""
        floor = self._floor
        return forecast.expected_wait_s(place, forecast.handling_ms(floor, queue), forecast.staffed(floor, queue))


class SpoolDisk:
    """`ivr.ports.Disk`: whether there is room for a voice file (F12)."""

    def __init__(self, spool: Path, floor_bytes: int) -> None:
        self._spool = spool
        self._floor_bytes = floor_bytes

    def may_record(self) -> bool:
        """Free space is above the floor; a spool that cannot be looked at takes no recording."""
        try:
            return shutil.disk_usage(self._spool).free >= self._floor_bytes
        except OSError:
            return False


def staffed(ivr_data: Path, tree: Callable[[], Tree]) -> Callable[[str], WorkingCalendar | None]:
    """When a queue is staffed, by the opening hours of the menus; None = always."""
    text = (ivr_data / "hours.toml").read_text(encoding="utf-8")
    calendars = calendar.parse(text, "hours.toml")
    return lambda queue: calendars.get(tree().queue_calendar.get(queue, ""))


def operators_zone(ivr_data: Path) -> ZoneInfo:
    """The zone the operator's day begins and ends in: that of the first calendar of the opening hours."""
    text = (ivr_data / "hours.toml").read_text(encoding="utf-8")
    return next(iter(calendar.parse(text, "hours.toml").values())).zone
