"""A crowd that keeps calling, whatever dies: many who only stand in the line, a few who speak, book, walk and listen.

Each number calls once. What a caller was told is noted; how long he heard nothing is measured where somebody should
have spoken to him (N8). A call that an exchange takes down with it is given up, and another takes its caller's place.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from baresip import BaresipError

from tests.system import sound
from tests.system.callers import Caller, DeskPhone, Lines, NotHeard
from tests.system.raw_sip import RawCall
from tests.system.sound import RATE

#: what a caller or an agent meets when something dies under him
_GONE: Final = (AssertionError, BaresipError, TimeoutError, OSError)
_COMPLAINT: Final = sound.tone(500, 3.0)
_ANSWER: Final = sound.tone(700, 2.0)


@dataclass
class Crowd:
    """Everybody outside the house."""

    lines: Lines
    phones: list[DeskPhone]
    chance: random.Random
    #: numbers whose owner heard that his message, or his booking, is kept
    spoke: set[str] = field(default_factory=set)
    booked: set[str] = field(default_factory=set)
    #: number -> seconds
    silences: dict[str, float] = field(default_factory=dict)
    calls: int = 0
    answered: int = 0
    _numbers: Any = field(default_factory=lambda: count(1))
    _stories: set[asyncio.Future[None]] = field(default_factory=set)
    _callers: dict[str, Caller] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _over: bool = False

    @property
    def told(self) -> int:
        """How many were told that what they said is kept."""
        return len(self.spoke) + len(self.booked)

    def begin(self, *, standing: int, listening: int) -> None:
        """So many calls are up from now on."""
        stories: list[Callable[[str], Awaitable[None]]] = [self._asks, self._speaks, self._books, self._walks]
        work = [self._again([self._stands]) for _ in range(standing)]
        work += [self._again(stories[at % len(stories) :] + stories) for at in range(listening)]
        work += [self._agent(phone) for phone in self.phones]
        self._tasks = [asyncio.create_task(each) for each in work]

    async def cut(self) -> None:
        """The exchange has died: nobody hears anything any more, and everybody hangs up and calls again."""
        for story in self._stories:
            story.cancel()
        for leg in self.lines.legs:
            with suppress(*_GONE):
                await leg.call.hangup()
            leg.ear.close()
        self.lines.legs.clear()

    async def end(self) -> None:
        """Nobody calls any more; who is in a call ends it."""
        self._over = True
        callers = self._tasks[: -len(self.phones)]
        async with asyncio.timeout(120):
            await asyncio.gather(*callers)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def broken(self) -> None:
        """Raises what somebody met that was nobody's death."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def _again(self, stories: list[Callable[[str], Awaitable[None]]]) -> None:
        at = 0
        while not self._over:
            number = f"1390{next(self._numbers):07}"
            story = asyncio.ensure_future(stories[at % len(stories)](number))
            self._stories.add(story)
            try:
                with suppress(*_GONE):
                    await asyncio.wait([story])
                    if not story.cancelled():
                        self.calls += 1
                        story.result()
            finally:
                story.cancel()
                self._stories.discard(story)
                await self._hangs_up(number)
            at += 1
            await asyncio.sleep(0.2)

    async def _stands(self, number: str) -> None:
        """Presses nothing, and goes after a while."""
        call = await RawCall.invite(self.lines.pbx.sip, from_user=number)
        try:
            if await call.final(within_s=5.0) != 200:
                return
            try:
                await call.ended(within_s=self.chance.uniform(5, 25))
            except TimeoutError:
                await call.hang_up(within_s=3.0)
        finally:
            call.close()

    async def _begins(self, number: str) -> Caller:
        caller = self._callers[number] = await self.lines.caller(number)
        await caller.dial("1860", within_s=10)
        return caller

    async def _hangs_up(self, number: str) -> None:
        """However far he came."""
        with suppress(*_GONE):
            caller = self._callers.pop(number, None)
            if caller is not None:
                await caller.leg.call.hangup()
                caller.leg.ear.close()

    async def _asks(self, number: str) -> None:
        """For a person; the agent speaks to him and ends the call, or he goes after a while."""
        caller = await self._begins(number)
        with suppress(*_GONE):
            await caller.hears("please-hold", within_s=15)
            await caller.press("1")
        with suppress(AssertionError):
            await caller.ended(within_s=self.chance.uniform(10, 25))
        self._listened(caller)
        await caller.hang_up()

    async def _walks(self, number: str) -> None:
        """Through the menu, key by key."""
        caller = await self._begins(number)
        with suppress(*_GONE):
            await caller.hears("please-hold", within_s=15)
            for key in ("4", "5", "*", "*"):
                await caller.press(key)
                with suppress(AssertionError):
                    await caller.ended(within_s=self.chance.uniform(1, 3))
        self._listened(caller)
        await caller.hang_up()

    async def _leaves_the_line(self, caller: Caller, key: str, prompt: str) -> None:
        """Asks for a person, and then for something else: by the key that is offered, or that the line takes."""
        await caller.hears("please-hold", within_s=15)
        await caller.press("1")
        for _ in range(3):
            with suppress(NotHeard):
                await caller.hears(prompt, within_s=8)
                return
            await caller.press(key)
        raise NotHeard(prompt)

    async def _speaks(self, number: str) -> None:
        """Leaves a message, and hears that it is kept."""
        caller = await self._begins(number)
        await self._leaves_the_line(caller, "1", "record-intro")
        await caller.hears("beep", within_s=30)
        self._listened(caller)
        await caller.says(_COMPLAINT)
        await caller.press("#")
        await caller.hears("record-review", within_s=15)
        await caller.press("#")
        await caller.hears("record-saved", within_s=15)
        self.spoke.add(number)
        await caller.hang_up()

    async def _books(self, number: str) -> None:
        """A callback, as soon as possible, and hears that it is booked."""
        caller = await self._begins(number)
        await self._leaves_the_line(caller, "2", "callback-read-back")
        await caller.hears("callback-number-choice", within_s=40)
        for prompt in ("callback-when", "callback-confirm"):
            await caller.press("1")
            await caller.hears(prompt, within_s=40)
        await caller.press("1")
        await caller.hears("callback-saved", within_s=15)
        self.booked.add(number)
        self._listened(caller)
        await caller.hang_up()

    def _listened(self, caller: Caller) -> None:
        if caller.leg.ear.count > RATE:
            self.silences[caller.number] = caller.leg.ear.longest_silence()

    async def _agent(self, phone: DeskPhone) -> None:
        """Takes some calls and lets others ring."""
        while True:
            with suppress(*_GONE):
                leg = await phone.rings(within_s=600)
                if self.chance.random() < 0.5:
                    await phone.answer()
                    self.answered += 1
                    await phone.says(_ANSWER)
                    await phone.hang_up()
                await leg.ended(within_s=30)
