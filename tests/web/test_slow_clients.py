"""Clients that send for ever, send too much, or do not read what they asked for, at the real socket (S23)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import ClientSession, web

from cti.web import body, listen
from cti.web.deps import WebDeps
from cti.web.listen import Listener
from cti.web.server import build_app

GIGABYTE = 1 << 30
_PIECE = b" " * 65536


@pytest.fixture
async def listener(deps: WebDeps, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listener]:
    """The application at a socket of its own."""
    monkeypatch.setattr(listen, "UNWANTED", 0.2)
    made = Listener(build_app(deps), host="127.0.0.1", port=0)
    await made.start()
    yield made
    await made.stop()


async def push(listener: Listener, head: str, *, chunked: bool) -> tuple[int, int]:
    """Sends this head and of a body of a gigabyte as much as goes, until the answer comes and the connection is closed;
    (status of the answer, bytes that were sent before it)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    origin = f"http://127.0.0.1:{listener.port}"
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {GIGABYTE}"
    head += f" HTTP/1.1\r\nHost: 127.0.0.1:{listener.port}\r\nOrigin: {origin}\r\n{length}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode())
    sent = 0
    answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    with suppress(ConnectionError):
        while sent < GIGABYTE and not answer.done():
            writer.write(b"10000\r\n" + _PIECE + b"\r\n" if chunked else _PIECE)
            sent += len(_PIECE)
            await writer.drain()
    said = await answer
    with suppress(ConnectionError):
        await reader.read()  # to the end: the rest is not waited for
    writer.close()
    return int(said.split()[1]), sent


@pytest.mark.req("S23")
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("head", ["POST /api/session", "POST /api/agent/ready", "POST /api/papers/x/files?name=a.txt"])
async def test_a_gigabyte_is_refused_at_its_beginning(listener: Listener, head: str, *, chunked: bool) -> None:
    """As JSON, where nothing is wanted, and as a file; with its length said or not. Nobody waits for the rest."""
    async with asyncio.timeout(15):
        status, sent = await push(listener, head, chunked=chunked)
    assert status in {401, 413}
    assert sent < GIGABYTE // 50
    async with ClientSession() as client, client.get(f"http://127.0.0.1:{listener.port}/api/health") as answer:
        assert answer.status == 200


@pytest.mark.req("S23")
async def test_a_body_byte_by_byte_has_a_deadline(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """However diligently it is continued."""
    monkeypatch.setattr(body, "BODY_DEADLINE", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    origin = f"http://127.0.0.1:{listener.port}"
    writer.write(
        f"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1:{listener.port}\r\nOrigin: {origin}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n".encode()
    )
    answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    async with asyncio.timeout(10):
        while not answer.done():
            writer.write(b" ")
            await asyncio.wait([answer], timeout=0.01)
    assert (await answer).startswith(b"HTTP/1.1 408")
    writer.close()


@pytest.mark.req("S23")
async def test_an_answer_that_nobody_reads_is_not_kept() -> None:
    """The connection is cut; one who reads slowly, but reads, gets all of it."""
    size = 30_000_000

    async def big(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * size)

    app = web.Application()
    app.router.add_get("/", big)
    listener = Listener(app, host="127.0.0.1", port=0, read_deadline_s=0.4)
    await listener.start()
    try:
        lost = asyncio.Event()
        released = listener.release

        def release(address: str) -> None:
            released(address)
            lost.set()

        listener.release = release  # type: ignore[method-assign]
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await lost.wait()
        with suppress(ConnectionError):
            assert len(await reader.read()) < size
        writer.close()
        async with ClientSession() as client, client.get(f"http://127.0.0.1:{listener.port}/") as answer:
            taken = 0
            while piece := await answer.content.read(1 << 20):
                taken += len(piece)
                await asyncio.wait([asyncio.create_task(answer.content.wait_eof())], timeout=0.02)
        assert taken == size
    finally:
        await listener.stop()


@pytest.mark.req("S23")
async def test_deep_json_is_refused_at_the_socket(listener: Listener) -> None:
    origin = f"http://127.0.0.1:{listener.port}"
    for deep in ("[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 40_000 + "1" + "}" * 40_000):
        async with ClientSession() as client:
            headers = {"Origin": origin, "Content-Type": "application/json"}
            async with client.post(f"{origin}/api/session", data=deep, headers=headers) as answer:
                assert answer.status in {400, 413}
                assert json.loads(await answer.text())["code"] in {"json_too_deep", "bad_json", "too_large"}


def test_the_deadlines_leave_a_slow_line_time() -> None:
    assert listen.READ_DEADLINE >= 10
    assert listen.UNWANTED <= 5
