"""Lines of Asterisk's own journals into the same facts that events tell: `queue_log` and the channel event log. Pure.

`queue_log` says what happened in a queue, in whole seconds; the channel event log (CEL) has microseconds and the words
of the dialplan and the menus. Each queue fact takes its time from the channel event that goes with it, where there is
one; else it is known to the second only. `CallEvent.within_ms` says which.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypedDict

from cti.ami.decode import decode
from cti.ami.frames import Frame
from cti.calls import events as ev
from cti.calls.model import agent_of, agent_of_channel
from ivr.variables import CALL_ID_PATTERN

#: what cel_custom.conf writes, in this order
COLUMNS: Final = (
    *("eventtime", "eventtype", "CHANNEL(uniqueid)", "CHANNEL(linkedid)", "CHANNEL", "CHANNEL(appname)"),
    *("CHANNEL(accountcode)", "eventextra"),
)
#: milliseconds within which the manager's stamp of an event lies behind the channel event log's (measured: 40)
CEL_WITHIN_MS: Final = 100
#: `queue_log` cuts its stamps to seconds
QUEUE_LOG_WITHIN_MS: Final = 1000

_SECOND: Final = timedelta(seconds=1)
_CALL_ID: Final = re.compile(CALL_ID_PATTERN)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
#: channels of the calls the product places: their story is told by who placed them
_PLACED: Final = "cb-"
_MOVED: Final = frozenset({"EXITWITHTIMEOUT", "EXITEMPTY", "ABANDON"})


@dataclass(frozen=True, slots=True)
class CelRow:
    """One channel event."""

    at: datetime
    #: Asterisk's word, or the name of a fact that the dialplan or the menus told
    kind: str
    uniqueid: str
    linkedid: str
    channel: str
    app: str
    #: empty before the dialplan has given the call its id
    call_id: str
    extra: str

    @property
    def interface(self) -> str:
        """`PJSIP/1001` of `PJSIP/1001-0000000a`."""
        return self.channel.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One line of `queue_log`."""

    at: datetime
    uniqueid: str
    queue: str
    #: the member's name, which is the agent's number
    agent: str
    kind: str
    data: tuple[str, ...]

    @property
    def interface(self) -> str:
        """The member's interface; a member without a name is called by it."""
        return self.agent if "/" in self.agent else f"PJSIP/{self.agent}"


def cel_row(line: str) -> CelRow | None:
    """One line of the channel event log; None for one of another form, or cut short by a crash."""
    try:
        (values,) = csv.reader([line], strict=True)
        at = _time(values[0])
    except (csv.Error, ValueError, IndexError):
        return None
    if len(values) != len(COLUMNS) or at is None:
        return None
    kind, uniqueid, linkedid, channel, app, account, extra = values[1:]
    return CelRow(at, kind, uniqueid, linkedid, channel, app, account if _CALL_ID.match(account) else "", extra)


def ends(rows: Iterable[CelRow]) -> dict[str, str]:
    """Channels of the calls the product placed that have ended, by id, with how their last dialling ended in Asterisk's
    word: BUSY, NOANSWER, ANSWER …; empty when they dialled nobody."""
    found = {}
    for row in rows:
        if row.kind == "HANGUP" and row.uniqueid.startswith(_PLACED):
            said = _json(row.extra).get("dialstatus")
            found[row.uniqueid] = said if isinstance(said, str) else ""
    return found


def queue_line(line: str) -> QueueLine | None:
    """One line of `queue_log`; None for one that is about no caller, or cut short by a crash."""
    values = line.split("|")
    at = _time(values[0])
    if len(values) < 5 or at is None or values[1] in {"NONE", "MANAGER", "REALTIME"}:
        return None
    _, uniqueid, queue, agent, kind, *data = values
    return QueueLine(at, uniqueid, queue, agent, kind, tuple(data))


def _time(text: str) -> datetime | None:
    seconds, _, fraction = text.partition(".")
    if not (text.isascii() and seconds.isdigit() and len(seconds) <= 10 and (fraction + "0").isdigit()):
        return None
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(fraction[:6].ljust(6, "0") or 0))


