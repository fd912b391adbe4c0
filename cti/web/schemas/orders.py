"""Orders (定单) as the page lists, shows and edits them. Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.calls import CallView
from cti.web.schemas.common import Code, Input, Line, Output, PhoneText, PublicId, Text, UtcInstant, Version
from ticketing.masking import Personal

__all__ = [
    "AddendumView",
    "ClockView",
    "CreateOrder",
    "EditOrder",
    "MergeOrder",
    "NoOrder",
    "Order",
    "OrderFields",
    "OrderPage",
    "OrderSummary",
    "OrderTrack",
    "Process",
    "ProcessNode",
    "Promise",
    "PromiseInput",
    "Stay",
    "SubmitOrder",
    "TrailEntry",
    "UncoverOrder",
    "WorkOrderView",
]

Card = Literal["none", "yellow", "red"]
Kind = Literal["complaint", "suggestion", "inquiry"]


class PromiseInput(Input):
    """What the customer was told, and by when (RT-13); while it is typed either may be missing."""

    text: Line | None = None
    due_at: UtcInstant | None = None


class Promise(Output):
    """What the customer was told, and by when (RT-13)."""

    text: str
    due_at: UtcInstant | None


class OrderSummary(Output):
    """One line of a list of orders."""

    #: The random public id; internal keys never leave the server.
    id: str
    serial: str
    kind: str | None
    state: str
    summary: Annotated[str, Personal.TEXT]
    business: str | None
    nature: str | None
    created_at: UtcInstant
    registered_at: UtcInstant | None
    due_at: UtcInstant | None
    overdue: bool
    card: Card
    contact_no: int
    repeat_no: int
    urgent: bool
    vip_class: str | None
    customer_name: Annotated[str | None, Personal.NAME]
    caller_number: Annotated[str | None, Personal.NUMBER]
    #: The person or queue that owns it; null only when it is final.
    owner: str | None
    version: int
    #: run or paused: orthogonal to the state
    control: str = "run"
    #: times it was chased (T29)
    chase_no: int = 0


class TrailEntry(Output):
    """One step of the order's life."""

    at: UtcInstant
    #: name of whoever did it, as it was
    by: str
    by_number: str
    action: str
    from_: str | None = Field(default=None, alias="from", serialization_alias="from")
    to: str | None = None
    note: Annotated[str | None, Personal.TEXT] = None
    #: coded reason of whoever stepped in, and its vocabulary; no vocabulary: a code of the step itself (MN-02)
    reason_code: str | None = None
    reason_words: str | None = None
    #: number of the work order it was done to, whose states `from` and `to` then are; null for the order itself
    work_order: int | None = None
    #: of a receipt: what was read
    read: list[str] = Field(default_factory=list)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ClockView(Output):
    """One clock (K2..K17) of the order, derived from its segments."""

    code: str
    #: Which of two starts it counts from (G4); empty when there is one.
    anchor: str = ""
    started_at: UtcInstant
    due_at: UtcInstant | None
    stopped_at: UtcInstant | None
    card: Card
    #: met, breached, or void where it never counted; null while it runs
    outcome: str | None = None
    #: false for the start of the dispatch hour that is only reported (G4)
    graded: bool = True
    #: how long it stood still
    paused_s: int = 0


class WorkOrderView(Output):
    """One work order (工单): what one department must do."""

    id: str
    number: str
    state: str
    unit: str | None
    assignee: str | None
    due_at: UtcInstant | None
    overdue: bool
    card: Card
    #: Serial of the order it belongs to.
    order_serial: str
    #: What the department is asked to do.
    summary: str


class ProcessNode(Output):
    """One step of the process: who works at it, and where (工位)."""

    code: str
    name: str
    unit: str | None
    workplace: str | None
    #: codes of the steps before it
    after: list[str]
    #: numbers of this order's work orders at this step
    work_orders: list[str]


class Process(Output):
    """The process template the order follows, in the version it began with (IN-10, DP-14)."""

    code: str
    name: str
    version: int
    nodes: list[ProcessNode]


class AddendumView(Output):
    """Words of the customer said later, beside his first ones (IN-22)."""

    at: UtcInstant
    by: str | None
    text: Annotated[str, Personal.TEXT]


