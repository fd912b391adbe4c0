"""The grade by key after the talk as a pure step function (TL-08, SV-05): no answer is no grade. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ivr.model import Survey
from ivr.talk import Ask, Command, Input, Keyed, Say, Started, Tell


@dataclass(frozen=True, slots=True)
class State:
    terms: Survey
    #: Wrong keys so far.
    errors: int = 0
    done: bool = False


Step = tuple[State, tuple[Command, ...]]


def begin(terms: Survey) -> State:
    """The agent has hung up."""
    return State(terms)


def step(state: State, given: Input) -> Step:
    """Ask once; a wrong key is answered, silence ends it. Raises `LookupError` for an input that was not asked for."""
    match given:
        case Started() if not state.done:
            return state, (Ask(("survey-ask",), state.terms.wait_s),)
        case Keyed(key) if not state.done:
            return _keyed(state, key)
    raise LookupError(f"{type(given).__name__} was not asked for")


def _keyed(state: State, key: str) -> Step:
    done = replace(state, done=True)
    if key in state.terms.answers:
        return done, (Tell("CtiGrade", (("Grade", key),)), Say((state.terms.answers[key],)))
    errors = state.errors + 1
    if not key or errors >= state.terms.tries:
        return done, (Say(("goodbye",)),)
    return replace(state, errors=errors), (Ask(("survey-invalid", "survey-ask-short"), state.terms.wait_s),)
