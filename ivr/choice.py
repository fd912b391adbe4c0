"""What the overflow dialogues share: where a caller is, how he is asked, where he goes without a choice. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from ivr.model import Lang, Terms
from ivr.ports import OpenCallback, Window
from ivr.talk import Ask, Command, Finish, Floor, Origin, Say, Tell

#: Questions of one dialogue before the caller goes on without an answer.
MAX_ASKS: Final = 30


class Phase(StrEnum):
    START = "start"
    KNOWN = "known"
    FLOOR = "floor"
    OFFER = "offer"
    CHOICE = "choice"
    CLOSED = "closed"
    RECORD = "record"
    REVIEW = "review"
    KEEP = "keep"
    FIND = "find"
    EXISTS = "exists"
    CANCEL = "cancel"
    TAKE_OVER = "take-over"
    NUMBER = "number"
    OTHER = "other"
    CHECK = "check"
    WINDOWS = "windows"
    WHEN = "when"
    PICK = "pick"
    CONFIRM = "confirm"
    BOOK = "book"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class State:
    """Where a caller is in the overflow dialogue."""

    terms: Terms
    origin: Origin
    ani: str
    lang: Lang
    queue: str
    priority: int
    reason: str
    #: What is said before the queue when there is nothing to offer.
    said: str = ""
    #: Key by which he left the queue.
    key: str = ""
    #: He left because his time in the queue was over: with somebody idle he goes straight back.
    timed_out: bool = False
    phase: Phase = Phase.START
    may_record: bool = True
    #: Wrong keys and silences at this question.
    errors: int = 0
    asks: int = 0
    #: Recordings made, and how many of them in a row were no good.
    takes: int = 0
    bad_takes: int = 0
    at_limit: bool = False
    #: The number to call back.
    number: str = ""
    windows: tuple[Window, ...] = ()
    #: Id and prompt of the chosen time.
    window: tuple[str, str] = ("", "")
    open: OpenCallback | None = None


Step = tuple[State, tuple[Command, ...]]


def prepend(commands: tuple[Command, ...], result: Step) -> Step:
    """The same result, with these commands before it."""
    return result[0], (*commands, *result[1])


def told(node: str, key: str) -> Tell:
    """One step of the path, for AMI."""
    return Tell("CtiStep", (("Node", node), ("Key", key)))


def ask(state: State, phase: Phase, *prompts: str, max_keys: int = 1, wait_s: float | None = None) -> Step:
    """Ask; a caller who was asked too often goes on without an answer."""
    if state.asks >= MAX_ASKS:
        return give_up(state)
    state = replace(state, phase=phase, asks=state.asks + 1)
    return state, (Ask(prompts, state.terms.wait_s if wait_s is None else wait_s, max_keys),)


def retry(state: State, key: str, *prompts: str, max_keys: int = 1) -> Step:
    """A wrong key or silence: said so and asked again; after the last try the caller is left to what he had."""
    state = replace(state, errors=state.errors + 1)
    answer = "invalid-key" if key else "no-input"
    if state.errors >= state.terms.tries:
        return leave(replace(state, errors=0), answer)
    return ask(state, state.phase, answer, *prompts, max_keys=max_keys)


def leave(state: State, *said: str) -> Step:
    """Back to what he had: his place in the queue, or the menu of closed hours."""
    if state.origin == "closed":
        return closed_menu(state, *said)
    return wait(state, *said, "place-kept")


def wait(state: State, *said: str, since: datetime | None = None) -> Step:
    """Into the queue; the driver finds the place."""
    finish = Finish("queue", state.queue, state.priority, state.reason, state.lang, since)
    return replace(state, phase=Phase.DONE), (*((Say(said),) if said else ()), finish)


def end(state: State, action: str, *said: str) -> Step:
    """The call is over, with what the caller has got."""
    reason = "closed" if state.origin == "closed" else state.reason
    return replace(state, phase=Phase.DONE), (Say(said), Finish(action, "", 0, reason, state.lang))


def give_up(state: State) -> Step:
    """Asked too often, or nothing more to offer."""
    return end(state, "hangup", "goodbye") if state.origin == "closed" else wait(state, "place-kept")


def closed_menu(state: State, *said: str) -> Step:
    """Outside opening hours: record, callback, progress (TL-06); without the recorder as long as the disk is full."""
    unavailable = () if state.may_record else ("record-unavailable",)
    return ask(state, Phase.CLOSED, *said, *unavailable, "closed-menu")


def choice_menu(state: State, *said: str) -> Step:
    """All busy: record, callback, wait on (TL-20)."""
    if state.may_record:
        return ask(state, Phase.CHOICE, *said, "overflow-menu")
    return ask(state, Phase.CHOICE, *said, "all-busy", "record-unavailable", "press-2")


def place_words(floor: Floor) -> tuple[str, ...]:
    """Place and expected wait (TL-14), as far as they can be told; at least that all are busy."""
    words: list[str] = []
    if floor.place is not None and floor.place >= 1:
        ahead = floor.place - 1
        words.append("queue-next" if ahead == 0 else f"queue-ahead-{ahead}" if ahead <= 10 else "queue-ahead-many")
    if floor.wait_s is not None and floor.wait_s >= 0:
        minutes = round(floor.wait_s / 60)
        words.append("wait-under-1" if floor.wait_s < 60 else f"wait-{minutes}" if minutes <= 10 else "wait-more")
    return tuple(words) or ("all-busy",)


def spoken(digits: str) -> tuple[str, ...]:
    """A number digit by digit, in groups of three or four with a breath between."""
    if len(digits) == 11:
        groups = [digits[:3], digits[3:7], digits[7:]]
    else:
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    words: list[str] = []
    for group in groups:
        words += ["silence"] if words else []
        words += [f"digit-{digit}" for digit in group if digit in "0123456789"]
    return tuple(words)
