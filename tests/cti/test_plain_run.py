"""Plain `pytest` without Asterisk, browser, PostgreSQL and network passes, and names what it did not run (PX-08)."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: a pytest plugin for the inner run: the machine has no PostgreSQL
BARE = """
from pathlib import Path
from tests import postgresql
postgresql.PLACE = Path("/nonexistent")
"""
#: brings the loopback up in a network of its own (SIOCSIFFLAGS, IFF_UP), then becomes the command given
ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh", b"lo", 1))
os.execv(sys.argv[1], sys.argv[1:])
"""
#: one test file for each thing that may be absent, and some that need sockets of this machine only
FILES = (
    *("tests/system/test_queues_read.py", "tests/system/test_browser_lan.py", "tests/clocks/test_store.py"),
    *("tests/cti/test_exchange.py", "tests/ivr/test_server.py", "tests/web/test_tls.py"),
)


def without_network() -> list[str]:
    """Words before a command that give it a network of its own with nobody in it; none where that is not allowed."""
    words = [shutil.which("unshare") or "/nonexistent/unshare", "--map-root-user", "--net", "--"]
    try:
        subprocess.run([*words, sys.executable, "-c", ""], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [*words, sys.executable, "-c", ALONE]


@pytest.mark.req("PX-08")
async def test_what_is_not_there_is_skipped_by_name(tmp_path: Path) -> None:
    """An empty cache folder, a system Asterisk that is too old, no browser, no PostgreSQL."""
    program = tmp_path / "bin" / "asterisk"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Asterisk 18.9.0'\n", encoding="ascii")
    program.chmod(0o700)
    (tmp_path / "bare_machine.py").write_text(BARE, encoding="ascii")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HOTLINE_", "PYTEST_"))}
    environment |= {
        "XDG_CACHE_HOME": str(tmp_path),
        "PATH": str(program.parent),
        "PYTHONPATH": f"{ROOT}:{tmp_path}",
    }
    run = await asyncio.create_subprocess_exec(
        *without_network(),
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "bare_machine", *FILES),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        out, _ = await run.communicate()
    told = out.decode()
    assert run.returncode == 0, told
    for words in (
        "without Asterisk: ",
        "without browser: ",
        "without PostgreSQL: ",
        "Asterisk 22 is not installed (`hotline asterisk install`, or `make test`)",
        "Chromium is not installed: no browser (tools/test-packages.sh, or `make test`)",
        "no PostgreSQL server binaries (initdb, postgres) on this machine",
    ):
        assert words in told, told
    assert "failed" not in told.splitlines()[-1]
