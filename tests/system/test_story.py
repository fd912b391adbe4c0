"""The product's main job, end to end: a VIP dials, is popped, answered, recorded and ordered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cti.asterisk.provision import Installation
from ivr.prompts import load_manifest
from tests.system.callers import Lines
from tests.system.house import House

pytestmark = pytest.mark.system

VIP = "13800138000"

COMPLAINT = {
    "kind": "complaint",
    "business": "data.broadband",
    "nature": "repair.late",
    "complaint_type": "network",
    "unit": "city.installation",
    "description": "宽带断网三天，上周投诉后无人上门修复。",
    "verbatim": "我家的宽带已经断了三天了，我上个星期投诉过，到现在还没有人来修。",
    "reply_mode": "telephone",
    "event_place": "文化路 8 号",
    "wanted_result": "今天修好",
    "coded": {"service_number": "not_applicable", "wanted_limit_at": "refused", "event_at": "refused"},
    "promise": {"text": "今天下午六点前回复", "due_at": (datetime.now(UTC) + timedelta(hours=6)).isoformat()},
}


@pytest.mark.req("TL-01", "TL-05", "TL-30", "TL-32", "TL-50", "CT-01", "CT-03", "CT-04", "IN-18", "IN-11")
async def test_a_vip_is_popped_answered_recorded_and_ordered(
    short_tmp: Path, asterisk_installation: Installation
) -> None:
    """From the INVITE to the submitted order, with the audio and the voice file checked."""
    async with House(short_tmp, verified=True) as house, Lines(house) as lines:
        agent = await house.sign_in("2001")
        phone = await lines.phone("2001")
        caller = await lines.caller(VIP)
        await caller.dial("1860")
        await caller.hears("notice")
        await caller.hears("greeting-1860")
        await caller.press("1")
        await caller.hears("to-senior")
        await phone.rings()
        pop = await agent.event("pop")
        assert pop["customer"]["name"] == "张伟"
        assert pop["flags"]["vip"]
        assert pop["flags"]["overdue"]
        assert pop["identity"] == "number_matches"
        assert not pop["verified"]
        assert [step["key"] for step in pop["path"] if step["key"]] == ["1"]
        assert pop["queue"]["name"] == "senior"
        assert len(pop["orders"]) >= 2
        await phone.answer()
        draft = await agent.event("draft")
        assert draft["call_id"] == pop["call_id"]
        await caller.says(house.prompts / "demo" / "customer-broadband.wav")
        await phone.hears(house.prompts / "demo" / "customer-broadband.wav", again=True)
        await phone.hang_up()
        await caller.ended()
        recording = await agent.event("recording")
        assert recording["state"] == "ready"
        (call,) = (await agent.get("/api/calls"))["items"]
        assert call["notice"] == f"notice@{load_manifest().version('notice', 'zh')}"
        order = await agent.get(f"/api/orders/{draft['order_id']}")
        assert order["state"] == "draft"
        assert order["caller_number"] == "+8613800138000"
        assert order["calls"][0]["call_id"] == pop["call_id"]
        assert order["missing"] == ["kind"]
        refused = await agent.send("POST", f"/api/orders/{order['id']}/submit", {"version": order["version"]}, 422)
        assert refused["code"]
        edited = await agent.send("PATCH", f"/api/orders/{order['id']}", COMPLAINT | {"version": order["version"]})
        assert edited["missing"] == []
        await agent.post(f"/api/orders/{order['id']}/submit", {"version": edited["version"]})
        submitted = await agent.get(f"/api/orders/{order['id']}")
        assert submitted["state"] == "registered"
        assert submitted["calls"][0]["recording"]["state"] == "ready"
