"""Figures of a time: shares and clocks, each with its name and its formula (TL-10, TL-12). Pure."""

from pydantic import ConfigDict, Field

from cti.web.schemas.common import Code, Input, Label, Output, UtcInstant

__all__ = [
    "AgentCount",
    "BreachFigure",
    "CalibrationFigure",
    "ClockFigure",
    "CountFigure",
    "CounterPair",
    "CountersView",
    "FiguresQuery",
    "FiguresView",
    "GradeCount",
    "GradeFigure",
    "ReasonCount",
    "ShareFigure",
]


class FiguresQuery(Input):
    """Of which time and queue; without `from` the operator's day so far."""

    since: UtcInstant | None = Field(default=None, alias="from")
    until: UtcInstant | None = Field(default=None, alias="to")
    queue: Code | None = None


class ShareFigure(Output):
    """A share with both its numbers; `value` is null for a share of nothing."""

    code: str
    name: Label
    formula: Label
    part: int
    whole: int
    value: float | None


class ClockFigure(Output):
    """A clock over the calls that have it, milliseconds."""

    code: str
    name: Label
    formula: Label
    count: int
    mean_ms: float | None
    p50_ms: int | None
    p95_ms: int | None
    longest_ms: int | None


class CountFigure(Output):
    """How many calls of one kind."""

    code: str
    count: int


class AgentCount(Output):
    """How often, by agent."""

    agent: str
    name: str | None
    count: int


class BreachFigure(Output):
    """Callers who waited beyond the target, by reason, and who let them ring."""

    code: str
    count: int
    agents: list[AgentCount]


class CalibrationFigure(Output):
    """The expected waits callers were told beside what came of them (TL-14)."""

    #: callers who were told a time, and those of them who were answered
    told: int
    judged: int
    #: mean of told less truth: above nothing = told too long
    bias_ms: float | None
    mean_absolute_ms: float | None
    within: ShareFigure


class GradeCount(Output):
    """How many gave this grade."""

    grade: str
    name: Label
    count: int


class GradeFigure(Output):
    """What callers thought of the talk (TL-08); the mean is of the scores, higher is better."""

    graded: ShareFigure
    mean_score: float | None
    grades: list[GradeCount]


class FiguresView(Output):
    """Everything about the calls that entered in `since` <= time < `until`."""

    since: UtcInstant
    until: UtcInstant
    queue: str | None
    #: T of the formulas, seconds
    target_s: float
    #: closed calls; the sum of `outcomes`
    total: int
    #: calls that go on: they have no outcome yet
    still_open: int
    asked: int
    joined: int
    answered: int
    outcomes: list[CountFigure]
    shares: list[ShareFigure]
    clocks: list[ClockFigure]
    longest_wait_ms: int
    breaches: list[BreachFigure]
    misses: list[AgentCount]
    #: where callers gave up
    abandons: list[CountFigure]
    calibration: CalibrationFigure
    satisfaction: GradeFigure

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "since": "2026-11-22T16:00:00Z",
                    "until": "2026-11-23T02:13:26Z",
                    "queue": None,
                    "target_s": 15.0,
                    "total": 2,
                    "still_open": 1,
                    "asked": 2,
                    "joined": 2,
                    "answered": 1,
                    "outcomes": [{"code": "answered", "count": 1}, {"code": "abandoned", "count": 1}],
                    "shares": [
                        {
                            "code": "fifteen_second_rate",
                            "name": {"zh": "15秒人工接通率", "en": "15-second answer rate"},
                            "formula": {
                                "zh": "要求人工后 T 内由人接听 ÷ 全部要求人工",
                                "en": "answered by a person within T after asking for one / all who asked",
                            },
                            "part": 1,
                            "whole": 2,
                            "value": 0.5,
                        }
                    ],
                    "clocks": [],
                    "longest_wait_ms": 61200,
                    "breaches": [
                        {
                            "code": "idle_agent_slow",
                            "count": 1,
                            "agents": [{"agent": "1001", "name": "王芳", "count": 1}],
                        }
                    ],
                    "misses": [{"agent": "1001", "name": "王芳", "count": 2}],
                    "abandons": [{"code": "waiting", "count": 1}],
                    "satisfaction": {
                        "graded": {
                            "code": "graded",
                            "name": {"zh": "评价率", "en": "Graded"},
                            "formula": {"zh": "给出按键评价 ÷ 全部接听", "en": "gave a grade by key / all answered"},
                            "part": 1,
                            "whole": 1,
                            "value": 1.0,
                        },
                        "mean_score": 5.0,
                        "grades": [{"grade": "1", "name": {"zh": "非常满意", "en": "Very satisfied"}, "count": 1}],
                    },
                    "calibration": {
                        "told": 2,
                        "judged": 1,
                        "bias_ms": -12000.0,
                        "mean_absolute_ms": 12000.0,
                        "within": {
                            "code": "forecast_within",
                            "name": {"zh": "预计等候准确率", "en": "Expected wait within the band"},
                            "formula": {"zh": "…", "en": "…"},
                            "part": 1,
                            "whole": 1,
                            "value": 1.0,
                        },
                    },
                }
            ]
        },
    )


class ReasonCount(Output):
    """Why the two differ, by how much: theirs less ours."""

    code: str
    name: Label
    text: Label
    count: int


class CounterPair(Output):
    """One counter of Asterisk's and ours since the same moment; the reasons add up to the difference."""

    theirs: int
    ours: int
    difference: int
    reasons: list[ReasonCount]


class CountersView(Output):
    """One queue: the counters of Asterisk beside ours (TL-13)."""

    queue: str
    label: str
    since: UtcInstant
    #: when Asterisk was asked
    at: UtcInstant
    answered: CounterPair
    abandoned: CounterPair
    service_level_s: int
    #: Asterisk's own service level, percent of what it counts as completed
    level_percent: float | None
    #: ours by the same formula
    our_level_percent: float | None
