"""How the service does: every part that may be degraded in one sentence (health), and everything as numbers (metrics).

Health is asked by anybody, so a look is kept for a second. Numbers are made when they are asked for.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

from cti import descriptors
from cti.ami.link import Down, LinkState, Up
from cti.calls import figures
from cti.calls.events import OUR_CLOCK
from cti.calls.model import Floor
from cti.calls.stats import percentile
from cti.journal import Journal
from cti.pump import Pump
from cti.web.schemas.reference import HealthPart
from ivr.server import FastAgiServer

#: values of a number's labels
Key = TypeVar("Key", bound=tuple[str, ...])

#: how long a look at the parts counts (default)
_KEPT: Final = timedelta(seconds=1)
#: how long the menus' port may take to let a connection in, seconds (default)
_PATIENCE_S: Final = 1.0
#: events that are handled later than this are late (default)
_LATE_MS: Final = 2000
#: a message that waits longer than this to be taken in is late (default)
_WAITS: Final = timedelta(minutes=2)
#: what becomes of the connections of our own Asterisk, and of who went without a word
_OURS: Final = frozenset({"done", "hung_up", "failed", "closed_early"})


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that lie in the spool and are not taken in yet."""

    count: int
    #: sidecars nobody can read: they wait for a person
    unreadable: int
    oldest_at: datetime | None
    #: False when the folder could not be looked through
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Organs:
    """What is looked at."""

    #: the link that brings the events, as it is now
    link: Callable[[], LinkState | None]
    floor: Floor
    pump: Pump
    agi: FastAgiServer
    journal: Journal
    spool: Path
    #: folders that must not run full, and the bytes that must stay free
    disks: tuple[Path, ...]
    floor_bytes: int
    #: True while this process acts
    holds: Callable[[], bool]
    clock: Callable[[], datetime]


