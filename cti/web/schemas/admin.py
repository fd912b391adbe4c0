"""Administration of people: posts, teams, units, qualifications, skills, locks. Pure."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Label, Line, Output, Version

__all__ = [
    "AddPerson",
    "ChangePerson",
    "LockPerson",
    "PersonSkills",
    "PersonView",
    "PostChoice",
    "QualificationView",
    "Qualify",
    "ResetToken",
    "SetPosts",
    "StaffList",
    "TeamView",
    "UnlockPerson",
]

PostCode = Literal["JA", "TE", "RX", "SA", "SV", "DM", "QC", "MH", "DS", "DH", "FS", "LD", "FU", "SU", "AD"]
_Posts = Annotated[list[PostCode], Field(min_length=1, max_length=15)]
_Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,8}$")]
_Skills = Annotated[dict[Code, Annotated[int, Field(ge=1, le=5)]], Field(max_length=50)]
#: a day, as `2026-03-10`
_Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [values]})


class QualificationView(Output):
    """One qualification on record."""

    post: PostCode
    what: str
    obtained_on: date
    valid_to: date | None


class PersonView(Output):
    """One member of staff as an administrator sees him; no password is ever shown."""

    number: str
    name: str
    posts: list[PostCode]
    #: code of the team
    team: str | None
    unit: str | None
    phone_kind: Literal["browser", "desk"]
    vip_overflow: bool
    active: bool
    has_password: bool
    version: int
    #: node of the business tree -> level
    skills: dict[str, int]
    qualifications: list[QualificationView]
    #: posts he holds without a qualification that counts today
    unqualified: list[PostCode]


class TeamView(Output):
    """One team."""

    code: str
    name: str


class PostChoice(Output):
    """One post and what it asks for (AD-04)."""

    post: PostCode
    label: Label
    demands: Label | None


class StaffList(Output):
    """Everybody, by number."""

    items: list[PersonView]
    teams: list[TeamView]
    posts: list[PostChoice]


class Qualify(Input):
    """Put a qualification on record."""

    post: PostCode
    what: Line
    obtained_on: _Day
    valid_to: _Day | None = None

    model_config = _example(post="SA", what="高级话务员考核合格", obtained_on="2026-02-01")


class AddPerson(Input):
    """A new person; a post asks for its qualification, or for a reason (AD-04)."""

    number: _Number
    name: Line
    posts: _Posts
    team: Code | None = None
    unit: Code | None = None
    phone_kind: Literal["browser", "desk"] = "browser"
    vip_overflow: bool = False
    qualifications: list[Qualify] = Field(default_factory=list, max_length=15)
    override: Line | None = None

    model_config = _example(number="1003", name="刘洋", posts=["JA"], team="team1", override="试用期，考核排在本月")


class ChangePerson(Input):
    """What is sent changes; an empty team or unit is taken away."""

    version: Version
    name: Line | None = None
    team: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,32}$")] | None = None
    unit: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,64}$")] | None = None
    phone_kind: Literal["browser", "desk"] | None = None
    vip_overflow: bool | None = None

    model_config = _example(version=1, team="team2")


class SetPosts(Input):
    """Replaces the posts; his sessions end (S13)."""

    version: Version
    posts: _Posts
    override: Line | None = None

    model_config = _example(version=1, posts=["JA", "SA"], override="临时顶岗")


class LockPerson(Input):
    """He can no longer sign in."""

    version: Version

    model_config = _example(version=1)


class UnlockPerson(Input):
    """He can sign in again."""

    version: Version

    model_config = _example(version=2)


class PersonSkills(Input):
    """Replaces the skill profile (AD-02)."""

    skills: _Skills

    model_config = _example(skills={"data": 3, "mobile.roaming": 5})


class ResetToken(Output):
    """A one-time token that sets this person's new password, shown once."""

    token: str
