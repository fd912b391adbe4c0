"""The store of scans: one folder outside everything that is served, files under names we made, hashed and complete.

A file is on disk, synced, before its row is written, so that a row never names a file that is not there. What a
transaction that failed leaves behind is taken away by whoever put it; after a crash `orphans` names it.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ticketing.errors import NotFound, Unavailable

_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Stored:
    """What was put."""

    key: str
    sha256: str
    size: int


class FileStore:
    """Files by key; everything a person may say about a file is in the database only (S18)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, data: bytes) -> Stored:
        """Keeps the bytes; raises Unavailable when the disk does not take them."""
        key = secrets.token_hex(16)
        try:
            await asyncio.to_thread(self._write, key, data)
        except OSError as error:
            raise Unavailable("file_store_down", "the file cannot be kept now", cause=str(error)) from error
        return Stored(key, hashlib.sha256(data).hexdigest(), len(data))

    async def open(self, key: str) -> io.BufferedReader:
        """The file, to be read and closed by the caller; raises NotFound when it is not there."""
        try:
            return await asyncio.to_thread(self._open, key)
        except OSError as error:
            raise NotFound("unknown_document", "the file is gone", cause=str(error)) from error

    async def drop(self, key: str) -> None:
        """Takes a file away whose row was never committed."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def wrong(self, known: Iterable[tuple[str, str, int]]) -> list[tuple[str, str]]:
        """Of (key, SHA-256, size) in the database, those whose file is `missing` or `changed` (CL-02)."""
        return await asyncio.to_thread(self._wrong, list(known))

    async def orphans(self, known: Iterable[str]) -> list[str]:
        """Names in the folder that no row knows."""
        return await asyncio.to_thread(self._orphans, frozenset(known))

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of a stored file")
        return self._root / key[:2] / key

    def _write(self, key: str, data: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _open(self, key: str) -> io.BufferedReader:
        return os.fdopen(os.open(self._path(key), os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def _wrong(self, known: list[tuple[str, str, int]]) -> list[tuple[str, str]]:
        found = []
        for key, sha256, size in known:
            try:
                with self._open(key) as file:
                    same = os.fstat(file.fileno()).st_size == size
                    same = same and hashlib.file_digest(file, "sha256").hexdigest() == sha256
            except OSError:
                found.append((key, "missing"))
            else:
                if not same:
                    found.append((key, "changed"))
        return found

    def _orphans(self, known: frozenset[str]) -> list[str]:
        if not self._root.is_dir():
            return []
        return sorted(path.name for path in self._root.glob("*/*") if path.name not in known)
