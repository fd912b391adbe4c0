"""An installation made again from a backup: checked first, then put in place, then told that it is another life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from cti import migrations, store
from cti.backfill import CEL, QUEUE_LOG
from cti.backup import dump, files, model
from cti.backup.model import Manifest
from cti.existing import sqlite_file
from cti.settings import Settings
from ticketing import audit, serials
from ticketing.db import Database
from ticketing.errors import Invalid, Refused, Unavailable
from ticketing.roles import SYSTEM
from ticketing.staff import sessions

Progress = Callable[[str, int], None]
#: lies in `home` while a restore is under way: what is there is half of something, and may be restored over
MARK: Final = "restore.unfinished"
#: order numbers passed over, so that none that was told after the backup is given to another (default)
PASSED_OVER: Final = 100_000
#: journal by the part that holds it
_JOURNALS: Final = {"queue-log": QUEUE_LOG, "channel-log": CEL}


def newest(folder: Path) -> Path:
    """The backup meant by a folder: itself, or the newest finished one in it. Raises NotFound."""
    inside = model.complete(folder)
    if not (folder / model.MANIFEST).is_file() and inside:
        return inside[-1]
    model.read(folder)
    return folder


def check(backup: Path, progress: Progress) -> Manifest:
    """Every file against its digest. Raises Invalid `damaged_backup` naming the first that is not what was copied."""
    manifest = model.read(backup)
    for number, kept in enumerate(manifest.files, 1):
        try:
            found = files.digest_of(backup / kept.path)
        except OSError as error:
            raise Invalid("damaged_backup", f"{backup / kept.path} cannot be read: {error.strerror}") from None
        if found != (kept.size, kept.sha256):
            raise Invalid("damaged_backup", f"{backup / kept.path} is not what was copied: use another backup")
        if number % 100 == 0:
            progress("checked", number)
    if model.DATABASES[manifest.database] not in {kept.path for kept in manifest.files}:
        raise Invalid("bad_backup", f"{backup} holds no database")
    return manifest


async def restore(settings: Settings, backup: Path, now: datetime, progress: Progress) -> Manifest:
    """Puts a checked backup where these settings say an installation is to be.

    Nothing that is there is overwritten: raises Refused when there is an installation already, or when its database is
    of another kind than the backup's; Unavailable when disk or database fail (said again, it begins anew).
    """
    manifest = await asyncio.to_thread(check, backup, progress)
    await _refuse_what_is_there(settings, manifest)
    try:
        await asyncio.to_thread(_files, settings, backup, manifest, progress)
    except OSError as error:
        where = error.filename or settings.home
        raise Unavailable("restore_failed", f"{where} cannot be written: {error.strerror or error}") from error
    progress("database", 0)
    await asyncio.to_thread(dump.put, settings.database, backup / model.DATABASES[manifest.database])
    await migrations.upgrade(settings.database)
    await _another_life(settings, manifest, now)
    (settings.home / MARK).unlink()
    return manifest


async def _refuse_what_is_there(settings: Settings, manifest: Manifest) -> None:
    file = sqlite_file(settings)
    if (file is not None) != (manifest.database == "sqlite"):
        raise Refused("other_database", f"the backup is of {manifest.database}: set database_url to one of that kind")
    if file is None and await _has_tables(settings.database):
        raise Refused("not_empty", "the database named by database_url has tables: name an empty one")
    if (settings.home / MARK).exists():
        if file is not None:
            file.unlink(missing_ok=True)
        return
    if file is not None and file.exists():
        raise Refused("not_empty", f"there is an installation already: {file}; set HOTLINE_HOME to a new folder")
    for part in model.parts(settings):
        if any(True for _ in part.files()):
            raise Refused("not_empty", f"{part.folder} is not empty: set HOTLINE_HOME to a new folder")


async def _has_tables(url: str) -> bool:
    async with migrations.connect(url) as conn:
        return await conn.run_sync(_tables)


def _tables(conn: Connection) -> bool:
    return bool(inspect(conn).get_table_names())


def _files(settings: Settings, backup: Path, manifest: Manifest, progress: Progress) -> None:
    settings.make_home()
    (settings.home / MARK).touch(mode=0o600)
    files.settle(settings.home)
    for part in model.parts(settings):
        wanted = manifest.of(part.name)
        for inner, kept in wanted.items():
            files.copied(backup / kept.path, part.folder / inner, kept.path)
        if wanted:
            files.settle(part.folder)
        progress(part.name, len(wanted))


async def _another_life(settings: Settings, manifest: Manifest, now: datetime) -> None:
    """What the database says of things outside it is true again; everybody signs in anew; it is written down."""
    database = await Database.open(settings.database)
    try:
        async with database.write() as conn:
            known = await store.offsets(conn)
            moved = {name: place for name, place in _moved(settings, manifest, known).items() if place is not None}
            await store.set_offsets(conn, moved, now)
            await serials.pass_over(conn, PASSED_OVER)
            await sessions.revoke_everyone(conn, now)
            told: dict[str, Any] = {"backup": manifest.at, "files": len(manifest.files)}
            await audit.record(conn, SYSTEM, "installation.restored", "installation", "this", told, now)
    finally:
        await database.close()


def _moved(
    settings: Settings, manifest: Manifest, known: dict[str, tuple[int, int]]
) -> dict[str, tuple[int, int] | None]:
    """How far each journal was read, in the file that now has the lines: the same bytes under another inode."""
    found: dict[str, tuple[int, int] | None] = {}
    for part in model.parts(settings):
        if part.name not in _JOURNALS:
            continue
        inode, offset = known.get(_JOURNALS[part.name], (0, 0))
        for inner, kept in manifest.of(part.name).items():
            if kept.inode == inode:
                found[_JOURNALS[part.name]] = ((part.folder / inner).stat().st_ino, offset)
    return found
