"""The recorded complaint as a pure dialogue: record, listen, again, confirm (TL-21). Pure."""

from __future__ import annotations

from dataclasses import replace

from ivr.choice import Phase, State, Step, ask, choice_menu, closed_menu, end, prepend, spoken, told
from ivr.ports import HowRecorded
from ivr.talk import TAKE, Failed, Input, Keep, Kept, Reached, Record, Recorded, Say


def start(state: State) -> Step:
    """The words before the beep, the beep, and the caller."""
    intro = state.terms.intro.get(state.queue, "record-intro")
    return prepend((told("record", ""),), _record(state, intro))


def _record(state: State, *said: str) -> Step:
    state = replace(state, phase=Phase.RECORD, takes=state.takes + 1, errors=0)
    return state, (Say((*said, "beep")), Record(state.terms.limit_s, state.terms.silence_s))


def recorded(state: State, given: Input) -> Step:
    """What came of it: nothing (no disk), silence, too little, or a message."""
    if not isinstance(given, Recorded):
        state = replace(state, may_record=False)
        return prepend((told("record", "failed"),), _back(state, "record-failed"))
    state = replace(state, at_limit=given.at_limit)
    if given.speech_s < state.terms.speech_s:
        return _no_good(state, "silent", "record-silent")
    if given.seconds < state.terms.shortest_s:
        return _no_good(state, "short", "record-too-short")
    if state.takes >= state.terms.max_takes:
        return _keep(state)
    return review(replace(state, bad_takes=0), *(("record-limit",) if given.at_limit else ()))


def _no_good(state: State, why: str, said: str) -> Step:
    state = replace(state, bad_takes=state.bad_takes + 1)
    if state.bad_takes >= state.terms.record_tries:
        step = _back(replace(state, bad_takes=0), "record-failed")
    else:
        step = _record(state, said)
    return prepend((told("record", why),), step)


def _back(state: State, said: str) -> Step:
    """Nothing was recorded: the other choices are open."""
    state = replace(state, errors=0)
    return closed_menu(state, said) if state.origin == "closed" else choice_menu(state, said)


def review(state: State, *said: str) -> Step:
    """Listen, again, or confirm."""
    return ask(state, Phase.REVIEW, *said, "record-review")


def reviewed(state: State, key: str) -> Step:
    """Whoever says nothing more has said what he wanted: it is kept."""
    match key:
        case "1":
            return prepend((told("record", "1"),), ask(state, Phase.REVIEW, TAKE, "record-review"))
        case "2":
            return prepend((told("record", "2"),), _record(state))
        case "#":
            return _keep(state)
    state = replace(state, errors=state.errors + 1)
    if not key or state.errors >= state.terms.tries:
        return _keep(state, silent=True)
    return review(state, "invalid-key")


def _keep(state: State, *, silent: bool = False) -> Step:
    how: HowRecorded = "limit" if silent and state.at_limit else "confirmed"
    return replace(state, phase=Phase.KEEP), (Keep(how),)


def kept(state: State, given: Input) -> Step:
    """The number is read only when it is committed (N1); a message in the spool is accepted without one."""
    if isinstance(given, Failed):
        state = replace(state, may_record=False)
        return prepend((told("record", "failed"),), _back(state, "record-failed"))
    assert isinstance(given, Kept), state.phase
    reached = Reached("recorded"), told("record", "kept")
    if given.number is None:
        return prepend(reached, end(state, "recorded", "record-saved-plain", "goodbye"))
    number = spoken(given.number)
    said = "record-saved", *number, "order-number-repeat", *number, "record-saved-promise", "goodbye"
    return prepend(reached, end(state, "recorded", *said))
