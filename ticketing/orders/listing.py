"""The orders of a list, cursors that stay good while rows are added, and pages that cost what they show (AU-03).

A page is read in two steps of one statement: first the keys of its rows, each way to find them walked in the order of
an index and no further than the page is long; then what those rows say. So neither how many orders there are nor how
many a list has makes its page dearer, as long as an index serves each way.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Select, and_, false, func, literal, or_, select, true, union_all

from ticketing.db import Unindexed, UtcDateTime
from ticketing.errors import Invalid
from ticketing.orders.tables import customer_order

O = customer_order.c  # noqa: E741 - the one table this module is about
Condition = ColumnElement[bool]

#: the limit of an order that has none
_FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """One column a list is ordered by."""

    #: name in the row, for the cursor
    name: str
    column: ColumnElement[Any]
    falling: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a list whose rows an index gives in their order; the parts of a list follow each other."""

    condition: Condition
    #: what its rows are ordered by
    keys: tuple[Key, ...]
    #: what all its rows have for the first key of the list; `keys` then begin with the second
    same: Any = None


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of a list."""

    keys: tuple[Key, ...]
    #: the parts it is read in, in this order; without any it is one
    parts: tuple[Part, ...] = ()


_ID: Final = Key("id", O.id, falling=False)
_ID_SORTED: Final = Key("id", Unindexed(O.id), falling=False)
_NEWEST: Final = (Key("created_at", O.created_at), Key("id", O.id))
SORTS: Final[Mapping[str, Sort]] = {
    "newest": Sort(_NEWEST),
    "oldest": Sort((Key("created_at", O.created_at, falling=False), _ID)),
    #: the nearest limit first, orders without one last
    "due": Sort(
        (Key("due_at", func.coalesce(O.due_at, literal(_FAR, UtcDateTime)), falling=False), _ID),
        (
            Part(O.due_at.is_not(None), (Key("due_at", O.due_at, falling=False), _ID)),
            Part(O.due_at.is_(None), (_ID,), same=_FAR),
        ),
    ),
    #: 加急 first, the newest of them first (DP-07)
    "urgent": Sort(
        (Key("urgent", O.urgent), *_NEWEST),
        (Part(O.urgent.is_(True), _NEWEST, same=True), Part(O.urgent.is_(False), _NEWEST, same=False)),
    ),
}


@dataclass(frozen=True, slots=True)
class Query:
    """A search as SQL."""

    conditions: tuple[Condition, ...]
    sort: str
    #: a condition finds few orders by an index of its own: they are sorted, not walked by time
    few: bool = False
    #: all it finds is open: those without a limit are sorted, not sought among all that have ended
    live: bool = False
    #: of each of these one must hold: the ways to the same rows, each with an index of its own
    ways: tuple[Sequence[Condition], ...] = ()

    def page(self, shown: Select[Any], cursor: str | None, limit: int) -> Select[Any]:
        """One row more than a page of what `shown` reads of orders, from where the page before ended; raises Invalid
        for a cursor of another list."""
        keys = SORTS[self.sort].keys
        found = [one.limit(limit + 1).subquery() for one in self._found(cursor)]
        ids = union_all(*(select(one.c.id) for one in found)) if len(found) > 1 else select(found[0].c.id)
        return shown.where(O.id.in_(ids)).order_by(*map(_by, keys)).limit(limit + 1)

    def _found(self, cursor: str | None) -> Iterator[Select[Any]]:
        """The keys of orders by each way and in each part of the list."""
        place = None if cursor is None else self._place(cursor)
        for which, by, past in self._stretches(place):
            for way in product(*self.ways):
                yield select(O.id).where(*self.conditions, *way, which, past).order_by(*map(_by, by))

    def _stretches(self, place: Sequence[Any] | None) -> Iterator[tuple[Condition, tuple[Key, ...], Condition]]:
        """Each part of the list, what orders it, and what of it comes after the place."""
        keys, parts = SORTS[self.sort].keys, SORTS[self.sort].parts
        if self.few:
            keys, parts = tuple(map(_sorted, keys)), ()
        if not parts:
            yield true(), keys, true() if place is None else _past(keys, place)
        for part in parts:
            by = (_ID_SORTED,) if self.live and part.keys == (_ID,) else part.keys
            yield part.condition, by, _beyond(keys[0], part, place)

    def cursor_of(self, row: Mapping[str, Any]) -> str:
        """The place of a row in this list."""
        place = [_kept(row[key.name]) for key in SORTS[self.sort].keys]
        text = json.dumps([self.sort, *place], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _place(self, cursor: str) -> list[Any]:
        keys = SORTS[self.sort].keys
        try:
            sort, *place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if sort != self.sort or len(place) != len(keys):
                raise ValueError(sort)
            return [_given(key, value) for key, value in zip(keys, place, strict=True)]
        except (ValueError, TypeError, binascii.Error):
            raise Invalid("bad_cursor", "take the cursor of the page before", field="cursor") from None


def _by(key: Key) -> ColumnElement[Any]:
    return key.column.desc() if key.falling else key.column.asc()


def _sorted(key: Key) -> Key:
    """The same key, which no index serves."""
    return Key(key.name, Unindexed(O.created_at), key.falling) if key.column is O.created_at else key


def _beyond(first: Key, part: Part, place: Sequence[Any] | None) -> Condition:
    """Rows of this part after the place in the whole list."""
    if place is None:
        return true()
    if part.same is None:
        return _past(part.keys, place)
    if part.same == place[0]:
        return _past(part.keys, place[1:])
    return true() if (part.same < place[0]) is first.falling else false()


def _past(keys: Sequence[Key], place: Sequence[Any]) -> Condition:
    """Rows after this place in the order of the keys; the first condition lets an index begin there."""
    clauses: list[Condition] = []
    same: list[Condition] = []
    values = [literal(value, Boolean()) if isinstance(value, bool) else value for value in place]
    for key, value in zip(keys, values, strict=True):
        clauses.append(and_(*same, key.column < value if key.falling else key.column > value))
        same.append(key.column == value)
    first, value = keys[0], values[0]
    return and_(first.column <= value if first.falling else first.column >= value, or_(*clauses))


def _kept(value: Any) -> Any:
    if value is None:
        return _FAR.isoformat()
    return value.isoformat() if isinstance(value, datetime) else value


def _given(key: Key, value: Any) -> Any:
    if key.name == "id":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
            raise ValueError(value)
        return value
    if key.name == "urgent":
        if not isinstance(value, bool):
            raise TypeError(value)
        return value
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(value)
    return at
