"""slowhttptest in each of its ways: a thousand connections that send or read as slowly as they can (S23).

Runs as `make proof-slow`, which installs it (`tools/slowhttptest.sh`), and is no part of `make test`: the same clients
are written by hand there (`test_slow_clients.py`). The tool asks on connections of its own whether the service answers
within three seconds, and so does a person beside it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest
from aiohttp import ClientSession

from cti.web.deps import WebDeps
from cti.web.listen import Listener
from cti.web.server import build_app

#: what is sent slowly, and where: headers, a body, ranges, and an answer that is read slowly
MODES: Final = {"headers": "-H", "body": "-B", "ranges": "-R", "reading": "-X"}
CONNECTIONS, RATE, SECONDS = 1000, 200, 40
#: longest time for an answer
MOST_S: Final = 3
_AVAILABLE: Final = re.compile(r"service available:\s*(\w+)")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@pytest.fixture
async def listener(deps: WebDeps) -> AsyncIterator[Listener]:
    """The application at a socket of its own, with the limits it ships with."""
    made = Listener(build_app(deps), host="127.0.0.1", port=0)
    await made.start()
    yield made
    await made.stop()


@pytest.mark.req("S23")
@pytest.mark.parametrize("mode", MODES)
async def test_everybody_else_is_answered(
    listener: Listener, mode: str, record_property: Callable[[str, object], None]
) -> None:
    """By the tool's own look each second, and by a person who asks all the while."""
    origin = f"http://127.0.0.1:{listener.port}"
    verb, path = ("POST", "/api/session") if mode == "body" else ("GET", "/openapi.json")
    process = await asyncio.create_subprocess_exec(
        "slowhttptest", MODES[mode], "-c", str(CONNECTIONS), "-r", str(RATE), "-l", str(SECONDS), "-p", str(MOST_S),
        "-i", "5", "-t", verb, "-u", origin + path, "-x", "24", "-v", "1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    telling = asyncio.create_task(process.communicate())
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    async with ClientSession() as client:
        while not telling.done():
            before = loop.time()
            async with client.get(f"{origin}/api/health") as answer:
                assert answer.status == 200
            waits.append(loop.time() - before)
            await asyncio.wait([telling], timeout=0.2)
    said = _COLOUR.sub("", (await telling)[0].decode("utf-8", "replace"))
    looks = _AVAILABLE.findall(said)
    record_property("examples", len(waits))
    assert looks, said[-2000:]
    assert set(looks) == {"YES"}, said[-2000:]
    assert max(waits) < MOST_S
