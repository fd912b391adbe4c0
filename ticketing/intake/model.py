"""Words of a recorded complaint: states, why it was sorted out, and the form pages read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

#: owner of an item nobody has taken yet
QUEUE = "recordings"


class State(StrEnum):
    """Where an item stands."""

    NEW = "new"  #: 待提取
    CLAIMED = "claimed"  #: 提取中
    DONE = "done"  #: 已立单
    DISCARDED = "discarded"  #: 不立单
    SORTED_OUT = "sorted_out"  #: 系统剔除


WAITING = frozenset({State.NEW, State.CLAIMED})
"""Somebody must still listen and decide."""

ENDED = frozenset({State.DONE, State.DISCARDED})
"""Became an order, or was put away with a reason by a person."""


class Verb(StrEnum):
    """What is done to an item."""

    TAKE = "take"
    SORT_OUT = "sort_out"
    CLAIM = "claim"
    RELEASE = "release"
    REASSIGN = "reassign"
    TO_ORDER = "to_order"
    ABSORB = "absorb"
    DISCARD = "discard"


class Sorted(StrEnum):
    """Why the product put a message aside; it stays, and a clerk may still take it (TL-21)."""

    SILENCE = "silence"
    TONE = "tone"
    TOO_SHORT = "too_short"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that was left; everything is the telephone's word."""

    call_id: str
    #: name of the voice file in the spool, `<call id>-msg-<n>.wav`; its stem is the item's key
    file: str
    #: caller's number as the network gave it; empty when withheld
    ani: str
    dnis: str
    lang: str
    #: queue the caller had waited in
    queue: str
    #: length of the sound; None when nobody measured it
    seconds: float | None
    #: confirmed | hung_up | limit | rescue | given_up
    how: str
    #: receipt stamp: when the caller had finished speaking
    at: datetime
    #: what the ear of the machine found; None = speech, or not known
    sorted_out: Sorted | None = None
    #: number already read to the caller from a reserved block, while the database was away
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class OrderRef:
    """An order that an item became."""

    id: str
    serial: str
    state: str


@dataclass(frozen=True, slots=True)
class Item:
    """One recorded complaint as pages read it; field names are those of the JSON."""

    #: public id, random: the one in addresses
    id: str
    #: the number read to the caller
    serial: str
    state: str
    sorted_out: str | None
    #: key of the voice file among the recordings, `<call id>-msg-<n>`
    key: str
    call_id: str
    caller_number: str | None
    customer_id: str | None
    customer_name: str | None
    vip_class: str | None
    language: str
    dnis: str
    queue: str | None
    seconds: float | None
    how: str
    #: receipt stamp (K3 counts from it)
    received_at: datetime
    taken_at: datetime
    due_at: datetime
    #: none, yellow or red (MN-07)
    card: str
    overdue: bool
    #: 工号 of the clerk, or the queue's name; None when it is over
    owner: str | None
    claimed_at: datetime | None
    ended_at: datetime | None
    #: met, breached or void, once it is over
    outcome: str | None
    discard_reason: str | None
    note: str | None
    #: serial of the open callback of the same number it was merged with
    callback: str | None
    version: int
    orders: tuple[OrderRef, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Conditions of a list; all that are given must hold. Without `state`: what still waits."""

    state: tuple[str, ...] = ()
    number: str | None = None
    serial: str | None = None
    mine: bool = False
    overdue: bool = False
