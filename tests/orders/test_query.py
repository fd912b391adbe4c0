"""Every condition of a search by itself, every pair of them, the orders of a list, and pages under inserts."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, get_args

import pytest

from cti.web.schemas.orderquery import OrderConditions
from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import ALL_WELL, REPLIED, TWO, Case
from ticketing.db import Database
from ticketing.errors import Invalid, TookTooLong
from ticketing.orders import actions, closing, dispatching, listing, store
from ticketing.orders.inputs import Dispatch, NewDraft, Propose, Rate, Reply
from ticketing.orders.model import Channel
from ticketing.orders.views import OrderFilter

#: name of each order -> its serial, made by `several`
Made = dict[str, str]


async def several(desk: Desk) -> Made:
    """A closed complaint, an urgent one, a suggestion by letter, and a draft of a VIP's call."""
    await desk.customer("张伟", vip_class="major")
    closed = Case(desk, await desk.registered(caller="13900139001"))
    await closed.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="请处理")
    await closed.act("2001", dispatching.approve, Dispatch, opinion="同意", checks=ALL_WELL)
    closed.at_h = 2
    await closed.finished("city.network", "8001")
    await closed.finished("city.billing", "8002")
    await closed.act("2001", closing.reply, Reply, **REPLIED)
    closed.at_h = 5
    await closed.act("7001", closing.rate, Rate, outcome="satisfied", grade="satisfied")
    other = {
        "business": "mobile.data", "nature": "charges.bill", "complaint_type": "charges", "unit": "city.billing",
        "operation_serial": "TX-1", "contact_number": "13600136000", "urgent": True, "description": "扣费不明",
        "complainant_type": "agent", "event_at": desk.now - timedelta(days=9), "service_number": "13700137000",
    }  # fmt: skip
    urgent = await desk.registered("c2", "1002", "13700137000", **other)
    async with desk.database.write() as conn:
        letter = NewDraft(Channel.LETTER, desk.now - timedelta(hours=1))
        draft = await actions.create_draft(conn, desk["6001"], letter, desk.now + timedelta(seconds=1))
    said = {"kind": "suggestion", "business": "card.ip", "nature": "other", "suggestion_category": "new_business"}
    said |= {"description": "建议开通", "verbatim": "希望开通", "contact_name": "José", "contact_number": "13500135000"}
    letter_ = await desk.submit(await desk.edit(draft, "6001", **said, reply_mode="none"), "6001", after_s=2)
    begun = await desk.call("c3", after_s=3)
    found = {"closed": closed.id, "urgent": urgent.subject_id, "letter": letter_.subject_id, "draft": begun.subject_id}
    async with desk.database.read() as conn:
        return {name: (await store.get(conn, desk["9001"], id_, desk.now)).serial for name, id_ in found.items()}


