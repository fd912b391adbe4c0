"""A machine that allows 256 files and sockets, and far more pages than that: callers are served, it is said, and it is
over when they are gone (F29)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from cti.asterisk.provision import Installation
from tests.system.callers import Lines
from tests.system.house import Agent, ServiceHouse

pytestmark = pytest.mark.system

MOST: Final = 256
PAGES: Final = 600
_START: Final = (
    "import resource, runpy, sys; "
    f"resource.setrlimit(resource.RLIMIT_NOFILE, ({MOST}, {MOST})); "
    "sys.argv = ['cti', 'up']; runpy.run_module('cti', run_name='__main__')"
)


class SmallHouse(ServiceHouse):
    """Started where little is allowed; its Asterisk inherits that."""

    program = ("-c", _START)


async def part(person: Agent, name: str) -> dict[str, Any]:
    """One part of health."""
    told: list[dict[str, Any]] = (await person.get("/api/health"))["parts"]
    return next(one for one in told if one["name"] == name)


async def until(person: Agent, *, well: bool) -> str:
    """What the page's part says once it is well, or not."""
    async with asyncio.timeout(60):
        while True:
            seen = await part(person, "page")
            if seen["ok"] is well:
                return str(seen["text"])
            await asyncio.sleep(0.5)


@pytest.mark.req("F29", "N8")
async def test_callers_are_served_however_many_pages_are_opened(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    async with SmallHouse(short_tmp) as house, Lines(house) as lines:
        supervisor = await house.person("3001")
        assert (await part(supervisor, "page"))["ok"], "his page has its connections before the others come"
        port, held = house.settings.http_port, []
        for _ in range(PAGES):
            held.append(await asyncio.open_connection("127.0.0.1", port))
        said = await until(supervisor, well=False)
        assert f" of {MOST // 2} connections" in said
        used = int((await part(supervisor, "descriptors"))["text"].split()[0])
        assert used < MOST
        assert (await part(supervisor, "fastagi"))["ok"]

        caller = await lines.caller("13800138006")
        await caller.dial("1860")
        await caller.hears("greeting-1860", within_s=30)
        await caller.press("1")
        async with asyncio.timeout(30):
            while "complaint has 1 calls" not in await house.cli("queue show complaint"):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.2)

        for _, writer in held:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        await until(supervisor, well=True)
        agent = await house.sign_in("2001")
        await agent.state("ready")
        await caller.hang_up()
