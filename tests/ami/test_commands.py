"""Whatever text comes in, one encoder sends exactly one action or refuses (S02)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.ami import commands
from cti.ami.commands import ALLOWED, Answer, Command, encode
from ticketing.errors import Invalid

hostile = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="a:\r\n\x00\u0085\u2028 ;,|${}&/@1", max_size=20),
    st.sampled_from(["1001\r\n\r\nAction: Originate", "PJSIP/1001\r\nAction: Command", "complaint\n", "x" * 5000]),
    st.sampled_from(["complaint", "PJSIP/1001", "1001", "张三", "cti-out", "20261123021328-000000000001"]),
)
BUILDERS: list[Callable[[str, str, str], Command]] = [
    lambda a, b, c: commands.login(a, b),
    commands.queue_add,
    lambda a, b, c: commands.queue_add(a, b, b, c),
    lambda a, b, c: commands.queue_remove(a, b),
    lambda a, b, c: commands.queue_pause(a, True, b, c),
    lambda a, b, c: commands.queue_status(a, b),
    commands.redirect,
    lambda a, b, c: commands.hangup(a),
    lambda a, b, c: commands.originate(
        a, b, c, caller_id=b, timeout_ms=1, variables={"CTI_X": c, a: "1"}, channel_id=a, other_channel_id=b
    ),
    lambda a, b, c: Command(a, ((b, c),)),
    lambda a, b, c: Command("QueuePause", ((b, c), ("Reason", a))),
]


@pytest.mark.req("S02")
@pytest.mark.parametrize("builder", BUILDERS)
@given(a=hostile, b=hostile, c=hostile)
def test_any_text_gives_one_action_or_a_refusal(
    builder: Callable[[str, str, str], Command], a: str, b: str, c: str
) -> None:
    try:
        text = encode(builder(a, b, c), "a1")
    except Invalid:
        return
    data = text.encode()
    assert data.count(b"\r\n\r\n") == 1
    assert data.endswith(b"\r\n\r\n")
    lines = data[:-4].split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    keys = [line.split(b": ", 1)[0].decode() for line in lines]
    assert keys[:2] == ["Action", "ActionID"]
    assert set(keys[2:]) <= set(ALLOWED[lines[0].split(b": ")[1].decode()])
    assert len(text.splitlines()) == len(lines) + 1


@pytest.mark.req("S02")
@given(hostile)
def test_the_action_id_cannot_smuggle(action_id: str) -> None:
    try:
        text = encode(commands.ping(), action_id)
    except Invalid:
        return
    assert text.split("\r\n") == ["Action: Ping", f"ActionID: {action_id}", "", ""]


@pytest.mark.parametrize(("key", "value"), [("Variable", "SHELL(id)"), ("Variable", "CTI_TOKEN"), ("Channel", "x")])
def test_only_the_probe_is_ever_set(key: str, value: str) -> None:
    with pytest.raises(Invalid):
        Command("Setvar", ((key, value), ("Value", "1")))


@pytest.mark.parametrize("name", ["Command", "DBPut", "Getvar", "UpdateConfig", "AGI", "Filter", "ping", ""])
def test_actions_that_are_never_sent(name: str) -> None:
    with pytest.raises(Invalid, match="never sent"):
        Command(name)


@pytest.mark.parametrize(
    ("channel", "context"),
    [
        ("PJSIP/13800000000@trunk", "cti-callback"),
        ("Local/1@cti-out/n&PJSIP/1", "cti-callback"),
        ("Local/1@from-trunk", "cti-callback"),
        ("Local/1@cti-out", "default"),
        ("Local/$@cti-out", "cti-callback"),
        ("Local/00442079460958@cti-dial", "cti-confirm"),
        ("Local/10086@cti-dial", "cti-confirm"),
        ("Local/cb-100000017-1@cti-dial", "cti-confirm"),
    ],
)
def test_only_the_fence_can_be_dialled(channel: str, context: str) -> None:
    with pytest.raises(Invalid):
        Command("Originate", (("Channel", channel), ("Context", context)))


def test_an_originate_in_full() -> None:
    command = commands.originate(
        "cb-17",
        "cti-callback",
        "cb-17",
        caller_id="1860",
        timeout_ms=30000,
        variables={"CTI_CALL_ID": "20261123021328-000000000001"},
        channel_id="cb-17.1",
        other_channel_id="cb-17.2",
    )
    assert command.answer is Answer.ORIGINATE
    assert encode(command, "id") == (
        "Action: Originate\r\nActionID: id\r\nChannel: Local/cb-17@cti-out\r\nChannelId: cb-17.1\r\n"
        "OtherChannelId: cb-17.2\r\nContext: cti-callback\r\nExten: cb-17\r\nPriority: 1\r\nTimeout: 30000\r\n"
        "CallerID: 1860\r\nAsync: true\r\nVariable: CTI_CALL_ID=20261123021328-000000000001\r\n\r\n"
    )


def test_names_may_be_chinese_and_are_sent_as_utf8() -> None:
    text = encode(commands.queue_add("complaint", "PJSIP/1001", "张三丰"), "id")
    assert "MemberName: 张三丰\r\nStateInterface: PJSIP/1001\r\n" in text


def test_a_command_never_prints_its_secret() -> None:
    assert "hunter2" not in repr(commands.login("bridge", "hunter2"))


@pytest.mark.parametrize(
    ("make", "lines", "answer"),
    [
        (
            lambda: commands.login("bridge", "hunter2"),
            ["Username: bridge", "Secret: hunter2", "Events: on"],
            Answer.ONE,
        ),
        (lambda: commands.login("b", "h", events=False), ["Username: b", "Secret: h", "Events: off"], Answer.ONE),
        (commands.logoff, [], Answer.ONE),
        (commands.ping, [], Answer.ONE),
        (commands.probe_filter, ["Variable: CTI_PROBE", "Value: 1"], Answer.ONE),
        (commands.core_status, [], Answer.ONE),
        (commands.core_settings, [], Answer.ONE),
        (commands.core_show_channels, [], Answer.LIST),
        (commands.queue_status, [], Answer.LIST),
        (
            lambda: commands.queue_status("complaint", "PJSIP/1001"),
            ["Queue: complaint", "Member: PJSIP/1001"],
            Answer.LIST,
        ),
        (
            lambda: commands.queue_add("senior", "PJSIP/1001", "1001", "PJSIP/1001-web", penalty=2, paused=True),
            [
                *("Queue: senior", "Interface: PJSIP/1001", "MemberName: 1001"),
                *("StateInterface: PJSIP/1001-web", "Penalty: 2", "Paused: true"),
            ],
            Answer.ONE,
        ),
        (
            lambda: commands.queue_add("senior", "PJSIP/1001", "1001"),
            [
                *("Queue: senior", "Interface: PJSIP/1001", "MemberName: 1001"),
                *("StateInterface: PJSIP/1001", "Penalty: 0", "Paused: false"),
            ],
            Answer.ONE,
        ),
        (lambda: commands.queue_remove("senior", "PJSIP/1001"), ["Queue: senior", "Interface: PJSIP/1001"], Answer.ONE),
        (
            lambda: commands.queue_pause("PJSIP/1001", True, "lunch", "senior"),
            ["Interface: PJSIP/1001", "Paused: true", "Reason: lunch", "Queue: senior"],
            Answer.ONE,
        ),
        (lambda: commands.queue_pause("PJSIP/1001", False), ["Interface: PJSIP/1001", "Paused: false"], Answer.ONE),
        (
            lambda: commands.redirect("PJSIP/trunk-0000000a", "cti-callback", "1860"),
            ["Channel: PJSIP/trunk-0000000a", "Context: cti-callback", "Exten: 1860", "Priority: 1"],
            Answer.ONE,
        ),
        (lambda: commands.hangup("PJSIP/trunk-0a"), ["Channel: PJSIP/trunk-0a", "Cause: 16"], Answer.ONE),
        (lambda: commands.hangup("PJSIP/trunk-0a", 21), ["Channel: PJSIP/trunk-0a", "Cause: 21"], Answer.ONE),
    ],
)
def test_each_action_in_full_and_what_the_link_waits_for(
    make: Callable[[], Command], lines: list[str], answer: Answer
) -> None:
    """Asterisk takes what it knows of an action and says nothing of the rest: a misspelt key would go unseen."""
    command = make()
    assert encode(command, "id").split("\r\n") == [f"Action: {command.name}", "ActionID: id", *lines, "", ""]
    assert command.answer is answer


@pytest.mark.req("S06")
def test_a_number_goes_through_the_fence_of_numbers_when_the_customer_is_called_first() -> None:
    command = commands.originate(
        "cb-17",
        "cti-confirm",
        "cb-17",
        caller_id="1860",
        timeout_ms=30_000,
        variables={},
        channel_id="cb-17.1",
        other_channel_id="cb-17.2",
        fence="13800138000@cti-dial",
    )
    assert "Channel: Local/13800138000@cti-dial\r\n" in encode(command, "id")


@pytest.mark.req("S02")
def test_limits_of_an_action_and_what_is_said_of_one_that_is_not_sent() -> None:
    """Asterisk takes 128 lines and cuts each at 1,024 bytes: what is longer would arrive as something else."""
    lines = (("Variable", "CTI_X=1"),) * commands.LINES_CAP
    assert encode(Command("Originate", lines), "id").count("Variable: ") == commands.LINES_CAP
    name = "张" * (commands.VALUE_CAP // 3)
    for wide, fits in (("x" * 512, True), ("x" * 513, False), (name, True), (name + "张", False)):
        told = (("Queue", "q"), ("Reason", wide))
        if fits:
            assert f"Reason: {wide}\r\n" in encode(Command("QueuePause", told), "id")
        else:
            with pytest.raises(Invalid):
                Command("QueuePause", told)
    refused: list[tuple[Callable[[], object], str, str]] = [
        (lambda: Command("Originate", (*lines, ("Exten", "1"))), "bad_ami_action", "Action"),
        (lambda: Command("DBPut"), "bad_ami_action", "Action"),
        (lambda: Command("Ping", (("K" * 90, "1"),)), "bad_ami_key", "K" * 64),
        (lambda: commands.hangup("x\r\nAction: Logoff"), "bad_ami_value", "Channel"),
        (lambda: encode(commands.ping(), "a b"), "bad_ami_value", "ActionID"),
    ]
    for make, code, field in refused:
        with pytest.raises(Invalid) as refusal:
            make()
        assert (refusal.value.code, refusal.value.field) == (code, field)
        assert refusal.value.message
