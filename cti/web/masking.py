"""Answers with what their reader may not see in full covered: every field that holds a personal fact says so (AU-02).

One place for every list and every detail: a schema marks the field with `Personal`, and nothing leaves uncovered.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from cti.web.route import Call
from ticketing.masking import Personal, mask, sees_customers
from ticketing.roles import Actor

__all__ = ["covered", "personal_fields", "reader_of"]


def reader_of(call: Call) -> Actor | None:
    """Who will read the answer; None for what anybody may read."""
    return call.signed_in.actor if call.signed_in is not None else None


def covered(value: Any, actor: Actor | None) -> Any:
    """The value as this reader may see it; a model with a field `masked` has decided for itself and what is in it."""
    if actor is None or sees_customers(actor):
        return value
    return _cover(value)


@cache
def personal_fields(model: type[BaseModel]) -> Mapping[str, Personal]:
    """Which fields of a model hold what personal fact."""
    marks = {name: [mark for mark in field.metadata if isinstance(mark, Personal)] for name, field in _fields(model)}
    return {name: found[0] for name, found in marks.items() if found}


def _fields(model: type[BaseModel]) -> Any:
    return model.model_fields.items()


def _cover(value: Any) -> Any:
    if isinstance(value, BaseModel):
        if getattr(value, "masked", None) is False:
            return value
        personal = personal_fields(type(value))
        changed = {}
        for name in type(value).model_fields:
            before = getattr(value, name)
            after = _said(personal[name], before) if name in personal else _cover(before)
            if after is not before:
                changed[name] = after
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, list):
        return [_cover(each) for each in value]
    if isinstance(value, dict):
        return {name: _cover(each) for name, each in value.items()}
    return value


def _said(kind: Personal, value: Any) -> Any:
    """A text, or several by name."""
    if isinstance(value, dict):
        return {name: _said(kind, each) for name, each in value.items()}
    return mask(kind, value) if isinstance(value, str) else value
