"""Every part that may be degraded says so, and everything is there as numbers (TL-62)."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cti import descriptors
from cti.ami.decode import decode
from cti.ami.frames import Frame
from cti.ami.link import CoreState, Down, LinkState, Up
from cti.calls.model import CallRecord, Floor
from cti.calls.reducer import reduce, take_changed
from cti.journal import Journal
from cti.pump import Pump
from cti.vitals import Backlog, Organs, Vitals, backlog_of
from ivr.connection import AgiConnection
from ivr.server import FastAgiServer
from tests.calls.stories import Caller, at, feed, finish, member

NOON = at(60)
UP = Up(CoreState("22.10.1", "9", "", ""))


@dataclass
class Body:
    """A service whose parts can be hurt."""

    folder: Path
    agi: FastAgiServer
    floor: Floor = field(default_factory=Floor)
    link: LinkState = UP
    holds: bool = True
    now: datetime = NOON
    floor_bytes: int = 0
    database_fails: bool = False

    def __post_init__(self) -> None:
        self.spool = self.folder / "spool"
        self.spool.mkdir()
        self.journal = Journal(self.folder / "journal", b"k" * 32)
        self.pump = Pump(
            self.floor, token="t" * 32, decode=decode, reduce=reduce, take_changed=take_changed, save=self._save,
            perform=self._perform, clock=lambda: self.now,
            monotonic=self._monotonic, retry_first_s=60,
        )  # fmt: skip

    def _monotonic(self) -> float:
        return self.now.timestamp()

    async def _save(self, records: Sequence[CallRecord]) -> None:
        if self.database_fails:
            raise OSError("gone")

    async def _perform(self, effect: object) -> None:
        """Nothing follows."""

    @property
    def vitals(self) -> Vitals:
        return Vitals(
            Organs(
                link=lambda: self.link, floor=self.floor, pump=self.pump, agi=self.agi, journal=self.journal,
                spool=self.spool, disks=(self.folder,), floor_bytes=self.floor_bytes, holds=lambda: self.holds,
                clock=lambda: self.now,
            )
        )  # fmt: skip

    async def bad(self) -> set[str]:
        """Names of the parts that say they are not well."""
        return {part.name for part in await self.vitals.parts() if not part.ok}


async def _step(line: AgiConnection) -> None:
    await line.set("CTI_LANG", "zh")


@pytest.fixture
async def body(tmp_path: Path) -> AsyncIterator[Body]:
    agi = FastAgiServer("127.0.0.1", 0, "s" * 32, {"entry": _step})
    await agi.start()
    made = Body(tmp_path, agi)
    yield made
    made.journal.close()
    await agi.stop()


def message(body: Body, name: str, age_s: float) -> Path:
    path = body.spool / name
    path.write_text("{}", encoding="utf-8")
    when = (body.now - timedelta(seconds=age_s)).timestamp()
    os.utime(path, (when, when))
    return path


@pytest.mark.req("TL-62")
async def test_a_well_service_says_of_every_part_that_it_is_well(body: Body) -> None:
    parts = await body.vitals.parts()
    assert [part.name for part in parts if part.ok] == [
        "lease", "ami", "events", "filter", "fastagi", "disk", "spool", "journal", "clock",
        "descriptors", "records",
    ]  # fmt: skip
    assert all(part.text for part in parts)
    vitals = body.vitals
    assert vitals.serving
    vitals.dialler = lambda: False
    assert [(part.name, part.ok) for part in await vitals.parts()][2] == ("dialler", False)


@pytest.mark.req("TL-62", "F12", "F09")
async def test_each_part_that_is_hurt_is_named_alone(body: Body) -> None:
    body.link = Down("no route")
    assert await body.bad() == {"ami"}
    assert not body.vitals.serving
    body.link, body.holds = UP, False
    assert await body.bad() == {"lease"}
    assert not body.vitals.serving
    body.holds, body.floor_bytes = True, 2**60
    assert await body.bad() == {"disk"}
    body.floor_bytes = 0
    vitals = body.vitals
    vitals.filtered = False
    assert {part.name for part in await vitals.parts() if not part.ok} == {"filter"}
    await body.agi.stop()
    assert await body.bad() == {"fastagi"}
    assert not body.vitals.serving


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    """Room for two more files or sockets."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used, _ = descriptors.now()
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 3, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.req("TL-62", "F29")
async def test_too_few_descriptors_are_named_also_when_there_is_none(body: Body, few_descriptors: None) -> None:
    assert "descriptors" in await body.bad()
    held: list[int] = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        used, most = descriptors.now()
        assert used == most
        assert "descriptors" in await body.bad()
    finally:
        for each in held:
            os.close(each)


@pytest.mark.req("TL-62", "F29")
async def test_connections_of_pages_are_told_before_none_is_let_in(body: Body) -> None:
    vitals = body.vitals
    vitals.page = lambda: (89, 100, 0)
    assert all(part.ok for part in await vitals.parts())
    body.now += timedelta(seconds=1)
    vitals.page = lambda: (90, 100, 7)
    (bad,) = [part for part in await vitals.parts() if not part.ok]
    assert (bad.name, bad.text) == ("page", "90 of 100 connections of pages open, 7 turned away")


