"""The composition root: everything is made here, started in order, and stopped in reverse. The only place that asks
what time it is."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets as random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import structlog

from cti import descriptors, doctor, heap, logs, migrations
from cti.ami.link import AmiAccount
from cti.asterisk.phones import Phones
from cti.asterisk.process import Asterisk
from cti.asterisk.provision import Installation, provision
from cti.asterisk.render import RunFolder, render
from cti.asterisk.secrets import Secrets, write_private
from cti.asterisk.settings import AsteriskSettings
from cti.backfill import ends_told
from cti.dialer import Dialer
from cti.exchange import NOTICE, access, dialled, exchange_settings, metrics_token, roster
from cti.floor import FloorKeeper
from cti.outgoing import couriers
from cti.overflow import operators_zone, staffed
from cti.page import address, announceable, certificate, page_hosts, standards
from cti.settings import Settings
from cti.supervisor import Lease, Watchdog
from cti.turns import Tools as DialerTools
from cti.upkeep import Upkeep
from cti.web.deps import WebDeps
from cti.web.listen import CONNECTIONS, Listener
from cti.web.server import build_app
from ivr import prompts
from ivr.menus import Menus
from ivr.server import FastAgiServer, Step
from ivr.session import EntryStep
from ivr.spool import Spool
from ivr.steps import CallbackStep, OverflowStep, SurveyStep
from recordings.library import Library
from ticketing import days, taxonomy
from ticketing.audit import QueryLog
from ticketing.changes import Change
from ticketing.clocks import calendars
from ticketing.days import day_of
from ticketing.db import Database
from ticketing.errors import HotlineError
from ticketing.orders import cards, form_templates
from ticketing.papers.files import FileStore
from ticketing.sample.load import load_sample
from ticketing.sealing import Sealer
from ticketing.staff import sample as sample_staff
from ticketing.staff import sessions
from ticketing.staff import store as staff
from ticketing.staff.passwords import Passwords
from ticketing.staff.sign_in import Door

log = structlog.get_logger(__name__)

#: told one line of progress
Progress = Callable[[str], None]

VERSION: Final = version("hotline")
#: seconds a thread keeps the interpreter when another one wants it; Python's own is 0.005
_SWITCH_S: Final = 0.0005


def clock() -> datetime:
    """Aware UTC now."""
    return datetime.now(UTC)


class ChecksFailed(HotlineError):
    """Something is wrong that must be mended before the service starts."""

    default_code = "checks_failed"

    def __init__(self, findings: Sequence[doctor.Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__()


@dataclass(frozen=True, slots=True)
class Ready:
    """What a person needs to know when the service is up."""

    address: str
    #: printed once; None when passwords are set
    setup_token: str | None
    sip: str
    asterisk_version: str
    dialled: tuple[str, ...]
    #: resolved when a part that must never end has ended; whoever runs the service then stops it
    broken: Broken
    #: takes up menus, numbers dialled, opening hours and prompts as they are now; what is wrong, if the old ones stay
    reload: Callable[[], tuple[str, ...]]


async def preflight(settings: Settings) -> None:
    """Raises ChecksFailed with every error in files, disk, database, ports and account, before anything starts."""
    findings = await doctor.before_start(settings, clock)
    if any(found.bad for found in findings):
        raise ChecksFailed([found for found in findings if found.bad])


def private_key(folder: Path, name: str) -> bytes:
    """32 random bytes kept in a file of mode 0600, made at first use (S24)."""
    file = folder / name
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(file, random.token_hex(32) + "\n")
    return bytes.fromhex(file.read_text(encoding="ascii").strip())


async def open_database(settings: Settings, *, alone: bool = False) -> Database:
    """Brings the schema up to date and opens the database."""
    settings.make_home()
    await (migrations.upgrade_apart if alone else migrations.upgrade)(settings.database)
    return await Database.open(settings.database)


async def load_basics(database: Database, *, sample: bool, now: datetime) -> None:
    """Vocabularies, queues of the posts, and the sample operator when it is wanted; what is there is left alone."""
    nodes = taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8"))
    people = sample_staff.SAMPLE.read_text(encoding="utf-8")
    async with database.write() as conn:
        await taxonomy.load(conn, nodes, now, today=day_of(now))
        await form_templates.load(conn, form_templates.SHIPPED.read_text(encoding="utf-8"), now)
        await calendars.load(conn, calendars.shipped(), now)
        await sample_staff.load_queues(conn, people, now)
    if sample:
        async with database.write() as conn:
            await sample_staff.load(conn, people, now)
            await load_sample(conn, now)


def reload_menus(menus: Menus) -> tuple[str, ...]:
    """New calls use the files as they are now; calls in progress finish on the old ones (TL-03)."""
    try:
        findings = tuple(str(found) for found in menus.reload(prompts.load_manifest()))
    except prompts.PromptError as error:
        findings = (str(error),)
    if findings:
        log.error("reload_refused", findings=findings)
    else:
        log.warning("reloaded", lines=len(menus.tree.lines), nodes=len(menus.tree.nodes))
    return findings


@contextlib.contextmanager
def pid_file(settings: Settings) -> Iterator[None]:
    """Says which process is the service, for `hotline reload`."""
    file = settings.home / "hotline.pid"
    file.write_text(f"{os.getpid()}\n", encoding="ascii")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


async def setup_token(database: Database, now: datetime) -> str | None:
    """A fresh one-time token while nobody can sign in, else None."""
    async with database.write() as conn:
        return await sessions.new_setup_token(conn, now) if await sessions.first_run(conn) else None


@asynccontextmanager
async def exchange(settings: AsteriskSettings, secrets: Secrets, progress: Progress) -> AsyncIterator[Asterisk | None]:
    """Our own Asterisk, running; one that outlived its service is taken over as it is. None when it is elsewhere."""
    if not settings.managed:
        yield None
        return
    installation: Installation = await asyncio.to_thread(provision, settings.cache_dir, progress)
    asterisk = Asterisk(RunFolder(settings.run_dir.resolve(), installation, settings, secrets))
    if await asterisk.running():
        progress("Asterisk is running already: taken over")
    else:
        secrets.renew_token()
        asterisk = Asterisk(await asyncio.to_thread(render, installation, settings, secrets))
        took = await asterisk.start()
        progress(f"Asterisk {installation.version} started in {took:.1f} s")
    try:
        yield asterisk
    finally:
        progress("stopping Asterisk")
        await asterisk.stop()


class ServiceBroken(HotlineError):
    """A part that everything depends on has ended: the service stops, so that it is started afresh."""

    default_code = "service_broken"


#: resolved with what ended a part of the service that must never end
Broken = asyncio.Future[ServiceBroken]


@asynccontextmanager
async def task(work: Awaitable[None], name: str, broken: Broken) -> AsyncIterator[None]:
    """Work that goes on beside everything else until the block ends; when it raises, the service is broken."""
    running = asyncio.ensure_future(work)
    running.add_done_callback(lambda done: _report(done, name, broken))
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running


def _report(done: asyncio.Future[None], name: str, broken: Broken) -> None:
    if done.cancelled() or (error := done.exception()) is None:
        return
    log.error("task_ended", task=name, error=repr(error))
    if not broken.done():
        said = error.message if isinstance(error, HotlineError) else repr(error)
        broken.set_result(ServiceBroken("service_broken", f"{name} has ended: {said}"))


def _at_the_end(stack: AsyncExitStack, progress: Progress, what: str, stop: Callable[[], Awaitable[None]]) -> None:
    """Stops this part when its turn comes, the last started first, and says so."""

    async def say_and_stop() -> None:
        progress(f"stopping {what}")
        await stop()

    stack.push_async_callback(say_and_stop)


async def _until_ours(lease: Lease, progress: Progress) -> None:
    """Only one service acts; a standby, or the successor of one that was killed, waits here for the lease."""
    try:
        async with asyncio.timeout(1.0):
            await lease.gained()
    except TimeoutError:
        progress("another service acts on this database (or was just killed): waiting for its lease to run out")
        await lease.gained()


@dataclass(frozen=True, slots=True)
class Core:
    """What exists before a telephone or a page does."""

    settings: Settings
    database: Database
    secrets: Secrets
    manifest: prompts.Manifest
    menus: Menus
    words: taxonomy.Taxonomies
    queries: QueryLog
    library: Library
    exchange: AsteriskSettings
    spool: Spool
    lease: Lease


async def _core(stack: AsyncExitStack, settings: Settings, progress: Progress, *, alone: bool) -> Core:
    """Database with its schema, vocabularies and sample; menus, prompts and secrets."""
    progress("database")
    database = await open_database(settings, alone=alone)
    _at_the_end(stack, progress, "the database", database.close)
    await load_basics(database, sample=settings.sample, now=clock())
    manifest = prompts.load_manifest()
    menus = Menus(manifest, settings.ivr_data)
    async with database.read() as conn:
        phones = roster(await staff.everyone(conn), await staff.agents(conn))
        words = await taxonomy.read(conn)
    notice_version = manifest.version(NOTICE, "zh")
    facts = exchange_settings(settings, phones, dialled(menus.tree.lines, manifest), notice_version)
    queries = QueryLog(database)
    key = private_key(settings.secrets_dir, "media_key")
    return Core(
        settings=settings,
        database=database,
        secrets=Secrets.load_or_create(settings.secrets_dir),
        manifest=manifest,
        menus=menus,
        words=words,
        queries=queries,
        library=Library(database, facts.spool, settings.recordings_root, key, queries),
        exchange=facts,
        spool=Spool(facts.spool),
        lease=Lease(database, "telephony", clock),
    )


def _steps(core: Core, keeper: FloorKeeper) -> dict[str, Step]:
    """The menus and what surrounds the queue; the dialplan asks for overflow and survey only when they are on."""
    settings, menus = core.settings, core.menus
    tree = lambda: menus.tree  # noqa: E731 - the tree of the moment, given to each step
    dialogues = keeper.overflow(core.spool, tree)
    steps: dict[str, Step] = {"entry": EntryStep(tree, keeper.ports(tree, dialogues if settings.overflow else None))}
    if settings.overflow:
        steps["overflow"] = OverflowStep(tree, dialogues)
    if settings.callbacks:
        steps["callback"] = CallbackStep(tree, keeper.called(), dialogues)
    if settings.survey:
        steps["survey"] = SurveyStep(tree)
    return steps


async def _telephone(stack: AsyncExitStack, core: Core, progress: Progress) -> FloorKeeper:
    """Asterisk, the menus' server and the floor, made but not yet connected."""
    settings, menus = core.settings, core.menus
    asterisk = await stack.enter_async_context(exchange(core.exchange, core.secrets, progress))
    known = access(settings)  # read now: the token is new when Asterisk was started
    keeper = FloorKeeper(settings, core.database, menus, core.words, clock)
    await keeper.restore()
    keeper.receive(core.library)
    steps = _steps(core, keeper)
    agi = FastAgiServer(
        settings.agi_host,
        settings.agi_port,
        known.agi,
        steps,
        on_refused=lambda why: keeper.pump.put_security(f"agi_{why}", "a connection to the menus' port"),
    )
    keeper.wire(
        known.account,
        token=known.token,
        library=core.library,
        agi=agi,
        phones=Phones(asterisk) if asterisk else None,
        exchange=core.exchange,
        manifest=core.manifest,
        journal_key=private_key(settings.secrets_dir, "journal_key"),
        may_act=lambda: core.lease.holds,
    )
    await agi.start()
    _at_the_end(stack, progress, "the menus", agi.stop)
    return keeper


