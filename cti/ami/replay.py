"""Raw AMI bytes of a captured conversation, or of the flight recorder, into facts and call records (TL-71). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cti.ami import factblocks
from cti.ami.decode import decode
from cti.ami.factblocks import FactReader
from cti.ami.frames import Frame, Splitter
from cti.ami.guard import Guard
from cti.calls.events import ServiceStarted, StampsMoved
from cti.calls.model import CallRecord, FloorSettings
from cti.calls.replay import Told, replay

#: what the journal adds to each event: when it was received
RECEIVED = "JournalAt"


def events_in(raw: bytes, token: str | None = None) -> Iterator[Told]:
    """Facts in a stream of AMI blocks; with a token the guard judges every frame first, as it does live.

    The recorder's own blocks carry no token: a stream that is judged holds none, and one that claims to be is refused.
    Raises UnreadableFact for a recorder's block of another release.
    """
    guard = Guard(token) if token is not None else None
    blocks = Splitter(banner=raw.startswith(b"Asterisk Call Manager/")).feed(raw.rstrip(b"\r\n") + b"\r\n\r\n")
    frames = (Frame(block) for block in blocks)
    return facts_in(frame for frame in frames if guard is None or guard.check(frame).accept)


def facts_in(frames: Iterable[Frame]) -> Iterator[Told]:
    """Facts that believed frames and the recorder's own blocks tell."""
    reader, moved = FactReader(), timedelta(0)
    for frame in frames:
        if frame.event == factblocks.EVENT:
            told = reader.read(frame)
            if isinstance(told, StampsMoved | ServiceStarted):
                moved = timedelta(milliseconds=told.by_ms if isinstance(told, StampsMoved) else 0)
        else:
            told = decode(frame, received_at(frame))
            if told is not None and moved and frame.at is not None:
                told = replace(told, at=told.at + moved)
        if told is not None:
            yield told


def received_at(frame: Frame) -> datetime | None:
    """When the journal's frame came; None for a frame of a plain capture."""
    try:
        return datetime.fromisoformat(frame.get(RECEIVED))
    except ValueError:
        return None


def replay_bytes(raw: bytes, token: str | None = None, settings: FloorSettings | None = None) -> list[CallRecord]:
    """Records of every call in a captured conversation."""
    return replay(events_in(raw, token), settings)
