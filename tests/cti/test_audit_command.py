"""`hotline audit verify`: exit codes 0, 1 and 2, and the first broken link by its place."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from cti import cli, migrations, terminal
from cti.app import load_basics
from ticketing.audit import audit
from ticketing.db import Database
from ticketing.sealing import Sealer

KEY = b"k" * 32


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with the sample's people, everything sealed."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    monkeypatch.setenv("HOTLINE_HOME", str(home))
    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "width", 1000)
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "audit_key").write_text(KEY.hex(), encoding="ascii")
    asyncio.run(_sealed(home))
    return home


async def _sealed(home: Path) -> None:
    now = datetime.now(UTC)
    await migrations.upgrade(f"sqlite+aiosqlite:///{home / 'hotline.db'}")
    database = await Database.open(f"sqlite:///{home / 'hotline.db'}")
    try:
        await load_basics(database, sample=True, now=now)
        await Sealer(KEY).seal_now(database, now)
    finally:
        await database.close()


async def _tampered(home: Path) -> None:
    database = await Database.open(f"sqlite:///{home / 'hotline.db'}")
    try:
        async with database.write() as conn:
            for seq in (5, 3):
                await conn.execute(update(audit).where(audit.c.seal_seq == seq).values(actor_number="1001"))
    finally:
        await database.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.cli, ["audit", "verify", *words])


@pytest.mark.req("S28", "N4")
def test_an_intact_log_is_exit_code_0(home: Path) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("✓ every link is as it was sealed")
    told = json.loads(run("--json").stdout)
    assert (told["intact"], told["faults"], told["unsealed"]) == (True, [], 0)
    assert told["sealed"] > 5


@pytest.mark.req("S28", "N4")
def test_the_first_broken_link_is_named_with_exit_code_1(home: Path) -> None:
    asyncio.run(_tampered(home))
    done = run()
    assert done.exit_code == 1
    assert done.stdout.startswith("✗ audit 3: the link does not fit the one before it")
    assert "(and 1 more)" in done.stdout
    told = run("--json")
    assert told.exit_code == 1
    assert [fault["seq"] for fault in json.loads(told.stdout)["faults"]] == [3, 5]


@pytest.mark.req("S28")
def test_what_cannot_be_looked_at_is_exit_code_2(home: Path) -> None:
    (home / "secrets" / "audit_key").unlink()
    done = run()
    assert (done.exit_code, done.stdout) == (2, "")
    assert "audit_key" in done.stderr
