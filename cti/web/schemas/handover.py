"""What hangs on a person before he signs off, and giving it to others, as his page sends and shows it (TL-44). Pure."""

from typing import Literal

from pydantic import ConfigDict

from cti.web.schemas.common import Input, Output, StaffNumber, UtcInstant

__all__ = ["GiveOver", "HangingList", "HangingView"]


class HangingView(Output):
    """One thing that is this person's alone."""

    kind: Literal["draft", "order", "callback", "item", "paper", "follow_up"]
    id: str
    serial: str
    state: str
    due_at: UtcInstant | None


class HangingList(Output):
    """Kind after kind, the nearest limit first."""

    items: list[HangingView]


class GiveOver(Input):
    """Everything to a colleague by 工号; without one each thing to the queue of its kind."""

    person: StaffNumber | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"person": "1002"}]})
