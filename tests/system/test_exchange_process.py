"""Starting, finding, stopping and losing an Asterisk; what is said when it cannot start."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from cti.asterisk.errors import AsteriskError, NotRunning, PortTaken
from cti.asterisk.process import Asterisk
from cti.asterisk.provision import Installation
from cti.asterisk.render import render
from cti.asterisk.secrets import Secrets
from tests.system.ami import Ami
from tests.system.callers import Lines
from tests.system.conftest import QUICK, exchange, exchange_settings

pytestmark = pytest.mark.system


async def test_it_is_ready_when_start_returns_and_gone_when_stop_returns(asterisk_installation: Installation) -> None:
    async with exchange(asterisk_installation) as pbx:
        async with Ami(pbx) as ami:
            assert (await ami.ask("CoreStatus"))["Response"] == "Success"
        with pytest.raises(AsteriskError, match="already running"):
            await pbx.asterisk.start()
        await pbx.asterisk.stop()
        assert not await pbx.asterisk.running()
        with pytest.raises(NotRunning):
            await pbx.cli("core show version")
        assert await pbx.asterisk.start() < 10


async def test_the_next_service_finds_it_and_may_stop_it(asterisk_installation: Installation) -> None:
    async with exchange(asterisk_installation) as pbx:
        successor = Asterisk(pbx.folder)
        assert await successor.running()
        await successor.stop()
        assert not await pbx.asterisk.running()


@pytest.mark.parametrize("frozen", [False, True])
async def test_a_killed_or_frozen_one_is_noticed_and_replaced(
    asterisk_installation: Installation, frozen: bool
) -> None:
    async with exchange(asterisk_installation) as pbx:
        pid = int(pbx.folder.pid_file.read_text(encoding="ascii"))
        os.kill(pid, signal.SIGSTOP if frozen else signal.SIGKILL)
        await Asterisk(pbx.folder).stop(patience_s=0.5)
        await pbx.asterisk.stop()
        assert not await pbx.asterisk.running()
        await pbx.asterisk.start()
        assert await pbx.asterisk.running()


async def test_a_taken_port_is_found_before_anything_starts(asterisk_installation: Installation) -> None:
    with tempfile.TemporaryDirectory(prefix="hl-") as folder, socket.socket() as held:
        settings = exchange_settings(Path(folder))
        held.bind(("127.0.0.1", settings.http_port))
        held.listen()
        run = render(asterisk_installation, settings, Secrets.load_or_create(Path(folder) / "secrets"))
        with pytest.raises(PortTaken, match="http_port"):
            await Asterisk(run).start()
        assert not run.pid_file.exists()


async def test_one_that_cannot_start_says_why(asterisk_installation: Installation) -> None:
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        settings = exchange_settings(Path(folder))
        run = render(asterisk_installation, settings, Secrets.load_or_create(Path(folder) / "secrets"))
        modules = "[modules]\nautoload = no\nrequire = no_such_module.so\n"
        (run.conf.parent / "modules.conf").write_text(modules, encoding="utf-8")
        with pytest.raises(AsteriskError, match="no_such_module"):
            await Asterisk(run).start()


async def test_a_graceful_stop_lets_the_call_end(asterisk_installation: Installation) -> None:
    async with exchange(asterisk_installation) as pbx, Lines(pbx) as lines, Ami(pbx) as ami:
        caller = await lines.caller()
        await caller.dial(QUICK)
        await caller.hears("technical-hold")
        await ami.event("QueueCallerJoin")
        stopping = asyncio.create_task(pbx.asterisk.stop(drain_s=20))
        await caller.hang_up()
        await stopping
        assert not await pbx.asterisk.running()
