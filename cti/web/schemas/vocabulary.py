"""Vocabularies as administrators change them. Pure."""

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Label, Line, Output, Version

__all__ = [
    "AddEntry",
    "CloseEntry",
    "ClosedWords",
    "MoveEntry",
    "RenameEntry",
    "VocabularyEntry",
    "VocabularyList",
]


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [values]})


def _day(value: object) -> object:
    """A calendar day as YYYY-MM-DD of our centuries."""
    if isinstance(value, str) and len(value) == 10 and "1970" < value[:4] < "2200":
        return date.fromisoformat(value)
    if isinstance(value, date):
        return value
    raise ValueError("a day, YYYY-MM-DD, is expected")


#: A calendar day of the operator.
Day = Annotated[date, BeforeValidator(_day)]
Words = Annotated[Line, StringConstraints(min_length=1, max_length=64)]


class VocabularyEntry(Output):
    """One entry, closed ones too."""

    kind: str
    code: str
    parent: str | None
    zh: str
    en: str
    place: int
    leaf: bool
    #: First and last day on which it may be chosen.
    valid_from: date | None
    valid_to: date | None
    #: An administrator has written it: the data file changes it no more.
    edited: bool
    #: The product acts on its code: only its words may be changed.
    kept: bool
    version: int


class VocabularyList(Output):
    """A whole vocabulary in the order of the page."""

    items: list[VocabularyEntry]


class ClosedWords(Output):
    """Words of entries that can be chosen no more, kind -> code -> label: old orders keep them."""

    kinds: dict[str, dict[str, Label]]


class AddEntry(Input):
    """Add an entry; its code is the parent's with this name behind."""

    name: Code
    zh: Words
    en: Words
    parent: Code | None = None
    #: first day; left out: at once
    valid_from: Day | None = None

    model_config = _example(name="fiber", zh="光纤入户", en="Fibre", parent="data")


class RenameEntry(Input):
    """Other words; the code stays."""

    version: Version
    zh: Words
    en: Words

    model_config = _example(version=1, zh="光宽带", en="Fibre broadband")


class CloseEntry(Input):
    """Close it from a day on; null opens it again."""

    version: Version
    from_day: Day | None

    model_config = _example(version=1, from_day="2026-04-01")


class MoveEntry(Input):
    """Hang it on another branch (null = the top), or give it another place among its neighbours."""

    version: Version
    parent: Code | None
    place: Annotated[int, Field(ge=0, le=100_000)] | None = None

    model_config = _example(version=1, parent="mobile")
