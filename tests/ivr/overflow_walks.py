"""The overflow dialogue walked by a list of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ivr import overflow
from ivr.choice import State
from ivr.talk import (
    Ask,
    Command,
    Floor,
    Input,
    Keyed,
    Overflow,
    Recorded,
    Say,
    Started,
    Tell,
)
from tests.ivr.fakes import shipped_tree

ANI = "13800001111"
BUSY = Floor(all_busy=True, place=2, wait_s=190, may_record=True)
FREE = replace(BUSY, all_busy=False)
NO_DISK = replace(BUSY, may_record=False)
GOOD = Recorded(4.0, 3.0)
TERMS = shipped_tree().terms


def arrival(origin: str = "arrival", ani: str = ANI, queue: str = "complaint") -> State:
    handed = Overflow("closed" if origin == "closed" else "arrival", queue, 0, "complaint", "to-complaint")
    return overflow.arrive(TERMS, ani, "zh", handed)


def left(key: str = "", *, timed_out: bool = True, ani: str = ANI) -> State:
    return overflow.left_queue(
        TERMS, ani, "zh", queue="complaint", priority=2, reason="complaint", key=key, timed_out=timed_out
    )


def walk(state: State, *inputs: Input | str) -> tuple[State, list[Command]]:
    """Everything that is done for these answers; a text is what is keyed."""
    done: list[Command] = []
    for given_ in (Started(), *(Keyed(each) if isinstance(each, str) else each for each in inputs)):
        state, commands = overflow.step(state, given_)
        done += commands
    return state, done


def said(commands: Sequence[Command]) -> list[str]:
    return [prompt for each in commands if isinstance(each, Say | Ask) for prompt in each.prompts]


def last(commands: Sequence[Command], kind: type[Command]) -> Command:
    assert isinstance(commands[-1], kind), commands[-1]
    return commands[-1]


def path(commands: Sequence[Command]) -> list[tuple[str, str]]:
    return [
        (dict(each.headers)["Node"], dict(each.headers)["Key"])
        for each in commands
        if isinstance(each, Tell) and each.event == "CtiStep"
    ]
