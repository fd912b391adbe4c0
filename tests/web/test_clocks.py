"""Clocks through the interface: pause and resume, why a deadline is when it is, calendars and limits."""

from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Clock
from tests.web.test_workflow import TASK, WELL, registered, step
from ticketing.clocks import calendars
from ticketing.db import Database


@pytest.mark.req("T26", "MN-03", "MN-04", "K9")
async def test_pause_and_resume_and_why_the_limit_is_when_it_is(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    async with database.write() as conn:
        await calendars.load(conn, calendars.shipped(), clock.now)
    junior, senior = await open_browser("1001"), await open_browser("2001")
    order = await registered(junior, clock)
    order = await step(junior, order, "hand-to-senior", reason="超出范围")
    task = {**TASK, "limit_s": 8 * 3600, "working_time": True}
    order = await step(senior, order, "dispatch", opinion="自行派单", checks=WELL, tasks=[task])
    begun = clock.now
    until = (begun + timedelta(hours=2)).isoformat()
    pause: dict[str, Any] = {"reason": "information", "resume_expected_at": until}
    assert (await step(junior, order, "pause", 403, **pause))["code"] == "forbidden"
    wrong = await step(senior, order, "pause", 422, reason="information", resume_expected_at=begun.isoformat())
    assert wrong["details"]["field"] == "resume_expected_at"
    order = await step(senior, order, "pause", **pause, note="等账单")
    assert (order["control"], "resume" in order["actions"], "pause" in order["actions"]) == ("paused", True, False)
    stage = next(each for each in order["clocks"] if each["code"] == "K9")
    assert stage["due_at"] is None
    clock.advance(minutes=20)
    order = await step(senior, order, "resume")
    assert (await step(senior, order, "resume", 409))["code"] == "not_paused"
    told = (await (await senior.get(f"/api/orders/{order['id']}/clocks")).json())["items"]
    why = next(each for each in told if each["code"] == "K9")
    assert (why["calendar"], why["target_s"], why["paused_s"]) == ("office@1", 8 * 3600, 1200)
    assert [piece["kind"] for piece in why["pieces"]] == ["ran", "paused", "left"]
    assert sum(piece["counted_s"] for piece in why["pieces"]) == 8 * 3600
    assert why["pieces"][-1]["ended_at"] == why["due_at"]
    assert all(each["name"]["zh"] and each["name"]["en"] for each in told)
    both = {each["anchor"]: each["graded"] for each in told if each["code"] == "K6"}
    assert both == {"A": False, "B": True}, "a letter is judged by the senior's receipt (G4)"
    department = await open_browser("8002")
    assert (await department.get(f"/api/orders/{order['id']}/clocks")).status == 404


@pytest.mark.req("MN-08", "K9")
async def test_an_administrator_keeps_calendars_and_limits(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    async with database.write() as conn:
        await calendars.load(conn, calendars.shipped(), clock.now)
    admin, senior = await open_browser("9001"), await open_browser("2001")
    found = await (await senior.get("/api/calendars")).json()
    office = next(each for each in found["items"] if each["code"] == "office")
    assert office["unknown_years"] == [clock.now.year + 1], "next year's holidays are not written here yet"
    fields = {**office["fields"], "holidays": [*office["fields"]["holidays"], "2027-01-01/2027-01-03"]}
    said = {"version": 1, "fields": fields}
    assert (await senior.send("PUT", "/api/calendars/office", said)).status == 403
    answer = await admin.send("PUT", "/api/calendars/office", said)
    assert answer.status == 200, await answer.text()
    office = next(each for each in (await answer.json())["items"] if each["code"] == "office")
    assert (office["version"], office["published_by"], office["unknown_years"]) == (2, "9001", [])
    assert (await admin.send("PUT", "/api/calendars/office", said)).status == 409
    broken = await admin.send("PUT", "/api/calendars/night", {"version": 0, "fields": {"zone": "Mars"}})
    assert (broken.status, (await broken.json())["code"]) == (422, "bad_calendar")
    units = (await (await admin.send("PUT", "/api/unit-calendars/city", {"calendar": "field"})).json())["units"]
    assert {"unit": "city", "calendar": "field"} in units
    assert (await admin.send("PUT", "/api/unit-calendars/moon", {"calendar": "field"})).status == 422
    assert (await admin.send("PUT", "/api/unit-calendars/city", {"calendar": "night"})).status == 404

    limit = await (await admin.send("PUT", "/api/clock-limits/K8", {"target_s": 1200, "lead_s": 400})).json()
    assert (limit["target_s"], limit["lead_s"], limit["shipped_target_s"], limit["changed_by"]) == (
        1200, 400, 900, "9001"
    )  # fmt: skip
    wrong = await admin.send("PUT", "/api/clock-limits/K8", {"target_s": 300})
    assert (wrong.status, (await wrong.json())["details"]["field"]) == (422, "lead_s")
    assert (await admin.send("PUT", "/api/clock-limits/K99", {"lead_s": 1})).status == 404
    assert (await senior.send("PUT", "/api/clock-limits/K8", {"lead_s": 1})).status == 403
    listed = (await (await senior.get("/api/clock-limits")).json())["items"]
    assert {each["code"]: each["lead_s"] for each in listed}["K8"] == 400
