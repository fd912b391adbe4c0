"""A disk so small that a test can fill it: a file system in memory of its own, or a container's small /dev/shm."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.absent import missing

MIB: Final = 2**20
#: What a container has; a larger one is the machine's memory and is left alone.
_SMALL: Final = 256 * MIB


@contextmanager
def small_disk(folder: Path, size_mib: int) -> Iterator[Path]:
    """A folder on a disk of its own; root mounts one at `folder`."""
    folder.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=0700", "tmpfs", str(folder))
    if shutil.which("mount") and subprocess.run(command, capture_output=True, check=False).returncode == 0:
        try:
            yield folder
        finally:
            subprocess.run(("umount", "-l", str(folder)), check=True)
        return
    shared = Path("/dev/shm")
    if not shared.is_dir() or shutil.disk_usage(shared).total > _SMALL:
        missing("a small disk: mount a tmpfs (as root), or a /dev/shm of at most 256 MiB")
    with tempfile.TemporaryDirectory(prefix="hl-", dir=shared) as found:
        yield Path(found)


@contextmanager
def filled(folder: Path, *, but: int = 0) -> Iterator[None]:
    """Until the block ends only so many bytes are free there."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb") as file, contextlib.suppress(OSError):
            while (room := shutil.disk_usage(folder).free - but) > 0:
                os.write(file.fileno(), b"\0" * min(room, 64 * 1024))
        yield
    finally:
        ballast.unlink(missing_ok=True)
