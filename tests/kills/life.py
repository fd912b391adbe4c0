"""One installation whose service is killed and started again, beside an exchange that answers and never calls."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from cti.asterisk.secrets import write_private
from cti.settings import Settings
from tests.ami.fake_server import SECRET as AMI_SECRET
from tests.ami.fake_server import FakeAmi, serving
from tests.ivr.fakes import SECRET
from tests.system.conftest import free_ports
from tests.system.house import environment

#: a start is over in half a second; a busy machine may take longer
_STARTS_S: Final = 60


def _list(complete: str) -> str:
    return (
        "Response: Success\r\nEventList: start\r\nMessage: will follow\r\n\r\n"
        f"Event: {complete}\r\nEventList: Complete\r\nListItems: 0"
    )


def quiet_exchange() -> FakeAmi:
    """Nothing ever happens there, and whatever it is asked to do is done."""
    made = FakeAmi()
    made.answers["CoreShowChannels"] = lambda _: _list("CoreShowChannelsComplete")
    made.answers["QueueStatus"] = lambda _: _list("QueueStatusComplete")
    for name in ("QueueAdd", "QueueRemove", "QueuePause", "QueuePenalty", "Setvar"):
        made.answers[name] = lambda _: "Response: Success\r\nMessage: Done"
    return made


class Life:
    """The service of one folder; `start` and `kill` as often as wanted."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pid = 0
        self._mother: asyncio.subprocess.Process | None = None
        #: set by whoever lets people in; cleared at the death of the service
        self.up = asyncio.Event()

    async def __aenter__(self) -> Life:
        self._mother = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.kills.service"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **environment(self.settings)},
        )
        return self

    async def __aexit__(self, *how: object) -> None:
        await self.kill()
        assert self._mother is not None
        assert self._mother.stdin is not None
        self._mother.stdin.close()
        await self._mother.wait()

    @property
    def spool(self) -> Path:
        """Where voices and what belongs to them wait to be taken in."""
        assert self.settings.spool is not None
        return self.settings.spool

    async def start(self) -> None:
        """From a process that is not yet to a service that may die: it is not yet ready."""
        said = await self._ask("start")
        assert said.startswith("pid "), said
        self._pid = int(said.removeprefix("pid "))

    async def ready(self) -> None:
        """Until it serves."""
        said = await self._heard()
        assert said == "ready", said

    async def stalls(self, seconds: float) -> None:
        """Stands still for so long, all of it."""
        os.kill(self._pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        os.kill(self._pid, signal.SIGCONT)

    async def kill(self) -> None:
        """kill -9; returns when it is gone, however far it had come."""
        if not self._pid:
            return
        os.kill(self._pid, signal.SIGKILL)
        self._pid = 0
        self.up.clear()
        said = await self._ask("wait")
        while said != "ended":
            assert not said.startswith("failed"), said
            said = await self._heard()

    async def _ask(self, word: str) -> str:
        assert self._mother is not None
        assert self._mother.stdin is not None
        self._mother.stdin.write(f"{word}\n".encode())
        return await self._heard()

    async def _heard(self) -> str:
        assert self._mother is not None
        assert self._mother.stdout is not None
        async with asyncio.timeout(_STARTS_S):
            line = await self._mother.stdout.readline()
        assert line, "the mother has died"
        return line.decode().strip()


@asynccontextmanager
async def lives(home: Path, **changes: Any) -> AsyncIterator[Life]:
    """An installation of its own on free ports, its service not yet started."""
    web, agi = free_ports(2)
    secrets = home / "files"
    spool = home / "voice"
    for folder in (home, secrets, spool):
        folder.mkdir(mode=0o700, exist_ok=True)
    for name, said in (("ami", AMI_SECRET), ("agi", SECRET), ("token", "0" * 32)):
        write_private(secrets / name, said + "\n")
    async with serving(quiet_exchange()) as exchange:
        settings = Settings(
            home=home,
            http_port=web,
            agi_port=agi,
            asterisk="remote",
            ami_port=exchange.port,
            spool=spool,
            ami_secret_file=secrets / "ami",
            agi_secret_file=secrets / "agi",
            event_token_file=secrets / "token",
            disk_floor_mib=1,
            **changes,
        )
        async with Life(settings) as life:
            yield life
