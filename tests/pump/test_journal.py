"""The journal can be replayed, is bounded, and holds nobody's number."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti import excerpt
from cti.ami.frames import Frame, Splitter
from cti.ami.guard import check
from cti.ami.replay import replay_bytes
from cti.journal import MASKED_TOKEN, Journal, Mask

NOW = datetime(2026, 11, 23, 2, 13, 28, 123456, tzinfo=UTC)
CALL, OTHER = "20261123021328-000000000001", "20261123021329-000000000002"
KEY = b"k" * 32


def joined(call_id: str = CALL, number: str = "13812345678", unique: str = "1795400000.1", tail: str = "") -> Frame:
    return Frame(
        (
            f"Event: QueueCallerJoin\r\nTimestamp: 1795400008.123456\r\nChannel: PJSIP/trunk-00000012\r\n"
            f"ChannelState: 6\r\nCallerIDNum: {number}\r\nCallerIDName: 王小明\r\nExten: 1860\r\nUniqueid: {unique}\r\n"
            f"Linkedid: {unique}\r\nChanVariable: CTI_CALL_ID={call_id}\r\nChanVariable: CTI_TOKEN={'s' * 32}\r\n"
            f"Queue: complaint\r\nBridgeUniqueid: 12345678-1234-1234-1234-123456789012{tail}"
        ).encode()
    )


MEMBER = Frame(
    b"Event: QueueMemberStatus\r\nQueue: complaint\r\nInterface: PJSIP/1001\r\nMemberName: 1001\r\nStatus: 1"
)


def exported(journal: Journal, call_id: str) -> bytes:
    journal.flush()
    (folder,) = {path.parent for path in journal.segments()} or {Path("nowhere")}
    return excerpt.take(folder, call_id).data


def frames(data: bytes) -> list[Frame]:
    return [Frame(raw) for raw in Splitter(banner=False).feed(data)]


def test_numbers_names_keys_and_token_are_not_written() -> None:
    mask = Mask(KEY)
    raw = mask.frame(joined(tail="\r\nAppData: 打给 010-6666 7777\r\nDigit: 7\r\nKey: 12345\r\nAni: +8613812345678"))
    text = raw.decode()
    for secret in ("13812345678", "王小明", "s" * 32, "6666 7777", "12345\r\n", "Digit: 7"):
        assert secret not in text
    assert re.search(r"CallerIDNum: 138\*\d{7}\r\n", text)
    assert "Key: *****\r\n" in text
    for kept in (CALL, "1795400000.1", "PJSIP/trunk-00000012", "12345678-1234-1234-1234-123456789012", "Exten: 1860"):
        assert kept in text
    assert check(Frame(raw), MASKED_TOKEN).accept


def test_equal_numbers_stay_equal_and_others_differ() -> None:
    mask = Mask(KEY)
    numbers = [f"138{number:08d}" for number in range(500)]
    assert mask.number(numbers[7]) == Mask(KEY).number(numbers[7])
    assert len({mask.number(number) for number in numbers}) == 500
    assert mask.number(numbers[7]) != Mask(b"x" * 32).number(numbers[7])


def test_a_menu_key_is_part_of_the_path() -> None:
    frame = Frame(b"Event: UserEvent\r\nUserEvent: CtiStep\r\nNode: main\r\nKey: 1")
    assert Mask(KEY).frame(frame) == frame.raw


def test_an_export_holds_one_call_and_the_members_meanwhile(tmp_path: Path) -> None:
    journal = Journal(tmp_path, KEY)
    hangup = Frame(b"Event: Hangup\r\nChannel: PJSIP/1001-1\r\nUniqueid: 5.5\r\nLinkedid: 1795400000.1")
    for frame in (MEMBER, joined(), joined(OTHER, unique="9.9"), MEMBER, hangup, joined(OTHER, unique="9.9"), MEMBER):
        journal.append(frame, NOW)
    got = frames(exported(journal, CALL))
    assert [frame.get("Fact") or frame.event for frame in got] == [
        *("FloorSettings", "FloorKept", "PhaseNoted", "MemberChanged"),
        "QueueCallerJoin",
        "QueueMemberStatus",
        "Hangup",
        "QueueMemberStatus",
    ]
    assert got[4].get("JournalAt") == NOW.isoformat()
    assert exported(journal, "20990101000000-000000000000") == b""


def test_the_ring_is_bounded_and_private(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "ring", KEY, max_bytes=40_000, segment_bytes=8_000)
    for number in range(400):
        journal.append(joined(unique=f"{number}.1"), NOW)
        journal.flush()
    sizes = [path.stat().st_size for path in journal.segments()]
    assert sum(sizes) <= 40_000
    assert len(sizes) >= 4
    assert (tmp_path / "ring").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in journal.segments())
    assert b"399.1" in journal.segments()[-1].read_bytes()


def test_a_new_start_goes_on_in_a_new_segment(tmp_path: Path) -> None:
    for _ in range(2):
        journal = Journal(tmp_path, KEY)
        journal.append(joined(), NOW)
        journal.flush()
        journal.close()
    assert len(journal.segments()) == 2
    assert [frame.event for frame in frames(exported(journal, CALL))].count("QueueCallerJoin") == 2


def test_a_disk_that_takes_no_more_costs_frames_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, KEY)
    journal.append(joined(), NOW)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        journal.flush()
    assert (journal.written, journal.lost) == (0, 1)
    journal.append(joined(), NOW)
    journal.flush()
    assert (journal.written, journal.lost) == (1, 1)


def test_old_segments_are_erased_with_the_calls(tmp_path: Path) -> None:
    journal = Journal(tmp_path, KEY)
    journal.append(joined(), NOW)
    journal.flush()
    (path,) = journal.segments()
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert journal.erase_before(NOW - timedelta(days=1)) == 0
    assert journal.erase_before(NOW + timedelta(days=1)) == 1
    assert exported(journal, CALL) == b""


CAPTURES = sorted((Path(__file__).parent.parent / "data" / "ami").glob("*.ami"))


@pytest.mark.req("TL-71")
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_a_call_replayed_from_the_journal_is_the_call(capture: Path, tmp_path: Path) -> None:
    journal = Journal(tmp_path, KEY)
    raw = capture.read_bytes()
    for block in Splitter(banner=raw.startswith(b"Asterisk")).feed(raw):
        frame = Frame(block)
        if frame.event:
            journal.append(frame, NOW)
    for record in replay_bytes(raw):
        (again,) = [one for one in replay_bytes(exported(journal, record.call_id)) if one.call_id == record.call_id]
        assert again.ani == Mask(KEY).text(record.ani)
        assert replace(again, ani=record.ani) == record
        assert not record.ani or record.ani.encode() not in exported(journal, record.call_id)
