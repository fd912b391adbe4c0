"""Who is called back, in which order, and what comes of it: by share and rule, in vain, again, by the department."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.orders.desk import VIP, Desk
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import Forbidden, HotlineError, Invalid, Refused
from ticketing.orders import closing, follow_up, history, store, surveying
from ticketing.orders.follow_up import Choice
from ticketing.orders.inputs import Answer, InVain, Rate, Redispatch, Task
from ticketing.orders.tables import customer_order
from ticketing.roles import SYSTEM
from ticketing.surveys import queue, rules
from ticketing.surveys.actions import take_grade
from ticketing.surveys.model import NewGrade


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    return await Desk.open(database, now)


TASK = Task(unit="city.network", task="再查", limit_s=3600)


async def act(desk: Desk, number: str, verb: Any, given: Any, hours: float = 0) -> Change:
    async with desk.database.write() as conn:
        change: Change = await verb(conn, desk[number], given, desk.now + timedelta(hours=hours))
        return change


async def answered(desk: Desk, call: str, satisfaction: str = "satisfied", hours: float = 0, **changes: Any) -> Change:
    """An order answered inside its call."""
    made = await desk.registered(call, **changes)
    said: dict[str, Any] = {"opinion": "已解释", "satisfaction": satisfaction, "fcr": True}
    return await act(
        desk, "1001", closing.answer, Answer(public_id=made.subject_id, version=made.version, **said), hours
    )


async def waiting(desk: Desk, hours: float = 0) -> queue.Queue:
    async with desk.database.read() as conn:
        at = desk.now + timedelta(hours=hours)
        return await queue.waiting(conn, desk["7001"], follow_up.shipped(), rules.shipped(), at)


async def refused(desk: Desk, verb: Any, given: Any, number: str = "7001") -> HotlineError:
    with pytest.raises(HotlineError) as told:
        await act(desk, number, verb, given)
    return told.value


@pytest.mark.req("PX-06", "SV-07")
def test_a_days_orders_are_drawn_by_share_and_never_flood_the_queue() -> None:
    known = follow_up.parse(
        'per_day = 60\nalways = ["unhappy", "repeat"]\n[kind]\ncomplaint = 0.2\ninquiry = false\n[nature]\nfault = 1\n'
    )
    seen: Counter[Choice] = Counter()
    day: list[dict[str, Any]] = [{"serial": f"{n:09d}", "cycle": 1, "kind": "complaint"} for n in range(1000)]
    lately = 0
    for n, order in enumerate(day):
        facts = ["unhappy"] if n % 50 == 0 else ["vip"]
        choice = known.choose(order, facts, lately)
        assert known.choose(order, facts, lately) is choice, "asked again it falls the same way"
        seen[choice] += 1
        lately += choice.called_back
    assert seen[Choice.NEEDED] == 20, "whoever needs it is called, whatever the day's number"
    assert 60 <= lately <= 80, "the day's number, and whoever needs it after it was reached"
    assert seen[Choice.FULL] > 50
    drawn = sum(follow_up.draw(order["serial"], 1) < 0.2 for order in day)
    assert 160 < drawn < 240
    assert known.choose({"serial": "1", "cycle": 1, "kind": "inquiry"}, ["unhappy"], 0) is Choice.NOT_ASKED
    fault = {"serial": "1", "cycle": 1, "kind": "complaint", "nature": "fault.line"}
    assert (known.choose(fault, [], 59), known.choose(fault, [], 60)) == (Choice.DRAWN, Choice.FULL)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[kind]\ncomplaint = 2", "kind.complaint"),
        ("attempts = -1", "attempts"),
        ('always = ["rich"]', "always"),
        ("[need]\nrich = 1", "need.rich"),
        ("[need]\nvip = true", "need.vip"),
        ('[vain]\nbusy = "x"', "vain.busy"),
        ("[profile.age]\nchoices = {}", "profile.age"),
        ("per_day = 1.5", "per_day"),
        ("unhappy = 3", "unhappy"),
        ("kind = 3", "kind"),
    ],
)
def test_a_faulty_file_is_named_by_its_place(text: str, field: str) -> None:
    with pytest.raises(Invalid) as told:
        follow_up.parse(text)
    assert told.value.details["field"] == field


@pytest.mark.req("SV-09", "SV-01", "SV-08")
async def test_who_needs_it_most_is_called_first(desk: Desk) -> None:
    plain = await answered(desk, "c1", caller="13900000001")
    urgent = await answered(desk, "c2", caller="13900000002", urgent=True)
    unhappy = await answered(desk, "c3", "dissatisfied", caller="13900000003")
    graded = await answered(desk, "c4", hours=1, caller="13900000004")
    asked = await desk.call("c5", caller="13900000005")
    asking = {"kind": "inquiry", "business": "data.broadband", "description": "问资费", "verbatim": "多少钱"}
    inquiry = await desk.submit(await desk.edit(asked, **asking))
    said: dict[str, Any] = {"opinion": "已告知", "satisfaction": "satisfied", "fcr": True}
    await act(desk, "1001", closing.answer, Answer(public_id=inquiry.subject_id, version=inquiry.version, **said))
    assert (await desk.read(inquiry)).state == "closed", "no call-back, no surveyor (SV-08)"
    async with desk.database.write() as conn:
        given = NewGrade(call_id="c4", grade="5", agent="1001", at=desk.now)
        await take_grade(conn, SYSTEM, given, rules.shipped(), desk.now)
        await conn.execute(
            update(customer_order).where(customer_order.c.public_id == graded.subject_id).values(vip_class="major")
        )
    found = await waiting(desk)
    assert [each.id for each in found.items] == [each.subject_id for each in (graded, unhappy, urgent, plain)]
    assert [each.reasons for each in found.items] == [("bad_grade", "vip"), ("unhappy",), ("urgent",), ()]
    assert [each.need for each in found.items] == [7, 5, 1, 0]
    assert (found.total, found.items[0].owner, found.items[0].number) == (4, "survey", "+8613900139000")
    later = desk.now + timedelta(hours=5)
    await act(
        desk,
        "7001",
        surveying.in_vain,
        InVain(public_id=graded.subject_id, version=graded.version, why="not_now", not_before=later),
    )
    found = await waiting(desk)
    assert (found.items[-1].id, found.items[-1].not_before) == (graded.subject_id, later), "he asked for another time"
    assert (await waiting(desk, hours=6)).items[0].id == graded.subject_id


@pytest.mark.req("T23")
async def test_nobody_is_given_up_before_he_was_called_often_enough(desk: Desk) -> None:
    order = await answered(desk, "c1")
    gone: dict[str, Any] = {"public_id": order.subject_id, "outcome": "unreachable"}
    for n in range(3):
        early = await refused(desk, closing.rate, Rate(version=order.version, **gone))
        assert (early.code, early.details["made"], early.details["needed"]) == ("too_few_attempts", n, 3)
        given = InVain(public_id=order.subject_id, version=order.version, why="no_answer", note="响铃 30 秒")
        order = await act(desk, "7001", surveying.in_vain, given, hours=n)
    await act(desk, "7001", closing.rate, Rate(version=order.version, **gone))
    assert (await desk.read(order)).state == "closed"
    async with desk.database.read() as conn:
        id_ = await store.id_of(conn, desk["7001"], order.subject_id)
        tried = await history.attempts(conn, id_)
    assert [(each.why, each.by, each.note) for each in tried] == [("no_answer", "7001", "响铃 30 秒")] * 3
    last = InVain(public_id=order.subject_id, version=order.version + 1, why="busy")
    assert (await refused(desk, surveying.in_vain, last)).code == "not_from_here"


async def test_a_call_in_vain_says_why_and_when_next(desk: Desk) -> None:
    order = await answered(desk, "c1")
    given: dict[str, Any] = {"public_id": order.subject_id, "version": order.version, "why": "no_answer"}
    assert (await refused(desk, surveying.in_vain, InVain(**given | {"why": "tired"}))).details["field"] == "why"
    assert isinstance(await refused(desk, surveying.in_vain, InVain(**given), "1001"), Forbidden)
    past = await refused(desk, surveying.in_vain, InVain(**given, not_before=desk.now - timedelta(hours=1)))
    assert past.details["field"] == "not_before"


@pytest.mark.req("SV-04")
async def test_who_complained_again_is_told_why_and_one_of_three_things_is_done(desk: Desk) -> None:
    first = await answered(desk, "c1")
    await act(
        desk,
        "7001",
        closing.rate,
        Rate(public_id=first.subject_id, version=first.version, outcome="satisfied", grade="satisfied"),
    )
    for n, (call, done) in enumerate([("c2", "apologised"), ("c3", "explained"), ("c4", "remedied")]):
        serial = (await desk.read(first)).serial
        again = await answered(desk, call, hours=n, repeat_of=serial)
        given: dict[str, Any] = {"public_id": again.subject_id, "version": again.version}
        well = {**given, "outcome": "satisfied", "grade": "satisfied"}
        bare = await refused(desk, closing.rate, Rate(**well))
        assert bare.details["missing"] == ["cause", "handled"]
        odd = await refused(desk, closing.rate, Rate(**well, cause="none", handled="shrugged"))
        assert (odd.details["field"], odd.details["allowed"]) == ("handled", ["apologised", "explained"])
        if done == "remedied":
            said: dict[str, Any] = {"cause": "none", "wanted": "再修", "tasks": [TASK], "opinion": "二次派单"}
            await act(desk, "7001", closing.redispatch, Redispatch(**given, **said))
        else:
            await act(desk, "7001", closing.rate, Rate(**well, cause="none", handled=done))
        async with desk.database.read() as conn:
            (told,) = await history.surveys(conn, await store.id_of(conn, desk["7001"], again.subject_id))
        assert (told.handled, told.cause, told.source) == (done, "none", "surveyor")
    plain = await answered(desk, "c9", caller=VIP)
    strange = Rate(public_id=plain.subject_id, version=plain.version, outcome="satisfied", grade="later")
    assert isinstance(await refused(desk, closing.rate, strange), Invalid | Refused)
