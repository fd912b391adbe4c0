"""The centre and a department write to each other in the department's own thread, and nobody else reads it (MN-10)."""

from typing import Any

import pytest
from sqlalchemy import select

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_department import sent
from tests.web.test_news import Streams
from ticketing.audit import audit, query_log
from ticketing.db import Database

NETWORK = "/api/threads/city.network"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


async def unread(browser: Browser) -> dict[str, int]:
    """By unit, what this reader has not read; the sum is told beside it."""
    told = await (await browser.get("/api/threads")).json()
    found = {each["unit"]: each["unread"] for each in told["items"]}
    assert told["unread"] == sum(found.values())
    return found


async def say(browser: Browser, text: str, status: int = 201, path: str = NETWORK, **about: Any) -> dict[str, Any]:
    """Sends a message."""
    answer = await browser.post(path, {"text": text, **about})
    assert answer.status == status, await answer.text()
    made: dict[str, Any] = await answer.json()
    return made


@pytest.mark.req("MN-10")
async def test_they_write_to_each_other_and_each_knows_what_he_has_not_read(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    chief, network, head = [await open_browser(number) for number in ("3001", "8001", "8101")]
    everybody = await unread(chief)
    assert {"city.network", "city.billing", "county.installation"} <= set(everybody)
    assert not any(everybody.values())
    assert "city" not in everybody, "a branch of the tree has no thread"
    assert await unread(network) == {"city.network": 0}
    first = await say(chief, "这单今天能上门吗？")
    assert (first["by"], first["from_unit"], first["text"]) == ("3001", False, "这单今天能上门吗？")
    clock.advance(minutes=1)
    second = await say(network, "下午三点到。\n已约客户。")
    assert (second["by"], second["from_unit"]) == ("8001", True)
    assert ((await unread(chief))["city.network"], await unread(network), await unread(head)) == (
        1,
        {"city.network": 1},
        {"city.network": 2},
    )
    page = await (await head.get(f"{NETWORK}?limit=1")).json()
    assert [each["id"] for each in page["items"]] == [second["id"]], "the newest first"
    older = await (await head.get(f"{NETWORK}?limit=1&cursor={page['next_cursor']}")).json()
    assert ([each["id"] for each in older["items"]], older["next_cursor"]) == ([first["id"]], None)
    answer = await head.post(f"{NETWORK}/read", {"message": second["id"]})
    assert (answer.status, (await answer.json())["unread"]) == (200, 0)
    assert (await head.post(f"{NETWORK}/read", {"message": first["id"]})).status == 200
    assert await unread(head) == {"city.network": 0}, "what was read stays read"
    assert await unread(network) == {"city.network": 1}, "each reads for himself"
    clock.advance(minutes=1)
    await say(chief, "好")
    assert await unread(head) == {"city.network": 1}
    async with database.read() as conn:
        said = select(audit.c.actor_number, audit.c.subject_id, audit.c.payload).where(audit.c.verb == "thread.said")
        rows = (await conn.execute(said.order_by(audit.c.id))).all()
        looked = (await conn.execute(select(query_log).where(query_log.c.verb == "thread.read"))).all()
    assert [(row.actor_number, row.subject_id) for row in rows] == [
        ("3001", "city.network"), ("8001", "city.network"), ("3001", "city.network"),
    ]  # fmt: skip
    assert rows[0].payload["message"] == first["id"]
    assert [row.actor_number for row in looked] == ["8101", "8101"], "each look into a thread is written down"


@pytest.mark.req("MN-10", "S15")
async def test_another_units_thread_is_not_there(open_browser: MakeBrowser) -> None:
    network, billing, field, junior = [await open_browser(number) for number in ("8001", "8002", "8201", "1001")]
    made = await say(network, "请计费核实")
    assert "city.network" not in await unread(billing)
    for path in (NETWORK, "/api/threads/no.such", "/api/threads/city"):
        assert (await billing.get(path)).status == 404, path
        assert (await say(billing, "x", 404, path))["code"] == "not_found"
        assert (await billing.post(f"{path}/read", {"message": made["id"]})).status == 404
    own = await billing.post("/api/threads/city.billing/read", {"message": made["id"]})
    assert own.status == 404, "a message of another thread"
    for nobody in (field, junior):
        assert (await nobody.get("/api/threads")).status == 403
        assert (await nobody.get(NETWORK)).status == 403


@pytest.mark.req("MN-10")
async def test_a_message_is_about_an_order_both_have_to_do_with(open_browser: MakeBrowser, clock: Clock) -> None:
    (order,) = await sent(open_browser, clock)
    chief, network, billing = [await open_browser(number) for number in ("3001", "8001", "8002")]
    made = await say(network, "缺地址", serial=order["serial"], number=1)
    assert (made["order_serial"], made["order_id"], made["work_order"]) == (order["serial"], order["id"], 1)
    assert (await say(chief, "已补", serial=order["serial"]))["work_order"] is None
    wrong = (
        ({"serial": order["serial"], "number": 9}, "number"),
        ({"serial": "123456789"}, "serial"),
    )
    for about, field in wrong:
        refused = await say(chief, "x", 404, **about)
        assert (refused["code"], refused["details"]["field"]) == ("not_found", field)
    other = await say(billing, "x", 404, "/api/threads/city.billing", serial=order["serial"])
    assert other["details"]["field"] == "serial", "an order this unit has nothing to do with"
    assert (await say(chief, "x", 422, number=1))["details"]["field"] == "serial"
    for text, code in ((" ", "missing"), ("甲" * 2001, "too_long"), ("甲\u200b", "control_character")):
        refused = await say(chief, text, 422)
        assert (refused["code"], refused["details"]["field"]) == (code, "text"), text


@pytest.mark.req("MN-10", "MN-01")
async def test_it_reaches_the_open_pages_of_both_sides_and_no_others(
    open_browser: MakeBrowser, clock: Clock, database: Database
) -> None:
    chief = await open_browser("3001")
    streams = Streams(database, clock, "2001", "8001", "8101", "8002", "8201", "1001")
    made = await say(chief, "今天能上门吗？")
    told = await streams.told("thread")
    news = [{"unit": "city.network", "message": made["id"], "by": "3001", "order": None}]
    assert told == {"2001": news, "8001": news, "8101": news, "8002": [], "8201": [], "1001": []}
