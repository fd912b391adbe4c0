"""Bases and small types every schema shares. Pure."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

__all__ = [
    "CallId",
    "Code",
    "ErrorBody",
    "Input",
    "Label",
    "Line",
    "Output",
    "PhoneText",
    "PublicId",
    "StaffNumber",
    "Text",
    "Token",
    "UtcInstant",
    "Version",
]

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})")
_CONTROL = {*map(chr, range(32)), "\x7f"}


def _printable(value: object) -> object:
    """Refuse control characters (a line may hold none; texts are checked by `_prose`)."""
    if isinstance(value, str):
        _seen(value, "")
    return value


def _prose(value: object) -> object:
    """Refuse control characters except line feed, carriage return and tab."""
    if isinstance(value, str):
        _seen(value, "\n\r\t")
    return value


def _seen(value: str, kept: str) -> None:
    wrong = next((char for char in value if char in _CONTROL and char not in kept), None)
    if wrong is not None:
        told = {"character": f"U+{ord(wrong):04X}"}
        raise PydanticCustomError("control_character", "a character that cannot be seen", told)


def _instant(value: object) -> object:
    """ISO-8601 text with a zone to UTC; a bare number is refused, it could mean seconds or milliseconds."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _ISO.fullmatch(value) and "1970" < value[:4] < "2200":
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):  # the thirtieth of February
            raise PydanticCustomError("not_a_time", "there is no such day or hour") from None
    raise PydanticCustomError("not_a_time", "an ISO-8601 time with a zone is expected")


#: An instant: ISO-8601 with a zone on the way in, UTC with `Z` on the way out.
UtcInstant = Annotated[AwareDatetime, BeforeValidator(_instant)]
#: A code of a taxonomy, a state, a kind: data, never prose.
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
#: The random id of an order, a customer or a recording as it stands in addresses.
PublicId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
#: Our own id of a call (`CTI_CALL_ID`).
CallId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]
#: 工号: the number of a member of staff.
StaffNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,16}$")]
#: A telephone number as typed.
PhoneText = Annotated[str, StringConstraints(pattern=r"^[0-9+*#() -]{0,40}$")]
#: One line of prose.
Line = Annotated[str, BeforeValidator(_printable), StringConstraints(max_length=500, strip_whitespace=True)]
#: Prose of several lines.
Text = Annotated[str, BeforeValidator(_prose), StringConstraints(max_length=8000)]
#: A secret the server made (set-up token, link).
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.=-]{1,512}$")]
#: The row version the writer saw; another one now means 409 `stale_version`.
Version = Annotated[int, Field(ge=0, lt=2**63)]


class Input(BaseModel):
    """A request body: an unknown field is an error (S16), nothing is coerced silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """A response body: built by us, so an unknown field is a mistake of ours."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Label(Output):
    """One name in the two languages of the page."""

    zh: str
    en: str


class ErrorBody(Output):
    """Every refusal: a stable code for programs, a sentence for people, facts for both."""

    #: Stable, e.g. `stale_version`.
    code: str
    #: In the caller's language.
    message: str
    #: E.g. `{"field": "business"}`; never a trace, a path or SQL.
    details: dict[str, Any] = Field(default_factory=dict)
    #: Ties the answer to the server's log.
    request_id: str = ""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "code": "stale_version",
                    "message": "这张单子刚被别人改过，请重新打开。",
                    "details": {"version": 4},
                    "request_id": "5f0c3b1e9a7d4c22",
                }
            ]
        },
    )
