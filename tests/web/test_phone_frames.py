"""The phone's socket against frames and messages that no phone sends (S11, S23).

`make test` writes 300 of them; `make proof-sockets` 10,000, other ones at each run.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from itertools import islice
from typing import Final

import pytest

from cti.web.sip import acceptable
from tests.absent import LONG, SEARCH
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from tests.web.rawsocket import CLOSE, PING, PONG, REGISTER, TEXT, RawSocket, frame, frames, in_pieces, malformed
from tests.web.test_phone import INVITE, Exchange, closed_with, dial, exchange

__all__ = ["exchange"]

#: malformed messages
HOW_MANY: Final = 10_000 if os.environ.get(LONG) == "1" else 300
#: all that the service may say to such a message: why it closes
REASONS: Final = {
    b"", b"text only", b"not allowed", b"Invalid UTF-8 text message", b"Message too big", b"going away",
}  # fmt: skip


async def raw(browser: Browser) -> RawSocket:
    """A socket with this browser's cookie."""
    cookie = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))["hotline"].value
    return await RawSocket.open(str(browser.client.host), int(browser.client.port or 0), f"hotline={cookie}")


@pytest.mark.req("S11", "S23")
async def test_a_malformed_message_has_no_effect_and_disturbs_nobody(
    agent: Browser, open_browser: MakeBrowser, exchange: Exchange, record_property: Callable[[str, object], None]
) -> None:
    """Each ends its own socket, tells nothing of the inside, and reaches no exchange; a colleague's phone goes on."""
    colleague = await dial(await open_browser("2001"))
    seed = random.SystemRandom().random() if os.environ.get(SEARCH) == "1" else 1
    record_property("examples", HOW_MANY)
    for place, data in enumerate(islice(malformed(random.Random(seed)), HOW_MANY)):
        async with asyncio.timeout(5), await raw(agent) as socket:
            socket.write(data)
            socket.end()
            said = await socket.rest()
        for opcode, payload in frames(said):
            assert opcode in {CLOSE, PONG}, (seed, place, data)
            assert opcode == PONG or payload[2:] in REASONS, (seed, place, payload)
        assert exchange.heard.empty(), (seed, place, data)
        if place % 100 == 0:
            await colleague.send_str("\r\n\r\n")
            async with asyncio.timeout(5):
                assert await exchange.heard.get() == "\r\n\r\n"
                assert (await colleague.receive()).data == INVITE
            assert (await agent.get("/api/session")).status == 200
    async with asyncio.timeout(5), await raw(agent) as socket:
        socket.write(frame(TEXT, REGISTER.encode()))
        assert await exchange.heard.get() == REGISTER
    await colleague.close()
    assert await closed_with(colleague) == 1000


@pytest.mark.req("S23")
@pytest.mark.parametrize("size", [1, 7, 100])
async def test_a_message_in_pieces_is_one_message(agent: Browser, exchange: Exchange, size: int) -> None:
    """However it is cut, with pings between the pieces and cut anew by the network."""
    assert acceptable(REGISTER, "1001")
    data = in_pieces(REGISTER.encode(), size)
    cut = len(frame(TEXT, b"x" * size))
    async with asyncio.timeout(10), await raw(agent) as socket:
        socket.write(data[:cut])
        socket.write(frame(PING, b"still there"))
        for at in range(cut, len(data), 3):
            socket.write(data[at : at + 3])
        assert await exchange.heard.get() == REGISTER
        assert await socket.message() == (PONG, b"still there")
        assert await socket.message() == (TEXT, INVITE.encode())


@pytest.mark.req("S23")
@pytest.mark.parametrize("piece", [b"", b"x" * 1000])
async def test_a_message_without_end_is_not_kept(agent: Browser, exchange: Exchange, piece: bytes) -> None:
    """Pieces that never end: the socket is closed at its cap; empty ones, which take no room, reach nobody."""
    async with asyncio.timeout(10), await raw(agent) as socket:
        socket.write(frame(TEXT, b"REGISTER", last=False))
        for _ in range(3000):
            socket.write(frame(0x0, piece, last=False))
        if not piece:
            socket.end()
        said = list(frames(await socket.rest()))
    assert all(opcode == CLOSE for opcode, _ in said)
    assert exchange.heard.empty()
