"""Search, pages, access of each post, and what the voice menu may say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from tests.orders.desk import VIP, Desk
from ticketing.errors import Invalid, NotFound
from ticketing.orders import access, store
from ticketing.orders.model import OrderSummary
from ticketing.orders.tables import customer_order, work_order
from ticketing.orders.views import Order, OrderFilter
from ticketing.roles import Actor, Post
from ticketing.staff.tables import staff


async def _search(desk: Desk, agent: str = "1001", **conditions: Any) -> tuple[OrderSummary, ...]:
    async with desk.database.read() as conn:
        return (await store.search(conn, desk[agent], OrderFilter(**conditions), desk.now)).items


@pytest.mark.req("IN-14")
async def test_every_condition_finds_its_order_and_only_it(desk: Desk) -> None:
    known = await desk.customer()
    mine = await desk.read(await desk.registered(operation_serial="TX-1", description="网速慢\n第二行"))
    other = await desk.read(await desk.registered("c2", "1002", "13700137000", contact_number="13600136000"), "1002")
    cases: list[tuple[dict[str, Any], list[Order]]] = [
        ({"serial": mine.serial}, [mine]),
        ({"serial": mine.serial[:5]}, [mine]),
        ({"number": "138 0013 8000"}, [mine]),
        ({"number": "+8613600136000"}, [other]),
        ({"number": "ADSL-010-88886666"}, [other, mine]),
        ({"customer": known.public_id}, [mine]),
        ({"operation_serial": "TX-1"}, [mine]),
        ({"mine": True}, [mine]),
        ({"state": ("registered",), "kind": "complaint"}, [other, mine]),
        ({"state": ("closed",)}, []),
        ({"kind": "suggestion"}, []),
        ({"overdue": True}, []),
    ]
    for conditions, found in cases:
        got = [item.serial for item in await _search(desk, **conditions)]
        assert sorted(got) == sorted(order.serial for order in found), conditions
    assert (await _search(desk, serial=mine.serial))[0].summary == "网速慢"
    assert (await _search(desk, serial=mine.serial))[0].customer_name == "张伟"


async def test_a_condition_that_cannot_be_is_refused(desk: Desk) -> None:
    wrong: list[dict[str, Any]] = [{"state": ("flying",)}, {"kind": "flying"}, {"serial": "1%"}]
    for conditions in wrong:
        with pytest.raises(Invalid) as refusal:
            await _search(desk, **conditions)
        assert [refusal.value.field] == list(conditions)


async def test_pages_hold_each_order_once_while_new_ones_arrive(desk: Desk) -> None:
    first = {(await desk.read(await desk.registered(f"c{number}"))).serial for number in range(5)}
    seen: list[str] = []
    cursor = None
    while True:
        async with desk.database.read() as conn:
            page = await store.search(conn, desk["1001"], OrderFilter(), desk.now, cursor=cursor, limit=2)
        seen += [item.serial for item in page.items]
        await desk.call(f"new{len(seen)}", after_s=len(seen))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert set(seen) == first
    async with desk.database.read() as conn:
        for wrong in ("x", "AAAA", "MjAyNi0wMy0xMHwx"):
            with pytest.raises(Invalid) as refusal:
                await store.search(conn, desk["1001"], OrderFilter(), desk.now, cursor=wrong)
            assert refusal.value.field == "cursor"
        with pytest.raises(Invalid):
            await store.search(conn, desk["1001"], OrderFilter(), desk.now, limit=201)


@pytest.mark.req("DP-11")
async def test_drafts_are_in_nobodys_list_but_their_owners(desk: Desk) -> None:
    await desk.call()
    for agent, count in (("1001", 1), ("1002", 0), ("2001", 0), ("5001", 0), ("3001", 1), ("9001", 1)):
        assert len(await _search(desk, agent)) == count, agent


@pytest.mark.req("PR-01", "DP-11")
@pytest.mark.parametrize("few", [access.FEW, 0])
async def test_a_department_sees_an_order_once_it_has_a_sent_work_order(
    desk: Desk, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its orders are few and found by its work orders, or so many that all orders are asked."""
    monkeypatch.setattr(access, "FEW", few)
    order = await desk.registered()
    actor = await _department(desk, "8301", "city.network")
    stranger = await _department(desk, "8302", "city.billing")
    desk.actors |= {"8301": actor, "8302": stranger}
    for state, seen in ((None, 0), ("proposed", 0), ("sent", 1), ("done", 1)):
        await _work_order(desk, order.subject_id, state)
        assert len(await _search(desk, "8301")) == seen, state
        assert await _search(desk, "8302") == ()
    with pytest.raises(NotFound):
        await desk.read(order, "8302")
    assert [task.unit for task in (await desk.read(order, "8301")).work_orders] == ["city.network"]


async def _department(desk: Desk, number: str, unit: str) -> Actor:
    async with desk.database.write() as conn:
        made = await conn.execute(
            insert(staff)
            .values(number=number, name="部门", unit=unit, phone_kind="desk", language="zh", vip_overflow=False,
                    active=True, created_at=desk.now, version=1)
            .returning(staff.c.id)
        )  # fmt: skip
        return Actor(made.scalar_one(), number, "部门", frozenset({Post.DS}))


async def _work_order(desk: Desk, public_id: str, state: str | None) -> None:
    if state is None:
        return
    async with desk.database.write() as conn:
        known = await conn.execute(update(work_order).values(state=state))
        if known.rowcount == 0:
            order_id = await conn.scalar(customer_order.select().with_only_columns(customer_order.c.id))
            await conn.execute(
                insert(work_order).values(
                    public_id="w1", order_id=order_id, number=1, version=1, cycle=1, kind="work", state=state,
                    control="run", unit="city.network", owner_queue="city.network", dispatch_opinion="请处理",
                    urgent=False, created_at=desk.now, changed_at=desk.now, form={},
                )
            )  # fmt: skip


async def test_by_voice_only_state_and_next_step(desk: Desk) -> None:
    draft = await desk.call("c9")
    order = await desk.read(await desk.registered(contact_number="13900139000"))
    async with desk.database.read() as conn:
        told = await store.progress_by_serial(conn, order.serial, desk.now)
        assert told is not None
        assert (told.state, told.next_step, told.overdue, told.contact_last4) == (
            "registered",
            "registered",
            False,
            "9000",
        )
        assert await store.progress_by_serial(conn, (await desk.read(draft)).serial, desk.now) is None
        assert await store.progress_by_serial(conn, "000000000", desk.now) is None
        late = await store.progress_by_number(conn, f"+86{VIP}", desk.now + timedelta(days=2))
        assert [(each.serial, each.overdue) for each in late] == [(order.serial, True)]
        assert [each.serial for each in await store.progress_by_number(conn, "+8613900139000", desk.now)] == [
            order.serial
        ]
        assert await store.progress_by_number(conn, "+8613500135000", desk.now) == []


async def test_the_summary_shows_cards_from_the_nearest_limit(desk: Desk) -> None:
    order = await desk.registered()
    for hours, card in ((0, "none"), (46, "yellow"), (48, "red")):
        assert (await desk.read(order, after_s=hours * 3600)).card == card
