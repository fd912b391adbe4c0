"""Where a call's files lie: names are made of our own call ids and nothing a person typed (S18). Pure."""

from __future__ import annotations

import re

from ticketing.errors import Invalid

_CALL_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{5,78}[0-9A-Za-z]")
_MESSAGE = re.compile(r"[0-9A-Za-z-]{7,73}-msg-[0-9]{1,2}")
_DATED = re.compile(r"(20\d\d)(\d\d)(\d\d)")


def check_call_id(call_id: str) -> str:
    """The id, when it has the form of ours: letters, digits and hyphens; raises Invalid."""
    if not _CALL_ID.fullmatch(call_id):
        raise Invalid("bad_call_id", "not a call id", field="call_id")
    return call_id


def is_message(key: str) -> bool:
    """True for the key of a message a caller left, `<call id>-msg-<n>`: one side, written in one piece (TL-21)."""
    return _MESSAGE.fullmatch(key) is not None


def sidecars(key: str) -> tuple[str, str]:
    """What stands beside a message's file while the caller speaks, and until somebody has taken the message in."""
    return f"{key}.open", f"{key}.json"


def spool_names(call_id: str) -> tuple[str, str, str]:
    """File names Asterisk writes: caller's side, agent's side, and the mark of completeness; a message has one."""
    check_call_id(call_id)
    if is_message(call_id):
        return f"{call_id}.wav", f"{call_id}-out.wav", f"{call_id}.done"
    return f"{call_id}-in.wav", f"{call_id}-out.wav", f"{call_id}.done"


def call_of(name: str) -> str | None:
    """Call id, or key of the message, of a file in the spool; None for anything that is not ours."""
    if name.endswith(".wav") and is_message(name.removesuffix(".wav")):
        return name.removesuffix(".wav")
    for ending in ("-in.wav", "-out.wav", ".done"):
        stem = name.removesuffix(ending)
        if stem != name and _CALL_ID.fullmatch(stem):
            return stem
    return None


def stored_name(call_id: str) -> str:
    """Path below the recordings' root, the same at every attempt: `2026/03/10/<call id>.wav`."""
    check_call_id(call_id)
    day = _DATED.match(call_id)
    folder = "/".join(day.groups()) if day else "undated"
    return f"{folder}/{call_id}.wav"


def peaks_name(stored: str) -> str:
    """Path of the waveform beside the sound."""
    return f"{stored.removesuffix('.wav')}.peaks.json"
