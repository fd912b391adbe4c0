"""Templates, the plan of a dispatch and the responsibility map through the interface (DP-02, DP-14, AD-03, IN-20)."""

from datetime import datetime
from typing import Any

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_orders import complaint

CHECK = {"code": "check", "zh": "核查", "en": "Check", "task": "核查", "limit_s": 14400, "duty": "check"}
REPAIR = {
    "code": "repair", "zh": "修复", "en": "Repair", "task": "修复", "limit_s": 86400,
    "after": ["check"], "unit": "city.billing",
}  # fmt: skip
NETWORK = [{"complaint_type": "network"}]


@pytest.fixture
async def admin(open_browser: MakeBrowser) -> Browser:
    return await open_browser("9001")


async def published(admin: Browser) -> dict[str, Any]:
    """A template with its first version in force."""
    new = {"code": "network", "kind": "complaint", "zh": "网络投诉", "en": "Network"}
    assert (await admin.post("/api/templates", new)).status == 201
    draft = {"version": 1, "covers": NETWORK, "nodes": [CHECK, REPAIR]}
    written = await admin.send("PUT", "/api/templates/network/draft", draft)
    assert (written.status, (await written.json())["versions"][0]["state"]) == (200, "draft")
    done = await admin.post("/api/templates/network/publish", {"version": 2})
    assert done.status == 200
    found: dict[str, Any] = await done.json()
    return found


async def line(admin: Browser, unit: str, duty: str = "check") -> dict[str, Any]:
    answer = await admin.post("/api/responsibilities", {"duty": duty, "unit": unit, "reason": "分工"})
    assert answer.status == 201
    found: dict[str, Any] = await answer.json()
    return found


@pytest.mark.req("DP-02", "DP-14", "IN-20")
async def test_an_order_is_dispatched_by_the_version_it_was_registered_under(
    admin: Browser, agent: Browser, open_browser: MakeBrowser, now: datetime
) -> None:
    first = await published(admin)
    assert [(each["number"], each["state"], each["running"]) for each in first["versions"]] == [(1, "in_force", 0)]
    await line(admin, "city.network")
    letter = {"channel": "letter", "received_at": "2026-03-10T01:00:00Z"} | complaint(now)
    draft = await (await agent.post("/api/orders", letter)).json()
    order = await (await agent.post(f"/api/orders/{draft['id']}/submit", {"version": draft["version"]})).json()
    second = {"version": 3, "covers": NETWORK, "nodes": [{**CHECK, "task": "另查"}], "note": "简化"}
    assert (await admin.send("PUT", "/api/templates/network/draft", second)).status == 200
    coming = await admin.post("/api/templates/network/publish", {"version": 4, "from_day": "2026-03-11"})
    versions = (await coming.json())["versions"]
    assert [(each["number"], each["state"], each["running"]) for each in versions] == [
        (2, "coming", 0), (1, "in_force", 1),
    ]  # fmt: skip
    assert versions[0]["effective_at"] == "2026-03-10T16:00:00Z", "the operator's midnight"
    plan = await (await agent.get(f"/api/orders/{order['id']}/plan")).json()
    assert (plan["template"], plan["number"], [(task["node"], task["unit"]) for task in plan["tasks"]]) == (
        "network", 1, [("check", "city.network"), ("repair", "city.billing")],
    )  # fmt: skip
    senior = await open_browser("2001")
    handed = {"version": order["version"], "reason": "派单"}
    order = await (await agent.post(f"/api/orders/{order['id']}/hand-to-senior", handed)).json()
    checks = dict.fromkeys(("valid", "serial", "complainant_type", "complaint_type"), True)
    said = {"version": order["version"], "opinion": "按模板", "checks": checks, "by_template": True}
    sent = await senior.post(f"/api/orders/{order['id']}/dispatch", said)
    assert sent.status == 200
    assert [(work["unit"], work["state"]) for work in (await sent.json())["work_orders"]] == [
        ("city.network", "sent"), ("city.billing", "proposed"),
    ]  # fmt: skip
    office = await open_browser("8002")
    assert (await (await office.get("/api/work-orders")).json())["items"] == []
    assert (await office.get(f"/api/orders/{order['id']}/plan")).status == 403


