"""A wall clock that a test sets while everything runs: libfaketime before Asterisk, `now` as the clock of a service.

Only wall clocks are moved; the monotonic one goes on, as on a machine whose administrator sets the time. A service is
given its clock at one place (libfaketime makes a sleep of Python's fail).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cti.asterisk.provision import Installation
from tests.absent import missing

_LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")


class WallClock:
    """One clock for whoever is under it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        library = next((Path(at, "libfaketimeMT.so.1") for at in _LIBRARIES if Path(at).is_dir()), None)
        if library is None:
            missing("libfaketime is not installed (package libfaketime, or `make test`)")
        self._environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.set(0)

    def now(self) -> datetime:
        """What it shows."""
        return datetime.now(UTC) + self._off

    def set(self, seconds: float) -> None:
        """So far from the true time, at once."""
        self._off = timedelta(seconds=seconds)
        fresh = self._file.with_name("clock.new")
        fresh.write_text(f"{seconds:+g}\n", encoding="ascii")
        fresh.replace(self._file)

    def sandbox(self, cache: Path, installation: Installation) -> Path:
        """A cache folder whose Asterisk is the given one, started under this clock."""
        if installation.system:
            missing("the system's own Asterisk is used: only one of the sandbox can be put under a clock")
        made = cache / "asterisk-sandbox"
        (made / "lib64").mkdir(parents=True)
        (made / "usr").symlink_to(installation.root / "usr")
        program = installation.command[0]
        before = " ".join(f"{name}='{value}'" for name, value in self._environment.items())
        loader = made / "lib64" / "ld-linux-under-a-clock.so.2"
        loader.write_text(f'#!/bin/sh\n{before} exec {program} "$@"\n', encoding="ascii")
        loader.chmod(0o755)
        return cache
