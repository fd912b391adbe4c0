"""Follow-ups through the interface, and the grade on the call (TL-08, SV-05)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from cti import store as calls
from tests.calls.test_store import rich
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from ticketing.db import Database
from ticketing.roles import SYSTEM, Post
from ticketing.staff import store as staff
from ticketing.surveys import actions
from ticketing.surveys.model import NewGrade
from ticketing.surveys.rules import shipped


@pytest.fixture
async def surveyor(open_browser: MakeBrowser, centre: Database) -> Browser:
    """Whoever has the post in the sample."""
    async with centre.read() as conn:
        number = next(person.number for person in await staff.everyone(conn) if Post.SV in person.posts)
    return await open_browser(number)


async def send(browser: Browser, id_: str, verb: str, **body: Any) -> tuple[int, Any]:
    answer = await browser.post(f"/api/follow-ups/{id_}/{verb}", body)
    return answer.status, await answer.json()


@pytest.mark.req("SV-05", "TL-08")
async def test_from_the_bad_grade_to_the_opinion(
    surveyor: Browser, open_browser: MakeBrowser, centre: Database, now: datetime
) -> None:
    record = replace(rich(), grade="5")
    async with centre.write() as conn:
        await calls.save_calls(conn, [record])
        given = NewGrade(call_id=record.call_id, grade="5", agent="1001", at=now)
        await actions.take_grade(conn, SYSTEM, given, shipped(), now)
    supervisor = await open_browser("3001")
    assert (await (await supervisor.get(f"/api/calls/{record.call_id}")).json())["grade"] == "5"
    (found,) = (await (await supervisor.get("/api/follow-ups")).json())["items"]
    assert (found["state"], found["owner"], found["due_at"]) == ("new", "survey", "2026-03-11T01:30:00Z")
    assert (await send(supervisor, found["id"], "claim", version=1))[0] == 403
    assert (await (await open_browser("1001")).get("/api/follow-ups")).status == 403
    assert (await send(surveyor, found["id"], "done", version=1, opinion="x"))[1]["code"] == "not_from_here"
    status, claimed = await send(surveyor, found["id"], "claim", version=1)
    assert (status, claimed["state"]) == (200, "claimed")
    assert (await send(surveyor, found["id"], "claim", version=1))[1]["code"] == "stale_version"
    status, done = await send(surveyor, found["id"], "done", version=2, opinion="已致歉", final_grade="2")
    assert (status, done["state"], done["opinion"], done["owner"]) == (200, "done", "已致歉", None)
    assert (await (await surveyor.get("/api/follow-ups")).json())["items"] == []
    assert len((await (await surveyor.get("/api/follow-ups?state=done&mine=true")).json())["items"]) == 1
    assert (await send(surveyor, "none-such", "claim", version=1))[0] == 404


@pytest.mark.req("TL-08")
async def test_the_share_graded_and_the_mean(open_browser: MakeBrowser, centre: Database) -> None:
    day = [replace(rich(), call_id=str(n), grade=grade) for n, grade in enumerate(["1", "5", "5", "", "9"])]
    async with centre.write() as conn:
        await calls.save_calls(conn, day)
    supervisor = await open_browser("3001")
    told = (await (await supervisor.get("/api/figures?to=2026-03-10T02:00:00Z")).json())["satisfaction"]
    assert (told["graded"]["part"], told["graded"]["whole"]) == (4, 5)
    assert told["mean_score"] == pytest.approx((5 + 1 + 1) / 3)
    assert [(one["grade"], one["name"]["zh"], one["count"]) for one in told["grades"]] == [
        ("1", "非常满意", 1), ("5", "非常不满意", 2), ("9", "9", 1),
    ]  # fmt: skip
