"""Who calls decides whose phone rings and when: VIP classes, repeats, strangers, shared numbers, lines, closed hours.

On the shipped menus, word for word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from cti.asterisk.provision import Installation
from ivr.prompts import load_manifest
from tests.system.callers import Caller
from tests.system.house import House
from tests.system.stage import LINA, PLAIN, SHARED, WANGFANG, Seat, Stage, draft_of, menus, short_folder, working

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

LEASED_LINE = "01082100088"
#: what callers dial with, by what they are
STRANGER, WITHHELD, ENGLISH, ASTRAY, ADVISER = "13900003001", "anonymous", "13900003002", "13900003003", "13800138004"
#: 赵敏's number, keyed in by a stranger
ZHAOMIN = "13800138005"

#: coded reasons for which a call needs no order (PX-07)
REASONS = ["inquiry", "wrong_number", "silent", "dropped", "nuisance", "progress"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(asterisk_installation: Installation) -> AsyncIterator[House]:
    """One house for the stories of this file, with a copy of the menus that a story may change."""
    with short_folder() as home:
        async with House(home / "var", ivr_data=menus(home)) as made:
            yield made


async def _press(stage: Stage, number: str, key: str, said: str = "", *, dnis: str = "1860") -> Caller:
    """A caller who hears his line's greeting, presses a key, and hears where he goes (when it matters)."""
    greetings = {"1860": ("greeting-1860", "zh"), "1861": ("greeting-1861", "en"), "1899": ("greeting-default", "zh")}
    greeting, language = greetings[dnis]
    caller = await stage.reaches(number, dnis, greeting, language)
    if key:
        await caller.press(key)
    if said:
        await caller.hears(said, language=language, within_s=15)
    return caller


@pytest.mark.req("TL-05", "CT-04", "TL-30")
async def test_important_and_dedicated_line_customers_ring_the_senior_agent(house: House) -> None:
    """A junior agent sits idle beside: VIP callers are not his."""
    async with working(house) as stage:
        junior, senior = await stage.seat("1002"), await stage.seat("2001")
        await asyncio.gather(*(_press(stage, number, "1", "to-senior") for number in (WANGFANG, LEASED_LINE)))
        met = {}
        for _ in range(2):
            pop = await _serve(senior, "inquiry")
            met[pop["customer"]["name"]] = pop
        assert met["王芳"]["customer"]["vip_class"] == "important"
        assert met["王芳"]["reason"] == {"code": "vip-important", "text": "重要客户来电，由高级座席接听。"}
        company = met["北京晨光科技有限公司"]
        assert company["customer"]["vip_class"] == "dedicated_line"
        assert company["reason"]["code"] == "vip-line"
        assert company["number"] == "+861082100088"
        for pop in met.values():
            assert pop["queue"] == {"name": "senior", "label": pop["queue"]["label"]}
            assert pop["flags"]["vip"]
            assert pop["orders"]
        assert junior.agent.saw("pop") == []


@pytest.mark.req("TL-01", "TL-04", "TL-05", "G14", "RT-06", "TL-30", "PX-07", "S09")
async def test_a_morning_at_a_junior_desk(house: House) -> None:
    """Eight callers of every kind wait; who calls again about a complaint is answered first; none needs an order."""
    async with working(house) as stage:
        lina, *_ = await asyncio.gather(
            stage.reaches(LINA, greeting="greeting-1860"),
            _press(stage, PLAIN, "1"),
            _keys_in(stage, STRANGER, ZHAOMIN),
            _press(stage, WITHHELD, "0"),
            _press(stage, ADVISER, "2"),
            _press(stage, ENGLISH, "0", "to-person", dnis="1861"),
            _press(stage, ASTRAY, "", dnis="1899"),
            _press(stage, SHARED, "1"),
        )
        for number in (PLAIN, STRANGER, "", ADVISER, ENGLISH, ASTRAY, SHARED):
            await stage.books.call(number=number, fits=lambda call: call.joined_at is not None)
        await lina.press("1")
        await stage.books.call(number=LINA, fits=lambda call: call.joined_at is not None)
        seat = await stage.seat("1002")
        served = [await _serve(seat, REASONS[place % len(REASONS)]) for place in range(8)]
        in_complaints = [pop["number"] for pop in served if pop["queue"]["name"] == "complaint"]
        assert in_complaints[:2] == ["+861082100033", "+8613800138002"]
        pops = {pop["number"]: pop for pop in served}
        assert len(pops) == 8
        _ordinary(pops)
        _strangers(pops)
        _the_shared_number(pops["+861082100033"])
        await _nothing_is_left(seat)
        manifest = load_manifest()
        for number, language in ((PLAIN, "zh"), (ENGLISH, "en"), (ASTRAY, "zh")):
            call = await stage.books.call(number=number)
            assert (call.notice, call.lang) == (f"notice@{manifest.version('notice', language)}", language)


