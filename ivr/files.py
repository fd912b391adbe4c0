"""The shape of the data files: what may be written in menus, dnis, routing and hours.toml. Pure."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ivr.model import FACTS, INTENTS

_SPAN = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])\Z")


def _time(hour: str, minute: str) -> time:
    return time.max if (hour, minute) == ("24", "00") else time(int(hour), int(minute))


def _span(value: object) -> tuple[time, time]:
    match = _SPAN.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('times are written "HH:MM-HH:MM"')
    start, end = _time(match[1], match[2]), _time(match[3], match[4])
    if start >= end:
        raise ValueError("the end is not after the start; split a night at 24:00")
    return start, end


def _days(value: object) -> tuple[date, date]:
    if not isinstance(value, str):
        raise ValueError('days are written "YYYY-MM-DD" or "YYYY-MM-DD/YYYY-MM-DD"')
    first, _, last = value.partition("/")
    start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    if start > end:
        raise ValueError("the last day is before the first")
    return start, end


def _day(value: object) -> date:
    return _days(value)[0]


def _fact(value: str) -> str:
    if value not in FACTS:
        raise ValueError(f"unknown word {value!r}; there are: {' '.join(FACTS)}")
    return value


def _intent(value: str) -> str:
    if value not in INTENTS:
        raise ValueError(f"unknown intent {value!r}; there are: {' '.join(INTENTS)}")
    return value


Span = Annotated[tuple[time, time], BeforeValidator(_span)]
Days = Annotated[tuple[date, date], BeforeValidator(_days)]
Day = Annotated[date, BeforeValidator(_day)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Digit = Annotated[str, StringConstraints(pattern=r"^[1-9]$")]
Dnis = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,20}$")]
Fact = Annotated[str, AfterValidator(_fact)]
Intent = Annotated[str, AfterValidator(_intent)]
StateCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]*$")]
LangCode = Literal["zh", "en"]
Queue = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Named(_Table):
    zh: Words
    en: Words


class KeyTable(_Named):
    go: Name


class MenuTable(_Named):
    prompts: list[Name] = Field(min_length=1)
    again: list[Name] | None = None
    back: Name | None = None
    keys: dict[Digit, KeyTable] = {}


class EntryTable(_Named):
    kind: Literal["serial", "service-number"]
    prompts: list[Name] = Field(min_length=1)
    wrong: Name
    unknown: Name
    max_keys: int = Field(ge=1, le=32)
    back: Name
    result: Name | None = None


class LookUpTable(_Table):
    kind: Literal["caller-number"]
    back: Name
    result: Name


class RouteTable(_Table):
    intent: Intent
    identify: list[Literal["withheld", "unknown"]] = []


class LanguageTable(_Table):
    key: Digit
    prompt: Name


class StateTable(_Table):
    say: Name
    next: Name | None = None


class SettingsTable(_Table):
    tries: int = Field(ge=1, le=9)
    #: Longer than 3 s without a sound and callers think the line is dead.
    wait_s: float = Field(ge=1, le=10)
    max_asks: int = Field(ge=5, le=200)


class MenusFile(_Table):
    settings: SettingsTable
    language: dict[LangCode, LanguageTable]
    menu: dict[Name, MenuTable]
    entry: dict[Name, EntryTable] = {}
    look_up: dict[Name, LookUpTable] = Field(default={}, alias="look-up")
    route: dict[Name, RouteTable] = {}
    state: dict[StateCode, StateTable] = {}


class LineTable(_Named):
    greeting: Name
    languages: list[LangCode] = Field(min_length=1, max_length=2)
    menu: Name


class UnknownTable(_Table):
    greeting: Name
    language: LangCode


class DnisFile(_Table):
    line: dict[Dnis, LineTable]
    unknown: UnknownTable


class IntentTable(_Table):
    say: Name


class RuleTable(_Named):
    code: Name
    intents: list[Intent] = []
    when: list[Fact] = []
    queue: Queue
    priority: int = Field(ge=-1, le=20)
    say: Name | None = None


class ReasonTable(_Named):
    pass


class RoutingSettings(_Table):
    manager_routing: bool


class RoutingFile(_Table):
    settings: RoutingSettings
    intent: dict[Intent, IntentTable]
    rule: list[RuleTable] = Field(min_length=1)
    reason: dict[Name, ReasonTable] = {}


class CalendarTable(_Table):
    zone: str
    mon: list[Span] = []
    tue: list[Span] = []
    wed: list[Span] = []
    thu: list[Span] = []
    fri: list[Span] = []
    sat: list[Span] = []
    sun: list[Span] = []
    holidays: list[Days] = []
    workdays: list[Day] = []
    makeup: list[Span] = []


class ChoiceTable(_Table):
    tries: int = Field(ge=1, le=9)
    wait_s: float = Field(ge=1, le=10)


class RecordTable(_Table):
    limit_s: float = Field(ge=10, le=1800)
    #: A synthetic voice was cut off after its first sentence at 2.
    silence_s: int = Field(ge=3, le=30)
    shortest_s: float = Field(ge=0.5, le=10)
    speech_s: float = Field(ge=0, le=10)
    tries: int = Field(ge=1, le=9)
    max_takes: int = Field(ge=1, le=20)
    intro: dict[Queue, Name] = {}


class CallbackTable(_Table):
    max_windows: int = Field(ge=1, le=9)
    max_keys: int = Field(ge=8, le=32)


class ClosedTable(_Table):
    progress: Name


class SurveyTable(_Table):
    tries: int = Field(ge=1, le=9)
    wait_s: float = Field(ge=1, le=10)
    answer: dict[Digit, Name] = Field(min_length=2)


class OverflowFile(_Table):
    choice: ChoiceTable
    record: RecordTable
    callback: CallbackTable
    closed: ClosedTable
    survey: SurveyTable


class HoursFile(_Table):
    queue: dict[Queue, Name]
    calendar: dict[Name, CalendarTable]
