"""One TOML file read into a pydantic shape, every complaint with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ivr.prompts import Finding

Shape = TypeVar("Shape", bound=BaseModel)

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*=")
_SYNTAX = re.compile(r"\(at line (\d+), column \d+\)")


class Source:
    """A data file and the lines its tables and keys stand in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[tuple[str, ...], int] = {}

    def read(self, shape: type[Shape], findings: list[Finding]) -> Shape | None:
        """The file in this shape; None when it cannot be, and `findings` says why."""
        try:
            text = self.path.read_text(encoding="utf-8")
            data = tomllib.loads(text)
        except (OSError, UnicodeDecodeError) as error:
            findings.append(Finding(str(self.path), None, f"cannot be read ({error})", "Put the file back."))
            return None
        except tomllib.TOMLDecodeError as error:
            at = _SYNTAX.search(str(error))
            line = int(at[1]) if at else None
            findings.append(Finding(str(self.path), line, f"is not TOML: {error}", "Correct the syntax of this line."))
            return None
        self._lines = _index(text)
        try:
            return shape.model_validate(data)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                where = [str(part) for part in one["loc"]]
                self.add(
                    findings,
                    where,
                    f"{'.'.join(where)}: {one['msg']}",
                    "The head of the file says what may stand here.",
                )
            return None

    def add(self, findings: list[Finding], where: Sequence[str], reason: str, remedy: str) -> None:
        """Note something wrong at this table or key."""
        findings.append(Finding(str(self.path), self.line(where), reason, remedy))

    def line(self, where: Sequence[str]) -> int | None:
        """The line of the longest part of this path that is written in the file."""
        path = tuple(where)
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None


def _index(text: str) -> dict[tuple[str, ...], int]:
    """Line numbers of tables and keys; the n-th table of an array is found as (name, n)."""
    found: dict[tuple[str, ...], int] = {}
    counts: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        header = _TABLE.match(line)
        if header:
            table = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                found.setdefault(table, number)
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, key[1]), number)
    return found
