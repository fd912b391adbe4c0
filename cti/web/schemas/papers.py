"""Papers (文本来件) and their originals as the clerks' and the archivist's page lists and works on them. Pure."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Line, Output, PhoneText, PublicId, StaffNumber, UtcInstant, Version
from cti.web.schemas.orders import Order
from ticketing.masking import Personal

__all__ = [
    "AddPaperFile",
    "CustodyView",
    "DiscardPaper",
    "HandOver",
    "MoveOriginal",
    "OrderFiles",
    "PaperFileView",
    "PaperOrder",
    "PaperOrdered",
    "PaperPage",
    "PaperQuery",
    "PaperStep",
    "PaperView",
    "ReassignPaper",
    "RegisterPaper",
]

Card = Literal["none", "yellow", "red"]
OriginalState = Literal["none", "clerk", "handed", "filed", "lent"]
_STATES = r"^[a-z_]{1,20}(,[a-z_]{1,20}){0,9}$"


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [values]})


class PaperQuery(Input):
    """Conditions of a list; all that are given must hold. Without `state`, `original`, `serial` and `q`: what waits."""

    #: one state, or several with commas between
    state: Annotated[str, StringConstraints(pattern=_STATES)] | None = None
    #: where the original is: one state, or several with commas between
    original: Annotated[str, StringConstraints(pattern=_STATES)] | None = None
    channel: Code | None = None
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")] | None = None
    #: words within sender, subject, register number or place
    q: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    mine: bool = False
    overdue: bool = False
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class PaperFileView(Output):
    """One scan or text."""

    id: str
    name: str
    #: by its content, whatever its sender said
    media_type: str
    size: int
    sha256: str
    added_at: UtcInstant
    added_by: str


class CustodyView(Output):
    """One line of the originals register (KB-11)."""

    at: UtcInstant
    move: Literal["hand_over", "file", "refuse", "lend", "take_back"]
    by: str
    to: str | None
    place: str | None
    note: str | None


class PaperOrder(Output):
    """An order that came of a paper."""

    id: str
    serial: str
    state: str


class PaperView(Output):
    """One letter, fax, e-mail or text of a department."""

    #: The random public id.
    id: str
    serial: str
    state: Literal["new", "claimed", "done", "discarded"]
    channel: str
    #: The receipt stamp: the two hours (K3, K4) count from it, for entry and hand-over alike (G5).
    received_at: UtcInstant
    registered_at: UtcInstant
    registered_by: str
    sender: Annotated[str | None, Personal.NAME]
    number: Annotated[str | None, Personal.NUMBER]
    unit: str | None
    subject: str | None
    mail_number: str | None
    customer_id: str | None
    customer_name: Annotated[str | None, Personal.NAME]
    vip_class: str | None
    due_at: UtcInstant
    card: Card
    overdue: bool
    owner: str | None
    claimed_at: UtcInstant | None
    ended_at: UtcInstant | None
    #: `met` or `breached`, once it is entered
    outcome: str | None
    discard_reason: str | None
    note: str | None
    original: OriginalState
    holder: str | None
    place: str | None
    handed_at: UtcInstant | None
    original_card: Card
    #: `met` or `breached`, once it was handed over
    original_outcome: str | None
    files: list[PaperFileView]
    custody: list[CustodyView]
    orders: list[PaperOrder]
    version: int


class PaperPage(Output):
    """One page by remaining time, where nothing waits the newest first; lists leave out files and custody."""

    items: list[PaperView]
    next_cursor: str | None


class PaperOrdered(Output):
    """The paper and the draft that was made of it."""

    paper: PaperView
    order: Order


class OrderFiles(Output):
    """Scans of the papers an order came from."""

    items: list[PaperFileView]


class RegisterPaper(Input):
    """Write a paper into the register (IN-25)."""

    channel: Literal["letter", "fax", "email", "department"]
    received_at: UtcInstant
    sender: Annotated[Line, StringConstraints(max_length=200)] | None = None
    number: PhoneText | None = None
    #: of a department's text: the unit it came from, a leaf of `unit`
    unit: Code | None = None
    subject: Line | None = None
    #: register number of the post, message id
    mail_number: Annotated[Line, StringConstraints(max_length=80)] | None = None
    customer_id: PublicId | None = None
    #: whether there is an original to be filed; an e-mail has none
    original: bool = True

    model_config = _example(
        channel="letter",
        received_at="2026-03-10T01:00:00Z",
        sender="李女士",
        subject="宽带多次报修未解决",
        mail_number="RA123456789CN",
    )


class PaperStep(Input):
    """Take it, give it back, or make an order of it."""

    version: Version

    model_config = _example(version=2)


class ReassignPaper(Input):
    """Hand it to another clerk (PX-04)."""

    version: Version
    number: StaffNumber
    #: leaf of taxonomy `reassign_reason` (MN-02)
    reason: Code
    note: Line | None = None

    model_config = _example(version=2, number="6101", reason="absent")


class DiscardPaper(Input):
    """Put it away with a coded reason (IN-28), a leaf of `no_order_reason`."""

    version: Version
    reason: Code
    note: Line | None = None

    model_config = _example(version=2, reason="inquiry")


class HandOver(Input):
    """The clerk gives the original to the archivist (KB-11); without `to` to whoever is there."""

    version: Version
    #: 工号 of the archivist
    to: StaffNumber | None = None
    note: Line | None = None

    model_config = _example(version=3, to="5001")


class MoveOriginal(Input):
    """What the archivist does with the original: one step of its chain of custody (KB-11)."""

    version: Version
    move: Literal["file", "refuse", "lend", "take_back"]
    #: lend: who borrows it
    to: Annotated[Line, StringConstraints(max_length=80)] | None = None
    #: file: shelf and folder
    place: Annotated[Line, StringConstraints(max_length=200)] | None = None
    note: Line | None = None

    model_config = _example(version=3, move="file", place="三号柜 2026-03 第 2 册")


class AddPaperFile(Input):
    """What the file is called; its bytes are the body."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=250)]
