"""Lines of the responsibility map as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ticketing.classification import Cover

#: code of taxonomy `duty` of who handles an order that follows no template (DP-10)
HANDLE: Final = "handle"


@dataclass(frozen=True, slots=True)
class Line:
    """One unit's duty for some orders, from a moment on."""

    key: int
    #: public id
    id: str
    duty: str
    cover: Cover
    unit: str
    valid_from: datetime
    #: the first moment at which it is over; None = open
    valid_until: datetime | None
    reason: str
    created_at: datetime
    #: 工号
    created_by: str
    version: int
    replaces_key: int | None = None

    def active(self, at: datetime) -> bool:
        """In force at a moment."""
        return self.valid_from <= at and not self.over(at)

    def over(self, at: datetime) -> bool:
        """In force no more."""
        return self.valid_until is not None and self.valid_until <= at
