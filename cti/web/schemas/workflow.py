"""Steps of an order after its submission: hand-off, review, dispatch, department work, reply, survey, archive. Pure."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Line, Output, StaffNumber, Text, UtcInstant, Version
from ticketing.masking import Personal

__all__ = [
    "AnswerOrder",
    "ApproveDispatch",
    "DispatchOrder",
    "FileOrder",
    "FinishWork",
    "ForReason",
    "HandToSenior",
    "Intervene",
    "InvalidateOrder",
    "PauseOrder",
    "ProposeDispatch",
    "RateOrder",
    "RedispatchOrder",
    "ReplyToCustomer",
    "ReplyView",
    "ResumeOrder",
    "ReviewView",
    "SendBack",
    "SolveOrder",
    "SurveyView",
    "TaskInput",
    "WorkOrderList",
    "WorkOrderQuery",
    "WorkOrderStep",
    "WorkOrderTask",
]


class TaskInput(Input):
    """What one unit is to do."""

    #: leaf of taxonomy `unit`
    unit: Code
    task: Text
    #: seconds from dispatch (DP-04)
    limit_s: int = Field(ge=0, lt=2**31)
    #: they are the unit's working time, not every hour
    working_time: bool = False
    #: 工号 of somebody of the unit, instead of its inbox (DP-13)
    person: StaffNumber | None = None
    #: code of the template's node it is the work of: sent when the nodes before it are over (DP-02)
    node: Code | None = None


class Checks(Input):
    """Each check of the second look with its result (RV-04)."""

    valid: bool
    serial: bool
    complainant_type: bool
    complaint_type: bool


def _example(**values: Any) -> ConfigDict:
    """A body as the interface's description shows it."""
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 4, **values}]})


_TASK = {"unit": "city.network", "task": "上门测速", "limit_s": 86400}
_WELL = {"valid": True, "serial": True, "complainant_type": True, "complaint_type": True}


class AnswerOrder(Input):
    """Answered inside the call (T3)."""

    version: Version
    opinion: Text
    #: leaf of taxonomy `satisfaction`
    satisfaction: Code
    #: solved at the first contact
    fcr: bool

    model_config = _example(opinion="已现场解释", satisfaction="satisfied", fcr=True)


class HandToSenior(Input):
    """To the seniors (T4)."""

    version: Version
    reason: Line

    model_config = _example(reason="超出业务范围")


class ProposeDispatch(Input):
    """A dispatch for a second person to approve (T6)."""

    version: Version
    opinion: Text
    tasks: list[TaskInput] = Field(default_factory=list, max_length=50)
    #: without tasks: those the order's template asks for (DP-02)
    by_template: bool = False

    model_config = _example(opinion="请处理", tasks=[_TASK])


class SendBack(Input):
    """The proposal goes back to its author (T7)."""

    version: Version
    #: leaf of taxonomy `intervention_reason` (MN-02)
    reason_code: Code
    opinion: Text
    #: leaves of taxonomy `review_error`
    errors: list[Code] = Field(default_factory=list, max_length=20)

    model_config = _example(reason_code="incomplete", opinion="请补充测速结果", errors=["incomplete"])


class ApproveDispatch(Input):
    """What was proposed is sent (T10)."""

    version: Version
    opinion: Text
    checks: Checks
    #: empty: as it was proposed
    tasks: list[TaskInput] = Field(default_factory=list, max_length=50)
    #: without tasks: those the order's template asks for (DP-02)
    by_template: bool = False
    #: of a second dispatch: the unit that is warned in writing (RE-08)
    warned_unit: Code | None = None

    model_config = _example(opinion="同意", checks=_WELL)


class DispatchOrder(Input):
    """A senior's own dispatch (T11)."""

    version: Version
    opinion: Text
    checks: Checks
    tasks: list[TaskInput] = Field(default_factory=list, max_length=50)
    #: without tasks: those the order's template asks for (DP-02)
    by_template: bool = False

    model_config = _example(opinion="自行派单", checks=_WELL, by_template=True)


class InvalidateOrder(Input):
    """No valid complaint (T8)."""

    version: Version
    opinion: Text
    checks: Checks
    customer_told: Line

    model_config = _example(opinion="非本公司业务", checks={**_WELL, "valid": False}, customer_told="已电话说明")


class SolveOrder(Input):
    """Solved without a dispatch (T9)."""

    version: Version
    opinion: Text
    #: leaf of taxonomy `cause`
    cause: Code

    model_config = _example(opinion="远程已恢复", cause="network.capacity")


