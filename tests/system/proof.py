"""What every story must leave behind: nothing lost (N1 to N6), each call as its recorder tells it (TL-71), clean logs
(S25)."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy import func, select

from cti import excerpt, store
from cti.ami.replay import replay_bytes
from cti.app import clock
from cti.calls.model import CallRecord, FloorSettings
from cti.calls.replay import differing
from cti.existing import existing
from cti.journal import Mask
from cti.settings import Settings
from cti.tables import call
from cti.verify.check import check, installation
from cti.verify.model import SETTLES
from tests.system import hygiene

#: a call is closed some ticks after its last channel has ended
_CLOSES_S: Final = FloorSettings().owed_ticks + 5.0


async def settled(settings: Settings) -> None:
    """Returns when the running service has closed every call; a call that nobody closes is for the proof to name."""
    async with existing(settings) as database:
        try:
            async with asyncio.timeout(_CLOSES_S):
                while True:
                    async with database.read() as conn:
                        if not await conn.scalar(select(func.count()).select_from(call).where(call.c.open)):
                            return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return


async def prove(settings: Settings) -> None:
    """Of an installation whose service has ended; as if a minute had gone by, so that nothing counts as under way."""
    async with installation(settings, lambda: clock() + SETTLES) as place:
        found = [one async for one in check(place)]
    assert not found, "\n".join(f"{one.rule} {one.subject}: {one.says}" for one in found)
    await compared(settings)


async def clean(settings: Settings) -> None:
    """No log of this installation, its Asterisk's included, holds a number in full or a secret."""
    assert not (leaks := await asyncio.to_thread(hygiene.leaks, settings)), "\n".join(leaks)


async def compared(settings: Settings) -> list[CallRecord]:
    """Every closed call, each equal to what a replay of its excerpt says; also while the service runs."""
    mask = Mask(bytes.fromhex((settings.secrets_dir / "journal_key").read_text(encoding="ascii").strip()))
    async with existing(settings) as database, database.read() as conn:
        records = [record for record in await store.recent(conn, limit=500) if not record.open]
    differs = []
    for record in records:
        held = await asyncio.to_thread(excerpt.take, settings.journal_dir, record.call_id)
        again = [one for one in replay_bytes(held.data) if one.call_id == record.call_id]
        if not again:
            differs.append(f"call {record.call_id} is not in the flight recorder")
            continue
        for name, row, replayed in differing(mask.record(record), again[0]):
            differs.append(f"call {record.call_id} {name}: row {row}, replay {replayed}")
    assert not differs, "\n".join(differs)
    return records
