"""What is wrong, in plain words with a remedy: with the files before a start, and with what runs (TL-61, TL-62)."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from cti import migrations
from cti.ami import commands
from cti.ami.link import Link, Up
from cti.asterisk import control, lint, ports
from cti.asterisk.errors import AsteriskError, NotRunning, ProvisionError
from cti.asterisk.provision import installed
from cti.backfill import journal_files
from cti.calls.events import OUR_CLOCK
from cti.exchange import Access, access, exchange_settings, message_token
from cti.settings import Settings
from cti.tables import CLOCK_STEP
from cti.web import tls
from cti.web.listen import is_loopback
from ivr import menus, prompts
from ticketing.audit import audit
from ticketing.callbacks import policy
from ticketing.db import Database, async_url
from ticketing.errors import HotlineError
from ticketing.notices import rules as notices

Level = Literal["ok", "warning", "error"]

#: a clock further off than this spoils the 15-second figures (default)
CLOCK_TOLERANCE: Final = timedelta(seconds=2)
#: how long Asterisk may take to let us in before it counts as frozen
_PATIENCE_S: Final = 6.0
#: how long an event may take that an open filter lets through
_EVENT_S: Final = 0.5
#: faults with which callers are still served: said at the start, and no reason to refuse it
_SERVES_WITH: Final = ("clock", "event filter")
#: how far back clocks that were set are told of (default)
_REMEMBERED: Final = timedelta(days=1)
#: a lock that is held longer than this is a fault, and no slow disk
_BUSY_MS: Final = 3000
#: sockaddr_un holds 108 bytes with the closing NUL
_SOCKET_PATH: Final = 107


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
    return [
        *_asterisk_files(settings),
        *_menus(settings),
        *_prompts(),
        *_callbacks(settings),
        *_messages(settings),
        *_desk(),
    ]


async def before_start(settings: Settings, clock: Callable[[], datetime]) -> list[Finding]:
    """What would stop the service or spoil it, found while nothing of it runs: files, folders, disk, database, ports,
    Asterisk's version, and the account of an Asterisk that runs already."""
    findings = [*check_files(settings), *_folders(settings), *_disk(settings), *_certificate(settings)]
    findings += [found async for found in _database(settings, clock, fresh=True)]
    if settings.asterisk == "remote" and isinstance(found := _access(settings), Finding):
        findings.append(found)
    running = settings.asterisk == "remote" or await _answers(settings)
    findings += _ports(settings, exchange=not running)
    if not running:
        findings += _media(settings)
        findings += _installation(settings)
    elif not any(found.bad for found in findings) and _listens(settings.ami_host, settings.ami_port):
        findings += [found async for found in _asterisk(settings, clock)]
    return [replace(found, level="warning") if found.where in _SERVES_WITH else found for found in findings]


async def examine(settings: Settings, clock: Callable[[], datetime]) -> list[Finding]:
    """Everything between us, Asterisk, the database, prompts, disk and clock, on a running installation (TL-62)."""
    files = check_files(settings)
    if not any(found.bad for found in files):
        files.append(Finding("ok", "files", "asterisk-conf, menus and prompts are in order"))
    findings = [*files, *_folders(settings), *_disk(settings), *_certificate(settings), *_journals(settings)]
    findings += [found async for found in _database(settings, clock)]
    if _listens(settings.ami_host, settings.ami_port):
        findings += [found async for found in _asterisk(settings, clock)]
    else:
        findings.append(_not_there(settings))
    return findings + list(_services(settings))


# -- files -------------------------------------------------------------------------------------------------------------


def _asterisk_files(settings: Settings) -> Iterator[Finding]:
    try:
        problems = lint.check(exchange_settings(settings))
    except (AsteriskError, ValueError) as error:
        yield Finding("error", "settings", str(error), "correct the setting")
        return
    for problem in problems:
        yield Finding("error", f"{settings.asterisk_conf / problem.file}:{problem.line}", problem.why, problem.remedy)


