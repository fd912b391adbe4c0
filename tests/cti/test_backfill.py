"""Asterisk's journals read on from where they were left: rotation, cuts, half lines, portions, closed calls (TL-70)."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti import store
from cti.backfill import CEL, Backfill, Place, Portion, end_of, ends_told, journal_files, read_on
from cti.calls.effects import CompleteCall
from cti.calls.events import JournalRead
from cti.calls.model import CallRecord, Floor
from cti.calls.reducer import close_all, reduce
from ticketing.db import Database

DATA = Path(__file__).resolve().parents[1] / "data" / "journals"
NOW = datetime(2026, 11, 28, 23, 16, tzinfo=UTC)
CALLS = {"20261128231458-000000932384": "abandoned", "20261128231516-000020784685": "answered"}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "queue_log"
    path.write_text("one\ntwo\n", encoding="utf-8")
    return path


def add(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def onwards(path: Path, place: Place | None = None) -> tuple[list[str], Portion]:
    """Everything up to the end, portion by portion."""
    lines: list[str] = []
    while True:
        portion = read_on(path, place)
        lines += portion.lines
        place = portion.place
        if portion.done:
            return lines, portion


def test_only_what_is_new_and_whole_is_read(journal: Path) -> None:
    lines, first = onwards(journal)
    assert lines == ["one", "two"]
    add(journal, "three\nfo")
    lines, second = onwards(journal, first.place)
    assert lines == ["three"]
    add(journal, "ur\n")
    assert onwards(journal, second.place)[0] == ["four"]
    assert onwards(journal, onwards(journal)[1].place)[0] == []


def test_a_rotated_journal_is_read_to_its_end_first(journal: Path) -> None:
    place = onwards(journal)[1].place
    add(journal, "three\n")
    journal.rename(journal.with_name("queue_log.0"))
    journal.write_text("four\n", encoding="utf-8")
    os.utime(journal.with_name("queue_log.0"), ns=(1, 1))
    lines, portion = onwards(journal, place)
    assert (lines, portion.lost) == (["three", "four"], False)
    assert portion.place == end_of(journal)
    assert onwards(journal)[0] == ["one", "two", "three", "four"]


def test_two_rotations_in_one_absence(journal: Path) -> None:
    place = onwards(journal)[1].place
    for number, text in enumerate(("three\n", "four\n")):
        add(journal, text)
        older = journal.with_name(f"queue_log-2026112{number}")
        journal.rename(older)
        os.utime(older, ns=(number, number))
        journal.write_text("", encoding="utf-8")
    add(journal, "five\n")
    assert onwards(journal, place)[0] == ["three", "four", "five"]


def test_a_journal_that_was_cut_or_is_gone_is_said_to_be_lost(journal: Path) -> None:
    place = onwards(journal)[1].place
    journal.write_text("new\n", encoding="utf-8")
    portion = read_on(journal, place)
    assert (portion.lines, portion.lost) == (("new",), True)
    gone = read_on(journal, Place(1, 5))
    assert (gone.lines, gone.lost) == (("new",), True)
    journal.unlink()
    nothing = read_on(journal, place)
    assert (nothing.lines, nothing.place, nothing.done, end_of(journal)) == ((), place, True, None)


def test_a_packed_one_is_passed_over(journal: Path) -> None:
    place = onwards(journal)[1].place
    journal.rename(journal.with_name("queue_log.1.gz"))
    journal.write_text("three\n", encoding="utf-8")
    assert read_on(journal, place).lost


def test_a_long_journal_comes_in_portions_of_whole_lines(journal: Path) -> None:
    add(journal, "".join(f"line {number}\n" for number in range(100)))
    place: Place | None = None
    lines: list[str] = []
    portions = 0
    while True:
        portion = read_on(journal, place, 64)
        lines += portion.lines
        place, portions = portion.place, portions + 1
        if portion.done:
            break
    assert lines == ["one", "two", *(f"line {number}" for number in range(100))]
    assert portions > 10
    add(journal, "x" * 200 + "\nend\n")
    while not (portion := read_on(journal, place, 64)).done:
        place = portion.place
    assert portion.lines[-1] == "end"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Asterisk's log folder with two real calls."""
    files = journal_files(tmp_path)
    files["cel"].parent.mkdir()
    files["cel"].write_bytes((DATA / "two_calls.csv").read_bytes())
    files["queue_log"].write_bytes((DATA / "two_calls.queue_log").read_bytes())
    return tmp_path


async def pages(backfill: Backfill, floor: Floor) -> list[CallRecord]:
    """Reads, reduces and closes; the final records."""
    done = []
    async for page in backfill.pages(NOW):
        assert isinstance(page, JournalRead)
        reduce(floor, page)
        done += [effect.record for effect in close_all(floor) if isinstance(effect, CompleteCall)]
    floor.done.clear()
    return done


