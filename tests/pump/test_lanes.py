"""Effects keep their order within a lane and never hold another lane."""

from __future__ import annotations

import asyncio

from cti.lanes import Lanes


class Hands:
    """Carries out items `lane:name`; holds those it was told to hold, fails those it was told to fail."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.held: dict[str, asyncio.Event] = {}
        self.failing: dict[str, int] = {}
        self.tries: list[str] = []
        self.two_done = asyncio.Event()

    async def perform(self, item: str) -> None:
        self.tries.append(item)
        if self.failing.get(item, 0) > 0:
            self.failing[item] -= 1
            raise OSError("not now")
        if item in self.held:
            await self.held[item].wait()
        self.done.append(item)
        if len(self.done) == 2:
            self.two_done.set()


def lane_of(item: str) -> str:
    return item.split(":", maxsplit=1)[0]


async def test_order_within_a_lane_and_none_between_lanes() -> None:
    hands = Hands()
    hands.held["a:1"] = asyncio.Event()
    lanes = Lanes(hands.perform, lane_of)
    lanes.put_all(["a:1", "a:2", "b:1", "a:3", "b:2"])
    await asyncio.wait_for(hands.two_done.wait(), 5)
    assert hands.done == ["b:1", "b:2"]
    assert lanes.waiting == 3
    hands.held["a:1"].set()
    await lanes.idle()
    assert hands.done == ["b:1", "b:2", "a:1", "a:2", "a:3"]
    assert (lanes.waiting, lanes.done, lanes.failed) == (0, 5, 0)


async def test_a_failure_is_counted_and_the_lane_goes_on() -> None:
    hands = Hands()
    hands.failing["a:1"] = 1
    lanes = Lanes(hands.perform, lane_of)
    lanes.put_all(["a:1", "a:2"])
    await lanes.idle()
    assert hands.done == ["a:2"]
    assert lanes.failed == 1


async def test_what_must_not_be_lost_is_tried_again_in_its_place() -> None:
    hands = Hands()
    hands.failing["a:1"] = 2
    lanes = Lanes(hands.perform, lane_of, keep_trying=lambda item: item == "a:1", pause_first_s=0.001)
    lanes.put_all(["a:1", "a:2"])
    await lanes.idle()
    assert hands.done == ["a:1", "a:2"]
    assert hands.tries == ["a:1"] * 3 + ["a:2"]


async def test_what_never_works_is_given_up() -> None:
    hands = Hands()
    hands.failing["a:1"] = 99
    lanes = Lanes(hands.perform, lane_of, keep_trying=lambda _: True, attempts=3, pause_first_s=0.001)
    lanes.put("a:1")
    await lanes.idle()
    assert hands.tries == ["a:1"] * 3
    assert lanes.failed == 1


async def test_an_effect_that_hangs_has_its_time() -> None:
    hands = Hands()
    hands.held["a:1"] = asyncio.Event()
    lanes = Lanes(hands.perform, lane_of, timeout_s=0.01)
    lanes.put_all(["a:1", "a:2"])
    await lanes.idle()
    assert hands.done == ["a:2"]


async def test_closing_stops_what_does_not_end() -> None:
    hands = Hands()
    hands.held["a:1"] = asyncio.Event()
    lanes = Lanes(hands.perform, lane_of)
    lanes.put_all(["a:1", "b:1"])
    await lanes.close(grace_s=0.05)
    assert hands.done == ["b:1"]
