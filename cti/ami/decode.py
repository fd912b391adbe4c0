"""AMI frames into facts about calls. Pure.

Only frames that the guard let pass come here. Read by presence: fields differ between versions (P19); units that lie
are not used for clocks (P14).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, TypedDict

from cti.ami.frames import Frame
from cti.calls import events as ev
from cti.calls.model import agent_of

Maker = Callable[[Frame, datetime], ev.CallEvent | None]


def decode(frame: Frame, received_at: datetime | None = None) -> ev.CallEvent | None:
    """The fact a frame tells, or None for one we do not need; `received_at` stands in for a missing timestamp."""
    make = _NEEDED.get(frame.raw[: frame.raw.find(b"\r\n")]) or _MAKERS.get(frame.event)
    if make is None:
        return None
    at = frame.at or received_at
    return None if at is None else make(frame, at)


def needs(raw: bytes) -> bool:
    """Whether the frame may tell a fact, by its first line alone; what Asterisk does not write so is looked at."""
    line = raw[: raw.find(b"\r\n")]
    return line in _NEEDED or not line.startswith(b"Event: ")


def snapshot(
    frames: Iterable[Frame], asked_at: datetime, zone: tzinfo | None = UTC, booted_at: datetime | None = None
) -> ev.FloorSnapshot:
    """The floor out of the answers to CoreStatus, CoreShowChannels and QueueStatus, asked at `asked_at`.

    CoreStatus tells the start of Asterisk in the local time of its machine. `booted_at` (its uptime subtracted from the
    moment it was told, some seconds exact) shows which zone that is; else `zone` is it; with neither the start is
    known by its words only.
    """
    seen: list[ev.CallEvent] = []
    words = ""
    for frame in frames:
        fact = decode(frame, asked_at)
        if fact is not None:
            seen.append(fact)
        words = f"{frame.get('CoreStartupDate')} {frame.get('CoreStartupTime')}".strip() or words
    return ev.FloorSnapshot(
        at=asked_at,
        channels=tuple(fact for fact in seen if isinstance(fact, ev.ChannelSeen)),
        waiting=tuple(fact for fact in seen if isinstance(fact, ev.CallerSeen)),
        members=tuple(fact for fact in seen if isinstance(fact, ev.MemberChanged)),
        queues=tuple(fact for fact in seen if isinstance(fact, ev.QueueSeen)),
        pbx_started_at=_started_at(words, zone, booted_at),
        pbx_start=words,
    )


#: every zone differs from UTC by a multiple of this
_ZONE_STEP: Final = timedelta(minutes=15)


def _started_at(words: str, zone: tzinfo | None, booted_at: datetime | None) -> datetime | None:
    """Start of Asterisk, whole seconds, from local time; None when it is none or nothing tells the zone."""
    try:
        local = datetime.strptime(words, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the zone is what is looked for
    except ValueError:
        return None
    if booted_at is not None:
        ahead = local.replace(tzinfo=UTC) - booted_at
        return local.replace(tzinfo=UTC) - round(ahead / _ZONE_STEP) * _ZONE_STEP
    return None if zone is None else local.replace(tzinfo=zone).astimezone(UTC)


def booted_at(frame: Frame, received_at: datetime) -> datetime | None:
    """When this Asterisk started, some seconds exact, from the `FullyBooted` that follows a login; None without it."""
    uptime = _maybe(frame.get("Uptime"))
    return None if uptime is None else (frame.at or received_at) - timedelta(seconds=uptime)


#: digits of the longest number that means something, a moment in epoch seconds; no arithmetic with it overflows
_DIGITS: Final = 10


def _number(text: str, default: int = 0) -> int:
    """A whole number, or the default for anything else."""
    found = _maybe(text)
    return default if found is None else found


def _priority(text: str) -> int:
    """A queue priority; that of a listed nuisance caller is below zero (PX-02)."""
    text = text.strip()
    return -_number(text[1:]) if text.startswith("-") else _number(text)


def _maybe(text: str) -> int | None:
    """A whole number, or None when the field is not there, is no number, or is longer than any that means something."""
    text = text.strip()
    return int(text) if len(text) <= _DIGITS and text.isascii() and text.isdigit() else None


def _percent(text: str) -> float | None:
    """A percentage as Asterisk prints it, `66.7`; None when the field is not there or is no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 100 else None


def _yes(text: str) -> bool | None:
    """AMI's yes and no in all their forms; None when the field is not there."""
    folded = text.strip().lower()
    return None if not folded else folded in {"1", "yes", "true", "on"}


