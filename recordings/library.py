"""The recordings of all calls: taken in when a call ends, looked for again, linked, opened, each playback logged."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from recordings import access, intake, store
from recordings.model import Peaks, Purpose, Recording
from recordings.naming import check_call_id, is_message, peaks_name, spool_names
from recordings.rules import next_scan, writer_gone
from ticketing import audit
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import HotlineError, NotFound
from ticketing.roles import SYSTEM, Action, Actor, require

log = structlog.get_logger(__name__)

#: how long `register` waits for Asterisk to close the files of a call that just ended
PATIENCE_S = 1.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Media:
    """An opened recording; the reader closes it."""

    file: io.BufferedReader
    size: int
    modified_at: float
    #: for the browser's save dialogue; holds no number and no name
    filename: str
    recording: Recording
    purpose: Purpose
    content_type: str = "audio/wav"


class Library:
    """All recordings of an installation: `spool` is where Asterisk writes, `root` where they are kept."""

    def __init__(self, database: Database, spool: Path, root: Path, key: bytes, queries: audit.QueryLog) -> None:
        if len(key) < 32:
            raise ValueError("the link key has at least 32 bytes")
        self._database = database
        self._spool = spool
        self._root = root
        self._key = key
        self._queries = queries
        #: a message may be taken in by its dialogue and found by a rescan at the same moment
        self._looking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def expect(self, conn: AsyncConnection, call_id: str, now: datetime) -> Recording:
        """Says that a recording began, so that its absence is noticed; the same call again changes nothing."""
        return await store.expect(conn, check_call_id(call_id), now)

    async def register(
        self,
        call_id: str,
        *,
        expected_seconds: float | None,
        now: datetime,
        patience_s: float = PATIENCE_S,
        crashed: bool = False,
    ) -> Change | None:
        """Takes in the files of an ended call; None when that was done before.

        `expected_seconds`: from the start of the recording to the end of the call. A file that is missing, empty or
        short gives an alarm state at once and is looked for again after 5 s, 60 s and 10 min (F11). With `crashed`
        nobody writes the files any more: they are taken as they are, their headers repaired (F13).
        """
        check_call_id(call_id)
        if not crashed:
            await self._wait_until_closed(call_id, patience_s)
        before = await self._database.read_whole(lambda conn: store.by_call(conn, call_id))
        if before is None:
            before = await self._database.write_whole(lambda conn: store.expect(conn, call_id, now))
        return await self._look(before, expected_seconds, now, abandoned=crashed)

    async def rescan(self, now: datetime) -> list[Change]:
        """Looks again for what is due; returns the recordings whose state changed."""
        due = await self._database.read_whole(lambda conn: store.due(conn, now))
        changes = [await self._look(each, each.expected_seconds, now) for each in due]
        return [change for change in changes if change is not None]

    async def sweep(self, now: datetime, *, running: frozenset[str] = frozenset()) -> list[Change]:
        """Takes in files nobody cares for, left by a crash or far too late; `running` calls are left alone."""
        waiting = await asyncio.to_thread(intake.calls_in, self._spool) - running
        async with self._database.write() as conn:
            left = sorted(waiting - await store.cared_for(conn, waiting))
            rows = [await store.expect(conn, each, now) for each in left]
        changes = [await self._look(each, each.expected_seconds, now, late=True) for each in rows]
        return [change for change in changes if change is not None]

    async def run(self, clock: Callable[[], datetime], publish: Callable[[Change], None], every_s: float = 1.0) -> None:
        """Looks again for ever; what changed is published after its commit."""
        while True:
            try:
                for change in await self.rescan(clock()):
                    publish(change)
            except HotlineError as error:
                log.warning("recordings_wait", code=error.code, reason=error.message)
            await asyncio.sleep(every_s)

    async def get(self, actor: Actor, public_id: str) -> Recording:
        """One recording the actor may hear; raises NotFound otherwise."""
        require(actor, Action.PLAY_RECORDING)
        async with self._database.read() as conn:
            return await store.get(conn, actor, public_id)

    async def peaks(self, recording: Recording) -> Peaks:
        """The waveform; raises NotFound when there is nothing to draw."""
        if recording.path is None:
            raise NotFound("nothing_recorded", state=recording.state.value)
        document = json.loads(await asyncio.to_thread(self._read, peaks_name(recording.path)))
        return Peaks(document["seconds"], tuple(document["agent"]), tuple(document["caller"]))

    async def link(self, actor: Actor, public_id: str, now: datetime, purpose: Purpose = Purpose.PLAY) -> access.Link:
        """A link of five minutes for this person (TL-51); raises NotFound when there is no file or no right."""
        recording = await self.get(actor, public_id)
        if not recording.playable:
            raise NotFound("nothing_recorded", state=recording.state.value)
        return access.issue(self._key, public_id, actor.staff_id, purpose, now=now)

    async def open(self, actor: Actor, token: str, now: datetime, *, byte_range: str | None = None) -> Media:
        """Opens what the link names; the playback, seek or download is logged before a byte is given (AU-01, S19).

        Raises Forbidden for a forged, expired or borrowed link, NotFound when the file is gone or the right was lost.
        """
        grant = access.check(self._key, token, actor.staff_id, now)
        recording = await self.get(actor, grant.public_id)
        if recording.path is None:
            raise NotFound("nothing_recorded", state=recording.state.value)
        handle = await asyncio.to_thread(access.open_inside, self._root, recording.path)
        verb = "recording.downloaded" if grant.purpose is Purpose.DOWNLOAD else "recording.played"
        said = {"call_id": recording.call_id, "range": byte_range}
        try:
            await self._queries.log(audit.Entry(actor, verb, "recording", grant.public_id, now, said))
        except BaseException:
            os.close(handle)
            raise
        facts = os.fstat(handle)
        file = os.fdopen(handle, "rb")
        name = f"{recording.call_id}.wav"
        return Media(file, facts.st_size, facts.st_mtime, name, recording, grant.purpose)

    async def _look(
        self,
        before: Recording,
        expected_seconds: float | None,
        now: datetime,
        *,
        late: bool = False,
        abandoned: bool = False,
    ) -> Change | None:
        """One look at a time for each call; what the one before has stored is not stored again."""
        async with self._looking.setdefault(before.call_id, asyncio.Lock()):
            return await self._look_alone(before, expected_seconds, now, late=late, abandoned=abandoned)

    async def _look_alone(
        self, before: Recording, expected_seconds: float | None, now: datetime, *, late: bool, abandoned: bool
    ) -> Change | None:
        if before.path is not None:  # stored, and the service died before it emptied the spool
            await asyncio.to_thread(intake.discard, self._spool, before.call_id)
            return None
        if before.scans and before.next_scan_at is None and not late:
            return None
        gone = late or abandoned or writer_gone(before.scans)
        looked = await asyncio.to_thread(
            intake.take_in, self._spool, self._root, before.call_id, expected_seconds, writer_gone=gone
        )
        found = looked.found

        async def write_down(conn: AsyncConnection) -> Recording | None:
            current = await store.expect(conn, before.call_id, now)
            if current.version != before.version:
                return None
            again = next_scan(before.scans + 1, looked.settled, found.alarm, now)
            after = await store.write(
                conn, current, found, expected_seconds=expected_seconds, next_scan_at=again, now=now
            )
            if (after.state, after.alarm) != (before.state, before.alarm):
                said = {"state": found.state, "alarm": found.alarm, "seconds": found.seconds, "sha256": found.sha256}
                await audit.record(conn, SYSTEM, "recording.taken_in", "recording", after.call_id, said, now)
            return after

        after = await self._database.write_whole(write_down)
        if after is None:
            return None
        if looked.settled:
            await asyncio.to_thread(intake.discard, self._spool, before.call_id)
        if (after.state, after.alarm) == (before.state, before.alarm):
            return None
        return change_of(after, now)

    async def _wait_until_closed(self, call_id: str, patience_s: float) -> None:
        """Asterisk writes the header at close and then runs the mark's script, some 20 ms after the hang-up."""
        if is_message(call_id):
            return
        mark = self._spool / spool_names(call_id)[2]
        for _ in range(round(patience_s / _POLL_S)):
            if await asyncio.to_thread(mark.exists):
                return
            await asyncio.sleep(_POLL_S)

    def _read(self, path: str) -> bytes:
        with os.fdopen(access.open_inside(self._root, path), "rb") as file:
            return file.read()


def change_of(recording: Recording, at: datetime) -> Change:
    """What is told to pages and orders about a recording."""
    payload = {
        "id": recording.public_id, "call_id": recording.call_id, "state": recording.state.value,
        "seconds": recording.seconds, "alarm": recording.alarm.value if recording.alarm else None,
    }  # fmt: skip
    return Change("recording.changed", recording.call_id, recording.version, at, payload)
