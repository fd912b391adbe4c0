"""Pages of lists ordered by a time and a key: a cursor that stays good while rows are added (AU-03). Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_

from ticketing.errors import Invalid

T = TypeVar("T")

#: rows one page may have
LARGEST = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list."""

    items: tuple[T, ...]
    #: where the next page begins; None on the last one
    next_cursor: str | None


def ordered(
    query: Select[Any],
    at: ColumnElement[datetime],
    key: ColumnElement[int],
    cursor: str | None,
    *,
    newest_first: bool = False,
) -> Select[Any]:
    """The query in the order of the list, from where the page before ended."""
    if cursor is not None:
        when, last = read_cursor(cursor)
        past, beyond = (at < when, key < last) if newest_first else (at > when, key > last)
        query = query.where(or_(past, and_(at == when, beyond)))
    return query.order_by(at.desc(), key.desc()) if newest_first else query.order_by(at, key)


def check_limit(limit: int) -> int:
    """Raises Invalid for a page that is too large or empty."""
    if not 1 <= limit <= LARGEST:
        raise Invalid("bad_limit", f"1 to {LARGEST}", field="limit", allowed=[1, LARGEST])
    return limit


def cursor_of(at: datetime, key: int) -> str:
    """The place of a row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{key}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, int]:
    """The place a cursor names; raises Invalid for one we did not make."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, key = text.partition("|")
        when = datetime.fromisoformat(at)
        if when.tzinfo is None or not 0 <= int(key) < 2**63:
            raise ValueError(text)
        return when, int(key)
    except (ValueError, binascii.Error):
        raise Invalid("bad_cursor", "take the cursor of the page before", field="cursor") from None
