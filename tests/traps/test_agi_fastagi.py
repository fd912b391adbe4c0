"""Where panoramisk and pyst2 break on AGI - port check, plain function, hang-up, quote - and ours does not."""

from __future__ import annotations

import asyncio
import importlib
import io
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asterisk.agi
import pytest
from panoramisk.fast_agi import Application
from panoramisk.utils import parse_agi_result
from structlog.testing import capture_logs

from ivr import agi
from ivr.agi import CommandRefused, Hangup, Reply, ReplyReader
from ivr.connection import AgiConnection
from ivr.server import FastAgiServer
from tests.ivr.fakes import SECRET, FakeCall, header


@asynccontextmanager
async def ours(step: Any = None) -> AsyncIterator[FastAgiServer]:
    async def nothing(line: AgiConnection) -> None:
        await line.set("CTI_LANG", "zh")

    server = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": step or nothing})
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


FROZEN = textwrap.dedent(
    """
    import asyncio, faulthandler, os, socket, threading
    from panoramisk.fast_agi import Application

    async def main():
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(Application(loop=loop).handler, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        def check_port():
            socket.create_connection(address).close()
            alive = threading.Event()
            threading.Event().wait(0.2)
            loop.call_soon_threadsafe(alive.set)
            print("alive" if alive.wait(2) else "frozen", flush=True)
            os._exit(0)

        threading.Thread(target=check_port).start()
        await asyncio.Event().wait()

    asyncio.run(main())
    """
)


async def test_a1_a_port_check_freezes_panoramisk_and_not_us() -> None:
    """A1: at EOF its handler reads for ever without yielding."""
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", FROZEN, stdout=subprocess.PIPE)
    async with asyncio.timeout(20):
        out, _ = await run.communicate()
    assert out.strip() == b"frozen"
    async with ours() as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.close()
        call = FakeCall()
        async with asyncio.timeout(5):
            await call.run(server.port)
        assert call.variables["CTI_DONE"] == "entry"


async def panoramisk_saw(answers: list[bytes]) -> list[dict[str, Any]]:
    """What a panoramisk script gets for three commands when Asterisk sends these lines."""
    seen: list[dict[str, Any]] = []
    failed: list[BaseException] = []
    ended = asyncio.Event()

    async def script(request: Any) -> None:
        try:
            for command in ("STREAM FILE a #", "GET VARIABLE A", "GET VARIABLE B"):
                seen.append(await request.send_command(command))
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ended.set()

    application: Any = Application(loop=asyncio.get_running_loop())
    application.add_route("s", script)
    server = await asyncio.start_server(application.handler, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"agi_network: yes\nagi_network_script: s\n\n")
    for answer in answers:
        await reader.readline()
        writer.write(answer)
    if len(answers) < 3:
        await reader.readline()
        writer.write_eof()
    await ended.wait()
    writer.close()
    server.close()
    return [*seen, *({"raised": error} for error in failed)]


async def test_a10_a_hang_up_shifts_panoramisks_answers_and_not_ours() -> None:
    """A10, P25: `HANGUP` comes before the next command's own answer; it is taken for that answer."""
    stream = [b"200 result=0\nHANGUP\n", b"200 result=1 (a)\n", b"200 result=1 (b)\n"]
    first, second, third = await panoramisk_saw(stream)
    assert first["result"][0] == "0"
    assert second["error"] == "AGIResultHangup"
    assert third["result"] == ("1", "a")  # the answer to the command before
    items = ReplyReader().feed(b"".join(stream))
    assert items == [Reply(200, "0"), Hangup(), Reply(200, "1", "a"), Reply(200, "1", "b")]


