"""A real Asterisk on free ports, and people to call it: fixtures `pbx` (session) and `lines` (test)."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cti.asterisk.errors import ProvisionError
from cti.asterisk.process import Asterisk
from cti.asterisk.provision import Installation, installed, provision
from cti.asterisk.render import RunFolder, render
from cti.asterisk.secrets import Secrets
from cti.asterisk.settings import AsteriskSettings, Dnis, Phone
from cti.settings import default_cache
from tests.absent import every_test, missing
from tests.system import browser
from tests.system.callers import Lines

#: a number whose notice is one second long, for tests that are not about the notice
QUICK = "1999"

#: desk phones that tests may register
DESK_PHONES = ("1001", "1002", "2001", "3001", "4001")


#: fixed ports are taken below the range the system gives to outgoing connections, a stretch for each test process;
#: where it begins in its stretch differs, so that another run at the same time seldom meets a port that is free between
#: two lives of its service
_FIRST_PORT, _STRETCH = 21000, 2500
_ports = itertools.count(os.getpid() * 61 % _STRETCH)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody holds, over TCP and UDP, all different, and none twice in a test run."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{os.getpid()}").removeprefix("gw")) % 4
    found: list[int] = []
    while len(found) < count:
        port = _FIRST_PORT + worker * _STRETCH + next(_ports) % _STRETCH
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


_media = itertools.count(os.getpid() // 4)


def media_ports() -> tuple[int, int]:
    """First and last port of an exchange's media; another stretch for each of the last eight exchanges."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{os.getpid()}").removeprefix("gw")) % 4
    first = 34000 + (worker * 8 + next(_media) % 8) * 800
    return first, first + 799


@dataclass(slots=True)
class Pbx:
    """The running exchange as tests see it."""

    asterisk: Asterisk
    folder: RunFolder

    @property
    def settings(self) -> AsteriskSettings:
        """Ports and folders it was started with."""
        return self.folder.settings

    @property
    def secrets(self) -> Secrets:
        """Its accounts' passwords and token."""
        return self.folder.secrets

    @property
    def sip(self) -> str:
        """host:port of the SIP socket."""
        return f"{self.settings.sip_bind}:{self.settings.sip_port}"

    @property
    def prompts(self) -> Path:
        """The prompts it plays."""
        return self.settings.prompts_dir

    def phone_secret(self, number: str) -> str:
        """Password of an agent's phone."""
        return self.secrets.phone(number)

    async def cli(self, command: str) -> str:
        """What the console prints."""
        return await self.asterisk.cli(command)

    async def file(self, path: Path, *, within_s: float = 15.0) -> Path:
        """Waits until a file is there (Asterisk tells nobody when its post-process command has run)."""
        try:
            async with asyncio.timeout(within_s):
                while not os.path.lexists(path):  # noqa: ASYNC110, ASYNC240, PTH - a file system has no event here
                    await asyncio.sleep(0.02)
        except TimeoutError:
            there = sorted(other.name for other in path.parent.iterdir())
            raise AssertionError(f"{path.name} did not come within {within_s:g} s; there are {there}") from None
        return path

    async def add_member(self, number: str, queue: str = "complaint") -> None:
        """Signs an agent in to a queue, as the service would."""
        answer = await self.cli(
            f"queue add member PJSIP/{number} to {queue} penalty 0 as {number} state_interface PJSIP/{number}"
        )
        assert "Added" in answer, answer

    async def clear_members(self) -> None:
        """Signs everybody out of every queue."""
        for queue in ("complaint", "suggestion", "senior", "manager"):
            for number in DESK_PHONES:
                await self.cli(f"queue remove member PJSIP/{number} from {queue}")


def exchange_settings(run_dir: Path, **changes: object) -> AsteriskSettings:
    """Settings on free ports in a folder of the test's own."""
    sip, ami, http, agi = free_ports(4)
    rtp_start, rtp_end = media_ports()
    values: dict[str, object] = {
        "run_dir": run_dir,
        "cache_dir": default_cache(),
        "sip_port": sip,
        "ami_port": ami,
        "http_port": http,
        "agi_port": agi,
        "rtp_start": rtp_start,
        "rtp_end": rtp_end,
        "dnis": [Dnis(number="1860"), Dnis(number="1861", language="en"), Dnis(number=QUICK, notice="please-hold")],
        "roster": [Phone(number=number, kind="desk") for number in DESK_PHONES],
    }
    return AsteriskSettings.model_validate(values | changes)


@pytest.fixture(scope="session")
def asterisk_installation() -> Installation:
    """Asterisk 22; skipped by name when absent, unless HOTLINE_TEST_ALL=1 asks for every test."""
    cache = default_cache()
    if every_test():
        return provision(cache)
    try:
        found = installed(cache)
    except ProvisionError as error:
        missing(f"Asterisk: {error}")
    if found is None:
        missing("Asterisk 22 is not installed (`hotline asterisk install`, or `make test`)")
    return found


@pytest.fixture(scope="session")
def browser_program() -> Path:
    """Chromium; skipped by name when absent, before anything is started for it."""
    return browser.program()


@asynccontextmanager
async def exchange(installation: Installation, **changes: object) -> AsyncIterator[Pbx]:
    """An Asterisk of one's own, for tests that stop it, spoil it or need other settings; it starts in half a second."""
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        run = Path(folder)
        rendered = render(installation, exchange_settings(run, **changes), Secrets.load_or_create(run / "secrets"))
        asterisk = Asterisk(rendered)
        await asterisk.start()
        try:
            yield Pbx(asterisk, rendered)
        finally:
            await asterisk.stop()


@pytest.fixture(scope="session")
def pbx(asterisk_installation: Installation) -> Iterator[Pbx]:
    """One Asterisk for the whole session, on free ports, in a folder with a short name (a socket's path is limited)."""
    with asyncio.Runner() as runner:
        made = exchange(asterisk_installation, queue_seconds=20)
        try:
            yield runner.run(made.__aenter__())
        finally:
            runner.run(made.__aexit__(None, None, None))


@pytest.fixture
async def lines(pbx: Pbx) -> AsyncIterator[Lines]:
    """Callers and desk phones for one test; all calls are over and all queues empty afterwards."""
    async with Lines(pbx) as made:
        yield made
    await pbx.clear_members()


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A folder with a short name: the path of Asterisk's control socket is limited to 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:
        yield Path(folder)
