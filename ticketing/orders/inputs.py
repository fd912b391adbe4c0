"""What the edge hands to the order's actions. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ticketing.orders.model import Channel


@dataclass(frozen=True, slots=True)
class DraftFromCall:
    """An agent has answered a call; everything is the telephone's word, nothing is typed (IN-18)."""

    call_id: str
    #: 工号 of the agent who answered
    agent_number: str
    #: as the network gave it; may be withheld
    caller_number: str
    dnis: str
    answered_at: datetime
    #: public id, when one customer is known; otherwise the number is looked up
    customer: str | None = None
    #: keeps the draft if the agent is not on the staff list
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A letter, fax, e-mail, text from a department, visit or recording to be entered (IN-25, IN-26, IN-27)."""

    channel: Channel
    #: receipt stamp: never changed afterwards
    received_at: datetime
    customer: str | None = None
    #: message id, register number of the letter
    external_id: str | None = None
    #: of a recording: the number it came from, as the telephone gave it
    caller_number: str | None = None


@dataclass(frozen=True, slots=True)
class EditDraft:
    """Some fields of a draft; None empties one.

    Besides `fields.FIELDS`: `customer` (public id) and `repeat_of` (serial of the earlier, ended order).
    """

    public_id: str
    version: int
    fields: Mapping[str, object]
    #: field -> refused | not_applicable; None takes the code away (IN-17)
    coded: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submit:
    """T2."""

    public_id: str
    version: int


@dataclass(frozen=True, slots=True)
class EndWithoutOrder:
    """T37: the call needs no order (PX-07)."""

    public_id: str
    version: int
    #: leaf of taxonomy no_order_reason
    reason: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """T38: the call belongs to an open order."""

    public_id: str
    version: int
    into_serial: str


@dataclass(frozen=True, slots=True)
class AddWords:
    """What the customer said later, beside his first words (IN-22)."""

    public_id: str
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """What one unit is to do, by when."""

    #: leaf of taxonomy unit
    unit: str
    task: str
    #: seconds from dispatch (DP-04)
    limit_s: int
    #: they are the unit's working time, not every hour (K9)
    working_time: bool = False
    #: 工号 of somebody of the unit, instead of its inbox (DP-13)
    person: str | None = None
    #: code of the template's node it is the work of: sent when the nodes before it are over (DP-02)
    node: str | None = None


@dataclass(frozen=True, slots=True)
class OnOrder:
    """Which order, as it was seen."""

    public_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(OnOrder):
    """T3: answered inside the call."""

    opinion: str
    #: leaf of taxonomy satisfaction
    satisfaction: str
    #: solved at the first contact
    fcr: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HandToSenior(OnOrder):
    """T4."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose(OnOrder):
    """T6: a dispatch for a second person to approve."""

    opinion: str
    tasks: Sequence[Task] = ()
    #: without tasks: those the order's template asks for (DP-02)
    by_template: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBack(OnOrder):
    """T7."""

    #: leaf of taxonomy intervention_reason (MN-02)
    reason_code: str
    opinion: str
    #: leaves of taxonomy review_error
    errors: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalidate(OnOrder):
    """T8: no valid complaint."""

    opinion: str
    #: each check of RV-04 with its result
    checks: Mapping[str, bool]
    #: how the customer was told
    customer_told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Solve(OnOrder):
    """T9: nothing needs to be dispatched."""

    opinion: str
    #: leaf of taxonomy cause
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch(OnOrder):
    """T10 and T11: send the work; without tasks those of the proposal are sent."""

    opinion: str
    checks: Mapping[str, bool]
    tasks: Sequence[Task] = ()
    #: without tasks: those the order's template asks for (DP-02)
    by_template: bool = False
    #: of a second dispatch: the unit whose answer failed, warned in writing (RE-08)
    warned_unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(OnOrder):
    """T13; `public_id` and `version` are the work order's."""

    result: str
    cause: str
    opinion: str
    service_number: str
    handled_at: datetime
    overtime_reason: str | None = None
    #: company, customer, third_party or none (PR-18)
    liability: str | None = None
    apology: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(OnOrder):
    """T22."""

    opinion: str
    result: str
    #: leaf of taxonomy reply_mode
    channel: str
    satisfaction: str
    final: bool = True
    #: why not by the channel the customer asked for (RP-05)
    channel_reason: str | None = None
    #: of a reply that is not the last: further work, sent with it (RP-03)
    tasks: Sequence[Task] = ()
    checks: Mapping[str, bool] | None = None
    #: company, customer, third_party or none (PR-18)
    liability: str | None = None
    #: somebody apologised
    apology: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(OnOrder):
    """T23: satisfied, or not reached after several attempts."""

    #: satisfied or unreachable
    outcome: str
    grade: str | None = None
    opinion: str | None = None
    #: of who complained again: why it came back, and what was done for him (SV-04)
    cause: str | None = None
    handled: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InVain(OnOrder):
    """A call-back that did not reach the customer."""

    #: code of the rules
    why: str
    note: str | None = None
    #: when he wants to be called; None: whenever it is his turn
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledBack(OnOrder):
    """SV-10: the department asked the customer itself."""

    grade: str
    opinion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redispatch(OnOrder):
    """T24: the customer is not satisfied."""

    cause: str
    wanted: str
    tasks: Sequence[Task]
    opinion: str
    grade: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAway(OnOrder):
    """T25."""

    content: str
    customer_nature: str
    department: str
    originals: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForReason(OnOrder):
    """T14's way to the head, and of what nobody does any more: why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervene(OnOrder):
    """T14's return, T17's recall and the proposal of one: why, by its code and in words (MN-02)."""

    #: leaf of taxonomy intervention_reason
    reason_code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(OnOrder):
    """T14: the head decides that the unit goes on."""

    decision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(OnOrder):
    """T15: five things are said (PR-09)."""

    from_workplace: str
    reason: str
    to_workplace: str
    #: leaf of taxonomy unit
    to_unit: str
    #: seconds from now
    limit_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplement(OnOrder):
    """T16: another task or limit for whoever holds the work order; what is None stays."""

    reason: str
    task: str | None = None
    limit_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(OnOrder):
    """T26: the order stands still."""

    #: leaf of taxonomy order_pause_reason
    reason: str
    #: when it should go on
    resume_expected_at: datetime
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(OnOrder):
    """T27 and T28: cancelled or ended by force."""

    reason: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToArchivist(OnOrder):
    """T31: a suggestion goes to the archivist; the caller was thanked (RT-09)."""

    thanks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(OnOrder):
    """T31: reported in a digest to its addressees (KB-08)."""

    digest: str
    addressees: Sequence[str]
