"""A simulated customer: one real SIP call with keys and speech, for a newcomer who owns no phone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import soundfile
from baresip import Account, BaresipError, Call, CallState, Config, Runtime, UserAgent
from baresip.events import Event, StackEvent

from cti.asterisk import control
from cti.asterisk.errors import AsteriskError, NotRunning
from cti.settings import Settings
from ivr.prompts import load_manifest
from ticketing.errors import Unavailable

_RATE: Final = 8000
_FRAME_S: Final = 0.02
_LOOK_S: Final = 0.25
#: seconds until the menu answers, on a machine that has just started everything
_ANSWERED_S: Final = 30.0
#: seconds the customer listens to the menu before he presses 1
_LISTENS_S: Final = 2.0
#: longest talk, for an agent who forgets to hang up
_TALK_S: Final = 90.0


async def place_call(
    settings: Settings, *, caller: str, dnis: str, patience_s: float, progress: Callable[[str], None]
) -> None:
    """Dials, presses 1, waits for an agent, complains aloud, and ends when the agent hangs up.

    Raises Unavailable when no hotline answers, or nobody does within `patience_s` seconds.
    """
    console, target = settings.asterisk_run / "run" / "asterisk.ctl", f"{settings.sip_host}:{settings.sip_port}"
    await _is_there(console, f"sip:{dnis}@{target}")
    runtime = Runtime()
    await runtime.start(
        Config(net_interface=settings.sip_host, native_log_level="error", extra_config_text="sip_listen 127.0.0.1:0\n")
    )
    try:
        account = Account(caller, target, "", reg_interval=0, audio_codecs=("pcma", "pcmu"))
        customer = await UserAgent.create(runtime, account)
        progress(f"{caller} dials {dnis}")
        try:
            call = await customer.dial(f"sip:{dnis}@{target}")
            await call.wait_established(_ANSWERED_S)
        except (BaresipError, TimeoutError) as error:
            raise Unavailable(
                "not_answered",
                f"Asterisk runs, but the call to sip:{dnis}@{target} was not answered ({error}): see `hotline doctor`",
            ) from error
        await _Talk(console, call, caller, progress).run(patience_s)
    finally:
        await runtime.close()


async def _is_there(console: Path, address: str) -> None:
    """Raises Unavailable when no Asterisk of ours runs: sooner than a call that nobody answers would tell."""
    try:
        await control.run(console, "core show uptime seconds")
    except AsteriskError as error:
        raise Unavailable("no_hotline", f"nothing answers at {address}: is `make run` running?") from error


class _Talk:
    """The customer's side of one call."""

    def __init__(self, console: Path, call: Call, caller: str, progress: Callable[[str], None]) -> None:
        self._console = console
        self._call = call
        self._caller = caller
        self._progress = progress
        self._over = asyncio.Event()
        self._speech = load_manifest().root / "demo"
        call.on(self._on_event)

    def _on_event(self, event: StackEvent) -> None:
        if event.event is Event.CALL_CLOSED:
            self._over.set()

    async def run(self, patience_s: float) -> None:
        """Menu, queue, talk, end."""
        self._progress("answered by the menu; the notice and the greeting are playing")
        await self._until_said()
        await self._call.send_dtmf("1")
        self._progress("pressed 1 (complaint); waiting for an agent who is ready")
        if not await self._connected(patience_s):
            await self._hang_up()
            raise Unavailable("nobody_answered", f"no agent answered within {patience_s:.0f} s: is one ready?")
        self._progress("connected; the customer speaks")
        await asyncio.sleep(1.0)
        await self._say(self._speech / "customer-broadband.wav")
        self._progress("waiting for the agent to hang up")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TALK_S):
                await self._over.wait()
        await self._hang_up()
        self._progress("the call is over: its draft order and recording are on the agent's page")

    async def _until_said(self) -> None:
        """Past the notice, which cannot be cut short, and a little into the greeting."""
        notice = load_manifest().prompt("notice", "zh").seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(notice + _LISTENS_S):
                await self._over.wait()

    async def _connected(self, patience_s: float) -> bool:
        """Whether an agent took the call in time; asked of Asterisk's console, since music sounds like speech."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while loop.time() < deadline and not self._over.is_set():
            try:
                channels = await control.run(self._console, "core show channels concise")
            except NotRunning as error:
                raise Unavailable(
                    "no_console", "the console of Asterisk does not answer: is `make run` running?"
                ) from error
            for line in channels.splitlines():
                fields = line.split("!")
                if len(fields) > 12 and fields[5] == "Queue" and fields[7] == self._caller and fields[12].strip():
                    return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._over.wait()
        return False

    async def _say(self, wav: Path) -> None:
        samples, _ = soundfile.read(wav, dtype="int16", always_2d=True)
        data, sent = samples[:, 0].tobytes(), 0
        while not self._over.is_set() and self._call.state is not CallState.CLOSED:
            with contextlib.suppress(BaresipError):
                sent += self._call.audio.write(data[sent : sent + _RATE // 2])
                if sent >= len(data) and not self._call.audio.info().tx_buffered:
                    return
            await asyncio.sleep(_FRAME_S)

    async def _hang_up(self) -> None:
        if not self._over.is_set():
            with contextlib.suppress(BaresipError):
                await self._call.hangup()
