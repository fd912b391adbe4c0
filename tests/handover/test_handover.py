"""Nobody signs off with what only he has: refused with the list, or all of it handed over in one step (TL-44)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import Case, in_process
from ticketing.audit import audit as audit_log
from ticketing.callbacks import actions as callbacks
from ticketing.callbacks.model import NewBooking
from ticketing.callbacks.policy import shipped
from ticketing.callbacks.tables import callback
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.errors import HotlineError, Refused
from ticketing.handover import actions, store
from ticketing.handover.model import HandOver, Hanging
from ticketing.intake import actions as items
from ticketing.intake.model import NewMessage
from ticketing.intake.tables import intake_item
from ticketing.orders import reassigning, work
from ticketing.orders.model import Channel
from ticketing.orders.step_inputs import Reassign
from ticketing.orders.tables import customer_order, order_trail, work_order
from ticketing.outbox import outbox
from ticketing.papers import actions as papers
from ticketing.papers.model import NewPaper
from ticketing.papers.tables import paper
from ticketing.roles import SYSTEM, Actor, Post
from ticketing.staff.tables import staff_post
from ticketing.surveys import actions as surveys
from ticketing.surveys.model import NewGrade
from ticketing.surveys.rules import shipped as scale
from ticketing.surveys.tables import follow_up

CALL = "20260310013000-000001123456"
TABLES = (("order", customer_order), ("callback", callback), ("item", intake_item), ("paper", paper))
KINDS = ["draft", "order", "callback", "item", "paper"]


@pytest.fixture
async def desk(database: Database, now: datetime) -> Desk:
    """A desk on each database."""
    return await Desk.open(database, now)


async def loaded(desk: Desk, number: str = "2001") -> None:
    """One of everything hangs on this senior."""
    actor, now = desk[number], desk.now
    await desk.call("d1", agent=number)
    await desk.registered("o1", agent=number, caller="13900139001")
    async with desk.database.write() as conn:
        wish = NewBooking(
            number="13800138009", queue="complaint", window="asap", lang="zh", priority=0, joined_at=now, call_id=CALL,
            dnis="1860",
        )  # fmt: skip
        booked = await callbacks.book(conn, SYSTEM, wish, shipped(), now)
        await callbacks.reassign(
            conn, supervisor(desk), booked.subject_id, booked.version, number, now, reason="overload"
        )
        message = NewMessage(
            call_id=CALL, file=f"{CALL}-msg-1.wav", ani="13800138007", dnis="1860", lang="zh", queue="complaint",
            seconds=12.0, how="confirmed", at=now,
        )  # fmt: skip
        taken = await items.take(conn, SYSTEM, message, now)
        await items.claim(conn, actor, taken.subject_id, taken.version, now)
        await papers.register(conn, actor, NewPaper(channel=Channel.LETTER, received_at=now, subject="x"), now)


def supervisor(desk: Desk) -> Actor:
    """3001."""
    return desk["3001"]


async def hanging(desk: Desk, number: str) -> tuple[Hanging, ...]:
    """What is his alone."""
    async with desk.database.read() as conn:
        return await store.hanging(conn, desk[number].staff_id)


async def hand_over(desk: Desk, number: str, to: str | None) -> tuple[Change, ...]:
    """All of it, to a colleague or to the queues."""
    async with desk.database.write() as conn:
        return await actions.hand_over(conn, desk[number], HandOver(to), desk.now + timedelta(hours=8))


@pytest.mark.req("TL-44")
async def test_a_sign_off_is_refused_with_the_list_of_what_hangs_on_him(desk: Desk) -> None:
    async with desk.database.read() as conn:
        await actions.free_to_go(conn, desk["2001"])
    await loaded(desk)
    async with desk.database.read() as conn:
        with pytest.raises(Refused, match="work_hangs_on_you") as refused:
            await actions.free_to_go(conn, desk["2001"])
        await actions.free_to_go(conn, desk["1001"])
    told = refused.value.details["hanging"]
    assert isinstance(told, list)
    assert [each["kind"] for each in told] == KINDS
    assert all(each["serial"] and each["id"] for each in told)


@pytest.mark.req("TL-44")
@pytest.mark.parametrize("one", ["draft", "order", "callback", "item", "paper"])
async def test_each_kind_alone_keeps_him(desk: Desk, one: str) -> None:
    await loaded(desk)
    keep = {each.kind.value: each for each in await hanging(desk, "2001")}[one]
    async with desk.database.write() as conn:
        for each in await store.hanging(conn, desk["2001"].staff_id):
            if each.kind.value != one:
                await actions.hand(conn, desk["2001"], each, None, desk.now)
    assert await hanging(desk, "2001") == (keep,)
    async with desk.database.read() as conn:
        with pytest.raises(Refused, match="work_hangs_on_you"):
            await actions.free_to_go(conn, desk["2001"])


@pytest.mark.req("TL-44", "IN-23")
async def test_all_of_it_goes_in_one_step_and_each_is_written_down(desk: Desk) -> None:
    await loaded(desk)
    before = await hanging(desk, "2001")
    with pytest.raises(HotlineError, match="cannot_take_it") as refused:
        await hand_over(desk, "2001", "1001")
    assert refused.value.details["field"] == "person"
    assert await hanging(desk, "2001") == before, "all or nothing: a junior works on no messages"
    changes = await hand_over(desk, "2001", None)
    assert len(changes) == len(before)
    assert await hanging(desk, "2001") == ()
    async with desk.database.read() as conn:
        owners = {
            name: [tuple(row) for row in await conn.execute(select(table.c.owner_id, table.c.owner_queue))]
            for name, table in (
                ("order", customer_order),
                ("callback", callback),
                ("item", intake_item),
                ("paper", paper),
            )
        }
        lines = (await conn.execute(select(order_trail).where(order_trail.c.action == "handed_over"))).all()
        verbs = set(await conn.scalars(select(audit_log.c.verb)))
        told = [row.payload for row in await conn.execute(select(outbox.c.payload)) if row.payload.get("was")]
    assert sorted(owners["order"]) == [(None, "complaint"), (None, "senior")]
    assert owners["callback"] == [(None, "callbacks")]
    assert owners["item"] == [(None, "recordings")]
    assert owners["paper"] == [(None, "papers")]
    assert [(line.actor_number, line.payload["reason"], line.payload["was"]) for line in lines] == [
        ("2001", "shift", "2001")
    ] * 2
    assert {"order.handed_over", "callback.handed_over", "item.handed_over", "paper.handed_over"} <= verbs
    assert {each["was"] for each in told} == {"2001"}


@pytest.mark.req("TL-44")
async def test_a_colleague_of_the_same_post_takes_everything(desk: Desk) -> None:
    await loaded(desk)
    before = await hanging(desk, "2001")
    async with desk.database.write() as conn:
        await conn.execute(staff_post.insert().values(staff_id=desk["1002"].staff_id, post=Post.SA.value))
    for wrong, code in (("2001", "not_yourself"), ("9999", "unknown_staff")):
        with pytest.raises(HotlineError) as refused:
            await hand_over(desk, "2001", wrong)
        assert refused.value.code == code
    await hand_over(desk, "2001", "1002")
    after = await hanging(desk, "1002")
    assert [(each.kind, each.id) for each in after] == [(each.kind, each.id) for each in before]
    assert await hanging(desk, "2001") == ()


@pytest.mark.req("TL-44", "SV-05")
async def test_a_surveyor_hands_his_follow_ups_over(desk: Desk) -> None:
    await desk.call("c9", agent="1001")
    async with desk.database.write() as conn:
        grade = NewGrade(call_id="c9", grade="5", agent="1001", at=desk.now)
        await surveys.take_grade(conn, SYSTEM, grade, scale(), desk.now)
        public_id = str(await conn.scalar(select(follow_up.c.public_id)))
        await surveys.claim(conn, desk["7001"], public_id, 1, desk.now)
    assert [each.kind.value for each in await hanging(desk, "7001")] == ["follow_up"]
    await hand_over(desk, "7001", None)
    async with desk.database.read() as conn:
        row = (await conn.execute(select(follow_up))).one()
    assert (row.state, row.owner_id, row.owner_queue) == ("new", None, scale().queue)


@pytest.mark.req("PX-04")
async def test_a_supervisor_hands_an_order_on_with_a_coded_reason_and_both_are_told(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    said = {"reason": "absent", "note": "请假"}
    assert (await case.refused("2001", reassigning.reassign, Reassign, **said, person="1002")).code == "forbidden"
    wrong = [
        ({"reason": ""}, "missing", "reason"),
        ({"reason": "lazy"}, "unknown_code", "reason"),
        ({"person": "8001"}, "cannot_take_it", "person"),
        ({"person": "9999"}, "unknown_staff", None),
        ({"person": "1001"}, "has_it_already", "person"),
        ({"note": "长" * 501}, "too_long", "note"),
    ]
    for changes, code, field in wrong:
        given = {**said, "person": "1002", **changes}
        refused = await case.refused("3001", reassigning.reassign, Reassign, **given)
        assert (refused.code, refused.details.get("field")) == (code, field), changes
    await case.act("3001", reassigning.reassign, Reassign, **said, person="1002")
    order = await case.read("1001")
    assert (order.state, order.owner) == ("registered", "1002")
    line = order.trail[-1]
    assert (line.action, line.by) == ("reassigned", "3001")
    async with desk.database.read() as conn:
        told = (await conn.scalars(select(outbox.c.payload).order_by(outbox.c.id.desc()))).first()
        row = (await conn.execute(select(audit_log).where(audit_log.c.verb == "order.reassigned"))).one()
    assert told is not None
    assert (told["owner"], told["was"]) == ("1002", "1001"), "both are told"
    assert (row.payload["reason"], row.payload["to"], row.payload["was"]) == ("absent", "1002", "1001")
    await case.act("3001", reassigning.reassign, Reassign, reason="overload")
    assert (await case.read("1001")).owner == "senior"


@pytest.mark.req("PX-04", "IN-23")
async def test_a_supervisor_hands_a_work_order_on_within_its_unit(desk: Desk) -> None:
    case = Case(desk, await desk.registered())
    await in_process(case)
    unit = "city.network"
    await case.on_work(unit, "8001", work.accept)
    for person, code in (("8002", "cannot_take_it"), ("1001", "cannot_take_it")):
        with pytest.raises(HotlineError) as refused:
            await case.on_work(unit, "3001", reassigning.reassign_work, Reassign, reason="absent", person=person)
        assert refused.value.code == code
    await case.on_work(unit, "3001", reassigning.reassign_work, Reassign, reason="conflict", person="8101")
    async with desk.database.read() as conn:
        mine = select(work_order.c.owner_id, work_order.c.state).where(work_order.c.unit == unit)
        assert tuple((await conn.execute(mine)).one()) == (desk["8101"].staff_id, "accepted")
        told = (await conn.scalars(select(outbox.c.payload).order_by(outbox.c.id.desc()))).first()
    assert told is not None
    assert (told["work_owner"], told["was"], told["unit"]) == ("8101", "8001", unit)
    await case.on_work(unit, "3001", reassigning.reassign_work, Reassign, reason="absent")
    async with desk.database.read() as conn:
        mine = select(work_order.c.owner_id, work_order.c.owner_queue).where(work_order.c.unit == unit)
        assert tuple((await conn.execute(mine)).one()) == (None, unit)
