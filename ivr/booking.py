"""Booking a callback as a pure dialogue: number, time, confirmation; what becomes of an open one (TL-22). Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ivr.choice import Phase, State, Step, ask, end, leave, prepend, retry, spoken, told, wait
from ivr.ports import ASAP
from ivr.talk import (
    Book,
    BookedAt,
    Callback,
    CancelCallback,
    CheckNumber,
    Did,
    FindCallback,
    Input,
    ListWindows,
    Reached,
    TakeOver,
    Tell,
    Windows,
    Wrong,
)

#: Prompt of "as soon as possible".
ASAP_PROMPT: Final = "callback-window-asap"


def start(state: State) -> Step:
    """First the calling number, if there is one."""
    state = replace(state, errors=0)
    if not state.ani:
        return prepend((told("callback", ""),), _other(state, "callback-intro"))
    return replace(state, phase=Phase.FIND, number=state.ani), (told("callback", ""), FindCallback(state.ani))


def found(state: State, given: Input) -> Step:
    """Whether the calling number has a callback already, and whether it can be called at all."""
    match given:
        case Callback(None):
            return _number(state, "callback-intro")
        case Callback(open_one):
            return exists(replace(state, open=open_one))
        case Wrong():
            return _other(replace(state, number=""), "callback-intro")
    return leave(state, "callback-failed")


# -- one that is open ------------------------------------------------------------------------------------------------


def exists(state: State, *said: str) -> Step:
    """Take its place, cancel it, or keep it."""
    return ask(state, Phase.EXISTS, *said, "callback-exists")


def exists_key(state: State, key: str) -> Step:
    """Outside opening hours nobody is there to wait for: what is booked stays."""
    assert state.open is not None, state.phase
    match key:
        case "1" if state.origin != "closed":
            return replace(state, phase=Phase.TAKE_OVER), (TakeOver(state.open.id),)
        case "2":
            return replace(state, phase=Phase.CANCEL), (CancelCallback(state.open.id),)
        case "1" | "3":
            kept = Reached("booked"), told("callback", "kept")
            return prepend(kept, end(state, "booked", "callback-kept", "goodbye"))
        case "" | "0" if state.origin == "arrival":
            return prepend((told("callback", key or "silence"),), wait(state, state.said))
    return retry(state, key, "callback-exists")


def taken_over(state: State, given: Input) -> Step:
    """He waits in the place of the booking; when it is gone, in his own."""
    open_one = state.open
    if open_one is None or not (isinstance(given, Did) and given.done):
        return wait(state, state.said) if state.origin == "arrival" else leave(state)
    priority = max(state.priority, open_one.priority)
    state = replace(state, queue=open_one.queue, priority=priority, reason="callback-taken-over")
    routed = Tell(
        "CtiRouted",
        (("Queue", state.queue), ("Priority", str(priority)), ("Reason", state.reason), ("Lang", state.lang)),
    )
    commands = told("callback", "taken-over"), routed
    return prepend(commands, wait(state, "callback-taken-over", since=open_one.joined_at))


def cancelled(state: State, given: Input) -> Step:
    """He still wants what he called for."""
    done = isinstance(given, Did)
    said = "callback-cancelled" if done else "callback-kept"
    commands = (told("callback", "cancelled"),) if done else ()
    state = replace(state, open=None, errors=0)
    if state.origin == "arrival":
        return prepend(commands, wait(state, said, state.said))
    return prepend(commands, leave(state, said))


# -- the number ------------------------------------------------------------------------------------------------------


def _number(state: State, *said: str) -> Step:
    """The number that will be called, read back."""
    return ask(state, Phase.NUMBER, *said, "callback-read-back", *spoken(state.number), "callback-number-choice")


def number_key(state: State, key: str) -> Step:
    match key:
        case "1":
            return replace(state, phase=Phase.WINDOWS, errors=0), (ListWindows(state.queue),)
        case "2":
            return _other(replace(state, errors=0))
        case "*":
            return leave(state)
        case "#":
            return _number(state)
    return retry(state, key, "callback-read-back", *spoken(state.number), "callback-number-choice")


def _other(state: State, *said: str) -> Step:
    return ask(state, Phase.OTHER, *said, "callback-other-number", max_keys=state.terms.max_keys)


def other_keyed(state: State, keys: str) -> Step:
    """A number until #; * goes back. What was keyed is told to nobody."""
    if "*" in keys:
        return _number(replace(state, errors=0)) if state.number else leave(state)
    if not keys or keys == "#":
        return retry(state, "", "callback-other-number", max_keys=state.terms.max_keys)
    return replace(state, phase=Phase.CHECK, number=keys), (CheckNumber(keys),)


