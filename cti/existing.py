"""The database of an installation as it is, for commands that only look: nothing is made, nothing is migrated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import make_url

from cti import migrations
from cti.settings import Settings
from ticketing.db import Database, async_url
from ticketing.errors import Unavailable


def sqlite_file(settings: Settings) -> Path | None:
    """The file of an SQLite database; None for another kind."""
    url = make_url(async_url(settings.database))
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


@asynccontextmanager
async def existing(settings: Settings) -> AsyncIterator[Database]:
    """Opens it; raises Unavailable when there is none, it does not answer, or it has another schema than this release.

    Works beside the service.
    """
    file = sqlite_file(settings)
    if file is not None and not file.is_file():
        raise Unavailable(
            "no_database", f"there is no {file}: `hotline up` makes it, or set HOTLINE_HOME to its folder"
        )
    database = await Database.open(settings.database)
    try:
        have, want = await migrations.current(settings.database), migrations.head()
        if have != want:
            wrong = f"the database's schema is {have or 'empty'}, this program needs {want}: run `hotline db upgrade`"
            raise Unavailable("other_schema", wrong)
        yield database
    finally:
        await database.close()
