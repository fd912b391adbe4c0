"""Orders through the interface: drafts of calls and paper, versions, twice-sent creates, what is not one's own."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_aiohttp.plugin import AiohttpClient
from sqlalchemy import insert, select

from cti import store as calls
from cti.calls.model import CallRecord, Step
from cti.web.deps import WebDeps
from cti.web.server import build_app
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from ticketing.audit import query_log
from ticketing.db import Database
from ticketing.orders import actions
from ticketing.orders.inputs import DraftFromCall
from ticketing.orders.tables import order_term
from ticketing.roles import SYSTEM

CALLER = "13800138000"
LETTER = {"channel": "letter", "received_at": "2026-03-10T01:00:00Z", "kind": "complaint", "contact_name": "李女士"}


def complaint(now: datetime) -> dict[str, Any]:
    """Every element a complaint needs, as the page sends it."""
    return {
        "kind": "complaint",
        "business": "data.broadband",
        "nature": "network.speed",
        "complaint_type": "network",
        "complainant_type": "ordinary",
        "unit": "city.network",
        "description": "宽带晚间网速慢，多次报修未解决。",
        "verbatim": "我家宽带一到晚上就卡，报了三次了！",
        "service_number": "ADSL-010-88886666",
        "contact_name": "李女士",
        "contact_number": "13900139000",
        "contact_address": "北京市海淀区中关村大街 1 号",
        "reply_mode": "telephone",
        "coded": {"event_at": "refused", "event_place": "not_applicable"},
        "wanted_result": "恢复网速",
        "wanted_limit_at": (now + timedelta(days=2)).isoformat(),
        "promise": {"text": "两天内答复", "due_at": (now + timedelta(days=2)).isoformat()},
    }


@pytest.fixture
async def draft(centre: Database, now: datetime) -> str:
    """The draft of a call that 1001 answered; its public id."""
    record = CallRecord(
        call_id="c1",
        entered_at=now - timedelta(seconds=30),
        dnis="1860",
        ani=CALLER,
        queue="complaint",
        asked_at=now - timedelta(seconds=8),
        answered_at=now,
        answered_by="1001",
        path=(Step(node="main", key="1", at=now - timedelta(seconds=10)), Step(node="main", key="9", at=now)),
    )
    async with centre.write() as conn:
        await calls.save_calls(conn, [record])
        told = DraftFromCall("c1", "1001", CALLER, "1860", now, queue="complaint")
        return (await actions.draft_at_answer(conn, SYSTEM, told, now)).subject_id


@pytest.mark.req("IN-18")
async def test_the_callers_number_is_shown_and_never_written(agent: Browser, draft: str) -> None:
    shown = await (await agent.get(f"/api/orders/{draft}")).json()
    assert shown["caller_number"] == "+8613800138000"
    assert (shown["call_id"], shown["state"], shown["owner"]) == ("c1", "draft", "1001")
    for field in ("caller_number", "call_id", "dnis", "serial", "state", "received_at"):
        refused = await agent.patch(f"/api/orders/{draft}", {"version": shown["version"], field: "+8613900000000"})
        assert refused.status == 422, field
        assert (await refused.json())["code"] == "unknown_field"


@pytest.mark.req("TL-07", "TL-32")
async def test_a_draft_shows_the_way_its_caller_walked(agent: Browser, draft: str) -> None:
    """Keys with their labels in the reader's language; a choice nobody named is shown as it is."""
    for language, label in (("zh", "投诉"), ("en", "Complaint")):
        shown = await (await agent.get(f"/api/orders/{draft}", headers={"Accept-Language": language})).json()
        path = [(step["node"], step["key"], step["label"]) for step in shown["calls"][0]["path"]]
        assert path == [("main", "1", label), ("main", "9", "main")]


async def test_a_draft_is_filled_and_submitted(agent: Browser, draft: str, now: datetime) -> None:
    first = await (await agent.get(f"/api/orders/{draft}")).json()
    assert first["calls"][0]["call_id"] == "c1"
    assert first["calls"][0]["agent_name"] == "林晓梅"
    assert first["calls"][0]["waited_ms"] == 8000
    assert first["calls"][0]["order_serial"] == first["serial"]
    assert "kind" in first["missing"]
    early = await agent.post(f"/api/orders/{draft}/submit", {"version": first["version"]})
    assert early.status == 422
    assert "kind" in (await early.json())["details"]["missing"]
    answer = await agent.patch(f"/api/orders/{draft}", {"version": first["version"], **complaint(now)})
    filled = await answer.json()
    assert answer.status == 200, filled
    assert filled["missing"] == []
    assert filled["promise"]["text"] == "两天内答复"
    assert filled["coded"] == {"event_at": "refused", "event_place": "not_applicable"}
    done = await agent.post(f"/api/orders/{draft}/submit", {"version": filled["version"]})
    order = await done.json()
    assert done.status == 200, order
    assert order["state"] == "registered"
    assert {clock["code"] for clock in order["clocks"]} >= {"K10", "K11"}
    assert [step["action"] for step in order["trail"]][-1] == "submit"
    assert order["trail"][-1]["by"] == "林晓梅"