@pytest.mark.req("AD-03", "DP-10", "IN-20")
async def test_the_map_is_reassigned_with_the_work_under_way(
    admin: Browser, agent: Browser, open_browser: MakeBrowser, now: datetime, clock: Clock
) -> None:
    made = await line(admin, "city.network", "handle")
    assert (made["state"], made["people"], made["undecided"]) == ("in_force", 2, 0)
    found = await (await admin.get("/api/template-match?complaint_type=network")).json()
    assert (found["plan"]["template"], [task["unit"] for task in found["plan"]["tasks"]]) == (None, ["city.network"])
    letter = {"channel": "letter", "received_at": "2026-03-10T01:00:00Z"} | complaint(now)
    draft = await (await agent.post("/api/orders", letter)).json()
    order = await (await agent.post(f"/api/orders/{draft['id']}/submit", {"version": draft["version"]})).json()
    handed = {"version": order["version"], "reason": "派单"}
    order = await (await agent.post(f"/api/orders/{order['id']}/hand-to-senior", handed)).json()
    checks = dict.fromkeys(("valid", "serial", "complainant_type", "complaint_type"), True)
    tasks = [{"unit": "city.network", "task": "查", "limit_s": 7200}]
    said = {"version": order["version"], "opinion": "派", "checks": checks, "tasks": tasks}
    senior = await open_browser("2001")
    assert (await senior.post(f"/api/orders/{order['id']}/dispatch", said)).status == 200
    path = f"/api/responsibilities/{made['id']}"
    (work,) = (await (await admin.get(f"{path}/live")).json())["under_way"]
    assert (work["order_serial"], work["unit"]) == (order["serial"], "city.network")
    clock.now = clock.now.replace(minute=59)
    to = {"version": 1, "unit": "city.billing", "reason": "机构调整"}
    for body, status, code, field in (
        (to, 422, "missing", "live"),
        ({**to, "from_day": "2026-03-01"}, 422, "in_the_past", "valid_from"),
        ({**to, "from_day": "2026-03-11", "live": {"choice": "stay"}}, 422, "not_yet", "live"),
        ({**to, "unit": "nowhere", "live": {"choice": "stay"}}, 422, "unknown_code", "unit"),
        ({**to, "live": {"choice": "perhaps"}}, 422, "invalid", None),
        ({**to, "version": 9}, 409, "stale_version", None),
    ):
        refused = await admin.post(f"{path}/reassign", body)
        told = await refused.json()
        assert (refused.status, told["code"]) == (status, code), body
        assert field is None or told["details"]["field"] == field
    answer = await admin.post(f"{path}/reassign", {**to, "live": {"choice": "follow"}})
    assert (answer.status, (await answer.json())["unit"]) == (200, "city.billing")
    office = await open_browser("8002")
    (mine,) = (await (await office.get("/api/work-orders")).json())["items"]
    assert (mine["id"], mine["due_at"]) == (work["id"], work["due_at"]), "it followed with its limit"
    states = [
        (each["unit"], each["state"]) for each in (await (await admin.get("/api/responsibilities")).json())["items"]
    ]
    assert states == [("city.billing", "in_force"), ("city.network", "over")]
    assert (await senior.get("/api/responsibilities")).status == 403


@pytest.mark.req("RP-08", "DP-14")
async def test_each_version_says_how_long_a_department_watches_its_answer(admin: Browser) -> None:
    await published(admin)
    draft = {"version": 3, "covers": NETWORK, "nodes": [CHECK]}
    refused = await admin.send("PUT", "/api/templates/network/draft", {**draft, "tracking_s": 60})
    told = await refused.json()
    assert (refused.status, told["code"], told["details"]["field"]) == (422, "bad_tracking_time", "tracking_s")
    assert (await admin.send("PUT", "/api/templates/network/draft", {**draft, "tracking_s": 0})).status == 200
    done = await admin.post("/api/templates/network/publish", {"version": 4})
    assert [(each["number"], each["tracking_s"]) for each in (await done.json())["versions"]] == [(2, 0), (1, None)]
    again = await admin.send("PUT", "/api/templates/network/draft", {**draft, "version": 5})
    assert [each["tracking_s"] for each in (await again.json())["versions"]] == [None, 0, None]
    assert (await (await admin.get("/api/templates")).json())["tracking_s"] == 7 * 86400
