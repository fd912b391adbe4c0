"""Single files copied so that they are on the disk, and known by their digest. Blocking: call in a thread."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from cti.backup.model import Kept

_CHUNK: Final = 1024 * 1024


def copied(source: Path, target: Path, path: str) -> Kept | None:
    """Copies as many bytes as the file has now; None when it is gone. On the disk when this returns.

    Raises OSError for anything but a file that went away.
    """
    try:
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(reading, "rb") as file:
        state = os.fstat(reading)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(writing, "wb") as into:
            size, digest = _through(file, into, state.st_size)
            into.flush()
            os.fsync(writing)
    os.utime(target, ns=(state.st_mtime_ns, state.st_mtime_ns))
    return Kept(path, size, digest, state.st_mtime_ns, state.st_ino)


def _through(file: BinaryIO, into: BinaryIO, most: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while size < most and (data := file.read(min(_CHUNK, most - size))):
        into.write(data)
        digest.update(data)
        size += len(data)
    return size, digest.hexdigest()


def linked(source: Path, target: Path, known: Kept | None, earlier: Path, path: str) -> Kept | None:
    """The copy the last backup has of this file, when it is unchanged since; None when it must be copied."""
    if known is None:
        return None
    try:
        state = source.stat()
        same = (state.st_size, state.st_mtime_ns) == (known.size, known.mtime_ns)
        if not same or earlier.stat().st_size != known.size:
            return None
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.link(earlier, target)
    except OSError:  # gone, or on a disk that knows no links
        return None
    return Kept(path, known.size, known.sha256, state.st_mtime_ns, state.st_ino)


def digest_of(path: Path) -> tuple[int, str]:
    """Size and SHA-256. Raises OSError."""
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()


def settle(folder: Path) -> None:
    """The names in a folder are on the disk when this returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def free_bytes(folder: Path) -> int:
    """What may still be written where this folder is or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
