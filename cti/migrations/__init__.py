"""Alembic over the tables of all packages: the composition layer of the schema.

A new revision, after tables changed: `python -m cti.migrations "what changed"`; read it before it is committed. Before
the first release the first revision is made anew: remove `versions/0001_*.py`, then the same command.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

import cti
import recordings
import ticketing
from ticketing.db import async_url
from ticketing.errors import Refused, Unavailable

_T = TypeVar("_T")
_FOLDER = Path(__file__).parent
#: key of the lock that keeps two upgrades of one PostgreSQL database apart
_LOCK = 0x686F746C
#: how long SQLite waits for another writer
_BUSY_MS = 5000

#: last part of the name of every module that declares tables
_DECLARES = frozenset(
    {"tables", "work_tables", "form_tables", "lease", "audit", "sealing", "outbox", "serials", "taxonomy", "calendar"}
)


def load_tables() -> list[ModuleType]:
    """Imports every module that declares tables, so that `ticketing.db.metadata` is whole."""
    names = sorted(
        found.name
        for package in (ticketing, recordings, cti)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if found.name.rpartition(".")[2] in _DECLARES
    )
    return [importlib.import_module(name) for name in names]


def config(versions: Path | None = None) -> Config:
    """Alembic's settings, without a file; another folder of revisions for tests."""
    made = Config()
    made.set_main_option("script_location", str(_FOLDER))
    made.set_main_option("version_locations", str(versions or _FOLDER / "versions"))
    made.set_main_option("path_separator", "newline")
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return made


def head(versions: Path | None = None) -> str | None:
    """The newest revision this program knows."""
    return ScriptDirectory.from_config(config(versions)).get_current_head()


async def current(url: str) -> str | None:
    """Revision of a database; None for one without tables. Raises Unavailable when nothing answers."""
    async with connect(url) as conn:
        return await conn.run_sync(_revision)


async def upgrade(url: str, revision: str = "head", versions: Path | None = None) -> tuple[str | None, str | None]:
    """Brings a database to a revision, all or nothing; returns the revisions before and after.

    Raises Refused when a newer program made the database, or when its rows break a foreign key afterwards.
    """
    async with connect(url) as conn:
        if conn.dialect.name == "postgresql":
            await conn.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        before = await conn.run_sync(_revision)
        known = {script.revision for script in ScriptDirectory.from_config(config(versions)).walk_revisions()}
        if before is not None and before not in known:
            raise Refused("newer_database", f"revision {before} of this database is newer than this program")
        await conn.run_sync(with_connection(config(versions), lambda made: command.upgrade(made, revision)))
        after = await conn.run_sync(_revision)
        # it reads every row, which a start that changes nothing must not
        checked = before != after and conn.dialect.name == "sqlite"
        if checked and (await conn.execute(text("PRAGMA foreign_key_check"))).first():
            raise Refused("broken_keys", "the upgrade would leave rows without their parents; nothing was changed")
        return before, after


def with_connection(made: Config, work: Callable[[Config], _T]) -> Callable[[Connection], _T]:
    """An Alembic command as something to run on a connection that is already in a transaction."""

    def run(connection: Connection) -> _T:
        made.attributes["connection"] = connection
        return work(made)

    return run


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[AsyncConnection]:
    """One connection in one transaction. SQLite's foreign keys are off while tables are rebuilt: dropping the old
    copy of a table would else delete the rows that point to it."""
    engine = create_async_engine(
        async_url(url), connect_args={"isolation_level": None} if url.startswith("sqlite") else {}
    )
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine.sync_engine, "connect")
        def _settings(connection: Any, _record: object) -> None:
            for pragma in (f"busy_timeout={_BUSY_MS:d}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF"):
                connection.execute(f"PRAGMA {pragma}").close()

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        async with AsyncExitStack() as stack:
            yield await _begun(stack, engine)
    except (OSError, DBAPIError) as error:
        raise Unavailable("database_down", "the database cannot be reached or changed", cause=str(error)) from error
    finally:
        await engine.dispose()


async def _begun(stack: AsyncExitStack, engine: AsyncEngine) -> AsyncConnection:
    """A connection whose transaction has begun, beside others that begin too.

    SQLite waits for a writer by itself, but not for another process that turns a new file to WAL in that moment.
    """
    late = asyncio.get_running_loop().time() + _BUSY_MS / 1000
    while True:
        try:
            return await stack.enter_async_context(engine.begin())
        except DBAPIError as error:
            if "database is locked" not in str(error) or asyncio.get_running_loop().time() >= late:
                raise
            await asyncio.sleep(0.05)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
