"""How callbacks are offered and dialled, from a data file. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ticketing import calendar
from ticketing.calendar import WorkingCalendar
from ticketing.callbacks.model import Mode, OnUnknown
from ticketing.errors import Invalid

_FIELDS = {"attempts", "spacing_min", "lease_s", "settle_s", "on_unknown", "prefixes", "per_hour", "per_agent"}

#: attempts within an hour of a centre whose own file does not say, and the most that may be said
_PER_HOUR, _PER_AGENT, _MOST_PER_HOUR = 1200, 60, 100_000


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of the day, in minutes after midnight of the calendar's zone."""

    code: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything about callbacks that a centre may decide for itself."""

    #: the centre's choice, not of the file: it decides how the service works, not when
    mode: Mode
    #: attempts before a callback goes to its owner's list
    cap: int
    #: wait after the first, second, … failed attempt; the last is repeated
    spacing: tuple[timedelta, ...]
    lease: timedelta
    #: a channel that is not there so long after it was asked for is gone
    settle: timedelta
    on_unknown: OnUnknown
    #: numbers that may be dialled begin so
    prefixes: tuple[str, ...]
    #: attempts that may begin within an hour: of the whole centre, and with one agent (S06)
    per_hour: int
    per_agent: int
    #: when customers may be called; what it leaves out are the quiet hours
    calling: WorkingCalendar
    #: only for what is said as "the next workday"
    workdays: WorkingCalendar
    slots: tuple[Slot, ...]
    #: a window is offered while so much of it is left
    least: timedelta
    longest_snooze: timedelta


@cache
def shipped() -> Policy:
    """The policy as shipped."""
    return parse(files("ticketing.callbacks").joinpath("data/callbacks.toml").read_text(encoding="utf-8"))


def read(file: Path, mode: Mode = Mode.AGENT_FIRST) -> Policy:
    """Policy of a centre's own file; raises Invalid naming the file and what is wrong with it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("bad_callbacks", f"{file}: {error}") from None
    return parse(text, str(file), mode)


def parse(text: str, source: str = "callbacks.toml", mode: Mode = Mode.AGENT_FIRST) -> Policy:
    """Policy of a file; raises Invalid naming what is wrong."""
    calendars = calendar.parse(text, source)
    document: Mapping[str, Any] = tomllib.loads(text)
    try:
        dialling, booking = document["dialling"], document["booking"]
        strange = sorted(set(dialling) - _FIELDS)
        if strange:
            raise ValueError(f"[dialling] unknown field {strange[0]!r}")
        policy = Policy(
            mode=mode,
            cap=dialling["attempts"],
            spacing=tuple(timedelta(minutes=each) for each in dialling["spacing_min"]),
            lease=timedelta(seconds=dialling["lease_s"]),
            settle=timedelta(seconds=dialling["settle_s"]),
            on_unknown=OnUnknown(dialling["on_unknown"]),
            prefixes=tuple(dialling["prefixes"]),
            per_hour=int(dialling.get("per_hour", _PER_HOUR)),
            per_agent=int(dialling.get("per_agent", _PER_AGENT)),
            calling=calendars["calling"],
            workdays=calendars["workdays"],
            slots=tuple(_slot(code, span) for code, span in document["slot"].items()),
            least=timedelta(minutes=booking["least_min"]),
            longest_snooze=timedelta(hours=booking["longest_snooze_h"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Invalid("bad_callbacks", f"{source}: {error}") from None
    if not 1 <= policy.cap <= 20 or not policy.spacing or min(policy.spacing) < timedelta(minutes=1):
        raise Invalid("bad_callbacks", f"{source}: 1 to 20 attempts, at least a minute apart")
    if not (1 <= policy.per_agent <= policy.per_hour <= _MOST_PER_HOUR):
        raise Invalid("bad_callbacks", f"{source}: 1 <= per_agent <= per_hour <= {_MOST_PER_HOUR}")
    if policy.lease <= timedelta() or policy.settle <= timedelta() or not policy.prefixes:
        raise Invalid("bad_callbacks", f"{source}: lease, settle and prefixes are needed")
    return policy


def _slot(code: str, span: str) -> Slot:
    first, _, last = span.partition("-")
    start, end = (int(hours) * 60 + int(minutes) for hours, minutes in (first.split(":"), last.split(":")))
    if not 0 <= start < end <= 1440:
        raise ValueError(f"[slot] {code}: not a part of a day: {span!r}")
    return Slot(code, start, end)
