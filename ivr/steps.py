"""The steps of a call after the menus: `overflow` when a queue was left unanswered, `survey` after the talk."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from ivr import overflow, survey, talk
from ivr.connection import AgiConnection
from ivr.model import LANGUAGES, Lang, Tree
from ivr.overwalk import OverflowPorts, OverflowWalk
from ivr.player import BUDGET_S, Player


async def _language(player: Player) -> Lang:
    lang = await player.line.variable("CTI_LANG")
    player.lang = lang if lang in LANGUAGES else player.tree.unknown_language
    return player.lang


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
            priority=int(priority) if priority.isdecimal() and len(priority) < 4 else 0,
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
