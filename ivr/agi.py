"""The AGI conversation as bytes and values: header reader, command builder, reply reader; no sockets, no clock. Pure.

Lines end at LF only: a caller can put NEL, U+2028 or VT into a value, and `str.splitlines` would cut there. Asterisk
sends `HANGUP` out of band, before the answer to the command that is running or to the next one, so it is a value of its
own and never counted as an answer. Commands must not be sent ahead: a command that arrives while a sound plays stops
the sound and takes its answer away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

#: Cap of the header Asterisk sends first, bytes (S08).
HEADER_LIMIT: Final = 8192
#: Cap of one reply line, bytes; Asterisk's own replies stay far below.
REPLY_LINE_LIMIT: Final = 65536
#: Cap of one command line, bytes with its LF; Asterisk reads at most 2,047 into its buffer.
COMMAND_LIMIT: Final = 2000
#: Lines, and characters in all, of a usage text after which a 520 reply is taken for garbage.
USAGE_LINES_LIMIT: Final = 500
USAGE_LIMIT: Final = 65536

#: What Asterisk 22 sends, in its order; `agi_arg_1`.. follow.
HEADER_KEYS: Final = (
    "agi_network",
    "agi_network_script",
    "agi_request",
    "agi_channel",
    "agi_language",
    "agi_type",
    "agi_uniqueid",
    "agi_version",
    "agi_callerid",
    "agi_calleridname",
    "agi_callingpres",
    "agi_callingani2",
    "agi_callington",
    "agi_callingtns",
    "agi_dnid",
    "agi_rdnis",
    "agi_context",
    "agi_extension",
    "agi_priority",
    "agi_enhanced",
    "agi_accountcode",
    "agi_threadid",
)

_ARGUMENT: Final = re.compile(r"agi_arg_([1-9][0-9]?)\Z")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_REPLY: Final = re.compile(rb"(\d{3})(?: result=([^ (]*)(?: \((.*)\))?(?: endpos=(\d{1,18}))?)?(?: .*)?\Z", re.DOTALL)

_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}\Z|TIMEOUT\(absolute\)\Z|CHANNEL\(language\)\Z")
_PROMPT: Final = re.compile(r"[a-z0-9][a-z0-9/_-]{0,127}\Z")
#: A recorded message: an absolute path ending in the name that `ivr.spool` gives.
_TAKE: Final = re.compile(r"/[^\x00-\x1f\x7f]{0,200}/[0-9]{14}-[0-9]{12}-msg-[0-9]{1,2}\Z")
_KEYS: Final = re.compile(r"[0-9*#]{0,12}\Z")
_EVENT: Final = re.compile(r"[A-Za-z]{1,40}\Z")
_EVENT_VALUE: Final = re.compile(r"[0-9A-Za-z_.*#/-]{0,64}\Z")


class AgiError(Exception):
    """The AGI conversation cannot go on."""


class HeaderError(AgiError):
    """The header is not one that Asterisk 22 sends: forged, cut short or too large (S04)."""


class ReplyError(AgiError):
    """The answer to a command is not one that Asterisk gives."""


class CommandRefused(AgiError):
    """A value that must not reach Asterisk: nothing is sent (S05)."""


class CallerHungUp(AgiError):
    """The caller hung up, or Asterisk closed the connection."""


# -- header ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Header:
    """The environment of one AGI step. Its caller number and name are the caller's own words: never trust them."""

    values: Mapping[str, str]
    arguments: tuple[str, ...]

    @property
    def script(self) -> str:
        """The path of the address: `<secret>/<step>`."""
        return self.values["agi_network_script"]


@dataclass(slots=True)
class HeaderReader:
    """Collects bytes until the blank line, then checks what it got against what Asterisk 22 sends (S04, S08)."""

    #: bytes, without the blank line
    limit: int = HEADER_LIMIT
    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Header | None:
        """The header when it is complete, else None; raises `HeaderError`, also for bytes after the blank line.

        Only `HANGUP` may follow, since Asterisk sends it when it likes; then `CallerHungUp` is raised.
        """
        self._buffer += data
        end = self._buffer.find(b"\n\n")
        if (end if end >= 0 else len(self._buffer)) > self.limit:
            raise HeaderError("header_too_large")
        if end < 0:
            return None
        header = parse_header(bytes(self._buffer[:end]))
        rest = bytes(self._buffer[end + 2 :])
        if rest == b"HANGUP\n":
            raise CallerHungUp("hung up before the first command")
        if rest:
            raise HeaderError("bytes_after_header")
        return header


