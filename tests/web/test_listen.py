"""The listening socket against clients that hold on to it (S23)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from cti.web.listen import Listener
from cti.web.self_made import ensure_self_made
from cti.web.tls import server_context


@asynccontextmanager
async def listening(**options: Any) -> AsyncIterator[Listener]:
    """An application that answers `ok`."""

    async def ok(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/", ok)
    listener = Listener(app, host="127.0.0.1", port=0, **options)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


@pytest.mark.req("S23")
async def test_half_a_header_is_not_waited_for() -> None:
    async with listening(header_deadline_s=0.2) as listener:
        halves = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(20)]
        for _, writer in halves:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        async with asyncio.timeout(5):
            assert [await reader.read() for reader, _ in halves] == [b""] * 20
        for _, writer in halves:
            writer.close()


async def test_half_a_second_header_is_not_waited_for() -> None:
    async with listening(header_deadline_s=0.2) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost")
        async with asyncio.timeout(5):
            assert (await reader.read()).endswith(b"\r\n\r\nok")
        writer.close()


@pytest.mark.req("S23")
async def test_too_many_connections_are_refused_and_room_comes_back() -> None:
    async with listening(connections=3, per_address=2) as listener:
        assert listener.load == (0, 3, 0)
        held = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        for reader, writer in held:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"ok")
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with suppress(ConnectionError):
            assert await reader.read() == b""
        assert listener.refused == 1
        writer.close()
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        async with ClientSession() as client, client.get(f"http://127.0.0.1:{listener.port}/") as answer:
            assert await answer.text() == "ok"


async def test_tls_with_the_self_made_certificate(tmp_path: Path) -> None:
    certificate, key = ensure_self_made(tmp_path, [], datetime.now(UTC))
    trust = ssl.create_default_context(cafile=str(certificate))
    async with (
        listening(tls=server_context(certificate, key)) as listener,
        ClientSession() as client,
        client.get(f"https://localhost:{listener.port}/", ssl=trust) as answer,
    ):
        assert await answer.text() == "ok"
