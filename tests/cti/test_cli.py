"""The command line: what it teaches, its exit codes 0, 1 and 2, and that a start with a fault starts nothing."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from cti import cli, logs, terminal

DATA = Path(__file__).resolve().parents[1] / "data" / "ami"
RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """The test run's own umask and logging stay as they were."""
    old = os.umask(0o022)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    os.umask(old)
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's installation: a home of the test's own, no settings file, and lines that are not broken."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path / "home"))
    for name, port in {"HTTP": 1, "AGI": 2, "SIP": 3, "AMI": 4, "ASTERISK_HTTP": 5}.items():
        monkeypatch.setenv(f"HOTLINE_{name}_PORT", str(port))
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "width", 1000)


def run(*words: str) -> Result:
    return RUNNER.invoke(cli.cli, words)


def ended(*words: str) -> int | str | None:
    """The exit code as the operator's shell sees it: `main` turns known errors into code 1."""
    old, sys.argv = sys.argv, ["hotline", *words]
    try:
        with pytest.raises(SystemExit) as left:
            cli.main()
    finally:
        sys.argv = old
    return left.value.code


COMMANDS = (
    "up",
    "check",
    "reload",
    "doctor",
    "demo",
    "verify",
    "calls",
    "replay",
    "diagram",
    "asterisk",
    "db",
    "staff",
)


def test_help_teaches_every_command() -> None:
    told = run("--help")
    assert told.exit_code == 0
    for name in COMMANDS:
        assert name in told.output
    assert "docs/settings.md" in told.output


@pytest.mark.parametrize(
    "words",
    [(name,) for name in COMMANDS]
    + [("asterisk", name) for name in ("install", "start", "stop", "cli")]
    + [("calls", "export"), ("calls", "check"), ("db", "upgrade"), ("staff", "add")],
)
def test_every_command_has_help_of_its_own(words: tuple[str, ...]) -> None:
    told = run(*words, "--help")
    assert told.exit_code == 0
    assert "Usage:" in told.output
    lines = [line.strip() for line in told.output.splitlines() if line.strip()]
    assert len(lines[1]) >= 20, "one sentence that says what it does"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("up", "--port", "0"),
        ("up", "--port", "x"),
        ("check", "now"),
        ("replay",),
        ("replay", "/there/is/none"),
        ("demo", "--seconds", "1"),
        ("staff", "add", "7001", "王"),
        ("asterisk", "cli"),
    ],
)
def test_wrong_use_is_exit_code_2_with_a_hint(words: tuple[str, ...]) -> None:
    told = run(*words)
    assert told.exit_code == 2
    assert "Usage:" in told.output
    assert "--help" in told.output


def test_without_a_command_it_shows_the_help() -> None:
    assert "Commands" in run().output


@pytest.mark.req("TL-61")
def test_check_is_green_on_the_shipped_files() -> None:
    told = run("check")
    assert told.exit_code == 0, told.output
    assert "asterisk-conf, menus and prompts are in order" in told.output


@pytest.mark.req("TL-71")
def test_replay_turns_a_capture_into_call_records() -> None:
    told = run("replay", str(DATA / "answered.ami"))
    assert told.exit_code == 0, told.output
    assert "answered" in told.output
    assert "complaint" in told.output
    assert "1860" in told.output
    assert " ms" in told.output


