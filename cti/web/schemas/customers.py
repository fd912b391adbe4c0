"""Customers as the directory gives them (TL-34). Pure."""

from typing import Annotated

from pydantic import ConfigDict, Field

from cti.web.schemas.common import Code, Input, Line, Output, UtcInstant
from cti.web.schemas.orders import OrderSummary
from ticketing.masking import Personal

__all__ = ["CustomerFile", "CustomerList", "CustomerNumberView", "CustomerView", "NoteProfile", "ProfileFact"]


class CustomerNumberView(Output):
    """One number of a customer."""

    e164: Annotated[str, Personal.NUMBER]
    kind: str
    service: Annotated[str | None, Personal.NUMBER] = None


class ProfileFact(Output):
    """One thing known about a customer, who said so and when (SV-06)."""

    field: str
    value: Annotated[str, Personal.ADDRESS]
    source: str
    noted_at: UtcInstant


class CustomerView(Output):
    """A customer."""

    id: str
    name: Annotated[str, Personal.NAME]
    #: major 大客户, important 重要客户, dedicated_line 专线, or null.
    vip_class: str | None
    vip_label: str | None
    complainant_type: str | None
    profile: Annotated[dict[str, str], Personal.ADDRESS]
    #: the same with source and date
    facts: list[ProfileFact] = Field(default_factory=list)
    numbers: list[CustomerNumberView]
    #: The directory answered from its cache (TL-34).
    stale: bool


class CustomerList(Output):
    """Who may be behind a number, most likely first."""

    items: list[CustomerView]


class CustomerFile(CustomerView):
    """A customer with his last orders."""

    orders: list[OrderSummary]


class NoteProfile(Input):
    """What a customer told about himself when he was called back; a code, a text, or `refused` (SV-06)."""

    facts: dict[Code, Annotated[Line, Field(min_length=1)]] = Field(min_length=1, max_length=20)

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"facts": {"education": "college", "age": "refused"}}]},
    )


class BadLineView(Output):
    """One thing that is wrong in a file."""

    #: As an editor counts them; the header is line 1.
    line: int
    column: str
    value: str
    code: str
    #: What to do about it, in the caller's language.
    advice: str


class CustomerImport(Output):
    """What became of a file; the same file again changes nothing."""

    lines: int
    added: int
    changed: int
    same: int
    bad_count: int
    #: The first thousand.
    bad: list[BadLineView]
