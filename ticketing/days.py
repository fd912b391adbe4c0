"""The operator's day: what is valid from or until a day follows his calendar, not UTC's.

One process serves one operator: the composition root says his zone once, before anything is asked.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo


class _Operator:
    """Where the operator is."""

    zone: tzinfo = ZoneInfo("Asia/Shanghai")


_OPERATOR: Final = _Operator()


def use(zone: tzinfo) -> None:
    """The zone in which the operator's day begins and ends."""
    _OPERATOR.zone = zone


def day_of(moment: datetime) -> date:
    """The operator's day at an aware moment."""
    return moment.astimezone(_OPERATOR.zone).date()
