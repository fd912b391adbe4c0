"""Blocks that a caller forges are refused, genuine ones are not (S03)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.ami.decode import needs
from cti.ami.frames import PAIRS_REMEMBERED, Frame, Splitter
from cti.ami.guard import Guard, Why, check, check_answer, describe

TOKEN = "0123456789abcdef0123456789abcdef"
CALL = "20261123021328-000000000001"


def snapshot(number: str = "13812345678", *, prefix: str = "", token: str = TOKEN, extra: str = "") -> str:
    """The lines Asterisk writes about one channel."""
    lines = f"Channel: PJSIP/trunk-00000001\r\nChannelState: 6\r\nChannelStateDesc: Up\r\nCallerIDNum: {number}\r\n"
    lines += "CallerIDName: <unknown>\r\nExten: 1860\r\nUniqueid: 1795400000.1\r\nLinkedid: 1795400000.1\r\n"
    lines += f"{extra}ChanVariable: CTI_CALL_ID={CALL}\r\nChanVariable: CTI_TOKEN={token}\r\n"
    return "".join(f"{prefix}{line}" for line in lines.splitlines(keepends=True))


def channel_event(name: str, tail: str, number: str = "13812345678", *, token: str = TOKEN, extra: str = "") -> bytes:
    head = f"Event: {name}\r\nPrivilege: call,all\r\nTimestamp: 1795400008.123456\r\n"
    return (head + snapshot(number, token=token, extra=extra) + tail).encode()


HANGUP = channel_event("Hangup", "Cause: 16\r\nCause-txt: Normal Clearing")
CALLED = channel_event("AgentCalled", snapshot(prefix="Dest") + "Queue: complaint\r\nInterface: PJSIP/1001")
MEMBER = (
    b"Event: QueueMemberStatus\r\nPrivilege: agent,all\r\nTimestamp: 1.5\r\nQueue: complaint\r\nInterface: PJSIP/1001"
)
FORGED_MEMBER = "Event: QueueMemberPause\r\nQueue: complaint\r\nInterface: PJSIP/1001\r\nPaused: 1"
END = b"\r\n\r\n"


def verdicts(stream: bytes) -> list[Why | None]:
    guard = Guard(TOKEN)
    return [guard.check(Frame(raw)).why for raw in Splitter(banner=False).feed(stream)]


@pytest.mark.parametrize("raw", [HANGUP, CALLED, MEMBER, b"Event: FullyBooted\r\nStatus: Fully Booted"])
def test_genuine_frames_pass_at_first_sight_and_later(raw: bytes) -> None:
    guard = Guard(TOKEN)
    assert [guard.check(Frame(raw)).accept for _ in range(3)] == [True] * 3
    assert guard.accepted == 3


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (channel_event("Hangup", "Cause: 16", token="f" * 32), Why.TOKEN_WRONG),
        (HANGUP.replace(f"ChanVariable: CTI_TOKEN={TOKEN}\r\n".encode(), b""), Why.TOKEN_MISSING),
        (CALLED.replace(f"DestChanVariable: CTI_TOKEN={TOKEN}\r\n".encode(), b""), Why.TOKEN_MISSING),
        (b"Event: Hangup\r\nChannel: PJSIP/1001-1\r\nUniqueid: 1795400000.1", Why.TOKEN_MISSING),
        (b"Event: SomethingNew\r\nX: 1", Why.UNLISTED),
        (channel_event("Hangup", "Cause: 16", "1\r\nUniqueid: 9.9"), Why.REPEATED_KEY),
        (channel_event("Hangup", "Cause: 16", "1\r\nuniqueid: 9.9"), Why.REPEATED_KEY),
        (channel_event("Newchannel", "X: 1", "1\r\nEvent: Shutdown"), Why.REPEATED_KEY),
        (channel_event("Hangup", "Cause: 16", "1\r\nno header here"), Why.NO_HEADER),
        (channel_event("Hangup", "Cause: 16", "1\r\nActionID: x"), Why.ANSWER),
        (channel_event("Hangup", "Cause: 16", "1\r\nResponse: Success"), Why.ANSWER),
        (channel_event("Hangup", "Cause: 16", extra="ChanVariable: CTI_CALL_ID=other\r\n"), Why.REPEATED_VARIABLE),
        (channel_event("Hangup", "Cause: 16", extra=f"ChanVariable: CTI_TOKEN={TOKEN}\r\n"), Why.REPEATED_VARIABLE),
        (b"Response: Success\r\nMessage: Originate successfully queued", Why.NOT_AN_EVENT),
        (b"Channel: x\r\nEvent: Hangup", Why.NOT_AN_EVENT),
        (b"\r\nEvent: QueueMemberPause\r\nQueue: complaint", Why.NOT_AN_EVENT),
        (MEMBER + b"\r\nUniqueid: 1.1", Why.TOKEN_MISSING),
    ],
)
def test_forged_frames_are_refused_also_when_the_form_is_known(raw: bytes, why: Why) -> None:
    guard = Guard(TOKEN)
    for genuine in (HANGUP, CALLED, MEMBER):
        guard.check(Frame(genuine))
    for _ in range(2):
        assert check(Frame(raw), TOKEN).why is why
        assert guard.check(Frame(raw)).accept is False
    assert guard.refused[why] == 2


def test_a_user_event_may_repeat_what_the_channel_has_and_its_own_word_counts() -> None:
    frame = Frame(
        channel_event("UserEvent", "UserEvent: CtiRouted\r\nQueue: complaint\r\nPriority: 7", extra="Priority: 5\r\n")
    )
    assert check(frame, TOKEN).accept
    assert frame.get("Priority") == frame.get("priority") == "7"
    twice = channel_event("UserEvent", "UserEvent: CtiRouted\r\nPriority: 7\r\nPriority: 8")
    assert check(Frame(twice), TOKEN).why is Why.REPEATED_KEY
    again = channel_event("UserEvent", "UserEvent: CtiRouted\r\nQueue: a", "1\r\nUserEvent: CtiEnd\r\nStep: x")
    assert check(Frame(again), TOKEN).why is Why.REPEATED_KEY


def test_an_unlisted_event_is_dropped_without_harm_to_its_neighbours() -> None:
    stream = END.join([MEMBER, b"Event: TestEvent\r\nType: StateChange", MEMBER]) + END
    assert verdicts(stream) == [None, Why.UNLISTED, None]


def test_a_forged_block_without_channel_is_refused_for_its_neighbours() -> None:
    hostile = f"1\r\n\r\n{FORGED_MEMBER}\r\n\r\n{FORGED_MEMBER}\r\n\r\nX: "
    stream = END.join([MEMBER, channel_event("Hangup", "Cause: 16", hostile), HANGUP, MEMBER]) + END
    assert verdicts(stream) == [
        None,
        Why.TOKEN_MISSING,
        Why.NEIGHBOUR,
        Why.NEIGHBOUR,
        Why.NOT_AN_EVENT,
        None,
        None,
    ]


def test_the_tail_that_carries_the_token_cannot_be_turned_into_another_call_event() -> None:
    tail = "1\r\n\r\nEvent: Hangup\r\nChannelState: 6\r\nUniqueid: 9.9\r\nX: "
    assert verdicts(channel_event("Hangup", "Cause: 16", tail) + END) == [Why.TOKEN_MISSING, Why.REPEATED_KEY]


@pytest.mark.req("S03")
@pytest.mark.parametrize(
    "tail",
    [
        "1\r\n\r\nEvent: AgentConnect\r\nChannelState: 6\r\nInterface: PJSIP/1001",
        "1\r\n\r\nEvent: AgentComplete\r\nChannel: PJSIP/trunk-1\r\nChannelState: 6\r\nX: ",
        "1\r\n\r\nEvent: Reload\r\n\r\nEvent: UserEvent\r\nUserEvent: CtiEnd\r\nChannelState: 6",
        "1\r\nChanVariable: CTI_TOKEN=0\r\n\r\nEvent: Hangup\r\nChannelState: 6",
        "1\r\nno header\r\n\r\nEvent: Hangup\r\nChannelState: 6",
    ],
)
@pytest.mark.parametrize("place", ["first", "second"])
def test_the_end_of_a_cut_event_is_not_believed_under_another_beginning(tail: str, place: str) -> None:
    """The event that follows it is, and so is what another call tells in between the two of an attacker."""
    if place == "first":
        cut = channel_event("Hangup", "Cause: 16", tail)
    else:
        cut = channel_event("AgentCalled", snapshot("@", prefix="Dest") + "Queue: x").replace(b"@", tail.encode())
    refused = [False] * (1 + tail.count("\r\n\r\n"))
    stream = END.join([HANGUP, cut, HANGUP, cut, CALLED, MEMBER]) + END
    assert [why is None for why in verdicts(stream)] == [True, *refused, True, *refused, True, True]


def test_a_forger_who_cuts_nothing_costs_nobody_an_event() -> None:
    """A frame that is refused whole has its end with it: the next one is judged by itself."""
    odd = channel_event("Hangup", "Cause: 16", "1\r\nDestChannelState: 6\r\nEvent: X")
    assert verdicts(END.join([odd, HANGUP, CALLED]) + END) == [Why.REPEATED_KEY, None, None]


@pytest.mark.req("S03")
@given(st.text(max_size=200))
def test_no_caller_text_makes_a_believed_frame_lie(text: str) -> None:
    """Whatever the number holds: what is believed is the genuine frame with the number as one value."""
    stream = channel_event("Hangup", "Cause: 16", text) + END
    for raw in Splitter(banner=False).feed(stream):
        frame = Frame(raw)
        if check(frame, TOKEN).accept:
            assert frame.event == "Hangup"
            assert frame.get("Uniqueid") == "1795400000.1"
            assert frame.call_id == CALL
            assert frame.get("CallerIDNum") == text or "\r\n" in text


def test_a_new_connection_starts_without_suspicion() -> None:
    guard = Guard(TOKEN)
    guard.check(Frame(b"X: 1"))
    guard.start_over()
    assert guard.check(Frame(MEMBER)).accept


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"Response: Success\r\nActionID: a\r\nMessage: x", None),
        (b"Event: QueueParams\r\nActionID: a\r\nQueue: complaint", None),
        (b"Event: OriginateResponse\r\nActionID: a\r\nResponse: Failure", None),
        (b"Event: CoreShowChannel\r\nActionID: a\r\nCallerIDNum: 1\r\nResponse: Success", Why.NOT_AN_EVENT),
        (b"Event: CoreShowChannel\r\nActionID: a\r\nUniqueid: 1\r\nuniqueid: 2", Why.REPEATED_KEY),
        (b"X: 1\r\nActionID: a", Why.NOT_AN_EVENT),
        (b"Response: Success\r\nActionID: a\r\ngarbage", Why.NO_HEADER),
        (b"Response: Success\r\nActionID: a\r\nOutput: 1\r\nOutput: 2", None),
    ],
)
def test_answers_are_checked_for_their_form(raw: bytes, why: Why | None) -> None:
    assert check_answer(Frame(raw)) is why


def test_a_description_is_one_printable_line() -> None:
    assert describe(Frame(b"Event: X\r\nA: \x1b[2J\xff" + b"z" * 500)).isprintable()
    assert describe(Frame(b"Event: X\r\nA: \xff\x00")) == "Event: X\\r\\nA: \\ufffd\\x00"
    assert describe(Frame(b"z" * 200)) == "z" * 200
    assert describe(Frame(b"z" * 201)) == "z" * 200 + "…"


SET = channel_event("VarSet", "Variable: X\r\nValue: 1")
DIAL = channel_event("DialBegin", snapshot(prefix="Dest") + "DialString: PJSIP/1001")


def test_an_event_nobody_needs_goes_by_unread_once_its_like_was_believed() -> None:
    guard = Guard(TOKEN)
    assert not guard.unread(SET), "the first is read"
    assert guard.check(Frame(SET)).accept
    guard.learn(SET)
    assert guard.unread(SET)
    assert guard.accepted == 2
    for odd in (
        SET.replace(TOKEN.encode(), b"f" * 32),
        SET.replace(b"Value: 1", b"Value: 1\r\nX: 2"),  # a line more
        SET.replace(f"ChanVariable: CTI_TOKEN={TOKEN}\r\n".encode(), b"Y: 1\r\n"),
        SET.replace(b"VarSet", b"VarGot"),
    ):
        assert not guard.unread(odd)
    guard.learn(DIAL)
    assert guard.unread(DIAL)
    assert not guard.unread(DIAL.replace(f"DestChanVariable: CTI_TOKEN={TOKEN}".encode(), b"Z: 1")), "one token of two"
    assert not guard.check(Frame(HANGUP[:130])).accept
    assert not guard.unread(SET), "something hangs over"


_PIECES = st.sampled_from(
    ["\r\n", "\r\n\r\n", "Event: AgentConnect\r\n", "Event: VarSet\r\n", "Event: QueueMemberPause\r\nQueue: x\r\n",
     "ChannelState: 6\r\n", "Uniqueid: 9.9", "ChanVariable: CTI_TOKEN=x\r\n", "DestChannelState: 6\r\n", "a", ": ",
     "\n", "\r", "\r\nX: 1", "\n\n\r"]
)  # fmt: skip
_NAMES = st.sampled_from(
    ["VarSet", "Newexten", "DialBegin", "Hangup", "AgentCalled", "NewCallerid", "QueueMemberStatus"]
)


@pytest.mark.req("S03")
@given(st.lists(st.tuples(_NAMES, st.lists(_PIECES, max_size=6).map("".join)), max_size=14))
def test_what_is_needed_is_judged_the_same_whether_the_rest_is_read_or_not(
    told: list[tuple[str, str]],
) -> None:
    """Genuine events whose caller wrote anything into his number: every needed frame, in order, and why."""
    events = []
    for name, evil in told:
        two = snapshot(evil or "1", prefix="Dest") if name in {"DialBegin", "AgentCalled"} else ""
        tail = f"{two}Queue: complaint"
        events.append(MEMBER if name == "QueueMemberStatus" else channel_event(name, tail, evil or "13812345678"))
    stream = END.join([channel_event("VarSet", "Queue: complaint"), *events, b""])
    read, spared = Guard(TOKEN), Guard(TOKEN)
    for raw in Splitter(banner=False).feed(stream):
        needed = needs(raw)
        whole = read.check(Frame(raw))
        if spared.unread(raw):
            assert whole.accept
            assert not needed
            continue
        verdict = spared.check(Frame(raw))
        assert verdict == whole
        if verdict.accept and not needed:
            spared.learn(raw)
    assert (spared.accepted, spared.refused) == (read.accepted, read.refused)


@pytest.mark.req("S03")
def test_a_cut_event_of_two_channels_has_not_the_shape_of_one_with_a_single_channel() -> None:
    """A dialling without a caller has one token, and so has the first half of a dialling that a caller cut in two."""
    guard = Guard(TOKEN)
    evil = "1\r\n\r\nEvent: AgentConnect\r\nQueue: complaint\r\nDestChannelState: 6"
    dialled = snapshot("EVIL", prefix="Dest").replace("EVIL", evil) + "DialString: 1001"
    first, second = Splitter(banner=False).feed(channel_event("DialBegin", dialled) + END)
    alone = f"Event: DialBegin\r\n{snapshot(prefix='Dest')}DialString: 1001".encode()
    alone += b"".join(b"\r\nA%d: 1" % number for number in range(first.count(b"\r\n") - alone.count(b"\r\n")))
    assert (first.count(b"\r\n"), first.count(TOKEN.encode())) == (alone.count(b"\r\n"), alone.count(TOKEN.encode()))
    assert guard.check(Frame(alone)).accept
    guard.learn(alone)
    assert guard.unread(alone)
    for raw in (first, second):
        assert not guard.unread(raw)
        assert not guard.check(Frame(raw)).accept


def test_what_carries_no_token_never_goes_by_unread() -> None:
    """A forger can write the like of it: each is judged by what it came out of."""
    guard = Guard(TOKEN)
    assert guard.check(Frame(MEMBER)).accept
    guard.learn(MEMBER)
    assert not guard.unread(MEMBER)


@pytest.mark.req("S23")
def test_the_memory_of_shapes_has_an_end() -> None:
    guard = Guard(TOKEN)
    shapes = [channel_event(f"X{number}", "Queue: q") for number in range(PAIRS_REMEMBERED + 1)]
    for raw in shapes:
        guard.learn(raw)
    assert [guard.unread(raw) for raw in shapes[-2:]] == [True, False]
