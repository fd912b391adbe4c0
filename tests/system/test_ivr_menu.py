"""Real callers walk the menus of a real Asterisk: each key, early and wrong keys, silence, English, progress.

What they hear is found by correlation with the prompts; where they end up is shown by the agent's phone that rings.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from ivr.agi import HEADER_LIMIT
from ivr.connection import AgiConnection
from ivr.model import Menu, Tree
from ivr.ports import CallerContext, Progress
from ivr.server import FastAgiServer, Step
from ivr.session import EntryStep, Ports
from tests.ivr.fakes import KNOWN, FakeDirectory, FakeHours, FakeOrders, ports, shipped_tree
from tests.system.callers import Caller, Lines, NotHeard
from tests.system.conftest import Pbx
from tests.system.services import HeaderSpoilt

pytestmark = pytest.mark.system

ANI = "13800001111"
VALID, WRONG_BY_ONE = "123456784", "123456785"
ORDER = Progress(VALID, "IN_PROCESS", "IN_PROCESS", False, "1111")

Serve = Callable[..., Awaitable[FastAgiServer]]


@pytest.fixture
async def serve(pbx: Pbx) -> AsyncIterator[Serve]:
    """Starts the FastAGI server the exchange expects, with these ports and this tree."""
    async with AsyncExitStack() as stack:

        async def start(
            given: Ports | None = None,
            tree: Tree | None = None,
            step: Step | None = None,
            secret: str = pbx.secrets.agi,
            limit: int = HEADER_LIMIT,
        ) -> FastAgiServer:
            given = given or ports(FakeDirectory({ANI: KNOWN}), FakeOrders({VALID: ORDER}, {ANI: [ORDER]}))
            steps = {"entry": step or EntryStep(lambda: tree or shipped_tree(), given)}
            where = pbx.settings.agi_host, pbx.settings.agi_port
            server = FastAgiServer(*where, secret, steps, header_limit=limit)
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


async def dialled(lines: Lines, number: str = ANI, dnis: str = "1860", greeting: str = "greeting-1860") -> Caller:
    """A caller who has come as far as the greeting."""
    caller = await lines.caller(number)
    await caller.dial(dnis)
    language = "en" if dnis == "1861" else "zh"
    await caller.hears(greeting, within_s=20, language=language)
    return caller


async def walk(caller: Caller, keys: str, heard: list[str]) -> None:
    """Press each key as soon as the prompt before it is heard, and listen for the next."""
    for key, prompt in zip(keys, heard, strict=True):
        await caller.press(key)
        await caller.hears(prompt, within_s=8)


@pytest.mark.req("TL-01", "TL-02")
@pytest.mark.parametrize(
    "way",
    [("1", "to-complaint", "complaint"), ("2", "to-suggestion", "suggestion"), ("0", "to-person", "complaint")],
)
async def test_an_early_key_reaches_a_phone(pbx: Pbx, lines: Lines, serve: Serve, way: tuple[str, str, str]) -> None:
    key, said, queue = way
    server = await serve()
    phone = await lines.phone("1002")
    await pbx.add_member("1002", queue)
    caller = await dialled(lines)
    await walk(caller, key, [said])
    await phone.rings()
    await phone.answer()
    with pytest.raises(NotHeard):
        await caller.hears("menu-main", within_s=0, again=True)
    await phone.hang_up()
    assert server.counts == {"done": 1}


@pytest.mark.req("TL-02")
@pytest.mark.parametrize(
    ("keys", "heard"),
    [
        ("30", ["menu-progress", "to-person"]),
        ("310", ["menu-progress", "ask-order-number", "to-person"]),
        ("320", ["menu-progress", "one-order", "to-person"]),
        ("40", ["menu-standards", "to-person"]),
        ("430", ["menu-standards", "standard-complaint", "to-person"]),
        ("4#*450", ["menu-standards", "menu-standards", "menu-main", "menu-standards", "standard-answer", "to-person"]),
    ],
)
async def test_a_person_from_every_menu(lines: Lines, serve: Serve, keys: str, heard: list[str]) -> None:
    server = await serve()
    caller = await dialled(lines)
    await walk(caller, keys, heard)
    await caller.hang_up()
    await server.idle()
    assert server.counts["failed"] == 0


@pytest.mark.req("TL-02", "TL-72")
async def test_wrong_keys_are_answered_three_times_then_a_person(lines: Lines, serve: Serve) -> None:
    await serve()
    caller = await dialled(lines)
    await walk(caller, "777", ["invalid-key", "invalid-key", "invalid-key"])
    await caller.hears("to-person-after-errors")


@pytest.mark.req("TL-02")
async def test_silence_is_answered_three_times_then_a_person(lines: Lines, serve: Serve) -> None:
    """With a short prompt in place of the menu's, so that the silence is what takes time."""
    tree = shipped_tree()
    main = tree.nodes["main"]
    assert isinstance(main, Menu)
    short = replace(main, prompts=("please-hold",), again=("please-hold",))
    await serve(tree=replace(tree, nodes={**tree.nodes, "main": short}))
    caller = await dialled(lines)
    for _ in range(3):
        await caller.hears("no-input", within_s=15)
    await caller.hears("to-person-after-errors")


