"""What pages, pops and the voice menu read of an order; field names are those of the JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ticketing.clocks import rules as clock_rules
from ticketing.clocks.model import ClockView
from ticketing.contacts.model import Contact
from ticketing.orders import rules
from ticketing.orders.model import OrderSummary


@dataclass(frozen=True, slots=True)
class Promise:
    """What the customer was told (RT-13)."""

    order_serial: str
    text: str
    due_at: datetime
    overdue: bool


@dataclass(frozen=True, slots=True)
class WorkOrderView:
    """One department's task as the desk sees it."""

    id: str
    order_serial: str
    number: int
    unit: str
    state: str
    owner: str | None
    urgent: bool
    task: str | None
    sent_at: datetime | None
    due_at: datetime | None
    overdue: bool
    result: str | None
    order_id: str = ""
    version: int = 0
    cycle: int = 1
    dispatch_opinion: str = ""
    cause: str | None = None
    opinion: str | None = None
    overtime_reason: str | None = None
    handled_at: datetime | None = None
    ended_at: datetime | None = None
    #: a supplement, recall or chase that nobody has acknowledged
    changed: bool = False
    #: what waits for the receipt, by kind: chase, extension, recall, supplement (DP-08, DP-09, SV-03)
    unread: tuple[str, ...] = ()
    #: what the newest chase says that nobody has acknowledged
    chased: str | None = None
    #: times it was chased
    chases: int = 0
    #: a change of it waits for a senior (RV-02)
    proposed: bool = False
    #: a later limit was asked for and waits for the supervisor (PX-05)
    extending: bool = False
    #: work, or field: a sub-task at the place (PR-12)
    kind: str = "work"
    #: number of the work order it belongs to, came from or takes the place of
    parent: int | None = None
    notes: str | None = None
    liability: str | None = None
    apology: bool | None = None
    #: of a returned one: sent_on or dropped
    followed: str | None = None
    #: steps the reader may take
    actions: tuple[str, ...] = ()


def work_order_view(row: Mapping[str, Any], now: datetime, actions: tuple[str, ...] = ()) -> WorkOrderView:
    """One work order from its row with `order_serial`, `order_public_id` and `owner_number` joined."""
    return WorkOrderView(
        id=row["public_id"],
        order_serial=row["order_serial"],
        order_id=row["order_public_id"],
        number=row["number"],
        unit=row["unit"],
        state=row["state"],
        owner=row["owner_queue"] or row["owner_number"],
        urgent=row["urgent"],
        task=row["task"],
        sent_at=row["sent_at"],
        due_at=row["due_at"],
        overdue=row["ended_at"] is None and row["due_at"] is not None and row["due_at"] <= now,
        result=row["result"],
        version=row["version"],
        cycle=row["cycle"],
        dispatch_opinion=row["dispatch_opinion"],
        cause=row["cause"],
        opinion=row["opinion"],
        overtime_reason=row["overtime_reason"],
        handled_at=row["handled_at"],
        ended_at=row["ended_at"],
        changed=bool(row.get("unread")),
        unread=tuple(sorted(set((row.get("unread") or "").split()))),
        chased=row.get("chased"),
        chases=row.get("chases") or 0,
        proposed=bool(row.get("proposed", False)),
        extending=bool(row.get("extending", False)),
        kind=row["kind"],
        parent=row.get("parent_number"),
        notes=row["process_notes"],
        liability=row["liability"],
        apology=row["apology"],
        followed=row["form"].get("followed", {}).get("how"),
        actions=actions,
    )


