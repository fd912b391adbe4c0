"""Clocks explained, working calendars and the limits an administrator sets. Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Label, Output, UtcInstant

__all__ = [
    "AssignCalendar",
    "CalendarList",
    "CalendarView",
    "ChangeLimit",
    "ClockExplained",
    "ClockLimit",
    "ClockLimitList",
    "LimitChange",
    "OrderClocks",
    "PieceView",
    "PublishCalendar",
    "StretchView",
    "UnitCalendar",
]

Shift = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$")]
Days = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(/[0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
Shifts = Annotated[list[Shift], Field(max_length=8)]


class StretchView(Output):
    """A shift, or a part of one, that counts."""

    started_at: UtcInstant
    ended_at: UtcInstant


class PieceView(Output):
    """A stretch of a clock's history; the counted seconds of all together are its limit."""

    kind: Literal["ran", "left", "paused"]
    started_at: UtcInstant
    #: null: it still stands still, or runs without a limit
    ended_at: UtcInstant | None
    counted_s: float
    #: the step that began it
    reason: str
    stretches: list[StretchView]


class LimitChange(Output):
    """A limit that was set anew."""

    at: UtcInstant
    old_due_at: UtcInstant | None
    new_due_at: UtcInstant | None
    reason: str
    #: 工号
    by: str


class ClockExplained(Output):
    """Why a deadline is when it is."""

    code: str
    name: Label
    anchor: str
    #: of the dispatch hour's two starts the one that is judged (G4)
    graded: bool
    #: requirement, or the law
    source: str
    started_at: UtcInstant
    due_at: UtcInstant | None
    warn_at: UtcInstant | None
    stopped_at: UtcInstant | None
    outcome: Literal["met", "breached", "void"] | None
    card: Literal["none", "yellow", "red"]
    target_s: int | None
    given_due_at: UtcInstant | None
    counts_from: UtcInstant | None
    lead_s: int
    paused_s: int
    #: working calendar with its version; null = every hour counts
    calendar: str | None
    pieces: list[PieceView]
    changes: list[LimitChange]
    #: cards that were given: yellow, red, each once
    cards: dict[str, UtcInstant]
    #: years counted as plain weeks: their holidays are not written here yet
    unknown_years: list[int]


class OrderClocks(Output):
    """Every clock of an order, oldest first."""

    items: list[ClockExplained]


class CalendarFields(Input):
    """A working calendar; a day without shifts is a day of rest."""

    zone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+(/[A-Za-z_+-]+){0,2}$", max_length=40)]
    mon: Shifts = Field(default_factory=list)
    tue: Shifts = Field(default_factory=list)
    wed: Shifts = Field(default_factory=list)
    thu: Shifts = Field(default_factory=list)
    fri: Shifts = Field(default_factory=list)
    sat: Shifts = Field(default_factory=list)
    sun: Shifts = Field(default_factory=list)
    #: days off, single or as `first/last`
    holidays: Annotated[list[Days], Field(max_length=400)] = Field(default_factory=list)
    #: make-up workdays (调休)
    workdays: Annotated[list[Days], Field(max_length=400)] = Field(default_factory=list)
    #: shifts of a make-up workday
    makeup: Shifts = Field(default_factory=list)
    #: years whose holidays are known although none is listed
    years: Annotated[list[Annotated[int, Field(ge=1970, le=2999)]], Field(max_length=50)] = Field(default_factory=list)


class PublishCalendar(Input):
    """A further version; `version` is the one that was seen, 0 for a new calendar."""

    version: Annotated[int, Field(ge=0, lt=2**31)]
    fields: CalendarFields

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "version": 1,
                    "fields": {
                        "zone": "Asia/Shanghai",
                        "mon": ["08:30-12:00", "13:30-18:00"],
                        "holidays": ["2026-10-01/2026-10-07"],
                        "workdays": ["2026-10-10"],
                        "makeup": ["08:30-12:00"],
                    },
                }
            ]
        },
    )


class CalendarView(Output):
    """The newest version of a calendar."""

    code: str
    version: int
    #: as published: zone, shifts by weekday, holidays, workdays, makeup, years
    fields: dict[str, str | list[str] | list[int]]
    published_at: UtcInstant
    #: 工号, or system for what the data file said
    published_by: str
    #: this year or the next one, if their holidays are not written here
    unknown_years: list[int]


class UnitCalendar(Output):
    """Who works by which calendar."""

    #: leaf or branch of taxonomy `unit`; `*` = everybody else
    unit: str
    calendar: str


class CalendarList(Output):
    """Calendars, and who works by them."""

    items: list[CalendarView]
    units: list[UnitCalendar]


class AssignCalendar(Input):
    """The calendar of a unit; null = that of its branch."""

    calendar: Code | None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"calendar": "office"}]})


class ClockLimit(Output):
    """Limit and lead of one clock."""

    code: str
    name: Label
    #: null: given each time
    target_s: int | None
    lead_s: int
    shipped_target_s: int | None
    shipped_lead_s: int
    pauses: bool
    #: a figure no requirement gives
    default: bool
    source: str
    editable: bool
    changed_at: UtcInstant | None
    changed_by: str | None


class ClockLimitList(Output):
    """Every clock."""

    items: list[ClockLimit]


class ChangeLimit(Input):
    """For clocks that start from now on; null = as shipped."""

    target_s: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    lead_s: Annotated[int, Field(ge=0, lt=2**31)] | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"lead_s": 3600}]})
