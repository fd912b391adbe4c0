"""The times at which a caller can be called back, as the menus offer them now."""

from __future__ import annotations

from datetime import UTC, datetime

from ivr.ports import Window
from ticketing.callbacks import policy, rules


def windows() -> tuple[Window, ...]:
    """What can be booked now for a queue that is always open."""
    found = rules.windows(policy.shipped(), None, datetime.now(UTC))
    return tuple(Window(each.id, f"callback-window-{each.spoken}", each.starts_at, each.ends_at) for each in found)