@pytest.mark.req("TL-01", "TL-02")
async def test_english_by_key_and_by_line(lines: Lines, serve: Serve) -> None:
    await serve()
    mandarin = await dialled(lines)
    await mandarin.press("9")
    await mandarin.hears("menu-main", within_s=15, language="en")
    await mandarin.press("1")
    await mandarin.hears("to-complaint", language="en")
    english = await dialled(lines, dnis="1861", greeting="greeting-1861")
    await english.press("0")
    await english.hears("to-person", language="en")


@pytest.mark.req("PX-03", "TL-02")
async def test_progress_by_order_number(lines: Lines, serve: Serve) -> None:
    await serve()
    caller = await dialled(lines)
    await walk(caller, "31", ["menu-progress", "ask-order-number"])
    await caller.press(WRONG_BY_ONE + "#")
    await caller.hears("order-number-wrong")
    await caller.press(VALID + "#")
    await caller.hears("state-in-process")
    await caller.hears("next-step-in-process")
    await walk(caller, "#", ["state-in-process"])
    await walk(caller, "*", ["menu-progress"])


@pytest.mark.req("TL-04", "TL-05", "G14")
async def test_a_withheld_number_is_asked_for_its_service_number(pbx: Pbx, lines: Lines, serve: Serve) -> None:
    vip = CallerContext("one", "c9", "major")
    await serve(ports(FakeDirectory(service_numbers={"02588880001": vip})))
    phone = await lines.phone("2001")
    await pbx.add_member("2001", "senior")
    caller = await dialled(lines, "anonymous")
    await walk(caller, "1", ["ask-service-number"])
    await caller.press("02588880001#")
    await caller.hears("to-senior")
    await phone.rings()


@pytest.mark.req("TL-01")
async def test_an_unknown_line_leads_to_a_person(lines: Lines, serve: Serve) -> None:
    await serve()
    caller = await dialled(lines, dnis="1899", greeting="greeting-default")
    await caller.hears("to-person")


async def test_closed_hours_are_said_and_the_call_ends(lines: Lines, serve: Serve) -> None:
    given = ports(FakeDirectory({ANI: KNOWN}), hours=FakeHours(frozenset({"complaint"})))
    await serve(given)
    caller = await dialled(lines)
    await walk(caller, "1", ["closed-hours"])
    await caller.hears("goodbye")
    await caller.ended()


@pytest.mark.req("TL-07")
async def test_a_hang_up_in_the_menu_is_clean(lines: Lines, serve: Serve) -> None:
    server = await serve()
    caller = await dialled(lines)
    await walk(caller, "4", ["menu-standards"])
    await caller.hang_up()
    await server.idle()
    assert server.counts == {"hung_up": 1}


async def test_a_directory_that_never_answers_keeps_no_caller_from_a_person(
    pbx: Pbx, lines: Lines, serve: Serve
) -> None:
    await serve(ports(FakeDirectory(gate=asyncio.Event())))
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    caller = await dialled(lines)
    await caller.press("1")
    await phone.rings(within_s=15)