def _menus(settings: Settings) -> Iterator[Finding]:
    try:
        found = menus.load(prompts.load_manifest(), settings.ivr_data).findings
    except prompts.PromptError as error:
        yield Finding("error", "ivr/prompts", str(error), "restore the file from the release")
        return
    yield from (_of_file(settings.ivr_data, one) for one in found)


def _prompts() -> Iterator[Finding]:
    try:
        manifest = prompts.load_manifest()
    except prompts.PromptError:
        return
    yield from (_of_file(manifest.root, one) for one in prompts.check(manifest))


def _callbacks(settings: Settings) -> Iterator[Finding]:
    try:
        policy.read(settings.callback_policy)
    except HotlineError as error:
        yield Finding("error", "callback_policy", error.message, "mend the file, or leave the setting out")


def _messages(settings: Settings) -> Iterator[Finding]:
    try:
        notices.read(settings.message_rules)
    except HotlineError as error:
        yield Finding("error", "message_rules", error.message, "mend the file, or leave the setting out")
    try:
        message_token(settings)
    except HotlineError as error:
        yield Finding("error", "message_token_file", error.message, "name a readable file with the gateway's token")


def _of_file(folder: Path, found: prompts.Finding) -> Finding:
    file = str(folder / Path(found.file).name) if (folder / Path(found.file).name).exists() else found.file
    return Finding("error", file if found.line is None else f"{file}:{found.line}", found.reason, found.remedy)


def _desk() -> Iterator[Finding]:
    built = Path(__file__).parent / "web" / "desk" / "dist" / "index.html"
    if not built.is_file():
        yield Finding("warning", "cti/web/desk", "the pages are not built", "run `tools/desk.sh` (part of `make run`)")


def _certificate(settings: Settings) -> Iterator[Finding]:
    if settings.tls == "off" and not is_loopback(settings.http_host):
        reason = (
            f"the page would be served to the network at {settings.http_host} without TLS: passwords in clear text, "
            "and browsers give such a page no microphone"
        )
        yield Finding("error", "http_host", reason, "set HOTLINE_TLS=self, or HOTLINE_TLS=files with a certificate")
    if settings.tls == "files" and settings.tls_certificate and settings.tls_key:
        try:
            tls.server_context(settings.tls_certificate, settings.tls_key)
        except HotlineError as error:
            remedy = (
                "set HOTLINE_TLS_CERTIFICATE and HOTLINE_TLS_KEY to a PEM certificate and its key, or HOTLINE_TLS=self"
            )
            yield Finding("error", "tls", error.message, remedy)


def _access(settings: Settings) -> Access | Finding:
    try:
        return access(settings)
    except (AsteriskError, HotlineError, OSError) as error:
        remedy = "write what that Asterisk has into the file, mode 0600 (asterisk-conf/README.md)"
        return Finding("error", "secrets", _said(error), remedy if settings.asterisk == "remote" else _again(settings))


def _again(settings: Settings) -> str:
    if settings.asterisk == "remote":
        return f"see that the Asterisk at {settings.ami_host} runs well, or have it restarted there"
    return "restart Asterisk: `hotline asterisk stop`, then `hotline up`"


# -- machine -----------------------------------------------------------------------------------------------------------


