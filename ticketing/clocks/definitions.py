"""The clocks' limits, read once from their data file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from ticketing.clocks.model import Anchor, Clock, Definition
from ticketing.errors import Invalid


@cache
def definitions() -> Mapping[Clock, Definition]:
    """Every clock's definition; a missing or foreign code is refused at the first use."""
    return parse(files("ticketing.clocks").joinpath("data/clocks.toml").read_text(encoding="utf-8"))


def parse(text: str) -> Mapping[Clock, Definition]:
    """Definitions of a data file; raises Invalid naming the clock that is wrong."""
    tables = tomllib.loads(text)
    unknown = tables.keys() - {clock.value for clock in Clock}
    missing = {clock.value for clock in Clock} - tables.keys()
    if unknown or missing:
        raise Invalid("bad_clocks", "clock table does not match", unknown=sorted(unknown), missing=sorted(missing))
    return {Clock(code): _definition(Clock(code), table) for code, table in tables.items()}


def _definition(code: Clock, table: Mapping[str, Any]) -> Definition:
    target = table.get("target_s")
    if target is not None and target <= 0:
        raise Invalid("bad_clocks", f"{code}: the limit must be above zero", field=f"{code}.target_s")
    return Definition(
        code=code,
        name_zh=table["zh"],
        name_en=table["en"],
        target=None if target is None else timedelta(seconds=target),
        lead=timedelta(seconds=table["lead_s"]),
        calendar=table.get("calendar"),
        pauses=table["pauses"],
        default=table["default"],
        source=table["source"],
    )


@cache
def graded_by() -> Mapping[str, Anchor]:
    """Which start of the dispatch hour is judged, by the channel of the request (G4)."""
    return parse_graded(files("ticketing.clocks").joinpath("data/dispatch_hour.toml").read_text(encoding="utf-8"))


def parse_graded(text: str) -> Mapping[str, Anchor]:
    """The rule of a data file; raises Invalid naming the channel that is wrong."""
    made = {}
    for channel, anchor in tomllib.loads(text).get("graded", {}).items():
        if anchor not in {Anchor.A, Anchor.B}:
            raise Invalid("bad_clocks", f"{channel}: A or B", field=f"graded.{channel}", allowed=["A", "B"])
        made[channel] = Anchor(anchor)
    return made


def graded(code: str, anchor: str, channel: str) -> bool:
    """False for the clock of the dispatch hour that is only reported beside the judged one."""
    return code != Clock.DISPATCH.value or anchor == graded_by().get(channel, Anchor.A).value
