"""The database as one file, while others write to it: SQLite's own backup, or PostgreSQL's pg_dump. Blocking."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from ticketing.db import async_url
from ticketing.errors import Invalid, Unavailable


def take(url: str, target: Path) -> None:
    """Everything committed at one moment. Raises Unavailable with what the database or its program said."""
    if _is_sqlite(url):
        _take_sqlite(_file(url), target)
    else:
        _program("pg_dump", url, "--format=custom", f"--file={target}")


def put(url: str, source: Path) -> None:
    """Makes the database from the file. Raises Unavailable as above; then nothing of it is there."""
    if _is_sqlite(url):
        _put_sqlite(source, _file(url))
    else:
        _program("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
                 f"--dbname={make_url(async_url(url)).database}", str(source))  # fmt: skip


def estimate(url: str) -> int:
    """Bytes the file will have at most, where that is known; else 0."""
    if not _is_sqlite(url):
        return 0
    file = _file(url)
    return sum(path.stat().st_size for path in (file, Path(f"{file}-wal")) if path.exists())


def _is_sqlite(url: str) -> bool:
    return make_url(async_url(url)).get_backend_name() == "sqlite"


def _file(url: str) -> Path:
    return Path(make_url(async_url(url)).database or "")


def _take_sqlite(file: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)  # all pages in one step: one view, and writers go on
            copy.execute("PRAGMA journal_mode=DELETE")
            (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise Unavailable("no_database", f"the database {file} could not be copied: {error}") from None
    if said != "ok":
        raise Unavailable("bad_database", f"the database {file} is damaged: {said}")
    _settle(target)


def _put_sqlite(source: Path, file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(file.name + ".restoring")
    shutil.copyfile(source, draft)
    draft.chmod(0o600)
    _settle(draft)
    draft.rename(file)
    _settle(file.parent)


def _settle(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _program(name: str, url: str, *words: str) -> None:
    """PostgreSQL's own programs; address and password go by the environment, where no other user reads them."""
    path = shutil.which(name)
    if path is None:
        raise Invalid("no_program", f"{name} is not installed: install the package postgresql-client")
    address = make_url(async_url(url))
    given = {
        "PGHOST": address.query.get("host", address.host),
        "PGPORT": address.port and str(address.port),
        "PGUSER": address.username,
        "PGPASSWORD": address.password,
        "PGDATABASE": address.database,
        "PGSSLMODE": address.query.get("ssl"),
    }
    environment = os.environ | {key: value for key, value in given.items() if isinstance(value, str)}
    done = subprocess.run([path, *words], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Unavailable("no_database", f"{name} failed: {done.stderr.strip() or done.returncode}")
