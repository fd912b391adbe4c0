"""The schema's revisions and the revision of a database, without Alembic, which only an upgrade loads.

A start that finds the newest revision loads nothing more. An upgrade is `revisions`; `apart` runs it in a process of
its own, so that a service keeps none of its memory. A new revision, after tables changed: `python -m cti.migrations
"what changed"`; read it before it is committed. Before the first release the first revision is made anew: remove
`versions/0001_*.py`, then the same command.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

import cti
import recordings
import ticketing
from ticketing.db import async_url
from ticketing.errors import Refused, Unavailable

VERSIONS: Final = Path(__file__).parent / "versions"
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


def known(versions: Path = VERSIONS) -> list[str]:
    """Every revision this program knows, oldest first: the numbers its files begin with."""
    return sorted(file.name.partition("_")[0] for file in versions.glob("[0-9]*_*.py"))


def head(versions: Path = VERSIONS) -> str | None:
    """The newest revision this program knows."""
    return next(reversed(known(versions)), None)


async def current(url: str) -> str | None:
    """Revision of a database; None for one without tables. Raises Unavailable when nothing answers."""
    async with connect(url) as conn:
        return await conn.run_sync(revision_of)


async def upgrade(url: str, revision: str = "head", versions: Path = VERSIONS) -> tuple[str | None, str | None]:
    """Brings a database to a revision, all or nothing; returns the revisions before and after.

    Raises Refused when a newer program made the database, or when its rows break a foreign key afterwards.
    """
    if (there := await _there(url, revision, versions)) is not None:
        return there, there
    from cti.migrations import revisions  # noqa: PLC0415 - Alembic, for those who upgrade

    return await revisions.upgrade(url, revision, versions)


async def upgrade_apart(url: str) -> tuple[str | None, str | None]:
    """The same to the newest revision, in a process of its own when there is something to do."""
    if (there := await _there(url, "head", VERSIONS)) is not None:
        return there, there
    from cti.migrations import apart  # noqa: PLC0415 - its process imports this module by name

    return await apart.upgrade(url)


async def _there(url: str, revision: str, versions: Path) -> str | None:
    """The database's revision when it is the wanted one; raises Refused when this program does not know it."""
    have = await current(url)
    if have is not None and have not in known(versions):
        raise Refused("newer_database", f"revision {have} of this database is newer than this program")
    return have if have == (head(versions) if revision == "head" else revision) else None


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


def revision_of(connection: Connection) -> str | None:
    """The revision noted in a database; None without one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    noted: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return noted
