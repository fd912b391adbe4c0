"""Recorded complaints through the interface: the clerk's queue, claim, order, discard, and who may not."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from recordings import store as recordings
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from ticketing.audit import query_log
from ticketing.db import Database
from ticketing.intake import actions
from ticketing.intake.model import NewMessage
from ticketing.roles import SYSTEM


@pytest.fixture
async def clerk(open_browser: MakeBrowser) -> Browser:
    return await open_browser("6001")


@pytest.fixture
async def messages(centre: Database, now: datetime) -> list[str]:
    """Three messages, the last one silent; their public ids."""
    ids = []
    for n, seconds in ((1, 12.0), (2, 30.0), (3, 0.5)):
        call_id = f"20260310013000-00000000000{n}"
        said = NewMessage(
            call_id, f"{call_id}-msg-1.wav", "13800138000", "1860", "zh", "complaint", seconds, "limit", now
        )
        async with centre.write() as conn:
            change = await actions.take(conn, SYSTEM, said, now)
            await recordings.expect(conn, f"{call_id}-msg-1", now)
        ids.append(change.subject_id)
    return ids


async def send(browser: Browser, id_: str, verb: str, **body: Any) -> tuple[int, Any]:
    answer = await browser.post(f"/api/items/{id_}/{verb}", body)
    return answer.status, await answer.json()


@pytest.mark.req("TL-21", "IN-27")
async def test_a_clerk_hears_a_message_and_makes_orders_of_it(
    clerk: Browser, messages: list[str], centre: Database
) -> None:
    page = await (await clerk.get("/api/items?limit=1")).json()
    assert [item["id"] for item in page["items"]] == messages[:1]
    rest = await (await clerk.get(f"/api/items?cursor={page['next_cursor']}")).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == (messages[1:2], None)
    item = page["items"][0]
    assert (item["state"], item["owner"], item["due_at"]) == ("new", "recordings", "2026-03-10T03:30:00Z")
    assert item["recording"]["state"] == "expected"
    assert (await send(clerk, messages[0], "to-order", version=1))[0] == 409
    status, item = await send(clerk, messages[0], "claim", version=1)
    assert (status, item["owner"], item["version"]) == (200, "6001", 2)
    status, made = await send(clerk, messages[0], "to-order", version=2)
    assert (status, made["item"]["state"], made["order"]["channel"]) == (200, "done", "recording")
    assert made["item"]["orders"] == [{"id": made["order"]["id"], "serial": made["order"]["serial"], "state": "draft"}]
    assert made["order"]["contact_number"] == made["order"]["caller_number"] == "+8613800138000"
    assert (await send(clerk, messages[0], "to-order", version=2))[0] == 409
    status, again = await send(clerk, messages[0], "to-order", version=3)
    assert (status, len(again["item"]["orders"])) == (200, 2)
    async with centre.read() as conn:
        verbs = await conn.scalars(select(query_log.c.verb).where(query_log.c.subject_kind == "item"))
        assert set(verbs) == {"item.searched"}


@pytest.mark.req("IN-28")
async def test_a_message_is_put_away_with_a_reason_only(clerk: Browser, messages: list[str]) -> None:
    await send(clerk, messages[1], "claim", version=1)
    for reason, code in (("no.such", "unknown_code"), ("", "invalid")):
        status, answer = await send(clerk, messages[1], "discard", version=2, reason=reason)
        assert (status, answer["code"]) == (422, code)
    assert (await send(clerk, messages[1], "discard", version=2))[0] == 422
    status, item = await send(clerk, messages[1], "discard", version=2, reason="nuisance", note="广告录音")
    assert (status, item["state"], item["discard_reason"], item["note"]) == (200, "discarded", "nuisance", "广告录音")
    shown = await (await clerk.get(f"/api/items/{messages[1]}")).json()
    assert shown == item
    found = await (await clerk.get(f"/api/items?serial={item['serial']}")).json()
    assert [each["id"] for each in found["items"]] == messages[1:2]


async def test_what_was_put_aside_can_be_asked_for(clerk: Browser, messages: list[str]) -> None:
    page = await (await clerk.get("/api/items?state=sorted_out,discarded")).json()
    assert [(item["id"], item["sorted_out"], item["card"]) for item in page["items"]] == [
        (messages[2], "too_short", "none")
    ]
    assert (await clerk.get("/api/items?state=lost")).status == 422
    assert (await clerk.get("/api/items?cursor=bm8")).status == 422


async def test_a_supervisor_hands_it_on_and_the_late_one_is_told(
    open_browser: MakeBrowser, clerk: Browser, messages: list[str], clock: Clock
) -> None:
    supervisor = await open_browser("3001")
    assert (await send(clerk, messages[0], "reassign", version=1, number="2001", reason="absent"))[0] == 403
    status, item = await send(supervisor, messages[0], "reassign", version=1, number="2001", reason="absent")
    assert (status, item["owner"], item["state"]) == (200, "2001", "claimed")
    assert (await send(supervisor, messages[0], "claim", version=2))[0] == 403
    status, answer = await send(clerk, messages[0], "claim", version=1)
    assert (status, answer["code"], answer["details"]["by"]) == (409, "stale_version", "3001")
    senior = await open_browser("2001")
    assert (await send(clerk, messages[0], "release", version=2))[1]["code"] == "not_your_item"
    status, item = await send(senior, messages[0], "release", version=2)
    assert (status, item["owner"]) == (200, "recordings")
    clock.advance(hours=3)
    assert (await supervisor.sign_in("3001")).status == 200
    late = await (await supervisor.get("/api/items?overdue=true")).json()
    assert {each["card"] for each in late["items"]} == {"red"}


@pytest.mark.parametrize("number", ["1001", "5001"])
async def test_others_do_not_see_messages(open_browser: MakeBrowser, messages: list[str], number: str) -> None:
    browser = await open_browser(number)
    assert (await browser.get("/api/items")).status == 403
    assert (await browser.get(f"/api/items/{messages[0]}")).status == 403
