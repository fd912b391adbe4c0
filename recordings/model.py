"""A call's recording as values: state, alarm, what a scan found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RecordingState(StrEnum):
    """Never blank: a call that was recorded is in one of these (N5, IN-15)."""

    EXPECTED = "expected"  #: the call runs, or its file is still being written
    READY = "ready"  #: checked: header, length against the call, sound
    PARTIAL = "partial"  #: something is there, not all: a side missing, a repaired header, a wrong length
    MISSING = "missing"  #: no file
    EMPTY = "empty"  #: a file without sound
    SHORT = "short"  #: more than the tolerance shorter than the call


class Alarm(StrEnum):
    """What is wrong, as a code that the page translates."""

    NO_FILE = "no_file"
    NO_SAMPLES = "no_samples"
    NO_SOUND = "no_sound"
    SHORTER_THAN_CALL = "shorter_than_call"
    LONGER_THAN_CALL = "longer_than_call"
    ONE_SIDE_MISSING = "one_side_missing"
    HEADER_REPAIRED = "header_repaired"
    NOT_FINISHED = "not_finished"
    UNREADABLE = "unreadable"
    NOT_STORED = "not_stored"


class Purpose(StrEnum):
    """What a link is for; one made for listening does not download."""

    PLAY = "play"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Found:
    """What a look into the spool gave: the verdict on one call's files."""

    state: RecordingState
    alarm: Alarm | None = None
    #: length of the stereo file in seconds
    seconds: float | None = None
    #: relative to the recordings' root
    path: str | None = None
    sha256: str | None = None
    size: int | None = None
    #: RMS over full scale in dB, each side; None = side missing or digital silence
    caller_db: float | None = None
    agent_db: float | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One call's recording as stored."""

    id: int
    #: random id for addresses
    public_id: str
    call_id: str
    state: RecordingState
    alarm: Alarm | None
    seconds: float | None
    #: what the call lasted from the start of the recording on; None = not known
    expected_seconds: float | None
    path: str | None
    sha256: str | None
    size: int | None
    caller_db: float | None
    agent_db: float | None
    scans: int
    #: when the spool is looked at again; None = the verdict is final
    next_scan_at: datetime | None
    created_at: datetime
    version: int

    @property
    def playable(self) -> bool:
        """True when there is a file to listen to, whole or not."""
        return self.path is not None


@dataclass(frozen=True, slots=True)
class Peaks:
    """Waveform: the largest sample of each stretch, 0 to 1."""

    seconds: float
    agent: tuple[float, ...]
    caller: tuple[float, ...]
