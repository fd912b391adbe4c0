"""Orders as spreadsheets: what the list finds, nine fields a node, covered by post, no formula, logged (AU-01, S20)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from cti.web.deps import WebDeps
from cti.web.spreadsheet import CsvFile, XlsxFile, harmless
from tests.orders.desk import Desk
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from tests.web.test_masking import CALLER, complaint
from ticketing.audit import query_log
from ticketing.orders import sheets
from ticketing.orders.tables import customer_order
from ticketing.orders.track import Case, Line, stays

__all__ = ["complaint"]

SHANGHAI = ZoneInfo("Asia/Shanghai")
NINE = [
    *("受理客户", "受理时间", "要求结束时间", "实际结束时间", "工单处理节点"),
    *("工单处理用户", "处理状态", "开始处理时间", "结束处理时间"),
]
EVIL = ["=1+1", "+86138", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1", "＝1+1", '=HYPERLINK("http://x","y")']


async def workbook(browser: Browser, **asked: str) -> Any:
    """An XLSX as a spreadsheet program reads it."""
    answer = await browser.get("/api/orders/export", params=asked)
    assert answer.status == 200, await answer.text()
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="orders-2026')
    return load_workbook(io.BytesIO(await answer.read()))


def lines(sheet: Any) -> list[dict[str, Any]]:
    """Rows by head."""
    heads, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    return [dict(zip(heads, row, strict=True)) for row in rows]


@pytest.mark.req("AU-05", "AU-01", "TL-72")
async def test_the_workbook_holds_what_the_list_finds_with_nine_fields_a_node(
    open_browser: MakeBrowser, complaint: tuple[Desk, str], deps: WebDeps
) -> None:
    desk, order = complaint
    await desk.registered("c10", "1002", "13400134000", business="card.ip")
    senior = await open_browser("2001")
    book = await workbook(senior, business="data", language="zh")
    assert book.sheetnames == ["定单", "办理轨迹"]
    (found,) = lines(book["定单"])
    shown = await (await senior.get(f"/api/orders/{order}")).json()
    assert (found["单号"], found["主叫号码"], found["业务"]) == (shown["serial"], "+86" + CALLER, "宽带")
    assert found["受理时间"] == datetime.fromisoformat(shown["received_at"]).astimezone(SHANGHAI).replace(tzinfo=None)
    assert list(found)[2:11] == NINE
    nodes = lines(book["办理轨迹"])
    assert list(nodes[0])[2:] == NINE
    assert [node["工单处理节点"] for node in nodes] == ["登记中", "已受理", "复核中", "处理中", "网络运行维护部"]
    work = nodes[-1]
    assert (work["工单"], work["处理状态"], work["受理客户"]) == (f"{shown['serial']}-1", "已派出", "李女士")
    assert work["要求结束时间"] - work["开始处理时间"] == timedelta(days=1)
    english = await workbook(senior, business="data", language="en")
    assert english.sheetnames == ["Orders", "Track"]
    assert lines(english["Orders"])[0]["Node"] == "In process"
    async with deps.database.read() as conn:
        rows = (await conn.execute(select(query_log).where(query_log.c.verb == "order.exported"))).all()
    said = {"format": "xlsx", "conditions": {"business": "data"}, "from": 0, "of": 1}
    assert rows[0].payload == {"conditions": said, "count": 1, "ids": [order]}


@pytest.mark.req("AU-05")
async def test_the_track_is_read_as_nine_fields(open_browser: MakeBrowser, complaint: tuple[Desk, str]) -> None:
    """What lies at a node begins where the one before ended; another department's order has no track for it."""
    _, order = complaint
    track = await (await (await open_browser("2001")).get(f"/api/orders/{order}/trail")).json()
    own = [stay for stay in track["items"] if stay["work_order"] is None]
    assert [stay["node"] for stay in own] == ["draft", "registered", "in_review", "in_process"]
    assert all(before["ended_at"] == after["started_at"] for before, after in pairwise(own))
    assert own[-1]["ended_at"] is None
    assert (own[0]["handler"], own[0]["handler_name"]) == ("1001", "林晓梅")
    (work,) = [stay for stay in track["items"] if stay["work_order"] == 1]
    assert (work["node"], work["state"], work["handler"]) == ("city.network", "sent", "city.network")
    assert work["customer"] == "李女士"
    covered = await (await (await open_browser("9001")).get(f"/api/orders/{order}/trail")).json()
    assert {stay["customer"] for stay in covered["items"]} == {"李**"}
    assert (await (await open_browser("8002")).get(f"/api/orders/{order}/trail")).status == 404


