"""Raw AMI bytes of a captured conversation into facts and call records (TL-71). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cti.ami.decode import decode
from cti.ami.frames import Frame, Splitter
from cti.ami.guard import Guard
from cti.calls.events import CallEvent
from cti.calls.model import CallRecord, FloorSettings
from cti.calls.replay import replay


def events_in(raw: bytes, token: str | None = None) -> Iterator[CallEvent]:
    """Facts in a stream of AMI blocks; with a token the guard judges every frame first, as it does live."""
    guard = Guard(token) if token is not None else None
    for block in Splitter(banner=raw.startswith(b"Asterisk Call Manager/")).feed(raw.rstrip(b"\r\n") + b"\r\n\r\n"):
        frame = Frame(block)
        if guard is not None and not guard.check(frame).accept:
            continue
        event = decode(frame)
        if event is not None:
            yield event


def replay_bytes(raw: bytes, token: str | None = None, settings: FloorSettings | None = None) -> list[CallRecord]:
    """Records of every call in a captured conversation."""
    return replay(events_in(raw, token), settings)
