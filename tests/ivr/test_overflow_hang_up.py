"""A hang-up at every command of the overflow dialogue, generated from the flow (TL-07, F14)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from ivr import overflow
from ivr.choice import State
from ivr.ports import Booked
from ivr.server import FastAgiServer
from ivr.talk import (
    Ask,
    Book,
    BookedAt,
    Callback,
    CancelCallback,
    CheckNumber,
    Command,
    Did,
    FindCallback,
    Finish,
    Floor,
    Input,
    Keep,
    Kept,
    Keyed,
    ListWindows,
    LookAtFloor,
    Record,
    Recorded,
    Resume,
    Started,
    TakeOver,
    Windows,
)
from tests.ivr.fakes import shipped_tree
from tests.ivr.overflow_fakes import (
    BOOKED_BEFORE,
    SPEECH,
    WINDOWS,
    Overflowing,
)
from tests.ivr.overflow_house import ANI, call, house, run, server

__all__ = ["house", "server"]


# -- a hang-up at every command, from the flow itself (TL-07) --------------------------------------------------------

BUSY = Floor(all_busy=True, place=2, wait_s=190, may_record=True)


def answers(command: Command, keys: list[str]) -> list[tuple[Input, list[str]]]:
    """What may follow a question, and the keys that bring it about."""
    if isinstance(command, Ask):
        choices = ("", *"1239*#") if command.max_keys == 1 else ("", "*", "13900002222#")
        return [(Keyed(each.removesuffix("#") or each), [*keys, each]) for each in choices]
    told: dict[type[Command], Input] = {
        LookAtFloor: BUSY,
        Record: Recorded(4.0, 4.0),
        Keep: Kept("260310017"),
        FindCallback: Callback(None),
        CheckNumber: Callback(None),
        ListWindows: Windows(WINDOWS),
        Book: BookedAt(Booked("500000017", "callback-window-asap")),
        CancelCallback: Did(done=True),
        TakeOver: Did(done=True),
    }
    return [(told[type(command)], keys)]


def place(state: State) -> tuple[object, ...]:
    return state.phase, min(state.errors, 1), bool(state.takes), state.window, state.number, min(state.takes, 2)


def paths(existing: bool) -> Iterator[list[str]]:
    """For every place of the dialogue a shortest list of keys that leads there."""
    start = overflow.left_queue(
        shipped_tree().terms, ANI, "zh", queue="complaint", priority=2, reason="complaint", key="", timed_out=True
    )
    seen: set[tuple[object, ...]] = set()
    ahead: list[tuple[State, Input, list[str]]] = [(start, Started(), [])]
    while ahead:
        state, given, keys = ahead.pop(0)
        state, commands = overflow.step(state, given)
        if place(state) in seen:
            continue
        seen.add(place(state))
        yield keys
        if isinstance(commands[-1], Finish | Resume):
            continue
        for following, pressed in answers(commands[-1], keys):
            known = existing and isinstance(commands[-1], FindCallback)
            ahead.append((state, Callback(BOOKED_BEFORE) if known else following, pressed))


@pytest.mark.req("TL-07", "F14")
@pytest.mark.parametrize("existing", [False, True])
async def test_a_hang_up_at_every_command(server: FastAgiServer, house: Overflowing, *, existing: bool) -> None:
    """Nothing said is lost, nothing is left open, nothing unconfirmed is booked, no error is logged."""
    if existing:
        house.book.open[ANI] = BOOKED_BEFORE
    done: set[tuple[str, ...]] = set()
    calls = 0
    with capture_logs() as logs:
        for keys in paths(existing):
            whole = await run(server, call(house, list(keys), says=[SPEECH] * 6))
            for at in range(len(whole.lines)):
                if tuple(whole.lines[: at + 1]) in done:
                    continue
                done.add(tuple(whole.lines[: at + 1]))
                calls += 1
                await _hung_up_at(server, house, list(keys), at, calls)
    assert server.counts["failed"] == 0
    assert server.counts["hung_up"] == calls > 100
    assert {entry["log_level"] for entry in logs} <= {"info"}


async def _hung_up_at(server: FastAgiServer, house: Overflowing, keys: list[str], at: int, number: int) -> None:
    for path in house.folder.iterdir():
        path.unlink()
    house.sink.taken.clear()
    house.book.booked.clear()
    made = call(house, keys, says=[SPEECH] * 6)
    made.hang_up_at, made.answer_first = at, number % 2 == 0
    await run(server, made)
    await server.idle()
    spoke = made.heard.count("<record>") > 0
    assert len(house.sink.taken) == (1 if spoke else 0), (keys, made.lines[-1:])
    assert house.files() == set(house.sink.taken), "one message, and nothing that was not kept"
    assert bool(house.book.booked) <= ("callback-confirm" in made.heard)
    assert "CTI_DONE" not in made.variables
