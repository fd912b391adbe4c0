"""Tests that lean on each other: `make proof-order`, or `python -m tests.proof.order [--repeats 20] [ROOM ...]`.

Runs the fast tests of the rooms again and again, each time in an order that a new seed gives, across all files. A test
that fails in one order only leans on what another left behind, or on time. What was run at this commit is kept in
`artefacts/proof/order.jsonl` and counts when it is said again. Exit code 0: so many orders and every test passed in
each; 1: one failed, told with what repeats it; 3: the time was over before the end.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from tests.absent import ALL, LONG, SEARCH
from tests.proof.ledger import commit

ROOT: Final = Path(__file__).resolve().parents[2]
#: folders whose tests need neither server nor browser; those that do are left out by their mark
ROOMS: Final = (
    *("calls", "clocks", "ivr", "ami", "pump", "orders", "core", "hub", "fuzz", "processes", "customers", "contacts"),
    *("staff", "callbacks", "announcements", "papers", "notices", "surveys", "handover", "recordings"),
)
SELECT: Final = ("-m", "not system and not postgresql")


def run(seed: int, rooms: tuple[str, ...], seconds: float) -> dict[str, Any] | None:
    """One order: how many tests, which failed; None when the time was over before its end."""
    arguments = [sys.executable, "-m", "pytest", f"--shuffle={seed}", *SELECT, *rooms]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result, log = Path(folder) / "result.xml", Path(folder) / "log"
        quiet = ("-q", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={result}", "-o", "junit_family=xunit1")
        environment = {name: value for name, value in os.environ.items() if name not in {ALL, LONG, SEARCH}}
        with log.open("w") as file:
            try:
                subprocess.run(
                    [*arguments, *quiet],
                    cwd=ROOT,
                    env=environment,
                    stdout=file,
                    stderr=file,
                    timeout=seconds,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return None
        if not result.exists():
            said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            return {"tests": 0, "failed": [said], "seconds": round(time.monotonic() - began)}
        cases = ElementTree.parse(result).getroot().findall(".//testcase")
    wrong = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    failed = [f"{case.get('file')}::{case.get('name')}" for case in wrong]
    return {"tests": len(cases), "failed": failed, "seconds": round(time.monotonic() - began)}


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    given.add_argument("--repeats", type=int, default=20)
    given.add_argument("--minutes", type=float, default=120.0)
    asked = given.parse_args(arguments)
    rooms = tuple(f"tests/{room}" for room in asked.rooms or ROOMS)
    path, now, until = ROOT / "artefacts" / "proof" / "order.jsonl", commit(), time.monotonic() + 60 * asked.minutes
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [row for row in map(json.loads, lines) if (row["commit"], tuple(row["rooms"])) == (now, rooms)]
    print(f"{'seed':>10} {'tests':>6} {'failed':>6} {'seconds':>8}")
    for row in rows:
        print(_line(row))
    while len(rows) < asked.repeats:
        seed = secrets.randbelow(10**9)
        found = run(seed, rooms, max(1.0, until - time.monotonic()))
        if found is None:
            break
        row = {"commit": now, "rooms": rooms, "seed": seed, **found}
        rows.append(row)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(_line(row), flush=True)
    for row in rows:
        for test in row["failed"]:
            print(f"failed: {test}\n  python -m pytest --shuffle={row['seed']} -m '{SELECT[1]}' {' '.join(rooms)}")
    if any(row["failed"] for row in rows):
        return 1
    return 0 if len(rows) >= asked.repeats else 3


def _line(row: dict[str, Any]) -> str:
    return f"{row['seed']:10} {row['tests']:6} {len(row['failed']):6} {row['seconds']:8}"


if __name__ == "__main__":
    raise SystemExit(main())
