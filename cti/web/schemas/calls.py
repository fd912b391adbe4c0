"""Calls and their recordings as the page lists and plays them. Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from cti.web.schemas.common import Input, Output, UtcInstant
from ticketing.masking import Personal

__all__ = [
    "CallList",
    "CallView",
    "Disconnect",
    "PathStep",
    "PeakChannel",
    "PeaksView",
    "RecordingLink",
    "RecordingRef",
    "RecordingState",
    "RecordingView",
]


class Disconnect(Input):
    """Why a supervisor ends a call."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "abuse", "note": "辱骂坐席，已警告两次"}]})

    #: leaf of taxonomy `disconnect_reason`
    reason: str = Field(min_length=1, max_length=64)
    note: str | None = Field(default=None, max_length=500)


RecordingState = Literal["expected", "ready", "partial", "missing", "empty", "short"]


class RecordingRef(Output):
    """A call's voice file: never blank, always a state (IN-15)."""

    id: str
    state: RecordingState
    seconds: float | None
    #: What is wrong with it, a code; null when all is well.
    alarm: str | None = None


class RecordingView(RecordingRef):
    """A recording with where its waveform is."""

    call_id: str
    peaks_url: str


class PeakChannel(Output):
    """One side of the call: peaks from 0 to 1 over equal stretches of time."""

    name: Literal["agent", "caller", "mixed"]
    peaks: list[float]


class PeaksView(Output):
    """The waveform."""

    channels: list[PeakChannel]
    seconds: float


class RecordingLink(Output):
    """A short-lived address of the sound, bound to the person who asked (S19)."""

    url: str
    expires_at: UtcInstant

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"url": "/media/eyJ...", "expires_at": "2026-11-23T02:18:26Z"}]},
    )


class PathStep(Output):
    """One step through the menu: the key pressed is never a keyed-in number."""

    node: str
    key: str | None
    label: str
    at: UtcInstant


class CallView(Output):
    """One call."""

    call_id: str
    dnis: str
    #: the recording notice that was played, prompt and version (TL-01)
    notice: str
    number: Annotated[str, Personal.NUMBER]
    entered_at: UtcInstant
    answered_at: UtcInstant | None
    ended_at: UtcInstant | None
    #: TL-12's disjoint outcomes; null while the call lives.
    outcome: str | None
    queue: str | None
    agent: str | None
    agent_name: str | None
    waited_ms: int | None = Field(default=None, ge=0)
    talk_ms: int | None = Field(default=None, ge=0)
    order_id: str | None
    order_serial: str | None
    #: the way through the menu, oldest step first, in the reader's language (TL-07, TL-32)
    path: list[PathStep]
    recording: RecordingRef | None
    #: the key by which the caller graded the talk (TL-08); null when he gave none
    grade: str | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "call_id": "20261123T021326-4f2a",
                    "dnis": "1860",
                    "notice": "notice@1",
                    "number": "+8613800001234",
                    "entered_at": "2026-11-23T02:13:26.120Z",
                    "answered_at": "2026-11-23T02:13:51.480Z",
                    "ended_at": None,
                    "outcome": None,
                    "queue": "complaint",
                    "agent": "1001",
                    "agent_name": "王芳",
                    "waited_ms": 4210,
                    "talk_ms": None,
                    "order_id": "o_8sJq2",
                    "order_serial": "102938475",
                    "path": [{"node": "main", "key": "1", "label": "投诉", "at": "2026-11-23T02:13:40Z"}],
                    "recording": {"id": "r_7c1", "state": "expected", "seconds": None, "alarm": None},
                }
            ]
        },
    )


class CallList(Output):
    """Recent calls, newest first."""

    items: list[CallView]
