"""A copy of asterisk-conf that a test may spoil, and settings that point at it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from cti.asterisk.lint import check
from cti.asterisk.lint_model import Problem
from cti.asterisk.settings import HOME, AsteriskSettings


@dataclass(frozen=True, slots=True)
class Copy:
    """The administrator's files, to be spoiled one at a time."""

    folder: Path
    settings: AsteriskSettings

    def replace(self, file: str, old: str, new: str) -> int:
        """Plants a fault; the number of the line that holds it."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    def problems(self, **changes: object) -> list[Problem]:
        """What the check says."""
        return check(self.settings.model_copy(update=changes))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A good configuration: the shipped one."""
    folder = tmp_path / "conf"
    shutil.copytree(HOME / "asterisk-conf", folder)
    return Copy(folder, AsteriskSettings(run_dir=tmp_path / "run", cache_dir=tmp_path, conf_dir=folder))
