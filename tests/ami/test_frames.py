"""Cutting bytes into frames and reading them, whatever the segments and the values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.ami.frames import FORMS_ALIKE, PAIRS_REMEMBERED, Frame, Splitter, forget_forms

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
JOIN = (
    "Event: QueueCallerJoin\r\nPrivilege: agent,all\r\nTimestamp: 1795400008.123456\r\nChannel: PJSIP/t-00000001\r\n"
    "ChannelState: 6\r\nChannelStateDesc: Up\r\nCallerIDNum: 13812345678\r\nCallerIDName: 投诉客户王小明\r\n"
    "Uniqueid: 1795400000.1\r\nLinkedid: 1795400000.1\r\nChanVariable: CTI_CALL_ID=20261123021328-000000000001\r\n"
    "ChanVariable: CTI_TOKEN=t0k=en\r\nQueue: complaint\r\nPosition: 1\r\nCount: 1"
).encode()


@pytest.fixture(autouse=True)
def clean_forms() -> Iterator[None]:
    forget_forms()
    yield
    forget_forms()


@given(st.lists(st.integers(1, 80), max_size=40))
def test_any_segments_give_the_same_frames(cuts: list[int]) -> None:
    stream = BANNER + b"\r\n\r\n".join([JOIN, b"Event: Reload", JOIN]) + b"\r\n\r\n"
    splitter, got, rest = Splitter(), list[bytes](), stream
    for cut in cuts:
        got += splitter.feed(rest[:cut])
        rest = rest[cut:]
    got += splitter.feed(rest)
    assert got == [JOIN, b"Event: Reload", JOIN]
    assert splitter.banner == "11.0.0"


def test_byte_by_byte_keeps_chinese_names() -> None:
    splitter = Splitter(banner=False)
    (raw,) = [frame for byte in JOIN + b"\r\n\r\n" for frame in splitter.feed(bytes([byte]))]
    assert Frame(raw).get("CallerIDName") == "投诉客户王小明"


@pytest.mark.parametrize("inside", ["\u2028", "\u0085", "\r", "\x0b", "\x0c", "\n", "\u2029", ": ", "\x00"])
@pytest.mark.parametrize("warm", [False, True])
def test_only_cr_lf_ends_a_line(inside: str, warm: bool) -> None:
    if warm:
        Frame(JOIN).remember()
    frame = Frame(JOIN.replace("投诉客户王小明".encode(), f"a{inside}b".encode()))
    assert frame.get("CallerIDName") == f"a{inside}b"
    assert frame.get("Queue") == "complaint"


def test_reads_what_the_reducer_needs() -> None:
    frame = Frame(JOIN)
    assert frame.event == "QueueCallerJoin"
    assert frame.get("calleridnum") == frame.get("CallerIDNum") == "13812345678"
    assert frame.get("Nothing", "x") == "x"
    assert frame.all("ChanVariable") == ("CTI_CALL_ID=20261123021328-000000000001", "CTI_TOKEN=t0k=en")
    assert frame.variables == {"CTI_CALL_ID": "20261123021328-000000000001", "CTI_TOKEN": "t0k=en"}
    assert frame.dest_variables == {}
    assert frame.call_id == "20261123021328-000000000001"
    assert frame.at == datetime(2026, 11, 23, 2, 13, 28, 123456, UTC)


@pytest.mark.parametrize("stamp", ["", "nan", "inf", "1e300", "x", "-9e18", "-1", "253402300799"])
def test_an_unreadable_timestamp_is_none(stamp: str) -> None:
    assert Frame(f"Event: X\r\nTimestamp: {stamp}".encode()).at is None


def test_invalid_utf8_is_replaced() -> None:
    assert Frame(b"Event: X\r\nCallerIDName: \xc0\xaf\xff").get("CallerIDName") == "\ufffd" * 3


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), min_size=1, max_size=6))
def test_a_remembered_form_reads_like_an_unknown_one(lines: list[tuple[str, str]]) -> None:
    raw = "\r\n".join(["Event: X", *(f"{key}: {value}" for key, value in lines)]).encode()
    forget_forms()
    first = Frame(raw)
    first.remember()
    second = Frame(raw)
    assert second.headers() == first.headers()
    assert [second.all(key) for key, _ in lines] == [first.all(key) for key, _ in lines]


def test_an_overlong_frame_is_skipped_and_the_next_is_found() -> None:
    splitter = Splitter(banner=False, cap=100)
    got = [frame for _ in range(50) for frame in splitter.feed(b"Event: " + b"x" * 40)]
    got += splitter.feed(b"\r\n\r")
    got += splitter.feed(b"\nEvent: Reload\r\n\r\n" + b"y" * 200 + b"\r\n\r\nEvent: Shutdown\r\n\r\n")
    assert got == [b"Event: Reload", b"Event: Shutdown"]
    assert splitter.overlong == 2


def test_a_peer_that_is_no_asterisk_gives_no_banner() -> None:
    splitter = Splitter(cap=100)
    assert splitter.feed(b"SSH-2.0-OpenSSH\r\n") == []
    assert splitter.banner == ""


def test_a_frame_that_differs_from_a_known_form_in_its_last_line_costs_no_more() -> None:
    """With an expression that can go back, forty equal lines would take 2**40 steps and this test would not end."""
    lines = "".join(f"Key{number}: value\r\n" for number in range(40))
    Frame(f"Event: X\r\n{lines}Last: 1".encode()).remember()
    assert Frame(f"Event: X\r\n{lines}Other: 1".encode()).get("Other") == "1"


def remembered(raw: bytes) -> bool:
    """Whether the like of this frame is read by a form that was kept."""
    return Frame(raw).form is Frame(raw).form


@pytest.mark.req("S23")
def test_the_memory_of_forms_has_an_end() -> None:
    """Names of user events may be a caller's doing: what is over the limits is read the slow way, and read right."""
    for number in range(PAIRS_REMEMBERED + 1):
        Frame(b"Event: X%d\r\nQueue: q" % number).remember()
    last, over = (b"Event: X%d\r\nQueue: q" % number for number in (PAIRS_REMEMBERED - 1, PAIRS_REMEMBERED))
    assert remembered(last)
    assert not remembered(over)
    assert Frame(over).get("Queue") == "q"
    alike = [b"Event: X0\r\nKey%d: 1\r\nQueue: q" % number for number in range(FORMS_ALIKE)]
    for raw in alike:
        Frame(raw).remember()
    assert [remembered(raw) for raw in alike] == [True] * (FORMS_ALIKE - 1) + [False]
    assert Frame(alike[-1]).headers() == [("Event", "X0"), (f"Key{FORMS_ALIKE - 1}", "1"), ("Queue", "q")]


def test_a_form_is_kept_once_and_never_one_with_a_line_that_is_no_header() -> None:
    first, second = Frame(JOIN), Frame(JOIN)
    assert first.form is not second.form
    first.remember()
    second.remember()
    third = Frame(JOIN)
    third.remember()
    assert third.form is first.form
    other = [JOIN.replace(b"Position", b"Place%d" % number) for number in range(FORMS_ALIKE - 1)]
    for raw in other:
        Frame(raw).remember()
    assert all(map(remembered, (JOIN, *other))), "one place was taken by three equal frames"
    broken = b"Event: X\r\nno header\r\nQueue: q"
    Frame(broken).remember()
    assert not remembered(broken)


def test_a_frame_is_shown_by_kind_and_size_and_never_by_what_it_says() -> None:
    assert repr(Frame(JOIN)) == f"<Frame QueueCallerJoin {len(JOIN)} bytes>"
    assert repr(Frame(b"Response: Success\r\nSecret: x")) == "<Frame answer 28 bytes>"
