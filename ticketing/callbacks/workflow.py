"""The callback's state machine as one table, and the one interpreter that may change a state. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ticketing.callbacks.model import IN_FLIGHT, OPEN, Mode, OnUnknown, State, Verb
from ticketing.errors import Refused

_BOTH = frozenset(Mode)
_AGENT = frozenset({Mode.AGENT_FIRST})
_CUSTOMER = frozenset({Mode.CUSTOMER_FIRST})
_WAITING = (State.PENDING, State.FAILED, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the interpreter knows before it decides."""

    #: None before the booking exists
    state: State | None
    mode: Mode
    #: another attempt is allowed: the cap is not reached and one still fits into the window
    may_retry: bool = False
    on_unknown: OnUnknown = OnUnknown.ASK


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table."""

    verb: Verb
    sources: tuple[State | None, ...]
    #: several: `choose` picks
    targets: tuple[State, ...]
    modes: frozenset[Mode] = _BOTH
    #: why, or where it is written
    source: str = ""


ROWS: tuple[Transition, ...] = (
    Transition(Verb.BOOK, (None,), (State.PENDING,), source="TL-22"),
    Transition(Verb.PROPOSE, (None,), (State.FAILED,), source="F05: cut off; a person decides whether he is called"),
    Transition(Verb.RENEW, _WAITING, (State.PENDING,), source="TL-22 F28: the number asks again"),
    Transition(Verb.CLAIM, (State.PENDING,), (State.CLAIMED,), source="TL-23"),
    Transition(Verb.RESERVE, (State.CLAIMED,), (State.AGENT_RESERVED,), _AGENT, source="P36"),
    Transition(Verb.RELEASE, (State.CLAIMED, State.AGENT_RESERVED), (State.PENDING,), source="nothing was dialled"),
    Transition(Verb.DIAL, (State.AGENT_RESERVED,), (State.DIALLING,), _AGENT, source="F19"),
    Transition(Verb.DIAL, (State.CLAIMED,), (State.DIALLING,), _CUSTOMER, source="F19"),
    # What the exchange tells may come late, or a step before it may not have been seen.
    Transition(Verb.ANSWER, (State.DIALLING,), (State.ANSWERED,), _CUSTOMER, source="P34"),
    Transition(Verb.CONFIRM, (State.DIALLING, State.ANSWERED), (State.CONFIRMED,), _CUSTOMER, source="P34"),
    Transition(Verb.QUEUE, (State.DIALLING, State.ANSWERED, State.CONFIRMED), (State.QUEUED,), _CUSTOMER, source="P35"),
    Transition(Verb.CONNECT, tuple(sorted(OPEN)), (State.CONNECTED,), source="TL-23; late news ends a doubt"),
    Transition(
        Verb.MISS, (*sorted(IN_FLIGHT), State.UNKNOWN), (State.PENDING, State.FAILED), source="TL-23: spacing and cap"
    ),
    Transition(
        Verb.LOSE,
        tuple(sorted(IN_FLIGHT)),
        (State.UNKNOWN, State.PENDING),
        source="TL-23: a person is asked",
    ),
    Transition(
        Verb.DECLINE,
        (State.DIALLING, State.ANSWERED),
        (State.CANCELLED,),
        _CUSTOMER,
        source="TL-22: by key",
    ),
    Transition(Verb.CALL_NOW, _WAITING, (State.PENDING,), source="TL-23: a person decides"),
    Transition(Verb.SNOOZE, _WAITING, (State.PENDING,), source="TL-23"),
    Transition(Verb.REASSIGN, tuple(sorted(OPEN)), (), source="PX-04"),
    Transition(Verb.CANCEL, (*_WAITING, State.CLAIMED, State.AGENT_RESERVED), (State.CANCELLED,), source="TL-22"),
    Transition(
        Verb.TAKE_OVER,
        (*_WAITING, State.CLAIMED, State.AGENT_RESERVED, State.DIALLING),
        (State.CANCELLED,),
        source="TL-22 P37: he is on the line himself",
    ),
)

Key = tuple[State | None, Verb, Mode]


def table(rows: Iterable[Transition]) -> Mapping[Key, Transition]:
    """Rows by (state, verb, mode); two rows for one key are an error of the table."""
    result: dict[Key, Transition] = {}
    for row in rows:
        for source in row.sources:
            for mode in row.modes:
                if (source, row.verb, mode) in result:
                    raise ValueError(f"{source} {row.verb} {mode} has two rows")
                result[source, row.verb, mode] = row
    return result


TRANSITIONS: Mapping[Key, Transition] = table(ROWS)


def allowed(state: State, mode: Mode) -> tuple[Verb, ...]:
    """What may be done from here, for the page's buttons."""
    return tuple(verb for (source, verb, of), _ in TRANSITIONS.items() if source == state and of == mode)


def advance(situation: Situation, verb: Verb) -> State:
    """State after the step; raises Refused when the table has none from here."""
    row = TRANSITIONS.get((situation.state, verb, situation.mode))
    if row is None:
        raise Refused(
            "not_from_here",
            f"{verb.value} is not possible while the callback is {situation.state or 'not there'}",
            state=situation.state,
            action=verb.value,
            allowed=[] if situation.state is None else [v.value for v in allowed(situation.state, situation.mode)],
        )
    if not row.targets:
        assert situation.state is not None  # only what is there is reassigned
        return situation.state
    return row.targets[0] if len(row.targets) == 1 else _choose(verb, situation)


def _choose(verb: Verb, situation: Situation) -> State:
    """A missed customer is called again while attempts are left; a doubt goes to a person unless policy says retry."""
    if verb is Verb.MISS:
        return State.PENDING if situation.may_retry else State.FAILED
    retry = situation.on_unknown is OnUnknown.RETRY and situation.may_retry
    return State.PENDING if retry else State.UNKNOWN
