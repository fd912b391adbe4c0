"""Who is responsible at a moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ticketing.classification import Ways, fit
from ticketing.responsibility.model import Line


def responsible(lines: Iterable[Line], duty: str, where: Ways, at: datetime) -> Line | None:
    """The line that says which unit has this duty for an order: of those in force the one that fits best (IN-20)."""
    fits = [
        (found, line.valid_from, line.key, line)
        for line in lines
        if line.duty == duty and line.active(at) and (found := fit(line.cover, where)) is not None
    ]
    return max(fits, key=lambda each: each[:3])[3] if fits else None
