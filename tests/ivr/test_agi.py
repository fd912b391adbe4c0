"""The codec: any text gives one command line or none, any bytes a reply or none; second opinions (S04, S05)."""

from __future__ import annotations

import io
import shlex
import signal
import unicodedata
from collections.abc import Callable
from typing import Any

import asterisk.agi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from panoramisk.utils import parse_agi_result

from ivr import agi
from ivr.agi import (
    CallerHungUp,
    Command,
    CommandRefused,
    Hangup,
    HeaderError,
    HeaderReader,
    Reply,
    ReplyError,
    ReplyReader,
)
from tests.ivr.fakes import header

HOSTILE = [
    'a"b',
    "a\\",
    "a\nEXEC System x",
    "a\rb",
    "\u2028",
    "\x85",
    "a\x00b",
    "\ud800",
    '\\"',
    "王小明",
    "${SHELL(id)}",
    "x" * 3000,
]

text = st.text() | st.sampled_from(HOSTILE)


def asterisk_arguments(line: str) -> list[str]:
    """How Asterisk's parse_args cuts a command line: blanks, double quotes, backslash escapes."""
    words, word, quoted, escaped, open_word = [], "", False, False, False
    for char in line:
        if escaped:
            word, escaped, open_word = word + char, False, True
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted, open_word = not quoted, True
        elif char in " \t" and not quoted:
            if open_word:
                words.append(word)
            word, open_word = "", False
        else:
            word, open_word = word + char, True
    return [*words, word] if open_word else words


def built(make: Callable[[], Command]) -> str | None:
    """The line of a command, without its LF; None when it is refused."""
    try:
        line = make().line
    except CommandRefused:
        return None
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert len(line) <= agi.COMMAND_LIMIT
    decoded = line.decode()
    assert len(decoded.splitlines()) == 1
    return decoded[:-1]


@pytest.mark.req("S05")
@given(text)
@example("it's")
def test_a_value_is_one_argument_or_refused(value: str) -> None:
    line = built(lambda: agi.set_variable("CTI_REASON", value))
    if line is not None:
        assert asterisk_arguments(line) == ["SET", "VARIABLE", "CTI_REASON", value]
    else:
        assert len(value) > 400 or any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in value)


@pytest.mark.req("S05")
@given(text)
def test_names_and_keys_are_by_pattern(value: str) -> None:
    for make in (
        lambda: agi.get_variable(value),
        lambda: agi.stream_file(value, seconds=1),
        lambda: agi.stream_file("hotline/beep", value, seconds=1),
        lambda: agi.get_data(value, 1000, 1, seconds=1),
        lambda: agi.user_event(value, {}),
        lambda: agi.user_event("CtiStep", {value: "x"}),
        lambda: agi.user_event("CtiStep", {"Key": value}),
    ):
        line = built(make)
        assert line is None or not set(line) & set("\\$,|&;{}") - {","}


@pytest.mark.parametrize("value", ["1,Queue: x", "a|b", "${CHANNEL}", "a b", "x" * 65, "王"])
def test_an_event_carries_codes_only(value: str) -> None:
    with pytest.raises(CommandRefused):
        agi.user_event("CtiStep", {"Key": value})


@pytest.mark.parametrize(
    "name", ["SHELL(x)", "cti_lang", "CTI_LANG\n", "", "CHANNEL(hangup_handler_push)", "GLOBAL(X)"]
)
def test_other_functions_and_names_are_refused(name: str) -> None:
    with pytest.raises(CommandRefused):
        agi.set_variable(name, "1")


def test_ranges_are_kept() -> None:
    wrong: list[Callable[[], Command]] = [
        lambda: agi.arm_timer(-1),
        lambda: agi.arm_timer(4000),
        lambda: agi.get_data("hotline/beep", 0, 1, seconds=1),
        lambda: agi.get_data("hotline/beep", 3000, 33, seconds=1),
    ]
    for make in wrong:
        with pytest.raises(CommandRefused):
            make()
    assert agi.arm_timer(0).line == b'SET VARIABLE "TIMEOUT(absolute)" "0"\n'
    assert agi.arm_timer(2.25).line == b'SET VARIABLE "TIMEOUT(absolute)" "2.2"\n'


