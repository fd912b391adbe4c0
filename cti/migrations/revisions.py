"""Alembic over the tables of all packages: the composition layer of the schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from cti.migrations import VERSIONS, connect, known, revision_of
from ticketing.errors import Refused

_T = TypeVar("_T")
#: key of the lock that keeps two upgrades of one PostgreSQL database apart
_LOCK: Final = 0x686F746C


def config(versions: Path = VERSIONS) -> Config:
    """Alembic's settings, without a file; another folder of revisions for tests."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("version_locations", str(versions))
    made.set_main_option("path_separator", "newline")
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return made


async def upgrade(url: str, revision: str, versions: Path) -> tuple[str | None, str | None]:
    """`cti.migrations.upgrade` when there is something to do."""
    async with connect(url) as conn:
        if conn.dialect.name == "postgresql":
            await conn.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        before = await conn.run_sync(revision_of)
        if before is not None and before not in known(versions):
            raise Refused("newer_database", f"revision {before} of this database is newer than this program")
        await conn.run_sync(with_connection(config(versions), lambda made: command.upgrade(made, revision)))
        after = await conn.run_sync(revision_of)
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