@dataclass(frozen=True, slots=True)
class ProcessNode:
    """One step of the process: who works at it, and where."""

    code: str
    #: by language, zh and en
    names: Mapping[str, str]
    unit: str | None
    #: 工位
    workplace: str | None
    #: codes of the nodes that come before
    after: tuple[str, ...]
    #: numbers of this order's work orders at it
    work_orders: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """The process template an order follows, in the version it began with (IN-10, DP-14)."""

    code: str
    version: int
    names: Mapping[str, str]
    nodes: tuple[ProcessNode, ...]


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One step of the order's history."""

    at: datetime
    #: 工号 and name as they were
    by: str
    by_name: str
    action: str
    from_state: str | None
    to_state: str
    handler: str | None
    note: str | None
    version: int
    #: of whoever stepped in: his coded reason, and its vocabulary; without one it is a code of the step itself (MN-02)
    reason_code: str | None = None
    reason_words: str | None = None
    #: number of the work order it was done to; None for the order itself
    work_order: int | None = None
    #: of a receipt: the kinds of change it was given for
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Addendum:
    """Words of the customer said later."""

    at: datetime
    by: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(OrderSummary):
    """Everything one page shows of an order (IN-10)."""

    channel: str
    received_at: datetime
    call_id: str | None
    dnis: str | None
    customer_id: str | None
    complainant_type: str | None
    complaint_type: str | None
    suggestion_category: str | None
    unit: str | None
    service_number: str | None
    contact_name: str | None
    contact_number: str | None
    contact_address: str | None
    reply_mode: str | None
    event_at: datetime | None
    event_place: str | None
    description: str | None
    verbatim: str | None
    wanted_result: str | None
    wanted_limit_at: datetime | None
    promise_text: str | None
    promise_due_at: datetime | None
    operation_serial: str | None
    coded: Mapping[str, str]
    no_order_reason: str | None
    end_note: str | None
    ended_at: datetime | None
    #: serial of the order this draft was merged into
    merged_into: str | None
    #: serial of the ended order this one repeats
    repeat_of: str | None
    #: required elements still open; empty once submitted
    missing: tuple[str, ...]
    #: percent of required elements answered
    completeness: int
    #: code of the template whose elements it was asked for; None: those of its kind (IN-05)
    order_template: str | None = None
    addenda: tuple[Addendum, ...] = ()
    contacts: tuple[Contact, ...] = ()
    earlier_orders: tuple[OrderSummary, ...] = ()
    trail: tuple[TrailLine, ...] = ()
    clocks: tuple[ClockView, ...] = ()
    work_orders: tuple[WorkOrderView, ...] = ()
    promises: tuple[Promise, ...] = ()
    process: Process | None = None
    #: verbs of the table this reader may use now
    actions: tuple[str, ...] = ()

    @property
    def call_ids(self) -> tuple[str, ...]:
        """Calls about this order, oldest first; the edge joins their records and recordings."""
        return tuple(c.external_id for c in self.contacts if c.kind == "call" and c.external_id)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    items: tuple[OrderSummary, ...]
    #: opaque; None at the end
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What may be said by voice: no name, no content (TL-02)."""

    serial: str
    state: str
    #: code of the prompt that says what comes next; None when nothing follows
    next_step: str | None
    overdue: bool
    #: what the caller must key to hear more
    contact_last4: str | None
    paused: bool = False


#: first moment that counts, and the first that counts no more; None is open
Span = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Conditions of a search; all that are given must hold (AU-03, AU-04). Codes of vocabularies stand for their
    branches too."""

    state: tuple[str, ...] = ()
    kind: str | None = None
    channel: tuple[str, ...] = ()
    #: taxonomy field -> code, the code of a branch meaning all below it: `query.TREES` names the fields
    codes: Mapping[str, str] = field(default_factory=dict)
    #: caller, contact or service number, in any form people write it
    number: str | None = None
    #: whole serial or its beginning
    serial: str | None = None
    #: `serial-n` of one of its work orders
    work_serial: str | None = None
    #: public id of a customer
    customer: str | None = None
    #: part of the customer's or the contact's name
    name: str | None = None
    #: number that was dialled
    dnis: str | None = None
    #: owned by whoever asks
    mine: bool = False
    #: owned by whoever asks, or waiting in a queue of one of his posts
    for_me: bool = False
    #: 工号 of its owner, or the name of the queue it waits in
    owner: str | None = None
    #: stage -> 工号 of who did it: `query.STAGES` names the stages
    people: Mapping[str, str] = field(default_factory=dict)
    #: a disputed transaction (IN-14)
    operation_serial: str | None = None
    #: states of its work orders
    work_state: tuple[str, ...] = ()
    #: flags that must be so: `query.FLAGS` names them
    flags: Mapping[str, bool] = field(default_factory=dict)
    #: past its limit
    overdue: bool = False
    #: none, yellow or red
    card: str | None = None
    #: key time -> span: `query.TIMES` names them
    times: Mapping[str, Span] = field(default_factory=dict)
    #: words that all stand in its texts, in the customer's name or among his later words (TL-72)
    words: str | None = None
    #: order of the list: `listing.SORTS` names them
    sort: str = "newest"


def summary(row: Mapping[str, Any], now: datetime, prefix: str = "") -> OrderSummary:
    """One line from a row of `store.summary_columns`."""

    def get(name: str) -> Any:
        return row[prefix + name]

    card = clock_rules.card(get("due_at"), get("warn_at"), now)
    return OrderSummary(
        id=get("public_id"),
        serial=get("serial"),
        kind=get("kind"),
        state=get("state"),
        summary=rules.summarise(get("description")),
        business=get("business"),
        nature=get("nature"),
        created_at=get("created_at"),
        registered_at=get("registered_at"),
        due_at=get("due_at"),
        overdue=rules.overdue(card),
        card=card.value,
        contact_no=get("contact_no"),
        repeat_no=get("repeat_no"),
        urgent=get("urgent"),
        vip_class=get("vip_class"),
        customer_name=get("customer_name") or get("contact_name"),
        caller_number=get("caller_number"),
        owner=get("owner_queue") or get("owner_number"),
        version=get("version"),
        control=get("control"),
        chase_no=get("chase_no"),
    )
