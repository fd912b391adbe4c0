"""Steps beside the straight way: leaders, changes of work orders, the field, what customers add and are told. Pure."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from cti.web.schemas.common import Code, Input, Line, Output, PublicId, StaffNumber, Text, UtcInstant, Version
from cti.web.schemas.workflow import CallInVain, Checks, ReplyView, ReviewView, SurveyView, TaskInput, WorkOrderTask
from ticketing.masking import Personal

__all__ = [
    "AgreementView",
    "AssignField",
    "ChaseOrder",
    "ChaseView",
    "CoordinateOrder",
    "CoordinationView",
    "CustomerAdds",
    "DecideRemedy",
    "DecideWithOpinion",
    "FieldReport",
    "GrantRemedy",
    "MeasureView",
    "NoteWork",
    "NoticeView",
    "OpenPoint",
    "OpenPointDone",
    "OpenPointList",
    "OrderHistory",
    "RaiseToTop",
    "RefuseChange",
    "RemedyView",
    "ResponseView",
    "SendOnWork",
    "TellCustomer",
    "ToLeader",
    "ToManager",
]

Limit = Annotated[int, Field(ge=0, lt=2**31)]


def _example(**values: Any) -> ConfigDict:
    """A body as the interface's description shows it."""
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 4, **values}]})


class ToManager(Input):
    """To the manager hotline (T5)."""

    version: Version
    trigger: Literal["overdue_repeat", "refuses_answer"]
    reason: Text
    #: of an overdue repeat that is not linked to the earlier order
    earlier_serial: Annotated[str, Field(max_length=12)] | None = None

    model_config = _example(trigger="refuses_answer", reason="不接受答复")


class ChaseOrder(Input):
    """Whoever holds the work of an order is urged (T29)."""

    version: Version
    #: whose impatience it is
    asked_by: Literal["customer", "centre"]
    reason: Text
    #: from now on it is 加急; for those who dispatch (DP-07)
    urgent: bool = False

    model_config = _example(asked_by="customer", reason="客户再次来电催办", urgent=False)


class ToLeader(Input):
    """A question to a leader (T21)."""

    version: Version
    question: Text
    #: 1 a leader, 2 the top of the company
    level: Annotated[int, Field(ge=1, le=2)] = 1

    model_config = _example(question="涉及三个部门，请明确牵头单位", level=1)


class RaiseToTop(Input):
    """The leader asks the top of the company (T21)."""

    version: Version
    question: Text

    model_config = _example(question="需公司高层决定")


class CoordinateOrder(Input):
    """The leader's decision (T21)."""

    version: Version
    decision: Text
    lead_unit: Code
    #: for whom with which limit; a unit that works on it gets another task and limit
    tasks: list[TaskInput] = Field(default_factory=list, max_length=50)

    model_config = _example(decision="由网络运维牵头", lead_unit="city.network")


class DecideWithOpinion(Input):
    """A second person's word (T16, T17, T28)."""

    version: Version
    opinion: Text

    model_config = _example(opinion="同意")


class RefuseChange(Input):
    """A proposed change is not made (T7)."""

    version: Version
    #: leaf of taxonomy `intervention_reason` (MN-02)
    reason_code: Code
    opinion: Text
    #: leaves of taxonomy `review_error`
    errors: list[Code] = Field(default_factory=list, max_length=20)

    model_config = _example(reason_code="other", opinion="时限不变", errors=["wrong_limit"])


class CustomerAdds(Input):
    """What the customer adds, and what is done about it (T30)."""

    version: Version
    text: Text
    outcome: Literal["answered", "supplement", "recall"]
    answer: Text | None = None
    #: the one that is supplemented or recalled
    work_order: PublicId | None = None
    task: Text | None = None
    limit_s: Limit | None = None
    promise_text: Line | None = None
    promise_due_at: UtcInstant | None = None

    model_config = _example(text="今天又断网了", outcome="answered", answer="已告知明日上门")


class TellCustomer(Input):
    """Plan, time and its reason as the customer was told, and whether he agrees (PR-20)."""

    version: Version
    plan: Text
    told_due_at: UtcInstant
    time_reason: Text
    agreed: bool

    model_config = _example(
        plan="更换光猫并复测", told_due_at="2026-03-12T10:00:00Z", time_reason="需要备件", agreed=True
    )


class GrantRemedy(Input):
    """A remedy for the customer (PR-17)."""

    version: Version
    #: leaf of taxonomy `remedy`
    remedy: Code
    reason: Text
    #: yuan
    amount: Decimal | None = None

    model_config = _example(remedy="compensation", reason="断网三日", amount="120.00")


class DecideRemedy(Input):
    """A leader's word to a remedy above the limit (PR-17)."""

    version: Version
    granted: bool
    opinion: Text

    model_config = _example(granted=True, opinion="同意")


