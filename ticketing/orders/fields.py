"""What may be written into a draft, field by field, and how a wrong value is refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ticketing.customers.model import NumberKind
from ticketing.customers.rules import normalise
from ticketing.errors import Invalid
from ticketing.orders.model import Kind
from ticketing.text import checked


class FieldKind(StrEnum):
    """How a value is checked."""

    TEXT = "text"
    LINES = "lines"
    LEAF = "leaf"
    NUMBER = "number"
    TIME = "time"
    FLAG = "flag"
    KIND = "kind"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field of the form."""

    kind: FieldKind
    #: characters
    limit: int = 0
    #: a time that has passed, or one that is still to come
    future: bool | None = None


FIELDS: Mapping[str, FieldRule] = {
    "kind": FieldRule(FieldKind.KIND),
    "business": FieldRule(FieldKind.LEAF),
    "nature": FieldRule(FieldKind.LEAF),
    "complaint_type": FieldRule(FieldKind.LEAF),
    "suggestion_category": FieldRule(FieldKind.LEAF),
    "complainant_type": FieldRule(FieldKind.LEAF),
    "unit": FieldRule(FieldKind.LEAF),
    "reply_mode": FieldRule(FieldKind.LEAF),
    "service_number": FieldRule(FieldKind.TEXT, 40),
    "contact_name": FieldRule(FieldKind.TEXT, 200),
    "contact_number": FieldRule(FieldKind.NUMBER),
    "contact_address": FieldRule(FieldKind.TEXT, 500),
    "event_at": FieldRule(FieldKind.TIME, future=False),
    "event_place": FieldRule(FieldKind.TEXT, 500),
    "description": FieldRule(FieldKind.LINES, 4000),
    "verbatim": FieldRule(FieldKind.LINES, 8000),
    "wanted_result": FieldRule(FieldKind.LINES, 2000),
    "wanted_limit_at": FieldRule(FieldKind.TIME, future=True),
    "promise_text": FieldRule(FieldKind.TEXT, 500),
    "promise_due_at": FieldRule(FieldKind.TIME, future=True),
    "operation_serial": FieldRule(FieldKind.TEXT, 80),
    "urgent": FieldRule(FieldKind.FLAG),
}
"""Everything an agent may write; whatever is not here is not his to write."""

FIXED: frozenset[str] = frozenset(
    {"caller_number", "call_id", "serial", "dnis", "channel", "received_at", "state", "vip_class", "id", "version"}
)
"""Comes from the telephone, the receipt stamp or the product itself, never from a keyboard (IN-18, IN-25)."""

_OLDEST = timedelta(days=20 * 366)
_FARTHEST = timedelta(days=5 * 366)
#: clocks of browser and server differ
_TOLERANCE = timedelta(minutes=5)


def parse(name: str, value: object, now: datetime) -> object:
    """The value as stored; None empties the field. Raises Invalid with the field's name and what is allowed.

    Taxonomy leaves are checked for their form here, for their existence by the action.
    """
    rule = FIELDS.get(name)
    if rule is None:
        code = "not_editable" if name in FIXED else "unknown_field"
        raise Invalid(code, "this field cannot be written", field=name, allowed=sorted(FIELDS))
    if rule.kind is FieldKind.FLAG:
        if not isinstance(value, bool):
            raise Invalid("not_a_flag", "yes or no", field=name, allowed=[True, False])
        return value
    return None if value in (None, "") else _value(name, rule, value, now)


def _value(name: str, rule: FieldRule, value: object, now: datetime) -> object:
    match rule.kind:
        case FieldKind.TIME:
            return _time(name, rule, value, now)
        case FieldKind.NUMBER:
            return number(name, value)
        case FieldKind.KIND:
            return _kind(value)
        case FieldKind.LEAF:
            return text(name, value, 60)
        case _:
            return text(name, value, rule.limit, lines=rule.kind is FieldKind.LINES)


def text(name: str, value: object, limit: int, *, lines: bool = False) -> str | None:
    """Text as people write it; too long, control and invisible characters are refused, not cut or dropped."""
    return checked(name, value, limit, lines=lines)


def _time(name: str, rule: FieldRule, value: object, now: datetime) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Invalid("not_a_time", "a moment with its zone is expected", field=name)
    if rule.future is False and value > now + _TOLERANCE:
        raise Invalid("in_the_future", "this cannot have happened yet", field=name, latest=now.isoformat())
    if rule.future is True and value < now - _TOLERANCE:
        raise Invalid("in_the_past", "this must be still to come", field=name, earliest=now.isoformat())
    if not now - _OLDEST <= value <= now + _FARTHEST:
        allowed = [(now - _OLDEST).isoformat(), (now + _FARTHEST).isoformat()]
        raise Invalid("out_of_range", "too far away to be meant", field=name, allowed=allowed)
    return value


def number(name: str, value: object) -> str:
    """A telephone number as it is stored and compared; raises Invalid for what nobody could call."""
    if not isinstance(value, str):
        raise Invalid("not_a_number", "a telephone number is expected", field=name)
    found = normalise(value)
    if found.kind in {NumberKind.INVALID, NumberKind.WITHHELD} or found.key is None:
        raise Invalid(
            "not_a_number",
            "not a telephone number; write it with its area code",
            field=name,
            allowed="+, digits, area code",
        )
    return found.key


def _kind(value: object) -> str:
    mine = [Kind.COMPLAINT.value, Kind.SUGGESTION.value, Kind.INQUIRY.value]
    if value not in mine:
        raise Invalid(
            "unknown_kind", "the desk takes complaints, suggestions and inquiries", field="kind", allowed=mine
        )
    return str(value)
