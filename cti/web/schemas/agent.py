"""The agent's state, his phone, and the queues as Asterisk has them (TL-40, TL-60). Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from cti.web.schemas.common import Code, Input, Output, UtcInstant
from ticketing.masking import Personal

__all__ = [
    "AgentPhone",
    "AgentState",
    "AgentView",
    "PauseAgent",
    "PhoneCredentials",
    "PhoneKind",
    "QueueCall",
    "QueueMember",
    "QueueName",
    "QueueView",
    "SignInToQueues",
]

AgentState = Literal["logged_out", "ready", "ringing", "talking", "wrap_up", "paused"]
PhoneKind = Literal["desk", "browser"]


class SignInToQueues(Input):
    """Take calls from now on, at this phone."""

    phone: PhoneKind

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"phone": "browser"}]})


class PauseAgent(Input):
    """Take no calls for a coded reason (taxonomy `pause_reason`)."""

    reason: Code

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "break"}]})


class AgentPhone(Output):
    """The agent's phone; `registered` is what Asterisk says now."""

    kind: PhoneKind
    number: str
    registered: bool


class QueueName(Output):
    """A queue he serves: Asterisk's name and what people call it."""

    name: str
    label: str


class AgentView(Output):
    """The state of one agent; the database is its truth (TL-40)."""

    state: AgentState
    since: UtcInstant | None
    #: Why paused, a code; null in every other state.
    reason: str | None
    phone: AgentPhone
    queues: list[QueueName]
    #: The call that rings, is talked on or is being wrapped up.
    call_id: str | None
    wrap_up_until: UtcInstant | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "state": "ready",
                    "since": "2026-11-23T02:13:26Z",
                    "reason": None,
                    "phone": {"kind": "browser", "number": "1001", "registered": True},
                    "queues": [{"name": "complaint", "label": "投诉受理"}],
                    "call_id": None,
                    "wrap_up_until": None,
                }
            ]
        },
    )


class PhoneCredentials(Output):
    """Short-lived secret of the browser phone, for the signed-in agent only."""

    #: `sip:1001@hotline`
    uri: str
    ws_path: str = "/sip"
    username: str
    password: str
    realm: str
    expires_at: UtcInstant
    display_name: str


class QueueMember(Output):
    """One member of a queue as Asterisk shows him."""

    interface: str
    #: The agent's number, empty when the interface is nobody's.
    agent: str
    #: The agent's name; null for an interface that is nobody's.
    name: str | None = None
    state: str
    #: Since when he is in this state.
    since: UtcInstant
    #: Why paused, a code; null in every other state.
    reason: str | None = None
    paused: bool
    #: False = listed in queues.conf, true = added at sign-in.
    dynamic: bool
    #: The call he is offered or in; null in every other state.
    call_id: str | None = None


class QueueCall(Output):
    """One caller waiting."""

    call_id: str
    number: Annotated[str, Personal.NUMBER]
    position: int = Field(ge=0)
    joined_at: UtcInstant
    priority: int
    vip: bool


class QueueView(Output):
    """A queue: Asterisk's own settings, members and callers, read and never changed by us (G13)."""

    name: str
    label: str
    strategy: str
    service_level_s: int
    ring_s: int
    members: list[QueueMember]
    waiting: int
    calls: list[QueueCall]
