"""The codec at its edges: every command in full, every limit, and what is said of what is refused (S04, S05)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from ivr import agi
from ivr.agi import CallerHungUp, Command, CommandRefused, HeaderError, HeaderReader, Reply, ReplyError, ReplyReader
from tests.ivr.fakes import header


def taken(make: Callable[[], Command]) -> bool:
    """Whether a command may be sent."""
    try:
        make()
    except CommandRefused:
        return False
    return True


TAKE = "/var/spool/hotline/20261123021328-000000000001-msg-1"


def test_each_command_in_full_and_how_long_asterisk_may_take() -> None:
    """Asterisk answers a command it half knows with something else than was meant."""
    made = [
        (agi.get_variable("CTI_LANG"), 'GET VARIABLE "CTI_LANG"', 0.0),
        (agi.set_variable("CHANNEL(language)", "en"), 'SET VARIABLE "CHANNEL(language)" "en"', 0.0),
        (agi.stream_file("hotline/beep", seconds=1.5), 'STREAM FILE "hotline/beep" ""', 1.5),
        (agi.stream_file("hotline/beep", "12#", seconds=1.5), 'STREAM FILE "hotline/beep" "12#"', 1.5),
        (agi.stream_take(TAKE, "*", seconds=9.0), f'STREAM FILE "{TAKE}" "*"', 9.0),
        (
            agi.record_file(TAKE, limit_s=180.5, silence_s=8),
            f'RECORD FILE "{TAKE}" "wav" "#" "180500" "s=8"',
            180.5,
        ),
        (agi.get_data("hotline/menu", 2800, 3, seconds=4.0), 'GET DATA "hotline/menu" "2800" "3"', 12.4),
        (agi.arm_timer(3600), 'SET VARIABLE "TIMEOUT(absolute)" "3600.0"', 0.0),
        (agi.user_event("CtiStep", {"Node": "main"}), 'EXEC "UserEvent" "CtiStep,Node: main"', 0.0),
    ]
    for command, line, seconds in made:
        assert command.line == f"{line}\n".encode()
        assert command.seconds == pytest.approx(seconds)


@pytest.mark.req("S05", "S18")
@pytest.mark.parametrize(
    "path",
    [
        TAKE + ".wav",
        TAKE[1:],
        TAKE + "\n",
        "/var/spool/20261123021328-000000000001-msg-123",
        "/var/spool/../../etc/passwd",
        "/\x00/20261123021328-000000000001-msg-1",
        "",
    ],
)
def test_only_a_recorded_message_is_played_or_written(path: str) -> None:
    makers: list[Callable[[], Command]] = [
        lambda: agi.stream_take(path, "", seconds=1),
        lambda: agi.record_file(path, limit_s=1, silence_s=1),
    ]
    for make in makers:
        with pytest.raises(CommandRefused) as refusal:
            make()
        assert str(refusal.value) == "take_path"


@pytest.mark.parametrize(
    ("limit_s", "silence_s", "fits"),
    [(0, 5, False), (0.5, 5, True), (3000, 60, True), (3000.5, 60, False), (9, 0, False), (9, 1, True), (9, 61, False)],
)
def test_limits_of_a_recording(limit_s: float, silence_s: int, fits: bool) -> None:
    """0 seconds are no limit to Asterisk: it would record until the disk is full."""
    assert taken(partial(agi.record_file, TAKE, limit_s=limit_s, silence_s=silence_s)) is fits


def test_a_refusal_names_what_was_wrong() -> None:
    """It stands in the log of a call that went on without the sound or the fact: what it was must be told."""
    wrong: list[tuple[Callable[[], Command], str]] = [
        (lambda: agi.set_variable("CTI_REASON", "a\nb"), "control_character"),
        (lambda: agi.set_variable("CTI_REASON", "\ud800"), "not_text"),
        (lambda: agi.set_variable("CTI_REASON", "x" * 2000), "too_long"),
        (lambda: agi.set_variable("cti", "1"), "variable_name"),
        (lambda: agi.get_variable("cti"), "variable_name"),
        (lambda: agi.arm_timer(3601), "timer_range"),
        (lambda: agi.stream_file("../x", seconds=1), "prompt_name"),
        (lambda: agi.stream_file("x", "a", seconds=1), "escape_keys"),
        (lambda: agi.stream_take(TAKE, "a", seconds=1), "escape_keys"),
        (lambda: agi.record_file(TAKE, limit_s=0, silence_s=1), "range"),
        (lambda: agi.get_data("../x", 1, 1, seconds=1), "prompt_name"),
        (lambda: agi.get_data("x", 0, 1, seconds=1), "range"),
        (lambda: agi.user_event("1", {}), "event_name"),
        (lambda: agi.user_event("X", {"1": ""}), "event_key"),
        (lambda: agi.journal_event("X", {"A": ","}), "event_value"),
    ]
    for make, why in wrong:
        with pytest.raises(CommandRefused) as refusal:
            make()
        assert str(refusal.value) == why


def test_the_longest_command_is_two_thousand_bytes_with_its_end() -> None:
    """Asterisk reads 2,047 into its buffer and takes what is over for the next command."""
    around = len(agi.set_variable("CTI_X", "").line)
    assert len(agi.set_variable("CTI_X", "x" * (2000 - around)).line) == 2000
    with pytest.raises(CommandRefused):
        agi.set_variable("CTI_X", "x" * (2001 - around))
    assert len(agi.set_variable("CTI_X", "王" * ((2000 - around) // 3)).line) > 1990
    with pytest.raises(CommandRefused):
        agi.set_variable("CTI_X", "王" * ((2000 - around) // 3 + 1))


def test_limits_of_a_question() -> None:
    for wait_ms, keys, fits in (
        (0, 1, False),
        (1, 1, True),
        (60_000, 32, True),
        (60_001, 1, False),
        (1, 0, False),
        (1, 33, False),
    ):
        assert taken(partial(agi.get_data, "x", wait_ms, keys, seconds=0)) is fits
    for seconds, fits in ((-0.1, False), (0, True), (3600, True), (3600.1, False)):
        assert taken(partial(agi.arm_timer, seconds)) is fits


def test_how_a_conversation_that_cannot_go_on_is_told() -> None:
    """What is in the log when a peer is no Asterisk, or another one."""
    for data, why in (
        (b"200 reslt=0\n", "no_result"),
        (b"2000\n", "not_a_reply"),
        (b"2" * 65_537, "reply_too_long"),
        (b"520-x\n" * 501, "usage_without_end"),
    ):
        with pytest.raises(ReplyError) as refusal:
            ReplyReader().feed(data)
        assert str(refusal.value) == why
    assert ReplyReader().feed(b"2" * 65_536) == []
    for head, why in (
        (b"x" * 8193, "header_too_large"),
        (b"agi_network: yes\n\n", "header_cut_short"),
        (b"agi_network\n\n", "malformed_line"),
        (header().replace(b"agi_type", b"agi_typo"), "unexpected_key"),
        (header() + b"X", "bytes_after_header"),
        (header() + b"HANGUP", "bytes_after_header"),
    ):
        with pytest.raises(HeaderError) as wrong:
            HeaderReader().feed(head)
        assert str(wrong.value) == why
    assert HeaderReader().feed(b"x" * 8192) is None
    with pytest.raises(CallerHungUp, match=r"^hung up before the first command$"):
        HeaderReader().feed(header() + b"HANGUP\n")


@pytest.mark.req("S23")
def test_a_usage_text_has_an_end() -> None:
    reader = ReplyReader()
    assert reader.feed(b"520-" + b"x" * 65_532 + b"\n") == []
    assert reader.pending
    with pytest.raises(ReplyError):
        reader.feed(b"x\n")
    longest = ReplyReader().feed(b"520-x\n" + b"\n" * 498 + b"520 end\n")
    assert [reply.code for reply in longest if isinstance(reply, Reply)] == [520]


def test_what_only_asterisk_can_tell_of_the_caller() -> None:
    hung_up = [Reply(511), Reply(200, "-1"), Reply(200, "0", "hangup")]
    assert all(reply.hung_up for reply in hung_up)
    there = [Reply(200, "0"), Reply(510, "-1"), Reply(520, "", "hangup"), Reply(200, "1", "timeout")]
    assert not any(reply.hung_up for reply in there)


def test_another_answer_than_done_is_kept_in_words() -> None:
    (unknown,) = ReplyReader().feed(b"510 Invalid or unknown command\n")
    assert unknown == Reply(510, text="510 Invalid or unknown command")
    (broken,) = ReplyReader().feed(b"200 result=\xff (\xff)\n")
    assert broken == Reply(200, "\ufffd", "\ufffd")
