"""Vocabularies through the interface, and what a closed leaf means for drafts and old orders (IN-03)."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_orders import complaint


@pytest.mark.req("IN-03", "IN-12", "G12")
async def test_an_administrator_closes_a_leaf_and_old_orders_keep_its_words(
    agent: Browser, open_browser: MakeBrowser, now: datetime, clock: Clock
) -> None:
    admin = await open_browser("9001")
    letter = {"channel": "letter", "received_at": "2026-03-10T01:00:00Z"} | complaint(now)
    kept = await (await agent.post("/api/orders", letter)).json()
    old = await agent.post(f"/api/orders/{kept['id']}/submit", {"version": kept["version"]})
    assert old.status == 200
    draft = await (await agent.post("/api/orders", letter)).json()
    leaf = "/api/vocabularies/business/data.broadband"
    closed = await admin.post(f"{leaf}/close", {"version": 1, "from_day": "2026-03-10"})
    assert (closed.status, (await closed.json())["valid_to"]) == (200, "2026-03-09")
    refused = await agent.post(f"/api/orders/{draft['id']}/submit", {"version": draft["version"]})
    told = await refused.json()
    assert (refused.status, told["code"], told["details"]["field"]) == (422, "retired_code", "business")
    assert "mobile.voice" in told["details"]["allowed"]
    assert "data.broadband" not in told["details"]["allowed"]
    for language, words in (("zh", "这个选项已停用。"), ("en", "This choice is no longer in use.")):
        answer = await agent.client.post(
            "/api/orders",
            json=letter,
            headers={"Origin": agent.origin, "X-CSRF-Token": agent.csrf, "Accept-Language": language},
        )
        assert (answer.status, (await answer.json())["message"]) == (422, words)
    shown = await (await agent.get(f"/api/orders/{kept['id']}")).json()
    assert shown["business"] == "data.broadband"
    closed_words = await (await agent.get("/api/closed-words")).json()
    assert closed_words["kinds"]["business"]["data.broadband"] == {"zh": "宽带", "en": "Broadband"}
    new = {"name": "fiber", "zh": "光纤入户", "en": "Fibre", "parent": "data"}
    assert (await admin.post("/api/vocabularies/business", new)).status == 201
    edited = await agent.patch(f"/api/orders/{draft['id']}", {"version": draft["version"], "business": "data.fiber"})
    assert edited.status == 200
    version = (await edited.json())["version"]
    assert (await agent.post(f"/api/orders/{draft['id']}/submit", {"version": version})).status == 200


@pytest.mark.req("IN-03", "G12")
async def test_a_day_is_the_operators_also_in_the_small_hours(open_browser: MakeBrowser, clock: Clock) -> None:
    """At two in the morning in Shanghai it is yesterday by UTC: what is closed from today on is closed at once, and
    what begins today is there."""
    clock.advance(hours=17)
    admin = await open_browser("9001")
    today = clock().astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
    assert clock().date().isoformat() < today
    assert (await (await admin.get("/api/session")).json())["zone"] == "Asia/Shanghai"
    leaf = "/api/vocabularies/business/data.broadband"
    assert (await admin.post(f"{leaf}/close", {"version": 1, "from_day": today})).status == 200
    new = {"name": "fiber", "zh": "光纤入户", "en": "Fibre", "parent": "data", "valid_from": today}
    assert (await admin.post("/api/vocabularies/business", new)).status == 201
    trees = await (await admin.get("/api/taxonomies")).json()
    (data,) = [node for node in trees["business"] if node["code"] == "data"]
    codes = {child["code"] for child in data["children"]}
    assert "data.fiber" in codes
    assert "data.broadband" not in codes


async def test_only_administrators_change_words(agent: Browser, open_browser: MakeBrowser) -> None:
    body = {"version": 1, "zh": "甲", "en": "A"}
    assert (await agent.post("/api/vocabularies/business/data/rename", body)).status == 403
    admin = await open_browser("9001")
    renamed = await (await admin.post("/api/vocabularies/business/data/rename", body)).json()
    assert (renamed["zh"], renamed["version"], renamed["edited"]) == ("甲", 2, True)
    stale = await admin.post("/api/vocabularies/business/data/rename", body)
    assert (stale.status, (await stale.json())["code"]) == (409, "stale_version")
    moved = await admin.post("/api/vocabularies/business/data/move", {"version": 2, "parent": "mobile"})
    assert (await moved.json())["parent"] == "mobile"
    around = await admin.post("/api/vocabularies/business/mobile/move", {"version": 1, "parent": "data.iptv"})
    assert (around.status, (await around.json())["code"]) == (409, "circular")
    listed = await (await admin.get("/api/vocabularies/business")).json()
    assert {each["code"]: each["parent"] for each in listed["items"]}["data"] == "mobile"
    assert (await admin.get("/api/vocabularies/colour")).status == 404
