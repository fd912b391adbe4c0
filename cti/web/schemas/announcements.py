"""Service announcements (公告) as the supervisor's page lists and switches them. Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Label, Line, Output, UtcInstant, Version

__all__ = [
    "AnnouncementChoices",
    "AnnouncementLine",
    "AnnouncementList",
    "AnnouncementPrompt",
    "AnnouncementQuery",
    "AnnouncementView",
    "ChangeTimes",
    "SwitchOff",
    "SwitchOn",
]

Dnis = Annotated[str, StringConstraints(pattern=r"^[0-9+*#]{1,32}$")]


class AnnouncementQuery(Input):
    """Which ones."""

    #: those that are over, the last one first, instead of what is on and planned
    over: bool = False


class AnnouncementView(Output):
    """One announcement."""

    id: str
    prompt: str
    #: Numbers dialled whose callers hear it; empty = all.
    dnis: list[str]
    state: Literal["planned", "on", "over"]
    starts_at: UtcInstant
    ends_at: UtcInstant
    #: When a person switched it off before its end.
    off_at: UtcInstant | None
    note: str | None
    created_at: UtcInstant
    #: 工号
    created_by: str
    changed_by: str
    #: Callers it was played to.
    heard: int
    #: Callers who hung up at it.
    ended: int
    version: int


class AnnouncementList(Output):
    """Some announcements."""

    items: list[AnnouncementView]


class AnnouncementPrompt(Output):
    """An announcement that is recorded."""

    code: str
    text: Label


class AnnouncementLine(Output):
    """A number that is dialled."""

    dnis: str
    label: Label


class AnnouncementChoices(Output):
    """What can be announced, and where."""

    prompts: list[AnnouncementPrompt]
    lines: list[AnnouncementLine]


class SwitchOn(Input):
    """Switch one on; without `starts_at` at once."""

    prompt: Code
    dnis: list[Dnis] = Field(default_factory=list, max_length=50)
    starts_at: UtcInstant | None = None
    ends_at: UtcInstant
    note: Line | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "prompt": "announcement-outage",
                    "dnis": ["1860"],
                    "ends_at": "2026-03-10T09:00:00Z",
                    "note": "海淀区光缆中断",
                }
            ]
        },
    )


class ChangeTimes(Input):
    """Another end; another beginning only while it has not begun."""

    version: Version
    starts_at: UtcInstant | None = None
    ends_at: UtcInstant

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"version": 1, "ends_at": "2026-03-10T10:00:00Z"}]},
    )


class SwitchOff(Input):
    """Nobody hears it from now on."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 1}]})
