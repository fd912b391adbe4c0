"""Words of a paper: states, where its original lies, and the form pages read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ticketing.orders.model import Channel

#: owner of a paper no clerk has
QUEUE = "papers"

CHANNELS = (Channel.LETTER, Channel.FAX, Channel.EMAIL, Channel.DEPARTMENT)
"""What comes on paper or as text (IN-25); a visitor's words are a draft at once (IN-26)."""


class State(StrEnum):
    """Where a paper stands."""

    NEW = "new"  #: 待录入
    CLAIMED = "claimed"  #: 录入中
    DONE = "done"  #: 已立单
    DISCARDED = "discarded"  #: 不立单


WAITING = frozenset({State.NEW, State.CLAIMED})
"""Somebody must still read it and decide."""


class Verb(StrEnum):
    """What is done to a paper."""

    REGISTER = "register"
    CLAIM = "claim"
    RELEASE = "release"
    REASSIGN = "reassign"
    TO_ORDER = "to_order"
    DISCARD = "discard"


class Original(StrEnum):
    """Where the original is; an e-mail has none."""

    NONE = "none"  #: 无原件
    CLERK = "clerk"  #: 在录入员处
    HANDED = "handed"  #: 已交出，待签收
    FILED = "filed"  #: 已归档
    LENT = "lent"  #: 已借出


class Move(StrEnum):
    """One step of the original's chain of custody (KB-11)."""

    HAND_OVER = "hand_over"  #: clerk to archivist
    FILE = "file"  #: the archivist's receipt, and where it lies; again: another place
    REFUSE = "refuse"  #: back to the clerk, saying what is wrong
    LEND = "lend"  #: out of the archive, to whom
    TAKE_BACK = "take_back"  #: into the archive again


@dataclass(frozen=True, slots=True)
class NewPaper:
    """What arrived."""

    channel: Channel
    #: receipt stamp: never changed afterwards (IN-25)
    received_at: datetime
    sender: str | None = None
    #: telephone number the sender gives
    number: str | None = None
    #: unit it came from; required of a department's text
    unit: str | None = None
    subject: str | None = None
    #: register number of the post, message id of the e-mail: the same one is registered once
    mail_number: str | None = None
    #: public id of the customer
    customer: str | None = None
    #: there is an original that must be filed
    original: bool = True


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file turned out to be, by its content."""

    media_type: str
    #: endings its name may have
    endings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PaperFile:
    """One scan or text kept with a paper; field names are those of the JSON."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    added_at: datetime
    #: 工号
    added_by: str


@dataclass(frozen=True, slots=True)
class CustodyLine:
    """One line of the originals register."""

    at: datetime
    move: str
    #: 工号 of whoever did it
    by: str
    #: archivist or borrower it went to
    to: str | None
    place: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class OrderRef:
    """An order that a paper became."""

    id: str
    serial: str
    state: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper as pages read it; field names are those of the JSON."""

    #: public id, random: the one in addresses
    id: str
    serial: str
    state: str
    channel: str
    received_at: datetime
    registered_at: datetime
    registered_by: str
    sender: str | None
    number: str | None
    unit: str | None
    subject: str | None
    mail_number: str | None
    customer_id: str | None
    customer_name: str | None
    vip_class: str | None
    #: the two hours from the receipt stamp: entry and hand-over share them (G5)
    due_at: datetime
    #: none, yellow or red (MN-07), of the entry
    card: str
    overdue: bool
    #: 工号 of the clerk, or the queue's name; None when it is over
    owner: str | None
    claimed_at: datetime | None
    ended_at: datetime | None
    #: met or breached, once it is entered
    outcome: str | None
    discard_reason: str | None
    note: str | None
    original: str
    #: who has the original: 工号, or the borrower's name
    holder: str | None
    #: shelf and folder, once it is filed
    place: str | None
    handed_at: datetime | None
    #: card of the hand-over, which shares the two hours
    original_card: str
    #: met or breached, once it was handed over
    original_outcome: str | None
    version: int
    files: tuple[PaperFile, ...] = ()
    custody: tuple[CustodyLine, ...] = ()
    orders: tuple[OrderRef, ...] = ()


@dataclass(frozen=True, slots=True)
class PaperFilter:
    """Conditions of a list; all that are given must hold. Without `state` and `original`: what still waits."""

    state: tuple[str, ...] = ()
    original: tuple[str, ...] = ()
    channel: str | None = None
    serial: str | None = None
    #: begins the sender's name, the subject or the mail number
    text: str | None = None
    mine: bool = False
    overdue: bool = False
