"""What an action did, told to the edge, which publishes it after the commit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One committed-to-be fact; nobody hears of it when the transaction rolls back."""

    #: past fact in dotted form, `order.submitted`, `agent.paused`
    kind: str
    #: what changed: a public id, a staff number or a call id
    subject_id: str
    #: row version after the change; 0 for things without versions
    version: int
    #: when, aware UTC
    at: datetime
    #: what a listener needs, JSON-ready
    payload: Mapping[str, Any] = field(default_factory=dict)
