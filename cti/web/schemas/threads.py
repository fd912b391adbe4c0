"""Messages between the centre and the departments. Pure."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from cti.web.schemas.common import Input, Output, PublicId, Text, UtcInstant
from ticketing.masking import Personal

__all__ = ["MessagePage", "MessageQuery", "MessageRead", "MessageView", "SayMessage", "ThreadList", "ThreadView"]


class ThreadView(Output):
    """A unit's thread in the list."""

    #: leaf of taxonomy `unit`
    unit: str
    messages: int
    #: of others, after the last one this reader has read
    unread: int
    last_at: UtcInstant | None


class ThreadList(Output):
    """The threads one reaches: the centre each unit's, a unit its own."""

    items: list[ThreadView]
    unread: int


class MessageView(Output):
    """One message."""

    id: str
    unit: str
    at: UtcInstant
    #: 工号 and name as they were
    by: str
    by_name: str
    #: somebody of the unit said it; else the centre
    from_unit: bool
    text: Annotated[str, Personal.TEXT]
    #: what it is about
    order_id: str | None
    order_serial: str | None
    work_order: int | None


class MessageQuery(Input):
    """Which page, the newest first."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")] | None = None


class MessagePage(Output):
    """Some messages of a thread."""

    items: list[MessageView]
    next_cursor: str | None


class SayMessage(Input):
    """A message; about an order of the unit, and one of its work orders, if numbers are given."""

    text: Text
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,20}$")] | None = None
    number: Annotated[int, Field(ge=1, lt=10_000)] | None = None

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"text": "这单今天能上门吗？"}]}
    )


class MessageRead(Input):
    """Read up to this message."""

    message: PublicId

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"message": "q3dYk9mR0w3Jx2pT6vLz1A"}]}
    )
