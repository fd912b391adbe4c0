"""Follow-ups of bad grades as the page lists and works on them (SV-05). Pure."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Label, Line, Output, Text, UtcInstant, Version
from ticketing.masking import Personal

__all__ = [
    "CallBack",
    "ClaimFollowUp",
    "FinishFollowUp",
    "FollowUpPage",
    "FollowUpQuery",
    "FollowUpView",
    "InVain",
    "SurveyChoice",
    "SurveyField",
    "SurveyForm",
    "SurveyQueue",
    "SurveyQueueQuery",
    "SurveyTask",
]


class FollowUpQuery(Input):
    """Conditions of a list; all that are given must hold. Without `state`: what still waits."""

    #: one state, or several with commas between
    state: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}(,[a-z_]{1,20}){0,9}$")] | None = None
    mine: bool = False
    overdue: bool = False
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class FollowUpView(Output):
    """One follow-up."""

    id: str
    state: str
    call_id: str
    #: the key the customer pressed
    grade: str
    #: the number of who was graded
    agent: str
    graded_at: UtcInstant
    order_id: str | None
    order_serial: str | None
    customer_name: Annotated[str | None, Personal.NAME]
    caller_number: Annotated[str | None, Personal.NUMBER]
    due_at: UtcInstant
    overdue: bool
    #: the surveyor's number, or the queue's name; null when it is over
    owner: str | None
    claimed_at: UtcInstant | None
    done_at: UtcInstant | None
    opinion: str | None
    final_grade: str | None
    version: int

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "f_8sJq2",
                    "state": "new",
                    "call_id": "20261123021326-000001123456",
                    "grade": "5",
                    "agent": "1001",
                    "graded_at": "2026-11-23T02:20:01Z",
                    "order_id": "o_8sJq2",
                    "order_serial": "102938475",
                    "customer_name": "李娜",
                    "caller_number": "+8613800138002",
                    "due_at": "2026-11-24T02:20:01Z",
                    "overdue": False,
                    "owner": "survey",
                    "claimed_at": None,
                    "done_at": None,
                    "opinion": None,
                    "final_grade": None,
                    "version": 1,
                }
            ]
        },
    )


class FollowUpPage(Output):
    """Some follow-ups, the shortest remaining time first."""

    items: list[FollowUpView]
    next_cursor: str | None


class ClaimFollowUp(Input):
    """Take it, or give it back: as it was seen."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 1}]})


class FinishFollowUp(Input):
    """What the customer said, and the grade he gives now, if any."""

    version: Version
    opinion: Text
    final_grade: Annotated[str, StringConstraints(pattern=r"^[0-9]$")] | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"version": 2, "opinion": "已致歉，用户接受解释", "final_grade": "2"}]},
    )


class SurveyQueueQuery(Input):
    """Which orders."""

    mine: bool = False
    limit: int = Field(default=50, ge=1, le=200)


class SurveyTask(Output):
    """One order that waits for its call-back."""

    id: str
    serial: str
    version: int
    customer_id: str | None
    customer_name: Annotated[str | None, Personal.NAME]
    number: Annotated[str | None, Personal.NUMBER]
    vip_class: str | None
    business: str | None
    summary: Annotated[str, Personal.TEXT]
    #: points of need, and why
    need: int
    reasons: list[str]
    since: UtcInstant | None
    due_at: UtcInstant | None
    overdue: bool
    attempts: int
    not_before: UtcInstant | None
    #: the surveyor's number, or the queue's name
    owner: str | None


class SurveyQueue(Output):
    """Those who need it most come first; how many wait in all."""

    items: list[SurveyTask]
    total: int


class SurveyChoice(Output):
    """A code and its names."""

    code: str
    name: Label


class SurveyField(Output):
    """One thing that is asked about the customer; without choices it is text."""

    name: str
    label: Label
    choices: list[SurveyChoice]


class SurveyForm(Output):
    """What a surveyor fills in, as data."""

    #: calls in vain before an order ends unreached
    attempts: int
    vain: list[SurveyChoice]
    outcomes: list[SurveyChoice]
    profile: list[SurveyField]
    #: grades with which an order may close
    ends_well: list[str]


class InVain(Input):
    """A call-back that reached nobody."""

    version: Version
    why: Code
    note: Line | None = None
    not_before: UtcInstant | None = None

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 7, "why": "no_answer"}]}
    )


class CallBack(Input):
    """The department asked the customer itself (SV-10)."""

    version: Version
    grade: Code
    opinion: Text

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"version": 5, "grade": "satisfied", "opinion": "速率正常"}]},
    )
