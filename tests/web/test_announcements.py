"""Announcements through the interface, and the menus' port: switched on and off with times, audited, counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from pytest_aiohttp.plugin import AiohttpClient
from sqlalchemy import select

from cti.announcements import Announcements
from cti.page import announceable
from cti.web.deps import WebDeps
from cti.web.server import build_app
from ivr import prompts
from ivr.menus import Menus
from tests.web.fakes import Browser, Clock
from ticketing.audit import audit
from ticketing.db import Database
from ticketing.errors import Unavailable

OUTAGE = "announcement-outage"


@pytest.fixture
async def supervisor(aiohttp_client: AiohttpClient, deps: WebDeps) -> Browser:
    """3001, at a service with the shipped menus and prompts."""
    manifest = prompts.load_manifest()
    tree = Menus(manifest).tree
    browser = Browser(await aiohttp_client(build_app(replace(deps, announceable=lambda: announceable(tree, manifest)))))
    assert (await browser.sign_in("3001")).status == 200
    return browser


@pytest.fixture
def port(centre: Database, clock: Clock) -> Announcements:
    return Announcements(centre, lambda: clock.now)


async def switch_on(browser: Browser, clock: Clock, hours: float = 1.0, **changes: Any) -> tuple[int, dict[str, Any]]:
    ends = (clock.now + timedelta(hours=hours)).isoformat()
    answer = await browser.post("/api/announcements", {"prompt": OUTAGE, "ends_at": ends} | changes)
    return answer.status, await answer.json()


async def send(browser: Browser, made: dict[str, Any], verb: str, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = await browser.post(f"/api/announcements/{made['id']}/{verb}", body)
    return answer.status, await answer.json()


@pytest.mark.req("TL-26")
async def test_a_supervisor_switches_one_on_and_off(
    supervisor: Browser, port: Announcements, clock: Clock, centre: Database
) -> None:
    can = await (await supervisor.get("/api/announcement-choices")).json()
    assert [each["code"] for each in can["prompts"]] == ["announcement-maintenance", OUTAGE]
    assert "网络出现故障" in can["prompts"][1]["text"]["zh"]
    assert "1860" in [each["dnis"] for each in can["lines"]]
    status, made = await switch_on(supervisor, clock, dnis=["1860"], note="海淀区光缆中断")
    assert (status, made["state"], made["created_by"], made["heard"], made["ended"]) == (201, "on", "3001", 0, 0)
    await port.refresh()
    assert [await port.current(dnis) for dnis in ("1860", "10010")] == [(OUTAGE,), ()]
    later = (clock.now + timedelta(hours=3)).isoformat()
    status, longer = await send(supervisor, made, "times", version=1, ends_at=later)
    assert (status, longer["version"]) == (200, 2)
    assert (await send(supervisor, made, "off", version=1))[1]["code"] == "stale_version"
    status, off = await send(supervisor, made, "off", version=2)
    assert (status, off["state"]) == (200, "over")
    assert (await send(supervisor, made, "off", version=3))[1]["code"] == "announcement_over"
    await port.refresh()
    assert await port.current("1860") == ()
    assert (await (await supervisor.get("/api/announcements")).json())["items"] == []
    (over,) = (await (await supervisor.get("/api/announcements?over=true")).json())["items"]
    assert over["note"] == "海淀区光缆中断"
    async with centre.read() as conn:
        verbs = await conn.scalars(
            select(audit.c.verb).where(audit.c.subject_kind == "announcement").order_by(audit.c.id)
        )
        assert list(verbs) == [
            "announcement.switched_on", "announcement.times_changed", "announcement.switched_off"
        ]  # fmt: skip


@pytest.mark.req("TL-26")
async def test_one_is_planned_and_ends_by_itself(supervisor: Browser, port: Announcements, clock: Clock) -> None:
    starts = clock.now + timedelta(hours=1)
    status, made = await switch_on(supervisor, clock, 2, starts_at=starts.isoformat())
    assert (status, made["state"]) == (201, "planned")
    earlier = (clock.now + timedelta(minutes=30)).isoformat()
    status, made = await send(supervisor, made, "times", version=1, starts_at=earlier, ends_at=made["ends_at"])
    assert status == 200
    await port.refresh()
    heard = []
    for minutes in (0, 30, 89, 1):
        clock.advance(minutes=minutes)
        heard.append(await port.current("1860"))
    assert heard == [(), (OUTAGE,), (OUTAGE,), ()]  # nothing was read meanwhile: the times are looked at, not the clock


async def test_one_that_has_begun_keeps_its_beginning(supervisor: Browser, clock: Clock) -> None:
    _, made = await switch_on(supervisor, clock)
    earlier = (clock.now - timedelta(hours=1)).isoformat()
    status, answer = await send(supervisor, made, "times", version=1, starts_at=earlier, ends_at=made["ends_at"])
    assert (status, answer["code"]) == (409, "has_begun")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"prompt": "announcement-intro"}, "unknown_code", "prompt"),
        ({"prompt": "greeting-1860"}, "unknown_code", "prompt"),
        ({"dnis": ["99999"]}, "unknown_code", "dnis"), ({"dnis": ["1860; drop"]}, "invalid", "dnis.0"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "in_the_past", "ends_at"), ({"ends_at": "soon"}, "not_a_time", "ends_at"),
    ],
)  # fmt: skip
async def test_what_cannot_be_announced_is_refused(
    supervisor: Browser, clock: Clock, changes: dict[str, Any], code: str, field: str
) -> None:
    status, answer = await switch_on(supervisor, clock, **changes)
    assert (status, answer["code"], answer["details"]["field"]) == (422, code, field)


async def test_others_may_read_and_not_switch(supervisor: Browser, agent: Browser, clock: Clock) -> None:
    _, made = await switch_on(supervisor, clock)
    assert (await switch_on(agent, clock))[0] == 403
    assert (await send(agent, made, "off", version=1))[0] == 403
    assert (await agent.get("/api/announcement-choices")).status == 403
    seen = await (await agent.get("/api/announcements")).json()
    assert [each["id"] for each in seen["items"]] == [made["id"]]


def away() -> NoReturn:
    """A database that does not answer."""
    raise Unavailable


@pytest.mark.req("TL-26")
async def test_while_the_database_is_away_the_last_known_go_on_and_end(
    supervisor: Browser, port: Announcements, clock: Clock, *, centre: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switch_on(supervisor, clock)
    await port.refresh()
    monkeypatch.setattr(centre, "read", away)
    await port.refresh()
    assert await port.current("1860") == (OUTAGE,)
    clock.advance(hours=1)
    assert await port.current("1860") == ()
