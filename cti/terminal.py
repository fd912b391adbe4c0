"""What every command of `hotline` does with its terminal: prints, fails in one sentence, runs its work."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Final, NoReturn, TypeVar

from rich.console import Console
from rich.markup import escape

T = TypeVar("T")

out: Final = Console(highlight=False)
err: Final = Console(stderr=True, highlight=False)


def fail(message: str) -> NoReturn:
    """Says what is wrong and ends the command with exit code 1."""
    err.print(f"[bold red]✗[/] {escape(message)}")
    sys.exit(1)


def progress(line: str) -> None:
    """One line about long work."""
    out.print(f"[dim]»[/] {escape(line)}")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs what a command does to its end."""
    return asyncio.run(work)