def parse_header(block: bytes) -> Header:
    """The header from its lines without the blank one; every key once, in Asterisk's order, no control characters."""
    values: dict[str, str] = {}
    arguments: list[str] = []
    for line in block.decode("utf-8", errors="replace").split("\n"):
        key, separator, value = line.partition(": ")
        if not separator or _CONTROL.search(line):
            raise HeaderError("malformed_line")
        argument = _ARGUMENT.match(key)
        if argument and int(argument[1]) == len(arguments) + 1 and len(values) == len(HEADER_KEYS):
            arguments.append(value)
        elif len(values) < len(HEADER_KEYS) and key == HEADER_KEYS[len(values)]:
            values[key] = value
        else:
            raise HeaderError("unexpected_key")
    if len(values) != len(HEADER_KEYS):
        raise HeaderError("header_cut_short")
    return Header(values, tuple(arguments))


# -- replies ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command."""

    #: 200 done, 510 unknown command, 511 not on a dead channel, 520 wrong use.
    code: int
    #: What follows `result=`: keys as typed for GET DATA, a character code for STREAM FILE; "-1" = failed or hung up.
    result: str = ""
    #: What stands in brackets: a variable's value, `timeout`, `hangup`. None when there are none.
    data: str | None = None
    #: Sample a sound or recording ended at.
    endpos: int | None = None
    #: All lines of a 520.
    text: str = ""

    @property
    def hung_up(self) -> bool:
        """Asterisk says so in the answer itself, or refuses to act on a dead channel."""
        return self.code == 511 or (self.code == 200 and (self.result == "-1" or self.data == "hangup"))


@dataclass(frozen=True, slots=True)
class Hangup:
    """The line `HANGUP`: the caller is gone; the running command still gets its own answer."""


@dataclass(slots=True)
class ReplyReader:
    """Bytes in, replies out. `100 Trying` is swallowed, a 520 is collected whole, `HANGUP` passes at any place."""

    _buffer: bytearray = field(default_factory=bytearray)
    _usage: list[str] = field(default_factory=list)

    @property
    def pending(self) -> bool:
        """There are bytes that belong to no complete reply yet."""
        return bool(self._buffer or self._usage)

    def feed(self, data: bytes) -> list[Reply | Hangup]:
        """What these bytes completed, in order; raises `ReplyError`."""
        self._buffer += data
        found: list[Reply | Hangup] = []
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            item = self._line(line)
            if item is not None:
                found.append(item)
        if len(self._buffer) > REPLY_LINE_LIMIT:
            raise ReplyError("reply_too_long")
        return found

    def _line(self, line: bytes) -> Reply | Hangup | None:
        if line == b"HANGUP":
            return Hangup()
        if self._usage:
            self._usage.append(line.decode("utf-8", errors="replace"))
            if len(self._usage) > USAGE_LINES_LIMIT or sum(map(len, self._usage)) > USAGE_LIMIT:
                raise ReplyError("usage_without_end")
            return self._end_of_usage() if line.startswith(b"520 ") else None
        if line.startswith(b"520-"):
            self._usage.append(line.decode("utf-8", errors="replace"))
            return None
        return _parse_reply(line)

    def _end_of_usage(self) -> Reply:
        text = "\n".join(self._usage)
        self._usage.clear()
        return Reply(520, text=text)


def _parse_reply(line: bytes) -> Reply | None:
    match = _REPLY.match(line)
    if match is None:
        raise ReplyError("not_a_reply")
    code, result, data, endpos = match.groups()
    if code == b"100":
        return None
    if code == b"200" and result is None:
        raise ReplyError("no_result")
    return Reply(
        code=int(code),
        result=(result or b"").decode("utf-8", errors="replace"),
        data=None if data is None else data.decode("utf-8", errors="replace"),
        endpos=None if endpos is None else int(endpos),
        text="" if code == b"200" else line.decode("utf-8", errors="replace"),
    )


