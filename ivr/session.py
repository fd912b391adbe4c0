"""Walks one call through the entry menus: performs what the flow says, and never lets it wait in dead air."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import structlog

from ivr import agi, flow, talk
from ivr.agi import CallerHungUp
from ivr.connection import ALL_KEYS, AgiConnection
from ivr.model import Lang, Tree
from ivr.ports import CallerContext, CallerDirectory, OpeningHours, OrderProgress
from ivr.variables import CALL_ID_PATTERN

log = structlog.get_logger(__name__)

#: Seconds a look-up may take before the caller hears something, and again before the call goes on without (F07).
BUDGET_S: Final = 1.5
#: Length assumed of a prompt whose length nobody knows, seconds.
UNKNOWN_SECONDS: Final = 20.0

_ANI: Final = re.compile(r"[0-9+*#]{1,32}\Z")
_DNIS: Final = re.compile(r"[0-9]{1,20}\Z")
_CALL_ID: Final = re.compile(CALL_ID_PATTERN)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ports:
    """What the menus ask."""

    directory: CallerDirectory
    progress: OrderProgress
    hours: OpeningHours
    #: Aware UTC now.
    clock: Callable[[], datetime]


class EntryStep:
    """The `entry` step of every call."""

    def __init__(self, tree: Callable[[], Tree], ports: Ports, *, budget_s: float = BUDGET_S) -> None:
        self._tree = tree
        self._ports = ports
        self._budget_s = budget_s

    async def __call__(self, line: AgiConnection) -> None:
        """Walk the menus on the tree of this moment; raises `CallerHungUp` when the caller does."""
        walk = _Walk(line, self._tree(), self._ports, self._budget_s)
        try:
            await walk.run()
        finally:
            walk.close()


class _Walk:
    """One call's way through the menus."""

    def __init__(self, line: AgiConnection, tree: Tree, ports: Ports, budget_s: float) -> None:
        self._line = line
        self._tree = tree
        self._ports = ports
        self._budget_s = budget_s
        self._lang: Lang = tree.unknown_language
        self._look_up: asyncio.Task[CallerContext] | None = None
        self._log = log

    async def run(self) -> None:
        await self._line.arm(self._budget_s + 1)
        call_id = await self._line.variable("CTI_CALL_ID")
        self._log = log.bind(call_id=call_id if _CALL_ID.match(call_id) else "")
        ani, dnis = await self._line.variable("CTI_ANI"), await self._line.variable("CTI_DNIS")
        state = flow.begin(self._tree, ani if _ANI.match(ani) else "", dnis if _DNIS.match(dnis) else "")
        given: talk.Input | None = talk.Started()
        try:
            while given is not None:
                state, commands = flow.step(state, given)
                given = None
                for command in commands:
                    given = await self._perform(command)
        except CallerHungUp:
            self._log.info("ivr.hung_up", node=state.node, phase=state.phase.value)
            raise

    def close(self) -> None:
        """Give up what is still being looked up."""
        if self._look_up is not None:
            _abandon(self._look_up)

    async def _perform(self, command: talk.Command) -> talk.Input | None:
        match command:
            case talk.Ask():
                return await self._ask(command)
            case talk.AwaitCaller() | talk.Identify() | talk.FindOrder() | talk.FindOrders() | talk.CheckOpen():
                return await self._find(command)
            case talk.Say(prompts):
                for prompt in prompts:
                    await self._line.stream(_sound(prompt), self._seconds(prompt))
            case talk.SetLanguage(lang):
                self._lang = lang
                await self._line.set("CHANNEL(language)", lang)
                await self._line.set("CTI_LANG", lang)
            case talk.Tell(event, headers):
                await self._line.command(agi.user_event(event, dict(headers)))
            case talk.StartLookUp(ani, dnis):
                self._look_up = asyncio.create_task(self._ports.directory.look_up(ani, dnis))
            case talk.Finish():
                await self._finish(command)
        return None

    async def _finish(self, outcome: talk.Finish) -> None:
        await self._line.set("CTI_ACTION", outcome.action)
        await self._line.set("CTI_QUEUE", outcome.queue)
        await self._line.set("CTI_PRIORITY", str(outcome.priority))
        await self._line.set("CTI_REASON", outcome.reason)
        await self._line.set("CTI_LANG", outcome.lang)

    # -- keys --------------------------------------------------------------------------------------------------------

    def _seconds(self, prompt: str) -> float:
        return self._tree.seconds.get((prompt, self._lang), UNKNOWN_SECONDS)

    async def _ask(self, ask: talk.Ask) -> talk.Keyed:
        """Play and collect; a key during any of the sounds counts, and the last sound loses none in between."""
        keys = ""
        for prompt in ask.prompts[:-1]:
            keys = await self._line.stream(_sound(prompt), self._seconds(prompt), ALL_KEYS)
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

    async def _collect(self, prompt: str, ask: talk.Ask, room: int) -> tuple[str, bool]:
        """Keys until #, and whether the wait ran out instead."""
        command = agi.get_data(_sound(prompt), round(ask.wait_s * 1000), room, seconds=self._seconds(prompt))
        reply = await self._line.timed(command)
        return reply.result, reply.data == "timeout"

    # -- look-ups ----------------------------------------------------------------------------------------------------

    async def _find(
        self, command: talk.AwaitCaller | talk.Identify | talk.FindOrder | talk.FindOrders | talk.CheckOpen
    ) -> talk.Input:
        match command:
            case talk.AwaitCaller():
                assert self._look_up is not None, "the flow starts it"
                context = await self._within(self._look_up, "look_up")
                return talk.Failed() if context is None else talk.Caller(context)
            case talk.Identify(number):
                context = await self._ask_port(self._ports.directory.identify(number), "identify")
                return talk.Failed() if context is None else talk.Caller(context)
            case talk.FindOrder(serial):
                if not self._ports.progress.valid_serial(serial):
                    return talk.Wrong()
                found = await self._ask_port(_boxed(self._ports.progress.by_serial(serial)), "by_serial")
                return talk.Failed() if found is None else talk.Found(found[0])
            case talk.FindOrders(ani):
                orders = await self._ask_port(self._ports.progress.by_number(ani), "by_number")
                return talk.Failed() if orders is None else talk.Orders(tuple(orders))
            case talk.CheckOpen(queue):
                is_open = await self._ask_port(self._ports.hours.is_open(queue, self._ports.clock()), "is_open")
                return talk.Open(True if is_open is None else is_open)

    async def _ask_port(self, question: Coroutine[Any, Any, Result], name: str) -> Result | None:
        return await self._within(asyncio.create_task(question), name)

    async def _within(self, task: asyncio.Task[Result], name: str) -> Result | None:
        """The result within the budget, twice with "please hold" between; None when it fails or takes longer."""
        try:
            for please_hold in (True, False):
                await self._line.arm(self._budget_s + 1)
                await asyncio.wait({task}, timeout=self._budget_s)
                if task.done():
                    break
                if please_hold:
                    await self._line.stream(_sound("please-hold"), self._seconds("please-hold"))
        finally:
            if not task.done():
                _abandon(task)
        if not task.done() or task.cancelled():
            self._log.warning("ivr.look_up_slow", port=name)
            return None
        if error := task.exception():
            self._log.warning("ivr.look_up_failed", port=name, error=type(error).__name__)
            return None
        return task.result()


def _sound(prompt: str) -> str:
    """The prompt's name for Asterisk; the channel's language chooses the folder."""
    return f"hotline/{prompt}"


async def _boxed(question: Coroutine[Any, Any, Result]) -> tuple[Result]:
    """Tells "nothing found" from "no answer"."""
    return (await question,)


def _abandon(task: asyncio.Task[Any]) -> None:
    """Cancel, and hear of its end without a trace in the log."""
    task.cancel()
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
