"""Commands about single calls: taken out of the flight recorder, replayed, compared with their row (TL-71)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape
from rich.table import Table

from cti import excerpt, store
from cti.ami.factblocks import UnreadableFact
from cti.ami.replay import replay_bytes
from cti.calls.model import CallRecord
from cti.calls.replay import differing
from cti.existing import existing
from cti.journal import Mask
from cti.settings import Settings, load
from cti.terminal import err, fail, out, run

cli = typer.Typer(no_args_is_help=True, help="Single calls: what the flight recorder holds of them.")

CallId = Annotated[str, typer.Argument(metavar="ID", help="Id of the call, as the pages and logs show it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@cli.command()
def export(
    call_id: CallId,
    file: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; without it: print.")] = None,
) -> None:
    """Take one call out of the journal as a file that `hotline replay` reads: numbers masked, beside the service."""
    settings = load()
    held, row = _taken(settings, call_id), run(_row(settings, call_id))
    if not held.blocks:
        _not_held(settings, call_id, row)
    if held.holds_from is not None and row is not None and row.entered_at < held.holds_from:
        err.print(f"[yellow]![/] the journal begins at {held.holds_from:%Y-%m-%d %H:%M:%S} UTC, in mid-call")
    if file is None:
        sys.stdout.buffer.write(held.data)
        sys.stdout.buffer.flush()
        return
    try:
        file.write_bytes(held.data)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}")
    out.print(f"[green]✓[/] {escape(str(file))}: {held.blocks} events of the call, {len(held.data)} bytes")


@cli.command(name="check")
def compare(call_id: CallId, as_json: AsJson = False) -> None:
    """Replay one call out of the journal and compare it with its row, field by field; exit code 1 when they differ."""
    settings = load()
    held, row = _taken(settings, call_id), run(_row(settings, call_id))
    if row is None or not held.blocks:
        _not_held(settings, call_id, row)
    if row.open:
        fail(f"call {call_id} is still open: its row is not final")
    mask = Mask(bytes.fromhex((settings.secrets_dir / "journal_key").read_text(encoding="ascii").strip()))
    again = next(record for record in replay_bytes(held.data) if record.call_id == call_id)
    found = differing(mask.record(row), again)
    if as_json:
        rows = [{"field": name, "row": _text(live), "replay": _text(got)} for name, live, got in found]
        typer.echo(json.dumps({"call_id": call_id, "equal": not found, "differs": rows}, ensure_ascii=False))
    elif found:
        table = Table("field", "row", "replay", title=f"call {call_id}", title_justify="left")
        for name, live, got in found:
            table.add_row(name, escape(_text(live)), escape(_text(got)))
        out.print(table)
    else:
        marked = f"; not seen: {', '.join(row.unseen)}" if row.unseen else ""
        out.print(f"[green]✓[/] call {call_id}: the replay equals its row{marked}")
    if found:
        raise typer.Exit(1)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _taken(settings: Settings, call_id: str) -> excerpt.Excerpt:
    try:
        return excerpt.take(settings.journal_dir, call_id)
    except UnreadableFact as error:
        fail(f"the journal in {settings.journal_dir} holds what this release cannot read: {error}")


async def _row(settings: Settings, call_id: str) -> CallRecord | None:
    async with existing(settings) as database, database.read() as conn:
        return await store.get(conn, call_id)


def _not_held(settings: Settings, call_id: str, row: CallRecord | None) -> NoReturn:
    if row is None:
        fail(f"no call {call_id} is known here: ids look like 20261123021328-000000000001")
    fail(
        f"the journal no longer holds call {call_id} of {row.entered_at:%Y-%m-%d %H:%M} UTC: it keeps "
        f"{settings.journal_days} days and {settings.journal_bytes // 2**20} MiB (journal_days, journal_bytes)"
    )


def replay(
    file: Annotated[Path, typer.Argument(help="Raw AMI blocks, as captured or exported.", exists=True, dir_okay=False)],
    token: Annotated[str, typer.Option(help="Token the events must carry; empty believes all.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead of a table.")] = False,
) -> None:
    """Turn a captured event stream into call records: a bug report becomes a test."""
    try:
        records = replay_bytes(file.read_bytes(), token or None)
    except UnreadableFact as error:
        fail(f"{file}: {error}; was it written by another release?")
    rows = [_facts(record) for record in records]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        table = Table()
        for title in ("call", "from", "to", "queue", "outcome", "asked → answered", "offers", "breach"):
            table.add_column(title, overflow="fold")
        for row in rows:
            table.add_row(*(escape(_cell(value)) for value in row.values()))
        out.print(table)
    if not records:
        fail(f"{file} holds no call: are these raw AMI blocks, and is the token right?")


def _facts(record: CallRecord) -> dict[str, Any]:
    """What `replay` prints of a call."""
    return {
        "call_id": record.call_id,
        "from": record.ani or "withheld",
        "to": record.dnis,
        "queue": record.queue,
        "outcome": record.outcome.value if record.outcome else "open",
        "ask_to_answer_ms": record.clocks.ask_to_answer_ms,
        "offers": [{"agent": offer.agent, "result": offer.result.value} for offer in record.offers],
        "breach": record.clocks.breach.value if record.clocks.breach else None,
    }


def _cell(value: str | int | list[dict[str, str]] | None) -> str:
    if isinstance(value, list):
        return " ".join(f"{offer['agent']}:{offer['result']}" for offer in value)
    return f"{value} ms" if isinstance(value, int) else value or ""
