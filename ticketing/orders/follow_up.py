"""Whether an order is called back after its answer, by the kind of service (SV-07)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ticketing.errors import Invalid

_AXES = ("nature", "business", "kind")


@dataclass(frozen=True, slots=True)
class FollowUpRules:
    """Codes and their answers, by axis; a branch speaks for its leaves."""

    axes: Mapping[str, Mapping[str, bool]]

    def asked(self, order: Mapping[str, Any]) -> bool:
        """True when this order is called back; the nearest rule of the first axis that has one."""
        for axis in _AXES:
            code = str(order.get(axis) or "")
            while code:
                if code in self.axes[axis]:
                    return self.axes[axis][code]
                code = code.rpartition(".")[0]
        return False


@cache
def shipped() -> FollowUpRules:
    """The rules of the data file."""
    return parse(files("ticketing").joinpath("data/follow_up.toml").read_text(encoding="utf-8"))


def parse(text: str) -> FollowUpRules:
    """Rules of a file; raises Invalid naming the line that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("bad_follow_up", str(error)) from None
    if strange := sorted(set(document) - set(_AXES)):
        raise Invalid("bad_follow_up", f"unknown table {strange[0]!r}", allowed=list(_AXES))
    for axis, rules in document.items():
        for code, asked in rules.items():
            if not isinstance(asked, bool):
                raise Invalid("bad_follow_up", f"[{axis}] {code} must be true or false", field=f"{axis}.{code}")
    return FollowUpRules({axis: dict(document.get(axis, {})) for axis in _AXES})
