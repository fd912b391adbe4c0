"""Customers from a CSV file: read line by line, checked, added or brought up to date; what is wrong is told by line.

The same file twice changes nothing the second time. A line that is wrong is left out; the others are taken.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing import audit, taxonomy
from ticketing.customers import store
from ticketing.customers.model import Customer, CustomerNumber, NewCustomer, NumberKind
from ticketing.customers.rules import normalise
from ticketing.customers.tables import customer_number
from ticketing.days import day_of
from ticketing.db import Database
from ticketing.errors import Invalid
from ticketing.roles import Action, Actor, require
from ticketing.taxonomy import Taxonomies
from ticketing.text import checked

COLUMNS: Final = ("external_id", "name", "numbers", "vip_class", "complainant_type", "address", "language")
REQUIRED: Final = ("external_id", "name", "numbers")
#: where an imported customer comes from
SOURCE: Final = "import"
#: lines a transaction takes: a file that breaks off leaves whole batches behind, and is simply given again
BATCH: Final = 200
#: bad lines that are told one by one; the others are counted
MOST_TOLD: Final = 1000
_LIMITS: Final = {"external_id": 64, "name": 200, "address": 500}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_CHUNK: Final = 1 << 16
#: characters of a wrong value that are told
_TOLD: Final = 60

#: is told of a customer, by his internal key, who has another name now
Renamed = Callable[[AsyncConnection, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class BadLine:
    """One thing that is wrong, with what to do about it."""

    #: as an editor counts them; the header is line 1
    line: int
    column: str
    #: as it stood there, cut; never begins like a formula
    value: str
    code: str
    #: by language
    advice: Mapping[str, str]


@dataclass(slots=True)
class Report:
    """What became of a file."""

    lines: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    bad_count: int = 0
    bad: list[BadLine] | None = None

    def tell(self, found: BadLine) -> None:
        """Counts a bad line, and keeps it while there are few."""
        self.bad_count += 1
        self.bad = self.bad if self.bad is not None else []
        if len(self.bad) < MOST_TOLD:
            self.bad.append(found)


@dataclass(frozen=True, slots=True)
class Row:
    """One line that is well."""

    line: int
    new: NewCustomer


ADVICE: Final[Mapping[str, Mapping[str, str]]] = {
    "missing": {"zh": "请填写此列", "en": "Fill this column in"},
    "too_long": {"zh": "请缩短内容", "en": "Shorten it"},
    "control_character": {"zh": "请删除看不见的字符", "en": "Remove the character that cannot be seen"},
    "formula": {"zh": "请去掉开头的 = + - @", "en": "Take away the = + - @ it begins with"},
    "not_a_number": {
        "zh": "请写带区号的电话号码，多个用 ; 分开",
        "en": "Write numbers with area code, ; between several",
    },
    "unknown_code": {"zh": "请使用词表中的代码", "en": "Use a code of the vocabulary"},
    "bad_language": {"zh": "只能填 zh 或 en", "en": "Only zh or en"},
    "columns": {
        "zh": "列数与表头不符，请检查逗号和引号",
        "en": "Not as many columns as the header: check commas and quotes",
    },
    "twice": {
        "zh": "文件中已有相同编号，请合并为一行",
        "en": "This number is in the file already: make one line of them",
    },
}


def encoding_of(chunks: Iterable[bytes]) -> str:
    """UTF-8 (with or without BOM), else GB 18030; raises Invalid for what is neither."""
    kinds = {"utf-8-sig": codecs.getincrementaldecoder("utf-8")(), "gb18030": codecs.getincrementaldecoder("gb18030")()}
    first = True
    for chunk in chunks:
        if first and chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            kinds.clear()
        first = False
        for name in list(kinds):
            try:
                kinds[name].decode(chunk)
            except UnicodeDecodeError:
                del kinds[name]
        if not kinds:
            break
    for name, decoder in kinds.items():
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return name
    raise Invalid("bad_encoding", "neither UTF-8 nor GB 18030", field="file", allowed=["UTF-8", "GB18030"])


def rows(lines: Iterable[str], words: Taxonomies, now: datetime, *, area_code: str, report: Report) -> Iterator[Row]:
    """The lines that are well, one after another; what is wrong goes into the report.

    Raises Invalid for a header that cannot be used: nothing of the file is taken then.
    """
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
    except csv.Error:
        raise _bad_header([]) from None
    if sorted(set(header)) != sorted(header) or set(header) - set(COLUMNS) or set(REQUIRED) - set(header):
        raise _bad_header(header)
    seen: set[str] = set()
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            report.lines += 1
            report.tell(_bad(start, "", "", "columns"))
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        report.lines += 1
        if len(cells) != len(header):
            report.tell(_bad(start, "", ",".join(cells), "columns"))
            continue
        given = dict(zip(header, cells, strict=True))
        wrong = list(_wrong(given, words, now, area_code))
        if not wrong and given["external_id"].strip() in seen:
            wrong = [("external_id", given["external_id"], "twice")]
        for column, value, code in wrong:
            report.tell(_bad(start, column, value, code))
        if not wrong:
            seen.add(given["external_id"].strip())
            yield Row(start, _new(given, area_code))


def _bad_header(header: list[str]) -> Invalid:
    return Invalid(
        "bad_header", "the first line names the columns", field="file", given=header[:20], allowed=list(COLUMNS),
        required=list(REQUIRED),
    )  # fmt: skip


def _wrong(
    given: Mapping[str, str], words: Taxonomies, now: datetime, area_code: str
) -> Iterator[tuple[str, str, str]]:
    for column, value in given.items():
        text = value.strip()
        if not text:
            if column in REQUIRED:
                yield column, value, "missing"
            continue
        if column != "numbers" and text.startswith(_FORMULA):
            yield column, value, "formula"
            continue
        try:
            checked(column, text, _LIMITS.get(column, 500))
            if column in {"vip_class", "complainant_type"}:
                words.check_leaf(column, text, day_of(now))
        except Invalid as error:
            yield column, value, error.code if error.code in ADVICE else "unknown_code"
            continue
        if column == "language" and text not in {"zh", "en"}:
            yield column, value, "bad_language"
        if column == "numbers":
            parts = [part.strip() for part in text.split(";") if part.strip()]
            found = [normalise(part, area_code=area_code) for part in parts]
            usable = all(each.key and each.kind not in {NumberKind.INVALID, NumberKind.WITHHELD} for each in found)
            if not parts or not usable:
                yield column, value, "not_a_number"


def _new(given: Mapping[str, str], area_code: str) -> NewCustomer:
    keys = (normalise(part.strip(), area_code=area_code).key for part in given["numbers"].split(";") if part.strip())
    numbers = [CustomerNumber(key, _kind(key)) for key in dict.fromkeys(key for key in keys if key)]

    def cell(name: str) -> str | None:
        return checked(name, given.get(name, ""), 500)

    return NewCustomer(
        given["name"].strip(),
        tuple(numbers),
        vip_class=cell("vip_class"),
        complainant_type=cell("complainant_type"),
        address=cell("address"),
        language=cell("language"),
        source=SOURCE,
        external_id=given["external_id"].strip(),
    )


def _kind(key: str) -> str:
    return "mobile" if key.startswith("+861") and len(key) == 14 else "landline"


def _bad(line: int, column: str, value: str, code: str) -> BadLine:
    shown = "".join(char if char.isprintable() else "·" for char in value[:_TOLD])
    return BadLine(line, column, f"'{shown}" if shown.startswith(_FORMULA) else shown, code, ADVICE[code])


async def take(
    database: Database, actor: Actor, lines: Iterable[str], now: datetime, *, area_code: str, renamed: Renamed
) -> Report:
    """Takes a file in, `BATCH` lines a transaction, each audited; raises Invalid for a header that cannot be used.

    `renamed` is told of each customer whose name changed, in the transaction that changed it.
    """
    require(actor, Action.IMPORT_CUSTOMERS)
    report = Report()
    async with database.read() as conn:
        words = await taxonomy.read(conn)
    found = rows(lines, words, now, area_code=area_code, report=report)
    async for batch in _batches(found):
        async with database.write() as conn:
            before = (report.added, report.changed, report.same)
            for row in batch:
                await _store(conn, row.new, now, report, renamed)
            counts = zip(("added", "changed", "same"), (report.added, report.changed, report.same), before, strict=True)
            payload: dict[str, Any] = {name: after - was for name, after, was in counts}
            span = f"{batch[0].line}-{batch[-1].line}"
            await audit.record(conn, actor, "customer.imported", "customer", "import", payload | {"lines": span}, now)
    return report


async def _batches(found: Iterator[Row]) -> AsyncIterator[list[Row]]:
    while batch := list(islice(found, BATCH)):
        yield batch


async def _store(conn: AsyncConnection, new: NewCustomer, now: datetime, report: Report, renamed: Renamed) -> None:
    known = await store.by_external(conn, SOURCE, new.external_id or "")
    if known is None:
        await store.add(conn, new, now)
        report.added += 1
        return
    if await _brought_up(conn, known, new, now):
        report.changed += 1
        if known.name != new.name:
            await renamed(conn, known.id)
    else:
        report.same += 1


async def _brought_up(conn: AsyncConnection, known: Customer, new: NewCustomer, now: datetime) -> bool:
    """Columns and numbers as the file says; a number the file no longer has ends, and is kept for the history."""
    said = {name: getattr(new, name) for name in ("name", "vip_class", "complainant_type", "address", "language")}
    changed = {name: value for name, value in said.items() if value != getattr(known, name)}
    have, want = {each.e164 for each in known.numbers}, {each.e164: each for each in new.numbers}
    gone, come = have - want.keys(), want.keys() - have
    if gone:
        which = (customer_number.c.customer_id == known.id, customer_number.c.e164.in_(gone))
        await conn.execute(update(customer_number).where(*which).values(ended_at=now))
    for e164 in sorted(come):
        again = (
            update(customer_number)
            .where(customer_number.c.customer_id == known.id, customer_number.c.e164 == e164)
            .values(ended_at=None)
        )
        if not (await conn.execute(again)).rowcount:
            one = {"customer_id": known.id, "e164": e164, "kind": want[e164].kind, "main": False, "added_at": now}
            await conn.execute(insert(customer_number).values(one))
    if changed:
        version = await store.version_of(conn, known.id)
        await store.change(conn, known.public_id, version, changed, now)
    return bool(changed or gone or come)


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file piece by piece."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def lines_of_bytes(raw: bytes) -> Iterator[str]:
    """The lines of a file that was sent; raises Invalid for an unknown encoding."""
    encoding = encoding_of([raw])
    return iter(io.TextIOWrapper(io.BytesIO(raw), encoding=encoding, newline=""))


def lines_of(path: Path) -> Iterator[str]:
    """A file's lines in its own encoding, never the whole of it in memory; raises Invalid for an unknown encoding."""
    encoding = encoding_of(chunks_of(path))
    with path.open(encoding=encoding, newline="") as file:
        yield from file
