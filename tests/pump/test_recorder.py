"""What one call left in the flight recorder gives its live record again, whatever else the floor did (TL-71)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti import callbacks
from cti.ami import factblocks
from cti.ami.decode import decode
from cti.ami.factblocks import FactReader, UnreadableFact
from cti.ami.frames import Frame, Splitter
from cti.ami.guard import Guard
from cti.ami.replay import events_in
from cti.calls import events as ev
from cti.calls.model import Floor
from cti.calls.reducer import reduce
from cti.journal import MASKED_TOKEN
from tests.pump.recording import START, STORIES, TOKEN, Put, Service, at_of, captured, differences, ticking
from ticketing.callbacks.model import Dial


@pytest.mark.req("TL-71")
@pytest.mark.parametrize("at_once", [1, 7, 1000])
@pytest.mark.parametrize("apart_s", [0.0, 1.7, 20.0])
async def test_each_of_many_calls_is_its_live_record(tmp_path: Path, apart_s: float, at_once: int) -> None:
    service = Service(tmp_path)
    await service.live(list(ticking(captured(STORIES, apart_s))), at_once)
    assert len(service.saved) >= len(STORIES)
    assert all(not record.open for record in service.saved.values())
    assert differences(tmp_path, service.saved) == {}


@pytest.mark.req("TL-71")
async def test_it_does_not_matter_how_many_segments_a_call_lies_in(tmp_path: Path) -> None:
    service = Service(tmp_path, segment_bytes=4_000)
    await service.live(list(ticking(captured(STORIES, 1.7))), 5)
    assert len(service.journal.segments()) > 10
    assert differences(tmp_path, service.saved) == {}


@pytest.mark.req("TL-71")
async def test_the_settings_in_force_are_part_of_the_recording(tmp_path: Path) -> None:
    service = Service(tmp_path)
    await service.live(list(ticking(captured(["abandoned", "missed_then_answered"], 20.0))))
    short, late = sorted(service.saved.values(), key=lambda record: record.entered_at)
    assert (short.outcome, late.clocks.breach is not None) == ("short_abandoned", True)
    assert differences(tmp_path, service.saved) == {}


@pytest.mark.req("TL-71")
@pytest.mark.parametrize("cut", range(2, 40, 4))
async def test_a_call_across_a_cut_link_is_its_live_record_with_its_gap(tmp_path: Path, cut: int) -> None:
    """Events between the cut and the snapshot are missing live and in the replay alike."""
    calls = captured(["missed_then_answered", "answered"], 3.0)
    lost, back = at_of(calls[cut]), at_of(calls[cut + 8])
    before = [put for put in calls if at_of(put) < lost]
    after = [put for put in calls if at_of(put) > back]
    floor = Floor()
    for put in calls:
        if isinstance(put, tuple) and at_of(put) <= back and (fact := decode(Frame(put[1]))) is not None:
            reduce(floor, fact)
    channels = tuple(
        ev.ChannelSeen(
            at=back, call_id=call.call_id, uniqueid=leg.uniqueid, channel=leg.channel, ani="13812345678", dnis="1860"
        )
        for call in floor.calls.values()
        for leg in call.legs.values()
        if leg.ended_at is None
    )
    members = tuple(
        ev.MemberChanged(at=back, queue=one.queue, interface=one.interface, status=one.status, paused=one.paused)
        for one in floor.members.values()
    )
    snapshot = ev.FloorSnapshot(at=back, channels=channels, members=members, pbx_started_at=START)
    gap: list[Put] = [ev.LinkLost(at=lost), ev.LinkUp(at=back), snapshot]
    service = Service(tmp_path)
    await service.live(list(ticking([*before, *gap, *after], after_s=20)), 3)
    assert any(record.unseen for record in service.saved.values())
    assert differences(tmp_path, service.saved) == {}


@pytest.mark.req("TL-71", "TL-70")
@pytest.mark.parametrize("cut", [5, 12, 20, 30])
async def test_a_call_across_a_restart_of_the_service_is_its_live_record(tmp_path: Path, cut: int) -> None:
    puts = list(ticking(captured(["answered", "missed_then_answered"], 2.0), after_s=12))
    first = Service(tmp_path)
    await first.live(puts[:cut])
    second = Service(tmp_path, first.saved)
    await second.live(puts[cut:])
    assert all(not record.open for record in second.saved.values())
    assert differences(tmp_path, second.saved) == {}


@pytest.mark.req("TL-71")
async def test_facts_that_no_event_tells_are_there_too(tmp_path: Path) -> None:
    """A callback is known from the dialler alone, who hung up while recording from the floor."""
    dial = Dial(
        callback_id=1,
        serial="CB-1",
        n=1,
        number="+8613800138000",
        channel_id="cb-1-1",
        call_id="20261123021400-00000000000a",
        mode="agent_first",
        queue="complaint",
        language="zh",
        priority=5,
        joined_at=START,
        agent="2001",
    )
    told = callbacks.offered(dial, "2001", "1860", START)
    talk = START + timedelta(seconds=4)
    told.append(callbacks.answered(dial.call_id, dial.queue, "2001", talk))
    end = talk + timedelta(seconds=9)
    told += callbacks.over(dial.call_id, dial.queue, "2001", dial.channel_id, end, talked=True)
    left = "20261123021400-00000000000b"
    told.append(ev.CallEntered(at=end, call_id=left, uniqueid="9.1", ani="13900139000", dnis="1860"))
    told.append(ev.RecordingMarked(at=end, call_id=left, state="left_recording"))
    told.append(ev.ChannelEnded(at=end + timedelta(seconds=1), call_id=left, uniqueid="9.1"))
    service = Service(tmp_path)
    await service.live(list(ticking(told)), 1)
    assert {record.outcome for record in service.saved.values()} == {"answered", "left_recording"}
    assert differences(tmp_path, service.saved) == {}
    assert b"13800138000" not in b"".join(path.read_bytes() for path in service.journal.segments())


async def test_what_changes_no_record_is_not_written(tmp_path: Path) -> None:
    """A page that shows the queues asks each second; an empty floor ticks all night."""
    member = ev.MemberChanged(at=START, queue="complaint", interface="PJSIP/2001", status=1, paused=False)
    looks: list[Put] = [replace(member, at=START + timedelta(seconds=number)) for number in range(50)]
    ticks: list[Put] = [ev.Tick(at=START + timedelta(seconds=number)) for number in range(50)]
    service = Service(tmp_path)
    await service.live([*looks, *ticks], 1)
    (path,) = service.journal.segments()
    assert [Frame(raw).get("Fact") for raw in Splitter(banner=False).feed(path.read_bytes())] == [
        "ServiceStarted",
        "FloorSettings",
        "FloorKept",
        "MemberChanged",
    ]


def test_nobody_can_send_the_recorders_blocks() -> None:
    """From the link they are no event that we know; a judged capture that holds one holds no fact more."""
    (block,) = factblocks.blocks(ev.ChannelEnded(at=START, call_id="x", uniqueid="1.1"))
    assert not Guard(TOKEN).check(Frame(block)).accept
    assert list(events_in(block, TOKEN)) == []
    assert list(events_in(block, MASKED_TOKEN)) == []
    assert len(list(events_in(block))) == 1


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (b"Event: CtiFact\r\nFact: CallBoarded\r\nat: 2026-11-23T02:13:28+00:00", "CallBoarded"),
        (b"Event: CtiFact\r\nFact: Tick\r\nat: yesterday", "yesterday"),
        (b"Event: CtiFact\r\nFact: Tick", "not whole"),
        (b"Event: CtiFact\r\nFact: MemberChanged\r\nat: 2026-11-23T02:13:28+00:00\r\npaused: perhaps", "perhaps"),
    ],
)
def test_a_block_of_another_release_is_named(block: bytes, says: str) -> None:
    with pytest.raises(UnreadableFact, match=says):
        list(events_in(block))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FACTS = [kind for kind in vars(ev).values() if isinstance(kind, type) and issubclass(kind, ev.CallEvent)]
KINDS = [kind for kind in FACTS if kind not in {ev.CallEvent, ev.FloorSnapshot}]


@pytest.mark.req("TL-71")
@given(st.one_of([st.builds(kind, at=TIMES, call_id=TEXTS) for kind in KINDS]), TEXTS)
def test_every_fact_comes_back_as_it_was(fact: ev.CallEvent, text: str) -> None:
    fact = replace(fact, uniqueid=text)
    (block,) = factblocks.blocks(fact)
    (again,) = Splitter(banner=False).feed(block + b"\r\n\r\n")
    assert FactReader().read(Frame(again)) == (replace(fact, dnis="") if isinstance(fact, ev.ChannelSeen) else fact)


def test_what_consists_of_several_facts_comes_back_whole() -> None:
    channel = ev.ChannelSeen(at=START, call_id="c", uniqueid="1.1", channel="PJSIP/trunk-1", state="Up", age_s=7)
    caller = ev.CallerSeen(at=START, uniqueid="1.1", queue="complaint", wait_s=3)
    snap = ev.FloorSnapshot(
        at=START, channels=(channel, replace(channel, uniqueid="1.2")), waiting=(caller,), lists_members=False
    )
    raw = b"".join(block + b"\r\n\r\n" for block in factblocks.blocks(snap))
    assert list(events_in(raw)) == [snap]
    told = ev.JournalRead(at=START, facts=(ev.CallEntered(at=START, call_id="c", ani="110"),))
    assert list(events_in(b"".join(block + b"\r\n\r\n" for block in factblocks.blocks(told)))) == [told]
    with pytest.raises(ValueError, match="members"):
        list(factblocks.blocks(replace(snap, lists_members=True)))
