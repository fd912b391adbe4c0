"""SQLite's driver with one trip to its thread for each statement, instead of four.

aiosqlite runs every call of the driver in a thread of its own: opening a cursor, executing, fetching and closing would
be four trips, each with a wake-up of the event loop. A transaction of an order has some forty statements: on a busy
machine most of its time would go by in between. Here a statement is executed, read whole and closed in one call. A
plain BEGIN, which locks nothing and sees nothing before the first statement, goes with that statement, and what is no
transaction is not rolled back.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

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
#: a transaction that has no lock yet
BEGIN: Final = "BEGIN"


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
        if operation == BEGIN:
            self._ours.begins = True
            return
        await self._trip(lambda cursor: cursor.execute(operation, () if parameters is None else parameters))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._trip(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    async def _trip(self, execute: Callable[[sqlite3.Cursor], object]) -> None:
        driver: Any = self._connection
        connection = self._ours
        begins, connection.begins = connection.begins, False

        def whole() -> tuple[tuple[Any, int, Any], list[Any]]:
            cursor = driver._conn.cursor()
            try:
                if begins:
                    cursor.execute(BEGIN)
                execute(cursor)
                rows = cursor.fetchall() if cursor.description else []
                return (cursor.description, cursor.rowcount, cursor.lastrowid), rows
            finally:
                cursor.close()
                trip.over = True

        async with connection._execute_mutex:
            trip = connection.trip = Trip()
            self._said, rows = await driver._execute(whole)
        self._rows = deque(rows)

    @property
    def _ours(self) -> Connection:
        ours: Any = self._adapt_connection
        return cast("Connection", ours)

    async def _async_soft_close(self) -> None:
        """It is closed."""

    def close(self) -> None:
        """Forgets what was not read."""
        self._rows.clear()


class Trip:
    """One errand of the driver's thread; who asked for it may be gone before it is over."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over = False


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection with such cursors; those that stream stay the driver's own."""

    __slots__ = ("begins", "trip")

    _cursor_cls = Cursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        #: a transaction begins with the next statement
        self.begins = False
        self.trip = Trip()
        self.trip.over = True

    def cursor(self, server_side: bool = False) -> Any:
        if server_side and self.begins:  # it is the driver's own and knows nothing of this
            self.begins = False
            await_(self._connection._execute(self._connection._conn.execute, BEGIN))
        return super().cursor(server_side)

    def commit(self) -> None:
        if self._under_way():
            super().commit()

    def rollback(self) -> None:
        if self._under_way():
            super().rollback()

    def _under_way(self) -> bool:
        """Whether there may be a transaction: while the thread is at work nobody knows."""
        self.begins = False
        driver: Any = self._connection
        return driver._connection is not None and (not self.trip.over or bool(driver.in_transaction))


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