async def test_only_what_is_sent_changes(agent: Browser, draft: str) -> None:
    one = await (await agent.patch(f"/api/orders/{draft}", {"version": 1, "contact_name": "李女士"})).json()
    two = await (
        await agent.patch(f"/api/orders/{draft}", {"version": one["version"], "contact_address": "文化路 8 号"})
    ).json()
    assert two["contact_name"] == "李女士"
    emptied = await (
        await agent.patch(f"/api/orders/{draft}", {"version": two["version"], "contact_name": None})
    ).json()
    assert (emptied["contact_name"], emptied["contact_address"]) == (None, "文化路 8 号")


async def test_a_promise_without_its_time_is_named_as_the_page_names_it(
    agent: Browser, draft: str, now: datetime
) -> None:
    past = {"version": 1, "promise": {"text": "昨天", "due_at": (now - timedelta(days=1)).isoformat()}}
    refused = await agent.patch(f"/api/orders/{draft}", past)
    assert (refused.status, (await refused.json())["details"]["field"]) == (422, "promise.due_at")


async def test_a_stale_version_is_a_conflict_that_says_who(
    agent: Browser, open_browser: MakeBrowser, draft: str
) -> None:
    other = await open_browser("1001")
    assert (await other.patch(f"/api/orders/{draft}", {"version": 1, "contact_name": "王"})).status == 200
    late = await agent.patch(f"/api/orders/{draft}", {"version": 1, "contact_name": "李"})
    said = await late.json()
    assert (late.status, said["code"], said["details"]["by"]) == (409, "stale_version", "1001")


