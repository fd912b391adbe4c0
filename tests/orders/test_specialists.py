"""What waits for a senior comes first to who knows its business, and then to all (AD-02)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.orders.desk import Desk
from tests.orders.test_dispatch_story import TWO, Case
from ticketing.orders import dispatching, store
from ticketing.orders.inputs import Propose
from ticketing.orders.views import OrderFilter
from ticketing.roles import Post
from ticketing.staff import actions, qualifications
from ticketing.staff import store as people
from ticketing.staff.actions import AddStaff


async def waiting(desk: Desk, number: str, after_min: float = 0) -> list[str]:
    """Public ids of what waits for a person."""
    async with desk.database.read() as conn:
        now = desk.now + timedelta(minutes=after_min)
        page = await store.search(conn, desk[number], OrderFilter(for_me=True, sort="oldest"), now)
        return [each.id for each in page.items]


@pytest.mark.req("AD-02", "IN-23")
async def test_a_review_goes_first_to_who_knows_the_business(desk: Desk) -> None:
    admin = desk["9001"]
    async with desk.database.write() as conn:
        more = AddStaff("2002", "方圆", frozenset({Post.SA}), override="试用")
        await actions.add_staff(conn, admin, more, desk.now)
        await qualifications.set_skills(conn, admin, "2001", {"mobile": 3, "card": 1}, desk.now)
        await qualifications.set_skills(conn, admin, "2002", {"data": 4}, desk.now)
        desk.actors["2002"] = (await people.by_number(conn, "2002")).actor
    cases = []
    for call, business in (("c1", "data.broadband"), ("c2", "mobile.data"), ("c3", "fixed.local")):
        case = Case(desk, await desk.registered(call, business=business, caller=f"1390000000{call[1]}"))
        await case.act("1001", dispatching.propose, Propose, tasks=TWO, opinion="x")
        cases.append(case.id)
    data, mobile, fixed = cases
    assert await waiting(desk, "2002") == [data, fixed], "several specialties, and what is nobody's"
    assert await waiting(desk, "2001") == [mobile, fixed]
    late = 7.5  # half the limit of a review
    assert await waiting(desk, "2001", late - 0.1) == [mobile, fixed]
    assert await waiting(desk, "2001", late) == cases, "nothing waits for who is away"
    assert await waiting(desk, "2002", late) == cases
    async with desk.database.write() as conn:
        person = await people.by_number(conn, "2002")
        await actions.deactivate(conn, admin, "2002", person.version, desk.now)
    assert await waiting(desk, "2001") == cases, "who has left keeps nothing to himself"
