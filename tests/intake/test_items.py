"""Recorded complaints: taken in once, heard in two hours, gone only as an order or with a reason."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.intake.conftest import Leave
from tests.orders.desk import Desk
from ticketing.audit import audit
from ticketing.changes import Change
from ticketing.errors import Forbidden, Invalid, NotFound, Refused, Stale
from ticketing.intake import actions, store
from ticketing.intake.model import Item, ItemFilter, NewMessage, Sorted
from ticketing.intake.tables import intake_item
from ticketing.orders.tables import customer_order
from ticketing.roles import SYSTEM
from ticketing.serials import reserve_block, valid

CLERK, OTHER, SENIOR = "6001", "2001", "3001"


async def take(desk: Desk, message: NewMessage, after: timedelta = timedelta()) -> Change:
    async with desk.database.write() as conn:
        return await actions.take(conn, SYSTEM, message, desk.now + after)


async def claim(desk: Desk, change: Change, by: str = CLERK) -> Change:
    async with desk.database.write() as conn:
        return await actions.claim(conn, desk[by], change.subject_id, change.version, desk.now)


async def read(desk: Desk, change: Change, at: datetime | None = None) -> Item:
    async with desk.database.read() as conn:
        return await store.get(conn, change.subject_id, at or desk.now)


@pytest.mark.req("TL-21", "K3")
async def test_a_message_becomes_an_item_with_a_number_an_owner_and_two_hours(desk: Desk, leave: Leave) -> None:
    customer = await desk.customer()
    item = await read(desk, await take(desk, leave(), timedelta(seconds=9)))
    assert valid(item.serial)
    assert (item.state, item.owner, item.caller_number) == ("new", "recordings", "+8613800138000")
    assert (item.customer_id, item.customer_name) == (customer.public_id, "张伟")
    assert (item.received_at, item.due_at) == (desk.now, desk.now + timedelta(hours=2))
    assert item.key == "20260310013000-000001123456-msg-1"
    soon, late = desk.now + timedelta(minutes=90), desk.now + timedelta(hours=2, seconds=1)
    assert [(await read(desk, Change("", item.id, 0, soon), at)).card for at in (desk.now, soon, late)] == [
        "none", "yellow", "red",
    ]  # fmt: skip


@pytest.mark.req("TL-24")
async def test_the_same_message_is_taken_in_once_also_by_many_at_once(desk: Desk, leave: Leave) -> None:
    made = await asyncio.gather(*(take(desk, leave()) for _ in range(8)))
    assert len({change.payload["serial"] for change in made}) == 1
    assert sorted(change.kind for change in made) == ["item.known"] * 7 + ["item.taken"]
    second = await take(desk, leave(2))
    assert second.payload["serial"] != made[0].payload["serial"]


async def test_a_serial_that_was_read_out_from_a_block_is_kept_once(desk: Desk, leave: Leave) -> None:
    async with desk.database.write() as conn:
        told = (await reserve_block(conn, "rescue", 1))[0]
    first, second = await take(desk, leave(1, serial=told)), await take(desk, leave(2, serial=told))
    assert first.payload["serial"] == told
    assert second.payload["serial"] != told
    assert valid((await take(desk, leave(3, serial="123"))).payload["serial"])


@pytest.mark.req("TL-21")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seconds": 1.9}, "too_short"),
        ({"sorted_out": Sorted.SILENCE}, "silence"),
        ({"sorted_out": Sorted.TONE, "seconds": 60}, "tone"),
    ],
)
async def test_what_says_nothing_is_put_aside_with_its_reason_and_can_still_be_heard(
    desk: Desk, leave: Leave, changes: dict[str, object], why: str
) -> None:
    change = await take(desk, leave(**changes))
    item = await read(desk, change)
    assert (item.state, item.sorted_out, item.card) == ("sorted_out", why, "none")
    async with desk.database.read() as conn:
        page = await store.search(conn, desk[CLERK], ItemFilter(), desk.now)
        aside = await store.search(conn, desk[CLERK], ItemFilter(state=("sorted_out",)), desk.now)
    assert (page.items, [each.serial for each in aside.items]) == ((), [item.serial])
    claimed = await read(desk, await claim(desk, change))
    assert (claimed.state, claimed.sorted_out, claimed.owner) == ("claimed", why, CLERK)


@pytest.mark.parametrize(
    "changes",
    [
        {"ani": "anonymous"}, {"ani": "\x00\x1b[2J" * 40}, {"queue": "x" * 300, "dnis": "9" * 99}, {"seconds": None},
        {"seconds": float("nan")}, {"seconds": -3.0}, {"at": datetime(2999, 1, 1, tzinfo=UTC)},
    ],
)  # fmt: skip
async def test_nothing_strange_the_telephone_says_loses_a_message(
    desk: Desk, leave: Leave, changes: dict[str, object]
) -> None:
    item = await read(desk, await take(desk, leave(**changes)))
    assert item.state == "new"
    assert item.received_at <= desk.now


@pytest.mark.parametrize("file", ["../etc/passwd.wav", "a.wav", "x" * 90 + ".wav", "20260310-1.WAV", ""])
async def test_a_file_that_is_no_voice_file_is_refused(desk: Desk, leave: Leave, file: str) -> None:
    with pytest.raises(Invalid, match="bad_file_name"):
        await take(desk, leave(file=file))


async def test_a_message_found_silent_later_is_put_aside_unless_a_clerk_has_it(desk: Desk, leave: Leave) -> None:
    first, second = await take(desk, leave(1)), await take(desk, leave(2))
    await claim(desk, second)
    async with desk.database.write() as conn:
        for n in (1, 2):
            await actions.sort_out(conn, SYSTEM, leave(n, sorted_out=Sorted.SILENCE), desk.now)
    assert [(await read(desk, change)).state for change in (first, second)] == ["sorted_out", "claimed"]


@pytest.mark.req("IN-27", "TL-21")
async def test_one_message_gives_several_orders_counted_from_its_receipt(desk: Desk, leave: Leave) -> None:
    await desk.customer()
    change = await claim(desk, await take(desk, leave(at=desk.now - timedelta(hours=1))))
    for version in (2, 3):
        async with desk.database.write() as conn:
            made = await actions.to_order(conn, desk[CLERK], change.subject_id, version, desk.now)
        order = await desk.read(made.order, CLERK)
        assert (order.channel, order.received_at, order.state) == ("recording", desk.now - timedelta(hours=1), "draft")
        assert order.contact_number == "+8613800138000"
        entry = next(clock for clock in order.clocks if clock.code == "K3")
        assert entry.due_at == desk.now + timedelta(hours=1)
        assert [contact.external_id for contact in order.contacts] == ["20260310013000-000001123456-msg-1"]
        assert {each.kind for each in made.changes} == {"order.opened", "order.edited", "item.ordered"}
    item = await read(desk, change)
    assert (item.state, item.outcome, item.owner, len(item.orders)) == ("done", "met", None, 2)
    async with desk.database.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(customer_order)) == 2


@pytest.mark.req("IN-28")
async def test_a_discard_needs_a_living_reason_and_the_clerk_who_heard_it(desk: Desk, leave: Leave) -> None:
    change = await take(desk, leave())

    async def discard(by: str, version: int, reason: str) -> Change:
        async with desk.database.write() as conn:
            return await actions.discard(conn, desk[by], change.subject_id, version, reason, "只有音乐", desk.now)

    with pytest.raises(Refused, match="not_from_here"):
        await discard(CLERK, 1, "silent")
    await claim(desk, change)
    with pytest.raises(Refused, match="not_your_item"):
        await discard(OTHER, 2, "silent")
    for wrong in ("", "no.such"):
        with pytest.raises(Invalid):
            await discard(CLERK, 2, wrong)
    assert (await read(desk, change)).state == "claimed"
    await discard(CLERK, 2, "silent")
    item = await read(desk, change)
    assert (item.state, item.discard_reason, item.note, item.ended_at) == ("discarded", "silent", "只有音乐", desk.now)
    with pytest.raises(Refused):
        await discard(CLERK, 3, "silent")
    async with desk.database.read() as conn:
        verbs = await conn.scalars(select(audit.c.verb).where(audit.c.subject_kind == "item").order_by(audit.c.id))
        assert list(verbs) == ["item.taken", "item.claimed", "item.discarded"]


async def test_one_of_many_clerks_gets_it_and_the_others_see_who(desk: Desk, leave: Leave) -> None:
    change = await take(desk, leave())
    results = await asyncio.gather(*(claim(desk, change, by) for by in (CLERK, OTHER) * 4), return_exceptions=True)
    winners = [each for each in results if isinstance(each, Change)]
    losers = [each for each in results if isinstance(each, Stale)]
    assert (len(winners), len(losers)) == (1, 7)
    assert {each.details["by"] for each in losers} == {(await read(desk, change)).owner}


async def test_given_back_and_handed_over(desk: Desk, leave: Leave) -> None:
    change = await claim(desk, await take(desk, leave()))
    async with desk.database.write() as conn:
        with pytest.raises(Refused, match="not_your_item"):
            await actions.release(conn, desk[OTHER], change.subject_id, 2, desk.now)
        await actions.release(conn, desk[CLERK], change.subject_id, 2, desk.now)
    assert (await read(desk, change)).owner == "recordings"
    async with desk.database.write() as conn:
        with pytest.raises(Forbidden):
            await actions.reassign(conn, desk[CLERK], change.subject_id, 3, OTHER, desk.now, reason="absent")
        with pytest.raises(Forbidden):
            await actions.reassign(conn, desk[SENIOR], change.subject_id, 3, "1001", desk.now, reason="absent")
        with pytest.raises(NotFound):
            await actions.reassign(conn, desk[SENIOR], change.subject_id, 3, "7777", desk.now, reason="absent")
        await actions.reassign(conn, desk[SENIOR], change.subject_id, 3, OTHER, desk.now, reason="absent")
    item = await read(desk, change)
    assert (item.state, item.owner) == ("claimed", OTHER)


@pytest.mark.parametrize("number", ["1001", "3001", "5001", "9001"])
async def test_other_posts_may_not_work_on_messages(desk: Desk, leave: Leave, number: str) -> None:
    change = await take(desk, leave())
    with pytest.raises(Forbidden):
        await claim(desk, change, number)


@pytest.mark.req("TL-21")
async def test_the_queue_is_read_by_remaining_time_page_by_page(desk: Desk, leave: Leave) -> None:
    for n in range(1, 8):
        await take(desk, leave(n, at=desk.now - timedelta(minutes=(n * 37) % 150)))
    seen: list[Item] = []
    cursor: str | None = None
    async with desk.database.read() as conn:
        while True:
            page = await store.search(conn, desk[CLERK], ItemFilter(), desk.now, cursor=cursor, limit=3)
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        overdue = await store.search(conn, desk[CLERK], ItemFilter(overdue=True), desk.now)
        mine = await store.search(conn, desk[CLERK], ItemFilter(mine=True), desk.now)
        known = await store.search(conn, desk[CLERK], ItemFilter(number="138 0013 8000"), desk.now)
        one = await store.search(conn, desk[CLERK], ItemFilter(serial=seen[3].serial), desk.now)
        for wrong in (ItemFilter(state=("lost",)),):
            with pytest.raises(Invalid, match="unknown_code"):
                await store.search(conn, desk[CLERK], wrong, desk.now)
        for bad in ("x", "MTIz", ""):
            with pytest.raises(Invalid, match="bad_cursor"):
                await store.search(conn, desk[CLERK], ItemFilter(), desk.now, cursor=bad)
        with pytest.raises(Invalid, match="bad_limit"):
            await store.search(conn, desk[CLERK], ItemFilter(), desk.now, limit=201)
    assert [item.due_at for item in seen] == sorted(item.due_at for item in seen)
    assert len({item.serial for item in seen}) == 7
    assert [item.overdue for item in overdue.items] == [True] * sum(item.overdue for item in seen)
    assert (mine.items, len(known.items), [each.id for each in one.items]) == ((), 7, [seen[3].id])


async def test_a_row_without_a_reason_or_an_owner_cannot_be_written(desk: Desk, leave: Leave) -> None:
    change = await take(desk, leave())
    for values in ({"state": "discarded", "ended_at": desk.now}, {"owner_queue": None}, {"state": "sorted_out"}):
        with pytest.raises(Exception, match=r"(?i)check"):
            async with desk.database.write() as conn:
                await conn.execute(
                    intake_item.update().where(intake_item.c.public_id == change.subject_id).values(**values)
                )
