"""Guided by coverage: `make proof-parsers`, or `python -m tests.fuzz.guided --minutes 7 [--keep] [NAME ...]`.

Runs atheris (libFuzzer for Python) on each reader for its share of the time, beginning with the kept corpus and what
earlier runs left in `artefacts/proof/parsers`, and prints a table. With `--keep` the finds are reduced to those that
each reach something new, and written to `tests/fuzz/corpus`. atheris lives in an environment of its own, which
`tools/aside.sh fuzz` makes. Exit code 1 when a reader broke a promise: the bytes are in the folder named.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

from tests.fuzz.corpus import LONGEST, beginnings, keep, kept
from tests.fuzz.targets import TARGETS

ROOT: Final = Path(__file__).resolve().parents[2]
WORK: Final = ROOT / "artefacts" / "proof" / "parsers"
PYTHON: Final = ROOT / ".venv-fuzz" / "bin" / "python"
_ONE: Final = """
import sys, atheris
with atheris.instrument_imports(include=["cti.ami", "ivr.agi", "csv"]):
    from tests.fuzz.targets import TARGETS
target = TARGETS[sys.argv.pop(1)]
atheris.Setup(sys.argv, target)
atheris.Fuzz()
"""


@dataclass(frozen=True)
class Run:
    """What came of one reader."""

    name: str
    runs: int
    coverage: int
    corpus: int
    crash: str = ""


def run(name: str, seconds: float) -> Run:
    """One reader for so long."""
    folder, crashes = WORK / name, WORK / f"{name}-crashes"
    shutil.rmtree(crashes, ignore_errors=True)
    for made in (folder, crashes):
        made.mkdir(parents=True, exist_ok=True)
    for data in (*beginnings(name), *kept(name)):
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
    limits = [f"-max_total_time={max(1, round(seconds))}", "-max_len=2048", "-timeout=10", "-rss_limit_mb=1024"]
    said = _atheris(name, *limits, f"-artifact_prefix={crashes}/", str(folder))
    crash = next(iter(sorted(crashes.iterdir())), None)
    done = re.findall(r"^#(\d+)\s.* cov: (\d+) .*corp: (\d+)/", said, re.MULTILINE)
    runs, coverage, corpus = map(int, done[-1]) if done else (0, 0, 0)
    if crash is not None or not done:
        print(said[-4000:])
    return Run(name, runs, coverage, corpus, str(crash or ("" if done else "did not run")))


def reduce(name: str) -> int:
    """Keeps the shortest inputs that each take a way through the readers no shorter one took; how many."""
    ways: set[tuple[str, int, int]] = set()
    chosen = []
    for data in sorted((path.read_bytes() for path in (WORK / name).iterdir()), key=lambda one: (len(one), one)):
        if len(data) <= LONGEST and (new := _ways(name, data) - ways):
            ways |= new
            chosen.append(data)
    return keep(name, chosen)


def _ways(name: str, data: bytes) -> set[tuple[str, int, int]]:
    """(file, line, next line) of what the readers did."""
    found: set[tuple[str, int, int]] = set()
    before = 0

    def step(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal before
        file = frame.f_code.co_filename
        if "/cti/ami/" not in file and "/ivr/agi" not in file:
            return None
        if event == "line":
            found.add((file, before, frame.f_lineno))
            before = frame.f_lineno
        return step

    sys.settrace(step)
    try:
        TARGETS[name](data)
    finally:
        sys.settrace(None)
    return found


def _atheris(name: str, *options: str) -> str:
    paths = [str(ROOT), sysconfig.get_paths()["purelib"]]
    done = subprocess.run(
        [str(PYTHON), "-c", _ONE, name, *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TARGETS))
    given.add_argument("--minutes", type=float, default=7.0)
    given.add_argument("--keep", action="store_true")
    asked = given.parse_args(arguments)
    names = asked.names or list(TARGETS)
    if strange := set(names) - set(TARGETS):
        given.error(f"there is no {sorted(strange)[0]}")
    subprocess.run([ROOT / "tools" / "aside.sh", "fuzz"], check=True)
    results = [run(name, 60 * asked.minutes / len(names)) for name in names]
    print(f"{'':14} {'runs':>10} {'coverage':>9} {'corpus':>7}")
    for each in results:
        print(f"{each.name:14} {each.runs:10} {each.coverage:9} {each.corpus:7}  {each.crash or 'every promise kept'}")
    if asked.keep:
        print("kept: " + ", ".join(f"{name} {reduce(name)}" for name in names))
    return 1 if any(each.crash for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
