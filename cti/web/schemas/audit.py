"""Who did what, and who looked at what. Pure."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from cti.web.schemas.common import Code, Input, Output, StaffNumber, UtcInstant

__all__ = ["ChainState", "LogPage", "LogQuery", "LogRow", "LogState"]


class LogQuery(Input):
    """Conditions on a log; all that are given must hold."""

    log: Literal["changes", "queries"] = Field("changes", description="changes, or look-ups, playbacks and exports")
    actor: StaffNumber | None = Field(None, description="工号 of who did it; `system` is the product itself")
    verb: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{0,40}$")] | None = Field(
        None, description="what was done, e.g. `order.exported`; with nothing after the dot all of that kind"
    )
    subject_kind: Code | None = Field(None, description="kind of what it was done to: order, recording, staff, …")
    subject_id: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = Field(
        None, description="id of what it was done to"
    )
    since: UtcInstant | None = Field(None, description="at this moment or later")
    until: UtcInstant | None = Field(None, description="before this moment")
    cursor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")] | None = Field(
        None, description="`next_cursor` of the page before"
    )
    limit: int = Field(50, ge=1, le=200, description="rows a page may have")


class LogRow(Output):
    """One act or look-up."""

    id: int
    at: UtcInstant
    actor: str
    actor_name: str | None
    verb: str
    subject_kind: str
    subject_id: str
    #: what it said; null once it was erased by rule
    said: dict[str, Any] | None
    #: place in the chain; null until it is sealed
    seal_seq: int | None


class LogPage(Output):
    """Rows, newest first."""

    items: list[LogRow]
    next_cursor: str | None


class ChainState(Output):
    """How far a log is sealed."""

    log: Literal["changes", "queries"]
    sealed: int
    sealed_at: UtcInstant | None
    waiting: int
    #: days whose last link is kept apart
    anchors: int


class LogState(Output):
    """Both logs' chains."""

    chains: list[ChainState]
