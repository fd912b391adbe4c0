"""Engine, column types and the one write path: SQLite (embedded) and PostgreSQL behave alike."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    Select,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from ticketing import onetrip
from ticketing.errors import Invalid, TookTooLong, Unavailable
from ticketing.whole import Trips, Work

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of every package; names are given so that migrations work on both databases."""

#: JSON column; PostgreSQL keeps it binary; None is SQL's NULL, not the JSON word
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
#: key column of tables that grow
BigId = BigInteger().with_variant(Integer(), "sqlite")

_DRIVERS = {"sqlite": onetrip.SCHEME, "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_Select = TypeVar("_Select", bound=Select[Any])
_T = TypeVar("_T")
_BUSY_MS = 1000
_READERS = 4
#: bound of the wait for other writers of this process
_TURN_S = 10.0


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC time with microseconds; a naive value is refused, not guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every stored time is aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def id_column() -> Column[int]:
    """Internal key `id`; never shown outside (pages use public ids and serials)."""
    return Column("id", BigId, primary_key=True, autoincrement=True)


class Unindexed(ColumnElement[Any]):
    """A column of times or keys for ORDER BY, or a condition, that no index can serve: few rows are found by another
    condition, and they are looked at and sorted.

    SQLite has no statistics here: with an index at hand it walks the whole table by time, or all orders in a state,
    in the hope of meeting the rows soon. PostgreSQL knows how many a condition leaves, and needs it for the order only.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type

    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - SQLAlchemy reads a list


@compiles(Unindexed, "sqlite")
def _unindexed_sqlite(element: Unindexed, compiler: SQLCompiler, **given: Any) -> str:
    return f"+({compiler.process(element.column, **given)})"


@compiles(Unindexed, "postgresql")
def _unindexed_postgresql(element: Unindexed, compiler: SQLCompiler, **given: Any) -> str:
    column = compiler.process(element.column, **given)
    if isinstance(element.type, Boolean):
        return f"({column})"
    nothing = "0" if isinstance(element.type, Integer) else "interval '0 s'"
    return f"({column} + {nothing})"


def for_update(select: _Select) -> _Select:
    """Locks the selected rows until commit on PostgreSQL; on SQLite the writer holds the whole database."""
    return select.with_for_update()


def async_url(url: str) -> str:
    """Database address with the asynchronous driver; in-memory SQLite is refused, its readers would see nothing."""
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise Invalid("bad_database_url", f"cannot read the database address: {error}", field="database_url") from None
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise Invalid(
            "bad_database_url", f"unknown database {backend!r}: use sqlite or postgresql", field="database_url"
        )
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise Invalid("bad_database_url", "SQLite needs a file", field="database_url")
    return parsed.set(drivername=_DRIVERS[backend]).render_as_string(hide_password=False)


class Database:
    """One database: many readers, and writers that see each other (BEGIN IMMEDIATE or row locks)."""

    def __init__(self, url: str, writer: AsyncEngine, reader: AsyncEngine, busy_ms: int = _BUSY_MS) -> None:
        self.url = url
        self._writer = writer
        self._reader = reader
        self._turn: asyncio.Lock | None = asyncio.Lock() if self.dialect == "sqlite" else None
        self._writing: asyncio.Task[Any] | None = None
        #: transactions in one trip; PostgreSQL's driver needs no thread
        self._trips = _trips(url, busy_ms, writer, reader) if self._turn is not None else None

    @classmethod
    async def open(cls, url: str, *, busy_ms: int = _BUSY_MS) -> Database:
        """Opens and tries the connection; raises Invalid for a bad address and Unavailable when nothing answers.

        `busy_ms` bounds the wait for a lock held by another process or session (F09).
        """
        full = async_url(url)
        engines = _sqlite(full, busy_ms) if full.startswith("sqlite") else _postgresql(full, busy_ms)
        database = cls(full, *engines, busy_ms)
        try:
            async with database.read():
                pass
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._writer.dialect.name

    async def close(self) -> None:
        """Ends every connection; SQLite folds its log into the file."""
        for trips in self._trips or ():
            trips.close()
        await self._reader.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that may write: committed, and on disk, when the block ends without an error (N1).

        Raises Unavailable when the lock is not had within the bound, RuntimeError for a write inside a write.
        """
        if self._turn is None:
            async with _translated(), _begun(self._writer) as conn:
                yield conn
            return
        await self._take_turn(self._turn)
        self._writing = asyncio.current_task()
        try:
            async with _translated(), _begun(self._writer) as conn:
                yield conn
        finally:
            self._writing = None
            self._turn.release()

    async def write_whole(self, work: Work[_T]) -> _T:
        """`write` for a transaction that awaits nothing but its connection: `work` makes its statements.

        On SQLite it is one trip to a thread, where `work` runs; it touches nothing that changes meanwhile.
        """
        if self._turn is None or self._trips is None:
            async with self.write() as conn:
                return await work(conn)
        await self._take_turn(self._turn)
        async with _translated():
            return await self._trips[0].carry_out(work, self._turn.release)

    async def read_whole(self, work: Work[_T]) -> _T:
        """`read` for a transaction that awaits nothing but its connection, as `write_whole`."""
        if self._trips is None:
            async with self.read() as conn:
                return await work(conn)
        async with _translated(writing=False):
            return await self._trips[1].carry_out(work)

    async def _take_turn(self, turn: asyncio.Lock) -> None:
        """Writers of this process wait in order; one that would wait for itself is told so."""
        if self._writing is not None and self._writing is asyncio.current_task():
            raise RuntimeError("a transaction is open in this task: hand its connection on")
        try:
            async with asyncio.timeout(_TURN_S):
                await turn.acquire()
        except TimeoutError:
            raise _unavailable("database_busy", "other writers of this process") from None

    @asynccontextmanager
    async def read(self, *, limit_s: float | None = None) -> AsyncIterator[AsyncConnection]:
        """One read-only transaction: a consistent view that never waits for the writer.

        With `limit_s` the database itself ends a statement that runs longer: the block raises TookTooLong, and neither
        a processor nor a connection goes on working for nobody.
        """
        async with _translated(writing=False), _begun(self._reader) as conn:
            if limit_s is None:
                yield conn
            elif self.dialect == "postgresql":
                await conn.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(limit_s * 1000)):d}")
                yield conn
            else:
                async with _bounded(conn, limit_s):
                    yield conn

    async def create_all(self) -> None:
        """Makes every table known to `metadata`: for tests and throw-away files; real ones go through Alembic."""
        async with self.write() as conn:
            await conn.run_sync(metadata.create_all)


