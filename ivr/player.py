"""What every step does on the line: say, ask, tell, and wait for an answer without letting the caller hear nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Final, TypeVar

import structlog

from ivr import agi, talk
from ivr.connection import ALL_KEYS, AgiConnection
from ivr.model import Lang, Tree
from ivr.takes import Takes
from ivr.variables import CALL_ID_PATTERN

#: Seconds a look-up may take before the caller hears something, and again before the call goes on without (F07): two
#: in a row, one at its end and the next at its beginning, and what a busy machine adds stay below the 3 s of N8.
BUDGET_S: Final = 1.0
#: Seconds a look-up may take that nobody waits for.
SHORT_S: Final = 0.5
#: Length assumed of a prompt whose length nobody knows, seconds.
UNKNOWN_SECONDS: Final = 20.0

_ANI: Final = re.compile(r"[0-9+*#]{1,32}\Z")
_DNIS: Final = re.compile(r"[0-9]{1,20}\Z")
_CALL_ID: Final = re.compile(CALL_ID_PATTERN)

log = structlog.get_logger(__name__)

Result = TypeVar("Result")


class Player:
    """One call's line, language and facts."""

    def __init__(self, line: AgiConnection, tree: Tree, budget_s: float) -> None:
        self.line = line
        self.tree = tree
        self.budget_s = budget_s
        self.lang: Lang = tree.unknown_language
        self.call_id = ""
        self.ani = ""
        self.dnis = ""
        self.log = log
        #: What the caller records, once he may.
        self.takes: Takes | None = None

    async def read(self) -> None:
        """The facts every step needs."""
        await self.line.arm(self.budget_s + 1)
        call_id = await self.line.variable("CTI_CALL_ID")
        self.call_id = call_id if _CALL_ID.match(call_id) else ""
        self.log = log.bind(call_id=self.call_id)
        ani, dnis = await self.line.variable("CTI_ANI"), await self.line.variable("CTI_DNIS")
        self.ani = ani if _ANI.match(ani) else ""
        self.dnis = dnis if _DNIS.match(dnis) else ""

    async def perform(self, command: talk.Command) -> None:
        """A command that has no answer; raises `LookupError` for one that has."""
        match command:
            case talk.Say(prompts):
                for prompt in prompts:
                    await self.line.stream(sound(prompt), self.seconds(prompt))
            case talk.SetLanguage(lang):
                self.lang = lang
                await self.line.set("CHANNEL(language)", lang)
                await self.line.set("CTI_LANG", lang)
            case talk.Tell(event, headers):
                await self.line.command(agi.user_event(event, dict(headers)))
                await self.line.command(agi.journal_event(event, dict(headers)))
            case talk.Reached(step):
                await self.line.set("CTI_STEP", step)
            case _:
                raise LookupError(f"{type(command).__name__} has an answer")

    async def finish(self, outcome: talk.Finish, place: int | None = None, joined_at: datetime | None = None) -> None:
        """What the dialplan does next; `place` in the queue and since when he waits, None = as the dialplan has it."""
        await self.line.set("CTI_ACTION", "queue" if outcome.action == "queue" else "hangup")
        await self.line.set("CTI_QUEUE", outcome.queue)
        await self.line.set("CTI_PRIORITY", str(outcome.priority))
        await self.line.set("CTI_REASON", outcome.reason)
        await self.line.set("CTI_LANG", outcome.lang)
        if place is not None:
            await self.line.set("CTI_PLACE", str(place))
        if joined_at is not None:
            await self.line.set("CTI_JOINED", str(int(joined_at.timestamp())))

    # -- keys --------------------------------------------------------------------------------------------------------

    def seconds(self, prompt: str) -> float:
        return self.tree.seconds.get((prompt, self.lang), UNKNOWN_SECONDS)

    async def ask(self, ask: talk.Ask) -> talk.Keyed:
        """Play and collect; a key during any of the sounds counts, and the last sound loses none in between."""
        keys = ""
        for prompt in ask.prompts[:-1]:
            keys = await self._stream(prompt)
            if keys:
                break
        if keys in {"#", "*"} or len(keys) == ask.max_keys:
            return talk.Keyed(keys)
        more, timed_out = await self._collect("silence" if keys else ask.prompts[-1], ask, ask.max_keys - len(keys))
        keys += more
        if timed_out and keys and keys not in "0*" and len(keys) < ask.max_keys:
            more, timed_out = await self._collect("silence", ask, ask.max_keys - len(keys))
            keys += more
        return talk.Keyed(keys if keys or timed_out else "#")

    async def _stream(self, prompt: str) -> str:
        if prompt != talk.TAKE:
            return await self.line.stream(sound(prompt), self.seconds(prompt), ALL_KEYS)
        assert self.takes is not None, "recorded before it is played"
        take = self.takes.last
        return await self.line.play_take(self.takes.path(take.message), take.sound.seconds, ALL_KEYS)

    async def _collect(self, prompt: str, ask: talk.Ask, room: int) -> tuple[str, bool]:
        """Keys until #, and whether the wait ran out instead."""
        command = agi.get_data(sound(prompt), round(ask.wait_s * 1000), room, seconds=self.seconds(prompt))
        reply = await self.line.timed(command)
        return reply.result, reply.data == "timeout"

    # -- answers -----------------------------------------------------------------------------------------------------

    async def port(self, question: Coroutine[Any, Any, Result], name: str, *, patient: bool = True) -> Result | None:
        """The answer of a port; None when it fails or takes too long."""
        return await self.within(asyncio.create_task(question), name, patient=patient)

    async def within(self, task: asyncio.Task[Result], name: str, *, patient: bool = True) -> Result | None:
        """The result within the budget, twice with "please hold" between; None when it fails or takes longer."""
        try:
            for please_hold in (True, False) if patient else (False,):
                seconds = self.budget_s if patient else min(SHORT_S, self.budget_s)
                await self.line.arm(self.budget_s + 1)
                await asyncio.wait({task}, timeout=seconds)
                if task.done():
                    break
                if please_hold:
                    await self.line.stream(sound("please-hold"), self.seconds("please-hold"))
        finally:
            if not task.done():
                abandon(task)
        if not task.done() or task.cancelled():
            self.log.warning("ivr.look_up_slow", port=name)
            return None
        if error := task.exception():
            self.log.warning("ivr.look_up_failed", port=name, error=type(error).__name__)
            return None
        return task.result()


def sound(prompt: str) -> str:
    """The prompt's name for Asterisk; the channel's language chooses the folder."""
    return f"hotline/{prompt}"


async def boxed(question: Coroutine[Any, Any, Result]) -> tuple[Result]:
    """Tells "nothing found" from "no answer"."""
    return (await question,)


def abandon(task: asyncio.Task[Any]) -> None:
    """Cancel, and hear of its end without a trace in the log."""
    task.cancel()
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
