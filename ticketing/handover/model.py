"""Words of the hand-over: what may hang on a person. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What may hang on one person only."""

    DRAFT = "draft"  #: an order he is still writing
    ORDER = "order"
    CALLBACK = "callback"  #: a customer was promised a call, and he answers for it
    ITEM = "item"  #: a recorded complaint he has taken
    PAPER = "paper"  #: a letter or fax he has taken
    FOLLOW_UP = "follow_up"  #: a bad grade he follows up


@dataclass(frozen=True, slots=True)
class Hanging:
    """One thing that hangs on him; field names are those of the JSON."""

    kind: Kind
    #: public id
    id: str
    #: number people call it by; of a follow-up the call's
    serial: str
    state: str
    #: its limit, where one runs
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class HandOver:
    """To whom everything goes in one step."""

    #: 工号; none: each thing to the queue of its kind
    person: str | None = None
