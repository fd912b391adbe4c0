"""What a department asks for, takes at once and attaches, as its pages send and show it. Pure."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Code, Input, Line, Output, PublicId, StaffNumber, Text, UtcInstant, Version
from cti.web.schemas.workflow import WorkOrderTask

__all__ = [
    "AcceptAll",
    "AcceptOne",
    "AskExtension",
    "AttachFile",
    "AttachmentList",
    "AttachmentView",
    "ExtensionList",
    "ExtensionView",
    "GrantExtension",
    "Reassign",
    "TakenList",
    "TakenView",
]


def _example(**values: Any) -> ConfigDict:
    """A body as the interface's description shows it."""
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"version": 3, **values}]})


class AskExtension(Input):
    """A later limit is asked for (PX-05)."""

    version: Version
    #: leaf of taxonomy `extension_reason`
    reason: Code
    due_at: UtcInstant
    note: Text | None = None

    model_config = _example(reason="parts", due_at="2026-03-13T02:00:00Z", note="备件周四到货")


class GrantExtension(Input):
    """The later limit is given (PX-05)."""

    version: Version
    opinion: Text
    #: none: as it was asked for
    due_at: UtcInstant | None = None

    model_config = _example(opinion="同意延期至周五")


class Reassign(Input):
    """To somebody else, or to the queue (PX-04)."""

    version: Version
    #: leaf of taxonomy `reassign_reason`
    reason: Code
    #: 工号; none: the queue of its state, or the unit's inbox
    person: StaffNumber | None = None
    note: Line | None = None

    model_config = _example(reason="absent", person="1002", note="今日请假")


class ExtensionView(Output):
    """A wish for a later limit that waits for the supervisor."""

    #: address of the work order
    work_order: str
    number: int
    order_id: str
    order_serial: str
    unit: str
    asked_at: UtcInstant
    by: str | None
    reason: str
    note: str | None
    old_due_at: UtcInstant | None
    due_at: UtcInstant
    version: int


class ExtensionList(Output):
    """The nearest limit first."""

    items: list[ExtensionView]


class AcceptOne(Input):
    """One of several work orders taken at once, as it was last seen."""

    id: PublicId
    version: Version


class AcceptAll(Input):
    """Several work orders are taken at once (PX-05)."""

    items: Annotated[list[AcceptOne], Field(min_length=1, max_length=100)]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"items": [{"id": "mQ3c6nQy7mKq0m0c1dYx9A", "version": 1}]}]},
    )


class TakenView(Output):
    """What became of one of them: the work order as it is now, or why it was refused."""

    id: str
    work_order: WorkOrderTask | None
    code: str | None
    message: str | None


class TakenList(Output):
    """In the order they were sent."""

    items: list[TakenView]


class AttachFile(Input):
    """What the file is called and the work order's version; its bytes are the body."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=250)]
    version: Version


class AttachmentView(Output):
    """One file of a work order."""

    id: str
    #: number of the work order within the order
    work_order: int
    name: str
    #: by its content, whatever its sender said
    media_type: str
    size: int
    sha256: str
    added_at: UtcInstant
    added_by: str


class AttachmentList(Output):
    """Files of all work orders of an order, oldest first."""

    items: list[AttachmentView]
