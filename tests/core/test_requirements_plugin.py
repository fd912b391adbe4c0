"""The table at the end of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.requirements_plugin import read_requirements

pytest_plugins = ["pytester"]

LIST = """
| ID | text |
|---|---|
| TL-01 | greeting |
| **TL-02** | menu |
| IN-15 | recording |
| K10 | whole |
| no id | x |
"""


def test_rows_of_the_list_are_read(tmp_path: Path) -> None:
    path = tmp_path / "requirements.md"
    assert read_requirements(path) == {}
    path.write_text(LIST, encoding="utf-8")
    assert read_requirements(path) == {"TL-01": "greeting", "TL-02": "menu", "IN-15": "recording", "K10": "whole"}


def test_shown_failed_not_yet_and_skipped_are_told(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = pytester.path / "requirements.md"
    listed.write_text(LIST, encoding="utf-8")
    monkeypatch.setattr("tests.requirements_plugin.LIST", listed)
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.req("TL-01", "TL-02")
        def test_a(): pass
        @pytest.mark.req("TL-02", "XX-99")
        def test_b(): assert False
        @pytest.mark.req("K10")
        def test_c(): pytest.skip("no Asterisk on this machine")
        """
    )
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nmarkers = req(*ids): requirement\n")
    out = pytester.runpytest_inprocess("-p", "tests.requirements_plugin").stdout
    out.fnmatch_lines(["without Asterisk: 1 tests", "*1  no Asterisk on this machine"])
    out.fnmatch_lines(
        ["shown       1  TL-01", "failed      2  TL-02 XX-99", "not yet     2  IN-15 K10", "unknown*XX-99*"]
    )


def test_ids_are_told_when_several_processes_run_the_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.req("TL-01")
        def test_a(): pass
        @pytest.mark.req("TL-02")
        def test_b(): assert False
        """
    )
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nmarkers = req(*ids): requirement\n")
    pytester.makepyprojecttoml("")
    out = pytester.runpytest_subprocess("-p", "tests.requirements_plugin", "-n", "2", "--rootdir=.").stdout
    out.fnmatch_lines(["shown       1  TL-01", "failed      1  TL-02"])


@pytest.mark.req("PX-08")
@pytest.mark.parametrize(("asked", "code"), [("", 0), ("1", 1)])
def test_a_run_of_every_test_that_skipped_one_has_failed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, asked: str, code: int
) -> None:
    """`make test` skips nothing: neither by a look at the machine nor by a mark."""
    monkeypatch.setenv("HOTLINE_TEST_ALL", asked)
    pytester.makepyfile(
        """
        import pytest
        def test_a(): pass
        @pytest.mark.skip(reason="not today")
        def test_b(): pass
        """
    )
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nmarkers = req(*ids): requirement\n")
    result = pytester.runpytest_inprocess("-p", "tests.requirements_plugin")
    assert result.ret == code
    assert ("skipped were test_a_run" in result.stdout.str()) is bool(asked)
