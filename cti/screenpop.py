"""The screen pop: who calls and why, built from one call, one look-up and the labels of the desk (TL-30). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from cti.calls.model import CallRecord
from ticketing.customers.model import Candidate, Customer, Lookup
from ticketing.orders.model import OrderSummary

PopState = Literal["ringing", "talking", "ended"]

#: What the desk says of a caller number; a number is a claim, never a proof (S09).
IDENTITY: Mapping[str, str] = {
    "one": "number_matches",
    "several": "ambiguous",
    "unknown": "unknown",
    "withheld": "withheld",
}


@dataclass(frozen=True, slots=True)
class Labels:
    """What people call the codes, in one language; a code without a label is shown as it is."""

    queues: Mapping[str, str] = field(default_factory=dict)
    dialled: Mapping[str, str] = field(default_factory=dict)
    #: menu node, or `node:key` for a choice
    nodes: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    vip: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PopFacts:
    """What the pop needs besides the call and the look-up."""

    work_orders: Sequence[Mapping[str, Any]] = ()
    promises: Sequence[Mapping[str, Any]] = ()
    recordings: Sequence[Mapping[str, Any]] = ()
    order_id: str | None = None


def instant(at: datetime | None) -> str | None:
    """ISO-8601 with Z, milliseconds; what the page reads."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def order_line(order: OrderSummary) -> dict[str, Any]:
    """One order as JSON."""
    line = asdict(order)
    line.pop("control", None)
    for name in ("created_at", "registered_at", "due_at"):
        line[name] = instant(line[name])
    return line


def customer_card(customer: Customer, labels: Labels) -> dict[str, Any]:
    """One customer as JSON."""
    profile = {item.field: item.value for item in customer.profile}
    if customer.address:
        profile.setdefault("address", customer.address)
    return {
        "id": customer.public_id,
        "name": customer.name,
        "vip_class": customer.vip_class,
        "vip_label": labels.vip.get(customer.vip_class, customer.vip_class) if customer.vip_class else None,
        "complainant_type": customer.complainant_type,
        "profile": profile,
        "numbers": [asdict(number) for number in customer.numbers],
        "stale": customer.stale,
    }


def path_steps(record: CallRecord, labels: Labels) -> list[dict[str, Any]]:
    """The way through the menu as JSON, oldest step first; a keyed-in number is never in it (TL-52)."""
    return [
        {
            "node": step.node,
            "key": step.key or None,
            "label": labels.nodes.get(f"{step.node}:{step.key}", labels.nodes.get(step.node, step.node)),
            "at": instant(step.at),
        }
        for step in record.path
    ]


def _candidates(lookup: Lookup, labels: Labels) -> list[dict[str, Any]]:
    if lookup.customer is not None:
        return []
    return [customer_card(candidate.customer, labels) for candidate in lookup.candidates]


def _orders(lookup: Lookup) -> list[OrderSummary]:
    if lookup.customer is not None or not lookup.candidates:
        return list(lookup.last_orders)
    every: dict[str, OrderSummary] = {}
    candidate: Candidate
    for candidate in lookup.candidates:
        every.update({order.id: order for order in candidate.orders})
    return sorted(every.values(), key=lambda order: order.created_at, reverse=True)[:5]


def build_screen_pop(
    record: CallRecord,
    lookup: Lookup,
    labels: Labels,
    facts: PopFacts,
    *,
    offered_at: datetime,
    event_at: datetime,
    state: PopState,
) -> dict[str, Any]:
    """The pop of one call for the agent whose phone rings, as JSON (TL-30).

    `waited_ms` runs from joining the queue (or asking) to the offer. The identity is never verified by a number.
    """
    start = record.joined_at or record.asked_at or record.entered_at
    orders = _orders(lookup)
    return {
        "call_id": record.call_id,
        "offered_at": instant(offered_at),
        "event_at": instant(event_at),
        "number": lookup.number.e164 or record.ani,
        "number_display": lookup.number.display or record.ani,
        "identity": IDENTITY[lookup.match],
        "verified": False,
        "customer": customer_card(lookup.customer, labels) if lookup.customer else None,
        "candidates": _candidates(lookup, labels),
        "dialled": {"dnis": record.dnis, "label": labels.dialled.get(record.dnis, record.dnis)},
        "path": path_steps(record, labels),
        "waited_ms": max(0, round((offered_at - start).total_seconds() * 1000)),
        "queue": {"name": record.queue, "label": labels.queues.get(record.queue, record.queue)},
        "reason": {"code": record.reason, "text": labels.reasons.get(record.reason, record.reason)},
        "orders": [order_line(order) for order in orders],
        "open_work_orders": list(facts.work_orders),
        "promises": list(facts.promises),
        "recordings": list(facts.recordings),
        "flags": {
            "vip": lookup.vip_class is not None,
            "repeat": lookup.repeat,
            "overdue": lookup.overdue_repeat or any(order.overdue for order in orders),
            "mood": None,
        },
        "order_id": facts.order_id,
        "state": state,
    }
