"""`hotline audit verify`: proves that no row of the two logs was changed, removed or put in (S28)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.markup import escape

from cti.existing import existing
from cti.settings import Settings, load
from cti.terminal import err, out, run
from ticketing import sealing
from ticketing.errors import HotlineError, Unavailable
from ticketing.sealing import Verdict

cli = typer.Typer(no_args_is_help=True, help="The logs of changes and look-ups.")

_FAULTS: Final = {
    "missing": "the row is not there",
    "seal": "the link does not fit the one before it: the row or its place was changed",
    "payload": "what the row says was changed",
    "anchor": "the link is not the one that was kept apart that day",
    "tail": "the end was cut off, or rows were put behind it",
}


@cli.callback()
def _audit() -> None:
    """Keeps `verify` a command of its own."""


@cli.command()
def verify(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False) -> None:
    """Recompute every link of both chains, compare them with the anchors kept apart, and name the first broken one.

    Works beside the service or without it. Exit code 0: intact; 1: a link is broken, and is named; 2: it could not be
    looked at (no database, or no key).
    """
    try:
        verdict = run(_verdict(load()))
    except HotlineError as error:
        err.print(f"[bold red]✗[/] {escape(error.message)}")
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps({"intact": verdict.intact, **asdict(verdict)}, ensure_ascii=False))
    else:
        _print(verdict)
    if not verdict.intact:
        raise typer.Exit(1)


async def _verdict(settings: Settings) -> Verdict:
    key = settings.secrets_dir / "audit_key"
    if not key.is_file():
        raise Unavailable("no_audit_key", f"the key of the chain is not there: restore {key.name} into secrets/")
    anchors = sealing.read_anchors(settings.home / "audit-anchors.txt")
    async with existing(settings) as database, database.read() as conn:
        return await sealing.verify(conn, bytes.fromhex(key.read_text(encoding="ascii").strip()), anchors)


def _print(verdict: Verdict) -> None:
    if verdict.faults:
        first = verdict.faults[0]
        more = f" (and {len(verdict.faults) - 1} more)" if len(verdict.faults) > 1 else ""
        out.print(f"[bold red]✗[/] {first.chain} {first.seq}: {_FAULTS[first.what]}{more}")
    else:
        out.print("[green]✓[/] every link is as it was sealed")
    out.print(f"  {verdict.sealed} sealed, {verdict.unsealed} waiting to be sealed, {verdict.erased} erased by rule")
