"""What is wrong, in plain words with a remedy: with the files before a start, and with what runs (TL-61, TL-62)."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import text

from cti.ami import commands
from cti.ami.link import AmiAccount, Down, Link
from cti.asterisk import lint
from cti.asterisk.errors import AsteriskError
from cti.asterisk.secrets import Secrets
from cti.exchange import exchange_settings
from cti.settings import Settings
from ivr import menus, prompts
from ticketing.db import Database
from ticketing.errors import HotlineError

Level = Literal["ok", "warning", "error"]

#: below this much free disk the service does not start (bytes) (default)
DISK_FLOOR: Final = 512 * 1024 * 1024
#: a clock further off than this spoils the 15-second figures (default)
CLOCK_TOLERANCE: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    #: file and line, setting, or part of the system
    where: str
    reason: str
    remedy: str = ""

    @property
    def bad(self) -> bool:
        """Whether the service must not start with it."""
        return self.level == "error"


def check_files(settings: Settings) -> list[Finding]:
    """Every file the service lives on, read without starting anything."""
    return [*_asterisk_files(settings), *_menus(settings), *_prompts(), *_desk()]


def check_machine(settings: Settings) -> list[Finding]:
    """Whether this machine has room, and the ports that are ours."""
    return [*_disk(settings), *_ports(settings)]


def _asterisk_files(settings: Settings) -> Iterator[Finding]:
    try:
        problems = lint.check(exchange_settings(settings))
    except (AsteriskError, ValueError) as error:
        yield Finding("error", "settings", str(error), "correct the setting")
        return
    for problem in problems:
        yield Finding("error", f"asterisk-conf/{problem.file}:{problem.line}", problem.why, problem.remedy)


def _menus(settings: Settings) -> Iterator[Finding]:
    try:
        menus.load(prompts.load_manifest(), settings.ivr_data)
    except menus.BrokenMenus as broken:
        for found in broken.findings:
            where = found.file if found.line is None else f"{found.file}:{found.line}"
            yield Finding("error", where, found.reason, found.remedy)
    except prompts.PromptError as error:
        yield Finding("error", "ivr/prompts", str(error), "restore the file from the release")


def _prompts() -> Iterator[Finding]:
    try:
        findings = prompts.check(prompts.load_manifest())
    except prompts.PromptError:
        return
    for found in findings:
        where = found.file if found.line is None else f"{found.file}:{found.line}"
        yield Finding("error", where, found.reason, found.remedy)


def _desk() -> Iterator[Finding]:
    built = Path(__file__).parent / "web" / "desk" / "dist" / "index.html"
    if not built.is_file():
        yield Finding("warning", "cti/web/desk", "the pages are not built", "run `tools/desk.sh` (part of `make run`)")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.home
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < DISK_FLOOR:
        yield Finding(
            "error",
            str(settings.home),
            f"{free // 2**20} MiB free: too little for voice files",
            f"free some space, at least {DISK_FLOOR // 2**20} MiB, or set HOTLINE_HOME to another disk",
        )


def _ports(settings: Settings) -> Iterator[Finding]:
    for name, host, port in (
        ("http_port", settings.http_host, settings.http_port),
        ("agi_port", settings.agi_host, settings.agi_port),
    ):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                yield Finding(
                    "error",
                    name,
                    f"TCP port {port} on {host} cannot be used ({error.strerror})",
                    f"end the program that holds it (another Hotline?), or set HOTLINE_{name.upper()}",
                )


async def examine(settings: Settings, clock: Callable[[], datetime]) -> list[Finding]:
    """Everything between us, Asterisk, the database, prompts, disk and clock, on a running installation (TL-62)."""
    findings = [*check_files(settings), *_disk(settings)]
    findings += [found async for found in _database(settings, clock)]
    findings += [found async for found in _asterisk(settings, clock)]
    findings += _services(settings)
    return findings


async def _database(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[Finding]:
    try:
        database = await Database.open(settings.database)
    except (HotlineError, OSError) as error:
        yield Finding("error", "database", _said(error), "check HOTLINE_DATABASE_URL and that the server runs")
        return
    try:
        async with database.read() as conn:
            query = "SELECT now()" if database.dialect == "postgresql" else "SELECT datetime('now')"
            answer = (await conn.execute(text(query))).scalar_one()
        there = answer if isinstance(answer, datetime) else datetime.fromisoformat(str(answer)).replace(tzinfo=UTC)
        yield Finding("ok", "database", f"answers ({database.dialect})")
        off = abs(there - clock())
        if off > CLOCK_TOLERANCE:
            yield Finding(
                "error", "clock", f"the database's clock is {off.total_seconds():.0f} s off", "run NTP on both"
            )
    except (HotlineError, OSError) as error:
        yield Finding("error", "database", _said(error), "check that the database runs and can be written")
    finally:
        await database.close()


async def _asterisk(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[Finding]:
    secrets = Secrets.load_or_create(settings.secrets_dir)
    account = AmiAccount(settings.ami_host, settings.ami_port, "bridge", secrets.ami_bridge)
    stamps: list[datetime] = []
    link = Link(account, lambda raw, at: None, lambda state: None, clock)
    try:
        probe = socket.create_connection((settings.ami_host, settings.ami_port), timeout=2)
        probe.close()
    except OSError:
        remedy = "start it: `hotline up`, or `hotline asterisk start`; its log is in asterisk/log of HOTLINE_HOME"
        yield Finding("error", "asterisk", f"nothing answers on AMI port {settings.ami_port}", remedy)
        return
    try:
        await link.start()
        state = link.state
        version = "?" if state is None or isinstance(state, Down) else state.core.version
        yield Finding("ok", "asterisk", f"answers, version {version}")
        for frame in await link.send(commands.queue_status()):
            if frame.at is not None:
                stamps.append(frame.at)
        if stamps and abs(stamps[-1] - clock()) > CLOCK_TOLERANCE:
            yield Finding("error", "clock", "Asterisk's clock and ours differ", "run NTP on both machines")
        async for found in _queues(link):
            yield found
    except HotlineError as error:
        remedy = (
            "the secret in HOTLINE_HOME/secrets and manager.conf must be the same: restart Asterisk with `hotline up`"
        )
        yield Finding("error", "asterisk", _said(error), remedy)
    finally:
        await link.stop()


async def _queues(link: Link) -> AsyncIterator[Finding]:
    frames = await link.send(commands.queue_status())
    names = [frame.get("Queue") for frame in frames if frame.event == "QueueParams"]
    members = {frame.get("Queue") for frame in frames if frame.event == "QueueMember"}
    if not names:
        yield Finding("error", "queues", "Asterisk has no queues", "look at asterisk-conf/queues.conf: `hotline check`")
    for name in names:
        if name not in members:
            yield Finding(
                "warning", f"queue {name}", "nobody is signed in: its callers wait", "an agent signs in on the page"
            )


def _services(settings: Settings) -> Iterator[Finding]:
    for name, host, port in (
        ("fastagi", settings.agi_host, settings.agi_port),
        ("web", settings.http_host, settings.http_port),
    ):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            remedy = "start the service: `hotline up`; until then the dialplan takes callers to the queue by itself"
            yield Finding("error", name, f"the service does not listen on {host}:{port}", remedy)
        else:
            yield Finding("ok", name, f"listens on {host}:{port}")


def _said(error: BaseException) -> str:
    return error.message if isinstance(error, HotlineError) else str(error)
