"""A hang-up at every command of every path through the menus, generated from the menus themselves (TL-07, F14)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from ivr.flow import Phase, State, begin, step
from ivr.model import Menu
from ivr.ports import Progress
from ivr.server import FastAgiServer
from ivr.session import EntryStep
from ivr.talk import (
    Ask,
    AwaitCaller,
    Caller,
    CheckOpen,
    Command,
    FindOrder,
    FindOrders,
    Finish,
    Found,
    Identify,
    Input,
    Keyed,
    Open,
    Orders,
    Started,
)
from tests.ivr.fakes import KNOWN, NOBODY, SECRET, FakeCall, FakeDirectory, FakeOrders, ports, shipped_tree

ANI, KNOWN_ANI = "13900009999", "13800001111"
VALID = "123456784"
ORDER = Progress(VALID, "SURVEY", "SURVEY", False, None)


def answers(command: Command, ani: str) -> list[tuple[Input, str | None]]:
    """What may follow a question, and the keys that bring it about (None: no keys are involved)."""
    if isinstance(command, Ask):
        choices = ("", *"0123456789*#") if command.max_keys == 1 else ("", "#", "0", "*", VALID + "#")
        return [(Keyed(keys.removesuffix("#") or keys), keys) for keys in choices]
    known = ani == KNOWN_ANI
    told: dict[type[Command], Input] = {
        AwaitCaller: Caller(KNOWN if known else NOBODY),
        Identify: Caller(NOBODY),
        FindOrder: Found(ORDER),
        FindOrders: Orders((ORDER,) if known else ()),
        CheckOpen: Open(True),
    }
    return [(told[type(command)], None)]


def place(state: State) -> tuple[object, ...]:
    return state.phase, state.node, state.lang, min(state.errors, 2), state.intent, state.identified, bool(state.heard)


def paths(ani: str, dnis: str) -> Iterator[tuple[list[str], State]]:
    """For every place of the menus a shortest list of keys that leads there."""
    seen: set[tuple[object, ...]] = set()
    ahead: list[tuple[State, Input, list[str]]] = [(begin(shipped_tree(), ani, dnis), Started(), [])]
    while ahead:
        state, given, keys = ahead.pop(0)
        state, commands = step(state, given)
        assert not any(asks(command) for command in commands[:-1]), "only the last command asks"
        if place(state) in seen:
            continue
        seen.add(place(state))
        yield keys, state
        if isinstance(commands[-1], Finish):
            assert state.phase is Phase.DONE
            continue
        for following, pressed in answers(commands[-1], ani):
            ahead.append((state, following, keys if pressed is None else [*keys, pressed]))


def asks(command: Command) -> bool:
    return isinstance(command, Ask | AwaitCaller | Identify | FindOrder | FindOrders | CheckOpen | Finish)


LINES = [("1860", KNOWN_ANI), ("1861", ANI), ("1899", "")]


def test_every_table_of_the_menus_is_walked() -> None:
    nodes = {state.node for dnis, ani in LINES for _, state in paths(ani, dnis)}
    looked_up_at_once = {name for name, node in shipped_tree().nodes.items() if not isinstance(node, Menu)}
    assert set(shipped_tree().nodes) - looked_up_at_once <= nodes
    assert {"progress-serial", "service-number"} <= nodes


@pytest.mark.req("TL-07")
@pytest.mark.parametrize(("dnis", "ani"), LINES)
async def test_a_hang_up_at_every_command(dnis: str, ani: str) -> None:
    """`HANGUP` comes by turns before and after the answer of the running command."""
    given = ports(FakeDirectory({KNOWN_ANI: KNOWN}), FakeOrders({VALID: ORDER}, {KNOWN_ANI: [ORDER]}))
    server = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": EntryStep(shipped_tree, given)})
    await server.start()
    variables = {"CTI_ANI": ani, "CTI_DNIS": dnis}
    calls = 0
    with capture_logs() as logs:
        done: set[tuple[str, ...]] = set()
        for keys, _ in paths(ani, dnis):
            whole = FakeCall(list(keys), dict(variables))
            await whole.run(server.port)
            for at in range(len(whole.lines)):
                if tuple(whole.lines[: at + 1]) in done:
                    continue
                done.add(tuple(whole.lines[: at + 1]))
                call = FakeCall(list(keys), dict(variables), hang_up_at=at, answer_first=calls % 2 == 0)
                await call.run(server.port)
                calls += 1
                assert call.after_hang_up == [], whole.lines[at]
                assert "CTI_DONE" not in call.variables
    async with asyncio.timeout(5):
        await server.stop()
    assert server.counts["failed"] == 0
    assert server.counts["hung_up"] == calls > len(shipped_tree().nodes) or dnis == "1899"
    assert {entry["log_level"] for entry in logs} <= {"info"}
