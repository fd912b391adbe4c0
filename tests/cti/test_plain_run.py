"""Plain `pytest` on a machine without Asterisk passes, and names what it did not run (PX-08)."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.req("PX-08")
async def test_what_is_not_there_is_skipped_by_name(tmp_path: Path) -> None:
    """An empty cache folder, and a system Asterisk that is too old."""
    program = tmp_path / "bin" / "asterisk"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Asterisk 18.9.0'\n", encoding="ascii")
    program.chmod(0o700)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HOTLINE_", "PYTEST_"))}
    environment |= {"XDG_CACHE_HOME": str(tmp_path), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        *(
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/system/test_queues_read.py",
            "tests/cti/test_exchange.py",
        ),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        out, _ = await run.communicate()
    told = out.decode()
    assert run.returncode == 0, told
    assert "without Asterisk: 2 tests" in told
    assert "Asterisk 22 is not installed (`hotline asterisk install`, or `make test`)" in told
    assert "4 passed, 2 skipped" in told
