"""Starts, watches, asks and stops an Asterisk on a rendered run folder; never one it did not render.

A started Asterisk is a process of its own: calls go on when the service ends, and the next service finds it by its
control socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from cti.asterisk import control, ports
from cti.asterisk.errors import AsteriskError, NotRunning
from cti.asterisk.render import RunFolder

_START_S = 20.0
_POLL_S = 0.02


@dataclass(slots=True)
class Asterisk:
    """The exchange of one run folder."""

    folder: RunFolder
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> float:
        """Starts it and returns the seconds until it was fully booted.

        Raises PortTaken before anything starts, AsteriskError with the last words of the log when it does not come up.
        """
        if await self.running():
            raise AsteriskError(f"an Asterisk is already running at {self.folder.root}")
        ports.check(self.folder.settings)
        for stale in (self.folder.control, self.folder.pid_file):
            stale.unlink(missing_ok=True)
        started = time.monotonic()
        command = (*self.folder.installation.command, "-C", str(self.folder.conf), "-f", "-n")
        with (self.folder.log / "console.log").open("ab") as console:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd=self.folder.root,
                umask=0o077,
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder.root), "LANG": "C.UTF-8", "TZ": "UTC"},
            )
        try:
            await self._wait_booted(started + _START_S)
        except BaseException:
            await self.stop()
            raise
        return time.monotonic() - started

    async def cli(self, command: str) -> str:
        """What the Asterisk console prints for one command. Raises NotRunning."""
        return await control.run(self.folder.control, command)

    async def running(self) -> bool:
        """Whether an Asterisk answers here, whoever started it."""
        try:
            await control.run(self.folder.control, "core show version", timeout_s=3.0)
        except NotRunning:
            return False
        return True

    async def stop(self, *, drain_s: float = 0.0, patience_s: float = 5.0) -> None:
        """Ends it: no new calls for up to `drain_s`, then at once, then TERM, then KILL. Quiet when nothing runs."""
        pid = self._pid()
        if drain_s > 0:
            await self._ask_to("core stop gracefully", pid, drain_s)
        await self._ask_to("core stop now", pid, patience_s)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if pid is None or not self._alive(pid):
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            await self._gone(pid, patience_s)
        if self._process is not None:
            await self._process.wait()
            self._process = None

    async def _ask_to(self, command: str, pid: int | None, patience_s: float) -> None:
        with contextlib.suppress(AsteriskError):
            await control.run(self.folder.control, command, timeout_s=min(patience_s, 2.0))
        if pid is not None:
            await self._gone(pid, patience_s)

    async def _gone(self, pid: int, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while self._alive(pid) and time.monotonic() < deadline:  # noqa: ASYNC110 - a process of somebody else has no event
            await asyncio.sleep(_POLL_S)

    def _alive(self, pid: int) -> bool:
        if self._process is not None and self._process.pid == pid:
            return self._process.returncode is None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _pid(self) -> int | None:
        """The process we started, else the one the pid file names if it is an Asterisk."""
        if self._process is not None:
            return self._process.pid
        try:
            pid = int(self.folder.pid_file.read_text(encoding="ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self.folder.conf).encode() in command else None

    async def _wait_booted(self, deadline: float) -> None:
        process = self._process
        while time.monotonic() < deadline:
            if process is None or process.returncode is not None:
                raise AsteriskError(f"Asterisk ended at once: {self._last_words()}")
            try:
                answer = await control.run(self.folder.control, "core waitfullybooted", timeout_s=_START_S)
            except NotRunning:
                answer = ""
            if "fully booted" in answer:  # one that gives up closes the socket without a word
                return
            await asyncio.sleep(_POLL_S)
        raise AsteriskError(f"Asterisk was not ready after {_START_S:g} s: {self._last_words()}")

    def _last_words(self) -> str:
        for name in ("messages.log", "console.log"):
            with contextlib.suppress(OSError):
                lines = (self.folder.log / name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
                errors = [line for line in lines if "ERROR" in line] or lines
                if errors:
                    words = [line.partition("]: ")[2] or line.partition("] ")[2] or line for line in errors[-3:]]
                    return f"{' / '.join(word.strip() for word in words)} (see {self.folder.log / name})"
        return "it left no log"
