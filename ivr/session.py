"""Walks one call through the entry menus: performs what the flow says, and never lets it wait in dead air."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ivr import flow, overflow, talk
from ivr.agi import CallerHungUp
from ivr.connection import AgiConnection
from ivr.model import Tree
from ivr.overwalk import OverflowPorts, OverflowWalk
from ivr.player import BUDGET_S, Player, abandon, boxed
from ivr.ports import Announcements, CallerContext, CallerDirectory, OpeningHours, OrderProgress


@dataclass(frozen=True, slots=True)
class Ports:
    """What the menus ask."""

    directory: CallerDirectory
    progress: OrderProgress
    hours: OpeningHours
    #: Aware UTC now.
    clock: Callable[[], datetime]
    #: None: nothing is announced.
    announcements: Announcements | None = None
    #: None: nobody is offered anything but waiting.
    overflow: OverflowPorts | None = None


class EntryStep:
    """The `entry` step of every call."""

    def __init__(self, tree: Callable[[], Tree], ports: Ports, *, budget_s: float = BUDGET_S) -> None:
        self._tree = tree
        self._ports = ports
        self._budget_s = budget_s

    async def __call__(self, line: AgiConnection) -> None:
        """Walk the menus on the tree of this moment; raises `CallerHungUp` when the caller does."""
        walk = _Walk(Player(line, self._tree(), self._budget_s), self._ports)
        try:
            await walk.run()
        finally:
            walk.close()


class _Walk:
    """One call's way through the menus."""

    def __init__(self, player: Player, ports: Ports) -> None:
        self._player = player
        self._ports = ports
        self._look_up: asyncio.Task[CallerContext] | None = None

    async def run(self) -> None:
        player, ports = self._player, self._ports
        await player.read()
        state = flow.begin(
            player.tree,
            player.ani,
            player.dnis,
            announces=ports.announcements is not None,
            overflows=ports.overflow is not None,
        )
        step = flow.step(state, talk.Started())
        while True:
            state, given = await self._walked(step)
            if isinstance(given, talk.Overflow):
                resumed = await self._overflow(state, given)
                if resumed is None:
                    return
                step = flow.resume(state, resumed.node)
            elif given is None:
                return
            else:
                step = flow.step(state, given)

    async def _walked(self, step: flow.Step) -> tuple[flow.State, talk.Input | talk.Overflow | None]:
        state, commands = step
        given: talk.Input | talk.Overflow | None = None
        try:
            for command in commands:
                given = await self._perform(command)
        except CallerHungUp:
            self._player.log.info("ivr.hung_up", node=state.node, phase=state.phase.value)
            raise
        return state, given

    async def _overflow(self, state: flow.State, handed: talk.Overflow) -> talk.Resume | None:
        """The other dialogue; where it sends the caller back to the menus, it says where."""
        ports = self._ports.overflow
        assert ports is not None, "the flow hands over only where it may"
        start = overflow.arrive(self._player.tree.terms, state.ani, state.lang, handed)
        walk = OverflowWalk(self._player, ports, start)
        outcome = await walk.run()
        if isinstance(outcome, talk.Resume):
            return outcome
        await walk.finish(outcome)
        return None

    def close(self) -> None:
        """Give up what is still being looked up."""
        if self._look_up is not None:
            abandon(self._look_up)

    async def _perform(self, command: talk.Command) -> talk.Input | talk.Overflow | None:
        match command:
            case talk.Ask():
                return await self._player.ask(command)
            case talk.AwaitCaller() | talk.Identify() | talk.FindOrder() | talk.FindOrders():
                return await self._find(command)
            case talk.CheckOpen(queue):
                hours = self._ports.hours.is_open(queue, self._ports.clock())
                is_open = await self._player.port(hours, "is_open")
                return talk.Open(True if is_open is None else is_open)
            case talk.AskAnnouncements(dnis):
                return await self._announced(dnis)
            case talk.Overflow():
                return command
            case talk.StartLookUp(ani, dnis):
                self._look_up = asyncio.create_task(self._ports.directory.look_up(ani, dnis))
            case talk.Finish():
                await self._player.finish(command)
            case _:
                await self._player.perform(command)
        return None

    async def _announced(self, dnis: str) -> talk.Announced:
        """What is announced now, of what can be played; nobody waits for it."""
        assert self._ports.announcements is not None, "the flow asks only where there are any"
        question = self._ports.announcements.current(dnis)
        prompts = await self._player.port(question, "announcements", patient=False)
        known = self._player.tree.seconds
        return talk.Announced(tuple(prompt for prompt in prompts or () if (prompt, self._player.lang) in known))

    async def _find(self, command: talk.AwaitCaller | talk.Identify | talk.FindOrder | talk.FindOrders) -> talk.Input:
        player, ports = self._player, self._ports
        match command:
            case talk.AwaitCaller():
                assert self._look_up is not None, "the flow starts it"
                context = await player.within(self._look_up, "look_up")
                return talk.Failed() if context is None else talk.Caller(context)
            case talk.Identify(number):
                context = await player.port(ports.directory.identify(number), "identify")
                return talk.Failed() if context is None else talk.Caller(context)
            case talk.FindOrder(serial):
                if not ports.progress.valid_serial(serial):
                    return talk.Wrong()
                found = await player.port(boxed(ports.progress.by_serial(serial)), "by_serial")
                return talk.Failed() if found is None else talk.Found(found[0])
            case talk.FindOrders(ani):
                orders = await player.port(ports.progress.by_number(ani), "by_number")
                return talk.Failed() if orders is None else talk.Orders(tuple(orders))
