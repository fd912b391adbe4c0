"""Runs the benchmarks one after another, each in a process of its own, and prints their tables: `make bench`.

    python -m tests.benchmarks                 all
    python -m tests.benchmarks pop_sse         one; its own options with `python -m tests.benchmarks.pop_sse --help`

Exit code 1 when one of them did not end well; the others are run all the same.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
NAMES: Final = tuple(sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_")))


def _machine() -> str:
    """Figures mean nothing without the machine they were taken on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores, load = len(os.sched_getaffinity(0)), " ".join(f"{one:.2f}" for one in os.getloadavg())
    return f"{cores} cores ({model or platform.machine()}), Python {platform.python_version()}, load {load}"


def main() -> int:
    """Runs what was asked for; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    names = given.parse_args().names or NAMES
    if strange := set(names) - set(NAMES):
        given.error(f"there is no {sorted(strange)[0]}: {', '.join(NAMES)}")
    failed = []
    print(_machine(), flush=True)
    for name in names:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"{__package__}.{name}"], check=False).returncode != 0:
            failed.append(name)
    if failed:
        print(f"\ndid not end well: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
