"""Overflow as a table: the choice, closed hours, the recorded complaint (TL-06, TL-20, TL-21)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr import overflow
from ivr.choice import Phase, State, place_words, spoken
from ivr.talk import (
    TAKE,
    Ask,
    Callback,
    Failed,
    FindCallback,
    Finish,
    Floor,
    Input,
    Keep,
    Kept,
    Keyed,
    LookAtFloor,
    Reached,
    Record,
    Recorded,
    Resume,
    Say,
    Tell,
)
from tests.ivr.overflow_walks import ANI, BUSY, FREE, GOOD, NO_DISK, TERMS, arrival, last, left, path, said, walk

# -- the choice (TL-20) ----------------------------------------------------------------------------------------------


@pytest.mark.req("TL-20")
def test_with_somebody_idle_the_caller_goes_straight_to_the_queue() -> None:
    _, done = walk(arrival(), Callback(None), FREE)
    assert done[-2:] == [Say(("to-complaint",)), Finish("queue", "complaint", 0, "complaint", "zh")]


@pytest.mark.req("TL-14", "TL-20")
def test_all_busy_at_arrival_place_wait_and_the_short_offer() -> None:
    _, done = walk(arrival(), Callback(None), BUSY)
    ask = last(done, Ask)
    assert isinstance(ask, Ask)
    assert ask.prompts == ("queue-ahead-1", "wait-3", "overflow-offer")
    assert ask.wait_s < 1, "the same keys count in the queue"


@pytest.mark.req("TL-20")
@pytest.mark.parametrize("key", ["", "3", "0", "*", "#", "7"])
def test_whoever_chooses_neither_waits(key: str) -> None:
    state, done = walk(arrival(), Callback(None), BUSY, key)
    assert state.phase is Phase.DONE
    assert done[-1] == Finish("queue", "complaint", 0, "complaint", "zh")


@pytest.mark.req("TL-20")
@pytest.mark.parametrize("key", ["", "3", "0", "*"])
def test_in_the_menu_silence_and_three_keep_the_place(key: str) -> None:
    _, done = walk(left(), BUSY, key)
    assert said(done) == ["overflow-menu", "place-kept"]
    assert done[-1] == Finish("queue", "complaint", 2, "complaint", "zh")


@pytest.mark.req("TL-20")
def test_the_time_in_the_queue_over_but_somebody_idle_is_not_heard_of() -> None:
    _, done = walk(left(), FREE)
    assert done == [LookAtFloor("complaint"), Finish("queue", "complaint", 2, "complaint", "zh")]


def test_a_queue_that_would_not_have_him_is_no_reason_to_go_straight_back() -> None:
    _, done = walk(left(timed_out=False), FREE)
    assert said(done) == ["overflow-menu"]


def test_wrong_keys_are_answered_then_the_caller_waits() -> None:
    _, done = walk(left(), BUSY, "7", "#", "8", "9")
    assert said(done)[-2:] == ["invalid-key", "place-kept"]
    assert said(done).count("overflow-menu") == 4
    assert path(done) == [("overflow", "7"), ("overflow", "#"), ("overflow", "8"), ("overflow", "9")]


@pytest.mark.req("TL-20")
@pytest.mark.parametrize("floor", [BUSY, FREE])
def test_a_key_pressed_while_waiting_counts_whatever_the_floor(floor: Floor) -> None:
    _, done = walk(left("1"), floor)
    assert isinstance(done[-1], Record)
    _, done = walk(left("2"), floor)
    assert done[-1] == FindCallback(ANI)


@pytest.mark.req("F12")
@pytest.mark.parametrize("state", [left("1"), left(), arrival("closed")])
def test_without_disk_only_the_callback_is_offered(state: State) -> None:
    _, done = walk(state, NO_DISK)
    assert "record-unavailable" in said(done)
    _, done = walk(state, NO_DISK, "1")
    assert not any(isinstance(each, Record) for each in done)
    _, done = walk(state, NO_DISK, "2")
    assert isinstance(done[-1], FindCallback)


# -- outside opening hours (TL-06) -----------------------------------------------------------------------------------


@pytest.mark.req("TL-06")
def test_closed_record_callback_progress() -> None:
    _, done = walk(arrival("closed"), BUSY)
    assert said(done) == ["closed-hours", "closed-menu"]
    assert isinstance(walk(arrival("closed"), BUSY, "1")[1][-1], Record)
    assert walk(arrival("closed"), BUSY, "2")[1][-1] == FindCallback(ANI)
    assert walk(arrival("closed"), BUSY, "3")[1][-1] == Resume("progress")


@pytest.mark.req("TL-06")
def test_closed_and_silent_ends_with_a_word() -> None:
    _, done = walk(arrival("closed"), BUSY, "", "", "")
    assert said(done)[-2:] == ["no-input", "goodbye"]
    assert done[-1] == Finish("hangup", "", 0, "closed", "zh")


def test_closed_nothing_leads_into_a_queue() -> None:
    for keys in ("2*", "7", "0", "*"):
        inputs: list[Input | str] = [BUSY, keys[0]]
        if keys[0] == "2":
            inputs += [Callback(None), "*"]
        _, done = walk(arrival("closed"), *inputs)
        assert said(done)[-1] == "closed-menu"


# -- the recorded complaint (TL-21) ----------------------------------------------------------------------------------


@pytest.mark.req("TL-21")
def test_record_listen_again_confirm() -> None:
    _, done = walk(left("1"), BUSY, GOOD, "1", "2", GOOD, "#", Kept("260310017"))
    number = spoken("260310017")
    assert said(done) == [
        *("record-intro", "beep", "record-review", TAKE, "record-review", "beep", "record-review"),
        *("record-saved", *number, "order-number-repeat", *number, "record-saved-promise", "goodbye"),
    ]
    assert [each for each in done if isinstance(each, Keep)] == [Keep("confirmed")]
    assert done.index(Reached("recorded")) < done.index(Tell("CtiStep", (("Node", "record"), ("Key", "kept"))))
    finish = last(done, Finish)
    assert isinstance(finish, Finish)
    assert finish.action == "recorded"


@pytest.mark.req("TL-21", "N1")
def test_the_number_is_spoken_only_after_it_is_kept() -> None:
    _, before = walk(left("1"), BUSY, GOOD, "#")
    assert isinstance(before[-1], Keep)
    assert "record-saved" not in said(before)
    _, plain = walk(left("1"), BUSY, GOOD, "#", Kept(None))
    assert said(plain)[-2:] == ["record-saved-plain", "goodbye"]


@pytest.mark.req("TL-21")
@pytest.mark.parametrize(
    ("take", "prompt", "key"),
    [(Recorded(5.0, 0.1), "record-silent", "silent"), (Recorded(1.2, 1.0), "record-too-short", "short")],
)
def test_silent_and_short_are_recorded_again_three_times(take: Recorded, prompt: str, key: str) -> None:
    state, done = walk(left("1"), BUSY, take)
    assert said(done)[-2:] == [prompt, "beep"]
    assert path(done)[-1] == ("record", key)
    _, done = walk(left("1"), BUSY, take, take, take)
    assert said(done)[-2:] == ["record-failed", "overflow-menu"]
    assert state.takes == 2


@pytest.mark.req("TL-21")
def test_silence_after_the_message_keeps_it() -> None:
    _, done = walk(left("1"), BUSY, GOOD, "")
    assert done[-1] == Keep("confirmed")
    _, done = walk(left("1"), BUSY, replace(GOOD, at_limit=True), "")
    assert "record-limit" in said(done)
    assert done[-1] == Keep("limit")


def test_whoever_records_again_for_ever_has_his_last_one_kept() -> None:
    inputs: list[Input | str] = [BUSY]
    for _ in range(TERMS.max_takes - 1):
        inputs += [GOOD, "2"]
    _, done = walk(left("1"), *inputs, GOOD)
    assert done[-1] == Keep("confirmed")


@pytest.mark.req("F12")
@pytest.mark.parametrize("inputs", [(Failed(),), (GOOD, "#", Failed())])
def test_a_disk_that_fails_leaves_the_callback(inputs: tuple[Input | str, ...]) -> None:
    state, done = walk(left("1"), BUSY, *inputs)
    assert said(done)[-4:] == ["record-failed", "all-busy", "record-unavailable", "press-2"]
    assert not state.may_record
    assert Reached("recorded") not in done


def test_a_suggestion_is_asked_for_as_one() -> None:
    _, done = walk(arrival(queue="suggestion"), Callback(None), BUSY, "1")
    assert said(done)[-2:] == ["record-intro-suggestion", "beep"]


def test_an_answer_nobody_asked_for_is_an_error() -> None:
    for state in (arrival(), replace(left(), phase=Phase.DONE)):
        with pytest.raises(LookupError):
            overflow.step(state, Kept("1"))
        with pytest.raises(LookupError):
            overflow.step(state, Keyed("1"))


@pytest.mark.parametrize(
    ("place", "wait_s", "words"),
    [
        (None, None, ("all-busy",)),
        (1, 0, ("queue-next", "wait-under-1")),
        (2, 59, ("queue-ahead-1", "wait-under-1")),
        (11, 60, ("queue-ahead-10", "wait-1")),
        (12, 629, ("queue-ahead-many", "wait-10")),
        (3, 631, ("queue-ahead-2", "wait-more")),
        (None, 120, ("wait-2",)),
        (0, -5, ("all-busy",)),
    ],
)
@pytest.mark.req("TL-14")
def test_place_and_wait_in_words(place: int | None, wait_s: int | None, words: tuple[str, ...]) -> None:
    assert place_words(Floor(True, place, wait_s, may_record=True)) == words


def test_numbers_are_spoken_in_groups() -> None:
    assert spoken("13800001111").count("silence") == 2
    assert spoken("+8610") == ("digit-8", "digit-6", "silence", "digit-1", "digit-0")