@pytest.mark.req("TL-71")
def test_replay_at_80_columns_cuts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cell is folded: its parts are one below the other."""
    (fact,) = [json.loads(line) for line in run("replay", str(DATA / "answered.ami"), "--json").output.splitlines()]
    monkeypatch.setattr(terminal.out, "width", 80)
    told = run("replay", str(DATA / "answered.ami")).output
    assert "…" not in told
    rows = [
        [cell.strip() for cell in line.strip("│┃").split("│")] for line in told.splitlines() if line.startswith("│")
    ]
    cells = ["".join(parts) for parts in zip(*rows, strict=True)]
    assert cells[:5] == [fact["call_id"], fact["from"], fact["to"], fact["queue"], fact["outcome"]]
    assert max(len(line) for line in told.splitlines()) <= 80


@pytest.mark.req("TL-71")
def test_replay_for_programs_is_one_object_a_line() -> None:
    told = run("replay", str(DATA / "answered.ami"), "--json")
    assert told.exit_code == 0, told.output
    for line in told.output.splitlines():
        fact = json.loads(line)
        assert (fact["to"], fact["queue"], fact["outcome"]) == ("1860", "complaint", "answered")
        assert isinstance(fact["ask_to_answer_ms"], int)
        assert fact["offers"][-1]["result"] == "answered"


@pytest.mark.req("S24")
def test_what_a_command_writes_is_its_users_alone(tmp_path: Path) -> None:
    assert ended("db", "upgrade") == 0
    home = tmp_path / "home"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "hotline.db").stat().st_mode & 0o077 == 0


def test_replay_of_no_conversation_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.ami").write_bytes(b"\x00\xffnothing\r\n\r\n" * 3)
    assert ended("replay", str(tmp_path / "x.ami")) == 1
    assert "holds no call: are these raw AMI blocks" in capsys.readouterr().err


def test_replay_with_a_token_believes_only_what_carries_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("replay", str(DATA / "answered.ami"), "--token", "f" * 32) == 1
    assert "holds no call" in capsys.readouterr().err


def test_diagram_prints_the_page_of_transitions() -> None:
    told = run("diagram")
    page = Path(cli.__file__).parents[1] / "docs" / "transitions.md"
    assert (told.exit_code, told.output.strip()) == (0, page.read_text(encoding="utf-8").strip())
    table = run("diagram", "--permissions")
    assert table.exit_code == 0
    assert "JA" in table.output


@pytest.mark.parametrize("words", [("up",), ("up", "--no-sample", "--port", "1")])
def test_up_with_a_planted_fault_starts_nothing(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTLINE_DISK_FLOOR_MIB", str(10**9))
    monkeypatch.setattr(logs, "configure", lambda folder, level: None)
    assert ended(*words) == 1
    told = capsys.readouterr()
    assert "✗ disk of " in told.err
    assert "Nothing was started." in told.err
    assert told.out == ""
    assert not (tmp_path / "home").exists()


def test_db_upgrade_says_from_where_to_where_and_is_harmless_twice(tmp_path: Path) -> None:
    first = run("db", "upgrade")
    assert first.exit_code == 0, first.output
    assert "(was empty)" in first.output
    again = run("db", "upgrade")
    assert again.exit_code == 0
    assert "was" not in again.output
    assert (tmp_path / "home" / "hotline.db").is_file()


def test_db_upgrade_of_a_database_that_is_held_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("db", "upgrade").exit_code == 0
    holder = sqlite3.connect(tmp_path / "home" / "hotline.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert ended("db", "upgrade") == 1
    finally:
        holder.close()
    assert "the database cannot be reached or changed" in capsys.readouterr().err


def test_staff_add_prints_the_token_or_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    told = run("staff", "add", "7001", "钱多多", "--post", "JA", "--phone", "desk")
    assert told.exit_code == 0, told.output
    assert "钱多多 (7001) added" in told.output
    assert ended("staff", "add", "7001", "孙小小", "--post", "JA") == 1
    assert "7001 belongs to somebody" in capsys.readouterr().err
    assert ended("staff", "add", "7002", "孙小小", "--post", "XX") == 1
    assert "unknown post XX" in capsys.readouterr().err


def test_commands_about_what_does_not_run_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("reload") == 1
    assert "no service is running" in capsys.readouterr().err
    assert ended("doctor") == 1
    assert "Asterisk does not run" in capsys.readouterr().out


def test_reload_signals_the_service_and_nobody_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A process whose command line is not the service's is left alone."""
    home = tmp_path / "home"
    home.mkdir()
    for words, code in ((("up",), 0), (("other",), 1)):
        # whoever runs the tests may ignore the signal, and children inherit that
        script = "import signal, time; signal.signal(1, signal.SIG_DFL); print('there', flush=True); time.sleep(60)"
        with subprocess.Popen([sys.executable, "-c", script, *words], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            (home / "hotline.pid").write_text(f"{process.pid}\n", encoding="ascii")
            result = run("reload") if code == 0 else None
            if result is not None:
                assert result.exit_code == 0, result.output
                assert process.wait() == -signal.SIGHUP
            else:
                assert ended("reload") == 1
                assert process.poll() is None
                os.kill(process.pid, signal.SIGTERM)
    assert "no service is running" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("check",), ("up",), ("doctor",), ("db", "upgrade"), ("reload",)])
def test_a_wrong_setting_is_one_sentence(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTLINE_HTTP_PORT", "eighty")
    assert ended(*words) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "setting http_port" in told
    assert "by the variable HOTLINE_HTTP_PORT" in told
