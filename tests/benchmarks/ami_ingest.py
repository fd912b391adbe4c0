"""How many AMI events a second of CPU: bare panoramisk, our reading, and the whole way into the database.

    python -m tests.benchmarks.ami_ingest [--unfiltered] [--calls N] [--runs N] [FILE.ami ...]

The stream is made of captured calls (tests/data/ami), each repetition with ids of its own. All ways read the same bytes
in the same portions, in turn within each run; medians over the runs, and the ratio of each run to its own panoramisk.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import panoramisk
import structlog

from cti import store
from cti.ami.decode import decode, needs
from cti.ami.frames import Frame, Splitter
from cti.ami.guard import Guard
from cti.calls.effects import Effect
from cti.calls.model import CallRecord, Floor
from cti.calls.reducer import reduce, take_changed
from cti.journal import Journal
from cti.pump import Pump
from ticketing.db import Database

DATA = Path(__file__).parent.parent / "data" / "ami"
#: one call with everything Asterisk says of it, as without its event filter (`python -m tests.system.capture`)
UNFILTERED = DATA.parent / "ami_unfiltered" / "answered.ami"
CALLS = ("answered", "missed_then_answered", "abandoned", "rejected_then_answered", "withheld_number")
PORTION = 64 * 1024
TOKEN = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def stream(files: Sequence[Path], calls: int) -> bytes:
    """Captured calls again and again: own call ids, uniqueids and one token."""
    captured = [_clean(path.read_bytes()) for path in files]
    made: list[bytes] = []
    for number in range(calls):
        raw = captured[number % len(captured)]
        raw = re.sub(rb"(CTI_CALL_ID=[0-9]{14}-)[0-9]{12}", rb"\g<1>%012d" % number, raw)
        made.append(re.sub(rb"((?:Unique|Linked)id: [0-9]+\.)", rb"\g<1>%d" % (number + 1), raw))
    return b"".join(made)


def _clean(raw: bytes) -> bytes:
    """Events only, and only whole ones."""
    blocks = Splitter(banner=raw.startswith(b"Asterisk Call Manager/")).feed(raw)
    kept = [block for block in blocks if block.startswith(b"Event:") and b"\r\nActionID:" not in block]
    return re.sub(rb"CTI_TOKEN=[^\r]*", b"CTI_TOKEN=" + TOKEN.encode(), b"".join(block + b"\r\n\r\n" for block in kept))


def portions(data: bytes) -> list[bytes]:
    """The stream as a socket would give it."""
    return [data[start : start + PORTION] for start in range(0, len(data), PORTION)]


class _Nowhere:
    def write(self, data: bytes) -> None:
        """Nothing is sent."""

    def close(self) -> None:
        """Nothing is open."""


def bare_panoramisk(parts: Sequence[bytes]) -> int:
    """Its protocol and manager with one callback for every event that does nothing."""
    seen = 0

    def count(_manager: Any, _event: Any) -> None:
        nonlocal seen
        seen += 1

    manager = panoramisk.Manager(loop=asyncio.get_running_loop())
    manager.callbacks.clear()
    manager.patterns.clear()
    manager.register_event("*", count)
    protocol = panoramisk.manager.AMIProtocol()
    protocol.connection_made(_Nowhere())
    protocol.factory = manager
    protocol.encoding = "utf8"
    for part in parts:
        protocol.data_received(part)
    return seen


def ours(parts: Sequence[bytes]) -> int:
    """Frames, guard and facts."""
    splitter, guard, seen = Splitter(banner=False), Guard(TOKEN), 0
    for part in parts:
        for raw in splitter.feed(part):
            if guard.unread(raw):
                seen += 1
                continue
            frame = Frame(raw)
            if guard.check(frame).accept:
                decode(frame, NOW)
                seen += 1
                if not needs(raw):
                    guard.learn(raw)
    return seen


async def whole(parts: Sequence[bytes], folder: Path) -> int:
    """Link's queue to database: guard, facts, reducer, journal, saves into SQLite with full sync.

    The pump works through each portion before the next comes, and saves at its own pace, as beside a socket.
    """
    database = await Database.open(f"sqlite+aiosqlite:///{folder / 'calls.db'}")
    await database.create_all()

    async def save(records: Sequence[CallRecord]) -> None:
        async with database.write() as conn:
            await store.save_calls(conn, records)

    async def perform(_effect: Effect) -> None:
        """Nobody looks."""

    pump = Pump(
        Floor(),
        token=TOKEN,
        decode=decode,
        needs=needs,
        reduce=reduce,
        take_changed=take_changed,
        save=save,
        perform=perform,
        clock=lambda: NOW,
        monotonic=lambda: 0.0,
        journal=Journal(folder / "journal", b"k" * 32),
        tick_s=3600.0,
        capacity=10**9,
    )
    task = asyncio.create_task(pump.run())
    splitter = Splitter(banner=False)
    for part in parts:
        for raw in splitter.feed(part):
            pump.put_nowait(raw, NOW)
        await asyncio.sleep(0)
    await pump.drained()
    figures = pump.figures()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.close()
    assert figures.faults == figures.save_failures == figures.effects_failed == 0, figures
    return figures.frames - sum(figures.refused.values())


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """Events and seconds of CPU of this process, all threads."""
    began = time.process_time()
    return work(), time.process_time() - began


def run_once(parts: Sequence[bytes]) -> dict[str, tuple[int, float]]:
    """Each way once."""

    async def panoramisk_way() -> tuple[int, float]:
        return timed(lambda: bare_panoramisk(parts))

    with tempfile.TemporaryDirectory() as folder:
        return {
            "bare panoramisk": asyncio.run(panoramisk_way()),
            "frames + guard + decode": timed(lambda: ours(parts)),
            "whole: + reducer + journal + SQLite": timed(lambda: asyncio.run(whole(parts, Path(folder)))),
        }


def main() -> None:
    """Print the table."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("files", nargs="*", type=Path, help="captures to use instead of tests/data/ami")
    given.add_argument("--unfiltered", action="store_true", help="what Asterisk sends when it filters nothing")
    given.add_argument("--calls", type=int, default=300)
    given.add_argument("--runs", type=int, default=7)
    args = given.parse_args()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    shipped = [UNFILTERED] if args.unfiltered else [DATA / f"{name}.ami" for name in CALLS]
    data = stream(args.files or shipped, args.calls)
    parts = portions(data)
    results = [run_once(parts) for _ in range(args.runs)]
    events = results[0]["bare panoramisk"][0]
    print(
        f"{events} events of {args.calls} calls, {len(data) / events:.0f} bytes an event, medians of {args.runs} runs\n"
    )
    print(f"{'':38s}{'events':>8s}{'events/s CPU':>14s}{'us/event':>10s}{'x panoramisk':>14s}")
    for name in results[0]:
        rates = [result[name][0] / result[name][1] for result in results]
        ratios = [
            rate / (run["bare panoramisk"][0] / run["bare panoramisk"][1])
            for rate, run in zip(rates, results, strict=True)
        ]
        rate = statistics.median(rates)
        print(f"{name:38s}{results[0][name][0]:8d}{rate:14,.0f}{1e6 / rate:10.2f}{statistics.median(ratios):14.2f}")


if __name__ == "__main__":
    main()
