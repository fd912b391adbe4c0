"""One long run: `python -m tests.proof NAME`, which is `make proof-NAME`.

    python -m tests.proof                      what there is
    python -m tests.proof api --minutes 20     at most twenty minutes; said again, it goes on where it stopped
    python -m tests.proof api --fresh          from the beginning, also of what has passed

A long run is a selection of the tests in which the short form of each takes more examples, other ones at each run. What
passed is kept in `artefacts/proof/NAME.jsonl` together with the commit, and is not run again at that commit. Exit code
0: everything passed; 1: something failed; 3: the time was over before the end.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.absent import ALL, LONG, SEARCH
from tests.proof.ledger import Ledger, commit

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Proof:
    """What runs under one name."""

    says: str
    #: of pytest
    selection: tuple[str, ...]
    #: minutes unless told otherwise
    minutes: float
    #: instead of pytest: a module with a `main(arguments)` of its own
    module: str = ""
    #: needs a real Asterisk, callers or a browser, and fails without
    whole: bool = False
    #: a script, with its arguments, that installs what it needs beside the tests' packages
    tool: tuple[str, ...] = ()


PROOFS: Final = {
    "api": Proof(
        "requests generated from the description at every route: no 5xx, no answer it does not name",
        ("tests/web/test_generated.py",),
        minutes=60,
    ),
    "sql": Proof(
        "sqlmap at every value of every request that could reach a statement: none does",
        ("tests/web/sqlmap_routes.py",),
        minutes=60,
        tool=("tools/aside.sh", "sqlmap"),
    ),
    "slow": Proof(
        "slowhttptest in each of its ways: a thousand slow connections, and everybody else is answered",
        ("tests/web/slowhttptest_modes.py",),
        minutes=10,
        tool=("tools/slowhttptest.sh",),
    ),
    "kills": Proof(
        "the service killed at random moments while eight people write: nothing lost, doubled or unaudited",
        ("tests/kills/test_kills.py",),
        minutes=90,
    ),
    "migration": Proof(
        "a centre of the first schema with 100,000 orders comes to this release, on both databases",
        ("tests/migrations/test_many_orders.py",),
        minutes=30,
    ),
    "restart": Proof(
        "the service replaced every minute for ten minutes while people call: nobody is cut off",
        ("tests/system/test_rolling_restart.py",),
        minutes=20,
        whole=True,
    ),
    "wave": Proof(
        "400 calls that end at once, ten times: every record closed, and soon",
        ("tests/system/test_many_calls.py",),
        minutes=20,
        whole=True,
    ),
    "sockets": Proof(
        "10,000 malformed messages and frames at the phone's socket: no effect, nothing told, nobody disturbed",
        ("tests/web/test_phone_frames.py",),
        minutes=20,
    ),
    "house": Proof(
        "service, exchange and database server killed in turn with twenty calls up: nothing is left behind",
        ("tests/system/test_house_kills.py",),
        minutes=60,
        whole=True,
    ),
    "callbacks": Proof(
        "the service killed at every step of callbacks: no attempt dialled twice, none forgotten",
        ("tests/system/test_callback_kills.py",),
        minutes=90,
        whole=True,
    ),
    "link": Proof(
        "the link to Asterisk cut at every event, and the menus' service failing in every way under callers",
        (
            "tests/ami/test_detection.py",
            "tests/calls/test_order.py",
            "tests/system/test_agi_faults.py",
            "tests/system/test_cut_everywhere.py",
        ),
        minutes=60,
        whole=True,
    ),
    "guesses": Proof(
        "5,000 guesses of passwords at once: no more are looked at than are free, everybody else comes in",
        ("tests/web/test_guesses.py",),
        minutes=10,
    ),
    "pages": Proof(
        "400 hostile names and texts in every page of people of every kind, in Chromium: shown, never done",
        ("tests/web/test_hostile_pages.py", "tests/web/test_page_policy.py"),
        minutes=15,
        whole=True,
    ),
    "invites": Proof(
        "3,000 generated hostile INVITEs at a real Asterisk beside an honest call: nothing of it changes",
        ("tests/system/test_hostile_invites.py", "tests/system/test_hostile.py"),
        minutes=30,
        whole=True,
    ),
    "mutants": Proof(
        "changes of reducer, clocks, workflow and flows, each of which a test must notice",
        (),
        minutes=60,
        module="tests.proof.mutants",
    ),
    "order": Proof(
        "the fast tests of the rooms twenty times, each time in another order: none leans on another",
        (),
        minutes=120,
        module="tests.proof.order",
    ),
    "parsers": Proof(
        "every reader of Asterisk's bytes, fuzzed under the guidance of coverage",
        (),
        minutes=14,
        module="tests.fuzz.guided",
    ),
}


def main() -> int:
    """Runs what was asked for; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("name", nargs="?", choices=PROOFS, metavar="NAME")
    given.add_argument("--minutes", type=float)
    given.add_argument("--fresh", action="store_true")
    asked = given.parse_args()
    if asked.name is None:
        for name, proof in PROOFS.items():
            print(f"proof-{name:12} {proof.says} ({proof.minutes:g} min at most)")
        return 0
    proof = PROOFS[asked.name]
    os.environ |= {LONG: "1", SEARCH: "1"} | ({ALL: "1"} if proof.whole else {})
    os.chdir(ROOT)
    cores = len(os.sched_getaffinity(0))
    print(f"proof-{asked.name}: {proof.says}\ncommit {commit()}, {cores} cores, Python {platform.python_version()}")
    if proof.tool:
        subprocess.run(proof.tool, check=True)
    if proof.module:
        code: int = importlib.import_module(proof.module).main([f"--minutes={asked.minutes or proof.minutes}"])
        return code
    ledger = Ledger(ROOT / "artefacts" / "proof" / f"{asked.name}.jsonl", commit(), fresh=asked.fresh)
    ledger.seconds_left = 60 * (asked.minutes or proof.minutes)
    ended = pytest.main(["-q", "-p", "no:cacheprovider", "--no-summary", "--tb=short", *proof.selection], [ledger])
    print(ledger.table())
    if ended not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED, 2}:
        return 1
    return 1 if ledger.failed else 3 if ledger.left else 0


if __name__ == "__main__":
    sys.exit(main())
