"""What the edge hands to the steps beside the straight way: leaders, changes, field work, customers' words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ticketing.orders.inputs import OnOrder, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ToManager(OnOrder):
    """T5: why, and of an overdue repeat the earlier order."""

    #: overdue_repeat or refuses_answer (RT-04)
    trigger: str
    reason: str
    #: serial; a repeat knows it by itself
    earlier_serial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chase(OnOrder):
    """T29: whoever holds the work is urged."""

    #: customer or centre
    asked_by: str
    reason: str
    #: from now on it is 加急, the order and all its work (DP-07)
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToLeader(OnOrder):
    """T21: what a leader must decide; level 2 is the top of the company (PR-15)."""

    question: str
    level: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise(OnOrder):
    """T21: the leader asks the top of the company."""

    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate(OnOrder):
    """T21: the decision, which department leads, and the limit of each that works on it."""

    decision: str
    #: leaf of taxonomy unit
    lead_unit: str
    #: a unit that works on it already gets another task and limit, another one a work order
    tasks: Sequence[Task] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion(OnOrder):
    """A second person's word: to an end by force (T28), to a changed work order (T16, T17)."""

    opinion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseChange(OnOrder):
    """T7 for a supplement or a recall."""

    #: leaf of taxonomy intervention_reason (MN-02)
    reason_code: str
    opinion: str
    #: leaves of taxonomy review_error
    errors: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAdds(OnOrder):
    """T30: what the customer adds, and what is done about it at once."""

    text: str
    #: answered, supplement or recall
    outcome: str
    answer: str | None = None
    #: public id of the work order that is supplemented or recalled
    work_order: str | None = None
    task: str | None = None
    limit_s: int | None = None
    promise_text: str | None = None
    promise_due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell(OnOrder):
    """The customer is told the plan, how long it takes and why, and agrees or does not (PR-20)."""

    plan: str
    told_due_at: datetime
    time_reason: str
    agreed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy(OnOrder):
    """A remedy for the customer (PR-17)."""

    #: leaf of taxonomy remedy
    remedy: str
    reason: str
    #: yuan, of a remedy in money
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRemedy(OnOrder):
    """A leader's word to a remedy above the asker's limit (PR-17)."""

    granted: bool
    opinion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignField(OnOrder):
    """A head sends somebody of the unit to the place (PR-12)."""

    #: 工号
    person: str
    task: str
    limit_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport(OnOrder):
    """What was found and done at the place (PR-13)."""

    result: str
    overtime_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(OnOrder):
    """A message added to a work order (DP-12)."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassign(OnOrder):
    """A supervisor hands it to somebody else, or to the queue of its state (PX-04)."""

    #: leaf of taxonomy reassign_reason
    reason: str
    #: 工号; none: the queue
    person: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskExtension(OnOrder):
    """A unit asks for a later limit (PX-05)."""

    #: leaf of taxonomy extension_reason
    reason: str
    due_at: datetime
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantExtension(OnOrder):
    """The supervisor gives the limit asked for, or an earlier one (PX-05)."""

    opinion: str
    #: none: as it was asked
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOn(OnOrder):
    """T14: a returned work order goes to other units, by the dispatcher (RV-03)."""

    opinion: str
    checks: Mapping[str, bool]
    tasks: Sequence[Task]