@pytest.mark.parametrize("keys", ["", "3", "31", "4", "41"])
async def test_when_the_service_goes_the_caller_gets_a_person(pbx: Pbx, lines: Lines, serve: Serve, keys: str) -> None:
    """Its connections close in the middle of a step: within 3 s there is a prompt, then a phone rings."""
    server = await serve()
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    caller = await dialled(lines)
    prompts = {"3": "menu-progress", "31": "ask-order-number", "4": "menu-standards", "41": "standard-install"}
    await walk(caller, keys, [prompts[keys[: n + 1]] for n in range(len(keys))])
    await server.stop()
    await caller.hears("technical-hold", within_s=4)
    await phone.rings()


@pytest.mark.parametrize("fault", ["header_too_large", "wrong_secret"])
async def test_a_header_we_refuse_still_gets_its_caller_a_prompt(lines: Lines, serve: Serve, fault: str) -> None:
    """Asterisk's own header against a cap that is too small, and against another secret."""
    server = await (serve(secret="another") if fault == "wrong_secret" else serve(limit=300))
    caller = await lines.caller(ANI)
    await caller.dial("1860")
    await caller.hears("technical-hold", within_s=20)
    assert server.counts == {fault: 1}


def with_empty_line(header: bytes) -> bytes:
    """As if a caller's number had carried a line end past Asterisk."""
    assert b"\nagi_callerid: " in header
    before, _, rest = header.partition(b"\nagi_callerid: ")
    return before + b"\nagi_callerid: 139\n\n" + rest


def with_a_long_value(header: bytes) -> bytes:
    """As if a redirecting number had been passed on whole."""
    assert b"\nagi_rdnis: unknown\n" in header
    return header.replace(b"\nagi_rdnis: unknown\n", b"\nagi_rdnis: " + b"9" * 2 * HEADER_LIMIT + b"\n")


@pytest.mark.req("TL-07", "S08")
@pytest.mark.parametrize(
    ("spoil", "why"), [(with_empty_line, "header_cut_short"), (with_a_long_value, "header_too_large")]
)
async def test_a_header_that_arrives_spoilt_still_gets_its_caller_a_prompt(
    pbx: Pbx, lines: Lines, spoil: Callable[[bytes], bytes], why: str
) -> None:
    """Cut short by an empty line, or larger than our cap: refused at once, and the caller reaches a phone."""
    phone = await lines.phone("1002")
    await pbx.add_member("1002")
    server = FastAgiServer("127.0.0.1", 0, pbx.secrets.agi, {"entry": EntryStep(shipped_tree, ports(FakeDirectory()))})
    await server.start()
    try:
        async with HeaderSpoilt(pbx.settings.agi_port, server.port, spoil):
            caller = await lines.caller(ANI)
            await caller.dial("1860")
            await caller.hears("technical-hold", within_s=20)
            await phone.rings()
            assert server.counts == {why: 1}
    finally:
        await server.stop()


async def between(caller: Caller, first: str, second: str) -> float:
    """Seconds from the start of one prompt to the start of the other.

    By the clock: a caller's samples do not grow while the exchange sends nothing.
    """
    clock = asyncio.get_running_loop().time
    await caller.hears(first, within_s=20)
    began = clock()
    await caller.hears(second, within_s=20)
    return clock() - began


async def test_a_service_that_freezes_in_a_step_is_left_two_seconds_after_its_prompt(
    lines: Lines, serve: Serve
) -> None:
    """The timer was armed for the prompt's own length and 2 s (F07, N8)."""
    seconds = shipped_tree().seconds["please-hold", "zh"]

    async def freezes(line: AgiConnection) -> None:
        await line.stream("hotline/please-hold", seconds)
        await asyncio.Event().wait()

    await serve(step=freezes)
    caller = await lines.caller(ANI)
    await caller.dial("1860")
    silence = await between(caller, "please-hold", "technical-hold") - seconds
    assert 1.5 < silence < 3.0


async def test_against_a_service_that_accepts_and_says_nothing_the_timer_helps(pbx: Pbx, lines: Lines) -> None:
    """The dead-man's timer of the dialplan ends the step (F07)."""
    held: list[asyncio.StreamWriter] = []

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(silent, pbx.settings.agi_host, pbx.settings.agi_port):
        caller = await lines.caller(ANI)
        await caller.dial("1860")
        silence = await between(caller, "notice", "technical-hold") - shipped_tree().seconds["notice", "zh"]
        for writer in held:
            writer.close()
    assert len(held) == 1
    assert 1.5 < silence < 3.0