async def test_of_many_writers_one_wins(agent: Browser, draft: str) -> None:
    answers = await asyncio.gather(
        *(agent.patch(f"/api/orders/{draft}", {"version": 1, "contact_name": f"第{n}位"}) for n in range(12))
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 11


async def test_anothers_draft_is_not_there(open_browser: MakeBrowser, draft: str) -> None:
    other = await open_browser("1002")
    for answer in (
        await other.get(f"/api/orders/{draft}"),
        await other.patch(f"/api/orders/{draft}", {"version": 1, "contact_name": "x"}),
        await other.post(f"/api/orders/{draft}/submit", {"version": 1}),
        await other.post(f"/api/orders/{draft}/no-order", {"version": 1, "reason": "inquiry"}),
        await other.get("/api/orders/none-such"),
        await other.get("/api/orders/..%2f..%2fetc"),
    ):
        assert answer.status == 404
    listed = await (await other.get("/api/orders?state=draft")).json()
    assert listed["items"] == []


@pytest.mark.req("PX-07")
async def test_a_call_that_needs_no_order_ends_with_a_reason(agent: Browser, draft: str) -> None:
    wrong = await agent.post(f"/api/orders/{draft}/no-order", {"version": 1, "reason": "because"})
    assert (wrong.status, (await wrong.json())["details"]["field"]) == (422, "reason")
    codes = [node["code"] for node in (await (await agent.get("/api/taxonomies")).json())["no_order_reason"]]
    done = await agent.post(f"/api/orders/{draft}/no-order", {"version": 1, "reason": codes[0], "note": "打错了"})
    order = await done.json()
    assert (done.status, order["state"], order["no_order_reason"]) == (200, "no_order", codes[0])
    again = await agent.post(f"/api/orders/{draft}/no-order", {"version": order["version"], "reason": codes[0]})
    assert again.status == 409


async def test_a_call_is_merged_into_an_open_order(agent: Browser, centre: Database, draft: str, now: datetime) -> None:
    filled = await (await agent.patch(f"/api/orders/{draft}", {"version": 1, **complaint(now)})).json()
    target = await (await agent.post(f"/api/orders/{draft}/submit", {"version": filled["version"]})).json()
    async with centre.write() as conn:
        second = await actions.draft_at_answer(conn, SYSTEM, DraftFromCall("c2", "1001", CALLER, "1860", now), now)
    path = f"/api/orders/{second.subject_id}/merge"
    typo = target["serial"][:-1] + str((int(target["serial"][-1]) + 1) % 10)
    assert (await agent.post(path, {"version": second.version, "into_serial": typo})).status == 422
    merged = await agent.post(path, {"version": second.version, "into_serial": target["serial"]})
    order = await merged.json()
    assert (merged.status, order["id"], order["contact_no"]) == (200, target["id"], 2)
    assert (await (await agent.get(f"/api/orders/{second.subject_id}")).json())["merged_into"] == target["serial"]


async def test_a_create_sent_twice_happens_once(agent: Browser) -> None:
    key = {"Idempotency-Key": "letter-17"}
    first = await agent.post("/api/orders", LETTER, key)
    second = await agent.post("/api/orders", LETTER, key)
    one, two = await first.json(), await second.json()
    assert (first.status, second.status) == (201, 201)
    assert one == two
    assert one["contact_name"] == "李女士"
    assert one["received_at"] == "2026-03-10T01:00:00Z"
    other = await agent.post("/api/orders", {**LETTER, "contact_name": "王"}, key)
    assert (other.status, (await other.json())["code"]) == (422, "idempotency_key_reused")
    assert (await agent.post("/api/orders", LETTER, {"Idempotency-Key": "a b"})).status == 422
    assert (await (await agent.post("/api/orders", LETTER)).json())["id"] != one["id"]


async def test_creates_sent_at_once_happen_once(agent: Browser) -> None:
    key = {"Idempotency-Key": "letter-18"}
    answers = await asyncio.gather(*(agent.post("/api/orders", LETTER, key) for _ in range(8)))
    assert {answer.status for answer in answers} == {201}
    assert len({(await answer.json())["id"] for answer in answers}) == 1
    assert len((await (await agent.get("/api/orders?mine=true")).json())["items"]) == 1


async def test_a_failed_create_leaves_its_key_free(agent: Browser) -> None:
    key = {"Idempotency-Key": "letter-19"}
    wrong = await agent.post("/api/orders", {**LETTER, "business": "no.such"}, key)
    assert wrong.status == 422
    assert (await agent.post("/api/orders", LETTER, key)).status == 201
    assert len((await (await agent.get("/api/orders?mine=true")).json())["items"]) == 1


async def test_pages_of_a_search_join_without_gap(agent: Browser) -> None:
    made = [(await (await agent.post("/api/orders", LETTER)).json())["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await (await agent.get(f"/api/orders?mine=true&limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(made)
    for wrong in ("limit=0", "limit=900", "state=nowhere", "sort=id", "mine=perhaps", "cursor=AAAA"):
        assert (await agent.get(f"/api/orders?{wrong}")).status == 422, wrong


@pytest.mark.req("AU-01")
async def test_every_read_is_in_the_query_log(agent: Browser, deps: WebDeps, draft: str) -> None:
    for path in (
        f"/api/orders/{draft}", "/api/orders?number=13800138000", "/api/calls", "/api/calls/c1",
        "/api/customers?number=13800138000", "/api/standards",
    ):  # fmt: skip
        assert (await agent.get(path)).status == 200, path
    async with deps.database.read() as conn:
        rows = (await conn.execute(select(query_log).order_by(query_log.c.id))).all()
    assert [row.verb for row in rows] == [
        "order.read", "order.searched", "call.listed", "call.read", "customer.searched", "standards.read",
    ]  # fmt: skip
    assert {row.actor_number for row in rows} == {"1001"}
    assert rows[1].payload == {"conditions": {"number": "13800138000"}, "count": 1, "ids": [draft]}


@pytest.mark.req("TL-72", "AU-01")
async def test_orders_are_searched_by_chinese_words(agent: Browser, deps: WebDeps, draft: str, now: datetime) -> None:
    """Two characters are enough; what was asked is logged as every search is; 61 characters are refused."""
    fields = {key: value for key, value in complaint(now).items() if key in {"description", "contact_name"}}
    assert (await agent.patch(f"/api/orders/{draft}", {"version": 1, **fields})).status == 200
    for words, found in (("网速", [draft]), ("李女士 宽带", [draft]), ("网速 电视", [])):
        page = await (await agent.get("/api/orders", params={"q": words})).json()
        assert [item["id"] for item in page["items"]] == found, words
    assert (await agent.get("/api/orders", params={"q": "长" * 61})).status == 422
    async with deps.database.read() as conn:
        payloads = [row.payload for row in await conn.execute(select(query_log).order_by(query_log.c.id))]
    assert payloads[1] == {"conditions": {"q": "李女士 宽带"}, "count": 1, "ids": [draft]}


async def test_a_call_of_another_agent_is_not_there(open_browser: MakeBrowser, agent: Browser, draft: str) -> None:
    assert (await (await agent.get("/api/calls?mine=true&limit=5")).json())["items"][0]["order_id"] == draft
    assert (await agent.get("/api/calls?mine=false")).status == 403
    other = await open_browser("1002")
    assert (await other.get("/api/calls/c1")).status == 404
    senior = await open_browser("2001")
    seen = await senior.get("/api/calls/c1")
    assert (seen.status, (await seen.json())["order_id"]) == (200, None)
    assert (await agent.get("/api/calls/none-such")).status == 404


@pytest.mark.req("IN-01")
async def test_each_kind_is_registered_and_a_look_up_opens_no_order(agent: Browser, now: datetime) -> None:
    """Complaint, suggestion and inquiry; the service standards are only read."""
    told = complaint(now)
    suggestion = {name: told[name] for name in ("business", "nature", "description", "verbatim", "contact_name")}
    suggestion |= {"suggestion_category": "service", "contact_number": "13900139000", "reply_mode": "none"}
    inquiry = {name: told[name] for name in ("business", "description")}
    for kind, fields in (("complaint", told), ("suggestion", suggestion), ("inquiry", inquiry)):
        letter = {"channel": "walk_in", "received_at": "2026-03-10T01:00:00Z"}
        made = await (await agent.post("/api/orders", letter)).json()
        filled = await (
            await agent.patch(f"/api/orders/{made['id']}", {"version": made["version"], **fields, "kind": kind})
        ).json()
        assert filled.get("missing") == [], filled
        done = await agent.post(f"/api/orders/{made['id']}/submit", {"version": filled["version"]})
        assert done.status == 200, await done.text()
    before = (await (await agent.get("/api/orders?limit=100")).json())["items"]
    assert {"complaint", "suggestion", "inquiry"} <= {order["kind"] for order in before}
    assert (await agent.get("/api/standards")).status == 200
    assert len((await (await agent.get("/api/orders?limit=100")).json())["items"]) == len(before)


@pytest.mark.req("AU-03", "AU-04")
async def test_conditions_of_every_sort_hold_together_and_are_described(
    agent: Browser, deps: WebDeps, draft: str, visitor: Browser
) -> None:
    """The address takes any of them; each is explained to whoever writes a program; what was asked is logged."""
    asked = {
        "business": "data", "state": "draft,registered", "acted_by": "1001", "vip": "false", "card": "none",
        "created_from": "2026-03-10T00:00:00Z", "created_to": "2026-03-11T09:30:00+08:00", "sort": "due",
    }  # fmt: skip
    assert (await agent.patch(f"/api/orders/{draft}", {"version": 1, "business": "data.iptv"})).status == 200
    page = await (await agent.get("/api/orders", params=asked)).json()
    assert [item["id"] for item in page["items"]] == [draft]
    assert (await (await agent.get("/api/orders", params={**asked, "vip": "true"})).json())["items"] == []
    async with deps.database.read() as conn:
        said = [row.payload["conditions"] for row in await conn.execute(select(query_log).order_by(query_log.c.id))]
    written = {"created_to": "2026-03-11T01:30:00Z", "vip": False}
    assert said[0] == {**asked, **written}
    for wrong, field in (("business=nowhere", "business"), ("card=green", "card"), ("created_from=1", "created_from")):
        answer = await agent.get(f"/api/orders?{wrong}")
        assert (answer.status, (await answer.json())["details"]["field"]) == (422, field)
    document = await (await visitor.get("/api/openapi.json")).json()
    parameters = document["paths"]["/api/orders"]["get"]["parameters"]
    assert len(parameters) > 55
    assert all(parameter["description"] for parameter in parameters)


@pytest.mark.req("AU-03")
async def test_a_search_that_takes_too_long_is_told_what_to_narrow(
    aiohttp_client: AiohttpClient, deps: WebDeps, draft: str
) -> None:
    """Nothing can be read in no time: the refusal says what to add, most telling first, and is no crash."""
    hasty = Browser(await aiohttp_client(build_app(replace(deps, search_limit_s=0.0))))
    await hasty.sign_in("2001")
    async with deps.database.write() as conn:
        many = [{"term": f"词{number}", "order_id": 1} for number in range(4000)]
        await conn.execute(insert(order_term), many)
    answer = await hasty.get("/api/orders", params={"q": "词", "unit": "city", "state": "draft"})
    refused = await answer.json()
    assert (answer.status, refused["code"]) == (422, "too_broad")
    narrow = ["serial", "number", "customer", "created_from", "created_to", "business", "owner"]
    assert refused["details"]["narrow"] == narrow
    assert "时间范围" in refused["message"]
