"""The link to Asterisk: kept up, watched, and gated. Says when it is up or down; nothing is re-sent by itself."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Final

import structlog

from cti.ami.commands import Command, core_settings, core_status, logoff, ping
from cti.ami.frames import Frame
from cti.ami.guard import Why, describe
from cti.ami.session import ActionIds, ActionRefused, LinkDown, NoAnswer, Session
from ticketing.errors import HotlineError

__all__ = [
    "ActionIds",
    "ActionRefused",
    "AmiAccount",
    "AsteriskTooOld",
    "CoreState",
    "Down",
    "Link",
    "LinkDown",
    "LinkFigures",
    "LinkState",
    "NoAnswer",
    "Timing",
    "Up",
    "WrongSecret",
]

log = structlog.get_logger(__name__)

#: oldest Asterisk whose events were measured
OLDEST: Final = 22


class WrongSecret(HotlineError):
    """Asterisk does not accept this account's name or secret."""

    default_code = "wrong_ami_secret"


class AsteriskTooOld(HotlineError):
    """This Asterisk is too old."""

    default_code = "asterisk_too_old"


class _TryAgain(Exception):
    """The login was not taken, for a reason that may pass."""


@dataclass(frozen=True, slots=True)
class AmiAccount:
    """Where and as whom to log in."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    #: what the link is called in logs
    name: str = "bridge"
    #: False for an account without `reporting`: it may not ask for version and start time
    reporting: bool = True


@dataclass(frozen=True, slots=True)
class Timing:
    """Limits in seconds; all but the F02 pair (2 s, 3 pings) are ours."""

    connect_s: float = 3.0
    #: Asterisk itself waits one second before it refuses a login
    answer_s: float = 5.0
    ping_s: float = 2.0
    pings_missed: int = 3
    retry_first_s: float = 0.2
    retry_most_s: float = 5.0


@dataclass(frozen=True, slots=True)
class CoreState:
    """Which Asterisk this is; empty strings for an account that may not ask."""

    #: as Asterisk writes it, `22.10.1~dfsg…`
    version: str
    ami_version: str
    #: local time of Asterisk's machine without zone: compare it, do not compute with it; a change is a restart
    started: str
    reloaded: str


@dataclass(frozen=True, slots=True)
class Up:
    """Logged in and answered for."""

    core: CoreState


@dataclass(frozen=True, slots=True)
class Down:
    """No link, and why, in one sentence."""

    reason: str


LinkState = Up | Down


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """Counts since the start of the link."""

    connections: int
    frames: int
    #: answers nobody asked for, or of a wrong form
    refused: int
    #: answers after their deadline, or to another link of ours
    late: int
    #: receivers that raised
    faults: int


class Link:
    """One account's link. `on_frame` gets every event's bytes and the moment of receipt, and must only enqueue.

    `on_pong` gets Asterisk's clock at every ping, with the moments of the monotonic clock between which it was read.
    """

    def __init__(
        self,
        account: AmiAccount,
        on_frame: Callable[[bytes, datetime], None],
        on_state: Callable[[LinkState], None],
        clock: Callable[[], datetime],
        *,
        on_refused: Callable[[Why, str], None] | None = None,
        on_pong: Callable[[datetime, float, float], None] | None = None,
        ids: ActionIds | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.account = account
        self._on_frame = on_frame
        self._on_state = on_state
        self._clock = clock
        self._tell_refused = on_refused
        self._tell_pong = on_pong
        self._ids = ids or ActionIds()
        self._timing = timing or Timing()
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._first_up = asyncio.Event()
        #: latest state; None before the first attempt ended
        self.state: LinkState | None = None
        self._connections = self._frames = self._refused = self._late = self._faults = 0

    @property
    def figures(self) -> LinkFigures:
        """Counts up to now, the present connection's included."""
        session = self._session
        frames, late, faults = (session.frames, session.late, session.faults) if session else (0, 0, 0)
        return LinkFigures(
            self._connections, self._frames + frames, self._refused, self._late + late, self._faults + faults
        )

    async def start(self) -> None:
        """Return when the link is up for the first time; waits as long as Asterisk is not there.

        Raises WrongSecret and AsteriskTooOld at once: trying again cannot help.
        """
        assert self._task is None, "a link is started once"
        self._task = asyncio.create_task(self._run(), name=f"ami-{self.account.name}")
        up = asyncio.create_task(self._first_up.wait())
        try:
            await asyncio.wait({self._task, up}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
        if self._task.done():
            await self._task

    async def wait(self) -> None:
        """Wait for the link's end: returns after `stop`, raises what made it give up."""
        assert self._task is not None
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.result()

    async def stop(self) -> None:
        """Log off and end; safe in every state."""
        if self._session is not None:
            with suppress(HotlineError):
                await self._session.ask(logoff(), 1.0)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, HotlineError):
                await self._task
            self._set(Down("stopped"))

    async def send(self, command: Command, timeout_s: float | None = None) -> list[Frame]:
        """Send one action and return its whole answer.

        Raises LinkDown before anything is sent, NoAnswer when the outcome is unknown, and
        ActionRefused with Asterisk's words.
        """
        if self._session is None:
            raise LinkDown
        return await self._session.ask(command, timeout_s or self._timing.answer_s)

    async def _run(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            session = self._open_session()
            began = loop.time()
            try:
                core = await self._enter(session)
                self._session = session
                self._set(Up(core))
                self._first_up.set()
                reason = await self._watch(session)
            except (WrongSecret, AsteriskTooOld) as error:
                self._set(Down(error.message))
                raise
            except LinkDown as error:
                reason = session.lost.result() if session.lost.done() else error.message
            except (OSError, HotlineError, _TryAgain) as error:
                reason = error.message if isinstance(error, HotlineError) else str(error)
            finally:
                self._session = None
                session.close()
                self._frames += session.frames
                self._late += session.late
                self._faults += session.faults
            self._set(Down(reason))
            failures = 0 if loop.time() - began > self._timing.retry_most_s else failures + 1
            await asyncio.sleep(self._pause(failures))

    def _open_session(self) -> Session:
        account = self.account
        self._connections += 1
        return Session(
            name=account.name,
            host=account.host,
            port=account.port,
            username=account.username,
            secret=account.secret,
            ids=self._ids,
            clock=self._clock,
            on_frame=self._on_frame,
            on_refused=self._on_refused,
            on_pong=self._on_pong,
        )

    async def _enter(self, session: Session) -> CoreState:
        account, timing = self.account, self._timing
        reply = await session.open(timing.connect_s, timing.answer_s)
        if not reply.success:
            words = str(reply.message)
            if "authentication failed" in words.lower():
                raise WrongSecret(
                    message=f"Asterisk at {account.host}:{account.port} does not accept the name or secret of the "
                    f"{account.name} account {account.username!r}"
                )
            raise _TryAgain(f"login refused: {words}")
        ami_version = session.protocol.splitter.banner
        asked = monotonic()
        session.tell_pong((await session.ask(ping(), timing.answer_s))[0], asked)
        if not account.reporting:
            return CoreState("", ami_version, "", "")
        settings = (await session.ask(core_settings(), timing.answer_s))[0]
        status = (await session.ask(core_status(), timing.answer_s))[0]
        version = settings.get("AsteriskVersion")
        if _major(version) < OLDEST:
            raise AsteriskTooOld(message=f"Asterisk {version or 'of unknown version'} found, {OLDEST} or newer needed")
        return CoreState(
            version,
            ami_version,
            f"{status.get('CoreStartupDate')} {status.get('CoreStartupTime')}".strip(),
            f"{status.get('CoreReloadDate')} {status.get('CoreReloadTime')}".strip(),
        )

    async def _watch(self, session: Session) -> str:
        """Ping until the link is gone; returns why. A frozen peer is found within four pings' time (F02)."""
        while True:
            try:
                async with asyncio.timeout(self._timing.ping_s):
                    return await asyncio.shield(session.lost)
            except TimeoutError:
                pass
            if session.pings_unanswered >= self._timing.pings_missed:
                return f"no answer to {session.pings_unanswered} pings"
            session.ping()

    def _pause(self, failures: int) -> float:
        first, most = self._timing.retry_first_s, self._timing.retry_most_s
        ceiling = min(most, first * 2.0 ** min(failures, 16))
        return first + (ceiling - first) * random.random()  # noqa: S311 - spreads retries, guards nothing

    def _set(self, state: LinkState) -> None:
        if state == self.state:
            return
        self.state = state
        log.info("ami_link", link=self.account.name, state=state)
        try:
            self._on_state(state)
        except Exception:
            self._faults += 1
            log.exception("ami_receiver_failed", link=self.account.name)

    def _on_pong(self, stamp: datetime, asked: float, answered: float) -> None:
        if self._tell_pong is not None:
            self._tell_pong(stamp, asked, answered)

    def _on_refused(self, why: Why, frame: Frame) -> None:
        self._refused += 1
        if self._tell_refused is not None:
            self._tell_refused(why, describe(frame))


def _major(version: str) -> int:
    """Leading number of a version; builds of the development branch count as newest."""
    if "master" in version:
        return 1_000
    found = re.search(r"\d+", version)
    return int(found.group()) if found else 0
