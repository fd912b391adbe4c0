"""Facts that no AMI event tells, as blocks of the same form: what the flight recorder writes and reads (TL-71). Pure.

A block is `Event: CtiFact`, `Fact: <name of the dataclass>`, `at` and the fields that differ from their defaults, each
under its own name. A snapshot, or what a journal of Asterisk told, is the facts it consists of, each marked as a `part`
and then its own block.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from cti.ami.frames import Frame
from cti.calls import events as ev
from cti.calls.model import FloorSettings
from cti.calls.replay import Told

EVENT: Final = "CtiFact"
_HEAD: Final = f"Event: {EVENT}\r\nFact: "
_NAME: Final = re.compile(rb"Event: CtiFact\r\nFact: ([A-Za-z]+)")
#: fields that hold what a person dialled, keyed or is called; everything else is ids, states and times
PRIVATE: Final = frozenset({"ani", "exten", "name", "key"})
#: fields that are not written: parts told by blocks of their own, how far a journal was read, and an extension nobody
#: reads that may be a number
_UNWRITTEN: Final = frozenset({"channels", "waiting", "members", "queues", "facts", "read_to"})
_PART: Final = b"\r\npart: yes"
_NOT_OF: Final = {("ChannelSeen", "dnis")}


class UnreadableFact(ValueError):
    """The block is of a kind, or has a field, that this release does not know."""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


def _plain(text: str) -> str:
    kept = {"\\\\": "\\", "\\r": "\r", "\\n": "\n"}
    return re.sub(r"\\[\\rn]", lambda found: kept[found.group()], text) if "\\" in text else text


_READERS: Final[dict[type, Callable[[str], Any]]] = {
    str: _plain,
    int: int,
    float: float,
    bool: {"yes": True, "no": False}.__getitem__,
    datetime: datetime.fromisoformat,
}


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat()
    return _escaped(str(value))


def _reader(hint: Any) -> Callable[[str], Any]:
    """Reader of a field by its type; `X | None` is read as X, for None is not written."""
    if get_origin(hint) in {Union, types.UnionType}:
        hint = next(one for one in get_args(hint) if one is not type(None))
    return _READERS[hint]


class _Kind:
    """One dataclass: its fields with their defaults and readers."""

    def __init__(self, made: type[Any]) -> None:
        hints = get_type_hints(made)
        self.make = made
        self.fields = tuple(
            (field.name, field.default, _reader(hints[field.name]))
            for field in dataclasses.fields(made)
            if field.name not in _UNWRITTEN and (made.__name__, field.name) not in _NOT_OF
        )


#: every kind of fact by its name; `__subclasses__` would also give what `slots=True` made each of them out of
_KINDS: Final = {
    made.__name__: _Kind(made)
    for made in (*vars(ev).values(), FloorSettings)
    if isinstance(made, type) and (made is FloorSettings or issubclass(made, ev.CallEvent))
}
Hide = Callable[[str, str], str]


def blocks(told: Told, hide: Hide | None = None) -> Iterator[bytes]:
    """A fact as blocks without their final empty line; a snapshot's members are the caller's to write before.

    `hide` is given the name and the text of every field in `PRIVATE` and gives what is written in its place.
    """
    parts: tuple[ev.CallEvent, ...] = ()
    if isinstance(told, ev.FloorSnapshot):
        if told.lists_members:
            raise ValueError("members are facts of their own: write what differs, then the snapshot without them")
        parts = (*told.channels, *told.waiting)
    elif isinstance(told, ev.JournalRead):
        parts = told.facts
    for part in parts:
        yield _block(part, hide) + _PART
    yield _block(told, hide)


def _block(told: Told, hide: Hide | None) -> bytes:
    name = type(told).__name__
    lines = [_HEAD + name]
    for field, default, _ in _KINDS[name].fields:
        value = getattr(told, field)
        if value != default:
            text = _written(value)
            lines.append(f"{field}: {hide(field, text) if hide and field in PRIVATE else text}")
    return "\r\n".join(lines).encode("utf-8", "replace")


def name_of(raw: bytes) -> str:
    """Name of the fact a block tells; empty for a block of AMI."""
    found = _NAME.match(raw)
    return found[1].decode() if found else ""


class FactReader:
    """Reads blocks in order and puts together again what consists of several."""

    def __init__(self) -> None:
        self._parts: list[ev.CallEvent] = []

    def read(self, frame: Frame) -> Told | None:
        """The fact; None for a part of one that is still to come. Raises UnreadableFact."""
        told = _read(frame)
        if "part" in frame.form.index and isinstance(told, ev.CallEvent):
            self._parts.append(told)
            return None
        match told:
            case ev.FloorSnapshot():
                channels = tuple(part for part in self._parts if isinstance(part, ev.ChannelSeen))
                waiting = tuple(part for part in self._parts if isinstance(part, ev.CallerSeen))
                told = dataclasses.replace(told, channels=channels, waiting=waiting)
            case ev.JournalRead():
                told = dataclasses.replace(told, facts=tuple(self._parts))
            case _:
                return told
        self._parts = []
        return told


def _read(frame: Frame) -> Told:
    name = frame.get("Fact")
    kind = _KINDS.get(name)
    if kind is None:
        raise UnreadableFact(f"a fact {name!r} is not known to this release")
    given: dict[str, Any] = {}
    for field, _, read in kind.fields:
        if field in frame.form.index:
            try:
                given[field] = read(frame.get(field))
            except (ValueError, KeyError) as error:
                raise UnreadableFact(f"{field} of a fact {name} is {frame.get(field)!r}") from error
    try:
        told: Told = kind.make(**given)
    except TypeError as error:
        raise UnreadableFact(f"a fact {name} is not whole ({error})") from error
    return told
