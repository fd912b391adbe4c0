"""`hotline backup` and `hotline restore` (F27): an installation kept, and made again."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cti import app as composition
from cti import logs, migrations
from cti.backup import make as making
from cti.backup import restore as restoring
from cti.backup.model import Manifest, read
from cti.existing import existing
from cti.settings import Settings, load
from cti.terminal import err, out, run


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder of the backups; each becomes a folder in it.")],
    keep: Annotated[int | None, typer.Option(help="Remove all but this many afterwards.", min=1)] = None,
) -> None:
    """Copy everything this installation cannot be made from again, while it runs; nothing is stopped.

    Database, voice files, papers, messages, journals and secrets: whoever has the folder has all of it.
    """
    settings = load()
    logs.configure_aside(settings.home / "log")
    began = composition.clock()
    schema = run(_schema(settings))
    with err.status("copying") as status:

        def progress(what: str, count: int) -> None:
            status.update(f"copying {what}" + (f": {count}" if count else ""))

        made = making.make(settings, folder, making.Release(version("hotline"), schema), began, progress)
    _told(made, read(made), composition.clock() - began)
    for old in making.keep_only(folder, keep) if keep is not None else ():
        out.print(f"[dim]»[/] {escape(str(old))} is removed")


async def _schema(settings: Settings) -> str:
    async with existing(settings):
        return migrations.head() or ""


def _told(folder: Path, manifest: Manifest, took: timedelta) -> None:
    size = sum(kept.size for kept in manifest.files)
    counts = ", ".join(f"{len(manifest.of(name))} {name}" for name in ("recordings", "papers", "spool"))
    out.print(
        f"[green]✓[/] {escape(str(folder))}: {len(manifest.files)} files, {size / 2**20:.1f} MiB "
        f"({counts}) in {took.total_seconds():.1f} s"
    )


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup, or the folder of backups: then the newest.", exists=True)],
    only_check: Annotated[bool, typer.Option("--check", help="Only read it and compare its digests.")] = False,
) -> None:
    """Make an installation again from a backup, where there is none (HOTLINE_HOME, database_url)."""
    settings = load()
    chosen = restoring.newest(folder)
    with err.status("reading") as status:

        def progress(what: str, count: int) -> None:
            status.update(f"{what}: {count}" if count else what)

        if only_check:
            manifest = restoring.check(chosen, progress)
        else:
            manifest = run(restoring.restore(settings, chosen, composition.clock(), progress))
    at = datetime.fromisoformat(manifest.at)
    said = "is whole" if only_check else f"is restored into {settings.home}"
    out.print(f"[green]✓[/] {escape(str(chosen))} of {at:%Y-%m-%d %H:%M:%S} UTC {escape(said)}")
    if not only_check:
        out.print("[dim]»[/] `hotline verify` proves it, `hotline up` starts it; everybody signs in anew")
