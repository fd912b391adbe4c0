"""The order's state machine as one table, and the one interpreter that may change a state. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ticketing.errors import Forbidden, Invalid, Refused
from ticketing.orders.model import Control, State, WorkOrderState
from ticketing.orders.steps import CONDITIONS, Situation, Start, Stop, Subject, Transition, Verb
from ticketing.orders.transitions import CHOICES, ORDER_ROWS
from ticketing.orders.work_transitions import WORK_ROWS
from ticketing.roles import Post

__all__ = [
    "CHOICES",
    "CONDITIONS",
    "ROWS",
    "TRANSITIONS",
    "Decision",
    "Situation",
    "Start",
    "Stop",
    "Subject",
    "Transition",
    "Verb",
    "advance",
    "allowed",
    "rows_from",
    "table",
]

ROWS: tuple[Transition, ...] = (*ORDER_ROWS, *WORK_ROWS)

Key = tuple[State | WorkOrderState | None, Verb]


def table(rows: Iterable[Transition]) -> Mapping[Key, Transition]:
    """Rows by (state, verb); two rows for one key, or a name nobody defined, are an error of the table."""
    result: dict[Key, Transition] = {}
    for row in rows:
        names = {start.when for start in row.starts} | {stop.when for stop in row.stops}
        names |= {when for when, _ in row.required_when} | {row.stop_all_when}
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


def allowed(
    state: State | WorkOrderState | None, posts: Iterable[Post], control: Control = Control.RUN
) -> tuple[Verb, ...]:
    """Verbs these posts may use in this state, for the page's buttons; of a paused order those it does not hold up."""
    held, paused = frozenset(posts), control is Control.PAUSED
    rows = (row for row in rows_from(state) if row.posts & held)
    return tuple(row.verb for row in rows if (row.while_paused if paused else row.control is not Control.RUN))


def rows_from(state: State | WorkOrderState | None) -> tuple[Transition, ...]:
    """Rows that begin here; an order and a work order share the names of some states, not their rows."""
    subject = Subject.WORK_ORDER if isinstance(state, WorkOrderState) else Subject.ORDER
    return tuple(row for (source, _), row in TRANSITIONS.items() if source == state and row.subject is subject)


def advance(
    situation: Situation, verb: Verb, posts: frozenset[Post], given: Mapping[str, object], *, system: bool = False
) -> Decision:
    """Decides one step.

    Raises Refused when the table has no such step from here or the order is paused, Forbidden when the post may not,
    Invalid when something that must be filled in is missing: the first field by name and all of them in `missing`.
    """
    rows = rows_from(situation.state)
    row = next((row for row in rows if row.verb is verb), None)
    if row is None:
        raise Refused(
            "not_from_here",
            f"{verb.value} is not possible while the order is {situation.state or 'not there'}",
            state=situation.state,
            action=verb.value,
            allowed=[row.verb.value for row in rows],
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
        stop_all=row.stop_all if CONDITIONS[row.stop_all_when](situation) else "",
    )


def _missing(row: Transition, situation: Situation, given: Mapping[str, object]) -> tuple[str, ...]:
    """Fields the row requires and nobody gave, in the table's order."""
    missing: list[str] = []
    for name in row.required:
        if name == "complete":
            missing.extend(situation.missing)
        elif _empty(given.get(name)):
            missing.append(name)
    missing += [name for when, name in row.required_when if CONDITIONS[when](situation) and _empty(given.get(name))]
    return tuple(missing)


def _empty(value: object) -> bool:
    """Nothing was filled in; a flag that is off is an answer."""
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)
