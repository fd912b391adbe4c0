"""A disk that refuses exactly one operation: the n-th that our process does in a folder."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

_CALLS: Final = ("open", "replace", "rename", "unlink", "fsync", "link")


class _Written:
    """A file whose first writing, and each flush, count as operations."""

    def __init__(self, file: Any, step: Callable[[], None]) -> None:
        self._file, self._step, self._wrote = file, step, False

    def __enter__(self) -> _Written:
        return self

    def __exit__(self, *how: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        writes = name in {"write", "writelines"}
        if name == "flush" or (writes and not self._wrote):
            self._wrote = True
            self._step()
        return getattr(self._file, name)


class NthFault:
    """Counts opens, writes, flushes, syncs, renames and removals under a folder, and fails the n-th (0: none)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, at: int, code: int = errno.ENOSPC) -> None:
        self.count = 0
        self.fired = False
        self._folder, self._at, self._code = str(folder), at, code
        for name in _CALLS:
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))
        opened = io.open

        def open_(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
            self._step(file)
            made = opened(file, mode, *more, **named)
            writes = self._ours(file) and set(mode) & set("wax+")
            return _Written(made, self._step) if writes else made

        monkeypatch.setattr(io, "open", open_)

    def _ours(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and str(path).startswith(self._folder)

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(first: Any, *more: Any, **named: Any) -> Any:
            self._step(first)
            return call(first, *more, **named)

        return counted

    def _step(self, path: Any = 0) -> None:
        """One operation on a file of the folder, or on an open file."""
        if not isinstance(path, int) and not self._ours(path):
            return
        self.count += 1
        if self.count == self._at:
            self.fired = True
            raise OSError(self._code, os.strerror(self._code))
