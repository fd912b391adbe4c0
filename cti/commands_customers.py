"""`hotline customers import FILE`: customers from a CSV file, with a report of what is wrong by line."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cti.existing import existing
from cti.overflow import operators_zone
from cti.settings import Settings, load
from cti.terminal import err, out, run
from ticketing import days
from ticketing.customers import imports
from ticketing.customers.imports import Report
from ticketing.errors import HotlineError
from ticketing.orders.words import write_of_customer
from ticketing.roles import SYSTEM

cli = typer.Typer(no_args_is_help=True, help="The centre's customers.")


@cli.callback()
def _customers() -> None:
    """Keeps `import` a command of its own."""


@cli.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="CSV: external_id, name, numbers (; between), vip_class, ….")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Add customers or bring them up to date; the same file again changes nothing. UTF-8 or GB 18030.

    Works beside the service or without it. Exit code 0: every line was taken; 1: some lines were not, and are named;
    2: nothing could be taken (no file, no database, another header or encoding).
    """
    if not file.is_file():
        err.print(f"[bold red]✗[/] there is no file {escape(str(file))}")
        raise typer.Exit(2)
    try:
        report = run(_taken(load(), file))
    except HotlineError as error:
        err.print(f"[bold red]✗[/] {escape(error.message)}")
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        _print(report)
    if report.bad_count:
        raise typer.Exit(1)


async def _taken(settings: Settings, file: Path) -> Report:
    days.use(operators_zone(settings.ivr_data))
    async with existing(settings) as database:
        now = datetime.now(UTC)
        lines = imports.lines_of(file)
        return await imports.take(database, SYSTEM, lines, now, area_code=settings.area_code, renamed=write_of_customer)


def _print(report: Report) -> None:
    for each in report.bad or ():
        where = f"line {each.line}" + (f", {each.column}" if each.column else "")
        out.print(f"[bold red]✗[/] {where}: {escape(each.value)} · {each.advice['zh']} · {each.advice['en']}")
    out.print(
        f"{report.lines} lines: {report.added} added, {report.changed} changed, {report.same} as they were, "
        f"{report.bad_count} things wrong"
    )
