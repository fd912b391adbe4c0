"""What holds on every path through the overflow dialogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import overflow
from ivr.choice import MAX_ASKS, State
from ivr.ports import Booked
from ivr.talk import (
    TAKE,
    Ask,
    Book,
    BookedAt,
    Callback,
    CancelCallback,
    CheckNumber,
    Command,
    Did,
    Failed,
    FindCallback,
    Finish,
    Input,
    Keep,
    Kept,
    Keyed,
    ListWindows,
    LookAtFloor,
    Reached,
    Record,
    Recorded,
    Resume,
    Started,
    TakeOver,
    Windows,
    Wrong,
)
from tests.ivr.fakes import shipped_tree
from tests.ivr.overflow_fakes import ASAP_WINDOW, BOOKED_BEFORE, WINDOWS
from tests.ivr.overflow_walks import BUSY, FREE, GOOD, NO_DISK, arrival, left, said

# -- on every path ---------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["", *"0123456789*#", "13900002222", "110#"]).map(
    lambda keys: Keyed(keys.removesuffix("#") or keys)
)
CALLBACKS: st.SearchStrategy[Input] = st.sampled_from([Callback(None), Callback(BOOKED_BEFORE), Wrong(), Failed()])
ANSWERS: dict[type[Command], st.SearchStrategy[Input]] = {
    Ask: KEYS,
    LookAtFloor: st.sampled_from([BUSY, FREE, NO_DISK, replace(BUSY, place=None, wait_s=None)]),
    Record: st.sampled_from(
        [GOOD, Recorded(5.0, 0.0), Recorded(1.0, 1.0), Recorded(180.0, 90.0, at_limit=True), Failed()]
    ),
    Keep: st.sampled_from([Kept("260310017"), Kept(None), Failed()]),
    FindCallback: CALLBACKS,
    CheckNumber: st.sampled_from([Callback(None), Wrong()]),
    ListWindows: st.sampled_from(
        [Windows(WINDOWS), Windows(()), Windows((ASAP_WINDOW,)), Windows(WINDOWS[1:]), Failed()]
    ),
    Book: st.sampled_from([BookedAt(Booked("500000017", "callback-window-asap")), Failed()]),
    CancelCallback: st.sampled_from([Did(done=True), Did(done=False), Failed()]),
    TakeOver: st.sampled_from([Did(done=True), Did(done=False), Failed()]),
}
STARTS: list[Callable[[], State]] = [
    arrival,
    lambda: arrival(ani=""),
    lambda: arrival("closed"),
    left,
    lambda: left("1"),
    lambda: left("2"),
    lambda: left("2", ani=""),
]


@pytest.mark.req("TL-20", "TL-21", "TL-22", "N8")
@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(STARTS))
def test_every_path_ends_and_keeps_its_promises(data: st.DataObject, start: Callable[[], State]) -> None:
    """Whatever is keyed and answered: one question at a time, an end, and nothing promised that was not kept."""
    state, given_, done = start(), Started(), list[Command]()
    answer: Input = given_
    for _ in range(MAX_ASKS * 4):
        state, commands = overflow.step(state, answer)
        asking = [each for each in commands if type(each) in ANSWERS]
        assert asking == list(commands[-1:]) or isinstance(commands[-1], Finish | Resume)
        done += commands
        if isinstance(commands[-1], Finish | Resume):
            break
        answer = data.draw(ANSWERS[type(commands[-1])])
    finish = done[-1]
    assert isinstance(finish, Finish | Resume), "the dialogue never ended"
    if isinstance(finish, Resume):
        assert state.origin == "closed"
        return
    assert state.origin != "closed" or finish.action != "queue", "nobody is there to wait for"
    assert (finish.action == "recorded") == (Reached("recorded") in done)
    assert (finish.action == "booked") == (Reached("booked") in done)
    assert ("callback-saved" in said(done)) <= any(isinstance(each, Book) for each in done)
    assert finish.action != "hangup" or state.origin == "closed", "a caller in line is never cut off"
    assert all(prompt == TAKE or (prompt, "zh") in shipped_tree().seconds for prompt in said(done))
