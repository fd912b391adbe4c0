"""A customer who is called first takes the call by key, puts it off, declines it, or is a voicemail (TL-23)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from ivr import callback, talk
from ivr.server import FastAgiServer
from ivr.steps import CallbackStep
from tests.ivr.fakes import NOW, SECRET, shipped_tree
from tests.ivr.overflow_fakes import Overflowing
from tests.ivr.overflow_house import ANI, CALL, call, house, run

__all__ = ["house"]


@dataclass
class FakeCalled:
    """Writes down what the customer said."""

    said: list[tuple[str, str]] = field(default_factory=list)
    open: bool = True
    error: Exception | None = None

    async def _take(self, word: str, call_id: str) -> bool:
        if self.error is not None:
            raise self.error
        self.said.append((word, call_id))
        return self.open

    async def confirm(self, call_id: str) -> bool:
        return await self._take("confirm", call_id)

    async def decline(self, call_id: str) -> bool:
        return await self._take("decline", call_id)

    async def postpone(self, call_id: str) -> bool:
        return await self._take("postpone", call_id)


@pytest.fixture
def called() -> FakeCalled:
    return FakeCalled()


@pytest.fixture
async def server(house: Overflowing, called: FakeCalled) -> AsyncIterator[FastAgiServer]:
    step = CallbackStep(shipped_tree, called, house.ports, budget_s=0.2)
    made = FastAgiServer("127.0.0.1", 0, SECRET, {"callback": step})
    await made.start()
    yield made
    async with asyncio.timeout(5):
        await made.stop()


@pytest.mark.req("TL-23")
async def test_one_takes_the_call_in_the_place_of_the_booking(
    server: FastAgiServer, house: Overflowing, called: FakeCalled
) -> None:
    made = await run(server, call(house, ["1"]), "callback")
    assert made.heard[0] == "callback-call-press-one"
    assert called.said == [("confirm", CALL)]
    got = {name: made.variables[name] for name in ("CTI_ACTION", "CTI_QUEUE", "CTI_PRIORITY", "CTI_PLACE", "CTI_DONE")}
    assert got == {
        "CTI_ACTION": "queue", "CTI_QUEUE": "complaint", "CTI_PRIORITY": "2", "CTI_PLACE": "2", "CTI_DONE": "callback",
    }  # fmt: skip
    assert house.floor.since == [NOW - timedelta(minutes=4)]
    assert made.variables["CTI_JOINED"] == str(int((NOW - timedelta(minutes=4)).timestamp()))


@pytest.mark.req("TL-23")
@pytest.mark.parametrize("keys", [[], ["", ""], ["7", ""], ["#", "9"]])
async def test_no_key_is_no_confirmation(
    server: FastAgiServer, house: Overflowing, called: FakeCalled, keys: list[str]
) -> None:
    made = await run(server, call(house, keys), "callback")
    assert made.heard.count("callback-call-press-one") == 2
    assert made.heard[-1] == "goodbye"
    assert (called.said, made.variables["CTI_ACTION"]) == ([], "hangup")


@pytest.mark.req("TL-23")
async def test_a_wrong_key_is_said_so_and_the_next_one_counts(
    server: FastAgiServer, house: Overflowing, called: FakeCalled
) -> None:
    made = await run(server, call(house, ["8", "1"]), "callback")
    assert made.heard[:3] == ["callback-call-press-one", "invalid-key", "callback-call-press-one"]
    assert called.said == [("confirm", CALL)]
    assert made.steps == [("callback", "8"), ("callback", "1")]


@pytest.mark.req("TL-22", "TL-23")
async def test_three_declines(server: FastAgiServer, house: Overflowing, called: FakeCalled) -> None:
    made = await run(server, call(house, ["3"]), "callback")
    assert (called.said, made.heard[-2:]) == ([("decline", CALL)], ["callback-cancelled", "goodbye"])
    assert made.variables["CTI_ACTION"] == "hangup"


@pytest.mark.req("TL-22", "TL-23")
async def test_two_puts_it_off_and_books_another_time(
    server: FastAgiServer, house: Overflowing, called: FakeCalled
) -> None:
    made = await run(server, call(house, ["2", "2", "2", "1"]), "callback")
    assert called.said == [("postpone", CALL)]
    (booked,) = house.book.booked
    assert (booked["number"], booked["window"]) == (ANI, house.book.times[1].id)
    assert booked["joined_at"] == NOW - timedelta(minutes=4)
    assert "callback-saved" in made.heard
    assert made.variables["CTI_ACTION"] == "hangup"
    made = await run(server, call(house, ["2"]), "callback")  # and then says nothing: it stays, and he is not queued
    assert made.variables["CTI_ACTION"] == "hangup"


@pytest.mark.req("TL-23")
@pytest.mark.parametrize("key", ["1", "2", "3"])
@pytest.mark.parametrize("gone", [True, False])
async def test_what_is_no_longer_open_or_cannot_be_told_ends_the_call(
    server: FastAgiServer, house: Overflowing, called: FakeCalled, key: str, *, gone: bool
) -> None:
    called.open, called.error = not gone, None if gone else OSError("away")
    made = await run(server, call(house, [key]), "callback")
    assert (made.variables["CTI_ACTION"], made.variables["CTI_DONE"]) == ("hangup", "callback")
    assert "technical-sorry" in made.heard


def test_what_was_not_asked_for_is_refused() -> None:
    state = callback.begin(shipped_tree().terms, "zh", queue="complaint", priority=0, reason="callback")
    for given in (talk.Keyed("1"), talk.Did(True)):
        with pytest.raises(LookupError):
            callback.step(state, given)