def test_nodes_follow_from_the_rows(now: datetime) -> None:
    """A row that moves nothing belongs to its node; an ended one ends with the row that says so. By hand."""

    def at(minutes: int, state: str, handler: str | None, due: int | None = None) -> Line:
        limit = now + timedelta(minutes=due) if due is not None else None
        return Line(now + timedelta(minutes=minutes), state, state, handler, limit, "1001", "林晓梅")

    case = Case("张伟", now, None, now + timedelta(minutes=9))
    rows = [at(0, "draft", "1001"), at(1, "draft", "1001"), at(2, "registered", "1001", 60), at(9, "closed", None)]
    found = stays(case, rows, {"closed"})
    ends = [(stay.started_at, stay.ended_at or now) for stay in found]
    minutes = [
        (stay.node, *((each - now).seconds // 60 for each in pair)) for stay, pair in zip(found, ends, strict=True)
    ]
    assert minutes == [("draft", 0, 2), ("registered", 2, 9), ("closed", 9, 9)]
    assert [stay.wanted_end_at for stay in found] == [None, now + timedelta(minutes=60), None]
    assert found[-1].handler == "1001", "who ended it"


@pytest.mark.req("S20")
@pytest.mark.parametrize("text", EVIL)
def test_no_cell_is_a_formula(text: str) -> None:
    plain, packed = io.BytesIO(), io.BytesIO()
    one = CsvFile(plain, [("头", 9)], UTC)
    two = XlsxFile(packed, [("表", [("头", 9)])], UTC)
    for file in (one, two):
        file.rows(0, [[text], ["=" + text], [None], [7]])
        file.close()
    plain.seek(0)
    assert plain.getvalue().startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(plain.getvalue().decode("utf-8-sig"), newline="")))
    assert read == [["头"], ["'" + text], ["'=" + text], [""], ["7"]]
    assert harmless("王芳") == "王芳"
    sheet = load_workbook(packed)["表"]
    assert (sheet["A2"].data_type, sheet["A2"].quotePrefix) == ("s", True)
    assert sheet["A2"].value.replace("_x000D_", "\r") == text
    assert sheet["A3"].data_type == "s"


@pytest.mark.req("S20", "AU-02")
async def test_a_csv_is_utf8_with_a_mark_covered_by_post_and_harmless(
    open_browser: MakeBrowser, complaint: tuple[Desk, str]
) -> None:
    desk, _ = complaint
    async with desk.database.write() as conn:
        await conn.execute(update(customer_order).values(description="=cmd|' /C calc'!A0 13800138000"))
    for number, caller, said in (
        ("2001", "'+86" + CALLER, "'=cmd|' /C calc'!A0 13800138000"),
        ("9001", "'+86137****7000", "'=cmd|' /C calc'!A0 138****8000"),
    ):
        answer = await (await open_browser(number)).get("/api/orders/export", params={"format": "csv"})
        raw = await answer.read()
        assert raw.startswith(b"\xef\xbb\xbf")
        heads, row = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
        found = dict(zip(heads, row, strict=True))
        assert (found["主叫号码"], found["事件描述"]) == (caller, said)
    track = await (await open_browser("2001")).get("/api/orders/export", params={"format": "csv", "sheet": "track"})
    assert (await track.text(encoding="utf-8-sig")).splitlines()[0] == "单号,工单," + ",".join(NINE)


@pytest.mark.req("AU-01", "AU-02")
async def test_who_may_not_export_does_not_and_too_much_is_told_what_to_narrow(
    open_browser: MakeBrowser, complaint: tuple[Desk, str], deps: WebDeps
) -> None:
    junior = await open_browser("1001")
    assert (await junior.get("/api/orders/export")).status == 403
    senior = await open_browser("2001")
    for number in range(3):
        await complaint[0].registered(f"x{number}", "1002", "13400134000")
    object.__setattr__(deps, "export_rows", 2)
    answer = await senior.get("/api/orders/export", params={"state": "registered"})
    refused = await answer.json()
    assert (answer.status, refused["code"], refused["details"]["limit"]) == (422, "too_many_rows", 2)
    assert "state" not in refused["details"]["narrow"]
    async with deps.database.read() as conn:
        assert (await conn.execute(select(query_log).where(query_log.c.verb == "order.exported"))).first() is None


async def test_a_large_export_is_logged_with_every_id(
    open_browser: MakeBrowser, complaint: tuple[Desk, str], deps: WebDeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More orders than one row of the log holds: together the rows name each once, and pages of reading join."""
    monkeypatch.setattr("cti.web.areas.exports._IDS", 2)
    for number in range(4):
        await complaint[0].registered(f"x{number}", "1002", "13400134000")
    await workbook(await open_browser("2001"))
    async with deps.database.read() as conn:
        rows = (await conn.execute(select(query_log).where(query_log.c.verb == "order.exported"))).all()
        known = set(await conn.scalars(select(customer_order.c.public_id)))
    assert [(row.payload["conditions"]["from"], row.payload["count"]) for row in rows] == [(0, 2), (2, 2), (4, 1)]
    named = [id_ for row in rows for id_ in row.payload["ids"]]
    assert len(named) == len(set(named)) == 5
    assert set(named) == known


def test_each_sheet_has_the_nine_fields() -> None:
    (_, orders), (_, track) = sheets.heads("zh")
    assert [head for head, _ in orders][2:11] == NINE
    assert [head for head, _ in track][2:] == NINE