# -- replies ---------------------------------------------------------------------------------------------------------

REPLIES = [
    (b"200 result=0", Reply(200, "0")),
    (b"200 result=1 (13800001111)", Reply(200, "1", "13800001111")),
    (b"200 result=1 ()", Reply(200, "1", "")),
    (b"200 result=1 (a (b) c)", Reply(200, "1", "a (b) c")),
    (b"200 result=49 endpos=12345", Reply(200, "49", None, 12345)),
    (b"200 result=0 (timeout) endpos=16000", Reply(200, "0", "timeout", 16000)),
    (b"200 result=12 (timeout)", Reply(200, "12", "timeout")),
    (b"200 result= (timeout)", Reply(200, "", "timeout")),
    (b"200 result=", Reply(200, "")),
    (b"200 result=*", Reply(200, "*")),
    (b"200 result=-1", Reply(200, "-1")),
]


@pytest.mark.parametrize(("line", "reply"), REPLIES)
def test_replies(line: bytes, reply: Reply) -> None:
    assert ReplyReader().feed(line + b"\n") == [reply]


def read_by_pyst2(line: bytes) -> dict[str, tuple[str, str]]:
    """What pyst2 makes of a reply; its constructor takes SIGHUP for itself, which is undone."""
    made: Any = asterisk.agi.AGI
    handler = signal.getsignal(signal.SIGHUP)
    try:
        script = made(io.StringIO("\n" + line.decode() + "\n"), io.StringIO(), io.StringIO())
        found: dict[str, tuple[str, str]] = script.get_result()
        return found
    finally:
        signal.signal(signal.SIGHUP, handler)


@pytest.mark.parametrize(
    "line", [line for line, reply in REPLIES if reply.result not in {"-1", ""} and reply.data != ""]
)
def test_panoramisk_and_pyst2_read_the_same(line: bytes) -> None:
    ours = ReplyReader().feed(line + b"\n")[0]
    assert isinstance(ours, Reply)
    panoramisk = parse_agi_result(line.decode())
    pyst2 = read_by_pyst2(line)
    for theirs in (panoramisk, pyst2):
        data = "" if ours.data is None else ours.data
        assert theirs["result"] == (ours.result, data) or b"endpos" in line
        assert theirs["result"][0] == ours.result
    assert panoramisk["status_code"] == ours.code


USAGE = b"520-Invalid command syntax.  Proper usage follows:\n Usage: ANSWER\n\tAnswers.\n520 End of proper usage.\n"


def test_other_codes_and_out_of_band_lines() -> None:
    stream = b"100 result=0 Trying...\nHANGUP\n511 Command Not Permitted on a dead channel or intercept routine\n"
    stream += (
        b"510 Invalid or unknown command\n" + USAGE + b"520 Invalid command syntax.  Proper usage not available.\n"
    )
    first, dead, unknown, usage, short = ReplyReader().feed(stream)
    assert first == Hangup()
    assert isinstance(dead, Reply)
    assert dead.hung_up
    assert [reply.code for reply in (unknown, usage, short) if isinstance(reply, Reply)] == [510, 520, 520]
    assert isinstance(usage, Reply)
    assert usage.text.splitlines() == USAGE.decode().splitlines()


