"""Reads Asterisk's journals from where they were last read: after a start and after every gap (TL-70, F01, N2).

What they tell goes through the same reducer as the events; how far they were read is saved in the transaction of the
records it led to. Without readable files (an Asterisk elsewhere) the picture is rebuilt from live state alone, and the
gap stays a gap: `Backfill.health` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from cti import store
from cti.ami.journals import cel_row, ends, facts, queue_line
from cti.calls.events import CallEvent, JournalRead
from cti.calls.model import Floor
from ticketing.db import Database

log = structlog.get_logger(__name__)

QUEUE_LOG: Final = "queue_log"
CEL: Final = "cel"
#: bytes of a journal taken at once; what is longer is taken in several portions (default)
_PORTION: Final = 8 * 1024 * 1024


def journal_files(folder: Path) -> dict[str, Path]:
    """The journals in Asterisk's log folder."""
    return {QUEUE_LOG: folder / "queue_log", CEL: folder / "cel-custom" / "hotline.csv"}


@dataclass(frozen=True, slots=True)
class Place:
    """How far a journal was read: which file, and how many of its bytes."""

    inode: int
    offset: int


@dataclass(frozen=True, slots=True)
class Portion:
    """Whole lines of a journal, and where they end."""

    lines: tuple[str, ...]
    #: None while there is no file
    place: Place | None
    #: nothing more is there
    done: bool
    #: the file that was being read is gone, or was cut: what it held beyond the place is lost
    lost: bool = False


def read_on(journal: Path, start: Place | None, most: int = _PORTION) -> Portion:
    """The lines after `start`, at most about `most` bytes. Raises OSError.

    A journal that was rotated is known by its inode and read to its end under its new name before the next begins.
    A file shorter than what was read of it was cut: it is read from its beginning.
    """
    files = rotation(journal)
    if not files:
        return Portion((), start, done=True, lost=False)
    inodes = [path.stat().st_ino for path in files]
    number, offset, lost = len(files) - 1, 0, False
    if start is None:
        number = 0
    elif start.inode in inodes:
        number = inodes.index(start.inode)
        offset = start.offset
    else:
        lost = True
    with files[number].open("rb") as file:
        if offset > file.seek(0, 2):
            offset, lost = 0, True
        file.seek(offset)
        data = file.read(most)
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == most:  # no line is that long: rubbish, passed over
            whole = len(data)
    place = Place(inodes[number], offset + whole)
    lines = tuple(data[:whole].decode("utf-8", errors="replace").split("\n")[:-1])
    at_end = len(data) < most
    if at_end and number + 1 < len(files):
        place, at_end = Place(inodes[number + 1], 0), False
    return Portion(lines, place, done=at_end, lost=lost)


def end_of(journal: Path) -> Place | None:
    """Where the journal ends now; None while there is none."""
    try:
        found = journal.stat()
    except FileNotFoundError:
        return None
    return Place(found.st_ino, found.st_size)


def rotation(journal: Path) -> list[Path]:
    """The journal and what it was called before, oldest first; packed files cannot be read any more."""
    older = [
        path
        for path in journal.parent.glob(f"{journal.name}[.-]*")
        if path.is_file() and path.suffix not in {".gz", ".xz", ".bz2", ".zst"}
    ]
    older.sort(key=lambda path: path.stat().st_mtime_ns)
    return [*older, journal] if journal.is_file() else older


def ends_told(folder: Path | None) -> dict[str, str]:
    """What the channel event log tells of the ends of calls the product placed lately: see `ends`; empty where the
    journals cannot be read. Only the newest portion of the log is read: what is asked about is minutes old."""
    if folder is None:
        return {}
    found: dict[str, str] = {}
    try:
        for path in rotation(journal_files(folder)[CEL])[-2:]:
            with path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - _PORTION))
                text = file.read(_PORTION).decode("utf-8", errors="replace")
            found |= ends(row for line in text.split("\n") if (row := cel_row(line)) is not None)
    except OSError as error:
        log.warning("journals_unread", error=str(error))
    return found


