"""Writes docs/settings.md from cti/settings.py: `python -m tests.cti.settings_document`. A test keeps them equal."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

import cti.settings
from cti.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = ROOT / "docs" / "settings.md"

_UNITS: Final = {"_seconds": "seconds", "_mib": "MiB", "_bytes": "bytes", "_port": "port", "_days": "days"}
_NAMES: Final = {int: "whole number", float: "number", str: "text", bool: "true or false", Path: "path"}

_HEAD: Final = """\
# Settings

Written by `python -m tests.cti.settings_document` from `cti/settings.py`; a test keeps the two equal.

Each setting has one name. It is given, first found first taken,

1. on the command line, for the few that commands take (`hotline up --help`);
2. by the variable `HOTLINE_` with the name in capitals: `HOTLINE_HTTP_PORT=8443`; several words by commas;
3. in the file `hotline.toml` of the working folder, or the one that `HOTLINE_CONFIG` names: `http_port = 8443`.

A name that is not below, and a value that does not fit, is refused with its place; `hotline check` reads everything
without starting anything. `(default)` after a meaning marks a value that is ours and that no rule of the centre gives.
Secrets are no settings: they are made at the first start in `secrets/` of `home`, one file each, readable by the owner
alone.

| name | default | unit | meaning |
|---|---|---|---|
"""

_FOOT: Final = """
Two variables belong to the installation, not to the service: `HOTLINE_CONFIG` (above) and `HOTLINE_WHEELS`, a folder of
packages from which `make` installs without any network; `tools/wheels.sh FOLDER` fills one where there is a network.
"""


def meanings() -> dict[str, str]:
    """The `#:` lines above each field."""
    source = Path(cti.settings.__file__).read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for comment, name in re.findall(r"((?:    #: .*\n(?:    # .*\n)*)+)    (\w+): ", source):
        found[name] = " ".join(line.strip().lstrip("#: ") for line in comment.splitlines())
    return found


def _unit(name: str, field: FieldInfo) -> str:
    annotation: Any = field.annotation
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return unit
    if get_origin(annotation) is Literal:
        return " \\| ".join(f"`{word}`" for word in get_args(annotation))
    if get_origin(annotation) is types.UnionType:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is tuple:
        return "words"
    return _NAMES[annotation]


def _default(name: str, field: FieldInfo) -> str:
    value = field.default
    if name == "cache_dir":
        return "`$XDG_CACHE_HOME/hotline`, else `~/.cache/hotline`"
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, Path) and value.is_relative_to(ROOT):
        value = value.relative_to(ROOT)
    if isinstance(value, float):
        value = f"{value:g}"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def rows() -> Iterator[str]:
    """One line of the table for each setting, in the order of the source."""
    told = meanings()
    for name, field in Settings.model_fields.items():
        yield f"| `{name}` | {_default(name, field)} | {_unit(name, field)} | {told[name]} |"


def document() -> str:
    """The whole file."""
    return _HEAD + "\n".join(rows()) + "\n" + _FOOT


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
