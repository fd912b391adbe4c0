"""The customer who is called first takes the call by key, puts it off or declines it (TL-23). Pure.

A voicemail presses no key: silence is no confirmation, and the attempt counts as missed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ivr.choice import told
from ivr.model import Lang, Terms
from ivr.talk import (
    Ask,
    Command,
    ConfirmCallback,
    DeclineCallback,
    Did,
    Failed,
    Finish,
    Input,
    Keyed,
    PostponeCallback,
    Say,
    Started,
)

#: What the finish says when another time is to be booked; the driver goes on with the dialogue of booking.
POSTPONED: Final = "postponed"


class Phase(StrEnum):
    START = "start"
    ASK = "ask"
    CONFIRM = "confirm"
    POSTPONE = "postpone"
    DECLINE = "decline"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class State:
    """Where the customer is."""

    terms: Terms
    lang: Lang
    queue: str
    priority: int
    reason: str
    phase: Phase = Phase.START
    #: Wrong keys and silences.
    errors: int = 0


Step = tuple[State, tuple[Command, ...]]


def begin(terms: Terms, lang: Lang, *, queue: str, priority: int, reason: str) -> State:
    """He has answered his telephone."""
    return State(terms, lang, queue, priority, reason)


def step(state: State, given: Input) -> Step:
    """Ask, twice at most; raises `LookupError` for an input that was not asked for."""
    match given:
        case Started() if state.phase is Phase.START:
            return _ask(state)
        case Keyed(key) if state.phase is Phase.ASK:
            return _keyed(state, key)
        case Did() | Failed() if state.phase in _DONE:
            done = isinstance(given, Did) and given.done
            return _DONE[state.phase](replace(state, phase=Phase.DONE), done)
    raise LookupError(f"{type(given).__name__} was not asked for in {state.phase}")


def _ask(state: State, *said: str) -> Step:
    return replace(state, phase=Phase.ASK), (Ask((*said, "callback-call-press-one"), state.terms.wait_s),)


def _keyed(state: State, key: str) -> Step:
    walked = told("callback", key or "silence")
    match key:
        case "1":
            return replace(state, phase=Phase.CONFIRM), (walked, ConfirmCallback())
        case "2":
            return replace(state, phase=Phase.POSTPONE), (walked, PostponeCallback())
        case "3":
            return replace(state, phase=Phase.DECLINE), (walked, DeclineCallback())
    errors = state.errors + 1
    if errors >= min(state.terms.tries, 2):
        return _end(replace(state, phase=Phase.DONE), "goodbye")
    state, commands = _ask(replace(state, errors=errors), *(("invalid-key",) if key else ()))
    return state, (walked, *commands)


def _confirmed(state: State, done: bool) -> Step:
    """Into the queue, in the place of his booking; one that is no longer open ends the call."""
    if not done:
        return _end(state, "technical-sorry")
    return state, (Finish("queue", state.queue, state.priority, state.reason, state.lang),)


def _postponed(state: State, done: bool) -> Step:
    return _end(state, "technical-sorry") if not done else (state, (_finish(state, POSTPONED),))


def _declined(state: State, done: bool) -> Step:
    return _end(state, "callback-cancelled" if done else "technical-sorry", "goodbye")


def _end(state: State, *said: str) -> Step:
    return state, (Say(said), _finish(state, "hangup"))


def _finish(state: State, action: str) -> Finish:
    return Finish(action, "", 0, state.reason, state.lang)


_DONE: Final[Mapping[Phase, Callable[[State, bool], Step]]] = {
    Phase.CONFIRM: _confirmed,
    Phase.POSTPONE: _postponed,
    Phase.DECLINE: _declined,
}
