"""Callbacks (回呼) as the page lists, books and works on them. Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import CallId, Code, Input, Line, Output, PublicId, StaffNumber, UtcInstant, Version
from ticketing.masking import Personal

__all__ = [
    "AttemptView",
    "BookCallback",
    "CallNow",
    "CallbackPage",
    "CallbackQuery",
    "CallbackView",
    "CancelCallback",
    "ReassignCallback",
    "SnoozeCallback",
    "WindowList",
    "WindowQuery",
    "WindowView",
]

Number = Annotated[str, StringConstraints(pattern=r"^[0-9+*#() -]{1,40}$")]


class CallbackQuery(Input):
    """Conditions of a list; all that are given must hold. Without `state`: what is open."""

    #: one state, or several with commas between
    state: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}(,[a-z_]{1,20}){0,19}$")] | None = None
    #: in any form people write it
    number: Number | None = None
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")] | None = None
    queue: Code | None = None
    mine: bool = False
    overdue: bool = False
    #: failed or unknown: waits for a person's decision
    listed: bool = False
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class AttemptView(Output):
    """One attempt to reach the customer."""

    n: int
    state: str
    #: `busy`, `no_answer`, ... ; `unknown` when nobody can say
    outcome: str | None
    agent: str | None
    #: The outbound call.
    call_id: str
    started_at: UtcInstant
    ended_at: UtcInstant | None


class CallbackView(Output):
    """One booking."""

    id: str
    serial: str
    state: Literal[
        "pending", "claimed", "agent_reserved", "dialling", "answered", "confirmed", "queued",
        "connected", "failed", "unknown", "cancelled",
    ]  # fmt: skip
    mode: Literal["agent_first", "customer_first"]
    number: Annotated[str, Personal.NUMBER]
    customer_id: str | None
    customer_name: Annotated[str | None, Personal.NAME]
    vip_class: str | None
    language: str
    queue: str
    priority: int
    #: The call it was asked for in.
    call_id: str | None
    #: `asap`, or day and part of it
    window: str
    window_start: UtcInstant | None
    window_end: UtcInstant | None
    #: His place in the line of his queue.
    joined_at: UtcInstant
    booked_at: UtcInstant
    #: Earliest moment of the next attempt.
    next_at: UtcInstant
    #: K17
    due_at: UtcInstant
    card: Literal["none", "yellow", "red"]
    overdue: bool
    attempts: int
    attempts_left: int
    #: How often the number asked.
    requests: int
    owner: str | None
    #: The agent kept for it now.
    agent: str | None
    order: str | None
    order_id: str | None
    end_reason: str | None
    note: Annotated[str | None, Personal.TEXT]
    ended_at: UtcInstant | None
    #: Only where one callback is read.
    tries: list[AttemptView]
    #: Serials of the recorded messages merged with it.
    messages: list[str]
    version: int


class CallbackPage(Output):
    """One page by remaining time, of what is over the newest first; `next_cursor` is null on the last one."""

    items: list[CallbackView]
    next_cursor: str | None


class WindowView(Output):
    """A time that can be booked."""

    id: str
    #: `asap`, `today-morning`, `tomorrow-evening`, `next-workday-morning`, ...
    spoken: str
    starts_at: UtcInstant
    ends_at: UtcInstant


class WindowList(Output):
    """What can be booked now, soonest first."""

    items: list[WindowView]


class WindowQuery(Input):
    """For which queue a time is wanted."""

    queue: Code = "complaint"


class BookCallback(Input):
    """Book for a customer; a number has one open callback, asked for again it keeps its place."""

    number: Number
    queue: Code = "complaint"
    #: id of one of the windows
    window: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] = "asap"
    language: Literal["zh", "en"] = "zh"
    customer_id: PublicId | None = None
    #: the call in which the customer asked
    call_id: CallId | None = None
    note: Line | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"number": "13900139000", "window": "asap", "note": "请在下班后回电"}]},
    )


class CancelCallback(Input):
    """Cancel, saying why."""

    version: Version
    note: Line

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 2, "note": "客户已在营业厅解决"}]}
    )


class SnoozeCallback(Input):
    """Put off; the place in the line stays."""

    version: Version
    until: UtcInstant

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"version": 2, "until": "2026-11-23T06:00:00Z"}]},
    )


class ReassignCallback(Input):
    """Make another person answer for it; null gives it to the common list (PX-04)."""

    version: Version
    number: StaffNumber | None
    #: leaf of taxonomy `reassign_reason` (MN-02)
    reason: Code
    note: Line | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"version": 2, "number": "2001", "reason": "overload"}]},
    )


class CallNow(Input):
    """Due at once, with one more attempt if none was left; for an unknown one the decision to dial again."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 2}]})
