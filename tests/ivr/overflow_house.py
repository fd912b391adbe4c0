"""The steps on hand-made ports over real sockets; what a test calls them with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.server import FastAgiServer
from ivr.session import EntryStep, Ports
from ivr.steps import OverflowStep, SurveyStep
from tests.ivr.fakes import KNOWN, NOW, SECRET, FakeDirectory, FakeHours, FakeOrders, header, shipped_tree
from tests.ivr.overflow_fakes import (
    FakeAnnouncements,
    Overflowing,
    SpeakingCall,
)

ANI, CALL = "13800001111", "20260310013000-000001000001"
FIRST = f"{CALL}-msg-1.wav"


@pytest.fixture
def house(tmp_path: Path) -> Overflowing:
    return Overflowing(tmp_path)


@pytest.fixture
async def server(house: Overflowing) -> AsyncIterator[FastAgiServer]:
    made = FastAgiServer(
        "127.0.0.1",
        0,
        SECRET,
        {
            "entry": EntryStep(shipped_tree, entry_ports(house), budget_s=0.2),
            "overflow": OverflowStep(shipped_tree, house.ports, budget_s=0.2),
            "survey": SurveyStep(shipped_tree),
        },
    )
    await made.start()
    yield made
    async with asyncio.timeout(5):
        await made.stop()


def entry_ports(house: Overflowing, hours: FakeHours | None = None, news: FakeAnnouncements | None = None) -> Ports:
    directory = FakeDirectory({ANI: KNOWN})
    return Ports(directory, FakeOrders(), hours or FakeHours(), lambda: NOW, news, house.ports)


def call(
    house: Overflowing, keys: list[str], *, says: list[str] | None = None, key: str = "", ani: str = ANI
) -> SpeakingCall:
    """A caller who has left the queue."""
    variables = {"CTI_QUEUE": "complaint", "CTI_PRIORITY": "2", "CTI_REASON": "complaint", "CTI_LANG": "zh"}
    variables |= {"CTI_SPOOL": str(house.folder), "CTI_KEY": key, "QUEUESTATUS": "TIMEOUT", "CTI_ANI": ani}
    variables |= {"CTI_JOINED": str(int((NOW - timedelta(minutes=4)).timestamp()))}
    return SpeakingCall(keys, variables, says=says or [])


async def run(server: FastAgiServer, made: SpeakingCall, step: str = "overflow") -> SpeakingCall:
    await made.run(server.port, header(f"{SECRET}/{step}"))
    return made
