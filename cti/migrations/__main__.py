"""Writes a new revision: what the tables say now against what the revisions give, on a throw-away SQLite file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import Script

from cti.migrations import VERSIONS, connect, known, upgrade
from cti.migrations.revisions import config, with_connection


async def new_revision(message: str, versions: Path = VERSIONS) -> Path:
    """Writes the next numbered revision into the folder and returns its path."""
    made = config(versions)
    number = 1 + len(known(versions))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.db"
        await upgrade(url, versions=versions)
        async with connect(url) as conn:
            script = await conn.run_sync(
                with_connection(
                    made, lambda given: command.revision(given, message, autogenerate=True, rev_id=f"{number:04d}")
                )
            )
    assert isinstance(script, Script)  # one head, so one script
    path = Path(script.path)
    await asyncio.to_thread(subprocess.run, [sys.executable, "-m", "ruff", "format", "-q", str(path)], check=False)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python -m cti.migrations "what changed"')
    sys.stdout.write(f"{asyncio.run(new_revision(sys.argv[1]))}\n")
