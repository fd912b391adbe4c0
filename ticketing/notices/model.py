"""Values of messages that leave by text message or e-mail, and the port they leave by. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class NoticeKind(StrEnum):
    """What it tells (TL-25)."""

    ORDER_NUMBER = "order_number"
    REPLY = "reply"
    MISSED_CALLBACK = "missed_callback"
    NEW_WORK = "new_work"
    URGENT = "urgent"
    CHASED = "chased"
    SECOND_DISPATCH = "second_dispatch"


class Means(StrEnum):
    """By what it goes."""

    SMS = "sms"
    EMAIL = "email"


class NoticeState(StrEnum):
    """How far it came."""

    WAITING = "waiting"
    SENT = "sent"  #: the gateway said that it has it
    REFUSED = "refused"  #: the gateway will never take it
    DEAD = "dead"  #: tried for a day in vain


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a gateway is given."""

    #: never repeats for another message: the gateway drops what it had under the same one
    id: str
    means: Means
    #: number in E.164, or e-mail address
    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One message as a page lists it; field names are those of the JSON."""

    id: str
    kind: str
    means: str
    to: str
    text: str
    state: str
    created_at: datetime
    attempts: int
    ended_at: datetime | None
    last_error: str | None


class NoticeRefused(Exception):
    """The gateway will never take this message."""


class NoticeGateway(Protocol):
    """The message port."""

    async def send(self, message: Outgoing) -> None:
        """Returns when the gateway has it, or had it before under this id.

        Raises NoticeRefused for what it will never take; anything else means not now, and is tried again.
        """
