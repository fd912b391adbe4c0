"""Figures of what was entered from papers and recordings. Pure."""

from pydantic import Field

from cti.web.schemas.common import Input, Output, UtcInstant

__all__ = ["EntryFiguresView", "EntryPerson", "EntryQuery"]


class EntryQuery(Input):
    """Of which time; without `from` the last thirty days."""

    since: UtcInstant | None = Field(default=None, alias="from")
    until: UtcInstant | None = Field(default=None, alias="to")


class EntryPerson(Output):
    """What one person entered (CL-02)."""

    number: str
    name: str
    entered: int
    #: within two hours of the receipt (CL-01)
    in_time: int
    late: int
    #: seconds from the receipt to the entry
    mean_s: float
    longest_s: float
    #: a second person has looked at it, and sent it back for correction at least once
    reviewed: int
    corrected: int
    #: leaf of taxonomy `review_error` -> how often it was given
    errors: dict[str, int]


class EntryFiguresView(Output):
    """Figures of a time, by person."""

    since: UtcInstant
    until: UtcInstant
    people: list[EntryPerson]