def conditions(now: datetime, made: Made) -> list[tuple[OrderFilter, str]]:
    """Each condition of the interface with the orders it finds."""
    hour, day = timedelta(hours=1), timedelta(days=1)

    def codes(**given: str) -> OrderFilter:
        return OrderFilter(codes=given)

    def by(**given: str) -> OrderFilter:
        return OrderFilter(people=given)

    def so(**given: bool) -> OrderFilter:
        return OrderFilter(flags=given)

    def at(**given: tuple[datetime | None, datetime | None]) -> OrderFilter:
        return OrderFilter(times=given)

    return [
        (OrderFilter(state=("closed", "draft")), "closed draft"),
        (OrderFilter(kind="suggestion"), "letter"),
        (OrderFilter(channel=("telephone",)), "closed urgent draft"),
        (OrderFilter(channel=("letter", "fax")), "letter"),
        (codes(business="data"), "closed"),
        (codes(business="data.broadband"), "closed"),
        (codes(nature="charges"), "urgent"),
        (codes(complaint_type="network"), "closed"),
        (codes(complainant_type="ordinary"), "closed"),
        (codes(suggestion_category="new_business"), "letter"),
        (codes(unit="city"), "closed urgent"),
        (codes(unit="city.billing"), "urgent"),
        (codes(vip_class="major"), "draft"),
        (codes(reply_mode="telephone"), "closed urgent"),
        (codes(no_order_reason="inquiry"), ""),
        (codes(work_unit="city"), "closed"),
        (codes(work_unit="county"), ""),
        (codes(cause="network"), "closed"),
        (codes(satisfaction="satisfied"), "closed"),
        (OrderFilter(number="138 0013 8000"), "draft"),
        (OrderFilter(number="13700137000"), "urgent"),
        (OrderFilter(serial=made["letter"]), "letter"),
        (OrderFilter(work_serial=f"{made['closed']}-2"), "closed"),
        (OrderFilter(work_serial=f"{made['closed']}-3"), ""),
        (OrderFilter(dnis="1860"), "closed urgent draft"),
        (OrderFilter(name="张"), "draft"),
        (OrderFilter(name="osé"), "letter"),
        (OrderFilter(name="%"), ""),
        (OrderFilter(operation_serial="TX-1"), "urgent"),
        (OrderFilter(work_state=("done",)), "closed"),
        (OrderFilter(work_state=("sent", "working")), ""),
        (OrderFilter(owner="1002"), "urgent"),
        (OrderFilter(owner="senior"), ""),
        (by(received="6001"), "letter"),
        (by(reviewed="2001"), "closed"),
        (by(dispatched="2001"), "closed"),
        (by(handled="8001"), "closed"),
        (by(handled="1001"), ""),
        (by(replied="2001"), "closed"),
        (by(surveyed="7001"), "closed"),
        (by(acted="1002"), "urgent"),
        (by(acted="none"), ""),
        (so(urgent=True), "urgent"),
        (so(urgent=False), "closed letter draft"),
        (so(vip=True), "draft"),
        (so(vip=False), "closed urgent letter"),
        (so(repeat=True), ""),
        (so(paused=False), "closed urgent letter draft"),
        (so(fcr=True), ""),
        (so(live=False), "closed"),
        (OrderFilter(overdue=True), ""),
        (OrderFilter(card="none"), "closed urgent letter draft"),
        (OrderFilter(card="yellow"), ""),
        (OrderFilter(words="扣费"), "urgent"),
        (at(created=(now + timedelta(seconds=1), None)), "letter draft"),
        (at(received=(None, now)), "letter"),
        (at(registered=(now, now + hour)), "closed urgent letter"),
        (at(ended=(now + hour, None)), "closed"),
        (at(due=(None, now + 30 * day)), "urgent letter"),
        (at(event=(None, now - 5 * day)), "urgent"),
        (at(promised=(now, now + 3 * day)), "urgent"),
        (at(sent=(now, now + hour)), "closed"),
        (at(handled=(now + hour, now + day)), "closed"),
    ]  # fmt: skip


def joined(one: OrderFilter, two: OrderFilter) -> OrderFilter | None:
    """Both conditions; None when they are the same one twice."""
    values: dict[str, Any] = {}
    for name, empty in ((name, getattr(OrderFilter(), name)) for name in OrderFilter.__dataclass_fields__):
        first, second = getattr(one, name), getattr(two, name)
        if isinstance(empty, dict):
            if first.keys() & second.keys():
                return None
            values[name] = {**first, **second}
        elif empty not in {first, second}:
            return None
        else:
            values[name] = second if first == empty else first
    return OrderFilter(**values)


async def found(desk: Desk, wanted: OrderFilter, agent: str = "9001", **more: Any) -> list[str]:
    """Serials of what a search gives, in its order."""
    async with desk.database.read() as conn:
        page = await store.search(conn, desk[agent], wanted, desk.now + timedelta(seconds=9), **more)
    return [item.serial for item in page.items]


@pytest.mark.req("AU-03", "AU-04", "KB-09", "KB-12")
async def test_each_condition_finds_its_orders_and_each_pair_what_both_find(desk: Desk) -> None:
    made = await several(desk)
    cases = conditions(desk.now, made)
    for wanted, names in cases:
        assert set(await found(desk, wanted)) == {made[name] for name in names.split()}, wanted
    pairs, every = 0, 1 if desk.database.dialect == "sqlite" else 7
    for (one, first), (two, second) in list(combinations(cases, 2))[::every]:
        both = joined(one, two)
        if both is None:
            continue
        expected = {made[name] for name in set(first.split()) & set(second.split())}
        assert set(await found(desk, both)) == expected, both
        pairs += 1
    assert pairs > 1500 / every