class Vitals:
    """Looks at the running service."""

    def __init__(self, organs: Organs) -> None:
        self._organs = organs
        #: False when events arrive that manager.conf should keep back
        self.filtered = True
        #: whether the link that dials callbacks is up; None while callbacks are not dialled
        self.dialler: Callable[[], bool] | None = None
        #: whether Asterisk's journals can be read after a gap, and when they last were; None where there are none
        self.journals: Callable[[], tuple[bool, str]] | None = None
        #: seconds the event loop has stood still at most since the start (F30)
        self.stalled_s: Callable[[], float] = lambda: 0.0
        #: connections of pages that are open, that may be, and that were turned away so far; None before there are any
        self.page: Callable[[], tuple[int, int, int]] | None = None
        #: lines of the log that are kept nowhere (F22)
        self.log_lost: Callable[[], int] = lambda: 0
        self._looked: tuple[datetime, list[HealthPart]] | None = None

    @property
    def serving(self) -> bool:
        """Whether callers can be served from here: link up, menus listening, ours to act. Costs nothing."""
        organs = self._organs
        return isinstance(organs.link(), Up) and organs.agi.listening and organs.holds()

    async def parts(self) -> Sequence[HealthPart]:
        """Each part in a line; the database is asked elsewhere."""
        now = self._organs.clock()
        if self._looked is None or not timedelta(0) <= now - self._looked[0] < _KEPT:
            self._looked = (now, await self._look(now))
        return self._looked[1]

    async def _look(self, now: datetime) -> list[HealthPart]:
        organs, pump = self._organs, self._organs.pump.figures()
        backlog = await asyncio.to_thread(backlog_of, organs.spool)
        free = await asyncio.to_thread(free_bytes, organs.disks)
        parts = [
            HealthPart(
                name="lease", ok=organs.holds(), text=_said(organs.holds(), "this service acts", "another acts")
            ),
            _link_part(organs.link()),
            HealthPart(name="events", ok=pump.lag_ms < _LATE_MS, text=f"{pump.lag_ms:.0f} ms behind"),
            HealthPart(name="filter", ok=self.filtered, text=_said(self.filtered, "events are filtered", "fails open")),
            await self._menus(),
            _disk_part(free, organs.floor_bytes),
            _backlog_part(organs.spool, backlog, now),
            HealthPart(
                name="journal",
                ok=not organs.journal.failing,
                text=f"{organs.journal.lost} events not kept" if organs.journal.lost else "every event is kept",
            ),
            _clock_part(organs.floor),
            _descriptors_part(),
            HealthPart(name="records", ok=not pump.saving_fails, text=f"{pump.unsaved} calls wait to be written down"),
        ]
        if self.journals is not None:
            readable, said = self.journals()
            parts.append(HealthPart(name="journals", ok=readable, text=said))
        if self.page is not None:
            parts.append(_page_part(*self.page()))
        if self.dialler is not None:
            up = self.dialler()
            parts.insert(2, HealthPart(name="dialler", ok=up, text=_said(up, "can place calls", "no connection")))
        return parts

    async def _menus(self) -> HealthPart:
        """Callers in menus now, connections that were refused (S08), and whether one is let in at all."""
        agi = self._organs.agi
        if not await _answers(agi):
            return HealthPart(name="fastagi", ok=False, text="nobody listens: callers are rescued by the dialplan")
        refused = sum(count for what, count in agi.counts.items() if what not in _OURS)
        return HealthPart(
            name="fastagi", ok=True, text=f"{agi.connections} calls in menus, {refused} connections refused"
        )

    def _own_metrics(self) -> Iterator[Metric]:
        """The process itself."""
        used, most = descriptors.now()
        yield _gauge("loop_stall_seconds", "Longest stop of the event loop since the start.", {(): self.stalled_s()})
        yield _counter("log_lines_lost", "Lines of the log that were not written or shown.", {(): self.log_lost()})
        yield _gauge("descriptors_open", "Files and sockets that are open.", {(): used})
        yield _gauge("descriptors_most", "Files and sockets that may be open.", {(): most})

    async def metrics(self, pops_ms: Sequence[float]) -> bytes:
        """Everything as numbers, in the text form of Prometheus; `pops_ms` are the last pops' times to paint."""
        organs = self._organs
        backlog = await asyncio.to_thread(backlog_of, organs.spool)
        free = await asyncio.to_thread(free_bytes, organs.disks)
        families = [
            *_floor_metrics(organs.floor, organs.clock()),
            *_link_metrics(organs, self.dialler),
            *_pump_metrics(organs.pump),
            *_rest(organs, backlog, free, pops_ms),
            *self._own_metrics(),
        ]
        registry = CollectorRegistry()
        registry.register(_Given(families))
        return generate_latest(registry)


class _Given:
    """A collector of families that are made already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """The families."""
        return self._families


def backlog_of(spool: Path) -> Backlog:
    """Counts what waits in the spool; a folder that is not there holds nothing, one that cannot be read is told so."""
    times: list[float] = []
    unreadable = 0
    try:
        there = list(spool.glob("*-msg-*")) if spool.is_dir() else []
    except OSError:  # no descriptor is left, or the disk has failed: health must say so, not fail with it
        return Backlog(0, 0, None, readable=False)
    for path in there:
        unreadable += path.suffix == ".unreadable"
        if path.suffix == ".json":
            with suppress(FileNotFoundError):  # taken in meanwhile
                times.append(path.stat().st_mtime)
    oldest_at = datetime.fromtimestamp(min(times), UTC) if times else None
    return Backlog(len(times), unreadable, oldest_at)


def free_bytes(folders: Iterable[Path]) -> dict[Path, int]:
    """Free space of each folder's disk; one that cannot be looked at has none."""
    found = {}
    for folder in folders:
        found[folder] = 0
        with suppress(OSError):
            found[folder] = shutil.disk_usage(folder).free
    return found


def _said(ok: bool, good: str, bad: str) -> str:
    return good if ok else bad


