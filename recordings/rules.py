"""What a recording's length and sound say about it, and when to look again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from recordings.model import Alarm, RecordingState

#: a file agrees with its call within this many seconds (N5)
TOLERANCE_S = 2.0
#: a file that is not there, or not finished, is looked for again after these waits (F11)
RESCANS = (timedelta(seconds=5), timedelta(seconds=60), timedelta(minutes=10))
#: softer than this (RMS over full scale) on both sides is no sound
SILENCE_DB = -75.0


def verdict(
    seconds: float,
    expected_seconds: float | None,
    *,
    sides: int,
    loudest_db: float | None,
    repaired: bool,
) -> tuple[RecordingState, Alarm | None]:
    """State and alarm of a readable file of `sides` sides; the gravest finding wins."""
    silent = loudest_db is None or loudest_db < SILENCE_DB
    late = 0.0 if expected_seconds is None else expected_seconds - seconds
    findings = (
        (seconds == 0, RecordingState.EMPTY, Alarm.NO_SAMPLES),
        (silent, RecordingState.EMPTY, Alarm.NO_SOUND),
        (late > TOLERANCE_S, RecordingState.SHORT, Alarm.SHORTER_THAN_CALL),
        (sides < 2, RecordingState.PARTIAL, Alarm.ONE_SIDE_MISSING),
        (late < -TOLERANCE_S, RecordingState.PARTIAL, Alarm.LONGER_THAN_CALL),
        (repaired, RecordingState.PARTIAL, Alarm.HEADER_REPAIRED),
    )
    for is_so, state, alarm in findings:
        if is_so:
            return state, alarm
    return RecordingState.READY, None


def writer_gone(scans: int) -> bool:
    """True when a file without the mark of completeness is taken as it is: its call ended more than a minute ago."""
    return scans >= 2


def next_scan(scans: int, settled: bool, alarm: Alarm | None, now: datetime) -> datetime | None:
    """When to look again after so many looks; None when the verdict stands. A full disk is waited for without end."""
    if settled:
        return None
    if scans > len(RESCANS):
        return now + RESCANS[-1] if alarm is Alarm.NOT_STORED else None
    return now + RESCANS[scans - 1]
