"""Process templates and the responsibility map, as administrators write them and dispatchers begin with them. Pure."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Label, Line, Output, PublicId, Text, UtcInstant, Version
from cti.web.schemas.vocabulary import Day

__all__ = [
    "AddLine",
    "AddTemplate",
    "DecideLive",
    "EndLine",
    "LineList",
    "LineLive",
    "LineView",
    "MatchQuery",
    "MatchView",
    "PlanView",
    "PublishTemplate",
    "ReassignLine",
    "RenameTemplate",
    "SeenTemplate",
    "TemplateList",
    "TemplateView",
    "WriteDraft",
]


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [values]})


Name = Annotated[Line, StringConstraints(min_length=1, max_length=80)]
NodeCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class CoverInput(Input):
    """Which orders: a branch covers what is below it, null covers everything."""

    complaint_type: Code | None = None
    business: Code | None = None
    nature: Code | None = None


class NodeInput(Input):
    """One step: a work order for a unit, or for whoever has a duty on the day it starts."""

    code: NodeCode
    zh: Name
    en: Name
    task: Text
    #: seconds from its start
    limit_s: int = Field(ge=0, lt=2**31)
    #: the limit counts the unit's working time
    working_time: bool = False
    #: codes of the steps that must be over before
    after: list[NodeCode] = Field(default_factory=list, max_length=20)
    #: leaf of taxonomy `unit`; or else a duty
    unit: Code | None = None
    #: code of taxonomy `duty`
    duty: Code | None = None
    workplace: Annotated[Line, StringConstraints(max_length=60)] | None = None


class AddTemplate(Input):
    """A template, with a draft still to be written."""

    code: NodeCode
    kind: Literal["complaint", "suggestion", "appeal", "coordination"]
    zh: Name
    en: Name

    model_config = _example(code="broadband", kind="complaint", zh="宽带投诉处理", en="Broadband complaint")


class WriteDraft(Input):
    """What the draft says, as a whole."""

    version: Version
    covers: Annotated[list[CoverInput], Field(max_length=50)]
    nodes: Annotated[list[NodeInput], Field(max_length=20)]
    #: what has changed
    note: Text | None = None
    #: seconds for which a department watches its own answer; 0: not at all; left out: as everywhere (RP-08)
    tracking_s: int | None = Field(default=None, ge=0, lt=2**31)

    model_config = _example(
        version=1,
        tracking_s=259200,
        covers=[{"complaint_type": "network"}],
        nodes=[
            {"code": "check", "zh": "核查", "en": "Check", "task": "远程核查", "limit_s": 14400, "duty": "check"},
            {
                "code": "repair",
                "zh": "上门修复",
                "en": "Repair",
                "task": "上门修复",
                "limit_s": 86400,
                "after": ["check"],
                "unit": "city.installation",
            },
        ],
    )


class PublishTemplate(Input):
    """The draft becomes a version that never changes; running orders keep theirs (DP-14)."""

    version: Version
    #: first day on which newly registered orders follow it; left out or today: at once
    from_day: Day | None = None

    model_config = _example(version=2, from_day="2026-04-01")


class SeenTemplate(Input):
    """Throw the draft away, or let no new order follow the template."""

    version: Version

    model_config = _example(version=2)


class RenameTemplate(Input):
    """Other names; its code stays."""

    version: Version
    zh: Name
    en: Name

    model_config = _example(version=2, zh="宽带故障处理", en="Broadband fault")


class CoverView(Output):
    """Which orders."""

    complaint_type: str | None
    business: str | None
    nature: str | None


class NodeView(Output):
    """One step."""

    code: str
    zh: str
    en: str
    task: str
    limit_s: int
    working_time: bool
    after: list[str]
    unit: str | None
    duty: str | None
    workplace: str | None


class VersionView(Output):
    """One version, the draft included."""

    number: int
    #: draft, coming, in_force or retired
    state: str
    note: str | None
    covers: list[CoverView]
    nodes: list[NodeView]
    published_at: UtcInstant | None
    #: 工号
    published_by: str | None
    effective_at: UtcInstant | None
    retired_at: UtcInstant | None
    #: seconds for which a department watches its own answer; 0: not at all; null: as everywhere (RP-08)
    tracking_s: int | None
    #: orders under way that follow it
    running: int


class TemplateView(Output):
    """A template with its versions, the newest first."""

    code: str
    kind: str
    label: Label
    #: what a change must have seen
    version: int
    versions: list[VersionView]


class TemplateList(Output):
    """Every template, by code."""

    items: list[TemplateView]
    #: seconds for which a department watches its answer where the version says nothing
    tracking_s: int


class MatchQuery(Input):
    """A classification, to see what the centre would do with it."""

    kind: Literal["complaint", "suggestion", "appeal", "coordination"] = "complaint"
    complaint_type: Code | None = None
    business: Code | None = None
    nature: Code | None = None


class PlannedTask(Output):
    """One line a dispatch form begins with."""

    #: step of the template; null where no template is followed
    node: str | None
    label: Label | None
    #: null: the responsibility map names nobody
    unit: str | None
    duty: str | None
    task: str
    limit_s: int | None
    working_time: bool
    workplace: str | None
    #: steps that must be over before it is sent
    after: list[str]


class PlanView(Output):
    """What the order's template asks for now; without a template the department that handles such orders (DP-10)."""

    template: str | None
    label: Label | None
    #: version the order follows
    number: int | None
    tasks: list[PlannedTask]