async def save(database: Database, backfill: Backfill, records: list[CallRecord]) -> None:
    """As the keeper of the floor saves: both in one transaction."""
    read_to = backfill.unsaved()
    async with database.write() as conn:
        await store.save_calls(conn, records)
        await store.set_offsets(conn, read_to, NOW)
    backfill.saved(read_to)


@pytest.mark.req("TL-70", "N2")
async def test_calls_of_an_outage_have_one_record_whoever_reads_again(database: Database, log: Path) -> None:
    floor = Floor()
    backfill = Backfill(database, floor, log)
    records = await pages(backfill, floor)
    assert {record.call_id: str(record.outcome) for record in records} == CALLS
    assert backfill.health == (True, f"read at 23:16:00, {backfill.facts} facts")
    await save(database, backfill, records)
    assert backfill.unsaved() == {}
    assert await pages(backfill, floor) == []
    again = Floor()
    successor = Backfill(database, again, log)
    assert await pages(successor, again) == []


@pytest.mark.req("TL-70", "N2")
async def test_a_crash_before_the_save_loses_nothing_and_one_after_doubles_nothing(
    database: Database, log: Path
) -> None:
    """Not saved: read again. Records saved and read from the beginning once more: closed calls stay closed."""
    first = Floor()
    records = await pages(Backfill(database, first, log), first)
    second = Floor()
    assert await pages(Backfill(database, second, log), second) == records
    async with database.write() as conn:
        await store.save_calls(conn, records)
    third = Floor()
    assert await pages(Backfill(database, third, log), third) == []
    assert third.calls == {}


async def test_an_open_call_of_the_database_is_completed(database: Database, log: Path) -> None:
    floor = Floor()
    (abandoned, answered) = await pages(Backfill(database, floor, log), floor)
    half = replace(answered, outcome=None, ended_at=None, version=1, offers=answered.offers[:1])
    async with database.write() as conn:
        await store.save_calls(conn, [abandoned, half])
    later = Floor()
    (done,) = await pages(Backfill(database, later, log), later)
    assert (done.call_id, done.answered_by) == (answered.call_id, "1002")


async def test_what_was_heard_anyway_is_passed_over_unless_there_was_a_gap(database: Database, log: Path) -> None:
    floor = Floor()
    backfill = Backfill(database, floor, log)
    await backfill.keep_up()
    assert floor.read_to == {}
    await backfill.keep_up()
    assert floor.read_to["cel"][1] == (DATA / "two_calls.csv").stat().st_size
    assert await pages(backfill, floor) == []
    other = Floor()
    gapped = Backfill(database, other, log)
    await gapped.keep_up()
    gapped.gap()
    await gapped.keep_up()
    assert other.read_to == {}


async def test_an_asterisk_elsewhere_has_no_journals_here(database: Database) -> None:
    floor = Floor()
    backfill = Backfill(database, floor, None)
    assert await pages(backfill, floor) == []
    assert backfill.health == (True, "not readable here: after a gap only live state is known")
    backfill.failed(OSError("gone"))
    assert not backfill.health[0]


def placed(second: int, channel: str, status: str, kind: str = "HANGUP") -> str:
    """A line of the channel event log about a call the product placed."""
    extra = json.dumps({"hangupcause": 17, "hangupsource": "", "dialstatus": status}).replace('"', '""')
    return (
        f'"{1795907712 + second}.971007","{kind}","{channel}","{channel}","Local/x@cti-out-1;2","Dial","","{extra}"\n'
    )


@pytest.mark.req("TL-70", "F19")
def test_the_ends_of_placed_calls_are_read_from_the_newest_logs(tmp_path: Path) -> None:
    assert ends_told(None) == {}
    assert ends_told(tmp_path) == {}, "there is none yet"
    log = journal_files(tmp_path)[CEL]
    log.parent.mkdir()
    older = log.with_name("hotline.csv.1")
    older.write_text(placed(0, "cb-100000017-1", "BUSY"), encoding="utf-8")
    lines = placed(5, "cb-100000017-2", "NOANSWER") + placed(6, "1795907698.0", "CANCEL")
    lines += placed(7, "cb-100000017-3", "BUSY", "CHAN_END") + placed(8, "cb-100000025-1-a", "ANSWER")
    lines += placed(9, "cb-100000033-1", "BUSY")[:60]
    log.write_text(lines, encoding="utf-8")
    os.utime(older, (1, 1))
    assert ends_told(tmp_path) == {
        "cb-100000017-1": "BUSY",
        "cb-100000017-2": "NOANSWER",
        "cb-100000025-1-a": "ANSWER",
    }, "ends of placed calls, whole lines only"