def _dialer(core: Core, keeper: FloorKeeper) -> Dialer:
    """Dials booked callbacks on its own link: an account that may place calls, and nothing else (S01)."""
    settings = core.settings
    account = AmiAccount(
        settings.ami_host,
        settings.ami_port,
        "dialler",
        core.secrets.ami_dialler,
        name="dialler",
        reporting=False,
    )
    tools = DialerTools(
        database=core.database,
        floor=keeper.floor,
        bridge=keeper.link,
        switchboard=keeper.switchboard,
        policy=keeper.policy,
        clock=clock,
        put_event=keeper.pump.put_event,
        reduced=keeper.pump.reduced,
        announce=keeper.tell,
        may_act=lambda: core.lease.holds,
        holder=core.lease.holder,
        token=access(settings).token,
        caller_id=settings.callback_caller_id,
        ends=lambda: asyncio.to_thread(ends_told, settings.journals),
    )
    dialer = Dialer(account, tools)
    keeper.switchboard.before_ready = dialer.turns.before_ready
    keeper.performer.on_phase = dialer.turns.changed
    return dialer


def _page(stack: AsyncExitStack, core: Core, keeper: FloorKeeper) -> Listener:
    """The web application, made but not yet listening."""
    settings = core.settings
    passwords = Passwords()
    stack.callback(passwords.close)

    def heed(changes: Sequence[Change]) -> None:
        keeper.announcements.heed(changes)
        keeper.labels.heed(changes)

    deps = WebDeps(
        database=core.database,
        clock=clock,
        hub=keeper.hub,
        telephony=keeper.telephony,
        door=Door(core.database, passwords),
        queries=core.queries,
        library=core.library,
        files=FileStore(settings.papers_root),
        secure=settings.tls != "off",
        hosts=page_hosts(settings),
        standards=standards(core.menus.tree, core.manifest),
        on_change=heed,
        announceable=lambda: announceable(core.menus.tree, core.manifest),
        zone=operators_zone(settings.ivr_data),
        target_ms=round(settings.answer_target_seconds * 1000),
        search_limit_s=settings.search_seconds,
        export_rows=settings.export_rows,
        metrics_token=metrics_token(settings),
        policy=keeper.policy,
        opening=staffed(settings.ivr_data, lambda: core.menus.tree),
        area_code=settings.area_code,
        version=VERSION,
    )
    keeper.serve(deps)
    secured = certificate(settings, clock())
    most = min(CONNECTIONS, descriptors.for_pages())
    listener = Listener(
        build_app(deps), host=settings.http_host, port=settings.http_port, tls=secured, connections=most
    )
    keeper.vitals.page = lambda: listener.load
    return listener