class MatchView(Output):
    """What the centre would do with an order of this classification now (IN-20)."""

    plan: PlanView


class LineView(Output):
    """One unit's duty for some orders."""

    id: str
    duty: str
    cover: CoverView
    unit: str
    valid_from: UtcInstant
    #: the moment at which it is over
    valid_until: UtcInstant | None
    #: coming, in_force or over
    state: str
    reason: str
    created_at: UtcInstant
    created_by: str
    version: int
    #: line it took the duty from
    replaces: str | None
    #: people who work in the unit now
    people: int
    #: work orders of the old unit that nobody has decided on
    undecided: int


class LineList(Output):
    """The whole map, closed lines too: by duty, the latest first."""

    items: list[LineView]


class AffectedView(Output):
    """A work order under way."""

    id: str
    order_id: str
    order_serial: str
    number: int
    unit: str
    state: str
    task: str | None
    owner: str
    due_at: UtcInstant | None


class LineLive(Output):
    """Work orders a change of the line is about."""

    #: those its unit has: a reassignment at this moment decides on them
    under_way: list[AffectedView]
    #: those the unit before it still has, not decided on yet
    left: list[AffectedView]


class AddLine(Input):
    """A duty given to a unit."""

    duty: Code
    cover: CoverInput = CoverInput()
    unit: Code
    reason: Text
    #: first day; left out or today: at once
    from_day: Day | None = None

    model_config = _example(
        duty="check", cover={"complaint_type": "network"}, unit="city.network", reason="职责分工 2026-3 号文"
    )


class LiveInput(Input):
    """What becomes of the work orders under way."""

    choice: Literal["follow", "stay"]
    #: those that take the other choice
    others: list[PublicId] = Field(default_factory=list, max_length=1000)


class ReassignLine(Input):
    """The duty goes to another unit."""

    version: Version
    unit: Code
    reason: Text
    #: first day of the new unit; left out or today: at once
    from_day: Day | None = None
    #: must be said when it takes effect at once and work orders are under way (AD-03)
    live: LiveInput | None = None

    model_config = _example(
        version=1, unit="city.installation", reason="机构调整", live={"choice": "follow", "others": []}
    )


class DecideLive(Input):
    """Of a change made ahead, once it is in effect."""

    version: Version
    live: LiveInput

    model_config = _example(version=1, live={"choice": "stay", "others": []})


class EndLine(Input):
    """Nobody has the duty any more, unless a wider line says who."""

    version: Version
    reason: Text
    #: first day without it; left out or today: at once
    from_day: Day | None = None

    model_config = _example(version=1, reason="业务停办")
