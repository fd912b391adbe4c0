"""What a long run has shown so far: kept a line a test, passed over when it goes on, and told as a table."""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

#: name under which a test records how many examples it tried
EXAMPLES: Final = "examples"
#: characters of a failure that are kept: its end says what
_SAID: Final = 4000
ROOT: Final = Path(__file__).resolve().parents[2]


def commit() -> str:
    """What the results hold for: the commit, marked when files were changed since."""
    said = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return said.stdout.strip() or "unknown"


class Ledger:
    """A pytest plugin: deselects what passed at this commit, ends the run when its time is over, keeps every result."""

    def __init__(self, path: Path, commit: str, *, fresh: bool = False) -> None:
        self._path, self._commit = path, commit
        self._began = time.monotonic()
        self.seconds_left = 3600.0
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            path.unlink(missing_ok=True)
        #: test -> its last result at this commit
        self.results: dict[str, dict[str, object]] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            row = json.loads(line)
            if row["commit"] == commit:
                self.results[row["test"]] = row
        self._asked: list[str] = []

    @property
    def failed(self) -> list[str]:
        """Tests that did not pass."""
        return [test for test, row in self.results.items() if row["outcome"] != "passed"]

    @property
    def left(self) -> list[str]:
        """Tests the time did not suffice for."""
        return [test for test in self._asked if test not in self.results]

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """What passed before is not asked again."""
        self._asked = [item.nodeid for item in items]
        passed = [item for item in items if self.results.get(item.nodeid, {}).get("outcome") == "passed"]
        config.hook.pytest_deselected(items=passed)
        items[:] = [item for item in items if item not in passed]
        for item in items:
            self.results.pop(item.nodeid, None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line for each test, when its call ended or something before or after it failed."""
        if report.when != "call" and report.passed:
            return
        tried = sum(int(str(value)) for name, value in report.user_properties if name == EXAMPLES)
        counted = {
            name: value for name, value in report.user_properties if isinstance(value, int | float) and name != EXAMPLES
        }
        row = {
            "counted": counted,
            "commit": self._commit,
            "test": report.nodeid,
            "outcome": report.outcome,
            "examples": tried,
            "seconds": round(report.duration, 2),
        }
        if report.failed:
            row["said"] = report.longreprtext[-_SAID:]
        self.results[report.nodeid] = row
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Looks at the clock before each test."""
        if time.monotonic() - self._began > self.seconds_left:
            item.session.shouldstop = "the time is over; said again, it goes on from here"

    def table(self) -> str:
        """Tests by function: how many passed, failed and are left, examples tried, seconds."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for test in dict.fromkeys([*self._asked, *self.results]):
            groups[test.partition("[")[0].removeprefix("tests/")].append(test)
        width = max((len(name) for name in groups), default=4)
        lines = [f"{'':{width}}  {'passed':>6} {'failed':>6} {'left':>5} {'examples':>9} {'seconds':>8}"]
        for name, tests in groups.items():
            rows = [self.results[test] for test in tests if test in self.results]
            good = sum(row["outcome"] == "passed" for row in rows)
            tried, took = (sum(float(str(row[each])) for row in rows) for each in ("examples", "seconds"))
            lines.append(
                f"{name:{width}}  {good:6} {len(rows) - good:6} {len(tests) - len(rows):5} {tried:9.0f} {took:8.0f}"
            )
            lines += [f"    {told}" for told in _told(rows)]
        return "\n".join([*lines, *(f"failed: {test}" for test in self.failed)])


def _told(rows: list[dict[str, object]]) -> list[str]:
    """What tests counted and measured: figures in seconds (`…_s`) at their worst, everything else added up."""
    figures: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        counted = row.get("counted", {})
        assert isinstance(counted, dict)
        for name, value in counted.items():
            figures[name].append(value)
    return [
        f"{name.removesuffix('_s')} {max(values):.2f} s at most" if name.endswith("_s") else f"{name} {sum(values):.0f}"
        for name, values in figures.items()
    ]
