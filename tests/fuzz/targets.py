"""One function for each reader: takes any bytes, and fails when the reader breaks a promise.

The promises: no error but the reader's own; memory bounded by its stated cap; what is whole afterwards is read again as
if nothing had been; how the bytes are portioned does not matter. Driven by hypothesis and the kept corpus in the tests,
and by coverage with `make proof-parsers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from cti.ami import frames as ami
from cti.ami.decode import booted_at, decode, snapshot
from cti.ami.factblocks import FactReader, UnreadableFact, name_of
from cti.ami.frames import Frame, Splitter, forget_forms
from cti.ami.guard import Guard, check_answer, describe
from cti.ami.journals import cel_row, facts, queue_line
from cti.ami.timeline import Timeline
from ivr import agi

NOW: Final = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TOKEN: Final = "0123456789abcdef0123456789abcdef"
CALL: Final = "20261123021328-000000000001"
#: small, so that short inputs reach it
CAP: Final = 512
AFTER: Final = b"Event: FullyBooted\r\nStatus: Fully Booted"


def portions(data: bytes) -> Iterator[bytes]:
    """Cuts the rest of the data as its first byte says."""
    size, rest = (data[0] % 64 + 1, data[1:]) if data else (1, b"")
    for at in range(0, len(rest), size):
        yield rest[at : at + size]


def ami_splitter(data: bytes) -> None:
    """Frames are within the cap, what waits is too, and the next whole frame is found again."""
    splitter, whole = Splitter(cap=CAP), Splitter(cap=CAP)
    found: list[bytes] = []
    for portion in portions(data):
        found += splitter.feed(portion)
        waiting = len(splitter._tail)
        assert waiting <= CAP + 64, waiting
    at_once = whole.feed(data[1:])
    for frame in (*found, *at_once):
        assert 0 < len(frame) <= CAP
        assert ami.END not in frame
        assert not frame.startswith(b"\r\n")
    assert (found, splitter.banner) == (at_once, whole.banner)
    after = splitter.feed(ami.END + AFTER + ami.END)
    assert after, "out of step"
    assert after[-1] == AFTER


def ami_frame(data: bytes) -> None:
    """Any frame is read, judged, described and decoded; a form that was remembered reads it alike."""
    forget_forms()
    frame = Frame(data)
    lines = frame.headers()
    assert len(lines) == data.count(b"\r\n") + 1
    said = (frame.event, frame.call_id, frame.at, dict(frame.variables), dict(frame.dest_variables))
    check_answer(frame)
    assert len(describe(frame)) < 2000
    verdict = Guard(TOKEN).check(frame)
    if verdict.accept and "channelstate" in frame.form.index:
        assert TOKEN in frame.variables.get("CTI_TOKEN", ""), "a channel's event without our token"
    fact = decode(frame, NOW)
    if fact is not None:
        Timeline().moved(fact)
    booted_at(frame, NOW)
    snapshot([frame], NOW)
    frame.remember()
    again = Frame(data)
    assert again.headers() == lines
    assert (again.event, again.call_id, again.at, dict(again.variables), dict(again.dest_variables)) == said


def ami_forgery(data: bytes) -> None:
    """What a caller writes into his number stays one value of the event it stands in, or no event is believed."""
    genuine = (
        b"Event: Hangup\r\nPrivilege: call,all\r\nTimestamp: 1795400008.123456\r\nChannel: PJSIP/trunk-00000001\r\n"
        b"ChannelState: 6\r\nChannelStateDesc: Up\r\nCallerIDNum: " + data + b"\r\nExten: 1860\r\n"
        b"Uniqueid: 1795400000.1\r\nLinkedid: 1795400000.1\r\nChanVariable: CTI_CALL_ID=" + CALL.encode() + b"\r\n"
        b"ChanVariable: CTI_TOKEN=" + TOKEN.encode() + b"\r\nCause: 16" + ami.END
    )
    guard = Guard(TOKEN)
    for raw in Splitter(banner=False).feed(genuine):
        frame = Frame(raw)
        if guard.check(frame).accept:
            assert frame.event == "Hangup"
            assert (frame.get("Uniqueid"), frame.call_id, frame.get("Cause")) == ("1795400000.1", CALL, "16")
            frame.remember()


def ami_fact(data: bytes) -> None:
    """A line of the flight recorder is a fact or is refused by its own error."""
    name_of(data)
    with suppress(UnreadableFact):
        FactReader().read(Frame(data))


def journals(data: bytes) -> None:
    """Any line of either journal is read or passed over, and the facts of what was read are in order."""
    lines = data.decode("utf-8", "replace").split("\n")
    rows = [row for line in lines if (row := cel_row(line)) is not None]
    queue = [found for line in lines if (found := queue_line(line)) is not None]
    told = facts(rows, queue)
    assert [fact.at for fact in told] == sorted(fact.at for fact in told)


def agi_header(data: bytes) -> None:
    """A header is whole or refused; whatever is taken has every key once, within the cap."""
    reader, outcomes = agi.HeaderReader(limit=2 * CAP), []
    for portion in portions(data):
        try:
            header = reader.feed(portion)
        except (agi.HeaderError, agi.CallerHungUp) as refused:
            outcomes.append(str(refused))
            break
        assert len(reader._buffer) <= 2 * CAP + 66
        if header is not None:
            assert tuple(header.values) == agi.HEADER_KEYS
            assert not any(agi._CONTROL.search(value) for value in [*header.values.values(), *header.arguments])
            break


def agi_replies(data: bytes) -> None:
    """Replies come out alike however they are portioned, and the next whole one is found; a refusal ends it all."""
    one, other = agi.ReplyReader(), agi.ReplyReader()
    found: list[agi.Reply | agi.Hangup] = []
    try:
        for portion in portions(data):
            found += one.feed(portion)
            assert len(one._buffer) <= agi.REPLY_LINE_LIMIT
    except agi.ReplyError:
        return
    assert other.feed(data[1:]) == found
    if not one.pending:
        assert one.feed(b"200 result=1 (x)\n") == [agi.Reply(200, "1", "x")]


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    made.__name__: made for made in (ami_splitter, ami_frame, ami_forgery, ami_fact, journals, agi_header, agi_replies)
}
