"""A large centre's database for the benchmarks, made once and kept: customers, orders, work orders, voice files.

It lies in `hotline-benchmarks` of the system's temporary folder, or where `HOTLINE_BENCH_CACHE` says; remove the folder
to have it made anew. Rows are written in bulk past the product, the same ones every time; the schema is the product's,
and a kept database is brought up to date by its migrations, as any installation's. What a benchmark writes stays there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]

from cti import app, migrations
from tests.postgresql import Cluster
from ticketing.db import Database
from ticketing.orders.model import OPEN
from ticketing.staff import sample as sample_staff
from ticketing.text import index_terms

#: the moment all rows are before
NOW: Final = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
YEARS: Final = timedelta(days=730)
#: a smaller one is made for one run and not kept
KEPT_FROM: Final = 20_000
_BATCH: Final = 20_000
_FIRST: Final = 100_000

TEXTS: Final = (
    "宽带断网三天，上周投诉后无人上门修复，要求今天修好并减免当月费用。",
    "未订购流量包被扣费三十元，要求退费并说明原因。",
    "营业厅排队两个小时，工作人员态度不好，要求道歉。",
    "晚间网速仅几十兆，已报修三次未解决，客户情绪激动。",
    "装机预约改期四次，客户在家等候一天没有人来。",
    "短信验证码收不到，无法办理业务，影响使用手机银行。",
)
BUSINESSES: Final = ("data.broadband", "mobile.data", "fixed.local", "card.prepaid")
NATURES: Final = ("repair.late", "fee.wrong", "service.attitude", "quality.slow")
NAMES: Final = tuple(f"{family}{given}" for family in "张王李赵刘陈杨黄" for given in ("伟", "芳", "娜", "强", "秀英"))


def number(customer: int) -> str:
    """The telephone number of the customer in this place, from 0; no two have the same."""
    return f"+8613{customer * 7_919 % 999_999_937:09d}"


def serial(order: int) -> str:
    """Digits that tell nothing of the order's age, as real ones."""
    return f"{order * 387_420_489 % 999_999_937:09d}"


@dataclass(frozen=True, slots=True)
class Size:
    """How large it is."""

    customers: int
    orders: int
    #: with the index of words: thirty rows an order
    words: bool = False

    @property
    def name(self) -> str:
        """Of its file."""
        return f"centre_{self.customers}_{self.orders}{'_words' if self.words else ''}"


Row = tuple[Any, ...]


