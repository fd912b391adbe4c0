"""Work that waits beside the calls: news of it on the stream, and how much there is. Pure."""

from cti.web.schemas.common import Output

__all__ = ["WorkCounts", "WorkEvent"]


class WorkEvent(Output):
    """A recorded complaint, a paper or a callback changed; its page reads what it shows again."""

    id: str
    serial: str
    state: str
    version: int
    event: str


class WorkCounts(Output):
    """How much waits, for the links of the page; null for what the person does not see."""

    #: recorded complaints nobody has taken yet
    items_new: int | None
    #: recorded complaints past their two hours (K3)
    items_overdue: int | None
    #: papers no clerk has
    papers_new: int | None
    #: papers past their two hours (CL-01)
    papers_overdue: int | None
    #: originals handed over that wait for the archivist's receipt (KB-11)
    originals_handed: int | None
    #: callbacks a person must decide about: after the last attempt, or of unknown fate
    callbacks_listed: int | None
    #: callbacks past their time (K17)
    callbacks_overdue: int | None