def facts(
    rows: Sequence[CelRow], lines: Sequence[QueueLine], known: Callable[[str], str | None] = lambda channel: None
) -> list[ev.CallEvent]:
    """What happened to calls, oldest first. `known` gives the call of a channel from before these rows and lines.

    Channels whose call cannot be told from either (an agent who hears his own headset) are left out.
    """
    pages = _Pages.of(rows, known)
    told = [fact for row in rows for fact in _of_row(row, pages)]
    told += [fact for line in lines for fact in _of_line(line, pages)]
    return sorted(told, key=lambda fact: fact.at)


@dataclass(slots=True)
class _Pages:
    """The rows by what they are looked up by."""

    known: Callable[[str], str | None]
    calls: dict[str, str] = field(default_factory=dict)
    by_channel: dict[tuple[str, str], list[CelRow]] = field(default_factory=lambda: defaultdict(list))
    #: ends of agents' channels, by the call's group and the interface
    rings: dict[tuple[str, str], list[CelRow]] = field(default_factory=lambda: defaultdict(list))
    groups: dict[str, str] = field(default_factory=dict)
    #: the agent's channel of the newest answer, by caller and interface
    legs: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[CelRow], known: Callable[[str], str | None]) -> _Pages:
        pages = cls(known)
        for row in rows:
            if row.call_id:
                pages.calls.setdefault(row.uniqueid, row.call_id)
                pages.calls.setdefault(row.linkedid, row.call_id)
            pages.groups[row.uniqueid] = row.linkedid
            pages.by_channel[row.uniqueid, row.kind].append(row)
            if row.kind == "HANGUP" and row.uniqueid != row.linkedid:
                pages.rings[row.linkedid, row.interface].append(row)
        return pages

    def call(self, *channels: str) -> str:
        """The call that one of these channels belongs to; empty when nobody knows."""
        for find in (self.calls.get, self.known):
            for channel in channels:
                if found := find(channel):
                    return found
        return ""

    def rows(self, channel: str, *kinds: str, app: str = "") -> list[CelRow]:
        found = [row for kind in kinds for row in self.by_channel.get((channel, kind), ())]
        return [row for row in found if not app or row.app == app]


class _Ids(TypedDict):
    at: datetime
    call_id: str
    uniqueid: str
    linkedid: str
    within_ms: int


# -- channel events --------------------------------------------------------------------------------------------------


def _of_row(row: CelRow, pages: _Pages) -> list[ev.CallEvent]:
    call_id = row.call_id or pages.call(row.uniqueid, row.linkedid)
    if not call_id:
        return []
    ids = _Ids(at=row.at, call_id=call_id, uniqueid=row.uniqueid, linkedid=row.linkedid, within_ms=CEL_WITHIN_MS)
    if row.kind == "CHAN_START":
        return _offer(row, ids)
    if row.kind == "HANGUP":
        return [ev.ChannelEnded(**ids, channel=row.channel, cause=_cause(row.extra))]
    return _spoken(row, ids) if row.kind.startswith("Cti") else []


def _offer(row: CelRow, ids: _Ids) -> list[ev.CallEvent]:
    """A channel to an agent's phone, born for somebody else's call: his phone begins to ring (`AgentCalled`)."""
    agent = agent_of_channel(row.channel)
    if not agent.isdigit() or row.uniqueid == row.linkedid or row.linkedid.startswith(_PLACED):
        return []
    common = ids | {"uniqueid": row.linkedid}
    offered = ev.AgentOffered(
        **common,
        queue="",
        interface=row.interface,
        agent=agent,
        leg=row.uniqueid,
        channel=row.channel,
    )
    return [offered]


def _cause(extra: str) -> int:
    cause = _json(extra).get("hangupcause")
    return cause if isinstance(cause, int) else 0


