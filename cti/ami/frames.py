"""Bytes of an AMI connection cut into whole frames, each read lazily; what may be believed is guard's matter. Pure.

A frame is what stands between two CR LF CR LF. Only CR LF ends a line: values may hold a bare CR, NEL, VT, U+2028.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

BANNER: Final = b"Asterisk Call Manager/"
END: Final = b"\r\n\r\n"
_EOL: Final = b"\r\n"
#: in the order of bytes whatever begins with a printed character comes after this, and a line's end before it
_PRINTED: Final = b" "
#: longest frame kept, bytes; Asterisk's own events stay below 8 KiB
CAP: Final = 64 * 1024
#: how many forms with one first line and one last key are remembered, and how many such pairs
FORMS_ALIKE: Final = 8
PAIRS_REMEMBERED: Final = 512
_CALL_ID: Final = "CTI_CALL_ID="
_2100: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


class Splitter:
    """Cuts what arrives in any portions into whole frames, without their final CR LF CR LF."""

    __slots__ = ("_cap", "_skipping", "_tail", "_want_banner", "banner", "overlong")

    def __init__(self, *, banner: bool = True, cap: int = CAP) -> None:
        self._tail = b""
        self._cap = cap
        self._skipping = False
        self._want_banner = banner
        #: the greeting's version of AMI, `11.0.0`; empty until seen, or when the peer is no AMI
        self.banner = ""
        #: frames thrown away for being longer than `cap`
        self.overlong = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that `data` completes, in order."""
        if self._tail:
            data = self._tail + data
        if self._want_banner:
            data = self._greeting(data)
        frames = data.split(END)
        tail = frames.pop()
        if self._skipping and frames:
            del frames[0]
            self._skipping = False
        if len(tail) > self._cap + len(END) - 1:  # the end itself may be there in part
            if not self._skipping:
                self.overlong += 1
                self._skipping = True
            tail = tail[1 - len(END) :]
        self._tail = tail
        if min(frames, default=_PRINTED) < _PRINTED:  # none, or the rest of an end after a value that ended in CR LF
            frames = [rest for frame in frames if (rest := frame.removeprefix(_EOL))]
        if max(map(len, frames), default=0) > self._cap:
            self.overlong += sum(len(frame) > self._cap for frame in frames)
            frames = [frame for frame in frames if len(frame) <= self._cap]
        return frames

    def _greeting(self, data: bytes) -> bytes:
        line, end, rest = data.partition(b"\r\n")
        if not end and len(data) <= self._cap:
            return data
        self._want_banner = False
        if not line.startswith(BANNER):
            return data
        self.banner = line[len(BANNER) :].decode("ascii", "replace").strip()
        return rest


class Form:
    """The sequence of keys a frame has. Asterisk always writes one event with the same keys in the same order.

    One regular expression over a remembered form checks the whole order and finds all values at once,
    five times as fast as a dictionary per frame.
    """

    __slots__ = ("groups", "index", "keys", "pattern", "repeated", "sound")

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys
        #: lower-case (and as written) key to the number of its value, counted from 1: the first, yet in a user event
        #: what the dialplan wrote goes before what the channel has (both have a `Priority`)
        self.index: dict[str, int] = {}
        counts: dict[str, int] = {}
        repeated: set[str] = set()
        for number, key in enumerate(keys, 1):
            folded = key.lower()
            if folded == "userevent" and folded not in self.index:
                counts = {}
            counts[folded] = counts.get(folded, 0) + 1
            if counts[folded] > 1:
                repeated.add(folded)
            else:
                self.index[folded] = number
        self.index.update({key: self.index[key.lower()] for key in keys})
        #: lower-case keys that occur more than once among the channel's lines, or among the user event's own
        self.repeated = frozenset(repeated)
        #: prefix of each channel in the frame ("" or "dest" or ...) to the numbers of its variables
        self.groups: tuple[tuple[str, tuple[int, ...]], ...] = tuple(
            (prefix, self.numbers(f"{prefix}chanvariable"))
            for prefix in dict.fromkeys(
                key[: -len("channelstate")] for key in map(str.lower, keys) if key.endswith("channelstate")
            )
        )
        self.pattern: re.Pattern[str] | None = None
        #: set by the guard when the keys alone gave no reason to refuse the frame
        self.sound = False

    def numbers(self, key: str) -> tuple[int, ...]:
        """Numbers of all values of a key, counted from 1."""
        folded = key.lower()
        return tuple(number for number, name in enumerate(self.keys, 1) if name.lower() == folded)

    def compile(self) -> None:
        """Prepare the expression; about a millisecond, so only for forms worth remembering.

        Every part is possessive: a frame of another form fails in one pass, however many lines they share.
        """
        lines = (re.escape(key) + ":[ ]?+([^\\r]*+)" for key in self.keys)
        self.pattern = re.compile("()" + "\r\n".join(lines))  # an empty value first: the others count from 1


