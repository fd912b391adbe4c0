"""Orders and customers from the core's values to the API's shapes. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from cti.web.schemas.calls import CallView
from cti.web.schemas.customers import CustomerFile, CustomerNumberView, CustomerView, ProfileFact
from cti.web.schemas.orders import (
    AddendumView,
    ClockView,
    EditOrder,
    Order,
    OrderFields,
    OrderSummary,
    Process,
    ProcessNode,
    Promise,
    TrailEntry,
    WorkOrderView,
)
from ticketing.clocks.model import ClockView as CoreClock
from ticketing.customers.model import Customer
from ticketing.errors import HotlineError
from ticketing.orders import views
from ticketing.orders.model import OrderSummary as CoreSummary
from ticketing.taxonomy import Taxonomies

__all__ = ["api_name", "core_name", "customer_view", "fields_of", "order_view", "renamed", "summary_view"]

#: The core's names for what the API calls otherwise.
_NAMES = {"promise_text": "promise.text", "promise_due_at": "promise.due_at", "customer": "customer_id"}
_CORE = {api: core for core, api in _NAMES.items()}
_SUMMARY = tuple(OrderSummary.model_fields)
_SAME = tuple(
    name
    for name in Order.model_fields
    if name in views.Order.__dataclass_fields__
    and name
    not in {*_SUMMARY, "trail", "clocks", "work_orders", "earlier_orders", "promises", "process", "addenda", "missing"}
)
Card = Literal["none", "yellow", "red"]


def api_name(field: str) -> str:
    """The API's name of a field of the core."""
    return _NAMES.get(field, field)


def core_name(field: str) -> str:
    """The core's name of a field of the API."""
    return _CORE.get(field, field)


def summary_view(order: CoreSummary) -> OrderSummary:
    """One line."""
    return OrderSummary.model_validate({name: getattr(order, name) for name in _SUMMARY})


def order_view(order: views.Order, calls: Sequence[CallView], language: str) -> Order:
    """The whole order with its calls; names of the process in the reader's language."""
    promised = order.promise_text is not None or order.promise_due_at is not None
    plain = {name: _plain(getattr(order, name)) for name in (*_SUMMARY, *_SAME)}
    joined = {
        "promise": Promise(text=order.promise_text or "", due_at=order.promise_due_at) if promised else None,
        "calls": list(calls),
        "earlier_orders": [summary_view(earlier) for earlier in order.earlier_orders],
        "trail": [trail_view(line) for line in order.trail],
        "clocks": [clock_view(clock) for clock in order.clocks],
        "work_orders": [work_order_view(work) for work in order.work_orders],
        "promises": [Promise(text=promise.text, due_at=promise.due_at) for promise in order.promises],
        "process": process_view(order.process, language) if order.process is not None else None,
        "addenda": [AddendumView(at=words.at, by=words.by, text=words.text) for words in order.addenda],
        "missing": [_NAMES.get(name, name) for name in order.missing],
    }
    return Order.model_validate(plain | joined)


def trail_view(line: views.TrailLine) -> TrailEntry:
    """One step of its life."""
    return TrailEntry.model_validate(
        {
            "at": line.at,
            "by": line.by_name,
            "by_number": line.by,
            "action": line.action,
            "from": line.from_state,
            "to": line.to_state,
            "note": line.note,
            "reason_code": line.reason_code,
            "reason_words": line.reason_words,
            "work_order": line.work_order,
            "read": list(line.read),
        }
    )


def clock_view(clock: CoreClock) -> ClockView:
    """One clock."""
    return ClockView(
        code=clock.code,
        anchor=clock.anchor,
        started_at=clock.started_at,
        due_at=clock.due_at,
        stopped_at=clock.stopped_at,
        card=cast(Card, clock.card),
        outcome=clock.outcome,
        graded=clock.graded,
        paused_s=clock.paused_s,
    )


def work_order_view(work: views.WorkOrderView) -> WorkOrderView:
    """One department's task."""
    return WorkOrderView(
        id=work.id,
        number=str(work.number),
        state=work.state,
        unit=work.unit,
        assignee=work.owner,
        due_at=work.due_at,
        overdue=work.overdue,
        card="red" if work.overdue else "none",
        order_serial=work.order_serial,
        summary=work.task or "",
    )


def process_view(process: views.Process, language: str) -> Process:
    """The process in one language."""
    wanted = "zh" if language == "zh" else "en"
    return Process(
        code=process.code,
        name=process.names[wanted],
        version=process.version,
        nodes=[
            ProcessNode(
                code=node.code,
                name=node.names[wanted],
                unit=node.unit,
                workplace=node.workplace,
                after=list(node.after),
                work_orders=[str(number) for number in node.work_orders],
            )
            for node in process.nodes
        ],
    )


def fields_of(given: OrderFields) -> tuple[dict[str, object], dict[str, str | None]]:
    """What was sent, in the core's names, and the codes of what was left out; what was not sent is not touched."""
    sent = {name: getattr(given, name) for name in given.model_fields_set if name not in _NOT_FIELDS}
    coded = dict(sent.pop("coded", None) or {})
    fields: dict[str, object] = {}
    for name, value in sent.items():
        if name == "promise":
            fields["promise_text"] = value.text if value else None
            fields["promise_due_at"] = value.due_at if value else None
        else:
            fields["customer" if name == "customer_id" else name] = value
    return fields, coded


_NOT_FIELDS = frozenset(EditOrder.model_fields) - frozenset(OrderFields.model_fields) | {
    "channel",
    "received_at",
    "external_id",
}


def renamed(error: HotlineError) -> HotlineError:
    """The same refusal naming fields as the API does."""
    details: dict[str, Any] = error.details
    if isinstance(details.get("field"), str):
        details["field"] = _NAMES.get(details["field"], details["field"])
    if isinstance(details.get("missing"), list):
        details["missing"] = [_NAMES.get(name, name) for name in details["missing"]]
    return error


def customer_view(customer: Customer, words: Taxonomies, language: str) -> CustomerView:
    """One customer; the class in the reader's language."""
    profile = {fact.field: fact.value for fact in customer.profile}
    if customer.address:
        profile.setdefault("address", customer.address)
    return CustomerView(
        id=customer.public_id,
        name=customer.name,
        vip_class=customer.vip_class,
        vip_label=words.label("vip_class", customer.vip_class, language) or None,
        complainant_type=customer.complainant_type,
        profile=profile,
        facts=[ProfileFact.model_validate(fact) for fact in customer.profile],
        numbers=[
            CustomerNumberView(e164=number.e164, kind=number.kind, service=number.service)
            for number in customer.numbers
        ],
        stale=customer.stale,
    )


def customer_file(customer: CustomerView, orders: Sequence[CoreSummary]) -> CustomerFile:
    """A customer with his last orders."""
    return CustomerFile.model_validate(customer.model_dump() | {"orders": [summary_view(order) for order in orders]})


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
