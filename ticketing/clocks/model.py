"""Words of the clocks: codes, anchors, outcomes and the values rules work on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Clock(StrEnum):
    """The clocks of part 4; K1 lives with the calls, K14 and K16 are duties."""

    QUEUE = "K2"
    ENTRY = "K3"
    TEXT_HANDOFF = "K4"
    HANDOFF = "K5"
    DISPATCH = "K6"
    URGENT = "K7"
    REVIEW = "K8"
    STAGE = "K9"
    WHOLE = "K10"
    PROMISE = "K11"
    REPLY = "K12"
    SURVEY = "K13"
    VERIFY = "K15"
    CALLBACK = "K17"
    #: the law's own limit beside K10, never paused
    LEGAL = "K10L"


class Anchor(StrEnum):
    """Where the dispatch hour counts from: both are computed, policy picks the graded one (G4)."""

    NONE = ""
    A = "A"  #: call answer or receipt stamp
    B = "B"  #: the senior's receipt


class Outcome(StrEnum):
    """How a clock ended."""

    MET = "met"
    BREACHED = "breached"
    VOID = "void"  #: never counted: the draft became no order, or the order ended for another cause (G16)


class Card(StrEnum):
    """How near the limit is (MN-07)."""

    NONE = "none"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Definition:
    """One clock's rule as the data file gives it."""

    code: Clock
    name_zh: str
    name_en: str
    #: None: the limit is given each time (K9, K11, K15)
    target: timedelta | None
    #: yellow this long before the limit (MN-08)
    lead: timedelta
    #: code of the working-time calendar; None counts every hour
    calendar: str | None
    pauses: bool
    #: a limit no paper gives, chosen by this project
    default: bool
    source: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which a clock ran."""

    started_at: datetime
    stopped_at: datetime | None
    start_reason: str
    stop_reason: str | None


@dataclass(frozen=True, slots=True)
class ClockView:
    """One clock as the page shows it; field names are those of the JSON."""

    code: str
    anchor: str
    started_at: datetime
    #: None while paused or without a limit
    due_at: datetime | None
    stopped_at: datetime | None
    card: str
    outcome: str | None
    work_order_id: int | None
    paused_s: int
    #: of the two clocks of the dispatch hour: the one that is judged (G4)
    graded: bool = True


class PieceKind(StrEnum):
    """What a piece of a clock's history is."""

    RAN = "ran"  #: time that counted
    LEFT = "left"  #: what is still to run until the limit
    PAUSED = "paused"  #: the clock stood still


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a clock's history."""

    kind: PieceKind
    started_at: datetime
    #: None: it still stands still
    ended_at: datetime | None
    #: counted time in seconds; 0 for a pause
    counted_s: float
    #: why it began: the action's verb
    reason: str
    #: the shifts it is made of, where working time counts
    stretches: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """A limit that was set anew; the old one is kept (DP-08)."""

    at: datetime
    old_due_at: datetime | None
    new_due_at: datetime | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a deadline is when it is: every piece that makes it, so that it can be added up by hand."""

    view: ClockView
    names: tuple[str, str]
    source: str
    #: the limit in seconds of counted time; None where a moment was given, or there is none
    target_s: int | None
    given_due_at: datetime | None
    #: what ran before does not count: the limit was set anew then
    counts_from: datetime | None
    lead_s: int
    warn_at: datetime | None
    #: code and version of the working calendar; None: every hour counts
    calendar: str | None
    pieces: tuple[Piece, ...]
    changes: tuple[Changed, ...]
    #: card and when it was given
    cards: tuple[tuple[str, datetime], ...]
    #: years counted as plain weeks, because their holidays are not published here
    unknown_years: tuple[int, ...]