class AssignField(Input):
    """Somebody is sent to the place (PR-12)."""

    version: Version
    #: 工号
    person: StaffNumber
    task: Text
    limit_s: Limit

    model_config = _example(person="8201", task="现场测光衰", limit_s=14400)


class FieldReport(Input):
    """What was found at the place (PR-13)."""

    version: Version
    result: Text
    overtime_reason: Text | None = None

    model_config = _example(result="光衰超标，已重新熔接")


class NoteWork(Input):
    """A message added to a work order (DP-12)."""

    version: Version
    text: Text

    model_config = _example(text="客户今日下午在家")


class SendOnWork(Input):
    """A returned work order goes to other units (T14)."""

    version: Version
    opinion: Text
    checks: Checks
    tasks: Annotated[list[TaskInput], Field(max_length=50)]

    model_config = _example(
        opinion="改派装维",
        checks={"valid": True, "serial": True, "complainant_type": True, "complaint_type": True},
        tasks=[{"unit": "city.installation", "task": "上门", "limit_s": 86400}],
    )


class CoordinationView(Output):
    """A question to a leader and the decision."""

    at: UtcInstant
    by: str | None
    question: Annotated[str, Personal.TEXT]
    level: int
    ended_at: UtcInstant | None
    decided_by: str | None
    decision: Annotated[str | None, Personal.TEXT]
    lead_unit: str | None


class ResponseView(Output):
    """What the customer added and what was done about it."""

    at: UtcInstant
    by: str | None
    text: Annotated[str, Personal.TEXT]
    outcome: str
    answer: Annotated[str | None, Personal.TEXT]
    work_order: int | None


class AgreementView(Output):
    """What the customer was told, and whether he agreed."""

    at: UtcInstant
    by: str | None
    plan: Annotated[str, Personal.TEXT]
    told_due_at: UtcInstant
    time_reason: str
    agreed: bool


class RemedyView(Output):
    """A remedy granted, asked for or refused."""

    at: UtcInstant
    by: str | None
    remedy: str
    amount: Decimal | None
    reason: Annotated[str, Personal.TEXT]
    state: str
    decided_by: str | None
    opinion: Annotated[str | None, Personal.TEXT]


class ChaseView(Output):
    """One work order that was chased, and its receipt (SV-03)."""

    #: number of the work order within the order
    work_order: int
    unit: str
    at: UtcInstant
    by: str | None
    #: customer or centre
    asked_by: str
    reason: Annotated[str, Personal.TEXT]
    #: 工号, or the unit whose inbox it lay in
    reached: str
    acknowledged_at: UtcInstant | None
    acknowledged_by: str | None
    #: nobody has acknowledged it and the work order is still held
    outstanding: bool


class NoticeView(Output):
    """A text message or e-mail about an order, and how far it came (TL-25)."""

    id: str
    #: order_number, reply, new_work, urgent, chased or second_dispatch
    kind: str
    #: sms or email
    means: str
    to: Annotated[str, Personal.NUMBER]
    text: Annotated[str, Personal.TEXT]
    #: waiting, sent, refused or dead
    state: str
    created_at: UtcInstant
    attempts: int
    ended_at: UtcInstant | None
    last_error: str | None


class MeasureView(Output):
    """A standard measure for this class of complaint (PR-19)."""

    zh: str
    en: str


class OpenPoint(Output):
    """Something to follow through: a task, a contact nobody answered, a complaint without a commitment."""

    #: empty for what is found on the order itself
    id: str
    kind: str
    order_id: str
    order_serial: str
    unit: str | None
    opened_at: UtcInstant
    due_at: UtcInstant | None
    overdue: bool
    done_at: UtcInstant | None
    note: Annotated[str | None, Personal.TEXT]


class OpenPointList(Output):
    """What one has to follow through, the longest overdue first."""

    items: list[OpenPoint]


class OpenPointDone(Input):
    """A task is done (RP-07, RP-08)."""

    note: Text
    #: what those above are told
    upward: Text | None = None

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"note": "复测正常", "upward": "建议扩容"}]}
    )


class OrderHistory(Output):
    """What was proposed, done, answered, heard, asked, told and granted of an order."""

    reviews: list[ReviewView]
    work_orders: list[WorkOrderTask]
    replies: list[ReplyView]
    surveys: list[SurveyView]
    attempts: list[CallInVain]
    coordinations: list[CoordinationView]
    responses: list[ResponseView]
    agreements: list[AgreementView]
    chases: list[ChaseView]
    notices: list[NoticeView]
    remedies: list[RemedyView]
    tracking: list[OpenPoint]
    measures: list[MeasureView]