@asynccontextmanager
async def _begun(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction. Whatever the system says of the way to a server (its socket is not there, its name is unknown, no
    route) means that it is away; an OSError of the block itself is not ours."""
    async with AsyncExitStack() as stack:
        try:
            conn = await stack.enter_async_context(engine.begin())
        except OSError as error:
            raise _unavailable("database_down", error) from error
        yield conn


#: virtual machine steps of SQLite between two looks at the clock: some tens of microseconds
_STEPS = 2000


@asynccontextmanager
async def _bounded(conn: AsyncConnection, limit_s: float) -> AsyncIterator[None]:
    """SQLite looks at the clock while it works, and stops past the limit."""
    driver: Any = (await conn.get_raw_connection()).driver_connection
    ends = time.monotonic() + limit_s
    await driver.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
    try:
        yield
    finally:
        await driver.set_progress_handler(None, _STEPS)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _sqlite(url: str, busy_ms: int) -> tuple[AsyncEngine, AsyncEngine]:
    """Writer and readers on one file. The driver's own transactions are switched off: as shipped, read-then-write
    loses updates without an error."""
    made = [
        create_async_engine(
            url,
            connect_args={"isolation_level": None},
            pool_size=size,
            max_overflow=0,
            json_serializer=_dumps,
        )
        for size in (1, _READERS)
    ]
    for engine, (begin, query_only) in zip(made, _WAYS, strict=True):
        _prepare_sqlite(engine.sync_engine, begin, query_only, busy_ms)
    return made[0], made[1]


def _trips(url: str, busy_ms: int, writer: AsyncEngine, reader: AsyncEngine) -> tuple[Trips, Trips]:
    """Writer and readers on the same file for transactions in one trip, each on a thread of its own."""
    made = []
    for beside, threads, (begin, query_only) in zip((writer, reader), (1, _READERS), _WAYS, strict=True):
        engine = create_engine(
            make_url(url).set(drivername="sqlite"),
            connect_args={"isolation_level": None, "check_same_thread": False},
            pool_size=threads,
            max_overflow=0,
            json_serializer=_dumps,
        )
        _prepare_sqlite(engine, begin, query_only, busy_ms)
        made.append(Trips(engine, beside, threads))
    return made[0], made[1]


#: of writers and of readers: how a transaction begins, and whether it may only look
_WAYS: Final = (("BEGIN IMMEDIATE", False), ("BEGIN", True))


def _prepare_sqlite(engine: Engine, begin: str, query_only: bool, busy_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={busy_ms:d}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _postgresql(url: str, busy_ms: int) -> tuple[AsyncEngine, AsyncEngine]:
    settings = {"lock_timeout": str(busy_ms), "application_name": "hotline", "TimeZone": "UTC"}
    engine = create_async_engine(
        url,
        connect_args={"server_settings": settings, "timeout": 5},
        pool_size=10,
        max_overflow=5,
        pool_pre_ping=True,
        json_serializer=_dumps,
    )
    return engine, engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")


#: what drivers say, and what it is called here
_SIGNS = {
    "database is locked": "database_busy",
    "lock timeout": "database_busy",
    "deadlock detected": "database_busy",
    "disk is full": "database_full",
    "No space left": "database_full",
    "disk I/O error": "database_down",
    "unable to open database file": "database_down",
}
#: PostgreSQL's classes of what is the server's state and no mistake of the program: connection, resources, operator
#: (also "starting up"), who may come in, which database there is
_TOO_LONG = ("interrupted", "57014")
_SERVER_STATES = ("08", "53", "57P", "28", "3D")
#: of a writer it means the file cannot be written; of a reader it is a mistake in the program
_READ_ONLY = "readonly database"
_MESSAGES = {
    "database_busy": "the database does not answer in time",
    "database_full": "the disk of the database is full",
    "database_down": "the database cannot be reached",
}


def _unavailable(code: str, cause: object) -> Unavailable:
    return Unavailable(code, _MESSAGES[code], cause=str(cause))


@asynccontextmanager
async def _translated(*, writing: bool = True) -> AsyncIterator[None]:
    """Locks not had, full disks and servers not there become Unavailable; everything else passes."""
    try:
        yield
    except DBAPIError as error:
        code = next((code for sign, code in _SIGNS.items() if sign in str(error.orig)), None)
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if str(error.orig) in _TOO_LONG or state in _TOO_LONG:
            raise TookTooLong() from error
        away = error.connection_invalidated or state.startswith(_SERVER_STATES)
        if code is None and (away or (writing and _READ_ONLY in str(error.orig))):
            code = "database_down"
        if code is None:
            raise
        raise _unavailable(code, error.orig) from error
    except NoConnectionFree as error:
        raise _unavailable("database_busy", error) from error
    except (ConnectionError, TimeoutError) as error:
        raise _unavailable("database_down", error) from error