def _link_part(state: LinkState | None) -> HealthPart:
    said = f"Asterisk {state.core.version}" if isinstance(state, Up) else "no connection"
    if isinstance(state, Down):
        said = f"no connection: {state.reason}"
    return HealthPart(name="ami", ok=isinstance(state, Up), text=said)


def _descriptors_part() -> HealthPart:
    """Past nine tenths the next callers and pages may not be let in (F29)."""
    used, most = descriptors.now()
    return HealthPart(name="descriptors", ok=used < 0.9 * most, text=f"{used} of {most} files and sockets open")


def _page_part(used: int, most: int, refused: int) -> HealthPart:
    """Past nine tenths the next pages may not be let in (F29)."""
    said = f"{used} of {most} connections of pages open, {refused} turned away"
    return HealthPart(name="page", ok=used < 0.9 * most, text=said)


def _disk_part(free: Mapping[Path, int], floor_bytes: int) -> HealthPart:
    least = min(free.values(), default=0)
    text = f"{least // 2**20} MiB free, at least {floor_bytes // 2**20} needed"
    return HealthPart(name="disk", ok=least >= floor_bytes, text=text)


def _clock_part(floor: Floor) -> HealthPart:
    """Whether Asterisk's clock goes with ours, and when one of the two was set last (F20, P15)."""
    apart = floor.stamps_moved_ms / 1000
    said = f"Asterisk's is {abs(apart):.1f} s {'behind' if apart > 0 else 'ahead'}: allowed for" if apart else "as one"
    if floor.steps:
        last = floor.steps[-1]
        whose = "ours" if last.whose == OUR_CLOCK else "Asterisk's"
        said += f"; {whose} was set by {last.by_ms / 1000:+.1f} s at {last.at:%H:%M:%S}"
    return HealthPart(name="clock", ok=not apart, text=said)


def _backlog_part(spool: Path, backlog: Backlog, now: datetime) -> HealthPart:
    """Late messages, unreadable ones, and a folder that is not there."""
    if not spool.is_dir():
        return HealthPart(name="spool", ok=False, text="the folder of voice files is not there")
    if not backlog.readable:
        return HealthPart(name="spool", ok=False, text="the folder of voice files cannot be read")
    late = backlog.oldest_at is not None and now - backlog.oldest_at > _WAITS
    text = "nothing waits to be taken in"
    if backlog.oldest_at is not None:
        waited = max(0, round((now - backlog.oldest_at).total_seconds()))
        text = f"{backlog.count} messages wait to be taken in, the oldest for {waited} s"
    if backlog.unreadable:
        text += f"; {backlog.unreadable} cannot be read"
    return HealthPart(name="spool", ok=not late and not backlog.unreadable, text=text)


