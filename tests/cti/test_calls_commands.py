"""`hotline calls export` and `check`: one call out of the flight recorder, while a service writes to it (TL-71)."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from cti import cli, migrations, store, tables, terminal
from cti.calls.model import CallRecord
from tests.pump.recording import KEY, Service, captured, ticking
from ticketing.db import Database

RUNNER = CliRunner()
UNKNOWN = "20990101000000-000000000000"
UNKNOWN_SAYS = f"✗ no call {UNKNOWN} is known here: ids look like 20261123021328-000000000001\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation after two calls, its service still holding the journal open."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path / "home"))
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "width", 1000)
    home = tmp_path / "home"
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "journal_key").write_text(KEY.hex())
    return home


@pytest.fixture
def calls(home: Path) -> list[CallRecord]:
    return asyncio.run(_live(home))


async def _live(home: Path) -> list[CallRecord]:
    url = f"sqlite+aiosqlite:///{home / 'hotline.db'}"
    await migrations.upgrade(url)
    service = Service(home / "journal")
    await service.live(list(ticking(captured(["answered", "missed_then_answered"], 1.0))))
    database = await Database.open(url)
    async with database.write() as conn:
        await store.save_calls(conn, list(service.saved.values()))
    await database.close()
    return list(service.saved.values())


def run(*words: str) -> Result:
    return RUNNER.invoke(cli.cli, words)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int | str | None, str]:
    """Exit code and what stands on the error console, as the operator's shell sees it."""
    old, sys.argv = sys.argv, ["hotline", *words]
    try:
        with pytest.raises(SystemExit) as left:
            cli.main()
    finally:
        sys.argv = old
    return left.value.code, capsys.readouterr().err


def change(home: Path, call_id: str, **values: object) -> None:
    async def work() -> None:
        database = await Database.open(f"sqlite+aiosqlite:///{home / 'hotline.db'}")
        async with database.write() as conn:
            await conn.execute(update(tables.call).where(tables.call.c.call_id == call_id).values(**values))
        await database.close()

    asyncio.run(work())


@pytest.mark.req("TL-71")
def test_an_exported_call_is_replayed_by_itself(home: Path, calls: list[CallRecord], tmp_path: Path) -> None:
    for call in calls:
        file = tmp_path / f"{call.call_id}.ami"
        done = run("calls", "export", call.call_id, "-o", str(file))
        assert done.exit_code == 0, done.output
        assert call.ani.encode() not in file.read_bytes()
        (fact,) = [json.loads(line) for line in run("replay", str(file), "--json").output.splitlines()]
        assert (fact["call_id"], fact["outcome"]) == (call.call_id, call.outcome)
        assert fact["ask_to_answer_ms"] == call.clocks.ask_to_answer_ms
        printed = run("calls", "export", call.call_id)
        assert printed.stdout_bytes == file.read_bytes()


@pytest.mark.req("TL-71")
def test_check_says_equal_or_names_each_field_that_differs(home: Path, calls: list[CallRecord]) -> None:
    first, second = calls
    assert run("calls", "check", first.call_id).exit_code == 0
    assert "equals its row" in run("calls", "check", second.call_id).output
    change(home, first.call_id, answered_by="9999", grade="5")
    done = run("calls", "check", first.call_id)
    assert done.exit_code == 1
    for word in ("answered_by", "9999", first.answered_by, "grade"):
        assert word in done.output
    found = json.loads(run("calls", "check", first.call_id, "--json").output)
    assert (found["equal"], [one["field"] for one in found["differs"]]) == (False, ["answered_by", "grade"])


@pytest.mark.req("TL-71")
def test_what_cannot_be_given_is_said(
    home: Path, calls: list[CallRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("export", "check"):
        assert told(capsys, "calls", command, UNKNOWN) == (1, UNKNOWN_SAYS)
    code, says = told(capsys, "calls", "export", calls[0].call_id, "-o", str(tmp_path / "no" / "folder"))
    assert code == 1
    assert "cannot be written" in says
    change(home, calls[0].call_id, outcome=None, open=True)
    assert "still open" in told(capsys, "calls", "check", calls[0].call_id)[1]
    for path in (home / "journal").glob("*.ami"):
        path.unlink()
    code, says = told(capsys, "calls", "export", calls[1].call_id)
    assert (code, "no longer holds" in says, "journal_days" in says) == (1, True, True)


def test_without_an_installation_it_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, says = told(capsys, "calls", "check", UNKNOWN)
    assert (code, "hotline up" in says) == (1, True)
    assert not (home / "hotline.db").exists()


def test_a_recording_of_another_release_is_named(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.ami"
    file.write_bytes(b"Event: CtiFact\r\nFact: CallBoarded\r\nat: 2026-11-23T02:13:28+00:00\r\n\r\n")
    code, says = told(capsys, "replay", str(file))
    assert (code, "CallBoarded" in says, "another release" in says) == (1, True, True)
