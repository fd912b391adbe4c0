"""The prompted form, templates and phrases through the interface."""

from datetime import datetime

import pytest

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from tests.web.test_orders import complaint


@pytest.mark.req("IN-24", "IN-05")
async def test_the_form_is_served_for_what_the_draft_says(agent: Browser) -> None:
    asked = "/api/order-form?kind=complaint&complaint_type=network&business=data.broadband"
    form = await (await agent.get(asked)).json()
    assert (form["template"], form["name"]["zh"]) == ("network-data", "数据通信网络投诉")
    shown = {each["field"]: each for each in form["elements"]}
    assert [shown[name]["input"] for name in ("serial", "unit", "contact_name")] == ["given", "tree", "line"]
    assert shown["promise.due_at"]["required"] is True
    assert shown["service_number"]["prompt"]["en"] == "Broadband account or number of the line"
    bare = await (await agent.get("/api/order-form")).json()
    assert (bare["template"], [each["field"] for each in bare["elements"] if each["required"]]) == (None, ["kind"])
    assert (await agent.get("/api/order-form?kind=appeal")).status == 422


@pytest.mark.req("IN-05", "IN-16", "IN-17")
async def test_an_administrator_adds_a_template_and_the_next_draft_is_asked_by_it(
    agent: Browser, open_browser: MakeBrowser, now: datetime
) -> None:
    admin = await open_browser("9001")
    new = {
        "code": "iptv", "kind": "complaint", "complaint_type": "service", "business": "data.iptv", "zh": "电视服务",
        "en": "Television", "asks": {"operation_serial": True}, "prefill": {"wanted_result": "上门时间："},
        "prompts": {"operation_serial": {"zh": "机顶盒号", "en": "Number of the set-top box"}},
    }  # fmt: skip
    assert (await agent.post("/api/order-templates", new)).status == 403
    made = await admin.post("/api/order-templates", new)
    assert (made.status, (await made.json())["version"]) == (201, 1)
    fields = complaint(now) | {"business": "data.iptv", "complaint_type": "service", "coded": {"event_at": "refused"}}
    letter = {"channel": "letter", "received_at": "2026-03-10T01:00:00Z"} | fields | {"event_place": "家中"}
    del letter["wanted_result"]
    draft = await (await agent.post("/api/orders", letter)).json()
    assert (draft["order_template"], draft["wanted_result"]) == ("iptv", "上门时间：")
    assert draft["missing"] == ["wanted_result", "operation_serial"]
    refused = await agent.post(f"/api/orders/{draft['id']}/submit", {"version": draft["version"]})
    assert (refused.status, (await refused.json())["code"]) == (422, "missing")
    part = {"wanted_result": "上门时间：今天", "coded": {"operation_serial": "not_applicable"}}
    filled = await (await agent.patch(f"/api/orders/{draft['id']}", {"version": draft["version"], **part})).json()
    assert (filled["missing"], filled["completeness"]) == ([], 100)
    assert (await agent.post(f"/api/orders/{draft['id']}/submit", {"version": filled["version"]})).status == 200
    changed = {name: value for name, value in new.items() if name != "code"} | {"version": 1, "zh": "电视"}
    assert (await (await admin.post("/api/order-templates/iptv", changed)).json())["zh"] == "电视"
    gone = await admin.post("/api/order-templates/iptv/retire", {"version": 2, "retired": True})
    assert (await gone.json())["retired"] is True
    listed = await (await admin.get("/api/order-templates")).json()
    assert [(each["version"], each["edited"]) for each in listed["items"] if each["code"] == "iptv"] == [(3, True)]


@pytest.mark.req("IN-05", "IN-17")
async def test_administrators_are_told_what_a_template_may_say(open_browser: MakeBrowser) -> None:
    """Every kind's elements in the form's order, with the kind's own rule."""
    admin = await open_browser("9001")
    elements = (await (await admin.get("/api/order-templates")).json())["elements"]
    assert list(elements) == ["complaint", "suggestion", "inquiry"]
    of = {kind: {each["field"]: each for each in said} for kind, said in elements.items()}
    assert len({frozenset(each) for each in of.values()}) == 1
    assert [of[kind]["unit"]["rule"] for kind in elements] == ["required", "hidden", "hidden"]
    assert [of[kind]["contact_name"]["rule"] for kind in elements] == ["codeable", "codeable", "optional"]
    assert {each["input"] for each in of["complaint"].values()} == {"choice", "tree", "line", "lines", "number", "time"}


@pytest.mark.req("IN-16")
async def test_phrases_are_offered_and_changed(agent: Browser, open_browser: MakeBrowser) -> None:
    admin = await open_browser("9001")
    given = {"code": "late", "field": "description", "complaint_type": "charges", "zh": "账单晚到。", "en": "Late."}
    assert (await admin.post("/api/phrases", given)).status == 201
    offered = await (await agent.get("/api/phrases?complaint_type=charges")).json()
    assert "账单晚到。" in [each["zh"] for each in offered["items"]]
    other = {"version": 1, "field": "description", "complaint_type": "charges", "zh": "账单迟到。", "en": "Late."}
    assert (await (await admin.post("/api/phrases/late", other)).json())["version"] == 2
    assert (await admin.post("/api/phrases/late/retire", {"version": 2, "retired": True})).status == 200
    offered = await (await agent.get("/api/phrases?complaint_type=charges")).json()
    assert "late" not in [each["code"] for each in offered["items"]]
    assert (await agent.get("/api/phrases?all=true")).status == 403
    every = await (await admin.get("/api/phrases?all=true")).json()
    assert [each["retired"] for each in every["items"] if each["code"] == "late"] == [True]


@pytest.mark.req("RT-08")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", "还有必填项未填写，请先了解清楚并补全，再转交。"),
        ("en", "Required elements are still missing; find out and complete them before you hand it on."),
    ],
)
async def test_handing_on_what_is_incomplete_is_a_conflict(agent: Browser, language: str, words: str) -> None:
    letter = {"channel": "walk_in", "received_at": "2026-03-10T01:00:00Z", "kind": "inquiry"}
    draft = await (await agent.post("/api/orders", letter)).json()
    refused = await agent.client.post(
        f"/api/orders/{draft['id']}/hand-to-senior",
        json={"version": draft["version"], "reason": "不清楚"},
        headers={"Origin": agent.origin, "X-CSRF-Token": agent.csrf, "Accept-Language": language},
    )
    told = await refused.json()
    assert (refused.status, told["code"], told["message"]) == (409, "incomplete", words)
    assert told["details"]["missing"] == ["business", "description"]