class ReplyToCustomer(Input):
    """What the customer was told (T22)."""

    version: Version
    opinion: Text
    result: Text
    #: leaf of taxonomy `reply_mode`
    channel: Code
    channel_reason: Line | None = None
    satisfaction: Code
    final: bool = True
    #: of a reply that is not the last: further work, sent with it (RP-03)
    tasks: list[TaskInput] = Field(default_factory=list, max_length=50)
    checks: Checks | None = None
    #: whose fault it was (PR-18)
    liability: Literal["company", "customer", "third_party", "none"] | None = None
    apology: bool | None = None

    model_config = _example(opinion="已致歉", result="客户认可", channel="telephone", satisfaction="satisfied")


class RateOrder(Input):
    """The surveyor heard that all is well, or nobody (T23)."""

    version: Version
    outcome: Literal["satisfied", "unreachable"]
    grade: Code | None = None
    opinion: Text | None = None
    #: of who complained again: why it came back, and what was done for him (SV-04)
    cause: Code | None = None
    handled: Code | None = None

    model_config = _example(outcome="satisfied", grade="very_satisfied", opinion="很快")


class RedispatchOrder(Input):
    """The customer is not satisfied (T24)."""

    version: Version
    cause: Code
    wanted: Text
    opinion: Text
    tasks: Annotated[list[TaskInput], Field(max_length=50)]
    grade: Code | None = None

    model_config = _example(cause="network.capacity", wanted="彻底扩容", opinion="仍慢", tasks=[_TASK])


class FileOrder(Input):
    """Into the archive (T25)."""

    version: Version
    content: Line
    customer_nature: Code
    department: Code
    originals: Annotated[str, StringConstraints(max_length=200)] | None = None

    model_config = _example(content="宽带网速", customer_nature="ordinary", department="city.network")


class WorkOrderStep(Input):
    """Accept or begin; the version is the work order's (T12)."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 1}]})


class FinishWork(Input):
    """A unit's answer (T13)."""

    version: Version
    result: Text
    cause: Code
    opinion: Text
    service_number: Line
    handled_at: UtcInstant
    overtime_reason: Text | None = None
    #: whose fault it was (PR-18)
    liability: Literal["company", "customer", "third_party", "none"] | None = None
    apology: bool | None = None

    model_config = _example(
        result="已更换光猫",
        cause="network.capacity",
        opinion="观察一周",
        service_number="ADSL-010-88886666",
        handled_at="2026-03-10T03:00:00Z",
    )


class ForReason(Input):
    """To the head, or done by nobody (T14)."""

    version: Version
    reason: Text

    model_config = _example(reason="不归我们管")


class Intervene(Input):
    """Back to the centre (T14); recalled, or proposed to be (T17): why, by code and in words."""

    version: Version
    #: leaf of taxonomy `intervention_reason` (MN-02)
    reason_code: Code
    reason: Text

    model_config = _example(reason_code="wrong_unit", reason="不归我们管")


class TakeBack(Input):
    """The head decides that the unit goes on (T14)."""

    version: Version
    decision: Text

    model_config = _example(decision="先核实")


class TransferWork(Input):
    """To another unit: five things are said (T15)."""

    version: Version
    from_workplace: Line
    reason: Text
    to_workplace: Line
    to_unit: Code
    limit_s: int = Field(ge=0, lt=2**31)

    model_config = _example(
        from_workplace="网络运维一班", reason="属计费问题", to_workplace="账务岗", to_unit="city.billing", limit_s=7200
    )


class SupplementWork(Input):
    """Another task or limit for whoever holds it (T16)."""

    version: Version
    reason: Text
    task: Text | None = None
    limit_s: int | None = Field(default=None, ge=0, lt=2**31)

    model_config = _example(reason="客户催", limit_s=7200)


class PauseOrder(Input):
    """The order stands still (T26)."""

    version: Version
    #: leaf of taxonomy `order_pause_reason`
    reason: Code
    resume_expected_at: UtcInstant
    note: Text | None = None

    model_config = _example(reason="information", resume_expected_at="2026-03-12T01:00:00Z", note="等客户传账单")


