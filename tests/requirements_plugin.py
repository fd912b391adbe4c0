"""Table at the end of a run: which requirements were shown, which failed, which have no test yet."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import groupby
from pathlib import Path

import pytest

from tests.absent import ALL, every_test

#: the list the table is made from
LIST = Path(__file__).parent.parent / "docs" / "requirements.md"
_ROW = re.compile(r"^\|\s*\*{0,2}(?P<id>[A-Z]{1,2}-?\d{1,3})\*{0,2}\s*\|\s*(?P<text>[^|]*)\|")
#: what a requirement's id is called in a report
_PROPERTY = "req"
_MISSING = {
    "Asterisk": re.compile(r"asterisk|sipp|baresip", re.IGNORECASE),
    "browser": re.compile(r"browser|chromium|playwright", re.IGNORECASE),
    "PostgreSQL": re.compile(r"postgres", re.IGNORECASE),
}


def read_requirements(path: Path) -> dict[str, str]:
    """Id and text of every row `| ID | text |`; empty when the list is not there."""
    if not path.exists():
        return {}
    rows = (_ROW.match(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {row["id"]: row["text"].strip() for row in rows if row}


class Requirements:
    """Collects outcomes by requirement id."""

    def __init__(self) -> None:
        self.outcomes: defaultdict[str, set[str]] = defaultdict(set)
        self.skipped: defaultdict[str, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The ids travel with the reports: the process that counts need not be the one that ran the test."""
        for item in items:
            ids = [str(each) for mark in item.iter_markers("req") for each in mark.args]
            item.user_properties += [(_PROPERTY, each) for each in ids]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.skipped[reason.removeprefix("Skipped: ")].append(report.nodeid)
        outcome = "failed" if report.failed else "shown" if report.when == "call" and report.passed else None
        if outcome:
            for name, each in report.user_properties:
                if name == _PROPERTY:
                    self.outcomes[str(each)].add(outcome)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """`make test` skips nothing: a run that did has failed."""
        if every_test() and self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._say_skipped(terminalreporter)
        self._say_requirements(terminalreporter)

    def _say_skipped(self, out: pytest.TerminalReporter) -> None:
        if not self.skipped:
            return
        out.section("not run on this machine")
        for name, pattern in _MISSING.items():
            tests = sum(len(nodes) for reason, nodes in self.skipped.items() if pattern.search(reason))
            if tests:
                out.write_line(f"without {name}: {tests} tests")
        for reason, nodes in sorted(self.skipped.items()):
            out.write_line(f"{len(nodes):4}  {reason}")
        if every_test():
            nodes = sorted(node for each in self.skipped.values() for node in each)
            out.write_line(f"FAILED: every test was asked for ({ALL}=1), skipped were {' '.join(nodes)}")

    def _say_requirements(self, out: pytest.TerminalReporter) -> None:
        listed = read_requirements(LIST)
        if not listed and not self.outcomes:
            return
        failed = sorted(each for each, seen in self.outcomes.items() if "failed" in seen)
        shown = sorted(each for each, seen in self.outcomes.items() if seen == {"shown"})
        missing = sorted(set(listed) - set(failed) - set(shown))
        out.section("requirements")
        for title, ids in (("shown", shown), ("failed", failed), ("not yet", missing)):
            lines = [" ".join(group) for _, group in groupby(ids, key=_family)] if len(ids) > 12 else [" ".join(ids)]
            out.write_line(f"{title:8} {len(ids):4}  {lines[0]}")
            for line in lines[1:]:
                out.write_line(f"{'':15}{line}")
        unknown = sorted(set(self.outcomes) - set(listed)) if listed else []
        if unknown:
            out.write_line(f"unknown  {len(unknown):4}  {' '.join(unknown)} (not in docs/requirements.md)")


def _family(each: str) -> str:
    return each.rstrip("0123456789")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Requirements(), "hotline-requirements")
