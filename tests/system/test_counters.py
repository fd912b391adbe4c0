"""An overflowed call on a real exchange: abandoned to Asterisk, not to us, and the reason is named (TL-13)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cti.asterisk.provision import Installation
from tests.system.house import Agent, House
from tests.system.stage import PLAIN, menus, working

pytestmark = pytest.mark.system


async def counters(person: Agent, queue: str, abandoned: int) -> dict[str, Any]:
    """One queue's counters once Asterisk has counted so many."""
    view: dict[str, Any] = {}
    try:
        async with asyncio.timeout(15):
            while True:
                view = next(one for one in await person.get("/api/counters") if one["queue"] == queue)
                if view["abandoned"]["theirs"] == abandoned and "unseen" not in reasons(view):
                    return view
                await asyncio.sleep(0.2)  # Asterisk tells nobody that it has counted
    except TimeoutError:
        raise AssertionError(f"the counters are still {view}") from None


async def numbers(person: Agent) -> dict[str, float]:
    """What Prometheus would read, by name and labels."""
    text = (await person.get("/metrics")).decode()
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def reasons(view: dict[str, Any]) -> dict[str, int]:
    return {reason["code"]: reason["count"] for reason in view["abandoned"]["reasons"]}


@pytest.mark.req("TL-13", "TL-12", "K2", "TL-62")
async def test_an_overflowed_call_is_abandoned_to_asterisk_only(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    menu = menus(short_tmp, short=True)
    async with House(short_tmp / "v", ivr_data=menu, overflow=True, queue_seconds=4) as house, working(house) as stage:
        supervisor = await stage.watch("3001")
        before = await counters(supervisor, "complaint", 0)
        assert (before["abandoned"]["ours"], before["abandoned"]["reasons"]) == (0, [])
        caller = await stage.caller(PLAIN)
        await caller.hears("overflow-menu", within_s=60)
        view = await counters(supervisor, "complaint", 1)
        assert (view["abandoned"]["ours"], view["abandoned"]["difference"]) == (0, 1)
        assert reasons(view) == {"moved": 1}
        assert "没有挂机" in view["abandoned"]["reasons"][0]["text"]["zh"]

        await house.cli("dialplan set global CTI_QUEUE_SECONDS 300")
        await caller.press("3")
        record = await stage.books.call(number=PLAIN, fits=lambda call: len(call.stays) == 2, within_s=30)
        assert [stay.status for stay in record.stays] == ["TIMEOUT", ""]
        told = await numbers(supervisor)
        assert (told["hotline_ami_up"], told["hotline_lease_held"], told["hotline_agi_sessions"]) == (1, 1, 0)
        assert told['hotline_queue_waiting{queue="complaint"}'] == 1
        assert told['hotline_queue_longest_wait_seconds{queue="complaint"}'] > 0
        await caller.hang_up()
        await stage.books.call(number=PLAIN)
        told = await numbers(supervisor)
        assert told['hotline_calls_total{outcome="abandoned"}'] == 1
        assert (told["hotline_asked_total"], told["hotline_answered_within_target_total"]) == (1, 0)
        health = await supervisor.get("/api/health")
        assert {part["name"] for part in health["parts"] if part["ok"]} >= {
            "database", "lease", "ami", "events", "filter", "fastagi", "disk", "spool", "journal",
            "descriptors", "records",
        }  # fmt: skip
        assert await supervisor.get("/ready") == b"ready\n"
        view = await counters(supervisor, "complaint", 2)
        assert (view["abandoned"]["ours"], reasons(view)) == (1, {"moved": 1})
        figures = await supervisor.get("/api/figures?queue=complaint")
        outcomes = {one["code"]: one["count"] for one in figures["outcomes"] if one["count"]}
        assert outcomes == {"abandoned": 1}
        assert figures["total"] == 1
