"""Completeness of an order (IN-17), merging and repeats (G15), and what may be said by voice. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ticketing.clocks.model import Card
from ticketing.orders.model import ENDED, OPEN, UNBORN, Absence, Control, Kind, State


@dataclass(frozen=True, slots=True)
class Element:
    """One thing an order must say."""

    field: str
    #: may be answered by "refused" or "not applicable" instead
    codeable: bool
    #: requirement that asks for it
    source: str


_CLASS = (Element("kind", False, "IN-01"), Element("business", False, "IN-03"), Element("nature", False, "IN-04"))
_WORDS = (Element("description", False, "IN-08"), Element("verbatim", False, "IN-22"))
_PERSON = (
    Element("complainant_type", True, "IN-07"),
    Element("contact_name", True, "IN-09"),
    Element("contact_number", True, "IN-09"),
    Element("contact_address", True, "IN-09"),
    Element("reply_mode", True, "IN-09"),
    Element("service_number", True, "IN-09"),
)
_EVENT = (
    Element("event_at", True, "IN-08"),
    Element("event_place", True, "IN-08"),
    Element("wanted_result", True, "IN-08"),
    Element("wanted_limit_at", True, "IN-08"),
)
_COMPLAINT = (
    *_CLASS,
    Element("complaint_type", False, "IN-05"),
    Element("unit", False, "IN-12"),
    *_WORDS,
    *_PERSON,
    *_EVENT,
    Element("promise_due_at", False, "RT-13 RP-06"),
)

REQUIRED: Mapping[Kind | None, Sequence[Element]] = {
    Kind.COMPLAINT: _COMPLAINT,
    Kind.APPEAL: _COMPLAINT,
    Kind.COORDINATION: _COMPLAINT,
    Kind.SUGGESTION: (*_CLASS, Element("suggestion_category", False, "IN-06"), *_WORDS, *_PERSON[1:3], _PERSON[4]),
    Kind.INQUIRY: (_CLASS[0], _CLASS[1], _WORDS[0]),
    None: (_CLASS[0],),
}
"""What each kind must say before it may be submitted (T2); a process template may ask for more, never for less."""

CODEABLE = frozenset(element.field for elements in REQUIRED.values() for element in elements if element.codeable) | {
    "operation_serial"
}
"""Elements that may be coded absent."""

NOTHING_SAID: frozenset[str] = frozenset(
    {"无", "没有", "没", "无无", "不详", "不知道", "暂无", "空", "none", "nil", "n/a", "na", "unknown", "nothing"}
)
"""What people type to get past a form; it is coded instead (IN-17)."""


def elements(kind: Kind | None, asks: Mapping[str, bool] | None = None) -> Sequence[Element]:
    """What an order must say: what its kind requires and what its template asks beyond it.

    `asks`: element -> whether it may be coded. A template asks for more, never for less: what the kind wants filled
    stays so.
    """
    asked = asks or {}
    own = REQUIRED[kind]
    named = {element.field for element in own}
    tightened = [
        Element(element.field, element.codeable and asked.get(element.field, True), element.source) for element in own
    ]
    return [*tightened, *(Element(name, codeable, "IN-17") for name, codeable in asked.items() if name not in named)]


def missing(
    kind: Kind | None, filled: Mapping[str, object], coded: Mapping[str, str], form: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Required elements that are neither filled nor coded, in the order of the form.

    `form` is what the order keeps of its template (`forms.kept`). Text that still says what the template wrote into it
    was not answered by anybody.
    """
    kept = form or {}
    texts = {name: text for name, text in kept.get("prefill", {}).items() if name in PROSE}
    return tuple(
        element.field
        for element in elements(kind, kept.get("asks"))
        if (filled.get(element.field) in (None, "") or filled.get(element.field) == texts.get(element.field))
        and not (element.codeable and coded.get(element.field))
    )


PROSE: frozenset[str] = frozenset({"description", "wanted_result", "event_place"})
"""Elements a template gives the outline of, to be completed; other prefilled elements are answers."""


def completeness(
    kind: Kind | None, filled: Mapping[str, object], coded: Mapping[str, str], form: Mapping[str, Any] | None = None
) -> int:
    """Share of required elements that are answered, in percent; "refused" counts as answered (QA's score, IN-17)."""
    wanted = len(elements(kind, (form or {}).get("asks")))
    return round(100 * (wanted - len(missing(kind, filled, coded, form))) / wanted)


def says_nothing(text: str) -> bool:
    """True for a word that stands for an empty element: it is coded, with its reason, instead (IN-17)."""
    said = text.strip(" .。-—_/、,，")
    return not said or said.casefold() in NOTHING_SAID


def is_absence(code: str) -> bool:
    """True for a code that may stand for a missing element."""
    return code in {absence.value for absence in Absence}


def takes_contacts(state: State) -> bool:
    """An order another contact may be merged into: begun and not over; a closed one gets a linked order (G15)."""
    return state in OPEN


def is_over(state: State) -> bool:
    """The order has ended and never reopens."""
    return state in ENDED


def never_was(state: State) -> bool:
    """A draft, or a draft that became nothing."""
    return state in UNBORN


_STEPS: Mapping[State, str] = {
    State.REGISTERED: "registered",
    State.AT_SENIOR: "at_senior",
    State.IN_REVIEW: "in_review",
    State.AT_MANAGER: "at_manager",
    State.AT_LEADER: "at_leader",
    State.IN_PROCESS: "in_process",
    State.RELAYING: "in_process",
    State.RELAYED: "in_process",
    State.RESULT_BACK: "in_process",
    State.REPLYING: "replying",
    State.WITHDRAWN: "replying",
    State.SURVEY: "survey",
    State.ACCEPTED: "verifying",
    State.VERIFYING: "verifying",
    State.ARBITRATION: "verifying",
    State.AT_ARCHIVIST: "suggestion",
    State.REPORTED: "suggestion",
}


def next_step(state: State, control: Control) -> str | None:
    """Code of what happens next, for a prompt: no name and no content (TL-02); None when nothing follows."""
    return None if control is Control.PAUSED else _STEPS.get(state)


def summarise(text: str | None, limit: int = 60) -> str:
    """First line of the description, cut at `limit` characters."""
    line = (text or "").strip().partition("\n")[0].strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def overdue(card: Card) -> bool:
    """Past the limit."""
    return card is Card.RED
