"""The list of nuisance callers. Pure."""

from typing import Annotated

from pydantic import ConfigDict, StringConstraints

from cti.web.schemas.common import Input, Line, Output, PhoneText, UtcInstant, Version
from ticketing.masking import Personal

__all__ = ["ChangeEnd", "ListNumber", "NuisanceList", "NuisanceQuery", "NuisanceView", "StrikeOff"]


class NuisanceQuery(Input):
    """Which ones."""

    #: those that are over, the last one first, instead of those that run
    over: bool = False


class NuisanceView(Output):
    """One listed number."""

    id: str
    number: Annotated[str, Personal.NUMBER]
    reason: str
    starts_at: UtcInstant
    ends_at: UtcInstant
    #: When a person struck it off before its end.
    off_at: UtcInstant | None
    #: 工号
    created_by: str
    changed_by: str
    version: int


class NuisanceList(Output):
    """Some listed numbers."""

    items: list[NuisanceView]


class ListNumber(Input):
    """List a number: its calls hear why and are answered after all others, until the end."""

    number: PhoneText
    reason: Annotated[Line, StringConstraints(min_length=2, max_length=500)]
    ends_at: UtcInstant

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"number": "13900001111", "reason": "一周内无声来电二十次", "ends_at": "2026-12-31T16:00:00Z"}]
        },
    )


class ChangeEnd(Input):
    """Another end."""

    version: Version
    ends_at: UtcInstant

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"version": 1, "ends_at": "2027-01-31T16:00:00Z"}]},
    )


class StrikeOff(Input):
    """Off the list, from the next call on."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 1}]})
