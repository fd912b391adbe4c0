"""How soon a link that was closed, or hangs, is known to be dead, with the limits of the product itself (F01, F02)."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

import pytest

from cti.ami.link import Timing
from tests.absent import LONG
from tests.ami.fake_server import FakeAmi, serving
from tests.ami.faults import FaultProxy, faulty
from tests.ami.watching import Watched, up
from tests.proof.ledger import EXAMPLES

Recorder = Callable[[str, object], None]

_LINKS: Final = 100 if os.environ.get(LONG) == "1" else 10
CLOSED_S, HUNG_S = 0.5, 8.0
#: a link that hangs in the moment after a ping takes the whole 8 s, and this machine a little more
_AFTER_S: Final = 0.3


async def noticed(server: FakeAmi, hurt: Callable[[FaultProxy], None], after_s: float) -> float:
    """Seconds from the fault, some time after the link was up, to the link that says it is down."""
    async with faulty(server.port) as proxy, up(Watched(proxy.port, timing=Timing())) as watched:
        await asyncio.sleep(after_s)  # somewhere between two pings
        began = time.monotonic()
        hurt(proxy)
        await watched.until(lambda: len(watched.downs) > 0)
        return time.monotonic() - began


def closed(proxy: FaultProxy) -> None:
    proxy.refuse = True
    proxy.cut()


def frozen(proxy: FaultProxy) -> None:
    proxy.swallow_up = proxy.swallow_down = True


def deaf(proxy: FaultProxy) -> None:
    proxy.swallow_up = True


def mute(proxy: FaultProxy) -> None:
    proxy.swallow_down = True


@pytest.mark.req("F01", "F02")
@pytest.mark.parametrize(
    ("name", "faults", "within_s"), [("closed", (closed,), CLOSED_S), ("hung", (frozen, deaf, mute), HUNG_S)]
)
async def test_a_dead_link_is_noticed_in_time(
    name: str, faults: Sequence[Callable[[FaultProxy], None]], within_s: float, record_property: Recorder
) -> None:
    """Many links, each hurt at another moment between two of its pings."""
    chance = random.Random(7)
    async with serving(FakeAmi()) as server:
        took = await asyncio.gather(
            *(
                noticed(server, hurt, chance.uniform(_AFTER_S, Timing().ping_s))
                for hurt in faults
                for _ in range(_LINKS)
            )
        )
    assert max(took) < within_s, sorted(took)
    record_property(EXAMPLES, len(took))
    record_property(f"{name}, noticed after_s", max(took))
