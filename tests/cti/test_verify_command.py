"""`hotline verify` on an installation: its words, its JSON and its exit codes 0, 1 and 2."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cti import cli, migrations, store, terminal
from cti.app import load_basics
from cti.calls.model import CallRecord
from ticketing.db import Database

CALL = "20260310000000-000000000001"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path / "home"))
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "width", 1000)
    return tmp_path / "home"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.cli, ["verify", *words])


async def _begun(home: Path, records: list[CallRecord], *, upgraded: bool = True) -> None:
    await asyncio.to_thread(home.mkdir)
    url = f"sqlite+aiosqlite:///{home / 'hotline.db'}"
    if upgraded:
        await migrations.upgrade(url)
    database = await Database.open(url)
    if upgraded:
        await load_basics(database, sample=True, now=datetime.now(UTC))
        async with database.write() as conn:
            await store.save_calls(conn, records)
    await database.close()


@pytest.mark.req("N1", "N2", "N3", "N4", "N5", "N6")
def test_an_installation_in_order_is_exit_code_0(home: Path) -> None:
    asyncio.run(_begun(home, []))
    done = run()
    assert done.exit_code == 0, done.output
    assert [line[:4] for line in done.stdout.splitlines()] == [f"✓ N{number}" for number in range(1, 7)]
    assert "queue_log is not reached from here" in done.stderr
    assert (run("--json").exit_code, run("--json").stdout) == (0, "")


@pytest.mark.req("N2")
def test_a_violation_is_named_with_its_remedy_and_exit_code_1(home: Path) -> None:
    asyncio.run(_begun(home, [CallRecord(call_id=CALL, entered_at=datetime(2026, 3, 10, tzinfo=UTC), version=1)]))
    done = run()
    assert done.exit_code == 1
    assert "✗ N2" in done.stdout
    for words in (f"call {CALL}", "no channel of it lives", "start the service"):
        assert words in done.stdout
    (found,) = [json.loads(line) for line in run("--json").stdout.splitlines()]
    assert (found["rule"], found["subject"]) == ("N2", f"call {CALL}")
    assert set(found) == {"rule", "subject", "says", "remedy"}


def test_what_cannot_be_looked_at_is_exit_code_2(home: Path) -> None:
    done = run()
    assert done.exit_code == 2
    assert "hotline up" in done.stderr
    assert not (home / "hotline.db").exists()


def test_another_schema_is_not_looked_at(home: Path) -> None:
    asyncio.run(_begun(home, [], upgraded=False))
    done = run()
    assert done.exit_code == 2
    assert "hotline db upgrade" in done.stderr
