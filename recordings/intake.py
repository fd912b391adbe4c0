"""From the spool to the store: a call's two files checked, joined, hashed and drawn. Blocking; runs in a thread."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import structlog

from recordings import wav
from recordings.model import Alarm, Found, RecordingState
from recordings.naming import call_of, is_message, peaks_name, sidecars, spool_names, stored_name
from recordings.rules import verdict

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look into the spool gave, and whether another look could give more."""

    found: Found
    settled: bool


def take_in(
    spool: Path, root: Path, call_id: str, expected_seconds: float | None, *, writer_gone: bool = False
) -> Looked:
    """Looks for the call's files and stores what is there; the same input gives the same file (idempotent).

    Before Asterisk's mark of completeness files are left alone, unless the writer is known to be dead: then headers
    are repaired from the files' size (F13).
    """
    caller_name, agent_name, done_name = spool_names(call_id)
    names = [spool / caller_name, spool / agent_name]
    if not any(_is_file(path) for path in names):
        return Looked(Found(RecordingState.MISSING, Alarm.NO_FILE), settled=False)
    # A message is complete once its caller has spoken: what says that he still does stands beside it.
    done = not (spool / sidecars(call_id)[0]).exists() if is_message(call_id) else (spool / done_name).exists()
    if not done and not writer_gone:
        return Looked(Found(RecordingState.EXPECTED, Alarm.NOT_FINISHED), settled=False)
    try:
        return Looked(_store(names, root, call_id, expected_seconds, finished=done), settled=True)
    except wav.Unreadable as error:
        log.warning("recording_unreadable", call_id=call_id, reason=error.message)
        return Looked(Found(RecordingState.PARTIAL, Alarm.UNREADABLE), settled=False)
    except OSError as error:
        log.error("recording_not_stored", call_id=call_id, reason=str(error))
        return Looked(Found(RecordingState.EXPECTED, Alarm.NOT_STORED), settled=False)


def discard(spool: Path, call_id: str) -> None:
    """Removes the call's files from the spool, after the row that names the stored file is committed."""
    for name in spool_names(call_id):
        (spool / name).unlink(missing_ok=True)


def calls_in(spool: Path) -> set[str]:
    """Calls and messages that have files in the spool; a message nobody has taken in yet is not touched."""
    if not spool.is_dir():
        return set()
    found = {call for path in spool.iterdir() if (call := call_of(path.name))}
    return {call for call in found if not is_message(call) or not _waits(spool, call)}


def _waits(spool: Path, key: str) -> bool:
    """True for a message without an item: whoever takes it in deletes what stands beside the sound."""
    return any((spool / name).exists() for name in sidecars(key))


def _store(names: list[Path], root: Path, call_id: str, expected_seconds: float | None, *, finished: bool) -> Found:
    sides = [_side(path) for path in names]
    caller, agent = sides
    frames, rate = wav.join(caller, agent)
    loud = [wav.loudness_db(side.samples) if side else None for side in sides]
    state, alarm = verdict(
        len(frames) / rate,
        expected_seconds,
        sides=2 if is_message(call_id) else sum(side is not None and len(side.samples) > 0 for side in sides),
        loudest_db=max((each for each in loud if each is not None), default=None),
        repaired=not finished or any(side is not None and side.repaired for side in sides),
    )
    if alarm is Alarm.NO_SAMPLES:
        return Found(state, alarm, seconds=0.0)
    data, path = wav.encode(frames, rate), stored_name(call_id)
    wav.write_durably(root / peaks_name(path), [wav.peaks_json(frames, rate)])
    wav.write_durably(root / path, [data])
    digest = hashlib.sha256(data).hexdigest()
    return Found(state, alarm, round(len(frames) / rate, 3), path, digest, len(data), loud[0], loud[1])


def _side(path: Path) -> wav.Sound | None:
    """One side; None when its file is not there or is no sound."""
    if not _is_file(path):
        return None
    try:
        return wav.read(path)
    except wav.Unreadable:
        log.warning("recording_side_unreadable", file=path.name)
        return None


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
