"""What a check of the configuration works on and what it finds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cti.asterisk.conf import Conf, Entry
from cti.asterisk.settings import AsteriskSettings


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault, in words an administrator can act on."""

    file: str
    line: int
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}. Remedy: {self.remedy}."


@dataclass(frozen=True, slots=True)
class Site:
    """Settings and every configuration file that could be read."""

    settings: AsteriskSettings
    files: Mapping[str, Conf]

    def prompt(self, language: str, prompt: str) -> Path:
        """Where a prompt of ours lies."""
        return self.settings.prompts_dir / language / f"{prompt}.wav"


def at(entry: Entry, why: str, remedy: str) -> Problem:
    """A problem with one line."""
    return Problem(entry.file, entry.line, why, remedy)


def is_yes(value: str) -> bool:
    """As Asterisk reads a truth value."""
    return value.strip().lower() in {"yes", "true", "y", "t", "1", "on"}
