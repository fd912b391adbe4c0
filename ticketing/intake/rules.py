"""What may be done to a recorded complaint, how long it may lie, what is put aside. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

from ticketing.clocks import rules as clocks
from ticketing.clocks.model import Card, Definition, Outcome, Segment
from ticketing.errors import Invalid, Refused
from ticketing.intake.model import ENDED, Sorted, State, Verb

#: a message below this length says nothing (F14); default, no paper gives one
SHORTEST_S = 2.0

STEPS: Mapping[tuple[State | None, Verb], State] = {
    (None, Verb.TAKE): State.NEW,
    (None, Verb.SORT_OUT): State.SORTED_OUT,
    (State.NEW, Verb.SORT_OUT): State.SORTED_OUT,
    (State.NEW, Verb.CLAIM): State.CLAIMED,
    (State.SORTED_OUT, Verb.CLAIM): State.CLAIMED,
    (State.CLAIMED, Verb.RELEASE): State.NEW,
    (State.NEW, Verb.REASSIGN): State.CLAIMED,
    (State.CLAIMED, Verb.REASSIGN): State.CLAIMED,
    (State.CLAIMED, Verb.TO_ORDER): State.DONE,
    (State.DONE, Verb.TO_ORDER): State.DONE,
    (State.NEW, Verb.ABSORB): State.DONE,
    (State.CLAIMED, Verb.DISCARD): State.DISCARDED,
}
"""The whole life of an item: it ends as an order or by a person's coded reason, and by nothing else (IN-28)."""

_FILE = re.compile(r"([0-9A-Za-z][0-9A-Za-z-]{5,74}[0-9A-Za-z])\.wav")


def step(state: State | None, verb: Verb) -> State:
    """State after the step; raises Refused when the table has none from here."""
    found = STEPS.get((state, verb))
    if found is None:
        raise Refused(
            "not_from_here",
            f"{verb.value} is not possible while the message is {state or 'not there'}",
            state=state,
            action=verb.value,
            allowed=[each.value for (source, each) in STEPS if source == state],
        )
    return found


def key_of(file: str) -> str:
    """Key of a voice file in the spool: its name without the ending; raises Invalid for a path or a strange name."""
    found = _FILE.fullmatch(file)
    if found is None:
        raise Invalid("bad_file_name", "not the name of a voice file", field="file")
    return found[1]


def length_of(seconds: float | None) -> float | None:
    """Seconds as stored; None when nobody measured them, or what was measured is no length."""
    return round(seconds, 3) if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None


def sorted_out(seconds: float | None, heard: Sorted | None) -> Sorted | None:
    """Why a message is put aside, None when a clerk must hear it (TL-21); an unknown length is no reason."""
    length = length_of(seconds)
    return heard or (Sorted.TOO_SHORT if length is not None and length < SHORTEST_S else None)


def limit(definition: Definition, received_at: datetime) -> tuple[datetime, datetime]:
    """Deadline and yellow time of the two hours, counted from the receipt stamp (K3); nothing pauses it."""
    due_at = clocks.due([Segment(received_at, None, "received", None)], definition.target)
    assert due_at is not None  # the definition has a target
    return due_at, due_at - definition.lead


def card(state: State, due_at: datetime, warn_at: datetime, at: datetime) -> Card:
    """Card of an item; one that was put aside by the product has no clock."""
    return Card.NONE if state is State.SORTED_OUT else clocks.card(due_at, warn_at, at)


def outcome(state: State, due_at: datetime, at: datetime) -> Outcome | None:
    """How the clock ended; None while it runs."""
    if state is State.SORTED_OUT:
        return Outcome.VOID
    return clocks.outcome(due_at, at) if state in ENDED else None
