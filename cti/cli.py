"""The `hotline` command: starts, checks, explains. Exit codes: 0 well, 1 something is wrong, 2 wrong use."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from cti import app as composition
from cti import commands_audit, commands_backup, commands_calls, commands_customers, commands_verify, doctor, logs
from cti.asterisk.errors import AsteriskError
from cti.asterisk.process import Asterisk
from cti.asterisk.provision import Installation, provision
from cti.asterisk.render import RunFolder, administrators_files, render
from cti.asterisk.secrets import Secrets
from cti.exchange import exchange_settings
from cti.settings import Settings, load
from cti.terminal import err, fail, out, progress, run
from ticketing.errors import HotlineError

T = TypeVar("T")

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A complaint hotline on Asterisk: answered by a menu, queued, popped on an agent's page, recorded, ordered.",
    epilog="Settings come from hotline.toml or HOTLINE_… variables (docs/settings.md).",
)
asterisk_cli = typer.Typer(no_args_is_help=True, help="The sandboxed Asterisk by hand; `hotline up` does all of this.")
db_cli = typer.Typer(no_args_is_help=True, help="The database schema.")
staff_cli = typer.Typer(no_args_is_help=True, help="The people who work here.")
cli.add_typer(asterisk_cli, name="asterisk")
cli.add_typer(commands_audit.cli, name="audit")
cli.add_typer(commands_calls.cli, name="calls")
cli.add_typer(commands_customers.cli, name="customers")
cli.add_typer(db_cli, name="db")
cli.add_typer(staff_cli, name="staff")


def main() -> None:
    """Runs the command line; errors are one clear sentence and exit code 1, never a traceback for a known cause.

    What it and its children write is its user's alone (S24).
    """
    os.umask(0o077)
    try:
        cli()
    except composition.ChecksFailed as failed:
        _show(failed.findings)
        err.print("[bold red]Nothing was started.[/]")
        sys.exit(1)
    except HotlineError as error:
        cause = str(error.details.get("cause", "")).partition("\n")[0]
        fail(f"{error.message} ({cause})" if cause else error.message)
    except AsteriskError as error:
        fail(str(error))


@cli.command()
def up(
    sample: Annotated[bool | None, typer.Option(help="Load the sample operator (staff, customers, orders).")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the page; default 8080.", min=1, max=65535)] = None,
    home: Annotated[Path | None, typer.Option(help="Folder for everything that is written; default ./var.")] = None,
) -> None:
    """Start Asterisk and the service; print the address and, at first, a one-time set-up token. Ctrl-C stops both."""
    given = {"sample": sample, "http_port": port, "home": home}
    settings = load(**{name: value for name, value in given.items() if value is not None})
    try:
        logs.configure(settings.home / "log", settings.log_level)
    except OSError as error:
        fail(f"nothing can be written in {settings.home} ({error.strerror}): set HOTLINE_HOME to another folder")
    run(_serve(settings))
    out.print("[green]✓[/] everything that was started is stopped")


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(_until(settings, stop))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not starting.done():
        out.print()
        starting.cancel()
    with suppress(asyncio.CancelledError):
        await starting


async def _until(settings: Settings, stop: asyncio.Event) -> None:
    async with composition.service(settings, progress, alone=True) as ready:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, ready.reload)
        _banner(ready)
        stopped = asyncio.create_task(stop.wait())
        ends: set[asyncio.Future[Any]] = {stopped, ready.broken}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
    if ready.broken.done():
        raise ready.broken.result()


def _banner(ready: composition.Ready) -> None:
    lines = [
        f"[bold]Hotline is ready.[/]  Page: [bold cyan]{ready.address}[/]",
        f"Calls to {', '.join(ready.dialled)} at sip:{ready.sip} · Asterisk {escape(ready.asterisk_version)}",
    ]
    if ready.setup_token is not None:
        lines += [
            "",
            f"Set-up token (once, 24 h): [bold yellow]{ready.setup_token}[/]",
            f"1  open {ready.address}setup and set passwords with it",
            "2  sign in as 2001 (senior agent), choose the browser phone and go ready",
            "3  in a second terminal: [bold]make demo[/]",
        ]
    else:
        lines += ["", "In a second terminal: [bold]make demo[/] places a simulated call."]
    out.print(Panel("\n".join(lines), expand=False, border_style="green"))
    out.print("[dim]Ctrl-C stops the service and Asterisk.[/]")


@cli.command()
def check() -> None:
    """Read every file the service lives on, without starting anything: Asterisk's configuration, menus, prompts."""
    findings = doctor.check_files(load())
    _show(findings)
    if any(found.bad for found in findings):
        raise typer.Exit(1)
    out.print("[green]✓[/] asterisk-conf, menus and prompts are in order")