class Backfill:
    """The journals of one Asterisk as far as this service has read them."""

    def __init__(self, database: Database, floor: Floor, folder: Path | None) -> None:
        self._database = database
        self._floor = floor
        self._files = journal_files(folder) if folder is not None else {}
        self._saved: dict[str, tuple[int, int]] = {}
        self._ends: dict[str, Place] | None = None
        self._said = "not read yet" if self._files else "not readable here: after a gap only live state is known"
        #: False when they should be readable and are not; an Asterisk elsewhere may keep its own
        self.ok = True
        #: facts read since the start
        self.facts = 0

    @property
    def health(self) -> tuple[bool, str]:
        """Whether the journals can be read, and what was read last, in plain words."""
        return self.ok, self._said

    async def pages(self, now: datetime) -> AsyncIterator[JournalRead]:
        """What was written since the journals were last read, portion by portion; calls that are closed are left out.

        Raises OSError and what the database raises: nothing is then skipped, it is read the next time.
        """
        if not self._files:
            return
        self._ends = None
        places = await self._places()
        told, done = 0, False
        while not done:
            portions = {name: await self._portion(name, places.get(name)) for name in self._files}
            found = await self._open(await asyncio.to_thread(self._facts, portions))
            places |= {name: portion.place for name, portion in portions.items() if portion.place is not None}
            done = all(portion.done for portion in portions.values())
            told += len(found)
            read_to = tuple((name, place.inode, place.offset) for name, place in sorted(places.items()))
            yield JournalRead(at=now, facts=tuple(found), read_to=read_to)
        self.facts += told
        self.ok, self._said = True, f"read at {now:%H:%M:%S}, {told} facts"
        log.info("journals_read", facts=told)

    def failed(self, error: Exception) -> None:
        """Says in the health that the journals could not be read."""
        self.ok, self._said = False, "cannot be read: after a gap only live state is known"
        log.warning("journals_unread", error=str(error))

    async def keep_up(self) -> None:
        """Moves on past what has been heard anyway: to where the journals ended when this was called last.

        Called while nothing is missing, so that a start after a year does not read a year.
        """
        ends = {name: end for name, path in self._files.items() if (end := await asyncio.to_thread(end_of, path))}
        before, self._ends = self._ends, ends
        if before is not None:
            self._floor.read_to.update({name: (end.inode, end.offset) for name, end in before.items()})

    def gap(self) -> None:
        """Something is missing from here on: nothing is passed over unread."""
        self._ends = None

    def unsaved(self) -> dict[str, tuple[int, int]]:
        """How far was read for what is on the floor, where the database does not know it yet."""
        return {name: place for name, place in self._floor.read_to.items() if self._saved.get(name) != place}

    def saved(self, places: Mapping[str, tuple[int, int]]) -> None:
        """The transaction that holds these has been committed."""
        self._saved.update(places)

    async def _places(self) -> dict[str, Place]:
        """The places saved, or what is on the floor, which is further."""
        async with self._database.read() as conn:
            known = await store.offsets(conn)
        self._saved = dict(known)
        return {name: Place(*place) for name, place in (known | self._floor.read_to).items() if name in self._files}

    async def _portion(self, name: str, start: Place | None) -> Portion:
        portion = await asyncio.to_thread(read_on, self._files[name], start)
        if portion.lost:
            log.warning("journal_lost", journal=name, remedy="rotate by renaming, and keep the last file unpacked")
        return portion

    def _facts(self, portions: Mapping[str, Portion]) -> list[CallEvent]:
        rows = [row for line in portions[CEL].lines if (row := cel_row(line)) is not None]
        lines = [line for text in portions[QUEUE_LOG].lines if (line := queue_line(text)) is not None]
        return facts(rows, lines, self._floor.ids.get)

    async def _open(self, found: list[CallEvent]) -> list[CallEvent]:
        """Facts of calls that have no final record yet (F15: a closed call stays closed, also after a restart)."""
        ids = {fact.call_id for fact in found} - set(self._floor.calls)
        async with self._database.read() as conn:
            closed = await store.closed_among(conn, ids)
        return [fact for fact in found if fact.call_id not in closed]
