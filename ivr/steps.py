"""The steps of a call besides the menus: `overflow` when a queue was left unanswered, `survey` after the talk, and
`callback` when a customer who is called first has answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from ivr import callback, overflow, survey, talk
from ivr.connection import AgiConnection
from ivr.model import LANGUAGES, Lang, Tree
from ivr.overwalk import OverflowPorts, OverflowWalk
from ivr.player import BUDGET_S, Player
from ivr.ports import CalledBack


async def _language(player: Player) -> Lang:
    lang = await player.line.variable("CTI_LANG")
    player.lang = lang if lang in LANGUAGES else player.tree.unknown_language
    return player.lang


_PRIORITY: Final = re.compile(r"-?[0-9]{1,3}\Z")


def _priority(text: str) -> int:
    """The priority the menus gave; 0 for anything else."""
    return int(text) if _PRIORITY.match(text) else 0


_EPOCH: Final = re.compile(r"[0-9]{9,11}\Z")
#: What QUEUESTATUS is when only the time in the queue was over.
_TIMED_OUT: Final = "TIMEOUT"


class OverflowStep:
    """The `overflow` step: the caller has left the queue unanswered (TL-20)."""

    def __init__(self, tree: Callable[[], Tree], ports: OverflowPorts, *, budget_s: float = BUDGET_S) -> None:
        self._tree = tree
        self._ports = ports
        self._budget_s = budget_s

    async def __call__(self, line: AgiConnection) -> None:
        """Walk the dialogue on the terms of this moment; raises `CallerHungUp` when the caller does."""
        player = Player(line, self._tree(), self._budget_s)
        await player.read()
        lang = await _language(player)
        priority = await line.variable("CTI_PRIORITY")
        state = overflow.left_queue(
            player.tree.terms,
            player.ani,
            lang,
            queue=await line.variable("CTI_QUEUE"),
            priority=_priority(priority),
            reason=await line.variable("CTI_REASON"),
            key=await line.variable("CTI_KEY"),
            timed_out=await line.variable("QUEUESTATUS") == _TIMED_OUT,
        )
        joined = await line.variable("CTI_JOINED")
        joined_at = datetime.fromtimestamp(int(joined), UTC) if _EPOCH.match(joined) else None
        walk = OverflowWalk(player, self._ports, state, joined_at=joined_at)
        finish = await walk.run()
        assert isinstance(finish, talk.Finish), "only closed hours lead back to the menus"
        await walk.finish(finish)


class CallbackStep:
    """The `callback` step: a customer who was called first has answered (TL-23)."""

    def __init__(
        self, tree: Callable[[], Tree], called: CalledBack, ports: OverflowPorts, *, budget_s: float = BUDGET_S
    ) -> None:
        self._tree = tree
        self._called = called
        self._ports = ports
        self._budget_s = budget_s

    async def __call__(self, line: AgiConnection) -> None:
        """Ask for a key; raises `CallerHungUp` when he hangs up instead, which is no confirmation."""
        player = Player(line, self._tree(), self._budget_s)
        await player.read()
        lang = await _language(player)
        priority = await line.variable("CTI_PRIORITY")
        state = callback.begin(
            player.tree.terms,
            lang,
            queue=await line.variable("CTI_QUEUE"),
            priority=_priority(priority),
            reason=await line.variable("CTI_REASON"),
        )
        joined = await line.variable("CTI_JOINED")
        joined_at = datetime.fromtimestamp(int(joined), UTC) if _EPOCH.match(joined) else self._ports.clock()
        given: talk.Input | None = talk.Started()
        while given is not None:
            state, commands = callback.step(state, given)
            given = None
            for command in commands:
                if isinstance(command, talk.Finish):
                    await self._finish(player, state, command, joined_at)
                else:
                    given = await self._perform(player, command)

    async def _perform(self, player: Player, command: talk.Command) -> talk.Input | None:
        called, call_id = self._called, player.call_id
        match command:
            case talk.Ask():
                return await player.ask(command)
            case talk.ConfirmCallback():
                done = await player.port(called.confirm(call_id), "confirm")
            case talk.DeclineCallback():
                done = await player.port(called.decline(call_id), "decline")
            case talk.PostponeCallback():
                done = await player.port(called.postpone(call_id), "postpone")
            case _:
                await player.perform(command)
                return None
        return talk.Failed() if done is None else talk.Did(done)

    async def _finish(self, player: Player, state: callback.State, outcome: talk.Finish, joined_at: datetime) -> None:
        """Into the queue at the place of the booking, as it is at this moment; or the dialogue of another time."""
        if outcome.action == "queue":
            place = self._place(player, outcome, joined_at)
            await player.finish(outcome, place, joined_at)
            return
        if outcome.action == callback.POSTPONED:
            terms = player.tree.terms
            start = overflow.other_time(
                terms, state.lang, number=player.ani, queue=state.queue, priority=state.priority
            )
            await OverflowWalk(player, self._ports, start, joined_at=joined_at).run()
        await player.finish(replace(outcome, action="hangup"))

    def _place(self, player: Player, outcome: talk.Finish, joined_at: datetime) -> int | None:
        try:
            return self._ports.floor.place_since(outcome.queue, joined_at, outcome.priority)
        except Exception as error:
            player.log.warning("ivr.look_up_failed", port="place", error=type(error).__name__)
            return None


class SurveyStep:
    """The `survey` step: a grade by key after the talk (TL-08)."""

    def __init__(self, tree: Callable[[], Tree], *, budget_s: float = BUDGET_S) -> None:
        self._tree = tree
        self._budget_s = budget_s

    async def __call__(self, line: AgiConnection) -> None:
        """Ask for the grade; raises `CallerHungUp` when the caller hangs up instead, which is no grade."""
        player = Player(line, self._tree(), self._budget_s)
        await player.read()
        await _language(player)
        state = survey.begin(player.tree.terms.survey)
        given: talk.Input | None = talk.Started()
        while given is not None:
            state, commands = survey.step(state, given)
            given = None
            for command in commands:
                if isinstance(command, talk.Ask):
                    given = await player.ask(command)
                else:
                    await player.perform(command)
