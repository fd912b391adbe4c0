"""How many callers heard an announcement, and how many it was enough for (TL-26). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cti.calls.model import Outcome

#: the step of the menus at which announcements are heard; its keys are their prompts, then `heard` or a caller's key
NODE = "announcement"
#: what the ids of prompts that are announced begin with
PREFIX = "announcement-"


@dataclass(frozen=True, slots=True)
class Walk:
    """One call's way: when it came, how it ended, and (node, key) of each step."""

    entered_at: datetime
    outcome: Outcome | None
    steps: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Heard:
    """Callers of one announcement."""

    #: it began to be played to so many
    heard: int
    #: so many hung up and chose nothing after it, as `stats.Figures.announcement` counts them
    ended: int


def count(walks: Iterable[Walk], prompt: str, start: datetime, end: datetime) -> Heard:
    """Callers who came from `start` to before `end` and were played `prompt`.

    Who hears several announcements and hangs up has ended at each of them: which one was enough nobody can tell.
    """
    heard = ended = 0
    for walk in walks:
        if start <= walk.entered_at < end and (NODE, prompt) in walk.steps:
            heard += 1
            ended += walk.outcome is Outcome.SERVED_BY_IVR and walk.steps[-1][0] == NODE
    return Heard(heard, ended)
