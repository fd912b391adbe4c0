"""People at the other ends of the exchange, for system tests: callers on the trunk and agents' desk phones.

    async with Lines(pbx) as lines:                       # or the fixture `lines`
        phone = await lines.phone("1002")                 # registered
        caller = await lines.caller("13800001111")
        await caller.dial("1860")                         # returns when answered
        await caller.hears("notice")                      # a prompt id or a WAV; raises NotHeard
        await caller.press("1")
        offer = await phone.rings()
        await phone.answer()
        await caller.says(tone(600, 1.0))
        await phone.hears(tone(600, 1.0))
        await phone.hang_up()
        await caller.ended()

Every wait ends with an event or raises after its time; nothing sleeps for a guessed time. One process holds one SIP
stack, so `Lines` is one per test; callers and phones on it are as many as wanted.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import itertools
import math
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import numpy as np
from baresip import (
    Account,
    AudioNotActive,
    AudioRestarted,
    BaresipError,
    Call,
    CallFailed,
    CallState,
    Config,
    Runtime,
    UserAgent,
)
from baresip.events import Event, StackEvent

from tests.system import sound
from tests.system.sound import RATE, Pcm

#: one G.711 packet
_FRAME_S: Final = 0.02
#: root mean square from which a window is a sound
_LOUD: Final = 100


class Exchange(Protocol):
    """What callers need to know about the exchange (the `pbx` fixture)."""

    @property
    def sip(self) -> str:
        """host:port of its SIP socket."""

    @property
    def prompts(self) -> Path:
        """Folder with zh/ and en/."""

    def phone_secret(self, number: str) -> str:
        """Password of an agent's phone."""


class NotHeard(AssertionError):
    """The sound that was waited for did not come."""


class NotRung(AssertionError):
    """The phone did not ring in time."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Where a sound was found."""

    #: seconds of audio since the call was answered
    at_s: float
    #: time.monotonic() of that moment, to the packet
    monotonic: float


class Ear:
    """Everything one end of a call has heard, with gaps kept as silence."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._parts: list[Pcm] = []
        self.count = 0
        self.started: float | None = None
        #: (samples heard by then, time.monotonic()) of each portion
        self._arrivals: list[tuple[int, float]] = []
        self._grown = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    @property
    def samples(self) -> Pcm:
        """All that was heard so far."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0] if self._parts else np.zeros(0, np.int16)

    def arrived(self, at_s: float) -> float:
        """time.monotonic() when the sound at this place had come in; true also when the exchange was silent before."""
        place = bisect.bisect_right(self._arrivals, (int(at_s * RATE), math.inf))
        return self._arrivals[min(place, len(self._arrivals) - 1)][1]

    def longest_silence(self, until_s: float = math.inf) -> float:
        """Seconds of the longest stretch without a sound, up to a place in the audio: by the moments at which sounds
        came in, so that it counts too when the exchange sent nothing at all (under -50 dBFS in windows of 20 ms)."""
        window = RATE // 50
        samples = self.samples if math.isinf(until_s) else self.samples[: int(until_s * RATE)]
        whole = len(samples) // window
        if self.started is None or not whole:
            return 0.0
        windows = samples[: whole * window].reshape(-1, window).astype(np.float64)
        loud = np.flatnonzero(np.sqrt(np.mean(np.square(windows), axis=1)) >= _LOUD)
        heard = [self.started, *(self.arrived((int(at) + 1) / 50) for at in loud), self.arrived(whole / 50)]
        return max(after - before for before, after in itertools.pairwise(heard))

    def close(self) -> None:
        """Stops listening; what was heard stays."""
        self._task.cancel()

    async def more(self) -> None:
        """Waits until more was heard."""
        self._grown.clear()
        await self._grown.wait()

    async def _listen(self) -> None:
        while self._call.state is not CallState.CLOSED:
            try:
                data = self._call.audio.read(RATE)
            except (AudioNotActive, AudioRestarted):
                data = b""
            if data:
                part = np.frombuffer(data, np.int16)
                if self.started is None:
                    self.started = time.monotonic() - len(part) / RATE
                self._parts.append(part)
                self.count += len(part)
                self._arrivals.append((self.count, time.monotonic()))
                self._grown.set()
            await asyncio.sleep(_FRAME_S)


