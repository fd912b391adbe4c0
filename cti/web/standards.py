"""Service standards for the desk: the same words the voice menu says, so that both always agree (IN-01, KB-06)."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cti.web.schemas.common import Label
from cti.web.schemas.reference import Standard
from ticketing.errors import Invalid

__all__ = ["read_standards"]

_PREFIX = "standard-"
_IVR = Path(__file__).resolve().parents[2] / "ivr"


def read_standards(
    menus: Path = _IVR / "data" / "menus.toml", texts: Path = _IVR / "prompts" / "texts.toml"
) -> Sequence[Standard]:
    """Every menu named `standard-*` with the words of its first prompt; raises Invalid naming file and menu."""
    words = _read(texts).get("prompt", {})
    found = []
    for name, menu in _read(menus).get("menu", {}).items():
        if not name.startswith(_PREFIX):
            continue
        said = words.get(next(iter(menu.get("prompts", [])), ""))
        if said is None:
            raise Invalid("bad_standards", f"{menus}: [menu.{name}] plays a prompt that {texts.name} does not have")
        found.append(
            Standard(
                code=name.removeprefix(_PREFIX),
                title=Label(zh=menu["zh"], en=menu["en"]),
                text=Label(zh=said["zh"], en=said["en"]),
            )
        )
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Invalid("bad_standards", f"{path}: {error}") from None
