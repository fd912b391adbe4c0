"""SQLite's driver with one trip to its thread for each statement, instead of four.

aiosqlite runs every call of the driver in a thread of its own: opening a cursor, executing, fetching and closing would
be four trips, each with a wake-up of the event loop. A transaction of an order has some forty statements: on a busy
machine most of its time would go by in between. Here a statement is executed, read whole and closed in one call.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
    SQLiteDialect_aiosqlite,
)
from sqlalchemy.util.concurrency import await_

#: scheme of database addresses
SCHEME: Final = "sqlite+onetrip"


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that lives for one statement in the driver's thread; here remains what it said."""

    __slots__ = ("_arraysize", "_said")

    def __init__(self, adapt_connection: Any) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        #: description, count of rows, last id
        self._said: tuple[Any, int, Any] = (None, -1, None)
        self._arraysize = 1

    @property
    def description(self) -> Any:
        return self._said[0]

    @property
    def rowcount(self) -> int:
        return self._said[1]

    @property
    def lastrowid(self) -> Any:
        return self._said[2]

    @property
    def arraysize(self) -> int:
        return self._arraysize

    @arraysize.setter
    def arraysize(self, value: int) -> None:
        self._arraysize = value

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._trip(lambda cursor: cursor.execute(operation, () if parameters is None else parameters))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._trip(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    async def _trip(self, execute: Callable[[sqlite3.Cursor], object]) -> None:
        driver: Any = self._connection

        def whole() -> tuple[tuple[Any, int, Any], list[Any]]:
            cursor = driver._conn.cursor()
            try:
                execute(cursor)
                rows = cursor.fetchall() if cursor.description else []
                return (cursor.description, cursor.rowcount, cursor.lastrowid), rows
            finally:
                cursor.close()

        async with self._adapt_connection._execute_mutex:
            self._said, rows = await driver._execute(whole)
        self._rows = deque(rows)

    async def _async_soft_close(self) -> None:
        """It is closed."""

    def close(self) -> None:
        """Forgets what was not read."""
        self._rows.clear()


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection with such cursors; those that stream stay the driver's own."""

    __slots__ = ()

    _cursor_cls = Cursor


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """aiosqlite as SQLAlchemy wants it."""

    def connect(self, *arg: Any, **kw: Any) -> Connection:
        connection = self.aiosqlite.connect(*arg, **kw)
        connection._thread.daemon = True
        return Connection(self, await_(connection))


class Dialect(SQLiteDialect_aiosqlite):
    """SQLAlchemy's dialect on it."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Driver:
        return Driver(__import__("aiosqlite"), sqlite3)


registry.register("sqlite.onetrip", __name__, "Dialect")
