"""One call taken out of the journal as a file that can be replayed: a bug report becomes a test (TL-71).

It holds every event of the call, the floor as it stood when the call came, and what happened to the floor meanwhile;
of other calls only what they made of the agents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cti.ami import factblocks
from cti.ami.frames import END, Frame, Splitter
from cti.ami.replay import facts_in
from cti.calls import events as ev
from cti.calls.model import Floor
from cti.calls.replay import Replay
from cti.journal import SUFFIX
from cti.recorder import BACK, OPENING, opening

#: ticks after the call's last block: by then its record is closed; and blocks in which they are looked for
_TICKS_AFTER: Final = 5
_BLOCKS_AFTER: Final = 20_000
#: blocks after its place in which what a batch made of agents stands: a batch and what came of it
_LATE: Final = 2_000
_PORTION: Final = 1 << 20
_FACT: Final = f"Event: {factblocks.EVENT}\r\n".encode()
#: facts of the floor; none of them is a call's own
_FLOOR: Final = frozenset(
    kind.__name__
    for kind in (
        ev.ClockStepped,
        ev.StampsMoved,
        ev.LinkLost,
        ev.LinkUp,
        ev.FloorSnapshot,
        ev.JournalRead,
        ev.MemberChanged,
        ev.WrapUpEnded,
        ev.Tick,
        ev.PhaseNoted,
    )
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What the journal holds of one call."""

    #: blocks that can be replayed; empty when it holds nothing
    data: bytes
    #: blocks of the call itself
    blocks: int
    #: start of the oldest event the journal still holds; None of an empty journal, or one that does not say
    holds_from: datetime | None


def take(folder: Path, call_id: str) -> Excerpt:
    """Reads a ring that may be written to at the same time. Raises UnreadableFact."""
    extent = _extent(folder, call_id)
    if extent is None:
        return Excerpt(b"", 0, _holds_from(folder))
    kept: list[tuple[int, int, int, bytes]] = []
    own = ticks = 0
    end: int | None = None
    for number, raw in _numbered(folder):
        if number < extent.first:
            continue
        mine = _is_own(raw, extent.ids)
        own += mine
        if number > extent.last and end is None:
            ticks += factblocks.name_of(raw) == ev.Tick.__name__
            end = number if ticks > _TICKS_AFTER or number > extent.last + _BLOCKS_AFTER else None
        if end is not None and number > end + _LATE:
            break
        place = _place(raw, number)
        if (end is None or place[0] <= end) and (mine or (own and _is_context(raw, call_id))):
            kept.append((*place, raw))
    kept.sort(key=lambda entry: entry[:3])
    floor = _floor_at(folder, extent)
    head = opening(floor, _at(kept[0][3]) or extent.opened_at)
    return Excerpt(b"".join(block + END for block in (*head, *(raw for *_, raw in kept))), own, _holds_from(folder))


@dataclass(slots=True)
class _Extent:
    """Where a call's blocks are."""

    ids: set[str]
    first: int
    last: int
    #: number of the first block of the segment it begins in, and when that segment began
    opened: int
    opened_at: datetime


def _extent(folder: Path, call_id: str) -> _Extent | None:
    wanted, ids = call_id.encode(), {call_id}
    for _, raw in _numbered(folder):
        if wanted in raw and _opening_of(raw) is None:
            ids |= ids_of(Frame(raw))
    found: _Extent | None = None
    opened, opened_at = 0, datetime.min.replace(tzinfo=UTC)
    for number, raw in _numbered(folder):
        if found is None and _opening_of(raw) is not None:
            opened, opened_at = number, _at(raw) or opened_at
        if _is_own(raw, ids):
            found = found or _Extent(ids, number, number, opened, opened_at)
            found.last = number
    return found


def _floor_at(folder: Path, extent: _Extent) -> Floor:
    """The floor as it stood before the call's first block: the journal's own facts about it, calls aside."""
    replay = Replay(Floor())

    def before() -> Iterator[Frame]:
        for number, raw in _numbered(folder):
            kind = _opening_of(raw)
            if number >= extent.first and kind is None:
                return
            if number >= extent.opened and (kind is not None or _is_context(raw, "")):
                yield Frame(raw)

    for told in facts_in(before()):
        for _ in replay.tell(told):
            pass
    return replay.floor


def _is_own(raw: bytes, ids: set[str]) -> bool:
    """Whether the block tells something of the call. Bytes are looked at before anything is read."""
    if not any(known.encode() in raw for known in ids) or _opening_of(raw) is not None:
        return False
    name = factblocks.name_of(raw)
    return name not in _FLOOR and bool(ids & ids_of(Frame(raw)))


def _is_context(raw: bytes, call_id: str) -> bool:
    """Whether the block tells something of the floor; what this call made of agents follows from its own events."""
    if raw.startswith(b"Event: QueueMember"):
        return True
    name = factblocks.name_of(raw)
    if not name:
        return False
    if (kind := _opening_of(raw)) is not None:
        return kind == b"fresh"
    if name == ev.PhaseNoted.__name__:
        return not call_id or Frame(raw).get("call_id") != call_id
    return name in _FLOOR


def _opening_of(raw: bytes) -> bytes | None:
    """What a block says that a segment begins with; None of every other block."""
    if not raw.startswith(_FACT):
        return None
    _, found, kind = raw.partition(b"\r\n%b: " % OPENING)
    return kind if found else None


def _place(raw: bytes, number: int) -> tuple[int, int, int]:
    """Where a block belongs: what a batch made of agents was written after it."""
    _, found, back = raw.partition(b"\r\n%b: " % BACK)
    if found and raw.startswith(_FACT):
        return number - int(back), 0, number
    return number, 1, number


def _at(raw: bytes) -> datetime | None:
    frame = Frame(raw)
    try:
        return datetime.fromisoformat(frame.get("at"))
    except ValueError:
        return frame.at


def _holds_from(folder: Path) -> datetime | None:
    for raw in _blocks(folder):
        at = _at(raw)
        if at is not None and factblocks.name_of(raw) in {"", "ServiceStarted", "FloorKept"}:
            return at
    return None


def _numbered(folder: Path) -> Iterator[tuple[int, bytes]]:
    """Blocks with the number they have in order; those a segment begins with share the next one's."""
    number = 0
    for raw in _blocks(folder):
        yield number, raw
        number += _opening_of(raw) is None


def _blocks(folder: Path) -> Iterator[bytes]:
    for path in sorted(path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdigit()):
        splitter = Splitter(banner=False)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue  # the ring went on meanwhile
        with file:
            while data := file.read(_PORTION):
                yield from splitter.feed(data)


def ids_of(frame: Frame) -> set[str]:
    """Ids of calls and channels that a block names."""
    keys = ("Uniqueid", "Linkedid", "DestUniqueid", "DestLinkedid", "call_id", "leg")
    return ({frame.get(key) for key in keys} | {frame.call_id}) - {""}
