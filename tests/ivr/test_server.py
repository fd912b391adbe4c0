"""The acceptor over real sockets: what is refused, what is survived, and a closed socket after all (S08, F08)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ivr import agi
from ivr.agi import ReplyError
from ivr.connection import AgiConnection
from ivr.server import FastAgiServer
from tests.ivr.fakes import SECRET, FakeCall, header


class Steps:
    """A step that does what the test wants."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.error: Exception | None = None

    async def __call__(self, line: AgiConnection) -> None:
        self.entered.set()
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        await line.set("CTI_LANG", "zh")


@pytest.fixture
async def steps() -> Steps:
    return Steps()


@pytest.fixture
async def server(steps: Steps) -> AsyncIterator[FastAgiServer]:
    refused: list[str] = []
    made = FastAgiServer(
        "127.0.0.1", 0, SECRET, {"entry": steps}, max_connections=20, header_deadline_s=0.2, on_refused=refused.append
    )
    await made.start()
    yield made
    assert refused == [
        why for why in made.counts.elements() if why not in {"done", "failed", "closed_early", "hung_up"}
    ]
    async with asyncio.timeout(5):
        await made.stop()
    assert made.connections == 0


async def exchange(port: int, data: bytes) -> bytes:
    """Send bytes, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_step_that_ends_well_is_told_last(server: FastAgiServer) -> None:
    call = FakeCall()
    await call.run(server.port)
    assert call.lines[-1] == 'SET VARIABLE "CTI_DONE" "entry"'
    assert server.counts == {"done": 1}


async def test_connect_and_close_a_thousand_times(server: FastAgiServer) -> None:
    for _ in range(1000):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.close()
    call = FakeCall()
    async with asyncio.timeout(5):
        await call.run(server.port)
    assert call.variables["CTI_DONE"] == "entry"
    assert server.counts["failed"] == 0


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (header("wrong/entry"), "wrong_secret"),
        (header("/entry"), "wrong_secret"),
        (header(f"{SECRET[:-1]}é/entry"), "wrong_secret"),
        (header(f"{SECRET}/other"), "unknown_step"),
        (header(SECRET), "unknown_step"),
        (b"GET / HTTP/1.1\r\n\r\n\n\n", "malformed_line"),
        (bytes(range(256)) * 4 + b"\n\n", "malformed_line"),
        (b"x" * 8193, "header_too_large"),
        (header(changes={"agi_rdnis": "9" * 9000}), "header_too_large"),
        (header(changes={"agi_callerid": "1\n\n200 result=1"}), "header_cut_short"),
        (header(changes={"agi_callerid": "1\nagi_callerid: 2"}), "unexpected_key"),
        (header(changes={"agi_calleridname": "a\rb"}), "malformed_line"),
        (header() + b"200 result=1\n", "bytes_after_header"),
    ],
)
async def test_what_is_no_call_of_ours_is_closed_without_a_word(server: FastAgiServer, sent: bytes, why: str) -> None:
    assert await exchange(server.port, sent) == b""
    assert server.counts == {why: 1}


async def test_a_header_that_drips_is_cut_off(server: FastAgiServer) -> None:
    started = asyncio.get_running_loop().time()
    assert await exchange(server.port, header()[:-1]) == b""
    assert asyncio.get_running_loop().time() - started < 2
    assert server.counts == {"slow_header": 1}


async def test_a_header_in_single_bytes_is_taken(server: FastAgiServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for byte in header():
        writer.write(bytes([byte]))
        await writer.drain()
    assert await reader.readline() == b'SET VARIABLE "CTI_LANG" "zh"\n'
    writer.close()


async def test_a_failing_step_closes_and_leaves_done_unset(server: FastAgiServer, steps: Steps) -> None:
    steps.error = RuntimeError("a bug")
    call = FakeCall()
    await call.run(server.port)
    assert "CTI_DONE" not in call.variables
    assert server.counts == {"failed": 1}


@pytest.mark.parametrize("answer", [b"510 Invalid or unknown command\n", b"garbage\n", b"200 result=1\n200 result=1\n"])
async def test_answers_that_do_not_fit_end_the_step(server: FastAgiServer, answer: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(header())
    await reader.readline()
    writer.write(answer)
    assert await reader.read() == b""
    writer.close()
    assert server.counts == {"failed": 1}


async def test_more_connections_than_the_cap_are_dropped(server: FastAgiServer, steps: Steps) -> None:
    steps.may_end.clear()
    calls = [asyncio.create_task(FakeCall().run(server.port)) for _ in range(20)]
    while server.connections < 20:
        await steps.entered.wait()
        await asyncio.sleep(0)
    assert await exchange(server.port, b"") == b""
    assert server.counts["too_many"] == 1
    steps.may_end.set()
    await asyncio.gather(*calls)
    assert server.counts["done"] == 20


async def test_stopping_closes_what_runs(steps: Steps) -> None:
    server = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": steps})
    await server.start()
    steps.may_end.clear()
    call = FakeCall()
    running = asyncio.create_task(call.run(server.port))
    await steps.entered.wait()
    async with asyncio.timeout(5):
        await server.stop()
        await running
    assert "CTI_DONE" not in call.variables


@pytest.mark.parametrize("late_at", [0, 3])
async def test_an_answer_that_does_not_come_ends_the_step(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, late_at: int
) -> None:
    """The first or a later one; a command that takes long is given its own time, one that does not is not."""
    monkeypatch.setattr("ivr.connection.REPLY_GRACE_S", 0.15)
    failures: list[BaseException] = []

    async def asks(line: AgiConnection) -> None:
        try:
            for _ in range(3):
                await line.set("CTI_LANG", "zh")
            await line.command(agi.stream_file("hotline/goodbye", seconds=0.3))
            await line.set("CTI_LANG", "zh")
        except ReplyError as error:
            failures.append(error)
            raise

    server = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": asks})
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(header(f"{SECRET}/entry"))
    for at in range(5):
        line = await reader.readline()
        if at == late_at:
            break
        writer.write(b"200 result=1\n")
    began = asyncio.get_running_loop().time()
    assert line
    async with asyncio.timeout(10):
        assert await reader.read() == b"", "the connection is closed"
    took = asyncio.get_running_loop().time() - began
    writer.close()
    await server.stop()
    assert [str(error) for error in failures] == ["reply_overdue"]
    assert took > (0.4 if late_at == 3 else 0.1)
    assert server.counts["failed"] == 1
