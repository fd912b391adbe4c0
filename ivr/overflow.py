"""The overflow dialogue as a pure step function: nobody is free, or nobody is there (TL-06, TL-20). Pure.

    arrival  the caller asks for a person: an open callback first; all busy = the short offer, else the queue
    closed   nobody is there: record, callback, progress
    queue    he left the queue, by key or because his time was over

Silence always means: wait on. The last command of a step asks for exactly one input, or ends the dialogue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ivr import booking, message
from ivr.choice import Phase, State, Step, choice_menu, closed_menu, end, leave, place_words, prepend, told, wait
from ivr.model import Lang, Terms
from ivr.talk import (
    Ask,
    BookedAt,
    Callback,
    Did,
    Failed,
    FindCallback,
    Floor,
    Input,
    Kept,
    Keyed,
    ListWindows,
    LookAtFloor,
    Overflow,
    Recorded,
    Resume,
    Started,
    Tell,
    Windows,
    Wrong,
)

#: Seconds after the short offer: the same keys count in the queue, where he is sooner back in line.
OFFER_WAIT_S: Final = 0.4


def arrive(terms: Terms, ani: str, lang: Lang, handed: Overflow) -> State:
    """A caller whom the menus hand over."""
    return State(terms, handed.origin, ani, lang, handed.queue, handed.priority, handed.reason, handed.said)


def left_queue(
    terms: Terms, ani: str, lang: Lang, *, queue: str, priority: int, reason: str, key: str, timed_out: bool
) -> State:
    """A caller who has left the queue by a key, because his time there was over, or because it would not have him."""
    return State(terms, "queue", ani, lang, queue, priority, reason, key=key, timed_out=timed_out)


def other_time(terms: Terms, lang: Lang, *, number: str, queue: str, priority: int) -> State:
    """A customer who was called back and wants it at another time (TL-23)."""
    return State(terms, "queue", number, lang, queue, priority, "callback", number=number)


def step(state: State, given: Input) -> Step:
    """The next state and what to do, in order; raises `LookupError` for an input that was not asked for."""
    if state.phase is Phase.START and isinstance(given, Started):
        return _start(state)
    if isinstance(given, Keyed):
        keyed = _KEYS.get(state.phase)
        if keyed is not None:
            return keyed(state, given.keys)
    answered = _ANSWERS.get(state.phase)
    if answered is None or not isinstance(given, answered[1]):
        raise LookupError(f"{type(given).__name__} was not asked for in {state.phase}")
    return answered[0](state, given)


def _start(state: State) -> Step:
    if state.number:  # he is called back, and chooses another time
        return replace(state, phase=Phase.WINDOWS), (ListWindows(state.queue),)
    if state.origin == "arrival" and state.ani:
        return replace(state, phase=Phase.KNOWN, number=state.ani), (FindCallback(state.ani, patient=False),)
    return _look(state)


def _look(state: State) -> Step:
    return replace(state, phase=Phase.FLOOR), (LookAtFloor(state.queue),)


def _known(state: State, given: Input) -> Step:
    """A number with an open callback is told of it first (TL-22)."""
    if isinstance(given, Callback) and given.open is not None:
        return booking.exists(replace(state, open=given.open))
    return _look(state)


def _floor(state: State, floor: Input) -> Step:
    assert isinstance(floor, Floor), state.phase
    state = replace(state, may_record=floor.may_record)
    if state.origin == "closed":
        return prepend((told("closed", ""),), closed_menu(state, "closed-hours"))
    if state.origin == "arrival":
        return _offer(state, floor) if floor.all_busy else wait(state, state.said)
    if state.key:
        return _chosen(state, state.key)
    if state.timed_out and not floor.all_busy:
        return wait(state)
    return choice_menu(state)


def _offer(state: State, floor: Floor) -> Step:
    """Where he stands, and the short offer; whoever says nothing waits."""
    offer = ("overflow-offer",) if state.may_record else ("record-unavailable", "press-2")
    state = replace(state, phase=Phase.OFFER, asks=state.asks + 1)
    forecast = () if floor.wait_s is None or floor.wait_s < 0 else (_forecast(floor.wait_s, floor.place),)
    return state, (told("overflow", ""), *forecast, Ask((*place_words(floor), *offer), OFFER_WAIT_S))


def _forecast(wait_s: int, place: int | None) -> Tell:
    """What he is told, so that it can be held against what comes of it (TL-14)."""
    return Tell("CtiForecast", (("Seconds", str(wait_s)), ("Place", str(place or 0))))


def _chosen(state: State, key: str) -> Step:
    """1 and 2 mean the same in the short offer, in the queue and in the menu."""
    walked = (told("overflow", key or "silence"),)
    state = replace(state, key="")
    if key in {"1", "2"}:
        return prepend(walked, _taken(state, key))
    if state.phase is Phase.OFFER:
        return prepend(walked, wait(state))
    if key == "#":
        return prepend(walked, choice_menu(state))
    return prepend(walked, leave(state) if key in {"", "0", "3", "*"} else _wrong(state))


def _taken(state: State, key: str) -> Step:
    """Record or book; a full disk leaves the callback only (F12)."""
    if key == "2":
        return booking.start(state)
    if state.may_record:
        return message.start(state)
    return closed_menu(state) if state.origin == "closed" else choice_menu(state)


def _wrong(state: State) -> Step:
    state = replace(state, errors=state.errors + 1)
    if state.errors >= state.terms.tries:
        return leave(state, "invalid-key")
    return choice_menu(state, "invalid-key")


def _closed_key(state: State, key: str) -> Step:
    walked = (told("closed", key or "silence"),)
    if key in {"1", "2"}:
        return prepend(walked, _taken(state, key))
    if key == "3":
        return replace(state, phase=Phase.DONE), (*walked, Resume(state.terms.progress))
    if key == "#":
        return prepend(walked, closed_menu(state))
    state = replace(state, errors=state.errors + 1)
    answer = "invalid-key" if key else "no-input"
    if state.errors >= state.terms.tries:
        return prepend(walked, end(state, "hangup", answer, "goodbye"))
    return prepend(walked, closed_menu(state, answer))


_KEYS: Final[Mapping[Phase, Callable[[State, str], Step]]] = {
    Phase.OFFER: _chosen,
    Phase.CHOICE: _chosen,
    Phase.CLOSED: _closed_key,
    Phase.REVIEW: message.reviewed,
    Phase.EXISTS: booking.exists_key,
    Phase.NUMBER: booking.number_key,
    Phase.OTHER: booking.other_keyed,
    Phase.WHEN: booking.when_key,
    Phase.PICK: booking.pick_key,
    Phase.CONFIRM: booking.confirm_key,
}
_ANSWERS: Final[Mapping[Phase, tuple[Callable[[State, Input], Step], tuple[type[Input], ...]]]] = {
    Phase.KNOWN: (_known, (Callback, Wrong, Failed)),
    Phase.FLOOR: (_floor, (Floor,)),
    Phase.RECORD: (message.recorded, (Recorded, Failed)),
    Phase.KEEP: (message.kept, (Kept, Failed)),
    Phase.FIND: (booking.found, (Callback, Wrong, Failed)),
    Phase.CANCEL: (booking.cancelled, (Did, Failed)),
    Phase.TAKE_OVER: (booking.taken_over, (Did, Failed)),
    Phase.CHECK: (booking.checked, (Callback, Wrong, Failed)),
    Phase.WINDOWS: (booking.listed, (Windows, Failed)),
    Phase.BOOK: (booking.booked, (BookedAt, Failed)),
}