class Rows:
    """Two years of a centre: most orders are closed; the newer one is, the likelier it is still open."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._random = random.Random(1860)  # the same rows every time
        self._open = sorted(state.value for state in OPEN)
        #: (id, created) of the open ones
        self._running: list[tuple[int, datetime]] = []

    def customers(self) -> Iterator[Row]:
        """One row each."""
        first = NOW - YEARS
        for at in range(self.size.customers):
            vip = "gold" if at % 50 == 0 else None
            yield _FIRST + at, f"c{at:021d}", NAMES[at % len(NAMES)], vip, "bench", 1, first, first

    def numbers(self) -> Iterator[Row]:
        """Each has one, every tenth another one."""
        for at in range(self.size.customers):
            yield _FIRST + at, number(at), "mobile", True, NOW - YEARS
            if at % 10 == 0:
                yield _FIRST + at, f"+86571{at:08d}", "fixed", False, NOW - YEARS

    def orders(self) -> Iterator[Row]:
        """One row each, oldest first."""
        pick, size = self._random.random, self.size
        step = YEARS / size.orders
        for at in range(size.orders):
            created = NOW - YEARS + step * at
            running = pick() < (0.5 if at > size.orders * 0.99 else 0.002)
            customer = int(pick() * size.customers)
            if running:
                self._running.append((at, created))
            texts = TEXTS[at % len(TEXTS)]
            yield (
                _FIRST + at, f"o{at:021d}", serial(at + 1), 3, "complaint",
                self._open[int(pick() * len(self._open))] if running else "closed",
                "run", pick() < 0.05, 0, 1, 1, 0, "call", created, number(customer), f"call-{at}", number(customer),
                _FIRST + customer, BUSINESSES[int(pick() * 4)], NATURES[int(pick() * 4)], texts, texts, "{}",
                "senior" if running else None, created, created, None if running else created + timedelta(days=2),
                created, "2001",
                created + timedelta(days=5) if running else None, created + timedelta(days=4) if running else None,
            )  # fmt: skip

    def works(self) -> Iterator[Row]:
        """One work order for each order that is open."""
        for at, created in self._running:
            yield (
                _FIRST + at, f"w{at:021d}", _FIRST + at, 1, 1, 1, "work", "processing", "run", "net.field", "field",
                "请处理", False, created + timedelta(days=1), created, created, created, "{}", False,
            )  # fmt: skip

    def contacts(self) -> Iterator[Row]:
        """Every fifth order's call is in the log."""
        for at in range(0, self.size.orders, 5):
            moment = NOW - YEARS + YEARS * (at / self.size.orders)
            yield _FIRST + at, f"k{at:021d}", "call", "in", f"call-{at}", moment

    def joins(self) -> Iterator[Row]:
        """Which order such a call was about."""
        for at in range(0, self.size.orders, 5):
            yield _FIRST + at, _FIRST + at, "first", NOW

    def recordings(self) -> Iterator[Row]:
        """And its voice file."""
        for at in range(0, self.size.orders, 5):
            yield f"r{at:021d}", f"call-{at}", "ready", 61.5, 1, NOW, NOW, 1

    def words(self) -> Iterator[Row]:
        """The index of words, in the order of its key."""
        by_term: dict[str, list[int]] = {}
        for place, text in enumerate(TEXTS):
            for term in index_terms(text):
                by_term.setdefault(term, []).append(place)
        rare = dict.fromkeys(("基站", "站辐", "辐射"), _FIRST + self.size.orders // 2)
        for term in sorted([*by_term, *rare]):
            if term in rare:
                yield term, rare[term]
                continue
            places = by_term[term]
            for first in range(0, self.size.orders, len(TEXTS)):
                for place in places:
                    if first + place < self.size.orders:
                        yield term, _FIRST + first + place


_COLUMNS: Final = {
    "customer": "id public_id name vip_class source version created_at updated_at",
    "customer_number": "customer_id e164 kind main added_at",
    "customer_order": (
        "id public_id serial version kind state control urgent priority cycle contact_no repeat_no channel received_at "
        "caller_number call_id contact_number customer_id business nature description verbatim coded owner_queue "
        "created_at registered_at ended_at changed_at changed_by due_at warn_at"
    ),
    "work_order": (
        "id public_id order_id number version cycle kind state control unit owner_queue dispatch_opinion urgent due_at "
        "created_at sent_at changed_at form working_time"
    ),
    "contact": "id public_id kind direction external_id at",
    "contact_order": "contact_id order_id role joined_at",
    "recording": "public_id call_id state seconds scans created_at changed_at version",
    "order_term": "term order_id",
}


def _tables(rows: Rows) -> Iterator[tuple[str, Iterator[Row]]]:
    yield "customer", rows.customers()
    yield "customer_number", rows.numbers()
    yield "customer_order", rows.orders()
    yield "work_order", rows.works()
    yield "contact", rows.contacts()
    yield "contact_order", rows.joins()
    yield "recording", rows.recordings()
    if rows.size.words:
        yield "order_term", rows.words()


def cache() -> Path:
    """Where they are kept."""
    given = os.environ.get("HOTLINE_BENCH_CACHE")
    return Path(given) if given else Path(tempfile.gettempdir()) / "hotline-benchmarks"


@asynccontextmanager
async def sqlite(size: Size) -> AsyncIterator[str]:
    """Address of such a database in SQLite."""
    with contextlib.ExitStack() as stack:
        folder = cache()
        if size.orders < KEPT_FROM:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hl-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{size.name}.db"
        if not file.exists():
            await _make_sqlite(file, size)
        url = f"sqlite:///{file}"
        await migrations.upgrade(url)
        yield url


async def _make_sqlite(file: Path, size: Size) -> None:
    """In a file beside it, that takes its name when it is whole."""
    began, part = time.monotonic(), file.with_suffix(".part")
    for left in (part, *part.parent.glob(f"{part.name}-*")):
        left.unlink(missing_ok=True)
    await _basics(f"sqlite:///{part}")
    await asyncio.to_thread(_fill_sqlite, part, Rows(size))
    part.rename(file)
    print(f"made {file.name} in {time.monotonic() - began:.0f} s", flush=True)


def _fill_sqlite(file: Path, rows: Rows) -> None:
    """Without sync and without indexes, which come at the end."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as conn:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000"):
            conn.execute(f"PRAGMA {pragma}")
        conn.execute("PRAGMA temp_store=FILE")
        indexes = conn.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN "
            f"({', '.join('?' * len(_COLUMNS))})",
            list(_COLUMNS),
        ).fetchall()
        for name, _ in indexes:
            conn.execute(f"DROP INDEX {name}")
        for table, made in _tables(rows):
            names = _COLUMNS[table].split()
            conn.execute("BEGIN")
            places = ", ".join("?" * len(names))
            statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"
            conn.executemany(statement, map(_as_text, made))
            conn.execute("COMMIT")
        for _, statement in indexes:
            conn.execute(statement)
        conn.execute("PRAGMA journal_mode=WAL")


def _as_text(row: Row) -> Row:
    return tuple(
        value.replace(tzinfo=None).isoformat(" ", "microseconds") if type(value) is datetime else value for value in row
    )


@asynccontextmanager
async def postgresql(size: Size) -> AsyncIterator[str]:
    """Address of such a database in a PostgreSQL of its own; raises NoServer without one on this machine."""
    kept = size.orders >= KEPT_FROM
    folder = cache() / f"pg_{size.name}" if kept else None
    if folder is not None and folder.exists() and not (folder / "whole").exists():
        shutil.rmtree(folder)
    with Cluster.start(folder) as cluster:
        whole = folder / "whole" if folder is not None else None
        if whole is None or not whole.exists():
            began = time.monotonic()
            url = cluster.url(cluster.create("centre"))
            await _basics(url)
            await _fill_postgresql(url, Rows(size))
            if whole is not None:
                whole.touch()
            print(f"made {size.name} in PostgreSQL in {time.monotonic() - began:.0f} s", flush=True)
        url = cluster.url("centre")
        await migrations.upgrade(url)
        yield url


async def _fill_postgresql(url: str, rows: Rows) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
        indexes = await conn.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY($1)"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            list(_COLUMNS),
        )
        for index in indexes:
            await conn.execute(f"DROP INDEX {index['indexname']}")
        for table, made in _tables(rows):
            names = _COLUMNS[table].split()
            for batch in _batches(made):
                await conn.copy_records_to_table(table, columns=names, records=batch)
            if await conn.fetchval("SELECT pg_get_serial_sequence($1, 'id')", table) if "id" in names else False:
                await conn.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        for index in indexes:
            await conn.execute(index["indexdef"])
        await conn.execute("VACUUM ANALYZE")
    finally:
        await conn.close()


def _batches(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    each = iter(rows)
    while batch := list(islice(each, _BATCH)):
        yield batch


async def _basics(url: str) -> None:
    """Schema, vocabularies and the people of the sample."""
    await migrations.upgrade(url)
    database = await Database.open(url)
    try:
        await app.load_basics(database, sample=False, now=NOW - YEARS)
        async with database.write() as conn:  # the people without the sample's orders, whose numbers are drawn by lot
            await sample_staff.load(conn, sample_staff.SAMPLE.read_text(encoding="utf-8"), NOW - YEARS)
    finally:
        await database.close()
