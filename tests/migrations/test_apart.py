"""An upgrade in a process of its own: the same outcome, and nothing of it outlives who waits for it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from cti import migrations
from cti.migrations import apart, revisions
from ticketing.errors import Refused, Unavailable


def test_revisions_are_known_without_alembic() -> None:
    """What the names of the files say is what Alembic reads in them."""
    scripts = ScriptDirectory.from_config(revisions.config())
    assert migrations.known()[::-1] == [script.revision for script in scripts.walk_revisions()]
    assert migrations.head() == scripts.get_current_head()


async def test_it_brings_an_empty_database_to_this_release(empty_url: str) -> None:
    assert await migrations.upgrade_apart(empty_url) == (None, migrations.head())
    assert await migrations.current(empty_url) == migrations.head()
    assert await migrations.upgrade_apart(empty_url) == (migrations.head(), migrations.head())


async def test_nothing_to_do_needs_no_process(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrations.upgrade(empty_url)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert await migrations.upgrade_apart(empty_url) == (migrations.head(), migrations.head())


async def test_where_no_process_can_be_had_it_happens_here(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert await migrations.upgrade_apart(empty_url) == (None, migrations.head())


async def test_what_it_refuses_is_told_as_it_is(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    async with migrations.connect(empty_url) as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="newer_database"):
        await migrations.upgrade_apart(empty_url)
    with pytest.raises(Refused, match="newer_database"):
        await apart.upgrade(empty_url)
    with pytest.raises(Unavailable, match="database_down"):
        await apart.upgrade("postgresql://hotline@127.0.0.1:1/none")


async def test_a_process_that_was_killed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = tmp_path / "python"
    killed.write_text("#!/bin/sh\nread line\nkill -9 $$\n", encoding="ascii")
    killed.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(killed))
    with pytest.raises(Unavailable, match="upgrade_failed"):
        await migrations.upgrade_apart(f"sqlite:///{tmp_path / 'hotline.db'}")


async def test_it_ends_without_a_commit_when_nobody_waits_any_more(tmp_path: Path) -> None:
    """The service was killed while its upgrade waited for another writer, who then lets go."""
    file = tmp_path / "hotline.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL").close()
        other.execute("BEGIN IMMEDIATE")
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cti.migrations.apart"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdin is not None
        child.stdin.write(f"{json.dumps(f'sqlite:///{file}')}\n".encode())
        child.stdin.close()
        async with asyncio.timeout(30):
            said, _ = await child.communicate()
        assert (child.returncode, said) == (1, b"")
        other.execute("COMMIT")
        assert other.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