@asynccontextmanager
async def service(
    settings: Settings, progress: Progress = lambda line: None, *, alone: bool = False
) -> AsyncIterator[Ready]:
    """The whole service; what was started is stopped in reverse when the block ends, however it ends.

    `alone`: this process is the service and nothing else. A stalled event loop ends it, so that its callers are rescued
    by the dialplan (F07); an upgrade of the database has a process of its own; the C library keeps one heap.
    """
    if alone:
        heap.one()
        descriptors.widen()
    await preflight(settings)
    days.use(operators_zone(settings.ivr_data))
    broken: Broken = asyncio.get_running_loop().create_future()
    async with AsyncExitStack() as stack:
        core = await _core(stack, settings, progress, alone=alone)
        keeper = await _telephone(stack, core, progress)
        listener = _page(stack, core, keeper)
        if alone:
            dog = Watchdog()
            dog.start()
            stack.callback(dog.stop)
            keeper.vitals.stalled_s = lambda: dog.worst_s
        keeper.vitals.log_lost = logs.lost
        lease, database = core.lease, core.database
        await stack.enter_async_context(task(keeper.run(), "pump", broken))
        await stack.enter_async_context(task(lease.run(), "lease", broken))
        await stack.enter_async_context(task(keeper.announcements.run(), "announcements", broken))
        await _until_ours(lease, progress)
        await keeper.connect()
        _at_the_end(stack, progress, "the link to Asterisk", keeper.disconnect)
        await stack.enter_async_context(task(keeper.link.wait(), "link", broken))
        progress("connected to Asterisk")
        sealer = Sealer(private_key(settings.secrets_dir, "audit_key"), settings.home / "audit-anchors.txt")
        await stack.enter_async_context(task(sealer.run(database, clock, holds=lambda: lease.holds), "sealer", broken))
        given = cards.run(database, clock, holds=lambda: lease.holds)
        await stack.enter_async_context(task(given, "cards", broken))
        for name, courier in couriers(stack, settings, database, keeper.hub, name=lease.holder, clock=clock).items():
            await stack.enter_async_context(task(courier.run(clock), name, broken))
        upkeep = Upkeep(keeper, database, core.library, core.spool, clock)
        await stack.enter_async_context(task(upkeep.run(), "upkeep", broken))
        if settings.callbacks:
            dialer = _dialer(core, keeper)
            keeper.vitals.dialler = lambda: dialer.connected
            await stack.enter_async_context(task(dialer.run(), "dialer", broken))
        await listener.start()
        _at_the_end(stack, progress, "the page", listener.stop)
        stack.callback(keeper.hub.close)
        stack.enter_context(pid_file(settings))
        # a statement's thread asks for the interpreter at every row, and must not wait long for it while events are
        # worked through (pop latency)
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_S)
        # what exists now lives as long as the service: the collector need not walk it again (pop latency)
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        if alone:
            heap.give_back()
        yield Ready(
            address=address(settings, listener.port),
            setup_token=await setup_token(database, clock()),
            sip=f"{settings.sip_host}:{settings.sip_port}",
            asterisk_version=keeper.asterisk_version,
            dialled=tuple(core.menus.tree.lines),
            broken=broken,
            reload=lambda: reload_menus(core.menus),
        )
