"""A hang-up at every command of every path through every dialogue, generated from the flows (TL-07, F14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ivr.server import FastAgiServer, Step
from ivr.session import EntryStep, Ports
from ivr.steps import OverflowStep, SurveyStep
from tests.ivr.fakes import KNOWN, NOW, SECRET, FakeDirectory, FakeHours, FakeOrders, header, shipped_tree
from tests.ivr.graph import ANNOUNCEMENT, KNOWN_ANI, WORLDS, World, menu_tables, nodes_walked, places
from tests.ivr.overflow_fakes import BOOKED_BEFORE, NOTHING, FakeAnnouncements, Overflowing, SpeakingCall
from tests.ivr.overflow_house import CALL, call


def test_every_table_of_the_menus_is_walked() -> None:
    assert menu_tables() | {"progress-serial", "service-number"} <= nodes_walked()


@asynccontextmanager
async def serving(house: Overflowing, world: World) -> AsyncIterator[FastAgiServer]:
    """The three steps on ports that say what the world says."""
    if world.existing:
        house.book.open[world.ani] = BOOKED_BEFORE
    ports = Ports(
        FakeDirectory({KNOWN_ANI: KNOWN}),
        FakeOrders({world.valid: world.order} if world.order else {}, {world.ani: list(world.orders)}),
        FakeHours(frozenset({"complaint", "suggestion", "senior", "manager"}) if world.closed else frozenset()),
        lambda: NOW,
        FakeAnnouncements((ANNOUNCEMENT,)) if world.announced else None,
        house.ports if world.overflows else None,
    )
    steps: dict[str, Step] = {
        "entry": EntryStep(shipped_tree, ports),
        "overflow": OverflowStep(shipped_tree, house.ports),
        "survey": SurveyStep(shipped_tree),
    }
    server = FastAgiServer("127.0.0.1", 0, SECRET, steps)
    await server.start()
    yield server
    await server.stop()


def caller(house: Overflowing, world: World, keys: list[str]) -> SpeakingCall:
    made = call(house, list(keys), says=[world.says] * 9, key=world.key, ani=world.ani)
    made.variables["CTI_DNIS"] = world.dnis
    return made


@pytest.mark.req("TL-07", "F14")
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
async def test_a_hang_up_at_every_command(tmp_path: Path, world: World) -> None:
    """Nothing said is lost, nothing is left open, nothing unconfirmed is booked, no error is logged.

    `HANGUP` comes by turns before and after the answer of the running command.
    """
    house = Overflowing(tmp_path)
    done: set[tuple[str, ...]] = set()
    calls = 0
    with capture_logs() as logs:
        async with serving(house, world) as server:
            for place in places(world):
                whole = caller(house, world, place.keys)
                await whole.run(server.port, header(f"{SECRET}/{world.step}"))
                for at in range(len(whole.lines)):
                    if tuple(whole.lines[: at + 1]) not in done:
                        done.add(tuple(whole.lines[: at + 1]))
                        calls += 1
                        await _hung_up_at(server, house, world, place.keys, at, answer_first=calls % 2 == 0)
            assert server.counts["failed"] == 0
            assert server.counts["hung_up"] == calls == len(done)
    assert {entry["log_level"] for entry in logs} <= {"info"}


async def _hung_up_at(
    server: FastAgiServer, house: Overflowing, world: World, keys: list[str], at: int, *, answer_first: bool
) -> None:
    for path in house.folder.iterdir():
        path.unlink()
    house.sink.taken.clear()
    house.book.booked.clear()
    made = caller(house, world, keys)
    made.hang_up_at, made.answer_first = at, answer_first
    await made.run(server.port, header(f"{SECRET}/{world.step}"))
    await server.idle()
    assert made.after_hang_up == [], made.lines[-1:]
    assert "CTI_DONE" not in made.variables
    spoke = "<record>" in made.heard and world.says != NOTHING
    waiting = {path.name.replace(".json", ".wav") for path in house.folder.glob("*.json")}
    assert len(waiting | set(house.sink.taken)) == (1 if spoke else 0), (keys, made.lines[-1:])
    assert {path.name for path in house.folder.glob("*.wav")} == waiting | set(house.sink.taken)
    assert not list(house.folder.glob("*.open")), "nothing is left open"
    assert all(name.startswith(CALL) for name in waiting)
    assert bool(house.book.booked) <= ("callback-confirm" in made.heard)
