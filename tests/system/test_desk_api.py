"""The desk's own interface on a real call: the pop through cut lines and reloads, the draft, the merge, the figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from cti.asterisk.provision import Installation
from tests.system import sound
from tests.system.house import Agent, House
from tests.system.stage import LINA, PLAIN, Stage, menus, short_folder, working
from tests.web.test_orders import complaint
from tests.web.test_workflow import TASK, WELL

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

#: what a JA is shown of a call before he says a word (TL-30)
POP_FIELDS = {
    "number", "number_display", "identity", "verified", "customer", "candidates", "dialled", "path", "waited_ms",
    "queue", "reason", "orders", "open_work_orders", "promises", "recordings", "flags", "order_id", "state",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(asterisk_installation: Installation) -> AsyncIterator[House]:
    """One house for the stories of this file."""
    with short_folder() as home:
        async with House(home / "var", ivr_data=menus(home, short=True)) as made:
            yield made


@pytest.mark.req("TL-30", "TL-31", "TL-32", "TL-33", "CT-03", "N7", "F16")
async def test_the_pop_outlives_cut_lines_and_a_reload_and_is_nobody_elses(house: House) -> None:
    """Cut before the ring, while it rings, and at the answer: nothing is missed and nothing comes twice."""
    async with working(house) as stage:
        others = [await stage.watch(number) for number in ("1001", "2001", "3001")]
        seat = await stage.seat("1002")
        agent = seat.agent
        caller = await stage.caller(LINA)
        await agent.cut()
        await seat.phone.rings()
        await agent.resume()
        pop = await agent.event("pop")
        await _painted(stage, others[2], agent, pop)
        await agent.cut()
        await seat.phone.answer()
        await caller.says(sound.tone(600, 0.5))
        await agent.resume()
        draft = await agent.event("draft")
        await agent.state("talking")
        _in_order(agent)
        assert agent.saw("pop") == [pop]
        assert len(agent.saw("draft")) == 1
        _all_that_is_known(pop)

        afresh = await agent.reload()
        assert afresh["pop"]["call_id"] == pop["call_id"]
        assert (afresh["pop"]["state"], afresh["pop"]["order_id"]) == ("talking", draft["order_id"])
        assert afresh["agent"]["state"] == "talking"
        await seat.phone.hang_up()
        await agent.state("wrap_up")
        for other in others:
            assert other.saw("pop") == []
            assert other.saw("draft") == []
            assert (await other.reload())["pop"] is None


def _in_order(agent: Agent) -> None:
    """Ids of the stream grow by one, whatever happened to the line."""
    places = [int(event_id.rpartition("-")[2]) for event_id, _, _ in agent.events]
    assert places == list(range(places[0], places[0] + len(places))), places


def _all_that_is_known(pop: dict[str, Any]) -> None:
    assert pop.keys() >= POP_FIELDS
    assert (pop["number"], pop["state"], pop["verified"]) == ("+8613800138002", "ringing", False)
    assert pop["customer"]["name"] == "李娜"
    assert [step["key"] for step in pop["path"] if step["key"]] == ["1"]
    assert pop["dialled"]["dnis"] == "1860"
    newest = pop["orders"][0]
    assert newest["state"] == "in_process"
    assert (newest["contact_no"], newest["repeat_no"]) == (2, 1)
    assert pop["open_work_orders"][0]["order_serial"] == newest["serial"]
    assert pop["promises"][0]["order_serial"] == newest["serial"]
    assert pop["flags"] == {"vip": False, "repeat": True, "overdue": False, "mood": None}


async def _painted(stage: Stage, supervisor: Agent, agent: Agent, pop: dict[str, Any]) -> None:
    """The page says when it has painted; the supervisor has the figures, the agent has not (TL-33)."""
    assert datetime.now(UTC) - datetime.fromisoformat(pop["event_at"]) < timedelta(seconds=2)
    event_id = next(event_id for event_id, kind, data in agent.events if kind == "pop" and data == pop)
    for _ in range(2):
        body = {"painted_at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event_id": event_id}
        await agent.post(f"/api/pops/{pop['call_id']}/painted", body)
    figures = await supervisor.get("/api/pop-latency")
    assert figures["count"] == 1
    assert 0 < figures["p50_ms"] == figures["p95_ms"] == figures["p99_ms"] < 2000
    await agent.get("/api/pop-latency", status=403)
    assert stage.books is not None


@pytest.mark.req("TL-32", "IN-13", "PX-03", "PX-07", "IN-18", "T38")
async def test_a_call_whose_page_died_is_merged_into_the_open_order(house: House) -> None:
    """The browser is dead when the agent picks up; the draft is there at the next page, the call joins its order."""
    async with working(house) as stage:
        seat = await stage.seat("1002")
        caller = await stage.caller(LINA)
        await seat.phone.rings()
        pop = await seat.agent.event("pop")
        await seat.agent.close()
        await seat.phone.answer()
        await caller.says(house.prompts / "demo" / "customer-broadband.wav")
        await seat.phone.hang_up()
        await caller.ended()
        await stage.books.call(call_id=pop["call_id"])
        agent = await stage.watch("1002")
        mine = (await agent.get("/api/orders?mine=true&state=draft"))["items"]
        drafts = [await agent.get(f"/api/orders/{each['id']}") for each in mine]
        (draft,) = [each for each in drafts if each["call_id"] == pop["call_id"]]
        assert draft["caller_number"] == "+8613800138002"
        assert draft["customer_name"] == "李娜"
        before = await agent.get(f"/api/orders/{pop['orders'][0]['id']}")
        await _refusals(agent, draft, before["serial"])
        await stage.books.recording(pop["call_id"], lambda found: found.state == "ready")

        path = f"/api/orders/{draft['id']}/merge"
        after = await agent.post(path, {"version": draft["version"], "into_serial": before["serial"]})
        assert after["id"] == before["id"]
        assert after["contact_no"] == before["contact_no"] + 1
        assert after["state"] == before["state"]
        joined = next(call for call in after["calls"] if call["call_id"] == pop["call_id"])
        assert joined["recording"]["state"] == "ready"
        assert joined["agent"] == "1002"
        gone = await agent.get(f"/api/orders/{draft['id']}")
        assert (gone["state"], gone["merged_into"], gone["calls"]) == ("merged", before["serial"], [])
        (recent,) = [call for call in (await agent.get("/api/calls"))["items"] if call["call_id"] == pop["call_id"]]
        assert recent["order_serial"] == before["serial"]
        log = await stage.books.log("+86" + LINA, pop["call_id"])
        assert log[0].external_id == pop["call_id"]
        assert len(log) > len([line for line in log if line.external_id == pop["call_id"]]) == 1
        left = (await agent.get("/api/orders?mine=true&state=draft"))["items"]
        assert draft["id"] not in {each["id"] for each in left}
        assert (await agent.get("/api/orders?overdue=true&state=merged"))["items"] == []


async def _refusals(agent: Agent, draft: dict[str, Any], serial: str) -> None:
    """A serial that is wrong in one digit, the draft itself, a stale version: each with its own code."""
    path = f"/api/orders/{draft['id']}/merge"
    for place in range(len(serial)):
        other = str((int(serial[place]) + 1) % 10)
        wrong = serial[:place] + other + serial[place + 1 :]
        body = {"version": draft["version"], "into_serial": wrong}
        said = await agent.send("POST", path, body, 422)
        assert (said["code"], said["details"]["field"]) == ("bad_serial", "into_serial")
    said = await agent.send("POST", path, {"version": draft["version"], "into_serial": draft["serial"]}, 409)
    assert said["code"] == "itself"
    said = await agent.send("POST", path, {"version": draft["version"] + 7, "into_serial": serial}, 409)
    assert said["code"] == "stale_version"


@pytest.mark.req("TL-40", "TL-30")
async def test_a_second_phone_call_waits_for_nobodys_pause(house: House) -> None:
    """Paused by himself an agent is not rung; the moment he is ready the waiting caller is his."""
    async with working(house) as stage:
        seat = await stage.seat("1002")
        await seat.agent.post("/api/agent/pause", {"reason": "meal"})
        caller = await stage.caller(PLAIN)
        waiting = await stage.books.call(number=PLAIN, fits=lambda call: call.joined_at is not None and call.open)
        assert "paused:meal" in await house.cli("queue show complaint")
        await seat.agent.post("/api/agent/ready")
        ready_at = datetime.now(UTC)
        await seat.phone.rings()
        record = await stage.books.call(call_id=waiting.call_id, fits=lambda call: bool(call.offers))
        assert len(record.offers) == 1
        assert record.offers[0].at > ready_at - timedelta(seconds=1)
        assert waiting.joined_at is not None
        assert record.offers[0].at > waiting.joined_at
        await seat.phone.answer()
        await caller.hang_up()


@pytest.mark.req("IN-21", "IN-19", "RV-01")
async def test_a_call_is_registered_classified_and_dispatched_while_it_is_up(house: House) -> None:
    """The customer is on the line from the first word of the form until the work lies with the department."""
    async with working(house) as stage:
        seat, senior, unit = await stage.seat("1002"), await stage.watch("2001"), await stage.watch("8001")
        agent = seat.agent
        caller = await stage.caller(PLAIN)
        await seat.phone.rings()
        await seat.phone.answer()
        await caller.says(sound.tone(600, 0.5))
        draft = await agent.event("draft")
        await agent.state("talking")
        path = f"/api/orders/{draft['order_id']}"
        order = await agent.get(path)
        order = await agent.send("PATCH", path, {"version": order["version"], **complaint(datetime.now(UTC))})
        order = await agent.post(f"{path}/submit", {"version": order["version"]})
        said: dict[str, Any] = {"version": order["version"], "opinion": "请处理", "tasks": [TASK]}
        order = await agent.post(f"{path}/propose", said)
        said = {"version": order["version"], "opinion": "同意", "checks": WELL}
        order = await senior.post(f"{path}/approve", said)
        assert order["state"] == "in_process"
        (task,) = [each for each in (await unit.get("/api/work-orders"))["items"] if each["order_id"] == order["id"]]
        assert (task["state"], task["unit"]) == ("sent", TASK["unit"])
        assert (await agent.reload())["agent"]["state"] == "talking", "the customer is still on the line"
        await seat.phone.hang_up()
        await caller.ended()
        await agent.state("wrap_up")
        record = await stage.books.call(call_id=order["call_id"])
        assert record.ended_at is not None
        assert record.ended_at > datetime.fromisoformat(task["sent_at"])
