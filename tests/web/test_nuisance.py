"""Nuisance callers through the interface, and what the menus are told of them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from cti.wiring import Directory
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from ticketing.audit import audit
from ticketing.db import Database

NUMBER = "13611110000"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.mark.req("PX-02")
async def test_a_number_is_listed_with_reason_and_end_and_its_calls_are_held_back_until_then(
    open_browser: MakeBrowser, agent: Browser, centre: Database, clock: Clock
) -> None:
    supervisor = await open_browser("3001")
    menus = Directory(centre, lambda: clock.now, "010")
    ends = clock.now + timedelta(minutes=10)
    given = {"number": "136 1111 0000", "reason": "无声电话", "ends_at": ends.isoformat()}
    assert (await agent.post("/api/nuisance-numbers", given)).status == 403
    assert (await menus.look_up(NUMBER, "1860")).nuisance is False
    made = await supervisor.post("/api/nuisance-numbers", given)
    listed = await made.json()
    assert (made.status, listed["reason"], listed["created_by"], listed["version"]) == (201, "无声电话", "3001", 1)
    assert (await menus.look_up(NUMBER, "1860")).nuisance is True
    assert (await menus.look_up("+86" + NUMBER, "1860")).nuisance is True
    assert (await menus.look_up("13611110001", "1860")).nuisance is False
    assert (await menus.look_up("", "1860")).nuisance is False
    twice = await supervisor.post("/api/nuisance-numbers", given)
    assert (twice.status, (await twice.json())["code"]) == (409, "already_listed")
    later = (ends + timedelta(minutes=5)).isoformat()
    changed = await (
        await supervisor.post(f"/api/nuisance-numbers/{listed['id']}/end", {"version": 1, "ends_at": later})
    ).json()
    assert changed["version"] == 2
    clock.advance(minutes=14)
    assert (await menus.look_up(NUMBER, "1860")).nuisance is True
    clock.advance(minutes=1)
    assert (await menus.look_up(NUMBER, "1860")).nuisance is False
    over = await supervisor.post(f"/api/nuisance-numbers/{listed['id']}/off", {"version": 2})
    assert (over.status, (await over.json())["code"]) == (409, "listing_over")
    assert (await (await supervisor.get("/api/nuisance-numbers")).json())["items"] == []
    past = await (await supervisor.get("/api/nuisance-numbers?over=true")).json()
    assert [each["id"] for each in past["items"]] == [listed["id"]]
    again = given | {"ends_at": (clock.now + timedelta(days=1)).isoformat()}
    second = await (await supervisor.post("/api/nuisance-numbers", again)).json()
    off = await supervisor.post(f"/api/nuisance-numbers/{second['id']}/off", {"version": 1})
    assert off.status == 200
    assert (await menus.look_up(NUMBER, "1860")).nuisance is False
    async with centre.read() as conn:
        verbs = list(
            await conn.scalars(
                select(audit.c.verb).where(audit.c.subject_kind == "nuisance_number").order_by(audit.c.id)
            )
        )
    assert verbs == ["nuisance.listed", "nuisance.end_changed", "nuisance.listed", "nuisance.struck_off"]


WRONG = [
    ({"number": "12"}, "not_a_number", "number"),
    ({"number": ""}, "not_a_number", "number"),
    ({"reason": ""}, "invalid", "reason"),
    ({"reason": "长" * 501}, "too_long", "reason"),
    ({"ends_at": "2026-03-09T00:00:00Z"}, "in_the_past", "ends_at"),
    ({"ends_at": "2099-01-01T00:00:00Z"}, "out_of_range", "ends_at"),
]


@pytest.mark.req("PX-02")
@pytest.mark.parametrize(("part", "code", "field"), WRONG)
async def test_an_entry_that_cannot_be_is_refused(
    open_browser: MakeBrowser, clock: Clock, part: dict[str, str], code: str, field: str
) -> None:
    supervisor = await open_browser("3001")
    given = {"number": NUMBER, "reason": "骚扰", "ends_at": (clock.now + timedelta(days=1)).isoformat()} | part
    refused = await supervisor.post("/api/nuisance-numbers", given)
    told = await refused.json()
    assert (refused.status, told["code"], told["details"]["field"]) == (422, code, field)
