"""What may be done to a paper, its original and its files, and what a file's content says it is. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime

from ticketing.clocks import rules as clocks
from ticketing.clocks.model import Card, Definition, Outcome, Segment
from ticketing.errors import Invalid, Refused
from ticketing.papers.model import FileKind, Move, Original, State, Verb

#: bytes one file may have; default, no paper gives one
LARGEST = 10 * 1024 * 1024
#: files one paper may have; default, no paper gives one
MOST = 20
#: characters of a file's name
LONGEST_NAME = 120

STEPS: Mapping[tuple[State | None, Verb], State] = {
    (None, Verb.REGISTER): State.CLAIMED,
    (State.NEW, Verb.CLAIM): State.CLAIMED,
    (State.CLAIMED, Verb.RELEASE): State.NEW,
    (State.NEW, Verb.REASSIGN): State.CLAIMED,
    (State.CLAIMED, Verb.REASSIGN): State.CLAIMED,
    (State.CLAIMED, Verb.TO_ORDER): State.DONE,
    (State.DONE, Verb.TO_ORDER): State.DONE,
    (State.CLAIMED, Verb.DISCARD): State.DISCARDED,
}
"""The life of a paper: whoever registers it has it, and it ends as an order or by a coded reason only (IN-28)."""

MOVES: Mapping[tuple[Original, Move], Original] = {
    (Original.CLERK, Move.HAND_OVER): Original.HANDED,
    (Original.HANDED, Move.FILE): Original.FILED,
    (Original.HANDED, Move.REFUSE): Original.CLERK,
    (Original.FILED, Move.FILE): Original.FILED,
    (Original.FILED, Move.LEND): Original.LENT,
    (Original.LENT, Move.TAKE_BACK): Original.FILED,
}
"""The chain of custody: an original is always in one known hand or at one known place (KB-11)."""

PDF = FileKind("application/pdf", ("pdf",))
PNG = FileKind("image/png", ("png",))
JPEG = FileKind("image/jpeg", ("jpg", "jpeg"))
TIFF = FileKind("image/tiff", ("tif", "tiff"))
TEXT = FileKind("text/plain", ("txt", "eml"))
KINDS = (PDF, PNG, JPEG, TIFF, TEXT)
"""What a scanner, a fax machine or a mail program gives."""

_SIGNS: tuple[tuple[bytes, FileKind], ...] = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
)
_BOM = b"\xef\xbb\xbf"
_IN_TEXT = frozenset("\n\r\t\f")
_NEVER_IN_NAMES = frozenset('/\\:*?"<>|')


def step(state: State | None, verb: Verb) -> State:
    """State after the step; raises Refused when the table has none from here."""
    found = STEPS.get((state, verb))
    if found is None:
        raise Refused(
            "paper_not_from_here",
            f"{verb.value} is not possible while the paper is {state or 'not there'}",
            state=state,
            action=verb.value,
            allowed=[each.value for (source, each) in STEPS if source == state],
        )
    return found


def move(original: Original, wanted: Move) -> Original:
    """Where the original is after the move; raises Refused when it cannot be moved so from where it is."""
    found = MOVES.get((original, wanted))
    if found is None:
        raise Refused(
            "original_not_from_here",
            f"{wanted.value} is not possible while the original is {original.value}",
            original=original.value,
            action=wanted.value,
            allowed=[each.value for (source, each) in MOVES if source is original],
        )
    return found


def limit(definition: Definition, received_at: datetime) -> tuple[datetime, datetime]:
    """Deadline and yellow time of the two hours from the receipt stamp, for entry and hand-over alike (CL-01, G5)."""
    due_at = clocks.due([Segment(received_at, None, "received", None)], definition.target)
    assert due_at is not None  # the definition has a target
    return due_at, due_at - definition.lead


def card(due_at: datetime, warn_at: datetime, done_at: datetime | None, now: datetime) -> Card:
    """Card of the entry or of the hand-over: as it was when that was done, else as it is now."""
    return clocks.card(due_at, warn_at, done_at or now)


def outcome(due_at: datetime, done_at: datetime | None) -> Outcome | None:
    """How it ended; None while it runs."""
    return None if done_at is None else clocks.outcome(due_at, done_at)


def file_name(name: str) -> str:
    """A file's name as told to others; it is never a path here. Raises Invalid for one that could be taken for a
    path, hides characters or has no ending."""
    text = unicodedata.normalize("NFC", name).strip()
    wrong = next(
        (char for char in text if char in _NEVER_IN_NAMES or unicodedata.category(char) in {"Cc", "Cf", "Cs"}), None
    )
    if wrong is not None or text.startswith(".") or ".." in text or not text.rpartition(".")[0]:
        raise Invalid(
            "bad_document_name",
            "a plain name with an ending, no path",
            field="name",
            allowed=sorted(ending for kind in KINDS for ending in kind.endings),
        )
    if len(text) > LONGEST_NAME:
        raise Invalid("too_long", f"at most {LONGEST_NAME} characters", field="name", limit=LONGEST_NAME)
    return text


def kind_of(name: str, data: bytes) -> FileKind:
    """What the content is, whatever its sender said; raises Invalid for anything but scans, PDF and text, for an empty
    file, and for a name whose ending says something else."""
    if not data:
        raise Invalid("empty_file", "the file holds nothing", field="file")
    if len(data) > LARGEST:
        raise Invalid("file_too_large", f"at most {LARGEST} bytes", field="file", limit=LARGEST)
    found = next((kind for sign, kind in _SIGNS if data.startswith(sign)), None)
    if found is None and decode(data) is not None:
        found = TEXT
    if found is None:
        raise Invalid("wrong_file_type", "not a scan, PDF or text", field="file", allowed=[k.media_type for k in KINDS])
    ending = name.rpartition(".")[2].lower()
    if ending not in found.endings:
        raise Invalid(
            "wrong_ending", "the content is not what the name says", field="name", allowed=list(found.endings)
        )
    return found


def decode(data: bytes) -> str | None:
    """The text of a file in UTF-8 or GB18030; None when it is no text at all."""
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.removeprefix(_BOM).decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(unicodedata.category(char) == "Cc" and char not in _IN_TEXT for char in text):
            return text
    return None