def _there(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _folders(settings: Settings) -> Iterator[Finding]:
    for name, folder in (("home", settings.home), ("spool", settings.spool)):
        if folder is None:
            continue
        there = _there(folder)
        if not there.is_dir():
            yield Finding("error", name, f"{there} is not a folder", f"set HOTLINE_{name.upper()} to another folder")
        elif not os.access(there, os.W_OK | os.X_OK):
            remedy = f"let this user write there, or set HOTLINE_{name.upper()} to another folder"
            yield Finding("error", name, f"{there} cannot be written", remedy)
    if settings.asterisk == "sandbox" and len(os.fsencode(_console(settings))) > _SOCKET_PATH:
        reason = f"the path of Asterisk's socket is longer than {_SOCKET_PATH} bytes: {_console(settings)}"
        yield Finding("error", "home", reason, "set HOTLINE_HOME to a folder with a shorter path")


def _journals(settings: Settings) -> Iterator[Finding]:
    """What happens while nobody listens is known only from these (TL-70)."""
    if settings.journals is None:
        reason = (
            "the journals of this Asterisk cannot be read here: a call during an outage is known only while it lives"
        )
        yield Finding("warning", "journals", reason, "share its log folder and name it with HOTLINE_ASTERISK_LOG")
        return
    for file in journal_files(settings.journals).values():
        if not file.exists() and settings.asterisk == "sandbox":
            yield Finding("ok", "journals", f"{file.name} begins with the first call")
        elif not file.is_file():
            remedy = "name Asterisk's log folder with HOTLINE_ASTERISK_LOG, and see that it takes cel_custom.conf"
            yield Finding("warning", "journals", f"there is no {file}", remedy)
        elif not os.access(file, os.R_OK):
            yield Finding("warning", "journals", f"{file} cannot be read", "let this user read it")
        else:
            yield Finding("ok", "journals", f"{file.name} can be read")


def _disk(settings: Settings) -> Iterator[Finding]:
    disks = {_there(folder) for folder in (settings.home, settings.spool) if folder is not None}
    for folder in sorted(disks):
        free = shutil.disk_usage(folder).free // 2**20
        if free < settings.disk_floor_mib:
            yield Finding(
                "error",
                f"disk of {folder}",
                f"{free} MiB are free: too little for voice files and the database",
                f"free some space, at least {settings.disk_floor_mib} MiB, or set HOTLINE_HOME to another disk",
            )
        else:
            yield Finding("ok", f"disk of {folder}", f"{free / 1024:.1f} GiB are free")


def _ports(settings: Settings, *, exchange: bool) -> Iterator[Finding]:
    """Ports that must be free: ours, and those of an Asterisk that is still to be started."""
    wanted = [
        ("http_port", socket.SOCK_STREAM, settings.http_host, settings.http_port),
        ("agi_port", socket.SOCK_STREAM, settings.agi_host, settings.agi_port),
    ]
    if exchange:
        asterisk = {"http_port": "asterisk_http_port"}
        wanted += [(asterisk.get(name, name), *rest) for name, *rest in ports.needed(exchange_settings(settings))]  # type: ignore[misc]
    for name, kind, host, port in wanted:
        if (trouble := _taken(kind, host, port)) is not None:
            protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
            who = ports.holder(protocol.lower(), port)
            reason = f"is held by {who}" if who else f"cannot be used ({trouble})"
            remedy = f"end that program (another Hotline?), or set HOTLINE_{name.upper()}"
            yield Finding("error", name, f"{protocol} port {port} on {host} {reason}", remedy)


def _media(settings: Settings) -> Iterator[Finding]:
    """Ports for the sound of calls, of an Asterisk that is still to be started."""
    if (said := ports.media(exchange_settings(settings))) is not None:
        remedy = "end that program (another Hotline?), or set HOTLINE_RTP_START and HOTLINE_RTP_END to other ports"
        yield Finding("error", "rtp_start", said, remedy)


def _taken(kind: socket.SocketKind, host: str, port: int) -> str | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def _installation(settings: Settings) -> Iterator[Finding]:
    try:
        installed(settings.cache_dir)
    except ProvisionError as error:
        yield Finding("error", "asterisk", str(error), "or name another folder with HOTLINE_CACHE_DIR")


# -- what runs ---------------------------------------------------------------------------------------------------------


async def _database(
    settings: Settings, clock: Callable[[], datetime], *, fresh: bool = False
) -> AsyncIterator[Finding]:
    """Whether it is reached, can be written, has our schema and our time; a `fresh` one may still have to be made."""
    remedy = "check HOTLINE_DATABASE_URL, and that the server runs and lets us in"
    try:
        file = _sqlite_file(settings)
        if file is not None and not os.path.exists(file):  # noqa: ASYNC240 - one look before anything runs
            for found in _no_file(file, fresh=fresh):
                yield found
            return
        if file is not None:
            remedy = f"end the program that holds {file} (a backup, a second copy?), and see that it can be written"
        database = await Database.open(settings.database, busy_ms=_BUSY_MS)
    except (HotlineError, OSError, SQLAlchemyError, ImportError) as error:
        yield Finding("error", "database", _said(error), remedy)
        return
    try:
        async with database.write() as conn:
            now = {"postgresql": "clock_timestamp()"}.get(database.dialect, "strftime('%Y-%m-%d %H:%M:%f', 'now')")
            asked = clock()
            answer = (await conn.execute(text(f"SELECT {now}"))).scalar_one()
            answered = clock()
        yield Finding("ok", "database", f"answers and can be written ({database.dialect})")
        there = answer if isinstance(answer, datetime) else datetime.fromisoformat(str(answer)).replace(tzinfo=UTC)
        for found in _clock("the database's", there, asked, answered):
            yield found
        have, want = await migrations.current(settings.database), migrations.head()
        if not fresh and have != want:
            reason = f"its schema is {have or 'empty'}, this program needs {want}"
            yield Finding("error", "database", reason, "run `hotline db upgrade`")
        elif not fresh:
            async with database.read() as conn:
                steps = await conn.execute(
                    select(audit.c.at, audit.c.subject_id, audit.c.payload)
                    .where(audit.c.verb == CLOCK_STEP, audit.c.at > clock() - _REMEMBERED)
                    .order_by(audit.c.id)
                )
                for row in steps:
                    yield _step(row.at, row.subject_id, row.payload["by_ms"])
    except (HotlineError, OSError, SQLAlchemyError) as error:
        yield Finding("error", "database", _said(error), remedy)
    finally:
        await database.close()


def _sqlite_file(settings: Settings) -> Path | None:
    url = make_url(async_url(settings.database))
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _no_file(file: Path, *, fresh: bool) -> Iterator[Finding]:
    folder = _there(file.parent)
    if not fresh:
        yield Finding("error", "database", f"there is no {file}", "`hotline up` makes it")
    elif not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        remedy = "name another place with HOTLINE_DATABASE_URL or HOTLINE_HOME"
        yield Finding("error", "database", f"{file} cannot be made", remedy)


def _step(at: datetime, whose: str, by_ms: int) -> Finding:
    """A clock that was set while the service ran (F20): what is counted by ours stayed right, by Asterisk's did not."""
    name = "this machine's" if whose == OUR_CLOCK else "Asterisk's"
    reason = f"{name} clock was set by {by_ms / 1000:+.1f} s, noted {at:%Y-%m-%d %H:%M:%S} UTC"
    remedy = "our waiting times stayed right, Asterisk's own did not: let NTP slew (`makestep` of chrony off), not set"
    return Finding("warning", "clock", reason, remedy)


def _clock(whose: str, there: datetime, asked: datetime, answered: datetime) -> Iterator[Finding]:
    """Theirs against ours: their time was read between our two, so a slow answer is no difference of clocks."""
    off = max(there - answered, asked - there)
    if off > CLOCK_TOLERANCE:
        reason = f"{whose} clock and ours are {off.total_seconds():.0f} s apart: waiting times would be wrong"
        yield Finding("error", "clock", reason, "set both clocks by NTP (`timedatectl set-ntp true`)")


def _console(settings: Settings) -> Path:
    return settings.asterisk_run / "run" / "asterisk.ctl"


async def _answers(settings: Settings) -> bool:
    """Whether an Asterisk of this installation runs already."""
    try:
        await control.run(_console(settings), "core show version", timeout_s=3.0)
    except (NotRunning, OSError):
        return False
    except AsteriskError:
        return True  # there, and frozen
    return True


def _not_there(settings: Settings) -> Finding:
    remedy = "see that it runs and that HOTLINE_AMI_HOST and HOTLINE_AMI_PORT are right"
    if settings.asterisk == "sandbox":
        remedy = f"start it: `hotline up`, or `hotline asterisk start`; its log is in {settings.asterisk_run / 'log'}"
    where = f"{settings.ami_host}:{settings.ami_port}"
    return Finding("error", "asterisk", f"Asterisk does not run: nothing answers on AMI port {where}", remedy)


async def _asterisk(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[Finding]:
    """Logs in once, as the service does, and looks at version, clock and queues."""
    again = _again(settings)
    file = settings.ami_secret_file if settings.asterisk == "remote" else settings.secrets_dir / "ami-bridge"
    remedies = {
        "wrong_ami_secret": f"the secret in {file} and the one in Asterisk's manager.conf must be the same"
        + ("; so must HOTLINE_AMI_USERNAME and the account" if settings.asterisk == "remote" else f"; {again}"),
        "asterisk_too_old": "install a newer one, or set HOTLINE_ASTERISK=sandbox",
    }
    known = _access(settings)
    if isinstance(known, Finding):
        yield known
        return
    unfiltered = asyncio.Event()
    link = Link(
        known.account,
        lambda raw, at: unfiltered.set() if raw.startswith(commands.PROBE) else None,
        lambda state: None,
        clock,
    )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await link.start()
        version = link.state.core.version if isinstance(link.state, Up) else "?"
        yield Finding("ok", "asterisk", f"answers, version {version}")
        asked = clock()
        (pong, *_) = await link.send(commands.ping())
        if pong.at is not None:
            for found in _clock("Asterisk's", pong.at, asked, clock()):
                yield found
        async for found in _queues(link):
            yield found
        async for found in _filter(link, unfiltered):
            yield found
    except HotlineError as error:
        yield Finding("error", "asterisk", _said(error), remedies.get(error.code, again))
    except TimeoutError:
        yield Finding("error", "asterisk", f"Asterisk did not let us in within {_PATIENCE_S:g} s", again)
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


async def _filter(link: Link, unfiltered: asyncio.Event) -> AsyncIterator[Finding]:
    """Provokes an event that the account's filters keep back: one that is misspelt is dropped without a word (S01)."""
    await link.send(commands.probe_filter())
    try:
        async with asyncio.timeout(_EVENT_S):
            await unfiltered.wait()
    except TimeoutError:
        yield Finding("ok", "event filter", "Asterisk sends only the events that are asked for")
        return
    reason = f"Asterisk sends the account {link.account.username} every event: its eventfilter lines are not in force"
    remedy = "correct the eventfilter lines of the account in manager.conf, then `manager reload` on Asterisk's console"
    yield Finding("error", "event filter", reason, remedy)


def _services(settings: Settings) -> Iterator[Finding]:
    for name, host, port in (
        ("fastagi", settings.agi_host, settings.agi_port),
        ("web", settings.http_host, settings.http_port),
    ):
        if _listens(host, port):
            yield Finding("ok", name, f"listens on {host}:{port}")
        else:
            remedy = "start the service: `hotline up`; until then the dialplan takes callers to the queue by itself"
            yield Finding("error", name, f"the service does not listen on {host}:{port}", remedy)


def _said(error: BaseException) -> str:
    """What went wrong in one line, with what the system or the driver said."""
    if not isinstance(error, HotlineError):
        return str(getattr(error, "orig", error)).partition("\n")[0]
    cause = str(error.details.get("cause", "")).partition("\n")[0]
    return f"{error.message} ({cause})" if cause else error.message
