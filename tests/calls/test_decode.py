"""Frames into facts, field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cti.ami.decode import booted_at, decode, snapshot
from cti.ami.frames import Frame
from cti.calls import events as ev

STAMP = "1795401117.604804"
AT = datetime(2026, 11, 23, 2, 31, 57, 604804, tzinfo=UTC)
CALL = "20261123023157-000000767498"
IDS: dict[str, Any] = {"at": AT, "call_id": CALL, "uniqueid": "17.0", "linkedid": "17.1"}


def frame(event: str, *, channel: bool = True, stamp: str = STAMP, **fields: str) -> Frame:
    """An AMI block as Asterisk 22 writes it."""
    lines = [f"Event: {event}", "Privilege: call,all"]
    if stamp:
        lines.append(f"Timestamp: {stamp}")
    if channel:
        lines += [
            "Channel: PJSIP/trunk-00000000",
            "ChannelState: 6",
            "ChannelStateDesc: Up",
            "CallerIDNum: 13800001111",
            "Exten: 1860",
            "Uniqueid: 17.0",
            "Linkedid: 17.1",
            f"ChanVariable: CTI_CALL_ID={CALL}",
            "ChanVariable: CTI_TOKEN=x",
        ]
    return Frame("\r\n".join([*lines, *(f"{key}: {value}" for key, value in fields.items())]).encode())


def dest(event: str, **fields: str) -> Frame:
    leg = {"DestChannel": "PJSIP/1001-0a", "DestChannelState": "5", "DestUniqueid": "17.6"}
    return frame(event, channel=True, stamp=STAMP, **leg, **fields)


AGENT: dict[str, Any] = {"queue": "complaint", "interface": "PJSIP/1001", "agent": "1001", "leg": "17.6"}
CASES: list[tuple[Frame, ev.CallEvent]] = [
    (
        frame("UserEvent", UserEvent="CtiEntered", Dnis="1860", Ani="13800001111", Lang="zh", Notice="notice"),
        ev.CallEntered(**IDS, dnis="1860", ani="13800001111", lang="zh", notice="notice"),
    ),
    (frame("UserEvent", UserEvent="CtiRefused", Why="closed"), ev.CallRefused(**IDS, why="closed")),
    (frame("UserEvent", UserEvent="CtiStep", Node="main", Key="1"), ev.IvrStepped(**IDS, node="main", key="1")),
    (
        frame("UserEvent", UserEvent="CtiCaller", Customer="c-1", Match="one", Vip="major"),
        ev.CallerIdentified(**IDS, customer="c-1", match="one", vip="major"),
    ),
    (
        frame("UserEvent", UserEvent="CtiRouted", Queue="senior", Priority="10", Reason="vip", Lang="en"),
        ev.CallRouted(**IDS, queue="senior", priority=10, reason="vip", lang="en"),
    ),
    (
        frame("UserEvent", UserEvent="CtiRouted", Queue="senior", Priority="high"),
        ev.CallRouted(**IDS, queue="senior", priority=0),
    ),
    (frame("UserEvent", UserEvent="CtiRescue", Why="no_service"), ev.RescueTaken(**IDS, why="no_service")),
    (frame("UserEvent", UserEvent="CtiRecording", State="started"), ev.RecordingMarked(**IDS, state="started")),
    (
        frame("UserEvent", UserEvent="CtiQueueLeft", Queue="complaint", Status="TIMEOUT"),
        ev.QueueLeft(**IDS, queue="complaint", status="TIMEOUT"),
    ),
    (frame("UserEvent", UserEvent="CtiGrade", Grade="1"), ev.Graded(**IDS, grade="1")),
    (frame("UserEvent", UserEvent="CtiEnd", Step="talked"), ev.CallEnded(**IDS, step="talked")),
    (
        frame("QueueCallerJoin", Queue="complaint", Position="3", Count="3"),
        ev.CallerJoined(**IDS, queue="complaint", position=3, ani="13800001111"),
    ),
    (frame("QueueCallerLeave", Queue="complaint", Position="1"), ev.CallerLeft(**IDS, queue="complaint")),
    (frame("QueueCallerAbandon", Queue="complaint", HoldTime="9"), ev.CallerAbandoned(**IDS, queue="complaint")),
    (
        dest("AgentCalled", Queue="complaint", Interface="PJSIP/1001"),
        ev.AgentOffered(**IDS, **AGENT, channel="PJSIP/1001-0a"),
    ),
    (
        dest("AgentRingNoAnswer", Queue="complaint", Interface="PJSIP/1001", RingTime="8000"),
        ev.AgentMissed(**IDS, **AGENT, ring_ms=8000),
    ),
    (
        dest("AgentConnect", Queue="complaint", Interface="PJSIP/1001", RingTime="1", HoldTime="2"),
        ev.AgentAnswered(**IDS, **AGENT, channel="PJSIP/1001-0a"),
    ),
    (
        dest("AgentComplete", Queue="complaint", Interface="PJSIP/1001", TalkTime="4", Reason="caller"),
        ev.AgentCompleted(**IDS, **AGENT, reason="caller"),
    ),
    (
        frame("Newchannel"),
        ev.ChannelOpened(**IDS, channel="PJSIP/trunk-00000000", exten="1860"),
    ),
    (frame("Hangup", Cause="16"), ev.ChannelEnded(**IDS, channel="PJSIP/trunk-00000000", cause=16)),
    (frame("Hangup"), ev.ChannelEnded(**IDS, channel="PJSIP/trunk-00000000", cause=0)),
    (
        frame("BridgeEnter", BridgeUniqueid="b-1"),
        ev.BridgeEntered(**IDS, bridge="b-1", channel="PJSIP/trunk-00000000"),
    ),
    (
        frame("BridgeLeave", BridgeUniqueid="b-1"),
        ev.BridgeLeft(**IDS, bridge="b-1", channel="PJSIP/trunk-00000000"),
    ),
    (frame("MixMonitorStart"), ev.RecordingMarked(**IDS, state="started")),
    (frame("MixMonitorStop"), ev.RecordingMarked(**IDS, state="stopped")),
    (
        frame("QueueEntry", Queue="complaint", Position="2", Wait="17"),
        ev.CallerSeen(**IDS, queue="complaint", position=2, wait_s=17),
    ),
    (
        frame("CoreShowChannel", Duration="01:02:03", BridgeId="b-1"),
        ev.ChannelSeen(
            **IDS,
            channel="PJSIP/trunk-00000000",
            state="Up",
            ani="13800001111",
            dnis="1860",
            bridge="b-1",
            age_s=3723,
        ),
    ),
    (
        frame("CoreShowChannel", Duration="1:00:00:05"),
        ev.ChannelSeen(**IDS, channel="PJSIP/trunk-00000000", state="Up", ani="13800001111", dnis="1860", age_s=86_405),
    ),
    (
        frame(
            "QueueParams",
            channel=False,
            Queue="complaint",
            Strategy="rrmemory",
            Calls="2",
            Completed="7",
            Abandoned="3",
            ServiceLevel="15",
            ServicelevelPerf="66.7",
            Weight="1",
        ),
        ev.QueueSeen(
            at=AT,
            queue="complaint",
            strategy="rrmemory",
            calls=2,
            completed=7,
            abandoned=3,
            service_level_s=15,
            level_percent=66.7,
            weight=1,
        ),
    ),
    (
        frame("QueueParams", channel=False, Queue="complaint", ServicelevelPerf="nan", Weight="x"),
        ev.QueueSeen(at=AT, queue="complaint"),
    ),
]


@pytest.mark.parametrize(
    ("block", "fact"), CASES, ids=[f"{n}-{type(fact).__name__}" for n, (_, fact) in enumerate(CASES)]
)
def test_each_frame_is_its_fact(block: Frame, fact: ev.CallEvent) -> None:
    assert decode(block) == fact


MEMBER = {"Queue": "complaint", "MemberName": "1001", "Interface": "PJSIP/1001", "StateInterface": "PJSIP/1001x"}


@pytest.mark.parametrize(
    "event",
    [
        "QueueMemberStatus",
        "QueueMemberPause",
        "QueueMemberAdded",
        "QueueMemberRemoved",
        "QueueMemberRinginuse",
        "QueueMemberPenalty",
    ],
)
def test_member_events(event: str) -> None:
    block = frame(event, channel=False, **MEMBER, Membership="dynamic", Penalty="2", Status="6", InCall="1",
                  Paused="1", PausedReason="lunch")  # fmt: skip
    assert decode(block) == ev.MemberChanged(
        at=AT,
        queue="complaint",
        interface="PJSIP/1001",
        name="1001",
        state_interface="PJSIP/1001x",
        membership="dynamic",
        paused=True,
        reason="lunch",
        status=6,
        in_call=True,
        penalty=2,
        removed=event == "QueueMemberRemoved",
    )


def test_a_listed_member_has_other_names_for_the_same_things() -> None:
    block = frame("QueueMember", channel=False, Queue="complaint", Name="1001", Location="PJSIP/1001",
                  StateInterface="PJSIP/1001", Membership="static", Penalty="0", Status="1", Paused="0")  # fmt: skip
    assert decode(block) == ev.MemberChanged(
        at=AT,
        queue="complaint",
        interface="PJSIP/1001",
        name="1001",
        state_interface="PJSIP/1001",
        membership="static",
        paused=False,
        status=1,
        penalty=0,
    )


def test_fields_that_are_not_there_are_not_known() -> None:
    fact = decode(frame("QueueMemberStatus", channel=False, Queue="q", Interface="PJSIP/1"))
    assert fact == ev.MemberChanged(at=AT, queue="q", interface="PJSIP/1")
    assert isinstance(fact, ev.MemberChanged)
    assert (fact.paused, fact.status, fact.in_call, fact.penalty) == (None, None, None, None)


def test_the_old_name_of_the_pause_reason() -> None:
    fact = decode(frame("QueueMemberPause", channel=False, Queue="q", Interface="PJSIP/1", Paused="yes", Reason="tea"))
    assert fact == ev.MemberChanged(at=AT, queue="q", interface="PJSIP/1", paused=True, reason="tea")


def test_an_unknown_caller_has_no_number() -> None:
    block = Frame(frame("QueueCallerJoin", Queue="q").raw.replace(b"13800001111", b"<unknown>"))
    fact = decode(block)
    assert isinstance(fact, ev.CallerJoined)
    assert fact.ani == ""


@pytest.mark.parametrize(
    "block",
    [frame("Newexten"), frame("UserEvent", UserEvent="Other"), frame("UserEvent"), Frame(b"Response: Success")],
)
def test_other_frames_tell_us_nothing(block: Frame) -> None:
    assert decode(block) is None


def test_the_moment_of_receipt_stands_in_for_a_missing_timestamp() -> None:
    received = datetime(2026, 3, 10, tzinfo=UTC)
    assert decode(frame("Newchannel", stamp="")) is None
    fact = decode(frame("Newchannel", stamp=""), received)
    assert fact is not None
    assert fact.at == received
    fact = decode(frame("Newchannel"), received)
    assert fact is not None
    assert fact.at == AT


@pytest.mark.req("TL-70")
def test_a_snapshot_out_of_the_three_lists() -> None:
    asked_at = datetime(2026, 3, 10, tzinfo=UTC)
    status = Frame(b"Response: Success\r\nCoreStartupDate: 2026-03-10\r\nCoreStartupTime: 09:30:00")
    blocks = [
        status,
        frame("CoreShowChannel", stamp="", Duration="00:00:09"),
        frame("CoreShowChannelsComplete", channel=False, stamp=""),
        frame("QueueParams", channel=False, stamp="", Queue="complaint"),
        frame("QueueMember", channel=False, stamp="", Queue="complaint", Location="PJSIP/1"),
        frame("QueueEntry", stamp="", Queue="complaint", Wait="9"),
    ]
    found = snapshot(blocks, asked_at, timezone(timedelta(hours=8)))
    assert found.at == asked_at
    assert found.pbx_started_at == datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
    assert found.pbx_started_at is not None
    assert found.pbx_started_at.tzinfo is UTC, "as every moment of the records"
    assert [(channel.uniqueid, channel.age_s, channel.at) for channel in found.channels] == [("17.0", 9, asked_at)]
    assert [member.interface for member in found.members] == ["PJSIP/1"]
    assert [(caller.uniqueid, caller.wait_s) for caller in found.waiting] == [("17.0", 9)]
    assert [queue.queue for queue in found.queues] == ["complaint"]
    assert snapshot([], asked_at) == ev.FloorSnapshot(at=asked_at)
    assert snapshot([status], asked_at).pbx_started_at == datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


@pytest.mark.req("TL-70", "F05")
@pytest.mark.parametrize(
    ("ahead", "off_s"), [(8.0, 0), (8.0, 3), (8.0, -3), (5.75, 2), (0.0, 1), (-3.5, -1), (14.0, 0)]
)
def test_the_zone_of_asterisks_start_is_measured(ahead: float, off_s: int) -> None:
    """FullyBooted tells the uptime, some seconds exact; the start in local time is then exact in any zone."""
    started = datetime(2026, 3, 10, 1, 30, 7, tzinfo=UTC)
    local = started + timedelta(hours=ahead)
    status = Frame(
        f"Response: Success\r\nCoreStartupDate: {local:%Y-%m-%d}\r\nCoreStartupTime: {local:%H:%M:%S}".encode()
    )
    now = started + timedelta(days=9, seconds=off_s)
    booted = booted_at(Frame(b"Event: FullyBooted\r\nUptime: 777600\r\nStatus: Fully Booted"), now)
    assert snapshot([status], now, None, booted).pbx_started_at == started
    unmeasured = snapshot([status], now, None)
    assert (unmeasured.pbx_started_at, unmeasured.pbx_start) == (None, f"{local:%Y-%m-%d %H:%M:%S}")


def test_a_boot_without_an_uptime_measures_nothing() -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    assert booted_at(Frame(b"Event: FullyBooted\r\nStatus: Fully Booted"), now) is None
    assert snapshot([Frame(b"Response: Success")], now).pbx_started_at is None


@pytest.mark.parametrize(
    ("text", "known"),
    [("0", 0.0), ("0.4", 0.4), ("100", 100.0), ("100.0", 100.0), ("-0.1", None), ("100.1", None), ("", None)],
)
def test_a_share_lies_between_nothing_and_all(text: str, known: float | None) -> None:
    fact = decode(frame("QueueParams", channel=False, Queue="q", ServicelevelPerf=text))
    assert fact == ev.QueueSeen(at=AT, queue="q", level_percent=known)


@pytest.mark.parametrize(
    ("text", "known"),
    [("1", True), ("yes", True), ("True", True), (" on ", True), ("0", False), ("no", False), ("2", False), ("", None)],
)
def test_yes_in_all_of_asterisks_forms(text: str, known: bool | None) -> None:
    fact = decode(frame("QueueMemberPause", channel=False, Queue="q", Interface="PJSIP/1", Paused=text))
    assert fact == ev.MemberChanged(at=AT, queue="q", interface="PJSIP/1", paused=known)


def test_no_age_is_longer_than_a_moment_can_be_told() -> None:
    """A number of ten digits of days would be no time any more once it is subtracted from now."""
    fact = decode(frame("CoreShowChannel", Duration="9999999999:00:00:00"))
    assert isinstance(fact, ev.ChannelSeen)
    assert fact.age_s == 10_000_000_000