def _json(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _spoken(row: CelRow, ids: _Ids) -> list[ev.CallEvent]:
    """What the dialplan or the menus told in so many words: read as the event that carries the same."""
    said = _json(row.extra).get("extra")
    if not isinstance(said, str) or _CONTROL.search(said):
        return []
    lines = [f"Event: UserEvent\r\nUserEvent: {row.kind}", *said.split(",")]
    fact = decode(Frame("\r\n".join(line for line in lines if line).encode()), row.at)
    return [] if fact is None else [replace(fact, **ids)]


# -- lines of queue_log ----------------------------------------------------------------------------------------------


def _of_line(line: QueueLine, pages: _Pages) -> list[ev.CallEvent]:
    if not pages.call(line.uniqueid):
        return []
    make = _LINES.get(line.kind)
    return make(line, pages) if make else []


def _ids(line: QueueLine, pages: _Pages, beside: Iterable[CelRow]) -> _Ids:
    """Who it is about, and when: as the nearest of the channel events that go with it says, else to the second."""
    near = [row for row in beside if line.at - _SECOND <= row.at < line.at + 2 * _SECOND]
    middle = line.at + _SECOND / 2
    row = min(near, key=lambda row: abs(row.at - middle), default=None)
    return _Ids(
        at=row.at if row else line.at,
        call_id=pages.call(line.uniqueid),
        uniqueid=line.uniqueid,
        linkedid=pages.groups.get(line.uniqueid, line.uniqueid),
        within_ms=CEL_WITHIN_MS if row else QUEUE_LOG_WITHIN_MS,
    )


def _joined(line: QueueLine, pages: _Pages) -> list[ev.CallEvent]:
    ids = _ids(line, pages, pages.rows(line.uniqueid, "APP_START", app="Queue"))
    _, ani, position = (*line.data, "", "", "")[:3]
    return [ev.CallerJoined(**ids, queue=line.queue, ani=ani, position=_number(position))]


def _answered(line: QueueLine, pages: _Pages) -> list[ev.CallEvent]:
    leg = line.data[1] if len(line.data) > 1 else ""
    found = pages.rows(leg, "ANSWER")
    ids = _ids(line, pages, found)
    pages.legs[line.uniqueid, line.interface] = leg
    answered = ev.AgentAnswered(
        **ids,
        queue=line.queue,
        interface=line.interface,
        agent=agent_of(line.interface),
        leg=leg,
        channel=found[0].channel if found else "",
    )
    return [ev.CallerLeft(**ids, queue=line.queue), answered]


def _missed(line: QueueLine, pages: _Pages) -> list[ev.CallEvent]:
    group = pages.groups.get(line.uniqueid, line.uniqueid)
    ends = pages.rings.get((group, line.interface), [])
    ids = _ids(line, pages, ends)
    leg = next((row.uniqueid for row in ends if row.at == ids["at"]), "")
    rang = _number(line.data[0]) if line.data else 0
    missed = ev.AgentMissed(
        **ids, queue=line.queue, interface=line.interface, agent=agent_of(line.interface), leg=leg, ring_ms=rang
    )
    return [missed]


def _completed(line: QueueLine, pages: _Pages) -> list[ev.CallEvent]:
    ids = _ids(line, pages, pages.rows(line.uniqueid, "BRIDGE_EXIT"))
    done = ev.AgentCompleted(
        **ids,
        queue=line.queue,
        interface=line.interface,
        agent=agent_of(line.interface),
        leg=pages.legs.get((line.uniqueid, line.interface), ""),
        reason={"COMPLETEAGENT": "agent", "COMPLETECALLER": "caller"}.get(line.kind, "transfer"),
    )
    return [done]


def _left(line: QueueLine, pages: _Pages) -> list[ev.CallEvent]:
    """Left unanswered; a key tells no `QueueCallerAbandon`, everything else does (P13)."""
    ids = _ids(line, pages, pages.rows(line.uniqueid, "APP_END", app="Queue"))
    left: list[ev.CallEvent] = [ev.CallerLeft(**ids, queue=line.queue)]
    return [*left, ev.CallerAbandoned(**ids, queue=line.queue)] if line.kind in _MOVED else left


def _number(text: str) -> int:
    return int(text) if len(text) <= 10 and text.isascii() and text.isdigit() else 0


_LINES: Final[dict[str, Callable[[QueueLine, _Pages], list[ev.CallEvent]]]] = {
    "ENTERQUEUE": _joined,
    "CONNECT": _answered,
    "RINGNOANSWER": _missed,
    "COMPLETEAGENT": _completed,
    "COMPLETECALLER": _completed,
    "BLINDTRANSFER": _completed,
    "ATTENDEDTRANSFER": _completed,
    "ABANDON": _left,
    "EXITWITHTIMEOUT": _left,
    "EXITWITHKEY": _left,
    "EXITEMPTY": _left,
}
