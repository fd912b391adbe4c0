"""Which orders are called back after their answer, how urgently, and what is asked then: rules as data. Pure."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ticketing.errors import Invalid

_AXES: Final = ("nature", "business", "kind")
#: what may make a call-back more needed than another
FACTS: Final = ("bad_grade", "unhappy", "again", "repeat", "late", "vip", "urgent")
#: the customer would not say
REFUSED: Final = "refused"
_LONGEST: Final = 500
_TABLES: Final = frozenset(
    {*_AXES, "attempts", "per_day", "ends_well", "unhappy", "always", "need", "outcome", "vain", "profile"}
)

#: Chinese and English
Names = tuple[str, str]


class Choice(StrEnum):
    """Whether an order is called back, and why; stands in its trail."""

    NOT_ASKED = "not_asked"  #: such orders end with the answer (SV-08)
    NEEDED = "needed"  #: always called back
    DRAWN = "drawn"  #: chosen by its share
    NOT_DRAWN = "not_drawn"  #: another one of its share was chosen
    FULL = "full"  #: enough were chosen in the last 24 hours

    @property
    def called_back(self) -> bool:
        """The order goes to the surveyors."""
        return self in {Choice.NEEDED, Choice.DRAWN}


@dataclass(frozen=True, slots=True)
class ProfileField:
    """One thing that is asked about the customer, if he likes (SV-06)."""

    name: str
    names: Names
    #: code -> names; empty: any text
    choices: Mapping[str, Names]


@dataclass(frozen=True, slots=True)
class FollowUpRules:
    """Codes and their shares by axis (a branch speaks for its leaves), limits, weights and words."""

    #: 0 never, 1 always, between: that share
    axes: Mapping[str, Mapping[str, float]]
    always: frozenset[str]
    #: orders chosen by share in 24 hours at most
    per_day: int
    #: calls in vain before an order ends unreached
    attempts: int
    ends_well: tuple[str, ...]
    unhappy: tuple[str, ...]
    #: points by fact
    need: Mapping[str, int]
    outcomes: Mapping[str, Names]
    vain: Mapping[str, Names]
    profile: tuple[ProfileField, ...]

    def share(self, order: Mapping[str, Any]) -> float:
        """Share of orders like this one that are called back; the nearest rule of the first axis that has one."""
        for axis in _AXES:
            code = str(order.get(axis) or "")
            while code:
                if code in self.axes[axis]:
                    return self.axes[axis][code]
                code = code.rpartition(".")[0]
        return 0.0

    def choose(self, order: Mapping[str, Any], facts: Collection[str], chosen_lately: int) -> Choice:
        """Whether this order is called back (SV-07, PX-06).

        `facts` are those of FACTS that hold, `chosen_lately` how many were chosen in the last 24 hours. The draw is
        made from the order's own number and cycle: asked again it falls the same way.
        """
        share = self.share(order)
        if share <= 0:
            return Choice.NOT_ASKED
        if self.always.intersection(facts):
            return Choice.NEEDED
        if draw(str(order["serial"]), int(order["cycle"])) >= share:
            return Choice.NOT_DRAWN
        return Choice.FULL if chosen_lately >= self.per_day else Choice.DRAWN

    def facts_asked(self, given: Mapping[str, str]) -> dict[str, str]:
        """Profile facts as they may be stored; raises Invalid naming the field and what it allows."""
        known = {each.name: each for each in self.profile}
        kept = {}
        for name, value in given.items():
            if name not in known:
                raise Invalid("unknown_code", "this is not asked", field=name, allowed=sorted(known))
            choices = known[name].choices
            if choices and value not in {*choices, REFUSED}:
                raise Invalid("unknown_code", "no such choice", field=name, allowed=[*choices, REFUSED])
            if not value.strip() or len(value) > _LONGEST:
                raise Invalid("bad_length", f"1 to {_LONGEST} characters", field=name, allowed=[1, _LONGEST])
            kept[name] = value.strip()
        return kept


def draw(serial: str, cycle: int) -> float:
    """A number from 0 up to 1 that belongs to this order and cycle, spread evenly over all orders."""
    digest = hashlib.sha256(f"{serial}/{cycle}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


@cache
def shipped() -> FollowUpRules:
    """The rules of the data file."""
    return parse(files("ticketing").joinpath("data/follow_up.toml").read_text(encoding="utf-8"))


def parse(text: str) -> FollowUpRules:
    """Rules of a file; raises Invalid naming the line that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("bad_follow_up", str(error)) from None
    if strange := sorted(set(document) - _TABLES):
        raise Invalid("bad_follow_up", f"unknown name {strange[0]!r}", allowed=sorted(_TABLES))
    return FollowUpRules(
        axes={axis: {code: _share(axis, code, value) for code, value in _table(document, axis)} for axis in _AXES},
        always=frozenset(_words(document, "always", FACTS)),
        per_day=_count(document, "per_day", 400),
        attempts=_count(document, "attempts", 3),
        ends_well=_words(document, "ends_well"),
        unhappy=_words(document, "unhappy"),
        need={fact: _points(fact, points) for fact, points in _table(document, "need")},
        outcomes={code: _names(f"outcome.{code}", said) for code, said in _table(document, "outcome")},
        vain={code: _names(f"vain.{code}", said) for code, said in _table(document, "vain")},
        profile=tuple(_field(name, said) for name, said in _table(document, "profile")),
    )


def _table(document: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise Invalid("bad_follow_up", f"[{name}] must be a table", field=name)
    return list(found.items())


def _share(axis: str, code: str, value: object) -> float:
    if isinstance(value, int | float) and 0 <= value <= 1:
        return float(value)
    raise Invalid("bad_follow_up", f"[{axis}] {code} must be true, false or a share of 1", field=f"{axis}.{code}")


def _count(document: Mapping[str, Any], name: str, usual: int) -> int:
    value = document.get(name, usual)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Invalid("bad_follow_up", f"{name} must be a number from 0", field=name)
    return value


def _words(document: Mapping[str, Any], name: str, allowed: Collection[str] = ()) -> tuple[str, ...]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Invalid("bad_follow_up", f"{name} must be a list of words", field=name)
    if allowed and (strange := sorted(set(value) - set(allowed))):
        raise Invalid("bad_follow_up", f"{name}: {strange[0]!r} is no such word", field=name, allowed=list(allowed))
    return tuple(value)


def _points(fact: str, value: object) -> int:
    if fact not in FACTS:
        raise Invalid("bad_follow_up", f"[need] {fact!r} is no such word", field=f"need.{fact}", allowed=list(FACTS))
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid("bad_follow_up", f"[need] {fact} must be a number", field=f"need.{fact}")
    return value


def _names(where: str, value: object) -> Names:
    match value:
        case [str(zh), str(en)] if zh and en:
            return zh, en
    raise Invalid("bad_follow_up", f"{where} must be a Chinese and an English name", field=where)


def _field(name: str, said: object) -> ProfileField:
    where = f"profile.{name}"
    if not isinstance(said, dict) or "name" not in said or set(said) - {"name", "choices"}:
        raise Invalid("bad_follow_up", f"[{where}] needs a name, and may have choices", field=where)
    choices = _table(said, "choices")
    return ProfileField(
        name, _names(where, said["name"]), {code: _names(f"{where}.{code}", it) for code, it in choices}
    )
