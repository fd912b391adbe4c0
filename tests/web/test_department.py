"""What departments take at once, ask for and attach, through the interface, and a supervisor's word (PX-05)."""

import io
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse
from sqlalchemy import select

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_workflow import TASK, WELL, registered, step
from ticketing.attachments import store as attachments
from ticketing.audit import query_log
from ticketing.db import Database

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


async def sent(open_browser: MakeBrowser, clock: Clock, count: int = 1) -> list[dict[str, Any]]:
    """Orders dispatched to the network department."""
    junior, senior = await open_browser("1001"), await open_browser("2001")
    orders = []
    for _ in range(count):
        order = await registered(junior, clock)
        order = await step(junior, order, "hand-to-senior", reason="转高级")
        orders.append(await step(senior, order, "dispatch", opinion="派单", checks=WELL, tasks=[TASK]))
    return orders


async def inbox(browser: Browser) -> list[dict[str, Any]]:
    """The unit's live work orders."""
    items: list[dict[str, Any]] = (await (await browser.get("/api/work-orders")).json())["items"]
    return items


async def upload(browser: Browser, task: dict[str, Any], name: str, data: bytes) -> ClientResponse:
    """A file put to a work order."""
    return await browser.client.post(
        f"/api/work-orders/{task['id']}/files",
        params={"name": name, "version": str(task["version"])},
        data=io.BytesIO(data),
        headers={"Origin": browser.origin, "X-CSRF-Token": browser.csrf},
    )


@pytest.mark.req("PX-05")
async def test_several_are_taken_at_once_and_each_refusal_has_its_words(
    open_browser: MakeBrowser, clock: Clock
) -> None:
    await sent(open_browser, clock, 3)
    unit = await open_browser("8001")
    tasks = await inbox(unit)
    said = [{"id": each["id"], "version": each["version"]} for each in tasks]
    said[1]["version"] = 9
    answer = await unit.post("/api/work-orders/accept", {"items": said})
    assert answer.status == 200
    items = (await answer.json())["items"]
    assert [each["id"] for each in items] == [each["id"] for each in tasks]
    assert [each["code"] for each in items] == [None, "stale_version", None]
    assert items[1]["message"]
    assert items[0]["work_order"]["state"] == "accepted"
    assert items[0]["work_order"]["owner"] == "8001"
    assert sorted(each["state"] for each in await inbox(unit)) == ["accepted", "accepted", "sent"]
    assert (await unit.post("/api/work-orders/accept", {"items": []})).status == 422
    assert (await (await open_browser("3001")).post("/api/work-orders/accept", {"items": said})).status == 403


@pytest.mark.req("PX-05", "PX-04")
async def test_a_later_limit_goes_to_the_supervisor_and_both_limits_stand_on_the_order(
    open_browser: MakeBrowser, clock: Clock
) -> None:
    (order,) = await sent(open_browser, clock)
    unit, chief, senior = await open_browser("8001"), await open_browser("3001"), await open_browser("2001")
    (task,) = await inbox(unit)
    later = (clock.now + timedelta(hours=48)).isoformat()
    where = f"/api/work-orders/{task['id']}"
    body = {"version": task["version"], "reason": "parts", "due_at": later}
    assert (await unit.post(f"{where}/ask-extension", {**body, "reason": "x"})).status == 422
    task = await (await unit.post(f"{where}/ask-extension", body)).json()
    assert (task["extending"], "ask_extension" in task["actions"]) == (True, False)
    assert (await unit.get("/api/extensions")).status == 403
    (wish,) = (await (await chief.get("/api/extensions")).json())["items"]
    assert (wish["order_id"], wish["reason"], wish["by"]) == (order["id"], "parts", "8001")
    grant = {"version": wish["version"], "opinion": "同意"}
    assert (await senior.post(f"{where}/grant-extension", grant)).status == 403
    answer = await chief.post(f"{where}/grant-extension", grant)
    assert answer.status == 200, await answer.text()
    assert (await answer.json())["due_at"] == later.replace("+00:00", "Z")
    shown = (await (await senior.get(f"/api/orders/{order['id']}/history")).json())["reviews"][-1]
    assert (shown["kind"], shown["state"], shown["decision"]) == ("extension", "approved", "同意")
    assert (shown["old_due_at"], shown["due_at"]) == (wish["old_due_at"], wish["due_at"])
    clocks = (await (await senior.get(f"/api/orders/{order['id']}/clocks")).json())["items"]
    (stage,) = [each for each in clocks if each["code"] == "K9"]
    (change,) = stage["changes"]
    assert (change["old_due_at"], change["new_due_at"], change["by"]) == (wish["old_due_at"], wish["due_at"], "3001")


@pytest.mark.req("PX-05", "AU-01")
async def test_a_file_stays_with_the_work_order_for_everybody_who_sees_the_order(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    (order,) = await sent(open_browser, clock)
    unit, senior, other = await open_browser("8001"), await open_browser("2001"), await open_browser("8002")
    (task,) = await inbox(unit)
    answer = await upload(unit, task, "现场照片.png", PNG)
    assert answer.status == 201, await answer.text()
    task = await answer.json()
    assert (await upload(senior, task, "说明.txt", "请带备件".encode())).status == 201
    where = f"/api/orders/{order['id']}/attachments"
    items = (await (await senior.get(where)).json())["items"]
    assert (items[0]["name"], items[0]["media_type"], items[0]["size"]) == ("现场照片.png", "image/png", len(PNG))
    assert (items[0]["work_order"], items[0]["added_by"]) == (1, "8001")
    given = await senior.get(f"{where}/{items[0]['id']}")
    assert (given.status, await given.read()) == (200, PNG)
    assert "attachment" in given.headers["Content-Disposition"]
    assert (await other.get(where)).status == 404, "another department's order"
    assert (await other.get(f"{where}/{items[0]['id']}")).status == 404
    assert (await upload(other, task, "x.txt", b"x")).status == 404
    async with database.read() as conn:
        kinds = set(await conn.scalars(select(query_log.c.verb)))
        assert sorted(size for _, _, size in await attachments.known_files(conn)) == [
            len("请带备件".encode()),
            len(PNG),
        ]
    assert {"order.attachments_listed", "order.file_read"} <= kinds


HOSTILE = [
    ("../../etc/passwd.txt", b"x", "bad_document_name"),
    ("a\u202egnp.txt", b"x", "bad_document_name"),
    ("run.exe", b"MZ\x90\x00", "wrong_file_type"),
    ("photo.pdf", PNG, "wrong_ending"),
    ("empty.txt", b"", "empty_file"),
    ("page.txt.html", b"<script>alert(1)</script>", "wrong_ending"),
]


@pytest.mark.req("PX-05", "S18")
async def test_hostile_files_leave_nothing(open_browser: MakeBrowser, clock: Clock, database: Database) -> None:
    await sent(open_browser, clock)
    unit = await open_browser("8001")
    (task,) = await inbox(unit)
    for name, data, code in HOSTILE:
        answer = await upload(unit, task, name, data)
        assert (answer.status, (await answer.json())["code"]) == (422, code), name
    assert (await upload(unit, task, "big.txt", b"x" * (10 * 1024 * 1024 + 1))).status == 413
    first = await upload(unit, task, "a.pdf", PDF)
    task = await first.json()
    assert (await (await upload(unit, task, "b.pdf", PDF)).json())["code"] == "same_file"
    async with database.read() as conn:
        assert len(await attachments.known_files(conn)) == 1
