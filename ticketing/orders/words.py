"""The words of orders as an index that Chinese can be searched by, on every database alike (TL-72).

SQLite's and PostgreSQL's own full-text searches split no Chinese; the index holds pairs of characters instead, is
written in the transaction that changes the text, and answers by equality and ranges of one B-tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, false, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticketing.customers.tables import customer
from ticketing.orders.tables import customer_order, order_addendum, order_term
from ticketing.text import after, bigrams, index_terms

#: columns whose words are searched; the customer's name and his later words are searched with them
TEXTS: Final = (
    "contact_name",
    "contact_address",
    "event_place",
    "description",
    "verbatim",
    "wanted_result",
    "promise_text",
    "end_note",
)


def touched(values: Mapping[str, Any]) -> bool:
    """Whether a change of these columns changes what an order is found by."""
    return "customer_id" in values or any(name in values for name in TEXTS)


async def write(conn: AsyncConnection, order_id: int) -> None:
    """Brings the index to what the order says now, in the transaction that changed it: both are seen at once."""
    wanted = set(index_terms("\n".join(await _texts(conn, order_id))))
    kept = set(await conn.scalars(select(order_term.c.term).where(order_term.c.order_id == order_id)))
    if gone := kept - wanted:
        await conn.execute(delete(order_term).where(order_term.c.order_id == order_id, order_term.c.term.in_(gone)))
    if new := wanted - kept:
        await conn.execute(insert(order_term), [{"term": term, "order_id": order_id} for term in sorted(new)])


async def _texts(conn: AsyncConnection, order_id: int) -> list[str]:
    found = await conn.execute(
        select(customer.c.name, *(customer_order.c[name] for name in TEXTS))
        .select_from(customer_order)
        .outerjoin(customer, customer.c.id == customer_order.c.customer_id)
        .where(customer_order.c.id == order_id)
    )
    later = await conn.scalars(select(order_addendum.c.text).where(order_addendum.c.order_id == order_id))
    return [text for text in (*found.one(), *later) if text]


#: up to so many orders are fetched and sorted; when more say the words, the newest orders are asked one after another
FEW: Final = 2_000
#: how far the orders of one word are counted, to begin with the rarest
_COUNTED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Said:
    """How orders that say some words are found."""

    conditions: tuple[ColumnElement[bool], ...]
    #: they are few: sorting them costs less than walking all orders by time
    few: bool


async def said(conn: AsyncConnection, wanted: str) -> Said:
    """What holds for orders that say all these words, in any of their texts.

    A Chinese phrase is found by its pairs; one character, and the last word of another script, by their beginning.
    Text without a letter or digit is said by no order. The orders of the rarest word are looked through in the index
    for the other words; when few are left they are named, and when they are many the newest orders are asked first.
    """
    terms = bigrams(wanted)
    if not terms:
        return Said((false(),), few=True)
    asked = [_fits(order_term.c.term, term, place == len(terms)) for place, term in enumerate(terms, start=1)]
    counts = [await _count(conn, one) for one in asked]
    rarest = min(range(len(asked)), key=counts.__getitem__)
    rest = [
        _exists(order_term.c.order_id, term, place == len(terms))
        for place, term in enumerate(terms, start=1)
        if place != rarest + 1
    ]
    found = await conn.scalars(select(order_term.c.order_id).distinct().where(asked[rarest], *rest).limit(FEW + 1))
    ids = list(found)
    if len(ids) <= FEW:
        return Said((customer_order.c.id.in_(ids),), few=True)
    every = (_exists(customer_order.c.id, term, place == len(terms)) for place, term in enumerate(terms, start=1))
    return Said(tuple(every), few=False)


def _fits(column: ColumnElement[str], term: str, last: bool) -> ColumnElement[bool]:
    """The term itself; one character, and what may still be typed on, also as a beginning."""
    whole = len(term) == 2 or (len(term) > 1 and not last)
    return column == term if whole else and_(column >= term, column < after(term))


def _exists(order_id: ColumnElement[int], term: str, last: bool) -> ColumnElement[bool]:
    other = order_term.alias()
    return exists().where(other.c.order_id == order_id, _fits(other.c.term, term, last))


async def _count(conn: AsyncConnection, fits: ColumnElement[bool]) -> int:
    """How many orders say it, as far as that matters."""
    some = select(order_term.c.order_id).where(fits).limit(_COUNTED).subquery()
    return int(await conn.scalar(select(func.count()).select_from(some)) or 0)
