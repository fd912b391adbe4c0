"""Orders as a spreadsheet: the conditions of the list, covered as the post says, logged before it is given."""

import asyncio
import tempfile
from typing import BinaryIO, Literal, cast

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.web.media import send
from cti.web.route import Call, Route
from cti.web.schemas.orderquery import OrderConditions
from cti.web.spreadsheet import CsvFile, Spreadsheet, XlsxFile
from ticketing import taxonomy
from ticketing.errors import Invalid, TookTooLong, Unavailable
from ticketing.masking import sees_customers
from ticketing.orders import query, sheets, store, track

__all__ = ["ROUTES", "Exports"]

_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv"}
#: seconds one export may read
_LIMIT_S = 60.0
#: ids one row of the log holds
_IDS = 1000


class ExportQuery(OrderConditions):
    """The conditions of the list, and how the file is written."""

    format: Literal["xlsx", "csv"] = Field("xlsx", description="XLSX with both sheets, or one of them as CSV")
    sheet: Literal["orders", "track"] = Field("orders", description="which sheet a CSV holds")
    language: Literal["zh", "en"] | None = Field(None, description="of heads and names; else the reader's")


class Exports:
    """One export at a time: it must not take the processor from the calls."""

    def __init__(self) -> None:
        self._busy = asyncio.Lock()

    async def give(self, call: Call) -> web.StreamResponse:
        """The file, written to disk first and logged before a byte of it leaves (AU-01)."""
        if self._busy.locked():
            raise Unavailable("export_busy", retry_after_s=5)
        asked = call.filters(ExportQuery)
        file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - `send` closes it
        try:
            async with self._busy:
                ids = await _write(call, asked, file)
                size = await asyncio.to_thread(file.seek, 0, 2)
            await _log(call, asked, ids)
        except BaseException:
            file.close()
            raise
        name = f"orders-{call.now.astimezone(call.deps.zone):%Y%m%d-%H%M%S}.{asked.format}"
        return await send(
            call.request,
            file,  # type: ignore[arg-type]
            size=size,
            content_type=_TYPES[asked.format],
            etag=f'"{call.request_id}"',
            disposition=f'attachment; filename="{name}"',
        )


async def _write(call: Call, asked: ExportQuery, file: BinaryIO) -> list[str]:
    """Writes the rows, some at a time; returns the public ids of the orders."""
    ids: list[str] = []
    try:
        async with call.deps.database.read(limit_s=_LIMIT_S) as conn:
            language = asked.language or call.actor.language
            words = await taxonomy.read(conn)
            reader = sheets.Reader(language, not sees_customers(call.actor), words, call.now)
            made = await asyncio.to_thread(_open, file, asked, language, call)
            try:
                async for rows in store.export(conn, call.actor, asked.wanted(), call.now):
                    ids += [row["public_id"] for row in rows]
                    _check_size(call, asked, len(ids))
                    await _append(conn, made, rows, reader)
            except BaseException:
                made.abandon()
                raise
            await asyncio.to_thread(made.close)
    except TookTooLong:
        raise Invalid("too_broad", limit_s=_LIMIT_S, narrow=query.narrowing(asked.given())) from None
    return ids


def _check_size(call: Call, asked: ExportQuery, count: int) -> None:
    if count > call.deps.export_rows:
        raise Invalid("too_many_rows", limit=call.deps.export_rows, narrow=query.narrowing(asked.given()))


def _open(file: BinaryIO, asked: ExportQuery, language: str, call: Call) -> Spreadsheet:
    heads = sheets.heads(language)
    if asked.format == "xlsx":
        return XlsxFile(file, heads, call.deps.zone)
    place = 1 if asked.sheet == "track" else 0
    return CsvFile(file, heads[place][1], call.deps.zone, sheet=place)


async def _append(
    conn: AsyncConnection, made: Spreadsheet, rows: list[dict[str, object]], reader: sheets.Reader
) -> None:
    tracks = await track.of_orders(conn, [cast(int, row["id"]) for row in rows])

    def write() -> None:
        for row in rows:
            line = sheets.Line(row, tracks[cast(int, row["id"])])
            made.rows(0, [sheets.order_cells(line, reader)])
            made.rows(1, [sheets.track_cells(str(row["serial"]), stay, reader) for stay in line.track])

    await asyncio.to_thread(write)


async def _log(call: Call, asked: ExportQuery, ids: list[str]) -> None:
    """Every order that leaves the house is in the log by its id, in as many rows as that takes."""
    conditions = asked.given()
    for start in range(0, max(len(ids), 1), _IDS):
        part = ids[start : start + _IDS]
        said = {"format": asked.format, "conditions": conditions, "from": start, "of": len(ids)}
        await call.looked_up("order.exported", "order", "list", conditions=said, ids=part)


EXPORTS = web.AppKey("exports", Exports)


async def export(call: Call) -> web.StreamResponse:
    """Orders as a spreadsheet."""
    return await call.request.app[EXPORTS].give(call)


ROUTES = (
    Route(
        "orders.export",
        "GET",
        "/api/orders/export",
        export,
        "Orders as a spreadsheet.",
        query=ExportQuery,
        media_type=_TYPES["xlsx"],
    ),
)