@given(st.lists(st.sampled_from([line + b"\n" for line, _ in REPLIES] + [USAGE, b"HANGUP\n"])), st.data())
def test_where_the_bytes_are_cut_does_not_matter(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    whole = ReplyReader().feed(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader, pieces = ReplyReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        pieces += reader.feed(stream[start:end])
    assert pieces == whole
    assert len(whole) == len(parts)
    assert not reader.pending


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    reader = ReplyReader()
    try:
        for item in reader.feed(noise + b"\n"):
            assert isinstance(item, Reply | Hangup)
    except ReplyError:
        pass


def test_a_reply_without_end_is_refused() -> None:
    with pytest.raises(ReplyError):
        ReplyReader().feed(b"2" * 70000)
    with pytest.raises(ReplyError):
        ReplyReader().feed(b"520-x\n" * 600)
    with pytest.raises(ReplyError):
        ReplyReader().feed((b"520-" + b"x" * 40_000 + b"\n") * 2)


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\r"])
def test_lines_end_at_lf_only(separator: str) -> None:
    line = f"200 result=1 (a{separator}200 result=0)\n".encode()
    assert ReplyReader().feed(line) == [Reply(200, "1", f"a{separator}200 result=0")]


# -- header ----------------------------------------------------------------------------------------------------------


def read(data: bytes) -> agi.Header | None:
    return HeaderReader().feed(data)


def test_a_header_with_arguments_and_empty_values() -> None:
    head = header()[:-1] + b"agi_arg_1: a\nagi_arg_2: \n\n"
    found = read(head)
    assert found is not None
    assert found.arguments == ("a", "")
    assert found.values["agi_accountcode"] == ""
    assert found.script.endswith("/entry")


@given(st.integers(0, 2000))
def test_a_header_cut_anywhere_is_the_same(cut: int) -> None:
    data = header()
    reader = HeaderReader()
    cut = min(cut, len(data) - 1)
    assert reader.feed(data[:cut]) is None
    assert reader.feed(data[cut:]) == read(data)


def test_a_hang_up_after_the_header_is_not_garbage() -> None:
    with pytest.raises(CallerHungUp):
        read(header() + b"HANGUP\n")


def lines_of(data: bytes) -> list[bytes]:
    return data[:-2].split(b"\n")


@pytest.mark.parametrize("at", range(len(agi.HEADER_KEYS)))
def test_every_key_is_needed_once_and_in_its_place(at: int) -> None:
    lines = lines_of(header())
    without = lines[:at] + lines[at + 1 :]
    twice = lines[: at + 1] + lines[at:]
    swapped = [*lines[:at], b"agi_new: 1", *lines[at:]]
    for wrong in (without, twice, swapped):
        with pytest.raises(HeaderError):
            read(b"\n".join(wrong) + b"\n\n")


@pytest.mark.req("S04")
@given(text)
def test_whatever_a_caller_writes_no_key_is_added_or_lost(value: str) -> None:
    data = header(changes={"agi_rdnis": value}) if value.isprintable() else b""
    if not data:
        data = header(changes={"agi_rdnis": "@"}).replace(b"@", value.encode("utf-8", "surrogatepass"))
    try:
        found = read(data)
    except (HeaderError, CallerHungUp):
        return
    if found is not None:
        assert tuple(found.values) == agi.HEADER_KEYS
        assert found.arguments == ()
        assert found.values["agi_context"] == "unknown"


def test_shell_words_agree_with_asterisk_on_our_lines() -> None:
    """The fake Asterisk of these tests reads with shlex; it must see what Asterisk sees."""
    line = agi.user_event("CtiStep", {"Node": "main", "Key": "*"}).line.decode()
    assert shlex.split(line) == asterisk_arguments(line[:-1])


@pytest.mark.req("TL-70")
def test_the_journal_has_the_event_in_the_same_words() -> None:
    told = {"Queue": "complaint", "Reason": "vip"}
    event, journal = (
        shlex.split(make("CtiRouted", told).line.decode()) for make in (agi.user_event, agi.journal_event)
    )
    assert event == ["EXEC", "UserEvent", "CtiRouted,Queue: complaint,Reason: vip"]
    assert journal == ["EXEC", "CELGenUserEvent", event[2]]
