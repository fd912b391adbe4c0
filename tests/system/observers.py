"""Services beside the house's own that listen to the same Asterisk, each over a link with faults of its own.

Each is the product's own keeper of the floor with its own database, a copy of the house's, so that one real call shows
what becomes of it under every fault at once. Voice files and menus are the house's; an observer only listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from cti import store
from cti.ami.link import AmiAccount, Up
from cti.calls.model import CallRecord
from cti.exchange import access, exchange_settings
from cti.floor import FloorKeeper
from cti.settings import Settings
from ivr import prompts
from ivr.menus import Menus
from ivr.server import FastAgiServer
from recordings.library import Library
from tests.ami.faults import FaultProxy, faulty
from tests.system.house import House
from ticketing import taxonomy
from ticketing.audit import QueryLog
from ticketing.db import Database
from ticketing.orders.tables import customer_order

#: what an observer would do to the queues: they are the house's
_CHANGES: Final = frozenset({b"queueadd", b"queueremove", b"queuepause", b"queuepenalty", b"hangup"})


def clock() -> datetime:
    """Aware UTC now."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Observer:
    """One of them."""

    name: str
    proxy: FaultProxy
    keeper: FloorKeeper
    database: Database

    async def final(self, call_id: str) -> CallRecord:
        """The call's row once it is closed."""
        record = None
        try:
            async with asyncio.timeout(30):
                while record is None or record.open:
                    async with self.database.read() as conn:
                        record = await store.get(conn, call_id)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{self.name}: {call_id} is not closed: {record}") from None
        return record

    async def orders(self) -> int:
        """How many orders there are."""
        async with self.database.read() as conn:
            return int(await conn.scalar(select(func.count()).select_from(customer_order)) or 0)

    async def settled(self) -> None:
        """Connected, and nothing is left to be done."""
        async with asyncio.timeout(20):
            while not isinstance(self.keeper.link.state, Up):  # noqa: ASYNC110 - the state has no event
                await asyncio.sleep(0.05)
            await self.keeper.pump.drained()


def copy_of(database: Path, to: Path) -> None:
    """The house's database as it is now."""
    with contextlib.closing(sqlite3.connect(database)) as source, contextlib.closing(sqlite3.connect(to)) as target:
        source.backup(target)


@asynccontextmanager
async def observers(
    house: House, names: list[str], *, prepare: Callable[[FaultProxy, int], None] = lambda proxy, number: None
) -> AsyncIterator[list[Observer]]:
    """So many observers, connected; `prepare` may change the faults of each before it connects."""
    async with AsyncExitStack() as stack:
        made = []
        for number, name in enumerate(names):
            proxy = await stack.enter_async_context(faulty(house.settings.ami_port))
            proxy.kept = _CHANGES
            prepare(proxy, number)
            made.append(await _observer(stack, house, name, proxy))
        yield made


async def _observer(stack: AsyncExitStack, house: House, name: str, proxy: FaultProxy) -> Observer:
    home = house.settings.home / f"observer-{name}"
    home.mkdir(mode=0o700)
    copy_of(house.settings.home / "hotline.db", home / "hotline.db")
    settings: Settings = house.settings.model_copy(
        update={"home": home, "ami_port": proxy.port, "asterisk_log": house.settings.asterisk_run / "log"}
    )
    known = access(house.settings)
    database = await Database.open(settings.database)
    stack.push_async_callback(database.close)
    manifest = prompts.load_manifest()
    async with database.read() as conn:
        words = await taxonomy.read(conn)
    keeper = FloorKeeper(settings, database, Menus(manifest, settings.ivr_data), words, clock)
    await keeper.restore()
    exchange = exchange_settings(settings).model_copy(update={"spool_dir": home / "voice"})
    exchange.spool.mkdir()
    keeper.wire(
        AmiAccount("127.0.0.1", proxy.port, known.account.username, known.account.secret),
        token=known.token,
        library=Library(database, exchange.spool, settings.recordings_root, bytes(32), QueryLog(database)),
        agi=FastAgiServer("127.0.0.1", 0, "observer", {}),
        phones=None,
        exchange=exchange,
        manifest=manifest,
        journal_key=bytes(32),
        may_act=lambda: True,
    )
    running = asyncio.create_task(keeper.run())
    stack.push_async_callback(_ended, running)
    await keeper.connect()
    stack.push_async_callback(keeper.disconnect)
    observer = Observer(name, proxy, keeper, database)
    await observer.settled()
    return observer


async def _ended(running: asyncio.Task[None]) -> None:
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
