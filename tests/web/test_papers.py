"""Letters and faxes through the interface: register, scans, orders of them, and the originals' way (IN-25, KB-11)."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from sqlalchemy import select

from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser, Clock
from tests.web.test_orders import complaint
from ticketing.audit import query_log
from ticketing.db import Database

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 400
LETTER: dict[str, Any] = {
    "channel": "letter",
    "received_at": "2026-03-10T01:00:00Z",
    "sender": "李女士",
    "number": "139 0013 9000",
    "subject": "宽带多次报修未解决",
    "mail_number": "RA123456789CN",
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.fixture
async def clerk(open_browser: MakeBrowser) -> Browser:
    """6101, a text-entry clerk."""
    return await open_browser("6101")


async def registered(clerk: Browser, **changes: Any) -> Any:
    answer = await clerk.post("/api/papers", LETTER | changes)
    assert answer.status == 201, await answer.text()
    return await answer.json()


async def do(browser: Browser, paper: Any, verb: str, **body: Any) -> Any:
    """A step that is allowed."""
    answer = await browser.post(f"/api/papers/{paper['id']}/{verb}", {"version": paper["version"], **body})
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def refused(browser: Browser, paper: Any, verb: str, **body: Any) -> tuple[int, str]:
    answer = await browser.post(f"/api/papers/{paper['id']}/{verb}", {"version": paper["version"], **body})
    return answer.status, (await answer.json())["code"]


async def upload(
    browser: Browser, paper: Any, name: str, data: bytes, headers: dict[str, str] | None = None
) -> ClientResponse:
    return await browser.client.post(
        f"/api/papers/{paper['id']}/files",
        params={"name": name},
        data=io.BytesIO(data),
        headers={"Origin": browser.origin, "X-CSRF-Token": browser.csrf, **(headers or {})},
    )


async def show(browser: Browser, paper: Any) -> Any:
    return await (await browser.get(f"/api/papers/{paper['id']}")).json()


@pytest.mark.req("IN-25", "CL-01", "KB-11")
async def test_a_letter_becomes_an_order_within_its_two_hours_and_its_original_is_filed(
    clerk: Browser, open_browser: MakeBrowser, clock: Clock, now: datetime
) -> None:
    paper = await registered(clerk)
    assert (paper["state"], paper["owner"], paper["due_at"]) == ("claimed", "6101", "2026-03-10T03:00:00Z")
    assert (paper["original"], paper["holder"], paper["original_card"]) == ("clerk", "6101", "none")
    scan = await (await upload(clerk, paper, "投诉信.pdf", PDF)).json()
    assert (scan["name"], scan["media_type"], scan["size"]) == ("投诉信.pdf", "application/pdf", len(PDF))
    clock.advance(minutes=65)
    await clerk.sign_in("6101")
    paper = await show(clerk, paper)
    assert (paper["card"], paper["original_card"], paper["overdue"]) == ("yellow", "yellow", False)
    made = await do(clerk, paper, "to-order")
    paper, order = made["paper"], made["order"]
    assert (paper["state"], paper["outcome"], paper["owner"]) == ("done", "met", None)
    assert (order["channel"], order["received_at"]) == ("letter", "2026-03-10T01:00:00Z")
    assert (order["contact_name"], order["contact_number"]) == ("李女士", "+8613900139000")
    clocks = {each["code"]: each["started_at"] for each in order["clocks"]}
    assert clocks["K3"] == clocks["K4"] == "2026-03-10T01:00:00Z"
    # the order shows the scan, and whoever may see the order may have it
    files = await (await clerk.get(f"/api/orders/{order['id']}/files")).json()
    assert [each["id"] for each in files["items"]] == [scan["id"]]
    given = await clerk.get(f"/api/orders/{order['id']}/files/{scan['id']}")
    assert (given.status, await given.read()) == (200, PDF)
    # the original goes to the archivist, late, and lies in its place
    clock.advance(minutes=60)
    await clerk.sign_in("6101")
    paper = await do(clerk, paper, "hand-over", to="5001")
    assert (paper["original"], paper["holder"], paper["original_outcome"]) == ("handed", "5001", "breached")
    keeper = await open_browser("5001")
    assert (await (await keeper.get("/api/work-counts")).json())["originals_handed"] == 1
    (line,) = (await (await keeper.get("/api/papers?original=handed")).json())["items"]
    assert line["id"] == paper["id"]
    assert await refused(keeper, paper, "original", move="file") == (422, "missing")
    paper = await do(keeper, paper, "original", move="file", place="三号柜 2026-03")
    paper = await do(keeper, paper, "original", move="lend", to="法务部 王律师")
    assert (paper["original"], paper["holder"], paper["place"]) == ("lent", "法务部 王律师", "三号柜 2026-03")
    paper = await do(keeper, paper, "original", move="take_back", note="完好")
    assert (paper["original"], paper["holder"]) == ("filed", None)
    said = [(line["move"], line["by"], line["to"], line["place"]) for line in paper["custody"]]
    assert said == [
        ("hand_over", "6101", "5001", None),
        ("file", "5001", None, "三号柜 2026-03"),
        ("lend", "5001", "法务部 王律师", None),
        ("take_back", "5001", None, None),
    ]
    found = await (await keeper.get("/api/papers", params={"q": "三号柜"})).json()
    assert [each["id"] for each in found["items"]] == [paper["id"]]


@pytest.mark.req("IN-28", "KB-11")
async def test_a_paper_ends_by_a_reason_only_and_a_wrong_original_comes_back(
    clerk: Browser, open_browser: MakeBrowser
) -> None:
    paper = await registered(clerk)
    other = await open_browser("2001")
    assert await refused(other, paper, "to-order") == (409, "not_your_paper")
    assert await refused(other, paper, "hand-over") == (403, "not_your_paper")
    assert await refused(clerk, paper, "discard", reason="no.such") == (422, "unknown_code")
    paper = await do(clerk, paper, "release")
    assert (paper["state"], paper["owner"]) == ("new", "papers")
    assert (await (await clerk.get("/api/work-counts")).json())["papers_new"] == 1
    paper = await do(other, paper, "claim")
    assert (paper["owner"], paper["holder"]) == ("2001", "2001")
    supervisor = await open_browser("3001")
    paper = await do(supervisor, paper, "reassign", number="6101", reason="absent")
    assert (paper["owner"], paper["holder"]) == ("6101", "6101")
    assert await refused(supervisor, paper, "reassign", number="1001", reason="absent") == (403, "forbidden")
    paper = await do(clerk, paper, "discard", reason="inquiry", note="询问资费")
    assert (paper["state"], paper["discard_reason"], paper["note"]) == ("discarded", "inquiry", "询问资费")
    assert await refused(clerk, paper, "claim") == (409, "paper_not_from_here")
    keeper = await open_browser("5001")
    assert await refused(keeper, paper, "original", move="file", place="一号柜") == (409, "original_not_from_here")
    paper = await do(clerk, paper, "hand-over")
    assert await refused(keeper, paper, "original", move="refuse") == (422, "missing")
    paper = await do(keeper, paper, "original", move="refuse", note="缺第二页")
    assert (paper["original"], paper["holder"], paper["handed_at"]) == ("clerk", "6101", None)


@pytest.mark.req("IN-25")
async def test_what_cannot_be_registered_says_which_field_and_what_is_allowed(clerk: Browser) -> None:
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"received_at": "2026-03-10T02:00:00Z"}, "in_the_future", "received_at"),
        ({"received_at": "2024-01-01T00:00:00Z"}, "out_of_range", "received_at"),
        ({"channel": "department"}, "missing", "unit"),
        ({"channel": "department", "unit": "city"}, "not_a_leaf", "unit"),
        ({"number": "12"}, "not_a_number", "number"),
        ({"sender": "李\u202e女士"}, "control_character", "sender"),
        ({"customer_id": "none-such"}, "not_found", "customer"),
    ]
    for changes, code, field in wrong:
        answer = await clerk.post("/api/papers", LETTER | changes)
        told = await answer.json()
        assert (answer.status in {404, 422}, told["code"], told["details"]["field"]) == (True, code, field)
    first = await registered(clerk)
    again = await clerk.post("/api/papers", LETTER)
    told = await again.json()
    assert (again.status, told["code"], told["details"]["serial"]) == (409, "mail_is_registered", first["serial"])
    email = await registered(clerk, channel="email", mail_number="<a@b>")
    assert (email["original"], email["holder"]) == ("none", None)
    assert await refused(clerk, email, "hand-over") == (409, "original_not_from_here")
    text = await registered(clerk, channel="department", unit="city.network", mail_number=None)
    assert text["unit"] == "city.network"
    page = await (await clerk.get("/api/papers?mine=true")).json()
    assert [each["channel"] for each in page["items"]] == ["letter", "email", "department"]
    assert (await clerk.get("/api/papers?channel=walk_in")).status == 422


@pytest.mark.req("IN-26")
async def test_a_visitors_words_are_a_draft_at_once_without_the_clocks_of_text(clerk: Browser, now: datetime) -> None:
    answer = await clerk.post("/api/orders", {"channel": "walk_in", "received_at": now.isoformat()} | complaint(now))
    order = await answer.json()
    assert (answer.status, order["channel"], order["owner"]) == (201, "walk_in", "6101")
    assert {"K3", "K4"}.isdisjoint(each["code"] for each in order["clocks"])
    done = await clerk.post(f"/api/orders/{order['id']}/submit", {"version": order["version"]})
    assert (done.status, (await done.json())["state"]) == (200, "registered")


@pytest.mark.req("KB-11", "S18")
async def test_files_are_taken_by_content_bound_to_permission_and_logged(
    clerk: Browser, open_browser: MakeBrowser, centre: Database, *, tmp_path: Path
) -> None:
    paper = await registered(clerk)
    for name, data, status, code in (
        ("a.pdf", b"MZ\x90\0", 422, "wrong_file_type"),
        ("a.pdf", b"", 422, "empty_file"),
        ("a.png", PDF, 422, "wrong_ending"),
        ("../../a.pdf", PDF, 422, "bad_document_name"),
        ("a.pdf\0", PDF, 422, "invalid"),
        ("a.pdf", PDF + b"x" * 10 * 1024 * 1024, 413, "too_large"),
    ):
        answer = await upload(clerk, paper, name, data)
        assert (answer.status, (await answer.json())["code"]) == (status, code), name
    assert not (tmp_path / "papers").exists()
    key = {"Idempotency-Key": "scan-1"}
    first = await upload(clerk, paper, "信 a.pdf", PDF, key)
    assert first.status == 201
    scan = await first.json()
    again = await upload(clerk, paper, "信 a.pdf", PDF, key)
    assert (again.status, (await again.json())["id"]) == (201, scan["id"])
    assert (await upload(clerk, paper, "信 a.pdf", PDF + b"x", key)).status == 422
    same = await upload(clerk, paper, "b.pdf", PDF)
    assert (same.status, (await same.json())["code"]) == (409, "same_file")
    assert len([each for each in (tmp_path / "papers").rglob("*") if each.is_file()]) == 1
    path = f"/api/papers/{paper['id']}/files/{scan['id']}"
    given = await clerk.get(path, headers={"Range": "bytes=0-3"})
    assert (given.status, await given.read()) == (206, b"%PDF")
    assert given.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E4%BF%A1%20a.pdf"
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    junior, other = await open_browser("1001"), await registered(clerk, mail_number="2")
    assert (await junior.get(path)).status == 403
    assert (await clerk.get(f"/api/papers/{other['id']}/files/{scan['id']}")).status == 404
    for odd in ("..%2f..%2fetc%2fpasswd", "none-such", "%00"):
        assert (await clerk.get(f"/api/papers/{paper['id']}/files/{odd}")).status == 404
    order = (await do(clerk, await show(clerk, paper), "to-order"))["order"]
    department = await open_browser("8001")
    assert (await department.get(f"/api/orders/{order['id']}/files/{scan['id']}")).status == 404
    async with centre.read() as conn:
        rows = await conn.execute(
            select(query_log.c.actor_number, query_log.c.payload).where(query_log.c.verb == "paper.file_read")
        )
        (logged,) = rows.all()
    assert logged.actor_number == "6101"
    assert logged.payload["conditions"] == {"file": scan["id"], "sha256": scan["sha256"]}