class Order(OrderSummary):
    """The whole order."""

    channel: str
    #: The receipt stamp: when it was answered or received; never changes (IN-25).
    received_at: UtcInstant
    call_id: str | None
    dnis: str | None
    complaint_type: str | None
    suggestion_category: str | None
    complainant_type: str | None
    unit: str | None
    #: The number complained about: never the caller's by itself (IN-09).
    service_number: Annotated[str | None, Personal.NUMBER]
    contact_name: Annotated[str | None, Personal.NAME]
    contact_number: Annotated[str | None, Personal.NUMBER]
    contact_address: Annotated[str | None, Personal.ADDRESS]
    reply_mode: str | None
    event_at: UtcInstant | None
    event_place: Annotated[str | None, Personal.TEXT]
    description: Annotated[str | None, Personal.TEXT]
    #: The customer's own words, frozen at submit (IN-22).
    verbatim: Annotated[str | None, Personal.TEXT]
    wanted_result: Annotated[str | None, Personal.TEXT]
    wanted_limit_at: UtcInstant | None
    promise: Promise | None
    operation_serial: str | None
    #: Elements that are coded instead of filled: field -> `refused`, `not_applicable`, ... (IN-17).
    coded: dict[str, str]
    customer_id: str | None
    calls: list[CallView]
    earlier_orders: list[OrderSummary]
    trail: list[TrailEntry]
    clocks: list[ClockView]
    work_orders: list[WorkOrderView]
    #: Elements that still block the submit.
    missing: list[str]
    #: Percent of the required elements that are answered (IN-17).
    completeness: int
    #: The template whose elements it was asked for; null: those of its kind (IN-05).
    order_template: str | None
    addenda: list[AddendumView]
    #: Every promise of this order that is still open.
    promises: list[Promise]
    process: Process | None
    no_order_reason: str | None
    end_note: Annotated[str | None, Personal.TEXT]
    ended_at: UtcInstant | None
    #: Serial of the order this draft was merged into.
    merged_into: str | None
    #: Serial of the ended order this one repeats.
    repeat_of: str | None
    #: Numbers, names and addresses are covered for this reader; one who may uncover them says why (AU-02).
    masked: bool = False
    #: What this reader may do with it now: `submit`, `merge`, ...
    actions: list[str]


class OrderPage(Output):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[OrderSummary]
    next_cursor: str | None


class Stay(Output):
    """One node of the track: the nine fields of AU-05, and which work order it was."""

    #: 受理客户
    customer: Annotated[str | None, Personal.NAME]
    #: 受理时间
    received_at: UtcInstant
    #: 要求结束时间
    wanted_end_at: UtcInstant | None
    #: 实际结束时间
    actual_end_at: UtcInstant | None
    #: 工单处理节点: a state of the order, or the unit of a work order
    node: str
    #: 工单处理用户: 工号 or queue
    handler: str | None
    handler_name: str | None
    #: 处理状态
    state: str
    #: 开始处理时间
    started_at: UtcInstant
    #: 结束处理时间; null while it lies there
    ended_at: UtcInstant | None
    #: number of the work order; null for the order itself
    work_order: int | None


class OrderTrack(Output):
    """Where an order and its work orders lay, oldest first: the order itself, then each work order."""

    masked: bool
    items: list[Stay]


class OrderFields(Input):
    """What a person may type into an order; the caller's number and the call are telephony's (IN-18)."""

    kind: Kind | None = None
    business: Code | None = None
    nature: Code | None = None
    complaint_type: Code | None = None
    suggestion_category: Code | None = None
    complainant_type: Code | None = None
    unit: Code | None = None
    urgent: bool | None = None
    customer_id: PublicId | None = None
    #: a telephone number, or the name of a line (ADSL-010-…)
    service_number: Line | None = None
    contact_name: Line | None = None
    contact_number: PhoneText | None = None
    contact_address: Line | None = None
    reply_mode: Code | None = None
    event_at: UtcInstant | None = None
    event_place: Line | None = None
    description: Text | None = None
    verbatim: Text | None = None
    wanted_result: Text | None = None
    wanted_limit_at: UtcInstant | None = None
    promise: PromiseInput | None = None
    operation_serial: Line | None = None
    #: field -> `refused` or `not_applicable`; null takes the code away (IN-17)
    coded: Annotated[dict[Code, Code | None], Field(max_length=40)] | None = None
    #: serial of the ended order this one repeats (RT-06)
    repeat_of: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None


class EditOrder(OrderFields):
    """Change a draft: only the fields that are sent change; null empties one."""

    version: Version

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"version": 3, "business": "fixed_line", "nature": "fault_repair", "contact_name": "李先生"}]
        },
    )


class CreateOrder(OrderFields):
    """A draft from paper or a visitor (IN-25, IN-26); the receipt stamp never changes afterwards."""

    channel: Literal["letter", "fax", "email", "department", "walk_in", "web", "recording"]
    received_at: UtcInstant
    #: message id, or the letter's number in the register
    external_id: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,80}$")] | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"channel": "letter", "received_at": "2026-11-23T01:00:00Z", "kind": "complaint"}]
        },
    )


class SubmitOrder(Input):
    """Draft to registered (T2)."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 3}]})


class NoOrder(Input):
    """The call needs no order: a coded reason (T37, PX-07)."""

    version: Version
    reason: Code
    note: Line | None = None

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 3, "reason": "wrong_number"}]}
    )


class MergeOrder(Input):
    """The call belongs to an open order (T38)."""

    version: Version
    into_serial: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 3, "into_serial": "102938475"}]}
    )


class UncoverOrder(Input):
    """See one order's numbers, names and addresses in full: why is kept (AU-02)."""

    reason: Annotated[str, StringConstraints(min_length=2, max_length=500, strip_whitespace=True)]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "核对重复投诉"}]})
