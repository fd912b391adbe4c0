"""What grades mean and what may be done to a follow-up. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from ticketing.errors import Invalid, Refused
from ticketing.surveys.model import State, Verb

STEPS: Mapping[tuple[State | None, Verb], State] = {
    (None, Verb.OPEN): State.NEW,
    (State.NEW, Verb.CLAIM): State.CLAIMED,
    (State.CLAIMED, Verb.RELEASE): State.NEW,
    (State.CLAIMED, Verb.FINISH): State.DONE,
}
"""The whole life of a follow-up: it ends by a person's opinion and by nothing else (SV-05)."""

_FIELDS = frozenset({"zh", "en", "score", "bad"})


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade of the scale."""

    key: str
    zh: str
    en: str
    #: what counts in the mean; higher is better
    score: float
    #: opens a follow-up
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale and what becomes of bad grades."""

    grades: Mapping[str, Grade]
    queue: str
    due: timedelta


@cache
def shipped() -> Scale:
    """The scale as shipped."""
    return parse(files("ticketing.surveys").joinpath("data/grades.toml").read_text(encoding="utf-8"))


def parse(text: str, source: str = "grades.toml") -> Scale:
    """Scale of a file; raises Invalid `bad_grades` naming what is wrong."""
    try:
        document = tomllib.loads(text)
        follow_up = document["follow_up"]
        grades = {}
        for key, said in document["grade"].items():
            strange = sorted(set(said) - _FIELDS)
            if strange or not (len(key) == 1 and key.isdigit()):
                raise ValueError(f"[grade.{key}] {strange[0] if strange else 'not one key'!r}")
            zh, en, score = str(said["zh"]), str(said["en"]), float(said["score"])
            grades[key] = Grade(key, zh, en, score, bad=said.get("bad", False) is True)
        scale = Scale(MappingProxyType(grades), str(follow_up["queue"]), timedelta(hours=follow_up["due_hours"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Invalid("bad_grades", f"{source}: {error}") from None
    if not grades or scale.due <= timedelta():
        raise Invalid("bad_grades", f"{source}: at least one grade, and a due time above nothing")
    return scale


def step(state: State | None, verb: Verb) -> State:
    """State after the step; raises Refused when the table has none from here."""
    found = STEPS.get((state, verb))
    if found is None:
        raise Refused(
            "not_from_here",
            f"{verb.value} is not possible while the follow-up is {state or 'not there'}",
            state=state,
            action=verb.value,
            allowed=[each.value for (source, each) in STEPS if source == state],
        )
    return found


def known(scale: Scale, grade: str, field: str = "grade") -> Grade:
    """The grade of a key; raises Invalid for one the scale does not have."""
    found = scale.grades.get(grade)
    if found is None:
        raise Invalid("unknown_code", "no such grade", field=field, allowed=sorted(scale.grades))
    return found
