"""Signing in to the page, and the first set-up with the one-time token (S13, S24). Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SecretStr, StringConstraints

from cti.web.schemas.common import Input, Output, StaffNumber, Token

__all__ = [
    "Language",
    "Password",
    "SessionView",
    "SetupCheck",
    "SetupInput",
    "SetupNeeded",
    "SetupPerson",
    "SetupStaff",
    "SignIn",
    "StaffView",
]

#: At most 256 characters, so that hashing has a bounded cost; its strength is judged by the staff rules.
Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]


class SignIn(Input):
    """Who signs in, by 工号 (PX-01)."""

    number: StaffNumber
    password: Password

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"number": "1001", "password": "correct horse battery"}]},
    )


class Language(Input):
    """The language this person reads: of his page, his pops and his alerts."""

    language: Literal["zh", "en"]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"language": "en"}]})


class StaffView(Output):
    """The person signed in."""

    id: int
    number: str
    name: str
    #: JA, SA, SU, ... (requirements part 3).
    posts: list[str]
    team: str | None
    phone_kind: Literal["desk", "browser"]
    language: str


class SessionView(Output):
    """The session: who, the token every write must carry as `X-CSRF-Token`, what he may do, and where the centre is."""

    staff: StaffView
    csrf_token: str
    permissions: list[str]
    #: IANA name of the zone in which the operator's day begins and ends: the browser may be in another.
    zone: str

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "staff": {
                        "id": 1,
                        "number": "1001",
                        "name": "王芳",
                        "posts": ["JA"],
                        "team": "受理一班",
                        "phone_kind": "browser",
                        "language": "zh",
                    },
                    "csrf_token": "m3p0f6Jt0v9y",
                    "permissions": ["order.edit", "order.submit"],
                    "zone": "Asia/Shanghai",
                }
            ]
        },
    )


class SetupNeeded(Output):
    """Whether the first passwords still have to be set."""

    needed: bool


class SetupCheck(Input):
    """The one-time token printed at the first run."""

    token: Token

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"token": "4f9c-7d2a-90be-1177"}]}
    )


class SetupPerson(Output):
    """Somebody whose password the token may set."""

    number: str
    name: str
    posts: list[str]
    has_password: bool


class SetupStaff(Output):
    """Everybody the token may set a password for."""

    staff: list[SetupPerson]


class SetupInput(Input):
    """The first passwords by 工号; the token is spent by it."""

    token: Token
    passwords: Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,16}$")], Password],
        Field(min_length=1, max_length=500),
    ]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"token": "4f9c-7d2a-90be-1177", "passwords": {"1001": "correct horse battery"}}]
        },
    )