class Leg:
    """One end of one call: shared by callers and phones."""

    def __init__(self, call: Call, prompts: Path) -> None:
        self.call = call
        self._prompts = prompts
        self._closed = asyncio.Event()
        self.close_reason = ""
        self.was_answered = False
        call.on(self._on_event)
        self.ear = Ear(call)
        self._search_from = 0

    def _on_event(self, event: StackEvent) -> None:
        if event.event is Event.CALL_ESTABLISHED:
            self.was_answered = True
        elif event.event is Event.CALL_CLOSED:
            self.close_reason = event.text or ""
            self._closed.set()

    def _wanted(self, what: str | Path | Pcm, language: str) -> Pcm:
        if isinstance(what, str):
            what = self._prompts / language / f"{what}.wav"
        return sound.load(what) if isinstance(what, Path) else what

    async def hears(
        self, what: str | Path | Pcm, *, within_s: float = 30.0, language: str = "zh", again: bool = False
    ) -> Heard:
        """Waits until a prompt (its id), a WAV file or given samples were heard, and says when.

        Looks only at what came after the last thing found, unless `again`. Raises NotHeard after `within_s`, or at once
        when the call ends first.
        """
        wanted, lead = sound.snippet(self._wanted(what, language))
        position = 0 if again else self._search_from
        deadline = time.monotonic() + within_s
        while True:
            found = sound.find(self.ear.samples[position:], wanted)
            if found is not None:
                at = position + found
                self._search_from = at + len(wanted)
                # half of it is enough to know it: who presses a key now must not cut what the next search begins with
                # (a prompt that ends within it is followed by no packets at all: then there is nothing to wait for)
                with contextlib.suppress(TimeoutError):
                    while self.ear.count < self._search_from and not self._closed.is_set():
                        async with asyncio.timeout(0.2):
                            await self.ear.more()
                return Heard((at - lead) / RATE, (self.ear.started or 0.0) + (at - lead) / RATE)
            position = max(position, self.ear.count - 2 * len(wanted) - RATE)
            left = deadline - time.monotonic()
            if left <= 0 or self._closed.is_set():
                raise NotHeard(
                    f"{what if isinstance(what, (str, Path)) else 'the sound'} was not heard: {self.account()}"
                )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, 0.2)):
                    await self.ear.more()

    def forget(self) -> None:
        """What is heard from now on is looked at, nothing before."""
        self._search_from = self.ear.count

    def account(self) -> str:
        """For messages: what this end went through."""
        state = f"ended ({self.close_reason})" if self._closed.is_set() else self.call.state.value
        return f"call {state}, {self.ear.count / RATE:.1f} s heard, loudness {sound.loudness(self.ear.samples):.0f}"

    async def says(self, what: str | Path | Pcm, *, language: str = "zh") -> None:
        """Takes a breath, speaks samples, a WAV or a prompt, and returns when the last of it has left."""
        breath = np.zeros(RATE // 5, np.int16)  # the bridge behind a call just answered is not there at once
        data = np.concatenate((breath, self._wanted(what, language))).tobytes()
        sent = 0
        while sent < len(data) or self.call.audio.info().tx_buffered:
            with contextlib.suppress(AudioRestarted):
                sent += self.call.audio.write(data[sent : sent + RATE // 2])
            await asyncio.sleep(_FRAME_S)

    async def press(self, keys: str) -> None:
        """Presses keys, one after another (RFC 4733)."""
        await self.call.send_dtmf(keys)

    async def ended(self, *, within_s: float = 30.0) -> str:
        """Waits until the call is over, whoever ended it; the reason as SIP gave it."""
        try:
            async with asyncio.timeout(within_s):
                await self._closed.wait()
        except TimeoutError:
            raise AssertionError(f"the call did not end within {within_s:g} s: {self.account()}") from None
        return self.close_reason

    async def hang_up(self) -> None:
        """Ends the call; quiet when it is over already."""
        with contextlib.suppress(BaresipError):
            await self.call.hangup()
        await self.ended()
        self.ear.close()


class Caller:
    """Somebody who calls from outside with a given number."""

    def __init__(self, lines: Lines, agent: UserAgent, number: str) -> None:
        self._lines = lines
        self._agent = agent
        self.number = number
        self._leg: Leg | None = None

    @property
    def leg(self) -> Leg:
        """The call that is up."""
        if self._leg is None:
            raise AssertionError(f"{self.number} has not dialled")
        return self._leg

    async def dial(self, dnis: str, *, within_s: float = 30.0, headers: dict[str, str] | None = None) -> None:
        """Dials and waits until answered. Raises baresip's CallFailed (with `.status`) when refused."""
        call = await self._lines.invite(self._agent, dnis, headers)
        self._leg = Leg(call, self._lines.pbx.prompts)
        self._lines.legs.append(self._leg)
        try:
            await call.wait_established(within_s)
        except CallFailed:
            if not self._leg.was_answered:  # answered and ended before this process was scheduled again
                raise

    async def hears(
        self, what: str | Path | Pcm, *, within_s: float = 30.0, language: str = "zh", again: bool = False
    ) -> Heard:
        """See Leg.hears."""
        return await self.leg.hears(what, within_s=within_s, language=language, again=again)

    async def says(self, what: str | Path | Pcm, *, language: str = "zh") -> None:
        """See Leg.says."""
        await self.leg.says(what, language=language)

    async def press(self, keys: str) -> None:
        """See Leg.press."""
        await self.leg.press(keys)

    async def ended(self, *, within_s: float = 30.0) -> str:
        """See Leg.ended."""
        return await self.leg.ended(within_s=within_s)

    async def hang_up(self) -> None:
        """See Leg.hang_up."""
        await self.leg.hang_up()


class DeskPhone:
    """An agent's desk phone, registered under his number."""

    def __init__(self, lines: Lines, agent: UserAgent, number: str) -> None:
        self._lines = lines
        self._agent = agent
        self.number = number
        self._offers: asyncio.Queue[Leg] = asyncio.Queue()
        self._leg: Leg | None = None
        agent.on_incoming(self._on_incoming)

    def _on_incoming(self, call: Call) -> None:
        leg = Leg(call, self._lines.pbx.prompts)
        self._lines.legs.append(leg)
        self._offers.put_nowait(leg)

    @property
    def leg(self) -> Leg:
        """The call that rings or is up."""
        if self._leg is None:
            raise AssertionError(f"phone {self.number} has not rung")
        return self._leg

    async def register(self) -> None:
        """Registers with the exchange. Raises baresip's RegistrationError when the secret is refused."""
        await self._agent.register()

    async def unregister(self) -> None:
        """Goes off the exchange."""
        await self._agent.unregister()

    async def rings(self, *, within_s: float = 30.0) -> Leg:
        """Waits for the next offer; `leg.call.peer` is who calls. Raises NotRung."""
        try:
            async with asyncio.timeout(within_s):
                self._leg = await self._offers.get()
        except TimeoutError:
            raise NotRung(f"phone {self.number} did not ring within {within_s:g} s") from None
        return self._leg

    async def answer(self) -> None:
        """Picks up what rings and waits until the call is up."""
        await self.leg.call.answer()
        await self.leg.call.wait_established()

    async def reject(self) -> None:
        """Busy."""
        await self.leg.call.reject()

    async def dial(self, extension: str) -> None:
        """Calls an extension of the exchange and waits until it answers."""
        call = await self._lines.invite(self._agent, extension)
        self._leg = Leg(call, self._lines.pbx.prompts)
        self._lines.legs.append(self._leg)
        await call.wait_established()

    async def hears(
        self, what: str | Path | Pcm, *, within_s: float = 30.0, language: str = "zh", again: bool = False
    ) -> Heard:
        """See Leg.hears."""
        return await self.leg.hears(what, within_s=within_s, language=language, again=again)

    async def says(self, what: str | Path | Pcm, *, language: str = "zh") -> None:
        """See Leg.says."""
        await self.leg.says(what, language=language)

    async def ended(self, *, within_s: float = 30.0) -> str:
        """Waits until the offer is withdrawn or the call is over."""
        return await self.leg.ended(within_s=within_s)

    async def hang_up(self) -> None:
        """See Leg.hang_up."""
        await self.leg.hang_up()


class Lines:
    """The SIP stack all callers and phones of one test share."""

    def __init__(self, pbx: Exchange) -> None:
        self.pbx = pbx
        self.legs: list[Leg] = []
        self._phones: list[DeskPhone] = []
        self._runtime: Any = Runtime()

    async def __aenter__(self) -> Self:
        here = self.pbx.sip.rpartition(":")[0]  # calls come from the address they go to
        await self._runtime.start(
            Config(
                net_interface=here,
                max_concurrent_calls=None,
                native_log_level="error",
                extra_config_text=f"sip_listen {here}:0\n",
            )
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for leg in self.legs:
            with contextlib.suppress(BaresipError, AssertionError):
                await leg.hang_up()
        for phone in self._phones:
            with contextlib.suppress(BaresipError):
                await phone.unregister()
        await self._runtime.close()

    async def invite(self, agent: UserAgent, extension: str, headers: dict[str, str] | None = None) -> Call:
        """Dials and returns the call that is on its way.

        On a busy loop the exchange's answer may be told before the call object exists to hear it: it hears it then.
        """
        told: list[StackEvent] = []
        listen = told.append
        self._runtime.subscribe(listen)
        try:
            call = await agent.dial(f"sip:{extension}@{self.pbx.sip}", headers)
        finally:
            self._runtime.unsubscribe(listen)
        for event in told:
            call._on_stack_event(event)  # it takes what concerns it
        return call

    async def caller(self, number: str = "13800001111") -> Caller:
        """Somebody outside with this number; `anonymous` withholds it."""
        account = Account(number, self.pbx.sip, "", reg_interval=0, audio_codecs=("pcma", "pcmu"))
        return Caller(self, await UserAgent.create(self._runtime, account), number)

    async def phone(self, number: str, *, secret: str | None = None) -> DeskPhone:
        """The desk phone of an agent, registered."""
        password = self.pbx.phone_secret(number) if secret is None else secret
        account = Account(number, self.pbx.sip, password, reg_interval=300, audio_codecs=("pcma", "pcmu"))
        phone = DeskPhone(self, await UserAgent.create(self._runtime, account), number)
        await phone.register()
        self._phones.append(phone)
        return phone
