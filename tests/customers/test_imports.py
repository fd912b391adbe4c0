"""Customers from a CSV file: encodings, bad lines by line and column, the same file twice, formulas, batches."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from ticketing import taxonomy
from ticketing.customers import imports, store
from ticketing.customers.imports import Report
from ticketing.db import Database
from ticketing.errors import Forbidden, Invalid
from ticketing.orders.words import write_of_customer
from ticketing.roles import SYSTEM, Actor, Post

HEADER = "external_id,name,numbers,vip_class,complainant_type,address,language\n"
GOOD = HEADER + 'K1,张三丰,13811112222;010-88886666,major,ordinary,武当山,zh\nK2,"李,四",13811113333,,,"东街,2 号",\n'


async def take(database: Database, now: datetime, raw: bytes, actor: Actor = SYSTEM) -> Report:
    async with database.write() as conn:
        nodes = taxonomy.parse(taxonomy.SAMPLE.read_text(encoding="utf-8"))
        await taxonomy.load(conn, nodes, now, today=now.date())
    return await imports.take(
        database, actor, imports.lines_of_bytes(raw), now, area_code="010", renamed=write_of_customer
    )


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.same, report.bad_count


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_the_same_file_twice_changes_nothing(database: Database, now: datetime, encoding: str) -> None:
    raw = GOOD.encode(encoding)
    assert counts(await take(database, now, raw)) == (2, 0, 0, 0)
    assert counts(await take(database, now, raw)) == (0, 0, 2, 0)
    async with database.read() as conn:
        (found,) = await store.with_number(conn, "+8613811112222")
        other = await store.by_external(conn, imports.SOURCE, "K2")
    assert (found.name, found.vip_class, [each.e164 for each in found.numbers]) == (
        "张三丰",
        "major",
        ["+8613811112222", "+861088886666"],
    )
    assert other is not None
    assert other.name == "李,四"
    changed = GOOD.replace("13811112222;010-88886666,major", "13811114444,").encode(encoding)
    assert counts(await take(database, now, changed)) == (0, 1, 1, 0)
    async with database.read() as conn:
        assert await store.with_number(conn, "+8613811112222") == []
        (moved,) = await store.with_number(conn, "+8613811114444")
    assert (moved.public_id, moved.vip_class) == (found.public_id, None)
    assert counts(await take(database, now, raw)) == (0, 1, 1, 0)  # a number that comes back


async def test_what_is_wrong_is_told_by_line_and_the_others_are_taken(database: Database, now: datetime) -> None:
    lines = [
        "K1,=cmd|' /C calc'!A0,13811112222,,,,",
        "K2,李四,12,,,,",
        "K3,王五,13811113333,platinum,,,",
        "K4,赵六,13811114444,,,,fr",
        ",钱七,13811115555,,,,",
        "K6,孙八",
        "K7,\u202e周九,13811116666,,,,",
        f"K8,{'吴' * 201},13811117777,,,,",
        "",
        "K9,郑十,13811118888,,,,",
        "K9,郑十一,13811119999,,,,",
    ]
    report = await take(database, now, (HEADER + "\n".join(lines) + "\n").encode())
    assert [(each.line, each.column, each.code) for each in report.bad or ()] == [
        (2, "name", "formula"),
        (3, "numbers", "not_a_number"),
        (4, "vip_class", "unknown_code"),
        (5, "language", "bad_language"),
        (6, "external_id", "missing"),
        (7, "", "columns"),
        (8, "name", "control_character"),
        (9, "name", "too_long"),
        (12, "external_id", "twice"),
    ]
    assert counts(report) == (1, 0, 0, 9)
    assert report.bad is not None
    assert report.bad[0].value.startswith("'=")  # told so that no program takes it for a formula
    assert all(each.advice["zh"] and each.advice["en"] and len(each.value) <= 61 for each in report.bad)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"name,numbers\nx,1\n", "bad_header"),
        (HEADER.replace("address", "password").encode(), "bad_header"),
        (b"", "bad_header"),
        (GOOD.encode("utf-16"), "bad_encoding"),
        (b"external_id,name,numbers\nK1,\xff\xff\xff,1\n", "bad_encoding"),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused_whole(
    database: Database, now: datetime, raw: bytes, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await take(database, now, raw)
    assert (refused.value.code, refused.value.field) == (code, "file")
    assert refused.value.details["allowed"]


async def test_only_an_administrator_imports_and_a_long_file_goes_in_batches(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    with pytest.raises(Forbidden):
        await take(database, now, GOOD.encode(), Actor(7, "1001", "张", frozenset({Post.JA})))
    file = tmp_path / "customers.csv"
    body = "".join(f"K{n},客户{n},1380000{n:04d},,,,\n" for n in range(450))
    file.write_bytes(("\ufeff" + HEADER + body).encode())
    for expected in ((450, 0, 0, 0), (0, 0, 450, 0)):
        report = await imports.take(
            database, SYSTEM, imports.lines_of(file), now, area_code="010", renamed=write_of_customer
        )
        assert counts(report) == expected
