"""The three axes an order is classified by, and which of several rules fits an order best. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ticketing.errors import Invalid
from ticketing.taxonomy import Taxonomies

AXES: Final = ("complaint_type", "business", "nature")
"""Vocabularies of the axes; the type of the complaint speaks first where rules name equally many (IN-05)."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Which orders a rule is for: a branch covers all below it, an axis that is None covers everything."""

    complaint_type: str | None = None
    business: str | None = None
    nature: str | None = None

    def code(self, axis: str) -> str | None:
        """The code it names on one axis."""
        return {"complaint_type": self.complaint_type, "business": self.business, "nature": self.nature}[axis]

    @property
    def plain(self) -> dict[str, str | None]:
        """JSON-ready."""
        return {axis: self.code(axis) for axis in AXES}


#: for each axis the order's code and the branches above it, from the leaf up
Ways = Mapping[str, Sequence[str]]
#: the greater, the better the rule fits
Fit = tuple[int, tuple[bool, ...], int]


def ways(words: Taxonomies, order: Mapping[str, Any] | Cover) -> Ways:
    """Where an order stands on each axis; an axis it has no code on is empty."""
    given = order.plain if isinstance(order, Cover) else order
    return {axis: [node.code for node in words.way(axis, given.get(axis) or "")] for axis in AXES}


def fit(cover: Cover, where: Ways) -> Fit | None:
    """How well a rule fits an order; None when it is not for it.

    The rule that names more axes fits better; of two that name equally many the one that names the type of the
    complaint, then the business; last, the one that names the nearer branch.
    """
    far = 0
    for axis in AXES:
        code = cover.code(axis)
        if code is None:
            continue
        if code not in where[axis]:
            return None
        far += list(where[axis]).index(code)
    named = tuple(cover.code(axis) is not None for axis in AXES)
    return sum(named), named, -far


def check_cover(words: Taxonomies, cover: Cover, *, field: str) -> None:
    """Raises Invalid for a code that nobody knows, naming it by `field` and axis."""
    for axis in AXES:
        code = cover.code(axis)
        if code is not None and words.find(axis, code) is None:
            raise Invalid("unknown_code", f"{code!r} is not in {axis}", field=f"{field}.{axis}", code_given=code)
