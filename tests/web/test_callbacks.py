"""Callbacks through the interface: booking, the list, cancel, put off, hand over, call now, and who may not."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from ticketing import calendar
from ticketing.callbacks.tables import callback
from ticketing.db import Database

WISH = {"number": "139 0013 9000", "note": "请找王女士"}


@pytest.fixture
async def senior(open_browser: MakeBrowser) -> Browser:
    return await open_browser("2001")


async def send(browser: Browser, made: dict[str, Any], verb: str, **body: Any) -> tuple[int, Any]:
    answer = await browser.post(f"/api/callbacks/{made['id']}/{verb}", body)
    return answer.status, await answer.json()


async def booked(browser: Browser, **changes: Any) -> dict[str, Any]:
    answer = await browser.post("/api/callbacks", WISH | changes)
    made: dict[str, Any] = await answer.json()
    assert answer.status == 201, made
    return made


@pytest.mark.req("TL-22")
async def test_an_agent_books_once_for_a_number(agent: Browser) -> None:
    offered = (await (await agent.get("/api/callback-windows")).json())["items"]
    assert [each["spoken"] for each in offered][:2] == ["asap", "today-morning"]
    made = await booked(agent, window=offered[4]["id"])
    assert (made["state"], made["number"], made["owner"]) == ("pending", "+8613900139000", "1001")
    assert (made["window"], made["window_start"], made["note"]) == (
        offered[4]["id"], offered[4]["starts_at"], "请找王女士"
    )  # fmt: skip
    again = await booked(agent)
    assert (again["serial"], again["requests"], again["window"]) == (made["serial"], 2, "asap")


@pytest.mark.req("TL-22", "TL-04")
async def test_windows_are_of_the_queue_s_hours_and_local_numbers_of_the_area(
    aiohttp_client: AiohttpClient, deps: WebDeps
) -> None:
    office = calendar.parse(
        '[calendar.office]\nzone = "Asia/Shanghai"\n'
        + "".join(f'{day} = ["09:30-12:00"]\n' for day in ("mon", "tue", "wed", "thu", "fri"))
    )["office"]
    here = replace(deps, opening={"complaint": office}.get, area_code="021")
    browser = Browser(await aiohttp_client(build_app(here)))
    await browser.sign_in("1001")
    for queue, spoken in (
        ("", {"asap", "morning"}),
        ("?queue=suggestion", {"asap", "morning", "afternoon", "evening"}),
    ):
        offered = (await (await browser.get(f"/api/callback-windows{queue}")).json())["items"]
        assert {each["spoken"].rpartition("-")[2] for each in offered} == spoken
    made = await booked(browser, number="6666 8888")
    assert made["number"] == "+862166668888"
    evening = next(each["id"] for each in offered if each["spoken"] == "tomorrow-evening")
    refused = await browser.post("/api/callbacks", WISH | {"window": evening})
    assert (refused.status, (await refused.json())["code"]) == (422, "no_such_window")


async def test_a_booking_sent_twice_is_one_request(agent: Browser) -> None:
    answers = [await agent.post("/api/callbacks", WISH, {"Idempotency-Key": "k-1"}) for _ in range(2)]
    bodies = [await answer.json() for answer in answers]
    assert [answer.status for answer in answers] == [201, 201]
    assert bodies[0] == bodies[1]
    assert bodies[0]["requests"] == 1


@pytest.mark.req("TL-22")
@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"number": "10086"}, "not_dialable", "number"), ({"number": "0044 20 7946 0958"}, "not_dialable", "number"),
        ({"window": "2020-01-01-morning"}, "no_such_window", "window"), ({"number": "call me"}, "invalid", "number"),
        ({"window": "asap; drop"}, "invalid", "window"), ({"priority": 9}, "unknown_field", "priority"),
    ],
)  # fmt: skip
async def test_what_cannot_be_called_back_is_refused(
    agent: Browser, changes: dict[str, object], code: str, field: str
) -> None:
    answer = await agent.post("/api/callbacks", WISH | changes)
    body = await answer.json()
    assert (answer.status, body["code"], body["details"]["field"]) == (422, code, field)


@pytest.mark.req("TL-23", "PX-04")
async def test_a_senior_works_on_the_list(
    open_browser: MakeBrowser, agent: Browser, senior: Browser, centre: Database
) -> None:
    made = await booked(agent)
    assert (await send(agent, made, "cancel", version=1, note="x"))[0] == 403
    status, put_off = await send(senior, made, "snooze", version=1, until="2026-03-10T05:00:00Z")
    assert (status, put_off["next_at"], put_off["joined_at"]) == (200, "2026-03-10T05:00:00Z", made["joined_at"])
    assert (await send(senior, made, "snooze", version=2, until="2026-03-09T05:00:00Z"))[1]["code"] == "in_the_past"
    assert (await send(senior, made, "call-now", version=1))[1]["code"] == "stale_version"
    async with centre.write() as conn:
        await conn.execute(callback.update().values(state="unknown", attempts=1, used=1))
    listed = await (await senior.get("/api/callbacks?listed=true")).json()
    assert [(each["id"], each["state"]) for each in listed["items"]] == [(made["id"], "unknown")]
    status, due = await send(senior, made, "call-now", version=2)
    assert (status, due["state"], due["next_at"]) == (200, "pending", "2026-03-10T01:30:00Z")
    supervisor = await open_browser("3001")
    assert (await send(senior, made, "reassign", version=3, number="2001", reason="absent"))[0] == 403
    status, mine = await send(supervisor, made, "reassign", version=3, number="2001", reason="absent")
    assert (status, mine["owner"]) == (200, "2001")
    assert len((await (await senior.get("/api/callbacks?mine=true")).json())["items"]) == 1
    status, common = await send(supervisor, made, "reassign", version=4, number=None, reason="absent")
    assert (status, common["owner"]) == (200, "callbacks")
    assert (await send(senior, made, "cancel", version=5, note=" "))[0] == 422
    status, gone = await send(senior, made, "cancel", version=5, note="已解决")
    assert (status, gone["state"], gone["end_reason"]) == (200, "cancelled", "staff")
    shown = await (await agent.get(f"/api/callbacks/{made['id']}")).json()
    assert shown == gone
    assert (await (await senior.get("/api/callbacks")).json())["items"] == []


async def test_nobody_is_called_in_quiet_hours(agent: Browser, senior: Browser, clock: Clock, now: datetime) -> None:
    made = await booked(agent)
    clock.advance(minutes=25)
    shown = await (await senior.get(f"/api/callbacks/{made['id']}")).json()
    assert (shown["card"], shown["overdue"], shown["tries"], shown["messages"]) == ("yellow", False, [], [])
    async with senior.client.get("/api/callbacks?cursor=bm8") as answer:
        assert answer.status == 422
    late = await open_late(senior, clock)
    status, answer = await send(late, made, "call-now", version=1)
    assert (status, answer["code"]) == (409, "quiet_hours")


async def open_late(browser: Browser, clock: Clock) -> Browser:
    """The same browser in the middle of the night, signed in anew."""
    clock.advance(hours=13)
    assert (await browser.sign_in("2001")).status == 200
    return browser


async def test_others_do_not_see_callbacks(open_browser: MakeBrowser, agent: Browser) -> None:
    made = await booked(agent)
    archivist = await open_browser("5001")
    assert (await archivist.get("/api/callbacks")).status == 403
    assert (await archivist.get(f"/api/callbacks/{made['id']}")).status == 403
    assert (await archivist.post("/api/callbacks", WISH)).status == 403
