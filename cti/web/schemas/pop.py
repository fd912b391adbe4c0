"""The screen pop and every other event on an agent's stream (TL-30, TL-31, TL-33). Pure."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.agent import AgentView, QueueName
from cti.web.schemas.calls import CallView, PathStep, RecordingRef, RecordingState
from cti.web.schemas.common import Input, Output, UtcInstant
from cti.web.schemas.customers import CustomerView
from cti.web.schemas.orders import OrderSummary, WorkOrderView
from cti.web.schemas.work import WorkEvent

__all__ = [
    "STREAM_EVENTS",
    "Alert",
    "CallEvent",
    "Dialled",
    "DraftEvent",
    "MissedPop",
    "OrderEvent",
    "Painted",
    "PathStep",
    "Pop",
    "PopFlags",
    "PopLatency",
    "PopPromise",
    "RecordingEvent",
    "Retract",
    "RoutingReason",
    "Snapshot",
]


class Dialled(Output):
    """Which number was dialled."""

    dnis: str
    label: str


class RoutingReason(Output):
    """Why this queue: a code and one sentence (TL-05)."""

    code: str
    text: str


class PopPromise(Output):
    """A promise to this customer that is still open."""

    order_serial: str
    text: str
    due_at: UtcInstant
    overdue: bool


class PopFlags(Output):
    """What the agent must see at a glance."""

    vip: bool
    repeat: bool
    overdue: bool
    mood: str | None = None


class Pop(Output):
    """Who calls and why. The identity is never verified here (S09)."""

    call_id: str
    offered_at: UtcInstant
    #: The AMI event's own timestamp: where TL-33's stop-watch starts.
    event_at: UtcInstant
    number: str
    number_display: str
    identity: Literal["number_matches", "ambiguous", "unknown", "withheld"]
    verified: Literal[False] = False
    customer: CustomerView | None
    candidates: list[CustomerView]
    dialled: Dialled
    path: list[PathStep]
    waited_ms: int | None
    queue: QueueName
    reason: RoutingReason
    orders: list[OrderSummary]
    open_work_orders: list[WorkOrderView]
    promises: list[PopPromise]
    recordings: list[RecordingRef]
    flags: PopFlags
    #: The draft's public id once the call is answered (TL-32).
    order_id: str | None
    state: Literal["ringing", "talking", "ended"]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "call_id": "20261123T021326-4f2a",
                    "offered_at": "2026-11-23T02:13:47.120Z",
                    "event_at": "2026-11-23T02:13:47.118Z",
                    "number": "+8613800001234",
                    "number_display": "138 0000 1234",
                    "identity": "number_matches",
                    "verified": False,
                    "customer": {
                        "id": "c_5f0c",
                        "name": "李明",
                        "vip_class": "major",
                        "vip_label": "大客户",
                        "complainant_type": "major_customer",
                        "profile": {"地址": "文化路 8 号"},
                        "numbers": [{"e164": "+8613800001234", "kind": "mobile", "service": "移动电话"}],
                        "stale": False,
                    },
                    "candidates": [],
                    "dialled": {"dnis": "1860", "label": "客户服务热线"},
                    "path": [{"node": "main", "key": "1", "label": "投诉", "at": "2026-11-23T02:13:40Z"}],
                    "waited_ms": 4210,
                    "queue": {"name": "senior", "label": "高级座席"},
                    "reason": {"code": "vip", "text": "大客户，转高级座席。"},
                    "orders": [],
                    "open_work_orders": [],
                    "promises": [],
                    "recordings": [],
                    "flags": {"vip": True, "repeat": False, "overdue": False, "mood": None},
                    "order_id": None,
                    "state": "ringing",
                }
            ]
        },
    )


class MissedPop(Output):
    """A pop that came while this page was away (N7)."""

    call_id: str
    offered_at: UtcInstant
    number_display: str
    customer_name: str | None
    why: str | None


class Snapshot(Output):
    """What a page needs to draw itself afresh: the first event of a stream that cannot be resumed."""

    agent: AgentView
    pop: Pop | None
    missed_pops: list[MissedPop]


class Retract(Output):
    """The pop is withdrawn, with the reason (answered_elsewhere, abandoned, not_answered, ...)."""

    call_id: str
    why: str


class DraftEvent(Output):
    """The draft of the answered call exists (TL-32)."""

    call_id: str
    order_id: str
    serial: str | None = None


class CallEvent(CallView):
    """A call of this agent changed."""


class RecordingEvent(Output):
    """A recording of one of this agent's calls changed its state."""

    call_id: str
    state: RecordingState
    id: str | None = None


class OrderEvent(Output):
    """An order this person holds changed, perhaps on another page of his."""

    order_id: str
    serial: str
    state: str
    version: int
    event: str


class Alert(Output):
    """Something a person must act on (a late caller, a lost link)."""

    code: str
    text: str
    call_id: str | None = None
    at: UtcInstant | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class Painted(Input):
    """The page has painted the pop: its own clock, and the event's id on the stream."""

    painted_at: UtcInstant
    event_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{1,16}-[0-9]{1,18}$")]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"painted_at": "2026-11-23T02:13:47.312Z", "event_id": "5f0c3b1e-42"}]},
    )


class PopLatency(Output):
    """From the telephone system's event to the painted page, milliseconds (TL-33)."""

    count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


#: Every event name on `/api/events` with the model of its data.
STREAM_EVENTS: dict[str, type[Output]] = {
    "snapshot": Snapshot,
    "agent": AgentView,
    "pop": Pop,
    "retract": Retract,
    "draft": DraftEvent,
    "call": CallEvent,
    "recording": RecordingEvent,
    "alert": Alert,
    "order": OrderEvent,
    "item": WorkEvent,
    "paper": WorkEvent,
    "callback": WorkEvent,
}