# -- commands --------------------------------------------------------------------------------------------------------
#
# Those that say the same again and again, and nothing of a caller, are built once.


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it goes on the wire; made only by the functions below."""

    line: bytes
    #: Longest time Asterisk itself may take over it, seconds: sound, waiting for keys. 0 for those that answer at once.
    seconds: float = 0.0


def quote(value: str) -> str:
    """An argument in double quotes, quotes and backslashes escaped; raises `CommandRefused` for control characters."""
    if _CONTROL.search(value):
        raise CommandRefused("control_character")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _command(verb: str, *arguments: str, seconds: float = 0.0) -> Command:
    try:
        line = " ".join((verb, *map(quote, arguments))).encode() + b"\n"
    except UnicodeEncodeError as error:
        raise CommandRefused("not_text") from error
    if len(line) > COMMAND_LIMIT:
        raise CommandRefused("too_long")
    return Command(line, seconds)


def _checked(pattern: re.Pattern[str], value: str, why: str) -> str:
    if not pattern.match(value):
        raise CommandRefused(why)
    return value


@lru_cache(maxsize=256)
def get_variable(name: str) -> Command:
    """Answer: result 1 and the value as data, or 0 when it is not set."""
    return _command("GET VARIABLE", _checked(_VARIABLE, name, "variable_name"))


def set_variable(name: str, value: str) -> Command:
    """Sets a channel variable; of functions only TIMEOUT(absolute) and CHANNEL(language) are allowed."""
    return _command("SET VARIABLE", _checked(_VARIABLE, name, "variable_name"), value)


@lru_cache(maxsize=1024)
def arm_timer(seconds: float) -> Command:
    """The dead-man's timer: the channel leaves the step so many seconds from now unless it is armed again; 0 = off."""
    if not 0 <= seconds <= 3600:
        raise CommandRefused("timer_range")
    return set_variable("TIMEOUT(absolute)", f"{seconds:.1f}" if seconds else "0")


@lru_cache(maxsize=1024)
def stream_file(prompt: str, escape_keys: str = "", *, seconds: float) -> Command:
    """Plays a sound that is `seconds` long; answer: 0, or the character code of the escape key that broke in."""
    prompt = _checked(_PROMPT, prompt, "prompt_name")
    return _command("STREAM FILE", prompt, _checked(_KEYS, escape_keys, "escape_keys"), seconds=seconds)


def stream_take(path: str, escape_keys: str, *, seconds: float) -> Command:
    """Plays a recorded message, the path without `.wav`; answer as `stream_file`."""
    path = _checked(_TAKE, path, "take_path")
    return _command("STREAM FILE", path, _checked(_KEYS, escape_keys, "escape_keys"), seconds=seconds)


def record_file(path: str, *, limit_s: float, silence_s: int) -> Command:
    """Records the caller to `path`.wav until #, the limit, or so many seconds of silence.

    Answer: data `dtmf`, `timeout` (limit or silence), `hangup` or `writefile` (no disk), and endpos in samples.
    """
    path = _checked(_TAKE, path, "take_path")
    if not 0 < limit_s <= 3000 or not 0 < silence_s <= 60:
        raise CommandRefused("range")
    milliseconds = str(round(limit_s * 1000))
    return _command("RECORD FILE", path, "wav", "#", milliseconds, f"s={silence_s}", seconds=limit_s)


@lru_cache(maxsize=256)
def get_data(prompt: str, wait_ms: int, max_keys: int, *, seconds: float) -> Command:
    """Plays a sound (any key breaks in) and collects keys until `#`, `max_keys`, or `wait_ms` without one.

    Answer: the keys without `#`, data `timeout` when the wait ran out. `seconds` is the sound's length.
    """
    prompt = _checked(_PROMPT, prompt, "prompt_name")
    if not 0 < wait_ms <= 60_000 or not 1 <= max_keys <= 32:
        raise CommandRefused("range")
    longest = seconds + max_keys * wait_ms / 1000
    return _command("GET DATA", prompt, str(int(wait_ms)), str(int(max_keys)), seconds=longest)


def user_event(event: str, headers: Mapping[str, str]) -> Command:
    """Tells AMI a fact. Values are codes of our own; anything else is refused: commas and `$` mean something here."""
    return _command("EXEC", "UserEvent", _told(event, headers))


def journal_event(event: str, headers: Mapping[str, str]) -> Command:
    """Writes the same fact, in the same words, to the exchange's own journal, where it outlives a lost link (TL-70)."""
    return _command("EXEC", "CELGenUserEvent", _told(event, headers))


def _told(event: str, headers: Mapping[str, str]) -> str:
    parts = [_checked(_EVENT, event, "event_name")]
    for key, value in headers.items():
        _checked(_EVENT, key, "event_key")
        parts.append(f"{key}: {_checked(_EVENT_VALUE, value, 'event_value')}")
    return ",".join(parts)
