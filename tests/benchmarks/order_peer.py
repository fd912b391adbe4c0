"""Lists and searches of 100,000 orders through our interface, beside those of 100,000 tickets in django-helpdesk.

`python -m tests.benchmarks.order_peer` asks both in one run for the newest page, the open ones, a month, a page a tenth
down the list, a telephone number, an order number and words; 25 rows a page, SQLite, the same texts over the same two
years. Ours answers over a real socket, with session, rights and a row in the log of look-ups for each, client and
service in one process; django-helpdesk's own list view, which also counts what it found, is asked through Django's test
client without any socket, and its order number through the field in its header that jumps to one ticket. Time of the
processor is of the whole process, client too.

django-helpdesk lives in an environment of its own (`tools/aside.sh peers`); without it ours alone is measured.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp.test_utils import TestClient

from cti.web.pop_latency import percentile
from tests.benchmarks import _centre
from tests.benchmarks.order_write import served, signed_in
from tests.web.fakes import Browser
from ticketing.db import Database

ROOT: Final = Path(__file__).resolve().parents[2]
PEER: Final = ROOT / ".venv-peers" / "bin" / "python"
ROUNDS: Final = 40
LENGTH: Final = 25
#: a list that is slow is asked for no longer than this, but three times
SECONDS_EACH: Final = 15
MONTH: Final = (_centre.NOW - timedelta(days=60), _centre.NOW - timedelta(days=30))
RARE: Final = "基站辐射"


@dataclass(frozen=True)
class Case:
    """One question to both."""

    #: parameters of our list
    ours: dict[str, str]
    #: what their list is asked for
    theirs: dict[str, Any]
    #: it begins so many orders down the list
    down: int = 0


def cases(size: _centre.Size) -> dict[str, Case]:
    """What is asked."""
    first, end = (moment.isoformat() for moment in MONTH)
    number, serial = _centre.number(77 % size.customers), _centre.serial(size.orders // 2)
    span = {"created_from": first.replace("+00:00", "Z"), "created_to": end.replace("+00:00", "Z")}
    down = size.orders // 10
    return {
        "newest page": Case({}, {}),
        "open, newest page": Case({"live": "true"}, {"filtering": {"status__in": [1, 2]}}),
        "of a month": Case(span, {"filtering": {"created__gte": first, "created__lte": end}}),
        "a tenth down the list": Case({}, {"start": down}, down),
        "by telephone number": Case({"number": number}, {"search": number}),
        "by order number": Case({"serial": serial}, {"jump": str(size.orders // 2)}),
        "a common word": Case({"q": "宽带"}, {"search": "宽带"}),
        "a rare word": Case({"q": RARE}, {"search": RARE}),
        "a word nobody said": Case({"q": "彗星"}, {"search": "彗星"}),
    }


Taken = dict[str, Any]


async def page(browser: Browser, given: dict[str, str], limit: int) -> dict[str, Any]:
    """One answer of our list, read whole."""
    answer = await browser.get("/api/orders", params={**given, "limit": str(limit)})
    said: dict[str, Any] = await answer.json()
    assert answer.status == 200, said
    return said


async def down_to(browser: Browser, rows: int) -> dict[str, str]:
    """The cursor so many orders down the list."""
    cursor: dict[str, str] = {}
    while rows > 0:
        said = await page(browser, cursor, min(rows, 200))
        rows -= len(said["items"])
        cursor = {"cursor": said["next_cursor"]}
    return cursor


async def ask_ours(size: _centre.Size, folder: Path, rounds: int) -> dict[str, Taken]:
    """Milliseconds of each list, those that passed and those of the processor; the first answer is not counted."""
    found: dict[str, Taken] = {}
    async with (
        _centre.sqlite(size) as url,
        served(await Database.open(url), folder) as (server, _),
        TestClient(server) as client,
    ):
        browser = await signed_in(client, "2001")
        for name, case in cases(size).items():
            given = case.ours | (await down_to(browser, case.down) if case.down else {})
            taken: Taken = {"passed": [], "worked": [], "rows": len((await page(browser, given, LENGTH))["items"])}
            ends = time.monotonic() + SECONDS_EACH
            for each in range(rounds):
                if each > 2 and time.monotonic() > ends:
                    break
                began, used = time.perf_counter(), time.process_time()
                await page(browser, given, LENGTH)
                taken["passed"].append((time.perf_counter() - began) * 1000)
                taken["worked"].append((time.process_time() - used) * 1000)
            found[name] = taken
    return found


async def ask_theirs(size: _centre.Size, folder: Path, rounds: int) -> dict[str, Taken] | None:
    """The same of django-helpdesk; None when it is not here."""
    if not PEER.exists():
        return None
    wanted = {
        "folder": str(folder),
        "tickets": size.orders,
        "queues": _centre.BUSINESSES,
        "first": (_centre.NOW - _centre.YEARS).isoformat(),
        "seconds": _centre.YEARS.total_seconds(),
        "texts": _centre.TEXTS,
        "rare": RARE,
        "numbers": [_centre.number(at) for at in range(size.customers)],
        "rounds": rounds,
        "length": LENGTH,
        "seconds_each": SECONDS_EACH,
        "lists": {name: case.theirs for name, case in cases(size).items()},
    }
    run = await asyncio.create_subprocess_exec(
        *(str(PEER), str(Path(__file__).with_name("_helpdesk.py"))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await run.communicate(json.dumps(wanted).encode())
    if run.returncode != 0:
        raise RuntimeError(f"django-helpdesk ended with {run.returncode}")
    found: dict[str, Taken] = json.loads(said)
    return found


def cells(taken: Taken) -> str:
    """Median, 95th percentile and median of the processor's time."""
    passed, worked = taken["passed"], taken["worked"]
    figures = (percentile(passed, 0.5), percentile(passed, 0.95), percentile(worked, 0.5))
    return "".join(f"{figure or 0.0:>9.2f}" for figure in figures)


async def run(orders: int, rounds: int) -> None:
    """Asks, prints."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    size = _centre.Size(max(orders // 5, 100), orders, words=True)
    with tempfile.TemporaryDirectory(prefix="hl-bench-") as folder:
        ours = await ask_ours(size, Path(folder), rounds)
        theirs = await ask_theirs(size, Path(folder), rounds)
    print(f"{orders:,} orders and tickets, {LENGTH} a page; load {os.getloadavg()[0]:.1f}")
    if theirs is None:
        print("django-helpdesk is not here (tools/aside.sh peers makes .venv-peers with it): ours alone")
    head = f"{'p50 ms':>9}{'p95 ms':>9}{'cpu ms':>9}"
    print(f"{'':24}{'ours':>27}{'django-helpdesk':>27}")
    print(f"{'':24}{head}{head}{'x cpu':>8}")
    for name, taken in ours.items():
        beside, rows = "", f"{taken['rows']}"
        if theirs is not None:
            ratio = (percentile(theirs[name]["worked"], 0.5) or 0.0) / (percentile(taken["worked"], 0.5) or 1.0)
            beside = f"{cells(theirs[name])}{ratio:>8.1f}"
            rows += f" and {theirs[name]['rows']}"
        print(f"{name:24}{cells(taken)}{beside}  {rows} rows", flush=True)


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--orders", type=int, default=100_000, help="how many orders, and tickets (100000)")
    given.add_argument("--rounds", type=int, default=ROUNDS, help=f"times each list is asked for ({ROUNDS})")
    options = given.parse_args()
    asyncio.run(run(options.orders, options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