def test_every_condition_of_the_interface_is_tried(now: datetime) -> None:
    """What the interface takes and the cases above are the same conditions, none forgotten."""
    cases = [wanted for wanted, _ in conditions(now, dict.fromkeys(("closed", "urgent", "letter", "draft"), "1"))]
    tried: set[str] = {"mine", "for_me", "sort", "customer"}  # tried below and in test_reading
    for wanted in cases:
        tried |= set(wanted.codes) | set(wanted.flags)
        tried |= {f"{stage}_by" for stage in wanted.people}
        tried |= {f"{name}_{end}" for name in wanted.times for end in ("from", "to")}
        plain = {"state", "kind", "channel", "number", "serial", "work_serial", "dnis", "name", "operation_serial"}
        plain |= {"work_state", "owner", "overdue", "card", "words"}
        empty = OrderFilter()
        tried |= {name for name in plain if getattr(wanted, name) != getattr(empty, name)}
    assert {"q" if name == "words" else name for name in tried} == set(OrderConditions.model_fields)
    assert all(field.description for field in OrderConditions.model_fields.values())
    assert set(get_args(OrderConditions.model_fields["sort"].annotation)) == set(listing.SORTS)


@pytest.mark.req("AU-03")
@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (OrderFilter(codes={"business": "no.such"}), "business"),
        (OrderFilter(codes={"colour": "red"}), "colour"),
        (OrderFilter(channel=("pigeon",)), "channel"),
        (OrderFilter(work_state=("flying",)), "work_state"),
        (OrderFilter(card="green"), "card"),
        (OrderFilter(sort="id"), "sort"),
        (OrderFilter(people={"sung": "1001"}), "sung_by"),
        (OrderFilter(flags={"blue": True}), "blue"),
        (OrderFilter(work_serial="12-x"), "work_serial"),
        (OrderFilter(work_serial="12"), "work_serial"),
    ],
)
async def test_a_condition_that_cannot_be_is_named(desk: Desk, wanted: OrderFilter, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await found(desk, wanted)
    assert refusal.value.field == field


async def test_a_span_that_ends_before_it_begins_is_refused(desk: Desk) -> None:
    for end in (desk.now, desk.now - timedelta(days=1)):
        with pytest.raises(Invalid) as refusal:
            await found(desk, OrderFilter(times={"created": (desk.now, end)}))
        assert (refusal.value.code, refusal.value.field) == ("empty_span", "created_to")


@pytest.mark.req("AU-03", "DP-07")
@pytest.mark.parametrize("sort", listing.SORTS)
async def test_pages_of_each_list_join_while_orders_come_in(desk: Desk, sort: str) -> None:
    """What was there when reading began is seen once and in order, whatever is added; a cursor fits its list only."""
    made = await several(desk)
    for number in range(3):
        await desk.registered(f"more{number}", "1002", "13400134000", urgent=number == 1)
    whole = await found(desk, OrderFilter(sort=sort))
    assert len(whole) == len(made) + 3
    seen: list[str] = []
    cursor = None
    while True:
        async with desk.database.read() as conn:
            wanted = OrderFilter(sort=sort)
            page = await store.search(conn, desk["9001"], wanted, desk.now, cursor=cursor, limit=2)
        seen += [item.serial for item in page.items]
        await desk.call(f"new{len(seen)}", "1002", after_s=100 + len(seen))
        if page.next_cursor is None or len(seen) > 20:
            break
        cursor = page.next_cursor
        other = "oldest" if sort == "newest" else "newest"
        with pytest.raises(Invalid):
            await found(desk, OrderFilter(sort=other), cursor=cursor)
    old = [serial for serial in seen if serial in whole]
    assert old == whole
    if sort == "urgent":
        assert made["urgent"] in whole[:2]
    if sort == "due":
        assert set(whole[-2:]) == {made["closed"], made["draft"]}, "what has no limit comes last"


@pytest.mark.req("AU-03")
async def test_a_statement_that_takes_too_long_is_ended(database: Database) -> None:
    """The database stops working, and its connection is good for the next one."""
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n"
    )
    for _ in range(5):
        with pytest.raises(TookTooLong):
            async with database.read(limit_s=0.05) as conn:
                await conn.exec_driver_sql(endless)
    async with database.read() as conn:
        assert (await conn.exec_driver_sql("SELECT max(i) FROM (SELECT 7 AS i) AS t")).scalar_one() == 7
