"""What the exchange's events mean for an attempt, and who is free for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cti import callbacks
from cti.ami import commands
from cti.ami.frames import Frame
from cti.callbacks import What
from cti.calls import events as ev
from cti.calls.model import Floor
from cti.calls.reducer import reduce
from ticketing.callbacks.model import Dial, Mode, Outcome

AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
CHANNEL, CALL = "cb-100000017-1", "20260310020000-100000017001"


def frame(event: str, uniqueid: str, status: str = "") -> Frame:
    lines = [f"Event: {event}", f"Uniqueid: {uniqueid}", f"DialStatus: {status}"]
    return Frame("\r\n".join(lines).encode() + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("event", "uniqueid", "status", "what", "outcome"),
    [
        ("DialEnd", CHANNEL, "ANSWER", What.CUSTOMER_HERE, None),
        ("DialEnd", CHANNEL, "BUSY", What.CUSTOMER_MISSED, Outcome.BUSY),
        ("DialEnd", CHANNEL, "NOANSWER", What.CUSTOMER_MISSED, Outcome.NO_ANSWER),
        ("DialEnd", CHANNEL, "CONGESTION", What.CUSTOMER_MISSED, Outcome.CONGESTION),
        ("DialEnd", CHANNEL, "CHANUNAVAIL", What.CUSTOMER_MISSED, Outcome.UNREACHABLE),
        ("DialEnd", CHANNEL, "CANCEL", What.CUSTOMER_MISSED, Outcome.AGENT_LOST),
        ("DialEnd", CHANNEL, "A WORD OF TOMORROW", What.CUSTOMER_MISSED, Outcome.NO_ANSWER),
        ("DialEnd", callbacks.agent_half(CHANNEL), "NOANSWER", What.AGENT_GONE, Outcome.NO_ANSWER),
        ("DialEnd", callbacks.agent_half(CHANNEL), "BUSY", What.AGENT_GONE, Outcome.BUSY),
        ("DialEnd", callbacks.agent_half(CHANNEL), "ANSWER", What.FIRST_HERE, None),
        ("Hangup", CHANNEL, "", What.OVER, None),
    ],
)
def test_an_event_of_an_attempt(event: str, uniqueid: str, status: str, what: What, outcome: Outcome | None) -> None:
    news = callbacks.told(frame(event, uniqueid, status), AT)
    assert news is not None
    assert (news.channel_id, news.what, news.outcome) == (CHANNEL, what, outcome)


@pytest.mark.parametrize(
    ("event", "uniqueid", "status"),
    [
        ("DialEnd", "1700000000.12", "ANSWER"),
        ("Hangup", "1700000000.12", ""),
        ("Hangup", callbacks.agent_half(CHANNEL), ""),
        ("Newstate", CHANNEL, ""),
    ],
)
def test_what_decides_nothing(event: str, uniqueid: str, status: str) -> None:
    assert callbacks.told(frame(event, uniqueid, status), AT) is None


@pytest.mark.parametrize(
    ("number", "dialled"),
    [("+8613800138000", "13800138000"), ("+861082100033", "01082100033"), ("+8675582100033", "075582100033")],
)
def test_a_number_is_dialled_as_the_network_expects_it(number: str, dialled: str) -> None:
    assert callbacks.national(number) == dialled


def seated(*agents: str) -> Floor:
    floor = Floor()
    for after, agent in enumerate(agents):
        at = AT + timedelta(seconds=after)
        member = ev.MemberChanged(at=at, queue="complaint", interface=f"PJSIP/{agent}", paused=False, status=1)
        reduce(floor, member)
    return floor


@pytest.mark.req("TL-23")
def test_the_longest_idle_is_asked_first_and_one_who_is_kept_is_not() -> None:
    assert list(callbacks.free_agents(seated("1002", "1001"), ())) == ["1002", "1001"]
    assert list(callbacks.free_agents(seated("1002", "1001"), {"1002"})) == ["1001"]


@pytest.mark.req("TL-23")
def test_who_holds_the_line_is_in_the_line_and_who_is_called_back_is_not_there_twice() -> None:
    floor = seated("1002")
    dial = Dial(1, "100000017", 1, "+8613800138000", CHANNEL, CALL, "agent_first", "complaint", "zh", 0, AT, "1002")
    for event in callbacks.offered(dial, "1002", "1860", AT):
        reduce(floor, event)
    assert callbacks.live_callers(floor) == []
    assert not callbacks.free_agents(floor, ())  # his phone rings
    joined = AT + timedelta(seconds=5)
    reduce(floor, ev.CallerJoined(at=joined, call_id="20260310020005-000000000001", queue="complaint", uniqueid="1.1"))
    (place,) = callbacks.live_callers(floor)
    assert (place.joined_at, place.callback) == (joined, False)


def test_an_attempt_that_ends_unanswered_leaves_no_open_call_and_a_free_agent() -> None:
    floor = seated("1002")
    dial = Dial(1, "100000017", 1, "+8613800138000", CHANNEL, CALL, "agent_first", "complaint", "zh", 0, AT, "1002")
    end = AT + timedelta(seconds=9)
    for event in (
        *callbacks.offered(dial, "1002", "1860", AT + timedelta(seconds=1)),
        *callbacks.over(CALL, "complaint", "1002", CHANNEL, end, talked=False),
        *(ev.Tick(at=end + timedelta(seconds=after)) for after in range(1, 10)),
    ):
        reduce(floor, event)
    assert not floor.calls
    assert callbacks.free_agents(floor, ()) == {"1002": frozenset({"complaint"})}


@pytest.mark.req("TL-23")
@pytest.mark.parametrize("number", ["+8613800138000", "+861082100033"])
def test_whichever_is_called_first_only_the_fences_are_asked(number: str) -> None:
    dial = Dial(1, "100000017", 1, number, CHANNEL, CALL, "customer_first", "complaint", "en", 2, AT, None)
    dialled = callbacks.national(number)
    sent = []
    for way in (callbacks.agent_first(dial, "1002"), callbacks.customer_first(dial)):
        command = commands.originate(
            CHANNEL, way.context, way.extension, caller_id="1860", timeout_ms=60_000, variables=way.variables,
            channel_id=CHANNEL, other_channel_id=callbacks.agent_half(CHANNEL), fence=way.fence,
        )  # fmt: skip
        fields = dict(command.fields)
        sent.append((fields["Channel"], fields["Context"], fields["Exten"]))
    assert sent == [
        (f"Local/{CHANNEL}@cti-out", "cti-dial", dialled), (f"Local/{dialled}@cti-dial", "cti-confirm", "s")
    ]  # fmt: skip
    told = callbacks.customer_first(dial).variables
    assert (told["CTI_QUEUE"], told["CTI_PRIORITY"], told["CTI_LANG"]) == ("complaint", "2", "en")
    assert told["CTI_JOINED"] == str(int(AT.timestamp()))


@pytest.mark.req("F19", "TL-70")
@pytest.mark.parametrize(
    ("mode", "first", "second", "outcome"),
    [
        (Mode.AGENT_FIRST, "ANSWER", "BUSY", Outcome.BUSY),
        (Mode.AGENT_FIRST, "ANSWER", "NOANSWER", Outcome.NO_ANSWER),
        (Mode.AGENT_FIRST, "ANSWER", "CANCEL", Outcome.AGENT_LOST),
        (Mode.AGENT_FIRST, "ANSWER", "ANSWER", None),
        (Mode.AGENT_FIRST, "NOANSWER", "", Outcome.AGENT_LOST),
        (Mode.AGENT_FIRST, "NOANSWER", None, Outcome.AGENT_LOST),
        (Mode.AGENT_FIRST, "ANSWER", None, None),
        (Mode.AGENT_FIRST, None, None, None),
        (Mode.CUSTOMER_FIRST, "BUSY", None, Outcome.BUSY),
        (Mode.CUSTOMER_FIRST, "CHANUNAVAIL", "", Outcome.UNREACHABLE),
        (Mode.CUSTOMER_FIRST, "ANSWER", "", None),
        (Mode.CUSTOMER_FIRST, None, "BUSY", None),
        (Mode.CUSTOMER_FIRST, "A WORD OF TOMORROW", None, None),
    ],
)
def test_what_the_journal_tells_of_an_end_nobody_heard(
    mode: Mode, first: str | None, second: str | None, outcome: Outcome | None
) -> None:
    halves = {callbacks.agent_half(CHANNEL): first, CHANNEL: second}
    told = {channel: status for channel, status in halves.items() if status is not None}
    assert callbacks.judged([(CHANNEL, mode)], told) == ({} if outcome is None else {CHANNEL: outcome})
