"""Spreadsheets written row by row into a file: XLSX and CSV whose cells are never formulas (S20).

Excel and its like run a text that begins with =, +, -, @, a tab or a line's end. XLSX keeps such a text as text, marked
with Excel's own quote; CSV, where no type can be said, puts an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["CsvFile", "Spreadsheet", "XlsxFile", "harmless"]

Cell = str | int | datetime | None
#: (head, width in characters) of each column
Heads = Sequence[tuple[str, int]]
#: also in the full-width form that Chinese and Japanese programs take for the same
_STARTS: Final = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_TIME: Final = "%Y-%m-%d %H:%M:%S"


def harmless(text: str) -> str:
    """The text so that no program takes it for a formula."""
    return f"'{text}" if _STARTS.match(text) else text


class Spreadsheet(Protocol):
    """A file of tables."""

    def rows(self, sheet: int, rows: Sequence[Sequence[Cell]]) -> None:
        """Append to a sheet by its place."""

    def close(self) -> None:
        """Finish the file; it can then be read from its beginning."""

    def abandon(self) -> None:
        """Leave it unfinished: nothing of it stays on the disk but the file it was written to."""


class CsvFile:
    """One sheet as UTF-8 with the mark by which Excel knows it; rows of the others are not written."""

    def __init__(self, file: BinaryIO, heads: Heads, zone: tzinfo, *, sheet: int = 0) -> None:
        self._zone = zone
        self._sheet = sheet
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow([harmless(head) for head, _ in heads])

    def rows(self, sheet: int, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows."""
        if sheet == self._sheet:
            self._writer.writerows([self._cell(cell) for cell in row] for row in rows)

    def close(self) -> None:
        """Write what is left, and let go of the file without closing it."""
        self._text.flush()
        self._text.detach()

    def abandon(self) -> None:
        """The file is its owner's to close."""
        self.close()

    def _cell(self, cell: Cell) -> str | int:
        if cell is None:
            return ""
        if isinstance(cell, datetime):
            return cell.astimezone(self._zone).strftime(_TIME)
        return harmless(cell) if isinstance(cell, str) else cell


class XlsxFile:
    """A workbook of several sheets in constant memory: a row that is written is on the disk."""

    def __init__(self, file: BinaryIO, sheets: Sequence[tuple[str, Heads]], zone: tzinfo) -> None:
        from xlsxwriter import Workbook  # noqa: PLC0415 - 2 MB for who exports; no call and no order waits for it

        self._zone = zone
        self._folder = tempfile.TemporaryDirectory()
        self._book = Workbook(
            file,
            {
                "tmpdir": self._folder.name,
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        head = self._book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
        self._time: Format = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._quoted: Format = self._book.add_format({"quote_prefix": True})
        self._sheets: list[tuple[Worksheet, int]] = []
        for name, heads in sheets:
            made = self._book.add_worksheet(name)
            made.freeze_panes(1, 1)
            for place, (text, width) in enumerate(heads):
                made.set_column(place, place, width)
                made.write_string(0, place, text, head)
            self._sheets.append((made, 1))

    def rows(self, sheet: int, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows to a sheet."""
        made, at = self._sheets[sheet]
        for row in rows:
            for place, cell in enumerate(row):
                self._write(made, at, place, cell)
            at += 1
        self._sheets[sheet] = made, at

    def close(self) -> None:
        """Pack the workbook into the file."""
        self._book.close()
        self._folder.cleanup()

    def abandon(self) -> None:
        """Let go of the rows on the disk."""
        for sheet, _ in self._sheets:
            sheet.row_data_fh.close()
        self._book.fileclosed = 1  # it would pack itself when it is thrown away
        self._folder.cleanup()

    def _write(self, sheet: Worksheet, row: int, place: int, cell: Cell) -> None:
        if isinstance(cell, datetime):
            sheet.write_datetime(row, place, cell.astimezone(self._zone).replace(tzinfo=None), self._time)
        elif isinstance(cell, int):
            sheet.write_number(row, place, cell)
        elif cell:
            sheet.write_string(row, place, cell, self._quoted if _STARTS.match(cell) else None)
