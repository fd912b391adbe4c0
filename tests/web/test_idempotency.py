"""Every create of the interface under an Idempotency-Key: once, with one answer, and no other request's (N1).

The creates are read from the description: one that is added is tested with the example of its body, or with the
request that `CASES` gives it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient
from sqlalchemy import func, select

from cti.web.catalogue import ROUTES
from cti.web.deps import WebDeps
from cti.web.openapi import describe
from cti.web.schemas.announcements import AnnouncementChoices, AnnouncementPrompt
from cti.web.schemas.common import Label
from cti.web.server import build_app
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_orders import complaint
from tests.web.test_workflow import TASK
from ticketing.audit import QueryLog, audit
from ticketing.db import Database
from ticketing.orders.tables import work_order
from ticketing.roles import PERMISSIONS, Action, Post

DOCUMENT = describe(ROUTES, "0")
KEY = "Idempotency-Key"
PEOPLE = {"JA": "1001", "SA": "2001", "SU": "3001", "DM": "5001", "RX": "6001", "AD": "9001"}
WRITERS = ("orders.", "work_orders.")


@pytest.fixture
async def deps(deps: WebDeps) -> WebDeps:
    """With something to announce."""
    prompt = AnnouncementPrompt(code="announce-outage-line", text=Label(zh="线路故障", en="A line is down"))
    return replace(deps, announceable=lambda: AnnouncementChoices(prompts=[prompt], lines=[]))


@dataclass(frozen=True)
class Create:
    """One operation that answers 201."""

    operation: str
    path: str
    number: str
    body: Any


CASES: Mapping[str, Any] = {
    "orders_create": {"channel": "letter", "received_at": "2026-03-10T01:00:00Z", "contact_name": "李女士"},
    "callbacks_create": {"number": "13800138000", "queue": "complaint", "window": "asap"},
    "announcements_create": {"prompt": "announce-outage-line", "dnis": [], "ends_at": "2026-03-10T09:00:00Z"},
}
"""Requests whose example needs something that is not there in a test: a moment, a reference."""


def creates() -> list[Create]:
    """Every POST of the description that answers 201, with somebody who may."""
    found = []
    for path, methods in DOCUMENT["paths"].items():
        operation = methods.get("post")
        if operation is None or "201" not in operation["responses"] or "{" in path:
            continue
        posts = PERMISSIONS[Action(operation["x-permission"])]
        number = next(number for post, number in PEOPLE.items() if Post(post) in posts)
        name = operation["operationId"]
        body = CASES.get(name) or operation["requestBody"]["content"]["application/json"]["example"]
        found.append(Create(name, path, number, body))
    return found


def test_every_create_takes_a_key_and_says_how_long_it_is_kept() -> None:
    assert {"orders_create", "callbacks_create", "announcements_create"} <= {each.operation for each in creates()}
    for methods in DOCUMENT["paths"].values():
        operation = methods.get("post")
        if operation is None or "201" not in operation["responses"]:
            continue
        keys = [each for each in operation["parameters"] if each["name"] == KEY]
        assert keys, f"{operation['operationId']} makes something: give its route `idempotent=True`"
        assert "24 hours" in keys[0]["description"]


def test_every_step_of_an_order_takes_a_key() -> None:
    without = [
        route.name
        for route in ROUTES
        if route.name.startswith(WRITERS) and route.method == "POST" and not route.idempotent
    ]
    assert without == []


async def changes_made(database: Database) -> int:
    """How many changes the audit knows."""
    async with database.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(audit))).scalar_one())


@pytest.mark.req("N1")
@pytest.mark.parametrize("create", creates(), ids=lambda each: each.operation)
async def test_a_create_sent_again_has_its_first_answer(
    open_browser: MakeBrowser,
    deps: WebDeps,
    create: Create,
    *,
    clock: Clock,
    aiohttp_client: AiohttpClient,
    database: Database,
) -> None:
    browser = await open_browser(create.number)
    key = {KEY: "k-1"}
    first = await browser.post(create.path, create.body, key)
    told = await first.text()
    assert first.status == 201, told
    made = await changes_made(database)
    again = await browser.post(create.path, create.body, key)
    assert (again.status, await again.text(), again.headers["Idempotent-Replayed"]) == (201, told, "true")
    assert "Idempotent-Replayed" not in first.headers
    spaced = json.dumps(create.body, indent=3)
    other = await browser.client.post(
        create.path,
        data=spaced,
        headers={"Origin": browser.origin, "X-CSRF-Token": browser.csrf, "Content-Type": "application/json", **key},
    )
    assert (other.status, (await other.json())["code"]) == (422, "idempotency_key_reused")
    # a service started anew knows it
    reopened = await Database.open(database.url)
    try:
        fresh: web.Application = build_app(replace(deps, database=reopened, queries=QueryLog(reopened)))
        after = Browser(await aiohttp_client(fresh))
        assert (await after.sign_in(create.number)).status == 200
        made_by_sign_in = await changes_made(database) - made
        restarted = await after.post(create.path, create.body, key)
        assert (restarted.status, await restarted.text()) == (201, told)
        assert await changes_made(database) == made + made_by_sign_in
        await after.client.close()
    finally:
        await reopened.close()
    # and after its time it is nobody's
    clock.advance(hours=25)
    assert (await browser.sign_in(create.number)).status == 200
    late = await browser.post(create.path, create.body, key)
    assert "Idempotent-Replayed" not in late.headers


@pytest.mark.req("N1")
async def test_work_orders_of_a_dispatch_sent_again_are_made_once(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    senior = await open_browser("2001")
    letter = {"channel": "letter", "received_at": "2026-03-10T01:00:00Z"}
    order = await (await senior.post("/api/orders", letter | complaint(clock.now))).json()
    path = f"/api/orders/{order['id']}"
    order = await (await senior.post(f"{path}/submit", {"version": order["version"]}, {KEY: "s"})).json()
    handed = await senior.post(f"{path}/hand-to-senior", {"version": order["version"], "reason": "复杂"}, {KEY: "h"})
    order = await handed.json()
    dispatch = DOCUMENT["paths"]["/api/orders/{id}/dispatch"]["post"]["requestBody"]
    example = dispatch["content"]["application/json"]["example"]
    body = example | {"version": order["version"], "tasks": [TASK], "by_template": False}
    answers = [await senior.post(f"{path}/dispatch", body, {KEY: "d"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200], await answers[0].text()
    assert await answers[0].text() == await answers[1].text()
    async with database.read() as conn:
        count = (await conn.execute(select(func.count()).select_from(work_order))).scalar_one()
    assert count == len(body["tasks"])
    elsewhere = await senior.post(f"{path}/cancel", body, {KEY: "d"})
    assert elsewhere.status == 422