class ResumeOrder(Input):
    """It runs on (T26)."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 5}]})


class CancelOrder(Input):
    """The customer withdrew, or the data never sufficed (T27)."""

    version: Version
    reason: Literal["withdrew", "insufficient"]
    evidence: Text

    model_config = _example(reason="withdrew", evidence="客户来电撤回")


class ForceEnd(Input):
    """Ended by a higher right (T28)."""

    version: Version
    reason: Literal["malicious", "special"]
    evidence: Text

    model_config = _example(reason="malicious", evidence="录音为证")


class ToArchivist(Input):
    """A suggestion on its way (T31)."""

    version: Version
    #: the customer was thanked
    thanks: bool

    model_config = _example(thanks=True)


class ReportSuggestion(Input):
    """In a digest to its addressees (T31)."""

    version: Version
    digest: Line
    addressees: Annotated[list[Line], Field(max_length=20)]

    model_config = _example(digest="2026-03", addressees=["主管领导", "服务部门", "省公司经营部"])


class WorkOrderQuery(Input):
    """Conditions of a department's inbox; all that are given must hold."""

    #: one state, or several with commas between; none = every live one
    state: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}(,[a-z_]{1,20}){0,12}$")] | None = None
    mine: bool = False
    overdue: bool = False
    limit: int = Field(default=50, ge=1, le=200)


class WorkOrderTask(Output):
    """One work order as its unit sees it."""

    id: str
    #: address of its order
    order_id: str
    order_serial: str
    number: int
    cycle: int
    state: str
    unit: str
    #: 工号, or the unit whose inbox it lies in
    owner: str | None
    urgent: bool
    task: str | None
    dispatch_opinion: str
    sent_at: UtcInstant | None
    due_at: UtcInstant | None
    overdue: bool
    result: str | None
    cause: str | None
    opinion: str | None
    overtime_reason: str | None
    handled_at: UtcInstant | None
    ended_at: UtcInstant | None
    version: int
    #: its task or limit was changed, it was recalled or chased, and nobody has read that yet
    changed: bool
    #: which of them
    unread: list[Literal["supplement", "recall", "extension", "chase"]]
    #: what the newest chase says that nobody has read
    chased: Annotated[str | None, Personal.TEXT]
    #: times it was chased
    chases: int
    #: a change of it waits for a senior (RV-02)
    proposed: bool
    #: a later limit was asked for and waits for the supervisor (PX-05)
    extending: bool
    #: work, or field: a sub-task at the place (PR-12)
    kind: str
    #: number of the work order it belongs to, came from or takes the place of
    parent: int | None
    notes: str | None
    liability: str | None
    apology: bool | None
    #: of a returned one: sent_on or dropped
    followed: str | None
    #: steps the reader may take
    actions: list[str]


class WorkOrderList(Output):
    """A department's inbox, the nearest limit first."""

    items: list[WorkOrderTask]


class ReviewView(Output):
    """A proposal and what a second person made of it."""

    id: str
    kind: str
    state: str
    author: str | None
    created_at: UtcInstant
    tasks: list[TaskInput]
    opinion: str
    reviewer: str | None
    decided_at: UtcInstant | None
    decision: str | None
    checks: dict[str, bool]
    error_codes: list[str]
    warning_document: str | None
    #: of a change of a work order: which one, and what changes
    work_order: str | None
    reason: str | None
    task: str | None
    limit_s: int | None
    #: of a later limit: leaf of `extension_reason`, the limit asked for or given, and the one before (PX-05); of a
    #: recall: leaf of `intervention_reason`
    code: str | None
    due_at: UtcInstant | None
    old_due_at: UtcInstant | None


class ReplyView(Output):
    """One answer the customer had."""

    at: UtcInstant
    by: str | None
    cycle: int
    on_the_spot: bool
    opinion: Annotated[str, Personal.TEXT]
    result: Annotated[str | None, Personal.TEXT]
    channel: str | None
    channel_reason: str | None
    satisfaction: str
    final: bool
    liability: str | None
    apology: bool | None
    #: what quality must look at (PR-18)
    quality_flag: str | None


class SurveyView(Output):
    """What the surveyor heard."""

    at: UtcInstant
    by: str | None
    cycle: int
    outcome: str
    grade: str | None
    opinion: Annotated[str | None, Personal.TEXT]
    cause: str | None
    wanted: Annotated[str | None, Personal.TEXT]
    #: surveyor, or department: the surveyor's counts (SV-10)
    source: str
    #: what was done for who complained again
    handled: str | None
    #: the department that asked
    unit: str | None
    #: it counts: the surveyor's does (G11)
    official: bool


class CallInVain(Output):
    """A call-back in vain."""

    at: UtcInstant
    by: str | None
    cycle: int
    why: str
    note: Annotated[str | None, Personal.TEXT]
    not_before: UtcInstant | None