class _Ids(TypedDict):
    """The part every fact has."""

    at: datetime
    call_id: str
    uniqueid: str
    linkedid: str


def _ids(frame: Frame, at: datetime) -> _Ids:
    return {"at": at, "call_id": frame.call_id, "uniqueid": frame.get("Uniqueid"), "linkedid": frame.get("Linkedid")}


# -- UserEvents of the dialplan and the menus -----------------------------------------------------------------------


def _entered(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.CallEntered(
        **_ids(frame, at),
        dnis=frame.get("Dnis"),
        ani=frame.get("Ani"),
        lang=frame.get("Lang"),
        notice="@".join(part for part in (frame.get("Notice"), frame.get("Version")) if part),
    )


def _stepped(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.IvrStepped(**_ids(frame, at), node=frame.get("Node"), key=frame.get("Key"))


def _identified(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.CallerIdentified(
        **_ids(frame, at), customer=frame.get("Customer"), match=frame.get("Match"), vip=frame.get("Vip")
    )


def _routed(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.CallRouted(
        **_ids(frame, at),
        queue=frame.get("Queue"),
        priority=_priority(frame.get("Priority")),
        reason=frame.get("Reason"),
        lang=frame.get("Lang"),
    )


_USER_EVENTS: Final[dict[str, Maker]] = {
    "CtiEntered": _entered,
    "CtiRefused": lambda frame, at: ev.CallRefused(**_ids(frame, at), why=frame.get("Why")),
    "CtiStep": _stepped,
    "CtiCaller": _identified,
    "CtiRouted": _routed,
    "CtiForecast": lambda frame, at: ev.ForecastTold(
        **_ids(frame, at), wait_s=_number(frame.get("Seconds")), place=_number(frame.get("Place"))
    ),
    "CtiRescue": lambda frame, at: ev.RescueTaken(**_ids(frame, at), why=frame.get("Why")),
    "CtiRecording": lambda frame, at: ev.RecordingMarked(**_ids(frame, at), state=frame.get("State")),
    "CtiQueueLeft": lambda frame, at: ev.QueueLeft(
        **_ids(frame, at), queue=frame.get("Queue"), status=frame.get("Status")
    ),
    "CtiGrade": lambda frame, at: ev.Graded(**_ids(frame, at), grade=frame.get("Grade")),
    "CtiEnd": lambda frame, at: ev.CallEnded(**_ids(frame, at), step=frame.get("Step")),
}


def _user_event(frame: Frame, at: datetime) -> ev.CallEvent | None:
    make = _USER_EVENTS.get(frame.get("UserEvent"))
    return make(frame, at) if make else None


# -- app_queue: calls -----------------------------------------------------------------------------------------------


def _joined(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.CallerJoined(
        **_ids(frame, at),
        queue=frame.get("Queue"),
        position=_number(frame.get("Position")),
        ani=_caller(frame),
    )


def _caller(frame: Frame) -> str:
    """The caller's number; Asterisk writes `<unknown>` for none."""
    ani = frame.get("CallerIDNum")
    return "" if ani == "<unknown>" else ani


def _offered(frame: Frame, at: datetime) -> ev.CallEvent:
    interface = frame.get("Interface")
    return ev.AgentOffered(
        **_ids(frame, at),
        queue=frame.get("Queue"),
        interface=interface,
        agent=agent_of(interface),
        leg=frame.get("DestUniqueid"),
        channel=frame.get("DestChannel"),
    )


def _missed(frame: Frame, at: datetime) -> ev.CallEvent:
    interface = frame.get("Interface")
    return ev.AgentMissed(
        **_ids(frame, at),
        queue=frame.get("Queue"),
        interface=interface,
        agent=agent_of(interface),
        leg=frame.get("DestUniqueid"),
        ring_ms=_number(frame.get("RingTime")),
    )


def _answered(frame: Frame, at: datetime) -> ev.CallEvent:
    interface = frame.get("Interface")
    return ev.AgentAnswered(
        **_ids(frame, at),
        queue=frame.get("Queue"),
        interface=interface,
        agent=agent_of(interface),
        leg=frame.get("DestUniqueid"),
        channel=frame.get("DestChannel"),
    )


def _completed(frame: Frame, at: datetime) -> ev.CallEvent:
    interface = frame.get("Interface")
    return ev.AgentCompleted(
        **_ids(frame, at),
        queue=frame.get("Queue"),
        interface=interface,
        agent=agent_of(interface),
        leg=frame.get("DestUniqueid"),
        reason=frame.get("Reason"),
    )


# -- app_queue: members ---------------------------------------------------------------------------------------------


def _member(frame: Frame, at: datetime) -> ev.MemberChanged:
    """A member as any of the QueueMember* events or the list of QueueStatus tells of him."""
    return ev.MemberChanged(
        at=at,
        queue=frame.get("Queue"),
        interface=frame.get("Interface") or frame.get("Location"),
        name=frame.get("MemberName") or frame.get("Name"),
        state_interface=frame.get("StateInterface"),
        membership=frame.get("Membership"),
        paused=_yes(frame.get("Paused")),
        reason=frame.get("PausedReason") or frame.get("Reason"),
        status=_maybe(frame.get("Status")),
        in_call=_yes(frame.get("InCall")),
        penalty=_maybe(frame.get("Penalty")),
        removed=frame.event == "QueueMemberRemoved",
    )


# -- channels and bridges -------------------------------------------------------------------------------------------


def _ended(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.ChannelEnded(**_ids(frame, at), channel=frame.get("Channel"), cause=_number(frame.get("Cause")))


def _bridge_entered(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.BridgeEntered(**_ids(frame, at), bridge=frame.get("BridgeUniqueid"), channel=frame.get("Channel"))


def _bridge_left(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.BridgeLeft(**_ids(frame, at), bridge=frame.get("BridgeUniqueid"), channel=frame.get("Channel"))


# -- lists for a snapshot -------------------------------------------------------------------------------------------


def _age_s(text: str) -> int:
    """`HH:MM:SS` (or `D:HH:MM:SS`) in seconds; 0 for anything else."""
    total = 0
    for part, unit in zip(reversed(text.split(":")), (1, 60, 3600, 86400), strict=False):
        total += _number(part) * unit
    return min(total, 10**_DIGITS)


def _channel_seen(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.ChannelSeen(
        **_ids(frame, at),
        channel=frame.get("Channel"),
        state=frame.get("ChannelStateDesc"),
        ani=_caller(frame),
        dnis=frame.get("Exten"),
        bridge=frame.get("BridgeId"),
        age_s=_age_s(frame.get("Duration")),
    )


def _caller_seen(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.CallerSeen(
        **_ids(frame, at),
        queue=frame.get("Queue"),
        position=_number(frame.get("Position")),
        wait_s=_number(frame.get("Wait")),
    )


def _queue_seen(frame: Frame, at: datetime) -> ev.CallEvent:
    return ev.QueueSeen(
        at=at,
        queue=frame.get("Queue"),
        strategy=frame.get("Strategy"),
        calls=_number(frame.get("Calls")),
        completed=_number(frame.get("Completed")),
        abandoned=_number(frame.get("Abandoned")),
        service_level_s=_number(frame.get("ServiceLevel")),
        level_percent=_percent(frame.get("ServicelevelPerf")),
        weight=_number(frame.get("Weight")),
    )


_MAKERS: Final[dict[str, Maker]] = {
    "UserEvent": _user_event,
    "Newchannel": lambda frame, at: ev.ChannelOpened(
        **_ids(frame, at), channel=frame.get("Channel"), exten=frame.get("Exten")
    ),
    "Hangup": _ended,
    "QueueCallerJoin": _joined,
    "QueueCallerLeave": lambda frame, at: ev.CallerLeft(**_ids(frame, at), queue=frame.get("Queue")),
    "QueueCallerAbandon": lambda frame, at: ev.CallerAbandoned(**_ids(frame, at), queue=frame.get("Queue")),
    "AgentCalled": _offered,
    "AgentRingNoAnswer": _missed,
    "AgentConnect": _answered,
    "AgentComplete": _completed,
    "QueueMemberStatus": _member,
    "QueueMemberPause": _member,
    "QueueMemberAdded": _member,
    "QueueMemberRemoved": _member,
    "QueueMemberRinginuse": _member,
    "QueueMemberPenalty": _member,
    "QueueMember": _member,
    "QueueParams": _queue_seen,
    "QueueEntry": _caller_seen,
    "BridgeEnter": _bridge_entered,
    "BridgeLeave": _bridge_left,
    "MixMonitorStart": lambda frame, at: ev.RecordingMarked(**_ids(frame, at), state="started"),
    "MixMonitorStop": lambda frame, at: ev.RecordingMarked(**_ids(frame, at), state="stopped"),
    "CoreShowChannel": _channel_seen,
}
#: the same by the first line as Asterisk writes it
_NEEDED: Final = {f"Event: {name}".encode(): make for name, make in _MAKERS.items()}
