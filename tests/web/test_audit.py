"""Who may read the logs and how much of them; every look-up is in them; nothing on the interface changes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from cti.web.catalogue import ROUTES
from cti.web.deps import WebDeps
from cti.web.policy import POLICY, Access
from tests.orders.desk import Desk
from tests.web.conftest import MakeBrowser
from tests.web.fakes import PASSWORD, Browser
from tests.web.test_masking import CALLER, complaint
from tests.web.test_processes import line as responsibility
from tests.web.test_processes import published
from ticketing.audit import audit, query_log
from ticketing.audit_log import cover
from ticketing.roles import PERMISSIONS
from ticketing.sealing import Sealer
from ticketing.staff.actions import store_hash
from ticketing.staff.passwords import Passwords
from ticketing.staff.tables import staff, staff_post

__all__ = ["complaint"]

#: reads that show nobody's data but one's own, the centre's words, or sums
NO_LOOK_UP = {
    "session.show", "setup.show", "events", "agent.show", "phone.socket", "pops.latency", "callbacks.windows",
    "figures", "counters", "announcements.list", "announcements.choices", "work.counts", "taxonomies",
    "queues", "audit.state", "calendars.list", "clock_limits.list", "surveys.form", "vocabularies.list",
    "vocabularies.closed", "order_form", "phrases.list", "threads.list",
}  # fmt: skip
#: reads of one thing whose row another test looks for: it needs a file, a recording or a paper to be there
ELSEWHERE = ("recordings.", "media.", "papers.", "items.show", "callbacks.show", "orders.files", "orders.file")
#: who holds which post here
PEOPLE = {
    "JA": "1001",
    "SA": "2001",
    "SU": "3001",
    "MH": "4001",
    "DM": "5001",
    "SV": "7001",
    "DS": "8001",
    "AD": "9001",
}


async def rows(deps: WebDeps) -> int:
    """How many look-ups are logged."""
    async with deps.database.read() as conn:
        return int(await conn.scalar(select(func.count()).select_from(query_log)) or 0)


async def listed(browser: Browser, **asked: str) -> list[dict[str, Any]]:
    """A page of a log."""
    answer = await browser.get("/api/audit", params=asked)
    assert answer.status == 200, await answer.text()
    items: list[dict[str, Any]] = (await answer.json())["items"]
    return items


@pytest.mark.req("AU-01")
async def test_no_look_up_goes_unlogged(open_browser: MakeBrowser, complaint: tuple[Desk, str], deps: WebDeps) -> None:
    """Every reading route of the interface, found by itself: one that shows data and writes no row fails here."""
    desk, order = complaint
    known = await desk.customer("王芳", "+8613400134000")
    work = (await (await (await open_browser("8001")).get("/api/work-orders")).json())["items"][0]["id"]
    admin = await open_browser("9001")
    duty = await responsibility(admin, "city.network")
    await published(admin)
    parts = {"/api/orders": order, "/api/customers": known.public_id, "/api/work-orders": work}
    parts |= {"/api/templates": "network", "/api/responsibilities": duty["id"], "/api/threads": "city.network"}
    tried = 0
    for route in ROUTES:
        needs = POLICY[route.name]
        if route.method != "GET" or needs is Access.PUBLIC or route.name in NO_LOOK_UP | {"calls.show"}:
            continue
        if route.name.startswith(ELSEWHERE):
            continue
        path = route.path
        if "{" in path:
            start, end = path.index("{"), path.rindex("}") + 1
            path = f"{path[:start]}{parts[path[: start - 1]]}{path[end:]}"
        path += "?number=13400134000" if route.name == "customers.list" else ""
        posts = PEOPLE.values() if isinstance(needs, Access) else [
            number for post, number in PEOPLE.items() if post in PERMISSIONS[needs]
        ]  # fmt: skip
        browser = await open_browser("8001" if route.name == "work_orders.show" else next(iter(posts)))
        before = await rows(deps)
        answer = await browser.get(path)
        assert answer.status == 200, (route.name, await answer.text())
        assert await rows(deps) == before + 1, f"{route.name} shows something and logs nothing"
        tried += 1
    assert tried > 12


@pytest.mark.req("AU-01", "AU-02")
async def test_the_logs_are_read_by_conditions_and_covered(
    open_browser: MakeBrowser, complaint: tuple[Desk, str], deps: WebDeps
) -> None:
    desk, order = complaint
    junior = await open_browser("1001")
    await junior.get("/api/orders", params={"number": CALLER, "q": f"电话 {CALLER}", "name": "李女士"})
    admin = await open_browser("9001")
    (asked,) = await listed(admin, log="queries", actor="1001", verb="order.searched")
    assert asked["said"]["conditions"] == {"number": "137****7000", "q": "电话 137****7000", "name": "李**"}
    assert (asked["actor_name"], asked["said"]["count"], asked["seal_seq"]) == ("林晓梅", 0, None)
    changes = await listed(admin, verb="order.", subject_id=order)
    assert [row["verb"] for row in changes][-1] == "order.opened"
    assert {row["subject_kind"] for row in changes} == {"order"}
    await Sealer(b"k" * 32).seal_now(deps.database, desk.now)
    assert all(row["seal_seq"] for row in await listed(admin, verb="order."))
    state = await (await admin.get("/api/audit/state")).json()
    assert {chain["log"]: chain["waiting"] for chain in state["chains"]} == {"changes": 0, "queries": 1}
    early = {"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}
    assert await listed(admin, **early) == []
    for wrong in ({"log": "secrets"}, {"verb": "' OR 1=1"}, {"since": early["until"], "until": early["since"]}):
        assert (await admin.get("/api/audit", params=wrong)).status == 422, wrong
    assert "audit.read" in {row["verb"] for row in await listed(admin, log="queries", actor="9001")}


@pytest.mark.req("AU-06")
async def test_each_head_reads_what_his_people_did_and_nobody_elses(
    open_browser: MakeBrowser, complaint: tuple[Desk, str], passwords: Passwords
) -> None:
    """A team's supervisor, a department's head, a leader of a branch and everybody for himself: in the query itself."""
    desk, _ = complaint
    made = await passwords.hash(PASSWORD)
    async with desk.database.write() as conn:
        values: dict[str, Any] = {
            "phone_kind": "desk",
            "language": "zh",
            "vip_overflow": False,
            "active": True,
            "version": 1,
        }
        new: list[dict[str, Any]] = [
            {"number": "3101", "name": "一班长", "unit": None, "team_id": desk["1001"].team_id},
            {"number": "8901", "name": "市领导", "unit": "city", "team_id": None},
            {"number": "8902", "name": "县领导", "unit": "county", "team_id": None},
        ]
        await conn.execute(insert(staff), [{**values, **each, "created_at": desk.now} for each in new])
        for number, post in (("3101", "SU"), ("8901", "LD"), ("8902", "LD")):
            key = await conn.scalar(select(staff.c.id).where(staff.c.number == number))
            await conn.execute(insert(staff_post).values(staff_id=key, post=post))
            await store_hash(conn, int(key or 0), made, desk.now)
    for number in ("1001", "1002", "2001", "8001", "8002"):
        await (await open_browser(number)).get("/api/orders")
    told = {"log": "queries", "verb": "order.searched"}
    for reader, expected in (
        ("9001", {"1001", "1002", "2001", "8001", "8002"}),
        ("3101", {"1001", "2001"}),  # his team
        ("3001", {"1001", "1002", "2001"}),  # a supervisor without a team: the whole centre, no department
        ("8101", {"8001"}),  # the network department's head
        ("8901", {"8001", "8002"}),  # the city branch
        ("8902", set()),
        ("1002", {"1002"}),
    ):
        seen = {row["actor"] for row in await listed(await open_browser(reader), **told)}
        assert seen == expected, reader
        if reader not in {"9001"}:
            assert (await (await open_browser(reader)).get("/api/audit/state")).status == 403


@pytest.mark.req("S28")
def test_no_route_writes_to_a_log() -> None:
    """The interface has no way to change, remove or put in a row; what it knows of the audit is read."""
    assert {route.method for route in ROUTES if route.name.startswith("audit.")} == {"GET"}
    assert {table.name for table in (audit, query_log)} == {"audit", "query_log"}


def test_what_is_no_number_stays_readable() -> None:
    said = {"serial": "102938475", "ids": ["1234567890"], "note": "回电 13800138000", "conditions": {"name": "张伟"}}
    assert json.loads(json.dumps(cover(said), ensure_ascii=False)) == {
        "serial": "102938475", "ids": ["1234567890"], "note": "回电 138****8000", "conditions": {"name": "张*"},
    }  # fmt: skip


async def test_pages_of_a_log_join_while_rows_come_in(open_browser: MakeBrowser, deps: WebDeps) -> None:
    admin = await open_browser("9001")
    whole = [row["id"] for row in await listed(admin, limit="200")]
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        page = await (await admin.get("/api/audit", params={"limit": "7", **more})).json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
        deps.clock.advance(seconds=1)  # type: ignore[attr-defined]
        await open_browser("1001")  # signing in writes a row
    assert [row for row in seen if row in whole] == whole
    assert len(seen) == len(set(seen))
