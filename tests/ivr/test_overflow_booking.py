"""Overflow as a table: the callback and the grade (TL-08, TL-22)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr import survey
from ivr.choice import Phase, State, spoken
from ivr.ports import ASAP, Booked, OpenCallback
from ivr.talk import (
    Book,
    BookedAt,
    Callback,
    CancelCallback,
    CheckNumber,
    Command,
    Did,
    Failed,
    Finish,
    Input,
    Keyed,
    ListWindows,
    Reached,
    Started,
    TakeOver,
    Tell,
    Windows,
    Wrong,
)
from tests.ivr.fakes import shipped_tree
from tests.ivr.overflow_fakes import ASAP_WINDOW, BOOKED_BEFORE, WINDOWS
from tests.ivr.overflow_walks import ANI, BUSY, TERMS, arrival, last, left, said, walk

# -- the callback (TL-22) --------------------------------------------------------------------------------------------

NUMBER = ("callback-read-back", *spoken(ANI), "callback-number-choice")


@pytest.mark.req("TL-22")
def test_the_calling_number_as_soon_as_possible() -> None:
    _, done = walk(left("2"), BUSY, Callback(None), "1", Windows(WINDOWS), "1", "1", BookedAt(Booked("5", "w")))
    assert said(done) == [
        *("callback-intro", *NUMBER, "callback-when"),
        *("callback-time-is", "callback-window-asap", "callback-confirm"),
        *("callback-saved", "callback-time-is", "w", "goodbye"),
    ]
    assert [each for each in done if isinstance(each, ListWindows | Book)] == [
        ListWindows("complaint"),
        Book(ANI, "asap"),
    ]
    assert Reached("booked") in done
    finish = last(done, Finish)
    assert isinstance(finish, Finish)
    assert finish.action == "booked"


@pytest.mark.req("TL-22")
def test_another_number_and_a_window() -> None:
    inputs = (Callback(None), "2", "02588880001", Callback(None), "1", Windows(WINDOWS), "2", "3", "1")
    _, done = walk(left("2"), BUSY, *inputs)
    assert CheckNumber("02588880001") in done
    assert said(done)[-3:] == ["callback-time-is", "callback-window-tomorrow-morning", "callback-confirm"]
    assert done[-1] == Book("02588880001", "w2")
    assert "02588880001" not in str([each for each in done if isinstance(each, Tell)])


@pytest.mark.req("TL-22")
def test_a_withheld_or_odd_number_is_asked_for() -> None:
    _, done = walk(left("2", ani=""), BUSY)
    assert said(done) == ["callback-intro", "callback-other-number"]
    _, done = walk(left("2"), BUSY, Wrong())
    assert said(done) == ["callback-intro", "callback-other-number"]


@pytest.mark.req("TL-22")
def test_impossible_numbers_are_refused_three_times() -> None:
    state, done = walk(left("2", ani=""), BUSY, "110", Wrong(), "120", Wrong(), "1", Wrong())
    assert said(done)[-2:] == ["callback-failed", "place-kept"]
    assert state.phase is Phase.DONE
    assert not any(isinstance(each, Book) for each in done)


@pytest.mark.req("TL-22")
def test_no_times_at_all_means_as_soon_as_possible() -> None:
    _, done = walk(left("2"), BUSY, Callback(None), "1", Windows(()), "1")
    assert "callback-no-window" in said(done)
    assert done[-1] == Book(ANI, ASAP)


def test_only_as_soon_as_possible_is_not_asked_about() -> None:
    _, done = walk(left("2"), BUSY, Callback(None), "1", Windows((ASAP_WINDOW,)))
    assert said(done)[-3:] == ["callback-time-is", "callback-window-asap", "callback-confirm"]


def test_without_it_the_times_are_read_out_at_most_so_many() -> None:
    many = tuple(replace(WINDOWS[1], id=f"w{n}") for n in range(20))
    _, done = walk(left("2"), BUSY, Callback(None), "1", Windows(many))
    assert said(done)[-1] == f"press-{TERMS.max_windows}"
    _, done = walk(left("2"), BUSY, Callback(None), "1", Windows(many), "9")
    assert "invalid-key" in said(done), "a time that was not read out cannot be chosen"


@pytest.mark.req("TL-22")
@pytest.mark.parametrize(
    ("keys", "prompts"),
    [
        (("1", Windows(WINDOWS), "1", "2"), ["callback-when"]),
        (("1", Windows(WINDOWS), "1", "*"), ["place-kept"]),
        (("1", Windows(WINDOWS), "1", "", "", ""), ["no-input", "place-kept"]),
        (("1", Windows(WINDOWS), "*"), list(NUMBER)),
        (("1", Windows(WINDOWS), "2", "*"), ["callback-when"]),
        (("*",), ["place-kept"]),
        (("2", "*"), list(NUMBER)),
        (("1", Failed()), ["callback-failed", "place-kept"]),
        (("1", Windows(WINDOWS), "1", "1", Failed()), ["callback-failed", "place-kept"]),
    ],
)
def test_back_change_cancel_and_failure(keys: tuple[Input | str, ...], prompts: list[str]) -> None:
    state, done = walk(left("2"), BUSY, Callback(None), *keys)
    assert said(done)[-len(prompts) :] == prompts
    assert Reached("booked") not in done
    if prompts[-1] == "place-kept":
        assert state.phase is Phase.DONE
        assert done[-1] == Finish("queue", "complaint", 2, "complaint", "zh")


@pytest.mark.req("TL-22")
@pytest.mark.parametrize("state", [arrival(), left("2")])
def test_calling_again_takes_over_the_place(state: State) -> None:
    inputs: list[Input | str] = (
        [Callback(BOOKED_BEFORE)] if state.origin == "arrival" else [BUSY, Callback(BOOKED_BEFORE)]
    )
    _, done = walk(state, *inputs, "1", Did(done=True))
    assert said(done)[-2:] == ["callback-exists", "callback-taken-over"]
    finish = last(done, Finish)
    assert isinstance(finish, Finish)
    assert (finish.queue, finish.priority, finish.since) == ("complaint", 3, BOOKED_BEFORE.joined_at)
    routed = [dict(each.headers)["Reason"] for each in done if isinstance(each, Tell) and each.event == "CtiRouted"]
    assert routed == ["callback-taken-over"]
    assert shipped_tree().reason("callback-taken-over", "en") != "callback-taken-over"


@pytest.mark.req("TL-22")
def test_calling_again_keeps_or_cancels() -> None:
    _, kept = walk(arrival(), Callback(BOOKED_BEFORE), "3")
    assert said(kept) == ["callback-exists", "callback-kept", "goodbye"]
    assert not any(isinstance(each, CancelCallback | TakeOver) for each in kept)
    _, cancelled = walk(arrival(), Callback(BOOKED_BEFORE), "2", Did(done=True))
    assert CancelCallback("cb1") in cancelled
    assert said(cancelled) == ["callback-exists", "callback-cancelled", "to-complaint"]
    assert cancelled[-1] == Finish("queue", "complaint", 0, "complaint", "zh")


@pytest.mark.parametrize("answer", [Did(done=False), Failed()])
def test_a_booking_that_is_gone_costs_nobody_his_own_place(answer: Input) -> None:
    _, done = walk(arrival(), Callback(BOOKED_BEFORE), "1", answer)
    assert done[-1] == Finish("queue", "complaint", 0, "complaint", "zh")
    assert "callback-taken-over" not in said(done)


def test_silence_about_an_open_callback_waits_and_keeps_it() -> None:
    _, done = walk(arrival(), Callback(BOOKED_BEFORE), "")
    assert done[-1] == Finish("queue", "complaint", 0, "complaint", "zh")
    assert not any(isinstance(each, CancelCallback | TakeOver) for each in done)


def test_closed_there_is_no_place_to_take_over() -> None:
    _, done = walk(arrival("closed"), BUSY, "2", Callback(BOOKED_BEFORE), "1")
    assert said(done)[-2:] == ["callback-kept", "goodbye"]
    assert not any(isinstance(each, TakeOver) for each in done)


def test_an_open_callback_of_another_queue_is_joined_there() -> None:
    other = OpenCallback("cb2", "senior", BOOKED_BEFORE.joined_at, "callback-window-asap")
    _, done = walk(arrival(), Callback(other), "1", Did(done=True))
    finish = last(done, Finish)
    assert isinstance(finish, Finish)
    assert finish.queue == "senior"


# -- the grade (TL-08) -----------------------------------------------------------------------------------------------


def graded(*keys: str) -> list[Command]:
    state, done = survey.begin(TERMS.survey), list[Command]()
    inputs: list[Input] = [Started(), *map(Keyed, keys)]
    for given_ in inputs:
        state, commands = survey.step(state, given_)
        done += commands
    return done


@pytest.mark.req("TL-08")
@pytest.mark.parametrize(
    ("keys", "grade", "end"),
    [
        (("1",), "1", "survey-thanks"),
        (("4",), "4", "survey-sorry"),
        (("9", "5"), "5", "survey-sorry"),
        (("",), None, "goodbye"),
        (("9", "0"), None, "goodbye"),
        (("9", ""), None, "goodbye"),
    ],
)
def test_a_grade_and_none(keys: tuple[str, ...], grade: str | None, end: str) -> None:
    done = graded(*keys)
    grades = [dict(each.headers)["Grade"] for each in done if isinstance(each, Tell)]
    assert grades == ([grade] if grade else [])
    assert said(done)[-1] == end
    with pytest.raises(LookupError):
        graded(*keys, "1")
