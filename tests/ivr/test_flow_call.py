"""Whole calls through server, session and flow, spoken over a real socket to a hand-made Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ivr.model import Tree
from ivr.ports import CallerContext, Progress
from ivr.server import FastAgiServer
from ivr.session import EntryStep, Ports
from tests.ivr.fakes import KNOWN, SECRET, FakeCall, FakeDirectory, FakeHours, FakeOrders, ports, shipped_tree

ANI = "13800001111"
VALID, WRONG_BY_ONE = "123456784", "123456785"


@asynccontextmanager
async def serving(given: Ports, tree: Tree | None = None, budget_s: float = 1.5) -> AsyncIterator[FastAgiServer]:
    step = EntryStep(lambda: tree or shipped_tree(), given, budget_s=budget_s)
    server = FastAgiServer("127.0.0.1", 0, SECRET, {"entry": step})
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def called(call: FakeCall, given: Ports | None = None, budget_s: float = 1.5) -> FakeCall:
    async with serving(given or ports(FakeDirectory({ANI: KNOWN})), budget_s=budget_s) as server:
        async with asyncio.timeout(20):
            await call.run(server.port)
        assert server.counts["failed"] == 0
    return call


def outcome(call: FakeCall) -> tuple[str, str, str, str]:
    names = ("CTI_DONE", "CTI_QUEUE", "CTI_PRIORITY", "CTI_REASON")
    return tuple(call.variables.get(name, "") for name in names)  # type: ignore[return-value]


@pytest.mark.req("TL-02", "CT-01")
@pytest.mark.parametrize(
    ("keys", "queue", "reason", "last"),
    [
        (["1"], "complaint", "complaint", "to-complaint"),
        (["2"], "suggestion", "suggestion", "to-suggestion"),
        (["0"], "complaint", "person", "to-person"),
        (["3", "0"], "complaint", "person", "to-person"),
        (["3", "1", "0"], "complaint", "person", "to-person"),
        (["3", "2", "0"], "complaint", "person", "to-person"),
        (["4", "0"], "complaint", "person", "to-person"),
        (["4", "3", "0"], "complaint", "person", "to-person"),
        (["4", "*", "1"], "complaint", "complaint", "to-complaint"),
        (["#", "#", "2"], "suggestion", "suggestion", "to-suggestion"),
        (["7", "7", "7"], "complaint", "errors", "to-person-after-errors"),
        (["", "", ""], "complaint", "errors", "to-person-after-errors"),
        (["3", "1", "", WRONG_BY_ONE + "#", "", ""], "complaint", "errors", "to-person-after-errors"),
    ],
)
async def test_keys_lead_to_a_queue(keys: list[str], queue: str, reason: str, last: str) -> None:
    call = await called(FakeCall(keys))
    assert outcome(call) == ("entry", queue, "0", reason)
    assert call.variables["CTI_ACTION"] == "queue"
    assert call.heard[-1] == last
    assert call.events[-1] == f"CtiRouted,Queue: {queue},Priority: 0,Reason: {reason},Lang: zh"


@pytest.mark.req("TL-02")
@pytest.mark.parametrize(("key", "answer"), [("7", "invalid-key"), ("", "no-input")])
async def test_wrong_key_and_silence_are_answered_three_times(key: str, answer: str) -> None:
    call = await called(FakeCall([key] * 3))
    assert call.heard.count(answer) == 3
    assert call.heard.count("menu-main") == 3


@pytest.mark.req("TL-02")
async def test_a_key_during_the_greeting_counts() -> None:
    call = await called(FakeCall(["1"], barge_in=True))
    assert call.heard == ["greeting-1860", "to-complaint"]
    assert outcome(call)[1] == "complaint"


@pytest.mark.req("TL-02")
async def test_an_order_number_may_be_keyed_during_its_prompts() -> None:
    orders = FakeOrders({VALID: Progress(VALID, "IN_PROCESS", "IN_PROCESS", False, None)})
    call = FakeCall(["3", "1", "111111112#", VALID + "#", "0"], barge_in=True)
    result = await called(call, ports(FakeDirectory({ANI: KNOWN}), orders))
    assert result.heard[result.heard.index("order-not-found") :] == [
        "order-not-found",
        "silence",
        "state-in-process",
        "to-person",
    ]


@pytest.mark.req("TL-01", "TL-02")
@pytest.mark.parametrize(
    ("dnis", "keys", "start", "lang"),
    [
        ("1860", ["1"], ["greeting-1860", "language-choice", "menu-main"], "zh"),
        ("1860", ["9", "1"], ["greeting-1860", "language-choice", "menu-main", "language-choice-mandarin"], "en"),
        ("1861", ["1"], ["greeting-1861", "language-choice-mandarin", "menu-main"], "en"),
        ("1861", ["8", "1"], ["greeting-1861", "language-choice-mandarin", "menu-main", "language-choice"], "zh"),
    ],
)
async def test_each_line_has_its_greeting_and_language(dnis: str, keys: list[str], start: list[str], lang: str) -> None:
    call = await called(FakeCall(keys, {"CTI_DNIS": dnis}))
    assert call.heard[: len(start)] == start
    assert call.variables["CTI_LANG"] == call.variables["CHANNEL(language)"] == lang


@pytest.mark.req("TL-01")
@pytest.mark.parametrize("dnis", ["1899", "", "1860;DROP"])
async def test_an_unknown_line_leads_to_a_person(dnis: str) -> None:
    call = await called(FakeCall([], {"CTI_DNIS": dnis}))
    assert call.heard == ["greeting-default", "to-person"]
    assert outcome(call) == ("entry", "complaint", "0", "unknown-line")


@pytest.mark.req("PX-03", "TL-02")
async def test_progress_by_order_number_says_state_and_next_step_only() -> None:
    orders = FakeOrders({VALID: Progress(VALID, "IN_REVIEW", "IN_REVIEW", True, "1111")})
    call = FakeCall(["3", "1", WRONG_BY_ONE + "#", VALID + "#", "#", "*", "0"])
    result = await called(call, ports(FakeDirectory({ANI: KNOWN}), orders))
    said = result.heard[result.heard.index("order-number-wrong") + 1 :]
    state = ["state-in-review", "next-step-in-review", "menu-after-progress"]
    assert said == [*state, *state, "menu-progress", "to-person"]
    assert result.steps == [
        ("main", "3"),
        ("progress", "1"),
        ("progress-serial", "entered"),
        ("progress-serial", "entered"),
        ("progress-result", "#"),
        ("progress-result", "*"),
        ("progress", "0"),
    ]
    assert not any(VALID in event or WRONG_BY_ONE in event for event in result.events)


@pytest.mark.req("TL-02")
@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([], ["no-open-orders"]),
        (["AT_SENIOR"], ["one-order", "state-at-senior"]),
        (
            ["AT_SENIOR", "SURVEY"],
            ["several-orders-2", "order-nth-1", "state-at-senior", "order-nth-2", "state-survey"],
        ),
    ],
)
async def test_progress_by_calling_number_says_states_only(states: list[str], said: list[str]) -> None:
    orders = FakeOrders(of={ANI: [Progress(str(n), state, state, False, None) for n, state in enumerate(states)]})
    call = await called(FakeCall(["3", "2", "0"]), ports(FakeDirectory({ANI: KNOWN}), orders))
    start = call.heard.index("menu-progress") + 1
    assert call.heard[start:] == [*said, "menu-after-progress", "to-person"]


async def test_more_orders_than_are_read_out() -> None:
    orders = FakeOrders(of={ANI: [Progress(str(n), "SURVEY", None, False, None) for n in range(7)]})
    call = await called(FakeCall(["3", "2", "0"]), ports(FakeDirectory({ANI: KNOWN}), orders))
    assert "several-orders-more" in call.heard
    assert call.heard.count("state-survey") == 5


@pytest.mark.parametrize(
    "orders", [FakeOrders(error=RuntimeError()), FakeOrders({VALID: Progress(VALID, "NEW", None, False, None)})]
)
async def test_progress_that_cannot_be_told_leads_to_a_person(orders: FakeOrders) -> None:
    call = await called(FakeCall(["3", "1", VALID + "#"]), ports(FakeDirectory({ANI: KNOWN}), orders))
    assert call.heard[-1] == "technical-hold"
    assert outcome(call) == ("entry", "complaint", "0", "look-up-failed")


@pytest.mark.req("TL-05", "G14", "RT-06")
@pytest.mark.parametrize(
    ("caller", "key", "queue", "priority", "reason"),
    [
        (CallerContext("one", "c1", "major"), "1", "senior", "10", "vip-major"),
        (CallerContext("one", "c1", "important"), "0", "senior", "10", "vip-important"),
        (CallerContext("one", "c1", "dedicated_line"), "2", "senior", "10", "vip-line"),
        (CallerContext("one", "c1", "major", overdue_repeat=True), "1", "senior", "20", "vip-overdue"),
        (CallerContext("one", "c1", repeat=True), "1", "complaint", "5", "repeat"),
        (CallerContext("one", "c1", repeat=True, overdue_repeat=True), "1", "complaint", "10", "overdue-repeat"),
        (CallerContext("one", "c1", repeat=True), "2", "suggestion", "0", "suggestion"),
        (CallerContext("several"), "1", "complaint", "0", "complaint"),
    ],
)
async def test_who_calls_decides_queue_and_priority(
    caller: CallerContext, key: str, queue: str, priority: str, reason: str
) -> None:
    call = await called(FakeCall([key]), ports(FakeDirectory({ANI: caller})))
    assert outcome(call) == ("entry", queue, priority, reason)
    told = f"CtiCaller,Customer: {caller.customer or ''},Match: {caller.match},Vip: {caller.vip_class or ''}"
    assert told in call.events


@pytest.mark.req("PX-02")
@pytest.mark.parametrize("key", ["1", "2", "0"])
@pytest.mark.parametrize("vip", [None, "major"])
async def test_a_listed_number_hears_why_and_waits_behind_all_others(key: str, vip: str | None) -> None:
    listed = CallerContext("one", "c1", vip, repeat=True, nuisance=True)
    call = await called(FakeCall([key]), ports(FakeDirectory({ANI: listed})))
    assert outcome(call) == ("entry", "complaint", "-1", "nuisance")
    assert call.heard[-1] == "nuisance-notice"


@pytest.mark.req("PX-02")
async def test_a_listed_stranger_stays_listed_whatever_service_number_he_keys() -> None:
    known = {"02588880001": CallerContext("one", "c9", "major")}
    directory = FakeDirectory({ANI: CallerContext("unknown", nuisance=True)}, service_numbers=known)
    call = await called(FakeCall(["1", "02588880001#"]), ports(directory))
    assert outcome(call) == ("entry", "complaint", "-1", "nuisance")


@pytest.mark.req("TL-04")
@pytest.mark.parametrize("ani", ["", "13900009999"])
async def test_a_caller_nobody_knows_may_key_the_service_number_once(ani: str) -> None:
    directory = FakeDirectory(service_numbers={"02588880001": CallerContext("one", "c9", "major")})
    call = await called(FakeCall(["1", "02588880001#"], {"CTI_ANI": ani}), ports(directory))
    assert outcome(call) == ("entry", "senior", "10", "vip-major")
    assert not any("02588880001" in event for event in call.events)


@pytest.mark.req("TL-04")
@pytest.mark.parametrize(("keyed", "said"), [("", None), ("#", None), ("055512345#", "service-number-unknown")])
async def test_who_keys_none_is_not_asked_again(keyed: str, said: str | None) -> None:
    call = await called(FakeCall(["1", keyed], {"CTI_ANI": ""}), ports())
    assert call.heard.count("ask-service-number") == 1
    assert said is None or said in call.heard
    assert outcome(call) == ("entry", "complaint", "0", "complaint")


async def test_outside_opening_hours_it_is_said_and_the_call_ends() -> None:
    hours = FakeHours(frozenset({"complaint"}))
    call = await called(FakeCall(["1"]), ports(FakeDirectory({ANI: KNOWN}), hours=hours))
    assert call.heard[-2:] == ["closed-hours", "goodbye"]
    assert call.variables["CTI_ACTION"] == "hangup"
    assert call.variables["CTI_DONE"] == "entry"


async def test_a_slow_directory_costs_a_please_hold_and_no_more() -> None:
    directory = FakeDirectory(gate=asyncio.Event())
    call = await called(FakeCall(["1"]), ports(directory), budget_s=0.05)
    assert "please-hold" in call.heard
    assert outcome(call) == ("entry", "complaint", "0", "complaint")


async def test_a_broken_directory_does_not_stop_a_call() -> None:
    call = await called(FakeCall(["1"]), ports(FakeDirectory(error=RuntimeError("no database"))))
    assert outcome(call) == ("entry", "complaint", "0", "complaint")
    assert "ask-service-number" not in call.heard


async def test_the_timer_is_armed_for_every_sound_and_off_before_the_last_word() -> None:
    call = await called(FakeCall(["1"]))
    tree = shipped_tree()
    at = [n for n, line in enumerate(call.lines) if line.startswith(("STREAM FILE", "GET DATA"))]
    for n in at:
        prompt = call.lines[n].split('"')[1].removeprefix("hotline/")
        assert call.lines[n - 1].startswith('SET VARIABLE "TIMEOUT(absolute)"')
        wait = tree.settings.wait_s if call.lines[n].startswith("GET") else 0
        armed = float(call.lines[n - 1].split('"')[3])
        assert armed == pytest.approx(tree.seconds[prompt, "zh"] + wait + 2.0, abs=0.06)
    assert call.lines[-2:] == ['SET VARIABLE "TIMEOUT(absolute)" "0"', 'SET VARIABLE "CTI_DONE" "entry"']
