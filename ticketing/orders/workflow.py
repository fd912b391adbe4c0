"""The order's state machine as one table, and the one interpreter that may change a state. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ticketing.clocks.model import Anchor, Clock
from ticketing.errors import Forbidden, Invalid, Refused
from ticketing.orders.model import Control, Kind, State, WorkOrderState
from ticketing.roles import Post


class Verb(StrEnum):
    """What is done to an order; the name of the trail's row."""

    OPEN = "open"
    SUBMIT = "submit"
    END_WITHOUT_ORDER = "end_without_order"
    MERGE = "merge"


class Subject(StrEnum):
    """Whose state a row changes."""

    ORDER = "order"
    WORK_ORDER = "work_order"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the interpreter knows of the order before it decides."""

    #: None before the order exists
    state: State | WorkOrderState | None
    kind: Kind | None = None
    control: Control = Control.RUN
    #: came in writing or as a recording: has a receipt stamp
    paper: bool = False
    #: urgent, or the customer is of a VIP class (DP-06)
    at_once: bool = False
    #: the customer was told a time
    promised: bool = False
    #: required elements neither filled nor coded (IN-17)
    missing: tuple[str, ...] = ()


Condition = Callable[[Situation], bool]

CONDITIONS: Mapping[str, Condition] = {
    "always": lambda s: True,
    "paper": lambda s: s.paper,
    "promised": lambda s: s.promised,
    "complaint": lambda s: s.kind is Kind.COMPLAINT,
    "complaint at once": lambda s: s.kind is Kind.COMPLAINT and s.at_once,
    "not a complaint": lambda s: s.kind is not Kind.COMPLAINT,
    "needs a hand-off": lambda s: s.kind in {Kind.COMPLAINT, Kind.SUGGESTION},
}
"""Named so that the table stays readable and printable."""


@dataclass(frozen=True, slots=True)
class Start:
    """A clock that begins with the step."""

    clock: Clock
    when: str = "always"
    anchor: Anchor = Anchor.NONE
    #: counts from the answer or the receipt stamp instead of from now
    from_receipt: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """A clock that ends with the step."""

    clock: Clock
    when: str = "always"
    #: it never counted: neither met nor breached (G16)
    void: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: from, action, to, who, what must be filled in, which clocks."""

    #: row of requirements part 4
    row: str
    verb: Verb
    sources: tuple[State | WorkOrderState | None, ...]
    #: none: the state stays; several: a named rule chooses
    targets: tuple[State | WorkOrderState, ...]
    posts: frozenset[Post]
    #: fields of the request that must be given; `complete` = every element the kind requires
    required: tuple[str, ...] = ()
    starts: tuple[Start, ...] = ()
    stops: tuple[Stop, ...] = ()
    #: every clock of the order that still runs ends: "" no, "stop" judged, "void" never counted
    stop_all: str = ""
    #: name in CHOICES of the rule that picks one of several targets
    choose: str = ""
    subject: Subject = Subject.ORDER
    #: the product itself may do it
    system: bool = False
    #: allowed while the order is paused
    while_paused: bool = False
    #: where it is written
    source: str = ""


CHOICES: Mapping[str, Callable[[Situation], State | WorkOrderState]] = {}
"""Rules that pick among several targets; T3 and T22 will name theirs here."""

_INTAKE = frozenset({Post.JA, Post.TE, Post.RX, Post.SA, Post.MH})
"""The papers' four intake posts, and the manager hotline, whose queue is answered by people as well."""

_ANSWERING = _INTAKE | {Post.FU}
"""Everybody who takes calls: whoever has a draft must be able to end it (PX-07)."""