def checked(state: State, given: Input) -> Step:
    if isinstance(given, Callback):
        return _number(replace(state, errors=0))
    state = replace(state, number="", errors=state.errors + 1)
    if state.errors >= state.terms.tries:
        return leave(replace(state, errors=0), "callback-failed")
    return _other(state, "callback-bad-number")


# -- the time --------------------------------------------------------------------------------------------------------


def listed(state: State, given: Input) -> Step:
    """As soon as possible, or one of the times; when there are none it will be as soon as possible."""
    if not isinstance(given, Windows):
        return leave(state, "callback-failed")
    state = replace(state, windows=given.windows[: state.terms.max_windows])
    if not state.windows:
        return confirm(replace(state, window=(ASAP, ASAP_PROMPT)), "callback-no-window")
    return _when(state)


def _when(state: State, *said: str) -> Step:
    first = state.windows[0] if state.windows else None
    if first is None or first.prompt != ASAP_PROMPT:
        return _pick(state, *said) if first else _number(state, *said)
    if len(state.windows) == 1:
        return confirm(replace(state, window=(first.id, first.prompt)), *said)
    return ask(state, Phase.WHEN, *said, "callback-when")


def when_key(state: State, key: str) -> Step:
    match key:
        case "1":
            first = state.windows[0]
            return confirm(replace(state, window=(first.id, first.prompt)))
        case "2":
            return _pick(state)
        case "*":
            return _number(state)
        case "#":
            return _when(state)
    return retry(state, key, "callback-when")


def _times(state: State) -> tuple[str, ...]:
    return tuple(word for at, window in enumerate(state.windows, start=1) for word in (window.prompt, f"press-{at}"))


def _pick(state: State, *said: str) -> Step:
    return ask(replace(state, errors=0), Phase.PICK, *said, *_times(state))


def pick_key(state: State, key: str) -> Step:
    if key in {str(at) for at in range(1, len(state.windows) + 1)}:
        window = state.windows[int(key) - 1]
        return confirm(replace(state, window=(window.id, window.prompt)))
    if key == "*":
        return _when(state) if state.windows[0].prompt == ASAP_PROMPT else _number(state)
    if key == "#":
        return _pick(state)
    return retry(state, key, *_times(state))


# -- the confirmation ------------------------------------------------------------------------------------------------


def confirm(state: State, *said: str) -> Step:
    """The booking read back before it is made."""
    return ask(replace(state, errors=0), Phase.CONFIRM, *said, "callback-time-is", state.window[1], "callback-confirm")


def confirm_key(state: State, key: str) -> Step:
    match key:
        case "1":
            return replace(state, phase=Phase.BOOK), (Book(state.number, state.window[0]),)
        case "2":
            only_one = len(state.windows) < 2
            return _number(state) if only_one else _when(state)
        case "*":
            return prepend((told("callback", "*"),), leave(state))
        case "#":
            return confirm(state)
    return retry(state, key, "callback-time-is", state.window[1], "callback-confirm")


def booked(state: State, given: Input) -> Step:
    """Said only when it is committed (N1)."""
    if not isinstance(given, BookedAt):
        return prepend((told("callback", "failed"),), leave(state, "callback-failed"))
    reached = Reached("booked"), told("callback", "booked")
    return prepend(reached, end(state, "booked", "callback-saved", "callback-time-is", given.booked.window, "goodbye"))
