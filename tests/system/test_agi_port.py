"""Strangers at the FastAGI port: a thousand who connect and go, slow and endless headers, wrong secrets, garbage (S08).

Meanwhile a caller walks the menu as if nothing were.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from cti.asterisk.provision import Installation
from tests.system.house import Agent, House
from tests.system.stage import PLAIN, menus, short_folder, working

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

#: who connects and goes without a word; and how many of them at once
PASSERS_BY, AT_ONCE = 1000, 50
#: strangers of every other kind
EACH = 20

Stranger = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(asterisk_installation: Installation) -> AsyncIterator[House]:
    """One house for the stories of this file."""
    with short_folder() as home:
        async with House(home / "var", ivr_data=menus(home, short=True)) as made:
            yield made


async def goes_away(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Connects and closes."""


async def is_slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends a header that never ends, a byte at a time, until it is shown the door."""
    with contextlib.suppress(ConnectionError):
        for byte in b"agi_network: yes\n" * 100:
            writer.write(bytes([byte]))
            await writer.drain()
            try:
                async with asyncio.timeout(0.2):
                    await reader.read(1)
                    return
            except TimeoutError:
                continue
        raise AssertionError("a slow header was never cut off")


def says(data: bytes) -> Stranger:
    """Sends this and waits until the other side closes; what it answers must be nothing."""

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
            async with asyncio.timeout(5):
                assert await reader.read() == b""

    return stranger


def header(secret: str, step: str = "entry") -> bytes:
    """A header as Asterisk sends it, with another secret."""
    lines = {
        "agi_network": "yes",
        "agi_network_script": f"{secret}/{step}",
        "agi_request": "agi://x",
        "agi_channel": "x",
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items()).encode() + b"\n"


STRANGERS: dict[str, Stranger] = {
    "slow": is_slow,
    "wrong secret": says(header("0" * 32)),
    "no secret": says(header("")),
    "garbage": says(bytes(range(256)) * 4 + b"\n\n"),
    "line noise": says(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "huge": says(b"agi_network: yes\n" + b"agi_arg_1: " + b"A" * 200_000 + b"\n\n"),
    "endless lines": says(b"agi_network: yes\n" + b"".join(b"agi_x%d: y\n" % line for line in range(5000)) + b"\n"),
    "empty": says(b"\n"),
}


async def knock(house: House, stranger: Stranger) -> None:
    """One stranger at the port."""
    reader, writer = await asyncio.open_connection(house.settings.agi_host, house.settings.agi_port)
    try:
        await stranger(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def siege(house: House) -> None:
    """All of them."""
    for _ in range(PASSERS_BY // AT_ONCE):
        await asyncio.gather(*(knock(house, goes_away) for _ in range(AT_ONCE)))
    for stranger in STRANGERS.values():
        await asyncio.gather(*(knock(house, stranger) for _ in range(EACH)))


async def refused(watcher: Agent) -> int:
    """Connections that were refused so far, as the house tells its people."""
    parts = (await watcher.get("/api/health"))["parts"]
    (text,) = [part["text"] for part in parts if part["name"] == "fastagi"]
    found = re.search(r"(\d+) connections refused", text)
    assert found, text
    return int(found[1])


@pytest.mark.req("S08", "TL-02", "F07")
async def test_a_caller_walks_the_menu_while_strangers_besiege_the_port(house: House) -> None:
    """Nobody else gets an answer; he hears every prompt, reaches an agent, and his record knows every key."""
    async with working(house) as stage:
        watcher, seat = await stage.watch("3001"), await stage.seat("1002")
        assert await refused(watcher) == 0
        caller = await stage.reaches(PLAIN)
        going_on = asyncio.create_task(siege(house))
        walk = [("4", "menu-standards"), ("5", "standard-answer"), ("*", "menu-standards"), ("*", "menu-main")]
        for key, prompt in walk:
            await caller.press(key)
            await caller.hears(prompt)
        await caller.press("1")
        await seat.phone.rings()
        pop = await seat.agent.event("pop")
        keys = [step["key"] for step in pop["path"] if step["key"]]
        assert keys == ["4", "5", "*", "*", "1"]
        await going_on
        assert await refused(watcher) == len(STRANGERS) * EACH
        await seat.phone.answer()
        again = await stage.caller("13900005001", "0")
        await seat.phone.hang_up()
        await seat.free()
        await seat.phone.rings()
        await again.hang_up()
        assert watcher.saw("alert") == []
        record = await stage.books.call(call_id=pop["call_id"])
        assert (record.rescued, record.outcome) == (False, "answered")