async def _answers(agi: FastAgiServer) -> bool:
    """Whether the menus' port takes a connection now."""
    if not agi.listening:
        return False
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(agi.host, agi.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


# -- numbers -------------------------------------------------------------------------------------------------------


def _gauge(name: str, text: str, values: Mapping[Key, float], labels: Sequence[str] = ()) -> Metric:
    family = GaugeMetricFamily(f"hotline_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, values: Mapping[Key, float], labels: Sequence[str] = ()) -> Metric:
    family = CounterMetricFamily(f"hotline_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _floor_metrics(floor: Floor, now: datetime) -> Iterator[Metric]:
    """Queues, agents, and what became of the calls since the start."""
    views = figures.queue_views(floor, now)
    waits = {(view.queue,): max((one.waited_ms for one in view.waiting), default=0) / 1000 for view in views}
    yield _gauge("queue_waiting", "Callers who wait.", {(v.queue,): len(v.waiting) for v in views}, ["queue"])
    yield _gauge("queue_longest_wait_seconds", "Wait of who waits longest.", waits, ["queue"])
    yield _gauge("queue_talking", "Callers who talk.", {(v.queue,): v.talking for v in views}, ["queue"])
    states = Counter(figures.agent_states(views).values())
    agents = {(state,): states[state] for state in figures.STATES}
    yield _gauge("agents", "Agents signed in, by what they do.", agents, ["state"])
    done = floor.done_so_far
    ended = {(outcome.value,): count for outcome, count in done.outcomes.items()}
    yield _counter("calls", "Calls that are over, by outcome; they add up.", ended, ["outcome"])
    yield _counter("asked", "Callers who asked for a person, of the calls that are over.", {(): done.asked})
    yield _counter("answered_within_target", "Of them, answered in time.", {(): done.in_time})
    answers = SummaryMetricFamily("hotline_answer_seconds", "From asking for a person to the answer.")
    answers.add_metric([], count_value=done.answers, sum_value=done.answer_ms / 1000)
    yield answers


def _link_metrics(organs: Organs, dialler: Callable[[], bool] | None) -> Iterator[Metric]:
    yield _gauge("ami_up", "1 while Asterisk is connected.", {(): isinstance(organs.link(), Up)})
    if dialler is not None:
        yield _gauge("dialler_up", "1 while callbacks can be dialled.", {(): dialler()})
    yield _gauge("lease_held", "1 while this service is the one that acts.", {(): organs.holds()})
    yield _gauge("agi_sessions", "Callers in menus and dialogues.", {(): organs.agi.connections})
    ended = {(what,): count for what, count in organs.agi.counts.items() if what in _OURS}
    refused = {(what,): count for what, count in organs.agi.counts.items() if what not in _OURS}
    yield _counter("agi_ended", "Sessions that ended, by how.", ended, ["how"])
    yield _counter("agi_refused", "Connections refused, by reason.", refused, ["why"])


def _pump_metrics(pump: Pump) -> Iterator[Metric]:
    now = pump.figures()
    yield _gauge("event_lag_seconds", "From receipt to handling of an event.", {(): now.lag_ms / 1000})
    yield _gauge("events_waiting", "Events not yet handled.", {(): now.waiting})
    yield _counter("events_handled", "Facts handled.", {(): now.events})
    yield _counter("events_dropped", "Events dropped by a full queue.", {(): now.overflowed})
    yield _counter("event_faults", "Events that could not be handled: defects.", {(): now.faults})
    yield _counter("events_refused", "Events refused.", {(why,): n for why, n in now.refused.items()}, ["why"])
    yield _gauge("records_unsaved", "Calls not yet written down.", {(): now.unsaved})
    yield _counter("record_save_failures", "Attempts to write calls down that failed.", {(): now.save_failures})
    yield _gauge("effects_waiting", "Effects not yet carried out.", {(): now.effects_waiting})
    yield _counter("effects_failed", "Effects that failed.", {(): now.effects_failed})


def _rest(organs: Organs, backlog: Backlog, free: Mapping[Path, int], pops_ms: Sequence[float]) -> Iterator[Metric]:
    shares = {str(share): percentile(pops_ms, share) for share in (0.5, 0.95, 0.99)}
    painted = {(share,): ms / 1000 for share, ms in shares.items() if ms is not None}
    yield _gauge("pop_latency_seconds", "From event to painted page, of the last pops.", painted, ["quantile"])
    yield _counter("journal_events", "Events kept on disk.", {(): organs.journal.written})
    yield _counter("journal_lost", "Events the disk did not take.", {(): organs.journal.lost})
    yield _gauge("spool_messages", "Messages not taken in yet.", {(): backlog.count})
    yield _gauge("spool_unreadable", "Messages nobody can read.", {(): backlog.unreadable})
    age_s = 0.0 if backlog.oldest_at is None else (organs.clock() - backlog.oldest_at).total_seconds()
    yield _gauge("spool_oldest_seconds", "How long the oldest message waits.", {(): max(0.0, age_s)})
    yield _gauge("disk_free_bytes", "Free space.", {(path.name,): left for path, left in free.items()}, ["folder"])
    yield _gauge("disk_floor_bytes", "Free space that must stay.", {(): organs.floor_bytes})
