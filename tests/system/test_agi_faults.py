"""A menus' service that is away, silent, reset, talks nonsense or is slow: nobody hears more than 3 s of silence (N8).

The exchange alone with a service made for it. The fault goes by the last digit of the caller's number, so that callers
under every fault are up at once; `refused` needs a port on which nobody listens. `make test` sends one caller into each
fault, HOTLINE_TEST_LONG=1 forty.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final

import pytest

from tests.absent import LONG
from tests.proof.ledger import EXAMPLES
from tests.system import services
from tests.system.callers import Caller, Lines
from tests.system.conftest import QUICK, Pbx
from tests.system.services import ScriptedService, Session

pytestmark = pytest.mark.system

Recorder = Callable[[str, object], None]

_CALLS: Final = 40 if os.environ.get(LONG) == "1" else 1
#: seconds a caller hears nothing at most
_SILENCE_S: Final = 3.0


async def is_reset(session: Session) -> None:
    """A service whose machine breaks down in mid-script."""
    await session.command('SET VARIABLE CTI_ACTION "hangup"')
    session.reset()


async def is_slow(session: Session) -> None:
    """A service that does everything right, and each thing far too late."""
    for command in ('SET VARIABLE "TIMEOUT(absolute)" 20', 'SET VARIABLE CTI_ACTION "hangup"'):
        await asyncio.sleep(5.0)
        await session.command(command)


#: by the last digit of the number
FAULTS: Final = (
    services.says_nothing,
    services.falls_silent,
    services.breaks_off,
    is_reset,
    services.talks_nonsense,
    is_slow,
)


async def by_number(session: Session) -> None:
    """The fault of this caller."""
    await FAULTS[int(session.header["agi_callerid"][-1])](session)


async def served(lines: Lines, number: str) -> float:
    """Seconds of the longest silence until he waits in the queue, whoever let him down."""
    caller: Caller = await lines.caller(number)
    await caller.dial(QUICK)
    await caller.hears("technical-hold", within_s=30)
    with_music = caller.leg.ear.count + 2 * 8000
    while caller.leg.ear.count < with_music:
        await caller.leg.ear.more()
    longest = caller.leg.ear.longest_silence()
    await caller.hang_up()
    return longest


@pytest.mark.req("F06", "F07", "F08", "N8", "TL-24")
async def test_nobody_is_left_in_silence(pbx: Pbx, lines: Lines, record_property: Recorder) -> None:
    """Six at a time, each under another fault; then as many whom the port refuses."""
    heard: dict[str, list[float]] = {fault.__name__: [] for fault in FAULTS}
    async with ScriptedService(pbx.settings.agi_port, by_number):
        for turn in range(_CALLS):
            told = await asyncio.gather(*(served(lines, f"1390002{turn:03}{kind}") for kind in range(len(FAULTS))))
            for fault, silence in zip(FAULTS, told, strict=True):
                heard[fault.__name__].append(silence)
    heard["refused"] = []
    for turn in range(-(-_CALLS // len(FAULTS))):
        heard["refused"] += await asyncio.gather(
            *(served(lines, f"1390003{turn:03}{kind}") for kind in range(min(_CALLS, len(FAULTS))))
        )
    assert max(map(max, heard.values())) <= _SILENCE_S, heard
    record_property(EXAMPLES, sum(map(len, heard.values())))
    for name, silences in heard.items():
        record_property(f"{name}, silence_s", max(silences))