@cli.command(name="reload")
def take_up() -> None:
    """Have the running service take up menus, numbers dialled, opening hours and prompts; calls in progress go on."""
    settings = load()
    findings = doctor.check_files(settings)
    if any(found.bad for found in findings):
        _show(findings)
        fail("the running service keeps the files it has")
    try:
        pid = int((settings.home / "hotline.pid").read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"up" not in command:  # the service was killed and its number belongs to somebody else
            raise ProcessLookupError
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        fail(f"no service is running in {settings.home}: start it with `hotline up`")
    out.print("[green]✓[/] told the service; new calls use the new files")


@cli.command(name="doctor")
def examine() -> None:
    """Say what is wrong between service, Asterisk, database, prompts, disk and clock, while they run."""
    settings = load()
    logs.configure_aside(settings.home / "log")
    findings = run(doctor.examine(settings, composition.clock))
    _show(findings, out)
    if any(found.bad for found in findings):
        raise typer.Exit(1)


def _show(findings: Sequence[doctor.Finding], console: Console = err) -> None:
    marks = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "error": "[red]✗[/]"}
    for found in findings:
        console.print(f"{marks[found.level]} [bold]{escape(found.where)}[/]: {escape(found.reason)}")
        if found.remedy:
            console.print(f"    → {escape(found.remedy)}")


@cli.command()
def demo(
    caller: Annotated[str, typer.Option(help="Number the simulated customer calls from.")] = "13800138000",
    dnis: Annotated[str, typer.Option(help="Number he dials.")] = "1860",
    seconds: Annotated[int, typer.Option(help="How long he waits for an answer.", min=5, max=3600)] = 180,
) -> None:
    """Place a real SIP call: a VIP customer with an overdue complaint dials 1860, presses 1 and speaks."""
    try:
        from cti.demo import place_call  # noqa: PLC0415 - needs the SIP stack, which nothing else does
    except ImportError as error:
        fail(f"{error}: the simulated customer needs the package baresip-python (`make demo` installs it)")

    run(place_call(load(), caller=caller, dnis=dnis, patience_s=seconds, progress=progress))


cli.command()(commands_verify.verify)
cli.command()(commands_backup.backup)
cli.command()(commands_backup.restore)
cli.command()(commands_calls.replay)


@cli.command()
def diagram(
    permissions: Annotated[bool, typer.Option(help="Print only who may do what.")] = False,
) -> None:
    """Print transition table, permission matrix and state diagram (Mermaid) of orders, from the one table."""
    from ticketing.orders import diagram as drawing  # noqa: PLC0415 - only this command draws

    out.print(drawing.permissions() if permissions else drawing.document(), markup=False, soft_wrap=True)


@asterisk_cli.command()
def install() -> None:
    """Find an Asterisk 22, or install the sandbox into the cache folder (once, about half a minute)."""
    found = provision(load().cache_dir, progress)
    out.print(f"[green]✓[/] Asterisk {found.version} ({'of the system' if found.system else found.root})")


def _exchange(make: Callable[[Installation, Settings], RunFolder]) -> Asterisk:
    settings = load()
    return Asterisk(make(provision(settings.cache_dir, progress), settings))


def _as_is(installation: Installation, settings: Settings) -> RunFolder:
    secrets = Secrets.load_or_create(settings.secrets_dir)
    return RunFolder(settings.asterisk_run, installation, exchange_settings(settings), secrets)


def _rendered(installation: Installation, settings: Settings) -> RunFolder:
    return render(installation, exchange_settings(settings), Secrets.load_or_create(settings.secrets_dir))


@asterisk_cli.command()
def start() -> None:
    """Render asterisk-conf and start Asterisk; it goes on when this command ends."""
    took = run(_exchange(_rendered).start())
    out.print(f"[green]✓[/] started in {took:.1f} s")


@asterisk_cli.command()
def stop() -> None:
    """Stop the Asterisk of this installation."""
    run(_exchange(_as_is).stop())
    out.print("[green]✓[/] stopped")


@asterisk_cli.command(name="cli")
def console(words: Annotated[list[str], typer.Argument(help="A command of Asterisk's console.")]) -> None:
    """Ask Asterisk's console: `hotline asterisk cli queue show`. A reload takes up asterisk-conf, if it is in order."""
    asterisk = _exchange(_as_is)
    command = " ".join(words)
    if "reload" in command.split():
        problems = [found for found in doctor.check_files(load()) if found.bad]
        if problems:
            _show(problems)
            fail("Asterisk keeps the files it has")
        administrators_files(asterisk.folder)
    out.print(run(asterisk.cli(command)), markup=False)


@db_cli.command()
def upgrade() -> None:
    """Bring the database to the schema of this release; harmless when it is there."""
    from cti import migrations  # noqa: PLC0415 - Alembic is slow to import

    settings = load()
    settings.make_home()
    before, after = run(migrations.upgrade(settings.database))
    out.print(f"[green]✓[/] schema {after}" + ("" if before == after else f" (was {before or 'empty'})"))


@staff_cli.command()
def add(
    number: Annotated[str, typer.Argument(help="工号: digits, also the number of the phone.")],
    name: Annotated[str, typer.Argument(help="Full name.")],
    posts: Annotated[list[str], typer.Option("--post", help="JA, SA, TE, RX, … (may be given several times).")],
    team: Annotated[str | None, typer.Option(help="Code of the team.")] = None,
    phone: Annotated[str, typer.Option(help="browser or desk.")] = "browser",
) -> None:
    """Add a member of staff; a set-up token to set the password is printed."""
    from cti.staffing import add_person  # noqa: PLC0415 - only this command writes staff

    token = run(add_person(load(), number=number, name=name, posts=posts, team=team, phone=phone))
    out.print(f"[green]✓[/] {escape(name)} ({number}) added. Password: /setup with this token (once, 24 h): {token}")
