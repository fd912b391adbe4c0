"""Recordings of ended calls: taken in, judged, looked for again, played and logged."""

from __future__ import annotations

import asyncio
import hashlib
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import soundfile
from sqlalchemy import insert, select
from structlog.testing import capture_logs

from recordings import store as records
from recordings.library import Library
from recordings.model import Alarm, Purpose, Recording, RecordingState
from tests.recordings.conftest import CALL, Spool, tone, wav_file
from ticketing.audit import query_log
from ticketing.contacts.tables import contact
from ticketing.db import Database
from ticketing.errors import Forbidden, Invalid, NotFound
from ticketing.roles import Actor

SECOND = timedelta(seconds=1)
S = RecordingState


async def row(database: Database, call: str = CALL) -> Recording:
    async with database.read() as conn:
        found = await records.by_call(conn, call)
    assert found is not None
    return found


async def taken_in(library: Library, database: Database, expected: float | None, now: datetime) -> Recording:
    await library.register(CALL, expected_seconds=expected, now=now, patience_s=0)
    return await row(database)


@pytest.mark.req("IN-15")
async def test_a_whole_recording_is_checked_hashed_drawn_and_kept(
    library: Library, database: Database, spool: Spool, root: Path, now: datetime
) -> None:
    spool.call(10)
    change = await library.register(CALL, expected_seconds=11.5, now=now, patience_s=0)
    found = await row(database)
    assert (found.state, found.alarm, found.seconds, found.next_scan_at) == (S.READY, None, 10.0, None)
    assert found.path == f"2026/03/10/{CALL}.wav"
    data = (root / found.path).read_bytes()
    assert (found.sha256, found.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert soundfile.info(io.BytesIO(data)).channels == 2
    peaks = await library.peaks(found)
    assert (len(peaks.agent), len(peaks.caller), peaks.seconds) == (1000, 1000, 10.0)
    assert max(peaks.agent) < max(peaks.caller)
    assert spool.names() == []
    assert change is not None
    assert change.payload == {
        "id": found.public_id, "call_id": CALL, "state": "ready", "seconds": 10.0, "alarm": None,
    }  # fmt: skip


@pytest.mark.req("N1", "N2")
async def test_takers_at_the_same_moment_do_not_disturb_each_other(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    """A message's dialogue and the rescan beside it: one stores, nobody raises an alarm."""
    spool.call(30)
    with capture_logs() as logs:
        changes = await asyncio.gather(
            *(library.register(CALL, expected_seconds=30, now=now, patience_s=0) for _ in range(6))
        )
    assert logs == []
    assert len([each for each in changes if each is not None]) == 1
    assert (await row(database)).state is S.READY
    assert spool.names() == []


async def test_the_second_registration_changes_nothing(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    spool.call(3)
    first = await taken_in(library, database, 3, now)
    spool.call(9)
    assert await library.register(CALL, expected_seconds=9, now=now, patience_s=0) is None
    assert await row(database) == first
    assert spool.names() == []


@pytest.mark.req("IN-15", "F11")
@pytest.mark.parametrize(
    ("caller", "agent", "expected", "state", "alarm"),
    [
        (None, None, 5.0, S.MISSING, Alarm.NO_FILE),
        (b"", b"", 5.0, S.EMPTY, Alarm.NO_SAMPLES),
        (wav_file(b""), wav_file(b""), 5.0, S.EMPTY, Alarm.NO_SAMPLES),
        (wav_file(bytes(80000)), wav_file(bytes(80000)), 5.0, S.EMPTY, Alarm.NO_SOUND),
        (wav_file(tone(5)), wav_file(tone(5)), 7.1, S.SHORT, Alarm.SHORTER_THAN_CALL),
        (wav_file(tone(5)), wav_file(tone(5)), 6.9, S.READY, None),
        (wav_file(tone(5)), wav_file(tone(5)), 2.9, S.PARTIAL, Alarm.LONGER_THAN_CALL),
        (wav_file(tone(5)), wav_file(tone(5)), None, S.READY, None),
        (wav_file(tone(5)), None, 5.0, S.PARTIAL, Alarm.ONE_SIDE_MISSING),
        (wav_file(tone(5)), wav_file(b""), 5.0, S.PARTIAL, Alarm.ONE_SIDE_MISSING),
        (wav_file(tone(5), declared=0), wav_file(tone(5)), 5.0, S.PARTIAL, Alarm.HEADER_REPAIRED),
        (b"x" * 99, b"x" * 99, 5.0, S.PARTIAL, Alarm.UNREADABLE),
    ],
)
async def test_what_is_wrong_is_a_state_and_an_alarm(
    library: Library,
    database: Database,
    spool: Spool,
    now: datetime,
    *,
    caller: bytes | None,
    agent: bytes | None,
    expected: float | None,
    state: RecordingState,
    alarm: Alarm | None,
) -> None:
    spool.put(CALL, caller, agent)
    found = await taken_in(library, database, expected, now)
    assert (found.state, found.alarm) == (state, alarm)
    assert await library.register(CALL, expected_seconds=expected, now=now, patience_s=0) is None
    assert ((await row(database)).state, (await row(database)).alarm) == (state, alarm)


@pytest.mark.req("F11")
async def test_a_missing_file_is_looked_for_after_5_s_60_s_and_10_min(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    assert (await taken_in(library, database, 5, now)).next_scan_at == now + 5 * SECOND
    assert await library.rescan(now + 4 * SECOND) == []
    waits = []
    at = now
    for _ in range(3):
        at = (await row(database)).next_scan_at or at
        waits.append(at - now)
        await library.rescan(at)
    assert waits == [5 * SECOND, 65 * SECOND, 665 * SECOND]
    final = await row(database)
    assert (final.state, final.next_scan_at, final.scans) == (S.MISSING, None, 4)
    spool.call(5)
    assert await library.rescan(at + timedelta(days=1)) == []
    assert [change.payload["state"] for change in await library.sweep(at)] == ["ready"]


@pytest.mark.req("F11")
async def test_a_late_file_is_taken_in_and_the_alarm_ends(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    assert (await taken_in(library, database, 5, now)).state is S.MISSING
    spool.call(5)
    changes = await library.rescan(now + 5 * SECOND)
    assert [(change.payload["state"], change.payload["alarm"]) for change in changes] == [("ready", None)]


@pytest.mark.req("F11", "N5")
async def test_swapped_files_are_two_alarms(library: Library, database: Database, spool: Spool, now: datetime) -> None:
    """Two calls of 5 and 9 seconds have each the other's voice: neither is taken for its own."""
    other = CALL[:-1] + "7"
    spool.call(9, CALL)
    spool.call(5, other)
    for call, seconds in ((CALL, 5.0), (other, 9.0)):
        await library.register(call, expected_seconds=seconds, now=now, patience_s=0)
    found = {call: await row(database, call) for call in (CALL, other)}
    assert {call: (each.state, each.alarm) for call, each in found.items()} == {
        CALL: (S.PARTIAL, Alarm.LONGER_THAN_CALL),
        other: (S.SHORT, Alarm.SHORTER_THAN_CALL),
    }
    assert all(each.playable for each in found.values())


@pytest.mark.req("F13")
async def test_files_of_a_crashed_exchange_are_repaired_at_once(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    """Nobody writes them any more, so nothing is waited for."""
    spool.put(CALL, wav_file(tone(4), declared=0), wav_file(tone(4), declared=0), done=False)
    await library.register(CALL, expected_seconds=None, now=now, crashed=True)
    found = await row(database)
    assert (found.state, found.alarm, found.seconds) == (S.PARTIAL, Alarm.HEADER_REPAIRED, 4.0)


@pytest.mark.req("F13")
async def test_files_of_a_crash_are_left_alone_for_a_minute_and_then_repaired(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    spool.put(CALL, wav_file(tone(4), declared=0), wav_file(tone(4), declared=0), done=False)
    assert (await taken_in(library, database, 5, now)).alarm is Alarm.NOT_FINISHED
    await library.rescan(now + 5 * SECOND)
    assert (await row(database)).state is S.EXPECTED
    await library.rescan(now + 65 * SECOND)
    found = await row(database)
    assert (found.state, found.alarm, found.seconds) == (S.PARTIAL, Alarm.HEADER_REPAIRED, 4.0)
    assert found.playable


async def test_a_full_disk_keeps_the_spool_and_is_tried_without_end(
    library: Library, database: Database, spool: Spool, root: Path, now: datetime
) -> None:
    (root / "2026").write_text("in the way")
    spool.call(5)
    found = await taken_in(library, database, 5, now)
    for _ in range(5):
        assert (found.state, found.alarm) == (S.EXPECTED, Alarm.NOT_STORED)
        assert found.next_scan_at is not None
        await library.rescan(found.next_scan_at)
        found = await row(database)
    (root / "2026").unlink()
    assert found.next_scan_at is not None
    await library.rescan(found.next_scan_at)
    assert (await row(database)).state is S.READY


async def test_files_without_a_row_are_swept_in_but_not_of_running_calls(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    other = CALL.replace("123456", "999999")
    spool.call(3)
    spool.call(4, other, done=False)
    (spool.folder / "notes.txt").touch()
    changes = await library.sweep(now, running=frozenset({other}))
    assert [change.subject_id for change in changes] == [CALL]
    assert spool.names() == [f"{other}-in.wav", f"{other}-out.wav", "notes.txt"]


async def test_a_symbolic_link_in_the_spool_is_no_recording(
    library: Library, database: Database, spool: Spool, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "secret.wav").write_bytes(wav_file(tone(5)))
    for side in ("in", "out"):
        (spool.folder / f"{CALL}-{side}.wav").symlink_to(tmp_path / "secret.wav")
    spool.put(CALL)
    assert (await taken_in(library, database, 5, now)).state is S.MISSING


async def test_a_strange_call_id_is_refused(library: Library, now: datetime) -> None:
    for bad in ("../../../etc/passwd", "", "x y"):
        with pytest.raises(Invalid):
            await library.register(bad, expected_seconds=1, now=now)


@pytest.fixture
async def ready(
    library: Library, database: Database, spool: Spool, staff: dict[str, Actor], now: datetime
) -> Recording:
    """A recording of a call that agent 1001 took."""
    spool.call(5)
    await library.register(CALL, expected_seconds=5, now=now, patience_s=0)
    async with database.write() as conn:
        await conn.execute(
            insert(contact).values(
                public_id="c1", kind="call", direction="in", external_id=CALL, at=now, staff_id=staff["1001"].staff_id
            )
        )
    return await row(database)


@pytest.mark.req("TL-51", "AU-01", "S19")
async def test_each_playback_is_logged_and_the_link_is_bound_to_the_person(
    library: Library, database: Database, *, ready: Recording, staff: dict[str, Actor], root: Path, now: datetime
) -> None:
    lin = staff["1001"]
    link = await library.link(lin, ready.public_id, now)
    for each in (None, "bytes=0-99", "bytes=100-"):
        media = await library.open(lin, link.token, now, byte_range=each)
        with media.file as file:
            assert file.read() == (root / str(ready.path)).read_bytes()
        assert (media.size, media.filename, media.purpose) == (ready.size, f"{CALL}.wav", Purpose.PLAY)
    for person, at in ((staff["2001"], now), (lin, now + timedelta(minutes=5))):
        with pytest.raises(Forbidden):
            await library.open(person, link.token, at)
    async with database.read() as conn:
        rows = (await conn.execute(select(query_log).order_by(query_log.c.id))).all()
    assert [(each.actor_number, each.verb, each.payload["range"]) for each in rows] == [
        ("1001", "recording.played", None), ("1001", "recording.played", "bytes=0-99"),
        ("1001", "recording.played", "bytes=100-"),
    ]  # fmt: skip


@pytest.mark.req("AU-02")
async def test_who_may_hear_a_recording(
    library: Library, ready: Recording, staff: dict[str, Actor], now: datetime
) -> None:
    for number, may in (
        ("1001", True),
        ("1002", False),
        ("2001", True),
        ("3001", True),
        ("5001", False),
        ("9001", None),
    ):
        if may:
            assert (await library.get(staff[number], ready.public_id)).call_id == CALL
            continue
        with pytest.raises(Forbidden if may is None else NotFound):
            await library.link(staff[number], ready.public_id, now)


async def test_a_file_that_went_away_is_not_found(
    library: Library, ready: Recording, staff: dict[str, Actor], root: Path, now: datetime
) -> None:
    link = await library.link(staff["1001"], ready.public_id, now, Purpose.DOWNLOAD)
    (root / str(ready.path)).unlink()
    with pytest.raises(NotFound):
        await library.open(staff["1001"], link.token, now)


async def test_nothing_recorded_has_no_link(
    library: Library, database: Database, staff: dict[str, Actor], now: datetime
) -> None:
    await database.write_whole(lambda conn: library.expect(conn, CALL, now))
    expected = await row(database)
    assert expected.state is S.EXPECTED
    with pytest.raises(NotFound):
        await library.link(staff["2001"], expected.public_id, now)
    with pytest.raises(NotFound):
        await library.peaks(expected)
    async with database.read() as conn:
        assert set(await records.of_calls(conn, [CALL, "unknown-call"])) == {CALL}


@pytest.mark.req("TL-21")
async def test_a_message_has_one_side_and_no_mark(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    key = f"{CALL}-msg-1"
    (spool.folder / f"{key}.wav").write_bytes(wav_file(tone(7)))
    await library.register(key, expected_seconds=7.02, now=now)
    found = await row(database, key)
    assert (found.state, found.alarm, found.seconds) == (S.READY, None, 7.0)
    assert found.path == f"2026/03/10/{key}.wav"
    assert spool.names() == []


@pytest.mark.req("TL-24")
async def test_messages_nobody_has_taken_in_are_left_alone(
    library: Library, database: Database, spool: Spool, now: datetime
) -> None:
    for number, beside in ((1, ".open"), (2, ".json"), (3, None)):
        (spool.folder / f"{CALL}-msg-{number}.wav").write_bytes(wav_file(tone(3)))
        if beside:
            (spool.folder / f"{CALL}-msg-{number}{beside}").write_text("{}")
    assert [change.subject_id for change in await library.sweep(now)] == [f"{CALL}-msg-3"]
    assert spool.names() == sorted(
        [f"{CALL}-msg-1.open", f"{CALL}-msg-1.wav", f"{CALL}-msg-2.json", f"{CALL}-msg-2.wav"]
    )
    await library.register(f"{CALL}-msg-1", expected_seconds=3, now=now)  # still being spoken
    found = await row(database, f"{CALL}-msg-1")
    assert (found.state, found.alarm, found.next_scan_at) == (S.EXPECTED, Alarm.NOT_FINISHED, now + 5 * SECOND)
    (spool.folder / f"{CALL}-msg-1.open").unlink()
    await library.rescan(now + 5 * SECOND)
    assert (await row(database, f"{CALL}-msg-1")).state is S.READY
