"""Order numbers set aside on disk for messages that are kept while the database is away (TL-24, F09).

The service reserves them in the database and lays them into the spool; the menus and the rescue script of the dialplan
take them, each exactly once, also at the same time. The form is asterisk-conf/README.md's. A number that was taken and
then not spoken is lost, never given again.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

#: One number a line, the next one first.
FILE: Final = "numbers.reserve"
#: Held (flock) by whoever reads and rewrites it; it stays, the other file is replaced.
LOCK: Final = "numbers.lock"
#: Seconds the lock is waited for: its holder may stand still for ever.
LOCK_S: Final = 0.5
_RETRY_S: Final = 0.01
_NUMBER: Final = re.compile(r"[0-9]{9}\Z")


class ReserveHeld(OSError):
    """Somebody else has held the reserve too long."""


class Reserve:
    """The numbers in one spool. Its methods block: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self) -> str | None:
        """A number that nobody else gets; None when there is none, or the disk or another holder stands in the way."""
        try:
            if not self._read():
                return None
            with self._held():
                numbers = self._read()
                if not numbers:
                    return None
                self._write(numbers[1:])
                return numbers[0]
        except OSError as error:
            log.warning("ivr.reserve_failed", error=type(error).__name__)
            return None

    def left(self) -> int:
        """How many there are. Raises `OSError`."""
        return len(self._read())

    def fill(self, numbers: Sequence[str]) -> None:
        """Put reserved numbers behind those that are there; on the disk when this returns. Raises `OSError`."""
        with self._held():
            self._write([*self._read(), *numbers])

    def _read(self) -> list[str]:
        try:
            lines = (self._folder / FILE).read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if _NUMBER.match(line)]

    def _write(self, numbers: Sequence[str]) -> None:
        draft = self._folder / f"{FILE}.new"
        with draft.open("w", encoding="ascii") as file:
            file.writelines(f"{number}\n" for number in numbers)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / FILE)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _held(self) -> Iterator[None]:
        lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o660)
        try:
            until = time.monotonic() + LOCK_S
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise ReserveHeld from None
                    time.sleep(_RETRY_S)
            yield
        finally:
            os.close(lock)
