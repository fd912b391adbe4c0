"""The benchmarks run and print their tables: small here, and no figure is judged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: each with the least work it can do, and what its table names
SMALL = {
    "agi_session": (("--sessions", "2"), ("ours", "bare")),
    "ami_ingest": (("--calls", "5", "--runs", "1"), ("bare panoramisk", "whole: + reducer + journal + SQLite")),
    "board_push": (("--orders", "100", "--rounds", "3"), ("one after another", "10 agents at once")),
    "call_path": (
        ("--agents", "2", "--seconds", "1", "--rates", "1", "--overflow", "3"),
        ("bare ", "hotline ", "overflow "),
    ),
    "clock_tick": (("--open", "2000"), ("2,000 open, 10,000 overdue",)),
    "order_peer": (
        ("--orders", "500", "--rounds", "2"),
        ("newest page", "open, newest page", "by telephone number", "by order number", "a common word"),
    ),
    "order_search": (("--orders", "500"), ("newest page ", "overdue, a month", "by telephone number", "a common word")),
    "order_write": (("--orders", "100", "--rounds", "8"), ("create ", "approve ", "create, 10 at once")),
    "page_paint": (
        (
            *("--customers", "50", "--orders", "200", "--agents", "9"),
            *("--seconds", "1.5", "--warm", "0", "--calls", "4"),
        ),
        ("bare page ", "hotline ", "as its pages report "),
    ),
    "pop_lookup": (
        (
            *("--customers", "50", "--orders", "200", "--agents", "5", "--database", "sqlite"),
            *("--seconds", "0.5", "--pops", "10", "--noise", "50", "--warm", "0"),
        ),
        ("pops alone", "beside other events"),
    ),
    "service_memory": (("--waiting", "20", "--calls", "20", "--rate", "20"), ("idle, MB", "each of 20 waiting, kB")),
    "service_start": (("--runs", "1"), ("back, s", "processor time, s")),
    "pop_sse": (("--streams", "3"), ("to one agent", "to all at once, last stream")),
}


def test_every_benchmark_is_among_them() -> None:
    here = ROOT / "tests" / "benchmarks"
    assert {file.stem for file in here.glob("*.py") if not file.stem.startswith("_")} == set(SMALL)


#: they start a real Asterisk, or a browser
WHOLE = {"call_path", "page_paint"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.system) if name in WHOLE else name for name in SMALL]
)
async def test_it_ends_well_and_prints_its_rows(name: str) -> None:
    given, rows = SMALL[name]
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.benchmarks.{name}", *given),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(300 if name in WHOLE else 120):
        out, _ = await run.communicate()
    told = out.decode()
    assert run.returncode == 0, told
    for row in rows:
        (line,) = [line for line in told.splitlines() if line.startswith(row)]
        assert any(cell.replace(",", "").replace(".", "").isdigit() for cell in line.removeprefix(row).split())
