"""Lists and searches of orders in a large centre's database, beside the least any program could do on the same file.

`python -m tests.benchmarks.order_search` asks a database with two years of orders (100,000; `--orders 1000000` for the
size the goals are stated for, `--orders 5000000`, without the index of words, for the lists of the largest;
`--database postgresql` for that one), made once and kept, for the first page of every named filter, whole and of one
month, by number, by words, for a page deep in a list, as the desk does, for every other condition of the interface over
one month (the slowest are told), and for a combination no index helps. The floor is the bare driver reading the newest
page by its index. Goals at a million: a list 100 ms (p95), a number 50 ms, words 300 ms; at five million a list 200 ms;
a free combination within the limit of the settings, or told what to narrow. Time of the processor is this process's:
with SQLite all of it.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import func, insert, make_url, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.settings import Settings
from cti.web.pop_latency import percentile
from tests.benchmarks import _centre
from tests.benchmarks._centre import BUSINESSES, NATURES, TEXTS
from tests.postgresql import NoServer
from ticketing.customers.tables import customer
from ticketing.db import Database
from ticketing.errors import TookTooLong
from ticketing.orders import listing, query, store
from ticketing.orders.model import OPEN, State
from ticketing.orders.query import narrowing
from ticketing.orders.tables import customer_order, order_term
from ticketing.orders.views import OrderFilter
from ticketing.roles import Actor, Post
from ticketing.staff.tables import staff
from ticketing.taxonomy import taxonomy_node
from ticketing.text import index_terms

NOW: Final = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
YEARS: Final = timedelta(days=730)
ROUNDS: Final = 40
#: of the conditions that are not named lists
FEWER: Final = 10
#: and how many of them are told
TOLD: Final = 5
BATCH: Final = 5000
#: goals at a million orders, milliseconds
LIST_MS, NUMBER_MS, WORDS_MS = 100, 50, 300
#: of a list at five million
LARGE_LIST_MS: Final = 200


class Filler:
    """Rows of a centre that has run for two years: most orders are closed, a few are open, some of them late."""

    def __init__(self, orders: int, owner: int) -> None:
        self.orders = orders
        self.owner = owner
        self.random = random.Random(1860)  # the same rows every time
        self.open = sorted(state.value for state in OPEN)
        self.terms = [index_terms(text) for text in TEXTS]
        self.names = [f"{family}{given}" for family in "张王李赵刘陈杨黄" for given in ("伟", "芳", "娜", "强", "秀英")]

    @staticmethod
    def number(customer_id: int) -> str:
        """A customer's number."""
        return f"+861{3000000000 + customer_id * 7919 % 999999999:010d}"[:14]

    @staticmethod
    def serial(id_: int) -> str:
        """Digits that tell nothing of the order's age, as real ones."""
        return f"{id_ * 387_420_489 % 999_999_937:09d}"

    def customers(self, count: int) -> Iterator[dict[str, Any]]:
        """Customers, a fifth as many as orders."""
        for id_ in range(1, count + 1):
            yield {
                "id": 1000 + id_,
                "public_id": f"c{id_:021d}",
                "name": self.names[id_ % len(self.names)],
                "source": "bench",
                "version": 1,
                "created_at": NOW - YEARS,
                "updated_at": NOW - YEARS,
            }

    def order(self, id_: int, customers: int) -> dict[str, Any]:
        """One order; the newer it is, the likelier it is still open."""
        pick = self.random
        created = NOW - YEARS + YEARS * (id_ / self.orders)
        is_open = pick.random() < (0.5 if id_ > self.orders * 0.99 else 0.002)
        customer_id = pick.randrange(customers) + 1
        return {
            "id": 10_000 + id_,
            "public_id": f"o{id_:021d}",
            "serial": self.serial(id_),
            "version": 3,
            "kind": "complaint",
            "state": pick.choice(self.open) if is_open else State.CLOSED.value,
            "control": "run",
            "urgent": pick.random() < 0.05,
            "priority": 0,
            "cycle": 1,
            "contact_no": 1,
            "repeat_no": 0,
            "channel": "call",
            "received_at": created,
            "caller_number": self.number(customer_id),
            "contact_number": self.number(customer_id),
            "customer_id": 1000 + customer_id,
            "business": pick.choice(BUSINESSES),
            "nature": pick.choice(NATURES),
            "description": TEXTS[id_ % len(TEXTS)],
            "verbatim": TEXTS[id_ % len(TEXTS)],
            "coded": {},
            "owner_id": self.owner if is_open else None,
            "created_at": created,
            "registered_at": created,
            "ended_at": None if is_open else created + timedelta(days=2),
            "changed_at": created,
            "changed_by": "2001",
            "due_at": created + timedelta(days=5) if is_open else None,
            "warn_at": created + timedelta(days=4) if is_open else None,
        }


