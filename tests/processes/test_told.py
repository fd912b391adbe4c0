"""Work that begins later, or comes with a duty, is told to the new unit: on its pages and by message (PX-05)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.notices.test_notices import SHIPPED, Fake
from tests.notices.test_notices import Post as Office
from tests.orders.desk import Desk
from tests.processes.test_by_template import responsible
from tests.processes.test_reorganising import dispatched, go, lines
from tests.web.fakes import Clock
from tests.web.test_news import Streams
from ticketing.notices import rules
from ticketing.orders.reorganising import Choice, Live

__all__ = ["lines"]

BILLING = "+8613800000002"
ADDRESSES = f'\n[units."city.billing"]\nsms = ["{BILLING}"]\n'


async def told_to_billing(office: Office, serial: str) -> list[tuple[str, str]]:
    """Messages to the billing centre: kind, and the work order it names."""
    rows = [row for row in await office.rows() if row.address == BILLING]
    assert all(serial in row.text for row in rows)
    return [(row.kind, row.text.split(serial + "-", 1)[1].split("，", 1)[0]) for row in rows]


@pytest.mark.req("PX-05", "TL-25", "DP-02")
async def test_the_next_step_of_a_template_is_told_when_it_begins(desk: Desk, lines: dict[str, str]) -> None:
    await responsible(desk, "repair", "city.billing", complaint_type="network")
    case = await dispatched(desk, "c1")
    office = Office(desk, Fake(), rules.parse(SHIPPED + ADDRESSES))
    streams = Streams(desk.database, Clock(desk.now), "8002", "8001", "1002", beside=[office.writer])
    await streams.told("work")
    serial = (await case.read()).serial
    assert await told_to_billing(office, serial) == [], "the step before it is not done"
    await case.finished("city.network", "8001")
    told = await streams.told("work")
    assert await told_to_billing(office, serial) == [("new_work", "2")]
    assert told["8002"] == [
        {"order": case.id, "serial": serial, "unit": "city.billing", "event": "work_order.sent", "urgent": False}
    ]
    assert {each["unit"] for each in told["8001"]} == {"city.network"}, "the other is told of its own step alone"
    assert told["1002"] == []


@pytest.mark.req("PX-05", "TL-25", "AD-03")
async def test_work_that_follows_a_duty_is_told_to_the_unit_that_has_it_now_and_to_who_had_it(
    desk: Desk, lines: dict[str, str]
) -> None:
    case = await dispatched(desk, "c1")
    office = Office(desk, Fake(), rules.parse(SHIPPED + ADDRESSES))
    clock = Clock(desk.now)
    streams = Streams(desk.database, clock, "8002", "8001", "1002", beside=[office.writer])
    await streams.told("work")
    desk.now += timedelta(minutes=10)
    clock.advance(minutes=10)
    await go(desk, lines["check"], "city.billing", Live(Choice.FOLLOW))
    serial = (await case.read()).serial
    told = await streams.told("work")
    assert await told_to_billing(office, serial) == [("new_work", "1")]
    moved = {"order": case.id, "serial": serial, "unit": "city.billing", "event": "work_order.followed"}
    assert told == {"8002": [{**moved, "urgent": False}], "8001": [{**moved, "urgent": False}], "1002": []}