async def _keys_in(stage: Stage, number: str, service_number: str) -> Caller:
    """A stranger who is asked for his service number and keys it in."""
    caller = await _press(stage, number, "1", "ask-service-number")
    await caller.press(service_number + "#")
    return caller


async def _serve(seat: Seat, reason: str) -> dict[str, Any]:
    """The next caller: popped, answered, hung up, ended without an order for this reason; returns the pop."""
    await seat.phone.rings()
    pop = await seat.agent.event("pop")
    await seat.phone.answer()
    draft = await draft_of(seat, pop["call_id"])
    assert draft["caller_number"] == (pop["number"] or None)
    await seat.phone.hang_up()
    await seat.agent.state("wrap_up")
    ended = await seat.agent.post(
        f"/api/orders/{draft['id']}/no-order", {"version": draft["version"], "reason": reason}
    )
    assert (ended["state"], ended["no_order_reason"]) == ("no_order", reason)
    assert ended["clocks"]
    assert all(clock["stopped_at"] and clock["card"] == "none" for clock in ended["clocks"])
    await seat.agent.post("/api/agent/ready")
    return pop


def _ordinary(pops: dict[str, dict[str, Any]]) -> None:
    plain, lina, adviser = pops["+8613800138006"], pops["+8613800138002"], pops["+8613800138004"]
    assert (plain["customer"]["name"], plain["identity"], plain["verified"]) == ("孙强", "number_matches", False)
    assert plain["reason"]["code"] == "complaint"
    assert [step["key"] for step in plain["path"] if step["key"]] == ["1"]
    assert (lina["customer"]["name"], lina["reason"]["code"]) == ("李娜", "repeat")
    assert lina["flags"]["repeat"]
    assert len(lina["orders"]) == 2
    assert lina["open_work_orders"]
    assert lina["promises"]
    assert (adviser["queue"]["name"], adviser["reason"]["code"]) == ("suggestion", "suggestion")


def _strangers(pops: dict[str, dict[str, Any]]) -> None:
    stranger, withheld = pops["+8613900003001"], pops[""]
    assert stranger["identity"] == "unknown"
    assert stranger["customer"]["name"] == "赵敏"
    assert (withheld["identity"], withheld["customer"], withheld["candidates"]) == ("withheld", None, [])
    english, astray = pops["+8613900003002"], pops["+8613900003003"]
    assert english["dialled"]["dnis"] == "1861"
    assert english["customer"] is None
    assert (english["identity"], english["reason"]["code"]) == ("unknown", "person")
    assert (astray["dialled"]["dnis"], astray["reason"]["code"]) == ("1899", "unknown-line")


def _the_shared_number(pop: dict[str, Any]) -> None:
    """Two customers have it; the agent gets both, likeliest first, and no pretended certainty."""
    assert (pop["identity"], pop["customer"]) == ("ambiguous", None)
    assert [candidate["name"] for candidate in pop["candidates"]] == ["刘洋", "刘建国"]
    assert pop["flags"]["repeat"]
    assert pop["reason"]["code"] == "repeat"
    assert pop["reason"]["text"]


@pytest.mark.req("PX-02")
async def test_a_listed_number_hears_why_and_reaches_a_person_after_all_others(house: House) -> None:
    """He was there first; the one who came after him is answered before him. Struck off, he is like any other."""
    async with working(house) as stage:
        supervisor = await stage.watch("3001")
        ends = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        listed = await supervisor.post(
            "/api/nuisance-numbers", {"number": PLAIN, "reason": "一周内骚扰来电二十次", "ends_at": ends}
        )
        await _press(stage, PLAIN, "1", "nuisance-notice")
        held = await stage.books.call(number=PLAIN, fits=lambda call: call.joined_at is not None)
        assert (held.queue, held.priority, held.reason) == ("complaint", -1, "nuisance")
        await _press(stage, ENGLISH, "0", "to-person", dnis="1861")
        await stage.books.call(number=ENGLISH, fits=lambda call: call.joined_at is not None)
        seat = await stage.seat("1002")
        first, second = [await _serve(seat, reason) for reason in ("inquiry", "nuisance")]
        assert [first["number"], second["number"]] == ["+8613900003002", "+8613800138006"]
        assert second["reason"]["code"] == "nuisance"
        assert second["reason"]["text"].startswith("骚扰名单")
        off = await supervisor.post(f"/api/nuisance-numbers/{listed['id']}/off", {"version": listed["version"]})
        assert off["off_at"]
        await _press(stage, PLAIN, "1", "to-complaint")
        assert (await _serve(seat, "inquiry"))["reason"]["code"] == "complaint"