@pytest.mark.req("TL-62", "F22", "F30")
async def test_the_process_tells_its_stalls_and_the_lines_it_lost(body: Body) -> None:
    vitals = body.vitals
    vitals.stalled_s, vitals.log_lost = lambda: 0.25, lambda: 7
    told = numbers(await vitals.metrics([]))
    assert told["hotline_loop_stall_seconds", ""] == 0.25
    assert told["hotline_log_lines_lost_total", ""] == 7
    assert 0 < told["hotline_descriptors_open", ""] < told["hotline_descriptors_most", ""]


@pytest.mark.req("TL-62", "F22")
async def test_a_journal_and_a_database_that_take_nothing_are_named(body: Body, tmp_path: Path) -> None:
    body.journal = Journal(tmp_path / "gone", b"k" * 32)
    (tmp_path / "gone").rmdir()
    body.journal.append(Frame(b"Event: Hangup\r\nUniqueid: 1"), body.now)
    body.journal.flush()
    assert await body.bad() == {"journal"}
    body.journal = Journal(tmp_path / "journal", b"k" * 32)
    body.database_fails = True
    running = asyncio.create_task(body.pump.run())
    body.pump.put_event(Caller().entered(0))
    while not body.pump.figures().save_failures:  # noqa: ASYNC110 - the pump tells nobody that it failed
        await asyncio.sleep(0.01)
    assert await body.bad() == {"records"}
    body.database_fails = False
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await body.bad() == set()


@pytest.mark.req("TL-24", "TL-62")
async def test_messages_that_wait_too_long_or_cannot_be_read_are_named(body: Body) -> None:
    message(body, "a-msg-1.json", 100)
    assert await body.bad() == set()
    message(body, "b-msg-1.json", 300)
    said = next(part for part in await body.vitals.parts() if part.name == "spool")
    assert (said.ok, said.text) == (False, "2 messages wait to be taken in, the oldest for 300 s")
    for path in body.spool.iterdir():
        path.unlink()
    message(body, "c-msg-1.unreadable", 1)
    assert await body.bad() == {"spool"}
    message(body, "d-msg-2.open", 900)
    assert backlog_of(body.spool) == Backlog(0, 1, None)
    assert backlog_of(body.spool / "no") == Backlog(0, 0, None)


async def test_a_look_is_kept_for_a_second(body: Body) -> None:
    vitals = body.vitals
    first = await vitals.parts()
    body.holds = False
    assert await vitals.parts() is first
    body.now += timedelta(seconds=1)
    assert not (await vitals.parts())[0].ok


def numbers(text: bytes) -> dict[tuple[str, str], float]:
    """Every sample by its name and its one label."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        assert family.documentation
        for sample in family.samples:
            found[sample.name, ",".join(sample.labels.values())] = sample.value
    return found


@pytest.mark.req("TL-33", "TL-12", "TL-62")
async def test_the_numbers_of_a_small_day(body: Body) -> None:
    """One was answered in time and one gave up, one waits beside an agent who talks and one who pauses."""
    floor, answered, gone, waits = body.floor, Caller(1), Caller(2), Caller(3)
    a, b = "PJSIP/1001", "PJSIP/1002"
    feed(floor, [member(-9, a), member(-9, b, paused=True, reason="break"), member(-9, b, "senior", paused=True)])
    feed(floor, [*answered.asks(0), answered.offered(3, a), *answered.talks(5, 20, a)])
    feed(floor, [*gone.asks(8), gone.left(20), gone.abandoned(20), gone.ended(20.1, "queue"), gone.hung_up(20.1)])
    finish(floor, 21)
    feed(floor, [*waits.asks(28)])
    message(body, "a-msg-1.json", 7)
    told = numbers(await body.vitals.metrics([100.0, 200.0, 300.0]))
    expected = {
        ("hotline_queue_waiting", "complaint"): 1,
        ("hotline_queue_waiting", "senior"): 0,
        ("hotline_queue_longest_wait_seconds", "complaint"): 30,
        ("hotline_agents", "wrap_up"): 1,
        ("hotline_agents", "paused"): 1,
        ("hotline_agents", "idle"): 0,
        ("hotline_calls_total", "answered"): 1,
        ("hotline_calls_total", "abandoned"): 1,
        ("hotline_calls_total", "failed"): 0,
        ("hotline_asked_total", ""): 2,
        ("hotline_answered_within_target_total", ""): 1,
        ("hotline_answer_seconds_count", ""): 1,
        ("hotline_answer_seconds_sum", ""): 4,
        ("hotline_pop_latency_seconds", "0.5"): 0.2,
        ("hotline_ami_up", ""): 1,
        ("hotline_lease_held", ""): 1,
        ("hotline_agi_sessions", ""): 0,
        ("hotline_event_lag_seconds", ""): 0,
        ("hotline_journal_lost_total", ""): 0,
        ("hotline_spool_messages", ""): 1,
        ("hotline_spool_oldest_seconds", ""): 7,
        ("hotline_disk_floor_bytes", ""): 0,
    }
    assert {key: told[key] for key in expected} == expected
    assert told["hotline_disk_free_bytes", body.folder.name] > 0
    assert ("hotline_dialler_up", "") not in told
    vitals = body.vitals
    vitals.dialler = lambda: True
    assert numbers(await vitals.metrics([]))["hotline_dialler_up", ""] == 1


async def test_the_numbers_of_a_service_that_has_done_nothing(body: Body) -> None:
    body.now = datetime(2026, 3, 10, tzinfo=UTC)
    told = numbers(await body.vitals.metrics([]))
    assert not any(name == "hotline_pop_latency_seconds" for name, _ in told)
    assert told["hotline_answer_seconds_count", ""] == 0