#: first line (the event's name) and last key to the forms known: user events differ in their last key
_forms: dict[tuple[bytes, bytes], list[Form]] = {}


def _ends(raw: bytes) -> tuple[bytes, bytes]:
    last = raw.rfind(b"\r\n") + 2
    return raw[: raw.find(b"\r\n")], raw[last : raw.find(b":", last)]


def forget_forms() -> None:
    """Empty the memory of forms (for tests and measurements)."""
    _forms.clear()


class Frame:
    """One AMI block; nothing is read before it is asked for. Keys are found in any case."""

    __slots__ = ("_at", "_form", "_values", "raw")

    #: there once the form was read
    _values: Sequence[str]
    #: there once it was asked for
    _at: datetime | None

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._form: Form | None = None

    @property
    def event(self) -> str:
        """Name of the event; empty for an answer and for a block that does not begin with `Event:`."""
        raw = self.raw
        if not raw.startswith(b"Event:"):
            return ""
        end = raw.find(b"\r\n")
        return raw[6 : end if end >= 0 else len(raw)].decode("utf-8", "replace").strip()

    @property
    def form(self) -> Form:
        """The keys of this frame in order; `""` stands for a line that is no header."""
        return self._form or self._read()

    def get(self, key: str, default: str = "") -> str:
        """First value of a key."""
        index = (self._form or self._read()).index
        number = index.get(key) or index.get(key.lower())
        return default if number is None else self._values[number]

    def all(self, key: str) -> tuple[str, ...]:
        """All values of a key, in order."""
        return tuple(self._values[number] for number in self.form.numbers(key))

    @property
    def values(self) -> Sequence[str]:
        """All values by their places in the form, which count from 1: the first one here is empty."""
        if self._form is None:
            self._read()
        return self._values

    @property
    def variables(self) -> Mapping[str, str]:
        """Channel variables that `channelvars` put on the first channel; the last of equal names wins."""
        return dict(_pair(value) for value in self.all("ChanVariable"))

    @property
    def dest_variables(self) -> Mapping[str, str]:
        """Channel variables of the second channel, where the event has one."""
        return dict(_pair(value) for value in self.all("DestChanVariable"))

    @property
    def call_id(self) -> str:
        """Our id of the call from either channel; empty when the frame carries none."""
        form = self._form or self._read()
        values = self._values
        for _, numbers in form.groups:
            for number in numbers:
                value = values[number]
                if value.startswith(_CALL_ID) and len(value) > len(_CALL_ID):
                    return value[len(_CALL_ID) :]
        return ""

    @property
    def at(self) -> datetime | None:
        """When Asterisk raised the event, microseconds (`timestampevents=yes`); None where it does not say, or says a
        time out of 1970 to 2100."""
        try:
            return self._at
        except AttributeError:
            self._at = _moment(self.get("Timestamp"))
            return self._at

    def headers(self) -> list[tuple[str, str]]:
        """All lines in order."""
        form = self.form
        return list(zip(form.keys, self._values[1:], strict=True))

    def remember(self) -> None:
        """Keep this frame's form for faster reading of its like. Call it for frames that were believed only."""
        form = self.form
        if form.pattern is not None or "" in form.keys:
            return
        known = _forms.get(_ends(self.raw))
        if known is None:
            if len(_forms) >= PAIRS_REMEMBERED:
                return
            known = _forms[_ends(self.raw)] = []
        if len(known) < FORMS_ALIKE and all(other.keys != form.keys for other in known):
            form.compile()
            known.append(form)

    def _read(self) -> Form:
        text = self.raw.decode("utf-8", "replace")
        known = _forms.get(_ends(self.raw))
        if known is not None:
            for place, form in enumerate(known):
                found = form.pattern.fullmatch(text) if form.pattern is not None else None
                if found is not None:
                    if place:
                        known[0], known[place] = form, known[0]
                    self._form, self._values = form, found.groups()
                    return form
        keys: list[str] = []
        values = [""]
        for line in text.split("\r\n"):
            key, colon, value = line.partition(":")
            keys.append(key if colon else "")
            values.append(value.removeprefix(" ") if colon else line)
        self._form, self._values = Form(tuple(keys)), values
        return self._form

    def __repr__(self) -> str:
        return f"<Frame {self.event or 'answer'} {len(self.raw)} bytes>"


def _moment(text: str) -> datetime | None:
    try:
        seconds = float(text) if text else math.nan
    except ValueError:
        return None
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds < _2100 else None


def _pair(value: str) -> tuple[str, str]:
    name, _, text = value.partition("=")
    return name, text