#: where callers hang up: what they hear then, the keys before it, and the way their record keeps
HANG_UPS: list[tuple[str, list[tuple[str, str]], list[tuple[str, str]]]] = [
    ("notice", [], []),
    ("greeting-1860", [], []),
    ("menu-progress", [("greeting-1860", "3")], [("main", "3")]),
    ("ask-order-number", [("greeting-1860", "3"), ("menu-progress", "1")], [("main", "3"), ("progress", "1")]),
    ("ask-service-number", [("greeting-1860", "1")], [("main", "1")]),
    ("standard-billing", [("greeting-1860", "4"), ("menu-standards", "4")], [("main", "4"), ("standards", "4")]),
]


@pytest.mark.req("TL-07", "TL-12")
async def test_who_hangs_up_in_the_menus_has_a_record_with_his_way(house: House) -> None:
    """At the notice, in the greeting, in a menu, while a number is asked for, while a standard is read; all at once."""
    async with working(house) as stage:

        async def hangs_up(number: str, place: int) -> None:
            heard, keys, _ = HANG_UPS[place]
            caller = await stage.lines.caller(number)
            await caller.dial("1860")
            for before, key in keys:
                await caller.hears(before, within_s=30)
                await caller.press(key)
            await caller.hears(heard, within_s=30)
            await caller.hang_up()

        numbers = [f"139000041{place:02d}" for place in range(len(HANG_UPS))]
        await asyncio.gather(*(hangs_up(number, place) for place, number in enumerate(numbers)))
        day = {call.ani: call for call in await stage.books.day(stage.started, len(numbers))}
        for number, (heard, _, way) in zip(numbers, HANG_UPS, strict=True):
            call = day[number]
            assert [(step.node, step.key) for step in call.path] == way, heard
            assert (call.outcome, call.joined_at) == ("served_by_ivr", None), heard
            assert call.end_reason in {"caller", "hung_up"}, heard
            assert call.notice, heard


async def _nothing_is_left(seat: Seat) -> None:
    """No draft, and no clock that ran."""
    mine = await seat.agent.get("/api/orders?mine=true&state=draft")
    assert mine["items"] == []
    late = await seat.agent.get("/api/orders?overdue=true&state=no_order,draft")
    assert late["items"] == []


@pytest.mark.req("TL-03", "TL-06")
async def test_closed_hours_are_taken_up_while_a_call_goes_on(house: House) -> None:
    """Hours and words change under a caller in the menu: he hears the old words, the next caller finds it closed."""
    assert house.ready is not None
    data = house.settings.ivr_data
    shipped = {name: (data / name).read_text(encoding="utf-8") for name in ("hours.toml", "dnis.toml", "routing.toml")}
    never = shipped["hours.toml"].replace('complaint = "always"', 'complaint = "never"')
    changed = {
        "hours.toml": never + '\n[calendar.never]\nzone = "Asia/Shanghai"\n',
        "dnis.toml": shipped["dnis.toml"].replace("greeting-1860", "please-hold"),
        "routing.toml": shipped["routing.toml"].replace("to-suggestion", "beep"),
    }
    async with working(house) as stage:
        seat = await stage.seat("1002")
        early = await stage.reaches(PLAIN, greeting="greeting-1860")
        try:
            _write(house, changed)
            assert house.ready.reload() == ()
            late = await stage.reaches(STRANGER)
            await late.press("0")
            await late.hears("closed-hours")
            await early.press("2")
            await early.hears("to-suggestion")
            await seat.phone.rings()
            await late.hears("goodbye")
            await late.ended()
            record = await stage.books.call(number=STRANGER)
            assert record.joined_at is None
            assert record.path[-1].node == "closed"
        finally:
            _write(house, shipped)
            assert house.ready.reload() == ()


def _write(house: House, files: dict[str, str]) -> None:
    for name, text in files.items():
        (house.settings.ivr_data / name).write_text(text, encoding="utf-8")
