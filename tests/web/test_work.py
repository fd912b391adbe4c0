"""Work beside the calls reaches the pages: changes on the stream, alerts to owner and supervisors, the figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from cti import reminders
from cti.hub import Hub
from tests.callbacks.vain import in_vain
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from ticketing.callbacks import actions, store
from ticketing.callbacks.model import NewBooking
from ticketing.callbacks.policy import shipped
from ticketing.changes import Change
from ticketing.db import Database
from ticketing.intake import actions as intake
from ticketing.intake.model import NewMessage
from ticketing.roles import SYSTEM

Heard = Callable[[str, str], list[dict[str, Any]]]


@pytest.fixture
def heard(hub: Hub) -> Heard:
    """What the log of a person holds under one name."""
    for number in ("1001", "2001", "3001", "5001", "6001"):
        hub.subscribe(number, None)

    def of(number: str, name: str) -> list[dict[str, Any]]:
        found = (hub.find(number, hub.event_id(seq)) for seq in range(1, 500))
        return [json.loads(event.body) for event in found if event is not None and event.name == name]

    return of


async def message(database: Database, now: datetime, n: int = 1) -> Change:
    """A message just taken in."""
    call = f"20260310013000-00000000000{n}"
    said = NewMessage(call, f"{call}-msg-1.wav", "13800138000", "1860", "zh", "complaint", 12.0, "limit", now)
    async with database.write() as conn:
        return await intake.take(conn, SYSTEM, said, now)


async def failed(database: Database, now: datetime) -> tuple[Change, Change]:
    """A callback that has just come onto the owner's list."""
    return await in_vain(database, shipped(), now)


@pytest.mark.req("TL-21")
async def test_a_message_appears_on_the_pages_of_those_who_may_see_it(
    centre: Database, hub: Hub, heard: Heard, now: datetime
) -> None:
    change = await message(centre, now)
    await reminders.tell(centre, hub, [change, Change("order.submitted", "x", 1, now)])
    (told,) = heard("6001", "item")
    assert told == {
        "id": change.subject_id, "serial": change.payload["serial"], "state": "new", "version": 1, "event": "item.taken"
    }  # fmt: skip
    assert heard("3001", "item") == [told]
    assert heard("1001", "item") == heard("5001", "item") == []
    again = await message(centre, now)
    await reminders.tell(centre, hub, [again])
    assert len(heard("6001", "item")) == 1


@pytest.mark.req("TL-23", "K17")
async def test_after_the_last_attempt_the_owner_and_the_supervisors_are_alerted(
    centre: Database, hub: Hub, heard: Heard, now: datetime
) -> None:
    booked, missed = await failed(centre, now)
    await reminders.tell(centre, hub, [booked, missed])
    assert [event["state"] for event in heard("1001", "callback")] == ["pending", "failed"]
    (alert,) = heard("3001", "alert")
    assert (alert["code"], alert["details"]) == (
        "callback_listed", {"id": booked.subject_id, "serial": booked.payload["serial"]}
    )  # fmt: skip
    assert len(heard("6001", "alert")) == 1  # the common list has it: all who work on callbacks
    assert heard("1001", "alert") == []


@pytest.mark.req("TL-23", "K17")
async def test_a_callback_of_a_person_alerts_him_and_no_colleague(
    centre: Database, hub: Hub, heard: Heard, now: datetime
) -> None:
    booked, missed = await failed(centre, now)
    async with centre.write() as conn:
        held = await store.hold(conn, booked.subject_id)
        await actions.reassign(conn, SYSTEM, booked.subject_id, held.version, "1001", now, reason="absent")
    await reminders.tell(centre, hub, [missed])
    assert [len(heard(number, "alert")) for number in ("1001", "3001", "6001", "2001")] == [1, 1, 0, 0]


@pytest.mark.req("F05")
async def test_a_caller_whom_a_fault_cut_off_is_told_as_well(
    centre: Database, hub: Hub, heard: Heard, now: datetime
) -> None:
    wish = NewBooking("13900139000", "complaint", "asap", "zh", 0, now, call_id="20260310012900-000000000009")
    async with centre.write() as conn:
        proposed = await actions.propose(conn, wish, shipped(), now)
    assert proposed is not None
    await reminders.tell(centre, hub, [proposed])
    assert [alert["details"]["id"] for alert in heard("3001", "alert")] == [proposed.subject_id]


@pytest.mark.req("K3", "K17")
async def test_what_goes_over_its_time_is_told_once(centre: Database, hub: Hub, heard: Heard, clock: Clock) -> None:
    watch = reminders.Overdue(centre, hub, lambda: clock.now)
    await message(centre, clock.now)
    assert await watch.look() == 0
    clock.advance(hours=2)
    assert await watch.look() == 1
    assert await watch.look() == 0
    assert [alert["code"] for alert in heard("6001", "alert")] == ["item_overdue"]
    assert [alert["code"] for alert in heard("3001", "alert")] == ["item_overdue"]
    assert heard("1001", "alert") == []


@pytest.mark.req("TL-21", "TL-23")
async def test_the_figures_are_what_a_person_may_see(
    open_browser: MakeBrowser, agent: Browser, centre: Database, clock: Clock
) -> None:
    await message(centre, clock.now)
    await failed(centre, clock.now)
    clerk = await open_browser("6001")
    assert await (await clerk.get("/api/work-counts")).json() == {
        "items_new": 1, "items_overdue": 0, "callbacks_listed": 1, "callbacks_overdue": 0,
        "papers_new": None, "papers_overdue": None, "originals_handed": None,
    }  # fmt: skip
    clock.advance(hours=3)
    await clerk.sign_in("6001")
    late = await (await clerk.get("/api/work-counts")).json()
    assert (late["items_overdue"], late["callbacks_overdue"]) == (1, 1)
    await agent.sign_in("1001")
    mine = await (await agent.get("/api/work-counts")).json()
    assert (mine["items_new"], mine["callbacks_listed"]) == (None, 1)


@pytest.mark.req("TL-21")
async def test_where_nothing_waits_the_newest_stands_first(
    open_browser: MakeBrowser, centre: Database, now: datetime
) -> None:
    clerk = await open_browser("6001")
    ids = []
    for n in (1, 2, 3):
        change = await message(centre, now + timedelta(minutes=n), n)
        await clerk.post(f"/api/items/{change.subject_id}/claim", {"version": 1})
        done = await clerk.post(f"/api/items/{change.subject_id}/discard", {"version": 2, "reason": "silent"})
        assert done.status == 200
        ids.append(change.subject_id)
    first = await (await clerk.get("/api/items?state=discarded&limit=2")).json()
    rest = await (await clerk.get(f"/api/items?state=discarded&limit=2&cursor={first['next_cursor']}")).json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == ids[::-1]