async def fill(database: Database, orders: int) -> None:
    """Customers, orders and their words, in batches."""
    customers = max(orders // 5, 10)
    async with database.read() as conn:
        owner = int(await conn.scalar(select(staff.c.id).where(staff.c.number == "2001")) or 0)
    filler = Filler(orders, owner)
    rows = list(filler.customers(customers))
    for at in range(0, len(rows), BATCH):
        async with database.write() as conn:
            await conn.execute(insert(customer), rows[at : at + BATCH])
    for at in range(1, orders + 1, BATCH):
        batch = [filler.order(id_, customers) for id_ in range(at, min(at + BATCH, orders + 1))]
        async with database.write() as conn:
            await conn.execute(insert(customer_order), batch)
            for row in batch:
                row["_terms"] = filler.terms[(row["id"] - 10_000) % len(TEXTS)]
            pairs = [{"term": term, "order_id": row["id"]} for row in batch for term in row["_terms"]]
            await conn.execute(insert(order_term), pairs)
    # one rare word, for a search that finds little
    async with database.write() as conn:
        rare = [{"term": term, "order_id": 10_000 + orders // 2} for term in ("基站", "站辐", "辐射")]
        await conn.execute(insert(order_term), rare)
        await conn.execute(
            update(customer_order).where(customer_order.c.id == 10_000 + orders // 2).values(description="基站辐射")
        )


@dataclass
class Taken:
    """Milliseconds of each round: those that passed, and the processor's."""

    passed: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    def cells(self, least: float) -> str:
        """Median, 95th percentile, median of the processor's time, and how many times the floor."""
        p50, p95, cpu = percentile(self.passed, 0.5), percentile(self.passed, 0.95), percentile(self.worked, 0.5)
        ratio = (p50 or 0.0) / least
        return f"{p50 or 0.0:>9.2f}{p95 or 0.0:>9.2f}{cpu or 0.0:>9.2f}{ratio:>9.1f}"

    def met(self, goal: float) -> str:
        """Whether the 95th percentile is within the goal."""
        return f"{goal:g} ms {'met' if (percentile(self.passed, 0.95) or 0.0) <= goal else 'MISSED'}"


async def timed(times: int, what: Callable[[], Awaitable[Any]]) -> Taken:
    """Asks so often; once before, uncounted: a database and its files are used all day."""
    taken = Taken()
    await what()
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        await what()
        taken.passed.append((time.perf_counter() - began) * 1000)
        taken.worked.append((time.process_time() - used) * 1000)
    return taken


_NEWEST: Final = "SELECT * FROM customer_order ORDER BY created_at DESC, id DESC LIMIT 51"


async def floor(url: str) -> float:
    """The median of the newest page, read by the bare driver."""
    if make_url(url).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(make_url(url).database or "")) as file:

            async def ask() -> Any:
                return file.execute(_NEWEST).fetchall()

            taken = await timed(ROUNDS, ask)
    else:
        conn = await asyncpg.connect(url)
        taken = await timed(ROUNDS, lambda: conn.fetch(_NEWEST))
        await conn.close()
    return percentile(taken.passed, 0.5) or 0.0


MONTH: Final = (NOW - timedelta(days=60), NOW - timedelta(days=30))


def cases(size: _centre.Size) -> dict[str, tuple[OrderFilter, float]]:
    """What is asked, and the goal for it: each list whole and of one month, by number, and by words."""
    list_ms = LIST_MS if size.orders <= 1_000_000 else LARGE_LIST_MS
    lists = {
        "newest page": OrderFilter(),
        "closed": OrderFilter(state=("closed",)),
        "in process": OrderFilter(state=("in_process",)),
        "mine": OrderFilter(mine=True),
        "for me": OrderFilter(for_me=True),
        "overdue": OrderFilter(overdue=True),
        "complaints": OrderFilter(kind="complaint"),
        "suggestions (none)": OrderFilter(kind="suggestion"),
        "of a business": OrderFilter(codes={"business": "data"}),
        "urgent": OrderFilter(flags={"urgent": True}),
    }
    found: dict[str, tuple[OrderFilter, float]] = {}
    for name, wanted in lists.items():
        found[name] = (wanted, list_ms)
        found[f"{name}, a month"] = (replace(wanted, times={"created": MONTH}), list_ms)
    middle = _centre.serial(size.orders // 2)
    found |= {
        "by telephone number": (OrderFilter(number=_centre.number(77)), NUMBER_MS),
        "by order number": (OrderFilter(serial=middle), NUMBER_MS),
        "by the start of one": (OrderFilter(serial=middle[:4]), NUMBER_MS),
    }
    if size.words:
        said = ("a common word", "投诉"), ("two common words", "宽带 客户"), ("one common, one rare", "要求 辐射")
        more = ("a rare word", "基站"), ("a word nobody said", "彗星")
        found |= {name: (OrderFilter(words=words), WORDS_MS) for name, words in (*said, *more)}
        found["word and state"] = (OrderFilter(words="宽带", state=("in_process",)), WORDS_MS)
    return found


async def others(conn: AsyncConnection) -> dict[str, OrderFilter]:
    """Every other condition of the interface by itself, over one month; most find nothing there, so that the whole
    month is looked through."""
    found: dict[str, OrderFilter] = {
        "sent to": OrderFilter(dnis="1860"),
        "part of a name": OrderFilter(name="无此人"),
        "work state": OrderFilter(work_state=("done",)),
        "channel": OrderFilter(channel=("letter", "fax")),
        "owner": OrderFilter(owner="1002"),
        "queue": OrderFilter(owner="senior"),
    }
    found |= {f"card {card}": OrderFilter(card=card) for card in ("none", "yellow", "red")}
    found |= {f"{flag} {so}": OrderFilter(flags={flag: so}) for flag in query.FLAGS for so in (True, False)}
    found |= {f"{stage} by": OrderFilter(people={stage: "2001"}) for stage in query.STAGES}
    found |= {f"time {name}": OrderFilter(times={name: MONTH}) for name in query.TIMES}
    found |= {f"sorted {name}": OrderFilter(sort=name) for name in listing.SORTS}
    node = taxonomy_node.c
    rows = await conn.execute(select(node.kind, func.max(node.code)).group_by(node.kind))
    codes = {row[0]: row[1] for row in rows}
    found |= {name: OrderFilter(codes={name: codes[tree]}) for name, tree in query.TREES.items()}
    return {name: replace(wanted, times={"created": MONTH, **wanted.times}) for name, wanted in found.items()}


async def deep(conn: AsyncConnection, actor: Actor, pages: int) -> str | None:
    """The cursor so many pages down."""
    cursor: str | None = None
    for _ in range(pages):
        cursor = (await store.search(conn, actor, OrderFilter(), NOW, cursor=cursor, limit=200)).next_cursor
    return cursor


async def free(database: Database, actor: Actor) -> None:
    """A combination that no index helps: answered within the limit of the settings, or ended there and told what to
    narrow (AU-03)."""
    limit_s = Settings.model_fields["search_seconds"].default
    wanted = OrderFilter(name="无此人", flags={"urgent": True, "vip": False}, times={"event": MONTH})
    began = time.perf_counter()
    try:
        async with database.read(limit_s=limit_s) as conn:
            await store.search(conn, actor, wanted, NOW)
        how = "answered"
    except TookTooLong:
        how = f"ended, to be narrowed by {', '.join(narrowing(['name', 'flags', 'event_from', 'event_to'])[:3])}, ..."
    took = time.perf_counter() - began
    met = "met" if took <= limit_s + 0.5 else "MISSED"
    print(f"{'free combination':28}{took * 1000:>9.0f}{'':27}  {limit_s:g} s {met}: {how}")


async def run(orders: int, place: str) -> None:
    """Opens, asks, prints."""
    size = _centre.Size(max(orders // 5, 10), orders, words=orders <= 1_000_000)
    async with getattr(_centre, place)(size) as url:
        database = await Database.open(url)
        print(f"{orders:,} orders, {place}; load {os.getloadavg()[0]:.1f}")
        least = await floor(url)
        print(f"floor: newest page by the bare driver {least:.2f} ms")
        print(f"{'':28}{'p50 ms':>9}{'p95 ms':>9}{'cpu ms':>9}{'x floor':>9}  goal")
        async with database.read() as conn:
            row = (await conn.execute(select(staff.c.id).where(staff.c.number == "2001"))).one()
            actor = Actor(row.id, "2001", "陈静", frozenset({Post.SA}))

            def ask(wanted: OrderFilter, cursor: str | None = None) -> Callable[[], Awaitable[Any]]:
                return lambda: store.search(conn, actor, wanted, NOW, cursor=cursor)

            asked = {name: (ask(wanted), goal) for name, (wanted, goal) in cases(size).items()}
            down = await deep(conn, actor, min(20, orders // 400))
            asked["page 21 of 200"] = (ask(OrderFilter(), down), LIST_MS)
            for name, (what, goal) in asked.items():
                taken = await timed(ROUNDS, what)
                print(f"{name:28}{taken.cells(least)}  {taken.met(goal)}", flush=True)
            rest = {name: await timed(FEWER, ask(wanted)) for name, wanted in (await others(conn)).items()}
            goal = LIST_MS if orders <= 1_000_000 else LARGE_LIST_MS
            slowest = sorted(rest, key=lambda name: -sum(rest[name].passed))[:TOLD]
            print(f"{len(rest)} other conditions over a month; the slowest:")
            for name in slowest:
                print(f"{name:28}{rest[name].cells(least)}  {rest[name].met(goal)}", flush=True)
        await free(database, actor)
        await database.close()


def main() -> int:
    """Reads the options and runs; the exit code."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--orders", type=int, default=100_000, help="how many orders (100000)")
    given.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="which (sqlite)")
    options = given.parse_args()
    try:
        asyncio.run(run(options.orders, options.database))
    except NoServer as why:
        print(f"not measured: {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