async def test_a10_a_closed_connection_is_an_error_for_panoramisk_and_none_for_us(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A10: EOF becomes int('')."""
    *_, last = await panoramisk_saw([b"200 result=0\n"])
    assert isinstance(last["raised"], ValueError)
    assert "Traceback" in caplog.text
    with capture_logs() as logs:
        async with ours() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(header())
            await reader.readline()
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        assert server.counts == {"hung_up": 1}
    assert logs == []


def test_a11_panoramisk_cannot_take_a_plain_function() -> None:
    """A11: asyncio.coroutine is gone since Python 3.11; our steps are typed as coroutines (mypy refuses another)."""
    loop = asyncio.new_event_loop()
    try:
        application: Any = Application(loop=loop)
        with pytest.raises(AttributeError, match="coroutine"):
            application.add_route("s", lambda request: None)
    finally:
        loop.close()


# -- pyst2 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pyst2() -> Iterator[Any]:
    """pyst2's AGI class; it takes SIGHUP for itself, which is undone."""
    handler = signal.getsignal(signal.SIGHUP)
    yield asterisk.agi.AGI
    signal.signal(signal.SIGHUP, handler)


def test_b1_pyst2_cannot_serve_fastagi(pyst2: Any) -> None:
    """B1: its server module does not import, sockets give bytes, and threads may not set signal handlers."""
    with pytest.raises(ModuleNotFoundError, match="SocketServer"):
        importlib.import_module("asterisk.fastagi")
    script = pyst2(io.BytesIO(header() + b"200 result=1\n"), io.BytesIO(), io.StringIO())
    with pytest.raises(TypeError):
        script.get_variable("A")
    raised: list[BaseException] = []

    def in_a_thread() -> None:
        try:
            pyst2(io.StringIO("\n"), io.StringIO(), io.StringIO())
        except ValueError as error:
            raised.append(error)

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert "main thread" in str(raised[0])


@pytest.mark.parametrize("line", ["HANGUP\n", ""])
def test_b2_pyst2_fails_at_a_hang_up(pyst2: Any, line: str) -> None:
    """B2: the end of a call becomes int('')."""
    script = pyst2(io.StringIO("\n" + line), io.StringIO(), io.StringIO())
    with pytest.raises(ValueError, match="invalid literal"):
        script.get_variable("A")
    assert ReplyReader().feed(line.encode()) == ([Hangup()] if line else [])


@pytest.mark.parametrize("line", ["511 Command Not Permitted on a dead channel", "100 result=0 Trying..."])
def test_b2_pyst2_does_not_know_every_answer(pyst2: Any, line: str) -> None:
    script = pyst2(io.StringIO("\n" + line + "\n200 result=1 (a)\n"), io.StringIO(), io.StringIO())
    with pytest.raises(asterisk.agi.AGIUnknownError):
        script.get_variable("A")
    items = ReplyReader().feed(line.encode() + b"\n200 result=1 (a)\n")
    assert items[-1] == Reply(200, "1", "a")


@pytest.mark.parametrize("value", ['x"\nEXEC System "touch /tmp/x', "x\r\nHANGUP"])
def test_b3_a_value_starts_a_second_command_in_pyst2_and_is_refused_by_us(pyst2: Any, value: str) -> None:
    """B3, P26: nothing is escaped."""
    out = io.StringIO()
    script = pyst2(io.StringIO("\n200 result=1\n"), out, io.StringIO())
    script.set_variable("CALLERNAME", value)
    assert len(out.getvalue().strip().splitlines()) == 2
    with pytest.raises(CommandRefused):
        agi.set_variable("CTI_REASON", value)


def test_b3_a_quote_ends_pyst2s_argument_and_not_ours(pyst2: Any) -> None:
    out = io.StringIO()
    pyst2(io.StringIO("\n200 result=1\n"), out, io.StringIO()).set_variable("A", 'a"b\\')
    assert out.getvalue() == 'SET VARIABLE "A" "a"b\\"\n'
    assert agi.set_variable("A", 'a"b\\').line == b'SET VARIABLE "A" "a\\"b\\\\"\n'


async def test_p25_nothing_is_sent_to_a_dead_channel() -> None:
    """P25: after `200 result=-1` or `HANGUP` only dead-safe commands would work; our step ends instead."""
    assert parse_agi_result("200 result=-1")["error"] == "AGIAppError"  # panoramisk returns it, and scripts talk on

    async def talkative(line: AgiConnection) -> None:
        for _ in range(5):
            await line.stream("hotline/beep", 1.0)

    for answer_first in (True, False):
        async with ours(talkative) as server:
            call = FakeCall(hang_up_at=3, answer_first=answer_first)
            await call.run(server.port)
            assert call.after_hang_up == []
            assert len(call.lines) == 3
            assert "CTI_DONE" not in call.variables
