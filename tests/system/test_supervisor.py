"""The supervisor's page in a real browser: who waits, who works, the day's figures, both counters, pop latency."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect
from sqlalchemy import select

from cti.asterisk.provision import Installation
from tests.system.browser import Desk, chromium
from tests.system.command import hotline
from tests.system.desk_story import SHOTS
from tests.system.house import PASSWORD, House
from tests.system.stage import LINA, PLAIN, Stage, menus, working
from tests.system.test_queues_read import SHIPPED, edit
from ticketing.audit import audit

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("browser_program")]


def of(desk: Desk, name: str, **data: str) -> Locator:
    """The element with this test id and these data attributes."""
    wanted = "".join(f"[data-{key.replace('_', '-')}='{value}']" for key, value in data.items())
    return desk.page.locator(f"[data-testid='{name}']{wanted}").first


async def page_of(browser: Browser, house: House, number: str) -> Desk:
    """Somebody signed in to a page of his own."""
    desk = await Desk.open(browser, house.origin, SHOTS)
    await desk.go("/login")
    await desk.fill("login-number", number)
    await desk.fill("login-password", PASSWORD)
    await desk.at("login-submit").click()
    await desk.at("who").wait_for(timeout=15_000)
    return desk


@pytest.mark.req("TL-33", "TL-60", "TL-10", "TL-12", "TL-13", "PX-04")
async def test_a_supervisor_sees_the_floor(short_tmp: Path, asterisk_installation: Installation) -> None:
    """One agent talks, one caller waits; then both calls are over and the day has its figures."""
    conf = short_tmp / "conf"
    shutil.copytree(SHIPPED, conf)
    async with (
        House(short_tmp / "v", ivr_data=menus(short_tmp, short=True), asterisk_conf=conf) as house,
        working(house) as stage,
        chromium() as browser,
    ):
        seat = await stage.seat("1002")
        first = await stage.caller(LINA)
        await seat.phone.rings()
        pop = await seat.agent.event("pop")
        await seat.phone.answer()
        await seat.agent.state("talking")
        second = await stage.caller(PLAIN)
        waiting = await stage.books.call(number=PLAIN, fits=lambda call: call.joined_at is not None)

        desk = await page_of(browser, house, "3001")
        await desk.at("nav-floor").click()
        await expect(desk.at("tile-waiting")).to_have_attribute("data-count", "1", timeout=15_000)
        caller = of(desk, "floor-caller", call_id=waiting.call_id)
        await expect(caller).to_have_attribute("data-position", "1")
        await expect(caller).not_to_contain_text(PLAIN)
        await expect(caller).to_contain_text(PLAIN[-4:])
        await expect(of(desk, "floor-queue", queue="complaint")).to_have_attribute("data-waiting", "1")
        agent = of(desk, "floor-agent", agent="1002")
        await expect(agent).to_have_attribute("data-state", "talking")
        await expect(agent).to_contain_text("0:")
        await expect(desk.at("tile-idle")).to_have_attribute("data-count", "0")
        await expect(desk.at("latency")).to_have_attribute("data-count", "0")
        await desk.pictures("floor-busy")

        await _painted(stage, pop["call_id"])
        await first.hang_up()
        await seat.free()
        await seat.phone.rings(within_s=20)
        await seat.phone.answer()
        await seat.agent.state("talking")
        await _ends_the_talk(stage, desk, waiting.call_id)
        await second.ended(within_s=20)
        await seat.phone.ended(within_s=20)
        await stage.books.day(stage.started, 2)
        assert (await stage.books.call(call_id=waiting.call_id)).end_reason == "supervisor"
        await _figures_are_the_interfaces(stage, desk)
        await desk.pictures("floor-figures")
        await _ring_time_follows_the_administrators_file(desk, house, conf)
        assert desk.faults == []

        other = await page_of(browser, house, "1001")
        await expect(other.at("nav-queues")).to_be_visible()
        assert await other.page.get_by_test_id("nav-floor").count() == 0


async def _ring_time_follows_the_administrators_file(desk: Desk, house: House, conf: Path) -> None:
    """An edit of queues.conf is on the page once Asterisk has reloaded (TL-60)."""
    await desk.at("nav-queues").click()
    ring = of(desk, "queue", queue="complaint").get_by_test_id("queue-ring")
    await expect(ring).to_contain_text("8")
    edit(conf / "queues.conf", "[complaint](hotline)", "timeout = 6")
    done = await hotline(house.settings, "asterisk", "cli", "queue", "reload", "all")
    assert done.code == 0, done.said
    await expect(ring).to_contain_text("6", timeout=15_000)


async def _ends_the_talk(stage: Stage, desk: Desk, call_id: str) -> None:
    """强拆 by the button on the agent's line: a coded reason is asked for, and both sides are hung up (PX-04)."""
    agent = of(desk, "floor-agent", agent="1002")
    await expect(agent).to_have_attribute("data-call-id", call_id, timeout=15_000)
    await agent.get_by_test_id("floor-end").click()
    await expect(desk.at("floor-end-confirm")).to_be_disabled()
    await desk.at("floor-end-reason-line").click()
    await desk.shot("floor-end")
    await desk.at("floor-end-confirm").click()
    await expect(desk.at("floor-end-confirm").or_(desk.at("floor-end-error"))).to_have_count(0)
    async with stage.books.database.read() as conn:
        done = (await conn.execute(select(audit).where(audit.c.verb == "call.disconnected"))).one()
    assert (done.actor_number, done.subject_id, done.payload["reason"]) == ("3001", call_id, "line")


async def _painted(stage: Stage, call_id: str) -> None:
    """The agent's page reports that it has painted the pop, as every page does."""
    agent = stage.seats[0].agent
    event_id = next(id_ for id_, name, data in agent.events if name == "pop" and data["call_id"] == call_id)
    body = {"painted_at": datetime.now(UTC).isoformat(), "event_id": event_id}
    await agent.post(f"/api/pops/{call_id}/painted", body)


async def _figures_are_the_interfaces(stage: Stage, desk: Desk) -> None:
    """What the page says of the day is what the interface gives, formula and all."""
    supervisor = await stage.watch("3001")
    told = await supervisor.get("/api/figures")
    assert (told["total"], told["answered"]) == (2, 2)
    await expect(desk.at("tile-calls")).to_have_attribute("data-total", "2", timeout=25_000)
    rate = next(share for share in told["shares"] if share["code"] == "fifteen_second_rate")
    await expect(desk.at("tile-rate")).to_have_attribute("data-part", str(rate["part"]))
    await expect(desk.at("tile-rate")).to_have_attribute("data-whole", "2")
    await expect(desk.at("tile-rate")).to_contain_text("15秒人工接通率")
    for share in told["shares"][1:5]:
        row = desk.at(f"share-{share['code']}")
        await expect(row).to_contain_text(share["name"]["zh"])
        await expect(row).to_contain_text(share["formula"]["zh"])
        await expect(row).to_have_attribute("data-whole", str(share["whole"]))
    await expect(desk.at("latency")).to_have_attribute("data-count", "1")
    latency = await supervisor.get("/api/pop-latency")
    for name in ("p50", "p95", "p99"):
        await expect(desk.at(f"latency-{name}")).to_have_attribute("data-ms", str(latency[f"{name}_ms"]))
    await expect(of(desk, "counter", queue="complaint").get_by_test_id("counter-answered")).to_have_attribute(
        "data-theirs", "2", timeout=25_000
    )
