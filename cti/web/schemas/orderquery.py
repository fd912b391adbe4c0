"""Conditions of a search of orders as the address carries them, each with its meaning for the description. Pure."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from cti.web.schemas.common import Code, Input, PublicId, StaffNumber, UtcInstant
from ticketing.orders import query
from ticketing.orders.views import OrderFilter

__all__ = ["OrderConditions", "OrderQuery"]

_Codes = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}(,[a-z_]{1,20}){0,30}$")]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=60)]


def _tree(what: str) -> Any:
    return Field(None, description=f"{what}: a code of the vocabulary; a branch finds everything below it")


def _by(what: str) -> Any:
    return Field(None, description=f"{what}, by 工号")


def _from(what: str) -> Any:
    return Field(None, description=f"{what}, at this moment or later")


def _to(what: str) -> Any:
    return Field(None, description=f"{what}, before this moment")


class OrderConditions(Input):
    """What a search asks for; all that are given must hold (AU-03, AU-04)."""

    # what it is and where it stands
    state: _Codes | None = Field(None, description="one state, or several with commas between")
    kind: Code | None = Field(None, description="complaint, suggestion, inquiry, appeal or coordination")
    channel: _Codes | None = Field(None, description="how it came in: one channel, or several with commas between")
    card: Literal["none", "yellow", "red"] | None = Field(None, description="card of its nearest limit")
    overdue: bool = Field(False, description="past its limit and not ended")
    urgent: bool | None = Field(None, description="marked 加急, or not")
    vip: bool | None = Field(None, description="of a customer of a VIP class, or not")
    repeat: bool | None = Field(None, description="with a further contact, or a repeat of an ended order")
    paused: bool | None = Field(None, description="paused, or running")
    fcr: bool | None = Field(None, description="solved at the first contact")
    live: bool | None = Field(None, description="not ended yet, or ended")
    # vocabularies
    business: Code | None = _tree("业务")
    nature: Code | None = _tree("性质")
    complaint_type: Code | None = _tree("投诉类型")
    complainant_type: Code | None = _tree("投诉人类型")
    suggestion_category: Code | None = _tree("建议类别")
    unit: Code | None = _tree("被投诉单位")
    vip_class: Code | None = _tree("客户级别")
    reply_mode: Code | None = _tree("回复方式")
    no_order_reason: Code | None = _tree("无需立单原因")
    work_unit: Code | None = _tree("处理部门: it has a sent work order of")
    cause: Code | None = _tree("原因, of a department's answer or a survey")
    satisfaction: Code | None = _tree("满意度, of a reply or a survey")
    # numbers and names
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")] | None = Field(
        None, description="a whole order number or its beginning"
    )
    work_serial: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}-[0-9]{1,4}$")] | None = Field(
        None, description="工单流水号: an order number, a dash, the work order's number"
    )
    number: Annotated[str, StringConstraints(pattern=r"^[0-9+*#() -]{1,40}$")] | None = Field(
        None, description="caller, contact or service number, in any form people write it"
    )
    dnis: Annotated[str, StringConstraints(pattern=r"^[0-9+*#]{1,32}$")] | None = Field(
        None, description="the number that was dialled"
    )
    customer: PublicId | None = Field(None, description="public id of a customer")
    name: _Word | None = Field(None, description="part of the customer's or the contact's name")
    operation_serial: Annotated[str, StringConstraints(max_length=80)] | None = Field(
        None, description="serial of the disputed operation"
    )
    q: _Word | None = Field(
        None,
        description="words of its texts, of the customer's name or said later; two Chinese characters are enough",
    )
    # people
    mine: bool = Field(False, description="owned by oneself")
    for_me: bool = Field(False, description="owned by oneself, or waiting in a queue of one's posts")
    owner: Code | None = Field(None, description="工号 of its owner, or the queue it waits in")
    received_by: StaffNumber | None = _by("受理")
    reviewed_by: StaffNumber | None = _by("复核")
    dispatched_by: StaffNumber | None = _by("派单")
    handled_by: StaffNumber | None = _by("处理")
    replied_by: StaffNumber | None = _by("反馈")
    surveyed_by: StaffNumber | None = _by("回访")
    acted_by: StaffNumber | None = _by("any step")
    # work orders
    work_state: _Codes | None = Field(None, description="states of its work orders, with commas between")
    # key times
    created_from: UtcInstant | None = _from("draft made")
    created_to: UtcInstant | None = _to("draft made")
    received_from: UtcInstant | None = _from("answered or received")
    received_to: UtcInstant | None = _to("answered or received")
    registered_from: UtcInstant | None = _from("submitted")
    registered_to: UtcInstant | None = _to("submitted")
    ended_from: UtcInstant | None = _from("ended")
    ended_to: UtcInstant | None = _to("ended")
    due_from: UtcInstant | None = _from("nearest limit")
    due_to: UtcInstant | None = _to("nearest limit")
    event_from: UtcInstant | None = _from("what it is about happened")
    event_to: UtcInstant | None = _to("what it is about happened")
    promised_from: UtcInstant | None = _from("time of an open promise")
    promised_to: UtcInstant | None = _to("time of an open promise")
    sent_from: UtcInstant | None = _from("a work order was sent")
    sent_to: UtcInstant | None = _to("a work order was sent")
    handled_from: UtcInstant | None = _from("a work order ended")
    handled_to: UtcInstant | None = _to("a work order ended")
    sort: Literal["newest", "oldest", "due", "urgent"] = Field(
        "newest", description="order of the list: newest or oldest first, nearest limit first, 加急 first"
    )

    def given(self) -> dict[str, Any]:
        """The conditions that were given, JSON-ready, for the log."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"cursor", "limit", "format", "language"})

    def wanted(self) -> OrderFilter:
        """The same in the core's words."""
        spans = {name: (getattr(self, f"{name}_from"), getattr(self, f"{name}_to")) for name in query.TIMES}
        people = {stage: getattr(self, f"{stage}_by") for stage in query.STAGES}
        flags = {name: getattr(self, name) for name in query.FLAGS}
        codes = {name: getattr(self, name) for name in query.TREES}
        return OrderFilter(
            state=_several(self.state),
            kind=self.kind,
            channel=_several(self.channel),
            codes={name: code for name, code in codes.items() if code is not None},
            number=self.number,
            serial=self.serial,
            work_serial=self.work_serial,
            customer=self.customer,
            name=self.name,
            dnis=self.dnis,
            mine=self.mine,
            for_me=self.for_me,
            owner=self.owner,
            people={stage: number for stage, number in people.items() if number is not None},
            operation_serial=self.operation_serial,
            work_state=_several(self.work_state),
            flags={name: so for name, so in flags.items() if so is not None},
            overdue=self.overdue,
            card=self.card,
            times={name: span for name, span in spans.items() if span != (None, None)},
            words=self.q,
            sort=self.sort,
        )


class OrderQuery(OrderConditions):
    """A page of a search."""

    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,300}$")] | None = Field(
        None, description="`next_cursor` of the page before; stays good while orders are added"
    )
    limit: int = Field(50, ge=1, le=200, description="orders a page may have")


def _several(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
