"""`hotline verify`: proves of an installation, from the outside, that nothing was lost (N1 to N6)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cti import app as composition
from cti import logs
from cti.settings import Settings, load
from cti.terminal import err, out, run
from cti.verify.check import check, installation
from cti.verify.model import Place, Rule, Violation
from ticketing.errors import HotlineError
from ticketing.handover import adopting

_PROVEN = {
    Rule.N1: "what was told as accepted exists once",
    Rule.N2: "every call has one closed record",
    Rule.N3: "no callback is dialled twice or forgotten",
    Rule.N4: "every change has its owner and its audit row",
    Rule.N5: "voice files agree with their calls",
    Rule.N6: "due times follow from what happened",
}


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a violation instead.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="First give what lives and nobody answers for to its queue, audited.")
    ] = False,
) -> None:
    """Read database, spool, journals and voice files, and say where something was lost or changed; writes nothing
    without `--repair`.

    Works beside the service or without it. Exit code 0: nothing is wrong; 1: something is, and is named; 2: it could
    not be looked at.
    """
    settings = load()
    logs.configure_aside(settings.home / "log")
    try:
        found = run(_verify(settings, quiet=as_json, repair=repair))
    except HotlineError as error:
        err.print(f"[bold red]✗[/] {escape(error.message)}")
        raise typer.Exit(2) from None
    if as_json:
        for one in found:
            typer.echo(json.dumps(asdict(one), ensure_ascii=False))
    else:
        _print(found)
    if found:
        raise typer.Exit(1)


async def _verify(settings: Settings, *, quiet: bool, repair: bool) -> list[Violation]:
    with err.status("reading") as status:

        def progress(what: str, count: int) -> None:
            status.update(f"reading {what}" + (f": {count}" if count else ""))

        if quiet:
            status.stop()
        async with installation(settings, composition.clock, progress) as place:
            if repair:
                await _repair(place)
            for name, there in (("spool", place.spool), ("queue_log", place.queue_logs), ("CEL", place.channel_logs)):
                if not there:
                    err.print(f"[yellow]![/] {name} is not reached from here: what it tells is not compared")
            return [one async for one in check(place)]


async def _repair(place: Place) -> None:
    """What nobody answers for has a queue again (IN-23); each is told."""
    async with place.database.write() as conn:
        adopted = await adopting.adopt(conn, place.now)
    for one in adopted:
        err.print(f"[green]✓[/] {one.kind} {one.name} was given to its queue")


def _print(found: list[Violation]) -> None:
    counts = Counter(one.rule for one in found)
    for rule, proven in _PROVEN.items():
        many = counts[rule]
        out.print(
            f"[red]✗[/] [bold]{rule}[/] {proven}: {many} not so" if many else f"[green]✓[/] [bold]{rule}[/] {proven}"
        )
    if not found:
        return
    table = Table("rule", "subject", "what is wrong", "what to do")
    for one in found:
        table.add_row(one.rule, escape(one.subject), escape(one.says), escape(one.remedy))
    out.print(table)
