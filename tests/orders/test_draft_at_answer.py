"""T1: a draft exists from the answer on, once for each call, with what the telephone gave."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from tests.orders.desk import VIP, Desk
from ticketing import outbox
from ticketing.audit import audit
from ticketing.changes import Change
from ticketing.errors import Forbidden, Invalid, NotFound
from ticketing.orders import actions
from ticketing.orders.inputs import DraftFromCall, EditDraft
from ticketing.orders.tables import customer_order
from ticketing.serial_digits import valid


@pytest.mark.req("TL-32", "IN-18", "PX-03")
async def test_the_draft_holds_what_the_telephone_gave(desk: Desk) -> None:
    known = await desk.customer("张伟", vip_class="major", complainant_type="major", address="北京市")
    order = await desk.read(await desk.call())
    assert (order.state, order.call_id, order.caller_number, order.dnis) == ("draft", "c1", f"+86{VIP}", "1860")
    assert (order.customer_id, order.customer_name, order.vip_class) == (known.public_id, "张伟", "major")
    assert (order.owner, order.contact_name, order.contact_number) == ("1001", "张伟", f"+86{VIP}")
    assert valid(order.serial)
    assert [clock.code for clock in order.clocks] == ["K6"]
    assert [contact.external_id for contact in order.contacts] == ["c1"]
    assert [(line.action, line.to_state, line.by) for line in order.trail] == [("open", "draft", "system")]


@pytest.mark.req("IN-18")
async def test_what_the_telephone_gave_is_not_written_by_hand(desk: Desk) -> None:
    draft = await desk.call()
    for name in ("caller_number", "call_id", "serial", "received_at", "state", "dnis"):
        with pytest.raises(Invalid) as refusal:
            await desk.edit(draft, **{name: "10086"})
        assert (refusal.value.code, refusal.value.field) == ("not_editable", name)
    assert (await desk.read(draft)).version == draft.version


@pytest.mark.req("TL-32")
async def test_told_twice_it_is_the_same_draft(desk: Desk) -> None:
    first = await desk.call()
    again = await desk.call()
    assert (again.subject_id, again.version, again.kind) == (first.subject_id, first.version, "order.known")


@pytest.mark.req("TL-32")
async def test_many_at_once_make_one_draft(desk: Desk) -> None:
    changes = await asyncio.gather(*(desk.call() for _ in range(8)))
    assert len({change.subject_id for change in changes}) == 1
    assert sum(change.kind == "order.opened" for change in changes) == 1
    async with desk.database.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(customer_order)) == 1


@pytest.mark.req("IN-11", "PX-03")
async def test_two_parallel_calls_get_two_serials(desk: Desk) -> None:
    changes = await asyncio.gather(*(desk.call(f"c{number}") for number in range(6)))
    serials = {(await desk.read(change)).serial for change in changes}
    assert len(serials) == 6


async def test_a_later_answer_hands_the_draft_over_and_an_old_one_told_again_does_not(desk: Desk) -> None:
    first = await desk.call()
    moved = await desk.call(agent="2001", after_s=60)
    assert (moved.kind, moved.subject_id, moved.version) == ("order.handed_over", first.subject_id, 2)
    assert (await desk.call(agent="1001")).kind == "order.known"
    assert (await desk.read(moved, "2001")).owner == "2001"
    with pytest.raises(NotFound):
        await desk.read(moved, "1001")


@pytest.mark.req("TL-32")
async def test_whoever_answers_of_whatever_post_there_is_a_draft(desk: Desk) -> None:
    async with desk.database.write() as conn:
        told = DraftFromCall("c1", "5001", VIP, "1860", desk.now)
        draft = await actions.draft_at_answer(conn, desk["5001"], told, desk.now)
    assert (await desk.read(draft, "5001")).owner == "5001"


async def test_a_withheld_number_still_makes_a_draft(desk: Desk) -> None:
    order = await desk.read(await desk.call(caller="anonymous"))
    assert (order.caller_number, order.contact_number, order.customer_id) == (None, None, None)


async def test_a_number_of_several_customers_guesses_none(desk: Desk) -> None:
    await desk.customer("张伟")
    await desk.customer("王芳")
    assert (await desk.read(await desk.call())).customer_id is None


async def test_an_agent_who_is_not_on_the_list_leaves_it_in_the_queue(desk: Desk) -> None:
    draft = await desk.call(agent="7777", queue="complaint")
    order = await desk.read(draft)
    assert order.owner == "complaint"
    taken = await desk.edit(draft, description="无声")
    assert (await desk.read(taken)).owner == "1001"


@pytest.mark.req("RT-03")
async def test_what_lies_with_the_seniors_is_taken_up_by_one_of_them(desk: Desk) -> None:
    draft = await desk.call(agent="7777", queue="senior")
    assert (await desk.read(draft)).owner == "senior"
    with pytest.raises(Forbidden) as refused:
        await desk.edit(draft, description="无声")
    assert refused.value.code == "not_your_draft"
    taken = await desk.edit(draft, agent="2001", description="无声")
    assert (await desk.read(taken, "2001")).owner == "2001"


@pytest.mark.req("TL-32")
async def test_a_customer_that_is_gone_keeps_no_draft_from_being_made(desk: Desk) -> None:
    known = await desk.customer()
    assert (await desk.read(await desk.call(customer="nobody"))).customer_id == known.public_id


async def test_the_change_its_audit_and_its_message_are_one_transaction(desk: Desk) -> None:
    draft = await desk.call()
    async with desk.database.read() as conn:
        verbs = list(await conn.scalars(select(audit.c.verb).where(audit.c.subject_id == draft.subject_id)))
        told = list(await conn.scalars(select(outbox.outbox.c.payload)))
    assert verbs == ["order.opened"]
    facts = {k: draft.payload[k] for k in ("order", "serial", "version", "state")}
    assert told == [{"event": "order.opened", "owner": "1001", **facts}]
    with pytest.raises(RuntimeError):
        await _edit_and_fail(desk, draft)
    async with desk.database.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(audit).where(audit.c.verb == "order.edited")) == 0
    assert (await desk.read(draft)).version == 1


async def _edit_and_fail(desk: Desk, draft: Change) -> None:
    async with desk.database.write() as conn:
        await actions.edit_draft(conn, desk["1001"], EditDraft(draft.subject_id, 1, {"description": "x"}), desk.now)
        raise RuntimeError