ROWS: tuple[Transition, ...] = (
    Transition(
        row="T1",
        verb=Verb.OPEN,
        sources=(None,),
        targets=(State.DRAFT,),
        posts=_ANSWERING,
        system=True,
        required=("channel", "received_at"),
        starts=(
            Start(Clock.DISPATCH, anchor=Anchor.A, from_receipt=True),
            Start(Clock.ENTRY, when="paper", from_receipt=True),
            Start(Clock.TEXT_HANDOFF, when="paper", from_receipt=True),
        ),
        source="IN-18 TL-32",
    ),
    Transition(
        row="T2",
        verb=Verb.SUBMIT,
        sources=(State.DRAFT,),
        targets=(State.REGISTERED,),
        posts=_INTAKE,
        required=("complete",),
        starts=(
            Start(Clock.WHOLE),
            Start(Clock.LEGAL, when="complaint"),
            Start(Clock.PROMISE, when="promised"),
            Start(Clock.HANDOFF, when="needs a hand-off"),
            Start(Clock.URGENT, when="complaint at once", anchor=Anchor.A, from_receipt=True),
        ),
        stops=(Stop(Clock.ENTRY), Stop(Clock.DISPATCH, when="not a complaint", void=True)),
        source="IN-11 IN-17",
    ),
    Transition(
        row="T37",
        verb=Verb.END_WITHOUT_ORDER,
        sources=(State.DRAFT,),
        targets=(State.NO_ORDER,),
        posts=_ANSWERING,
        required=("reason",),
        stop_all="void",
        source="PX-07 G16",
    ),
    Transition(
        row="T38",
        verb=Verb.MERGE,
        sources=(State.DRAFT,),
        targets=(State.MERGED,),
        posts=_ANSWERING,
        required=("into_serial",),
        stop_all="void",
        source="RT-10 PX-07",
    ),
)

Key = tuple[State | WorkOrderState | None, Verb]


def table(rows: Iterable[Transition]) -> Mapping[Key, Transition]:
    """Rows by (state, verb); two rows for one key, or a name nobody defined, are an error of the table."""
    result: dict[Key, Transition] = {}
    for row in rows:
        names = {start.when for start in row.starts} | {stop.when for stop in row.stops}
        if names - CONDITIONS.keys() or (len(row.targets) > 1 and row.choose not in CHOICES):
            raise ValueError(f"{row.row}: unknown condition or choice")
        for source in row.sources:
            if (source, row.verb) in result:
                raise ValueError(f"{row.row}: {source} {row.verb} is already {result[source, row.verb].row}")
            result[source, row.verb] = row
    return result


TRANSITIONS: Mapping[Key, Transition] = table(ROWS)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a step does: the state to write and the clocks to turn."""

    transition: Transition
    to: State | WorkOrderState | None
    starts: tuple[Start, ...]
    stops: tuple[Stop, ...]
    stop_all: str


def allowed(state: State | WorkOrderState | None, posts: Iterable[Post]) -> tuple[Verb, ...]:
    """Verbs these posts may use in this state, for the page's buttons."""
    held = frozenset(posts)
    return tuple(row.verb for (source, _), row in TRANSITIONS.items() if source == state and row.posts & held)


def advance(
    situation: Situation, verb: Verb, posts: frozenset[Post], given: Mapping[str, object], *, system: bool = False
) -> Decision:
    """Decides one step.

    Raises Refused when the table has no such step from here or the order is paused, Forbidden when the post may not,
    Invalid when something that must be filled in is missing: the first field by name and all of them in `missing`.
    """
    row = TRANSITIONS.get((situation.state, verb))
    if row is None:
        raise Refused(
            "not_from_here",
            f"{verb.value} is not possible while the order is {situation.state or 'not there'}",
            state=situation.state,
            action=verb.value,
            allowed=[v.value for (source, v) in TRANSITIONS if source == situation.state],
        )
    if not (posts & row.posts or (system and row.system)):
        raise Forbidden(
            action=verb.value, posts=sorted(p.value for p in posts), allowed=sorted(p.value for p in row.posts)
        )
    if situation.control is Control.PAUSED and not row.while_paused:
        raise Refused("paused", "the order is paused; resume it first", action=verb.value)
    missing = _missing(row, situation, given)
    if missing:
        raise Invalid("missing", "something that is required is not filled in", field=missing[0], missing=list(missing))
    to = CHOICES[row.choose](situation) if len(row.targets) > 1 else next(iter(row.targets), situation.state)
    return Decision(
        transition=row,
        to=to,
        starts=tuple(start for start in row.starts if CONDITIONS[start.when](situation)),
        stops=tuple(stop for stop in row.stops if CONDITIONS[stop.when](situation)),
        stop_all=row.stop_all,
    )


def _missing(row: Transition, situation: Situation, given: Mapping[str, object]) -> tuple[str, ...]:
    """Fields the row requires and nobody gave, in the table's order."""
    missing: list[str] = []
    for name in row.required:
        if name == "complete":
            missing.extend(situation.missing)
        elif given.get(name) in (None, ""):
            missing.append(name)
    return tuple(missing)
