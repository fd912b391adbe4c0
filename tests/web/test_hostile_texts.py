"""400 names and texts nobody means well (tests/data/hostile.jsonl), wherever text goes: answers, searches, cells of
exports, names of files, lines of logs (S10, S17, S18, S20, S25)."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
import structlog
from openpyxl import load_workbook
from sqlalchemy import insert, select

from cti import logs
from cti.web.spreadsheet import CsvFile, XlsxFile
from tests.orders.desk import Desk
from tests.web.conftest import MakeBrowser
from tests.web.fakes import Browser
from ticketing.db import Database
from ticketing.orders.tables import customer_order

TEXTS: list[str] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
]
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def test_there_are_four_hundred() -> None:
    assert len(set(TEXTS)) == 400


@pytest.mark.req("S20")
def test_no_text_is_a_formula_and_every_text_is_read_as_it_was_written() -> None:
    plain, packed = io.BytesIO(), io.BytesIO()
    one, two = CsvFile(plain, [("头", 9)], UTC), XlsxFile(packed, [("表", [("头", 9)])], UTC)
    for file in (one, two):
        file.rows(0, [[text] for text in TEXTS])
        file.close()
    cells = [row[0] for row in csv.reader(io.StringIO(plain.getvalue().decode("utf-8-sig"), newline=""))][1:]
    assert not any(cell.startswith(FORMULA) for cell in cells)
    assert [cell.removeprefix("'") if text.startswith(FORMULA) else cell for cell, text in zip(cells, TEXTS, strict=True)] == TEXTS  # fmt: skip  # noqa: E501
    sheet = load_workbook(packed)["表"]
    read = [sheet.cell(row, 1) for row in range(2, 402)]
    assert {cell.data_type for cell in read} == {"s"}
    assert all(cell.quotePrefix for cell, text in zip(read, TEXTS, strict=True) if text.startswith(FORMULA))


@pytest.fixture
async def named(centre: Database, open_browser: MakeBrowser, now: datetime) -> Browser:
    """400 orders of customers with these names, put past every check of theirs; a senior who reads them."""
    desk = await Desk.open(centre, now)
    change = await desk.registered()
    async with centre.write() as conn:
        row = (await conn.execute(select(customer_order).where(customer_order.c.public_id == change.subject_id))).one()
        copied = {key: value for key, value in row._mapping.items() if key != "id"}
        await conn.execute(
            insert(customer_order),
            [
                copied
                | {
                    "public_id": f"o{n:03}",
                    "call_id": None,
                    "serial": f"{copied['serial'][:-3]}{n:03}x",
                    "contact_name": text,
                }
                for n, text in enumerate(TEXTS)
            ],
        )
    return await open_browser("2001")


def _alike(text: str) -> str:
    """Without case; SQLite takes what is no character for the same unknown one."""
    return text.casefold().translate({0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD})


@pytest.mark.req("S10", "S17")
async def test_a_name_is_told_as_it_is_and_searched_for_to_the_letter(named: Browser) -> None:
    """No text is a pattern: whatever is found has it; nothing breaks; what is told is JSON that no browser takes for a
    page."""
    for n, text in enumerate(TEXTS):
        shown = await named.get(f"/api/orders/o{n:03}")
        assert shown.status == 200
        assert shown.content_type == "application/json"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert (await shown.json())["contact_name"] == text
        answer = await named.get("/api/orders", params={"name": text, "limit": "100"})
        if answer.status == 200:
            found = [TEXTS[int(item["id"][1:])] for item in (await answer.json())["items"] if item["id"][0] == "o"]
            assert all(_alike(text.strip()) in _alike(other) for other in found), text
        else:
            assert answer.status == 422, text


@pytest.mark.req("S18")
async def test_a_file_name_is_one_header_and_the_name_that_was_kept(open_browser: MakeBrowser) -> None:
    clerk, kept = await open_browser("6101"), 0
    for text in TEXTS[::2]:
        letter = {
            "channel": "letter",
            "received_at": "2026-03-10T01:00:00Z",
            "subject": "x",
            "sender": "x",
            "number": "",
        }
        paper = await (await clerk.post("/api/papers", letter)).json()
        made = await clerk.client.post(
            f"/api/papers/{paper['id']}/files",
            params={"name": f"{text}.txt"},
            data=b"text",
            headers={"Origin": clerk.origin, "X-CSRF-Token": clerk.csrf},
        )
        if made.status != 201:
            assert made.status == 422, (text, await made.text())
            continue
        kept += 1
        file = await made.json()
        given = await clerk.get(f"/api/papers/{paper['id']}/files/{file['id']}")
        header = given.headers.getall("Content-Disposition")
        assert given.status == 200
        assert header == [f"attachment; filename*=UTF-8''{header[0].partition(chr(39) * 2)[2]}"]
        assert unquote(header[0].partition("''")[2]) == file["name"]
        assert not set("/\\\r\n\0") & set(file["name"]), file["name"]
        assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert kept > 20, "most are no name of a file"


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.req("S25")
@pytest.mark.usefixtures("_as_before")
def test_a_text_in_a_log_is_one_line_and_the_event_it_stands_in(tmp_path: Path) -> None:
    logs.configure(tmp_path / "log", "info")
    for text in TEXTS:
        structlog.get_logger("hotline").info("told", name=text)
        logging.getLogger("library").warning("failed for %s", text)
    for handler in logging.getLogger().handlers:
        handler.flush()
    raw = (tmp_path / "log" / "hotline.jsonl").read_bytes()
    written = [json.loads(line) for line in raw.split(b"\n") if line]
    assert [line["name"] for line in written[::2]] == TEXTS
    assert {line["event"] for line in written[::2]} == {"told"}
    assert not any(byte < 0x20 and byte != 0x0A for byte in raw), "a terminal that shows the file is told nothing"
