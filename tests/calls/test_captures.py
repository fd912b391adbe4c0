"""Conversations captured from a real Asterisk 22, replayed: bytes in, call record out (TL-71)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.ami.frames import Frame, Splitter, forget_forms
from cti.ami.replay import events_in, replay_bytes
from cti.calls import events as ev
from cti.calls.model import CallRecord, FloorSettings
from cti.calls.replay import replay

FOLDER = Path(__file__).parent.parent / "data" / "ami"
TOKEN = "0123456789abcdef0123456789abcdef"
CAPTURES = sorted(path.stem for path in FOLDER.glob("*.ami"))


@pytest.fixture(autouse=True)
def _no_forms() -> Iterator[None]:
    """Each test reads its frames afresh."""
    forget_forms()
    yield
    forget_forms()


def raw(name: str) -> bytes:
    return (FOLDER / f"{name}.ami").read_bytes()


def summary(record: CallRecord) -> tuple[object, ...]:
    """What a reader of the capture would say about the call."""
    return (
        record.ani,
        str(record.outcome),
        record.answered_by,
        record.end_reason,
        record.end_step,
        [f"{offer.agent} {offer.result}" for offer in record.offers],
        [f"{stay.queue} {stay.status}" for stay in record.stays],
        record.rescue_why,
    )


AGENT_ENDS = ["1002 answered"], ["complaint ANSWERED"]
STORIES: dict[str, tuple[object, ...]] = {
    "answered": ("13800001111", "answered", "1002", "agent", "talked", *AGENT_ENDS, ""),
    "answered_caller_hangs_up": ("13800001111", "answered", "1002", "caller", "queue", *AGENT_ENDS, ""),
    "abandoned": ("13800002222", "short_abandoned", "", "caller", "queue", [], ["complaint ABANDONED"], ""),
    "abandoned_while_ringing": (
        "13800002222",
        "short_abandoned",
        "",
        "caller",
        "queue",
        ["1002 withdrawn"],
        ["complaint ABANDONED"],
        "",
    ),
    "missed_then_answered": (
        "13800003333",
        "answered",
        "1002",
        "agent",
        "talked",
        ["1001 missed", "1002 answered"],
        ["complaint ANSWERED"],
        "",
    ),
    "rejected_then_answered": (
        "13800003333",
        "answered",
        "1001",
        "caller",
        "queue",
        ["1001 missed", "1001 answered"],
        ["complaint ANSWERED"],
        "",
    ),
    "unanswered_twice": (
        "13800004444",
        "failed",
        "",
        "hung_up",
        "unanswered",
        [],
        ["complaint TIMEOUT", "complaint TIMEOUT"],
        "",
    ),
    "withheld_number": ("", "answered", "1002", "agent", "talked", *AGENT_ENDS, ""),
    "member_of_two_queues": ("13800001111", "answered", "1002", "agent", "talked", *AGENT_ENDS, ""),
    "rescue": ("13800001111", "answered", "1002", "agent", "talked", *AGENT_ENDS, "no_service"),
    "dies_in_mid_script": ("13800001111", "answered", "1002", "agent", "talked", *AGENT_ENDS, "not_done"),
    "falls_silent": ("13800001111", "answered", "1002", "agent", "talked", *AGENT_ENDS, "not_done"),
    "unknown_queue": ("13800001111", "answered", "1002", "agent", "talked", *AGENT_ENDS, "not_done"),
    "service_says_goodbye": ("13800001111", "served_by_ivr", "", "hung_up", "ivr", [], [], ""),
}


@pytest.mark.req("TL-71")
@pytest.mark.parametrize("name", STORIES)
def test_a_captured_call_tells_its_story(name: str) -> None:
    (record,) = replay_bytes(raw(name))
    assert summary(record) == STORIES[name]
    assert record.unseen == ()
    assert record.dnis == ("1861" if name == "unanswered_twice" else "1860")
    assert record.notice == "notice"
    assert record.recording == "started"


@pytest.mark.req("TL-10")
def test_clocks_of_the_missed_call_are_those_of_its_timestamps() -> None:
    (record,) = replay_bytes(raw("missed_then_answered"))
    frames = [Frame(block) for block in Splitter(banner=False).feed(raw("missed_then_answered"))]
    stamps = {(frame.event, frame.get("Interface")): frame.at for frame in frames}
    joined, answered = stamps[("QueueCallerJoin", "")], stamps[("AgentConnect", "PJSIP/1002")]
    assert joined is not None
    assert answered is not None
    assert (record.joined_at, record.answered_at) == (joined, answered)
    assert record.clocks.join_to_answer_ms == int((answered - joined).total_seconds() * 1000)
    assert record.clocks.ct02_from == joined
    assert record.offers[0].ring_ms in range(8_000, 8_050)
    assert record.clocks.breach is None


def test_every_capture_has_its_story() -> None:
    assert [name for name in CAPTURES if name not in STORIES] == ["paused"]


@pytest.mark.req("TL-40")
def test_pause_and_unpause_of_a_member() -> None:
    changes = [event for event in events_in(raw("paused"), TOKEN) if isinstance(event, ev.MemberChanged)]
    assert [(change.paused, change.reason) for change in changes] == [
        (False, ""),
        (False, ""),
        (True, "wrap_up"),
        (False, "ready"),
        (False, ""),
        (False, ""),
    ]
    assert changes[-1].removed
    assert {change.interface for change in changes} == {"PJSIP/1002"}


@pytest.mark.req("TL-71")
def test_replaying_all_captures_as_one_stream_gives_each_its_record() -> None:
    alone = [record for name in STORIES for record in replay_bytes(raw(name))]
    facts = itertools.chain.from_iterable(events_in(raw(name)) for name in STORIES)
    stream = sorted((fact for fact in facts if isinstance(fact, ev.CallEvent)), key=lambda fact: fact.at)
    together = replay(stream, FloorSettings(wrap_up_s=0))
    assert sorted(together, key=lambda record: record.call_id) == sorted(alone, key=lambda record: record.call_id)


@pytest.mark.parametrize("name", STORIES)
def test_with_the_token_the_guard_believes_it_all(name: str) -> None:
    assert replay_bytes(raw(name), TOKEN) == replay_bytes(raw(name))


def test_frames_that_tell_nothing_are_passed_over() -> None:
    other = b"Event: Newexten\r\nTimestamp: 1795401117.6\r\n\r\n"
    assert replay_bytes(other + raw("abandoned") + other) == replay_bytes(raw("abandoned"))


def test_a_wrong_token_believes_no_channel_event() -> None:
    assert replay_bytes(raw("answered"), "f" * 32) == []


def test_a_capture_with_the_banner_and_a_cut_end_is_read_too() -> None:
    whole = raw("answered")
    with_banner = b"Asterisk Call Manager/11.0.0\r\n" + whole
    assert replay_bytes(with_banner) == replay_bytes(whole)
    assert replay_bytes(whole.rstrip(b"\r\n")) == replay_bytes(whole)
